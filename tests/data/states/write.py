#!/usr/bin/env python3
"""Writes the states of this folder anew: write.py ENGINE [CASE...], with what `cargo build --bins --examples` built.

For each case the engine works with the provider on the case's main.tf and an emulator. What the engine leaves as its
state and the emulator as its world become terraform.tfstate and azure.json.
"""

import json
import os
import ssl
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
BINARIES = HERE.parent.parent.parent / "target/debug"
PROVIDER = BINARIES / "terraform-provider-foundryhub"
HOST = "registry.terraform.io"

SUBSCRIPTION = "/subscriptions/22222222-2222-2222-2222-222222222222"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg1"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/sa1"
HUBS = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces"
PEOPLE = ALICE, BOB, CAROL, DAVE = [f"aaaaaaaa-0000-4000-8000-00000000000{n}" for n in range(1, 5)]
# The user-assigned identity of a fine-tuning job.
IDENTITY = "cccccccc-0000-4000-8000-000000000001"
CUSTOM_ROLE = "dddddddd-0000-4000-8000-000000000001"
BLOB_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
FILE_CONTRIBUTOR = "69566ab7-960f-475b-8e7c-b3118f30c6bd"
GRANT, AUTH = "foundryhub_role_assignment", "foundryhub_storage_auth"


class Bench:
    """An emulator and a folder in which an engine works. The clock stands still at the beginning of 2026."""

    def __init__(self, engine, case, folder):
        self.engine, self.case, self.folder = engine, case, folder
        self.world, self.work, exports = folder / "azure.json", folder / "work", folder / "env"
        self.work.mkdir()
        self.write((HERE / case / "main.tf").read_text())
        (folder / "seed.yaml").write_text(json.dumps(seed(case)))
        arguments = ["--state", self.world, "--seed", folder / "seed.yaml", "--env-file", exports]
        arguments += ["--time", "2026-01-01T00:00:00Z", "--stop-clock", "--retry-after", "0"]
        self.emulator = subprocess.Popen([BINARIES / "examples/emulator", *arguments], stdout=subprocess.PIPE)
        for line in self.emulator.stdout:
            if line == b"ready\n":
                break
        lines = (line.removeprefix("export ").split("=", 1) for line in exports.read_text().splitlines())
        self.azure = {name: value.strip("'") for name, value in lines}
        self.url = self.azure["ARM_RESOURCE_MANAGER_ENDPOINT"]
        overrides = ""
        # The peers are asked for nothing but a schema, so our own binary stands in for them.
        for name in ["foundryhub/foundryhub", "hashicorp/azurerm", "azure/azapi"]:
            plugin = folder / name
            plugin.mkdir(parents=True)
            (plugin / f"terraform-provider-{plugin.name}").symlink_to(PROVIDER)
            overrides += f'"{HOST}/{name}" = "{plugin}"\n'
        (folder / "cli.tfrc").write_text(f"provider_installation {{\n dev_overrides {{\n{overrides}}}\n}}\n")

    def write(self, text, name="main.tf"):
        (self.work / name).write_text(text)

    def run(self, *arguments, fails=False):
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "CHECKPOINT_DISABLE": "1"}
        environment |= {"TF_CLI_CONFIG_FILE": str(self.folder / "cli.tfrc"), **self.azure}
        ended = subprocess.run(
            [self.engine, *arguments], cwd=self.work, env=environment, capture_output=True, text=True
        )
        if (ended.returncode != 0) != fails:
            raise SystemExit(f"{self.case}: {arguments} ended with {ended.returncode}\n{ended.stdout}{ended.stderr}")
        return ended.stdout

    def apply(self, *arguments, fails=False):
        return self.run("apply", "-auto-approve", "-input=false", "-no-color", *arguments, fails=fails)

    def imports(self, address, identifier):
        self.run("import", "-input=false", address, identifier)

    def send(self, method, path, data=None, kind="application/json", token=None):
        headers = {"Content-Type": kind} | ({"Authorization": f"Bearer {token}"} if token else {})
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        trust = ssl.create_default_context(cafile=self.azure["SSL_CERT_FILE"])
        with urllib.request.urlopen(request, context=trust) as answer:
            return answer.read()

    def arm(self, method, path, body):
        """A request of somebody else to Azure."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.azure["ARM_CLIENT_ID"],
            "client_secret": self.azure["ARM_CLIENT_SECRET"],
            "scope": f"{self.url}/.default",
        }
        path_of_tokens = f"/{self.azure['ARM_TENANT_ID']}/oauth2/v2.0/token"
        form = urllib.parse.urlencode(form).encode()
        token = json.loads(self.send("POST", path_of_tokens, form, "application/x-www-form-urlencoded"))
        self.send(method, path, json.dumps(body).encode(), token=token["access_token"])

    def custom_role(self):
        path = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{CUSTOM_ROLE}"
        actions = ["Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"]
        properties = {"roleName": "Reader of datasets", "type": "CustomRole", "assignableScopes": [SUBSCRIPTION]}
        properties["permissions"] = [{"actions": [], "dataActions": actions}]
        self.arm("PUT", f"{path}?api-version=2022-04-01", {"properties": properties})

    def fault(self, rule):
        self.send("POST", "/_emulator/faults", rule.encode(), "text/plain")

    def heal(self):
        self.send("DELETE", "/_emulator/faults")

    def state(self):
        return json.loads((self.work / "terraform.tfstate").read_text())

    def leave_over(self):
        """Adds to each object in the state the same one again, as deposed: what a replacement leaves over that made the
        new object first and could not finish."""
        state = self.state()
        for resource in state["resources"]:
            resource["instances"].append(resource["instances"][0] | {"deposed": "deadbeef"})
        self.write(json.dumps(state | {"serial": state["serial"] + 1}), "terraform.tfstate")

    def has_objects_of_peers(self, *objects):
        """Gives the engine a state with objects of other providers: name, type, provider, file, and what to replace."""
        resources = []
        for label, type_name, provider, file, changes in objects:
            text = (HERE.parent / file).read_text()
            ids = {"account": ACCOUNT, "hub": f"{HUBS}/hub1", "group": GROUP, "subscription": SUBSCRIPTION}
            for old, new in (changes | {f"{{{{{name}}}}}": value for name, value in ids.items()}).items():
                text = text.replace(old, new)
            where = f'provider["{HOST}/{provider}"]'
            resource = {"mode": "managed", "type": type_name, "name": label, "provider": where}
            resources.append(resource | {"instances": [json.loads(text)]})
        state = {"version": 4, "terraform_version": "1.9.0", "serial": 1, "resources": resources, "outputs": {}}
        self.write(json.dumps(state | {"lineage": "00000000-0000-4000-8000-000000000001"}), "terraform.tfstate")

    def keep(self):
        """Ends, and keeps what is there."""
        self.emulator.terminate()
        self.emulator.wait()
        world = json.loads(self.world.read_text())
        # Secrets, which the emulator makes anew, and what is over.
        for part in ["clients", "account_keys", "datastore_keys", "operations", "pending", "soft_deleted", "policies"]:
            del world["store"][part]
        for resource in world["store"]["resources"].values():
            del resource["before"]
        # A month later nothing is so new that a list may not show it yet.
        world["clock"] = {"shift": [0, 0], "stopped": "2026-02-01T00:00:00Z"}
        (HERE / self.case / "azure.json").write_text(lines(world, 5) + "\n")
        state = self.state()
        (HERE / self.case / "terraform.tfstate").write_text(json.dumps(state, indent=2) + "\n")


def lines(value, depth, indent=""):
    """JSON in which what lies deeper than `depth` is on one line."""
    if not depth or not isinstance(value, dict) or not value:
        return json.dumps(value)
    inner = indent + "  "
    members = [f"{inner}{json.dumps(name)}: {lines(member, depth - 1, inner)}" for name, member in value.items()]
    return "{\n" + ",\n".join(members) + f"\n{indent}}}"


def seed(case):
    hubs = {"hub1": "sa1"}
    if "two-hubs" in case:
        hubs["hub2"] = "sa1"
    if case == "created-auth":
        hubs["hub2"] = "sa2"
    mode = "accesskey" if case != "imported-auth" else "identity"
    keys = {"allowSharedKeyAccess": mode == "accesskey"}
    config = (HERE / case / "main.tf").read_text()
    people = [{"id": person, "type": "User"} for person in PEOPLE if person in config or "of-another" in case]
    found = []
    if case == "imported-grants":
        found = [(ALICE, "Storage Blob Data Contributor"), (ALICE, "Storage File Data Privileged Contributor")]
        found += [(BOB, "Storage Blob Data Reader"), (CAROL, "Storage Blob Data Contributor")]
    elif case == "adopted":
        found = [(ALICE, "Storage Blob Data Contributor"), (BOB, "Storage Blob Data Reader")]
    elif "moved-grants" in case:
        found = [(person, "Storage Blob Data Reader") for person in (ALICE, BOB, DAVE)]
    return {
        "principals": people + [{"id": IDENTITY, "type": "ServicePrincipal"}] * (IDENTITY in config),
        "storage_accounts": [{"name": name, "properties": keys} for name in sorted(set(hubs.values()))],
        "workspaces": [
            {"name": hub, "kind": "Hub", "properties": {"storageAccount": account, "systemDatastoresAuthMode": mode}}
            for hub, account in hubs.items()
        ],
        "role_assignments": [
            {"scope": "sa1", "principal": who, "role": role, "name": f"eeeeeeee-0000-4000-8000-00000000000{n}"}
            for n, (who, role) in enumerate(found, 1)
        ],
    }


def imported_grants(bench):
    one = f"{ACCOUNT}/providers/Microsoft.Authorization/roleAssignments/eeeeeeee-0000-4000-8000-000000000003"
    bench.imports(f"{GRANT}.alice", f"{HUBS}/hub1|{ALICE}|contributor")
    bench.imports(f"{GRANT}.bob", one)
    bench.imports(f"{GRANT}.carol", f"{ACCOUNT}|{CAROL}|own_data")


def has_grants_of_peers(bench):
    bench.custom_role()
    named = "eeeeeeee-0000-4000-8000-00000000000{}".format
    of_roles = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/"
    path = f"{ACCOUNT}/providers/Microsoft.Authorization/roleAssignments/{named(4)}?api-version=2022-04-01"
    bench.arm("PUT", path, {"properties": {"principalId": CAROL, "roleDefinitionId": of_roles + CUSTOM_ROLE}})
    azapi = ("azapi_resource", "azure/azapi", "azapi-2-role-assignment.json")
    azurerm = ("azurerm_role_assignment", "hashicorp/azurerm", "azurerm-4-role-assignment.json")
    is_of = lambda n, who: {"{{name}}": named(n), "{{principal}}": who}
    bench.has_objects_of_peers(
        ("alice", *azurerm, is_of(1, ALICE)),
        ("bob", *azapi, is_of(2, BOB)),
        ("carol", *azapi, {BLOB_READER: CUSTOM_ROLE} | is_of(4, CAROL)),
        ("dave", *azapi, {"{{subscription}}/providers": "/providers"} | is_of(3, DAVE)),
    )
    sources = {"alice": "azurerm_role_assignment", "bob": "azapi_resource"}
    sources |= {"carol": "azapi_resource", "dave": "azapi_resource"}
    blocks = [f"moved {{\n  from = {old}.{name}\n  to   = {GRANT}.{name}\n}}\n" for name, old in sources.items()]
    bench.write("".join(blocks), "moved.tf")


def moved_grants(bench):
    has_grants_of_peers(bench)
    # The update of the custom role's object ended with "inconsistent result after apply" then; it is in the state.
    bench.apply(fails=True)


def moved_grants_not_applied(bench):
    """The moves are in the state, and none of the changes."""
    has_grants_of_peers(bench)
    bench.apply("-refresh-only")


def moved_auth(bench):
    bench.arm(
        "PATCH", f"{HUBS}/hub1?api-version=2025-06-01", {"properties": {"systemDatastoresAuthMode": "Identity"}}
    )
    bench.has_objects_of_peers(("old", "azapi_update_resource", "azure/azapi", "azapi-2-update-resource.json", {}))
    bench.write(f"moved {{\n  from = azapi_update_resource.old\n  to   = {AUTH}.hub\n}}\n", "moved.tf")
    bench.apply()


def created_grants(bench):
    bench.custom_role()
    bench.apply()


def applied_twice(bench):
    """The second time the first object sees what the second has done to their account."""
    bench.apply()
    bench.apply()


def two_auths_of_one_hub(bench):
    """The object that came first has made all changes."""
    bench.apply(f"-target={AUTH}.hub")
    bench.apply()


def tainted_grants(bench):
    bench.apply(f"-target={GRANT}.whole")
    bench.run("taint", f"{GRANT}.whole")
    bench.fault(f"PUT */roleAssignments/*?{FILE_CONTRIBUTOR} -> denied")
    bench.apply(f"-target={GRANT}.half", fails=True)


def tainted_auth(bench):
    bench.fault("PATCH */storageAccounts/* -> denied")
    bench.apply(fails=True)


def tainted_whole_auth(bench):
    bench.apply()
    bench.run("taint", f"{AUTH}.hub")


def deposed(bench):
    bench.apply()
    bench.leave_over()


def deposed_grant_of_another(bench):
    config = (HERE / bench.case / "main.tf").read_text()
    bench.write(config.replace(BOB, ALICE))
    bench.apply()
    bench.write(config)
    bench.fault("DELETE */roleAssignments/* -> denied")
    bench.apply(fails=True)


def failed_replacement_grant(bench):
    """The new object, made first, failed half way and is tainted; the old one is deposed."""
    bench.apply()
    bench.fault(f"PUT */roleAssignments/*?{FILE_CONTRIBUTOR} -> denied")
    bench.apply(f"-replace={GRANT}.alice", fails=True)


def failed_replacement_auth(bench):
    """The same, where the old object kept the hub on keys."""
    config = (HERE / bench.case / "main.tf").read_text()
    bench.write(config.replace("shared_access_key_enabled = false", 'system_datastores_auth_mode = "accesskey"'))
    bench.apply()
    bench.write(config)
    bench.fault("PATCH */storageAccounts/* -> denied")
    bench.apply(f"-replace={AUTH}.hub", fails=True)


CASES = {
    "created-grants": created_grants,
    "created-by-count": Bench.apply,
    "created-auth": Bench.apply,
    "imported-grants": imported_grants,
    "imported-auth": lambda bench: bench.imports(f"{AUTH}.hub", f"{HUBS}/hub1"),
    "moved-grants": moved_grants,
    "moved-grants-not-applied": moved_grants_not_applied,
    "moved-auth": moved_auth,
    "adopted": Bench.apply,
    "tainted-grants": tainted_grants,
    "tainted-auth": tainted_auth,
    "tainted-whole-auth": tainted_whole_auth,
    "deposed-grant": deposed,
    "deposed-grant-of-another": deposed_grant_of_another,
    "deposed-auth": deposed,
    "failed-replacement-grant": failed_replacement_grant,
    "failed-replacement-auth": failed_replacement_auth,
    "two-hubs-same-people": Bench.apply,
    "overlapping-grants": Bench.apply,
    "two-auths-of-one-hub": two_auths_of_one_hub,
    "two-hubs-keys-off": applied_twice,
    "two-hubs-keys-off-on-both": applied_twice,
}


def main():
    engine, *cases = sys.argv[1:]
    for case in cases or CASES:
        with tempfile.TemporaryDirectory(prefix="foundryhub-states-") as folder:
            bench = Bench(Path(engine).absolute(), case, Path(folder))
            try:
                CASES[case](bench)
                bench.heal()
                bench.keep()
            finally:
                bench.emulator.kill()
        print(case)


if __name__ == "__main__":
    main()
