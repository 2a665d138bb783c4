"""azapi, the provider that AZAPI names, under Terraform, with the name of the shape in which a workspace answers."""

import os
import re
import sys
import tempfile
import urllib.error
from pathlib import Path

from emulator import ACCOUNT, ACCOUNTS, GROUP_ID, MEMBER, WORKSPACES, arm, call, during, mode, throttled
from report import Report, expect
from terraform import Terraform, install

HERE = Path(__file__).resolve().parent
PROVIDER = Path(os.environ["AZAPI"]).resolve()
HUB = f"{WORKSPACES}/azapi-hub"
ASSIGNMENT = "providers/Microsoft.Authorization/roleAssignments"
SECOND = ["-var", "mode=identity", "-var", "shared_key=false", "-var", "description=second"]


def main(shape, scratch):
    install(scratch, "Azure/azapi", PROVIDER)
    found = arm("GET", f"{ACCOUNT}/{ASSIGNMENT}?api-version=2022-04-01&$filter=atScope()")["value"]
    existing = next(it["name"] for it in found if it["properties"]["principalId"] == MEMBER)
    terraform = Terraform(scratch, HERE / "azapi", "-var", f"assignment={existing}")
    report = Report("azapi", version(), shape)
    life(report, terraform, f"{ACCOUNT}/{ASSIGNMENT}/{existing}")
    old_versions(report, scratch)
    # Those that the configurations name.
    report.end(workspaces="2024-04-01, 2025-06-01", roleAssignments="2022-04-01", storageAccounts="2023-05-01")


def version():
    """The provider's version if its file's name has it, as in a release."""
    found = re.search(r"_v([0-9.]+)$", PROVIDER.name)
    return found.group(1) if found else "built"


def life(report, terraform, existing):
    def create():
        _, asked = during(terraform.apply)
        expect("MissingSubscriptionRegistration" in [it["error"] for it in asked], True)
        expect("POST" in [it["method"] for it in asked if it["path"].lower().endswith("/register")], True)
        expect([mode("azapi-hub"), flag("azapiaccount")], ["accesskey", True])

    def update():
        _, asked = during(lambda: terraform.apply(*SECOND))
        expect([it["method"] for it in asked if it["method"] != "GET"], ["PUT"] * 6)
        expect([mode("azapi-hub"), mode("test-ws1"), flag("azapiaccount"), flag("sa1")], ["identity"] * 2 + [False] * 2)
        expect(description(existing), "second")

    def drift():
        for hub in ["azapi-hub", "test-ws1"]:
            body = {"properties": {"systemDatastoresAuthMode": "accesskey"}}
            arm("PATCH", f"{WORKSPACES}/{hub}?api-version=2025-06-01", body)
        arm("PATCH", f"{ACCOUNT}?api-version=2023-05-01", {"properties": {"allowSharedKeyAccess": True}})
        call("POST", "/_emulator/operations/all/finish")
        said = terraform.plan(*SECOND, code=2)
        expect("0 to add, 3 to change, 0 to destroy" in said, True)
        terraform.apply(*SECOND)
        expect([mode("azapi-hub"), mode("test-ws1"), flag("sa1")], ["identity", "identity", False])

    def change():
        _, asked = during(lambda: terraform.apply(*SECOND, "-var", "hub_description=changed"))
        expect([it["method"] for it in asked if it["method"] != "GET"], ["PUT"])
        hub = arm("GET", f"{HUB}?api-version=2025-06-01")
        expect([hub["properties"]["description"], mode("azapi-hub")], ["changed", "identity"])

    def detach():
        call("POST", f"/_emulator/image-builds?workspace={HUB}")
        terraform.plan(*SECOND, "-var", "hub_description=changed", code=0)
        said = terraform.run("apply", "-auto-approve", *SECOND, "-var", "hub_description=again", code=1)
        said = " ".join(said.replace("│", " ").split())
        expect("Detaching Container Registry with workspace is not supported" in said, True)

    def destroy():
        terraform.run("destroy", "-auto-approve", *SECOND)
        gone = [HUB, f"{ACCOUNTS}/azapiaccount"]
        expect([status(f"{id}?api-version=2023-05-01") for id in gone], [404, 404])
        # What it only changed, it leaves.
        expect([mode("test-ws1"), flag("sa1"), description(existing)], ["identity", False, "second"])

    def again():
        return throttled("GET */azapi-hub", lambda: terraform.plan(*SECOND, code=0))

    report.run("create, which registers the resource provider", create)
    report.run("plan without changes", lambda: terraform.plan(code=0))
    report.run("update", update)
    report.run("plan without changes, after the update", lambda: terraform.plan(*SECOND, code=0))
    report.run("drift", drift)
    report.run("plan without changes, after a 429", again)
    report.run("azapi_resource changes a hub", change)
    report.run("azapi_resource would detach the registry that the service attached", detach)
    report.run("destroy", destroy)


def old_versions(report, scratch):
    """At 2024-04-01 the published schema has no mode."""

    def dropped():
        _, asked = during(Terraform(scratch, HERE / "azapi/older").apply)
        puts = [it["body"]["properties"] for it in asked if it["method"] == "PUT"]
        expect(["systemDatastoresAuthMode" in it for it in puts], [False])
        expect(mode("gone-ws1"), "accesskey")

    def refused():
        said = Terraform(scratch, HERE / "azapi/refused").plan(code=1)
        expect("systemDatastoresAuthMode" in said, True)

    report.run("azapi_update_resource drops the mode at 2024-04-01", dropped)
    report.run("azapi_resource refuses the mode at 2024-04-01", refused)


def flag(account):
    return arm("GET", f"{ACCOUNTS}/{account}?api-version=2023-05-01")["properties"].get("allowSharedKeyAccess")


def description(assignment):
    return arm("GET", f"{assignment}?api-version=2022-04-01")["properties"]["description"]


def status(path):
    try:
        arm("GET", path)
        return 200
    except urllib.error.HTTPError as error:
        return error.code


with tempfile.TemporaryDirectory(prefix="foundryhub-azapi-") as folder:
    main(sys.argv[1], Path(folder))
