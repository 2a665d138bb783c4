"""foundryhub_hub under Terraform, and how azure-ai-ml reads what it made."""

import tempfile
from importlib.metadata import version
from pathlib import Path

from ai_ml import client, reaches_storage_by
from emulator import ACCOUNTS, arm, during, mode
from report import Report, expect
from terraform import Terraform, install

HERE = Path(__file__).resolve().parent
PROVIDER = HERE.parent.parent / "target/debug/terraform-provider-foundryhub"
HUBS = ["made-hub", "keyless-hub"]


def main(scratch):
    install(scratch, "foundryhub/foundryhub", PROVIDER)
    terraform = Terraform(scratch, HERE / "foundryhub")
    report = Report("foundryhub, azure-ai-ml", version("azure-ai-ml"))
    arm("PATCH", f"{ACCOUNTS}/sa3?api-version=2023-05-01", {"properties": {"allowSharedKeyAccess": False}})

    def create():
        _, asked = during(terraform.apply)
        expect(sorted(it["method"] for it in asked if it["method"] != "GET"), ["PATCH", "PUT", "PUT"])
        found = [arm("GET", f"{ACCOUNTS}/{name}?api-version=2023-05-01")["properties"] for name in ["sa2", "sa3"]]
        return [it["allowSharedKeyAccess"] for it in found]

    def read():
        return [(client().workspaces.get(name).name, reaches_storage_by(name), mode(name)) for name in HUBS]

    def update():
        workspaces = client().workspaces
        workspace = workspaces.get("made-hub")
        workspace.system_datastores_auth_mode = "accesskey"
        workspaces.begin_update(workspace=workspace).result()
        expect([mode("made-hub"), reaches_storage_by("made-hub")], ["accesskey", "AccountKeyConfiguration"])
        expect("0 to add, 1 to change, 0 to destroy" in terraform.plan(code=2), True)
        terraform.apply()
        return mode("made-hub"), reaches_storage_by("made-hub")

    identity_based = [(name, "NoneCredentialConfiguration", "identity") for name in HUBS]
    report.run("foundryhub_hub creates hubs, and keys are off", create, [False, False])
    report.run("azure-ai-ml reads them as identity-based", read, identity_based)
    report.run("foundryhub_hub has nothing to change", lambda: terraform.plan(code=0))
    report.run(
        "foundryhub_hub takes back what azure-ai-ml changed", update, ("identity", "NoneCredentialConfiguration")
    )
    report.run("foundryhub_hub destroys them", lambda: terraform.run("destroy", "-auto-approve"))
    report.end()


with tempfile.TemporaryDirectory(prefix="foundryhub-hub-") as folder:
    main(Path(folder))
