"""azure-cli, in a configuration folder of its own."""

import json
import os
import subprocess
import sys
import tempfile

from emulator import ACCOUNT, ACCOUNTS, APPLICATION, BLOB_CONTRIBUTOR, CLIENT_ID, GROUP, GROUP_ID, MEMBER, SECRET
from emulator import SUBSCRIPTION, TENANT, URL, WORKSPACES, during, mode, paged, throttled
from report import Report

SUBSCRIPTION_ID = f"/subscriptions/{SUBSCRIPTION}"
IN_GROUP = ["-g", GROUP]
SA1 = ["-g", GROUP, "-n", "sa1"]


def start(words):
    line = [sys.executable, "-W", "ignore", "-m", "azure.cli", *words, "--only-show-errors", "-o", "json"]
    return subprocess.run(line, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def az(words):
    """What a command prints."""
    done = start(words)
    if done.returncode != 0:
        raise AssertionError(f"az {' '.join(words)} ended with {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout) if done.stdout.strip() else None


class Commands(Report):
    """Each takes a command, after a comma a note that tells it from others, and the words that follow the command."""

    def az(self, title, words, pick=None, *wanted):
        """Runs a command, of whose answer `pick` takes what is wanted."""
        words = [*command(title), *words]
        self.run(title, lambda: pick(az(words)) if pick else az(words), *wanted)

    def pages(self, title, words, pick, wanted):
        """The same for a list, which has to follow a nextLink."""
        words = [*command(title), *words]
        self.run(f"{title}, over pages", lambda: pick(paged(lambda: az(words))), wanted)

    def fails(self, title, words, code):
        """Runs a command which has to be refused with this code."""
        words = [*command(title), *words]

        def fail():
            done = start(words)
            # `az rest` prints the answer's body as it came.
            return done.returncode != 0 and any(said in done.stderr for said in [f"({code})", f'"{code}"'])

        self.run(f"{title}: {code}", fail, True)


def command(title):
    return title.split(", ")[0].split()


def names(found):
    return sorted(it["name"] for it in found)


def name(found):
    return found["name"]


def main():
    report = Commands("azure-cli", az(["version"])["azure-cli"])
    for part in [sign_in, storage, assign, define, resource, rest, lock, group, provider]:
        part(report)
    report.end(
        subscriptions="2022-12-01",
        roleAssignments="2022-04-01",
        roleDefinitions="2022-05-01-preview",
        locks="2016-09-01",
        resourcegroups="2024-11-01",
        providers="2024-11-01",
        # `az storage` has one of its own, and `az resource` takes the newest that the provider lists.
        storageAccounts="2025-08-01, 2026-09-01",
        # What `az rest` is told here, and the newest.
        workspaces="2024-04-01, 2026-05-01",
    )


def sign_in(report):
    endpoints = {
        "resource-manager": URL + "/",
        "active-directory": URL,
        "active-directory-resource-id": URL + "/",
        "active-directory-graph-resource-id": URL + "/",
        # Where names of principals would be looked up. Nothing answers there, and that is no failure.
        "microsoft-graph-resource-id": URL + "/",
    }
    options = [word for kind, url in endpoints.items() for word in (f"--endpoint-{kind}", url)]
    report.az("cloud register", ["-n", "Emulated", *options, "--suffix-storage-endpoint", "core.emulated.test"])
    report.az("cloud set", ["-n", "Emulated"])
    login = ["--service-principal", "-u", CLIENT_ID, "-p", SECRET, "--tenant", TENANT]
    report.az("login, service principal", login, lambda it: it[0]["id"], SUBSCRIPTION)


def storage(report):
    def keys(found):
        return [key["keyName"] for key in found]

    def flag(found):
        return found["allowSharedKeyAccess"]

    def show():
        return az(["storage", "account", "show", *SA1])["name"]

    both = ["key1", "key2"]
    report.az("storage account show", SA1, name, "sa1")
    report.run("storage account show after a 429", lambda: throttled("GET */sa1", show), "sa1")
    report.pages("storage account list", [], names, ["sa1", "sa2", "sa3"])
    report.az("storage account update, keys off", [*SA1, "--allow-shared-key-access", "false"], flag, False)
    report.az("storage account keys list", SA1, keys, both)
    report.az("storage account keys list, kerb", [*SA1, "--expand-key-type", "kerb"], keys, both)
    report.az("storage account keys renew", [*SA1, "--key", "key1"], keys, both)
    report.az("storage account update, keys on", [*SA1, "--allow-shared-key-access", "true"], flag, True)


def assign(report):
    role = "Storage Blob Data Contributor"
    who, on_account = ["--assignee-object-id", APPLICATION], ["--scope", ACCOUNT]
    grant = [*who, "--assignee-principal-type", "ServicePrincipal"]
    nameless = ["--fill-principal-name", "false"]

    def conditional(made):
        return made["principalId"], made["conditionVersion"], made["description"]

    def principal(made):
        return made["principalId"]

    def theirs(found):
        return sorted({it["principalId"] for it in found})

    def delete_by_id():
        id = az(["role", "assignment", "list", *nameless, *IN_GROUP])[0]["id"]
        _, asked = during(lambda: az(["role", "assignment", "delete", "--ids", id]))
        return [(it["method"], it["path"] == id) for it in asked]

    report.az("role assignment create, role by name", [*grant, *on_account, "--role", role], principal, APPLICATION)
    # It is told that it exists, and looks it up.
    report.az(
        "role assignment create, role by GUID, exists",
        [*grant, *on_account, "--role", BLOB_CONTRIBUTOR],
        principal,
        APPLICATION,
    )
    condition = ["--condition", "@Resource[…] StringEquals 'a'", "--description", "d"]
    wanted = (APPLICATION, "2.0", "d")
    report.az(
        "role assignment create, with a condition",
        [*grant, "--scope", GROUP_ID, "--role", role, *condition],
        conditional,
        wanted,
    )
    user = [*who, "--assignee-principal-type", "User", *on_account, "--role", "Reader"]
    report.fails("role assignment create, as a user", user, "UnmatchedPrincipalType")

    report.az("role assignment list, --scope", [*nameless, *on_account], lambda it: APPLICATION in theirs(it), True)
    report.az("role assignment list, -g", [*nameless, *IN_GROUP], theirs, [APPLICATION])
    report.az("role assignment list, without the directory", [*IN_GROUP], theirs, [APPLICATION])
    report.az("role assignment list, --assignee-object-id", [*nameless, *on_account, *who], len, 1)
    report.az("role assignment list, --role", [*nameless, *on_account, *who, "--role", role], len, 1)
    report.az(
        "role assignment list, --include-inherited", [*nameless, *on_account, *who, "--include-inherited"], len, 2
    )
    member = ["--assignee-object-id", MEMBER]
    report.az("role assignment list, --include-groups", [*nameless, *on_account, *member, "--include-groups"], len, 2)
    report.az("role assignment list, --all --assignee-object-id", [*nameless, "--all", *who], len, 2)
    report.pages("role assignment list, --all", [*nameless, "--all"], lambda it: MEMBER in theirs(it), True)

    report.run("role assignment delete, --ids", delete_by_id, [("DELETE", True)])
    report.az("role assignment delete, --role --scope", [*who, "--role", role, *on_account])
    report.az("role assignment list, after the deletes", [*nameless, "--all", *who], len, 0)


def define(report):
    reader = "Storage Blob Data Reader"
    role = {"Name": "Hub reader", "Actions": ["Microsoft.MachineLearningServices/workspaces/read"]}
    role["AssignableScopes"] = [SUBSCRIPTION_ID]

    def roles(found):
        return [it["roleName"] for it in found]

    def made(definition):
        return definition["roleType"], definition["id"].startswith(f"{SUBSCRIPTION_ID}/providers/")

    changed = json.dumps({**role, "Description": "changed"})
    custom = ["--custom-role-only", "true"]
    report.az("role definition list, --name", ["--name", reader], roles, [reader])
    report.az("role definition list, --name --scope", ["--name", reader, "--scope", ACCOUNT], roles, [reader])
    report.az("role definition create", ["--role-definition", json.dumps(role)], made, ("CustomRole", True))
    report.az("role definition update", ["--role-definition", changed], lambda it: it["description"], "changed")
    report.az("role definition list, custom roles", custom, roles, ["Hub reader"])
    report.az("role definition delete", ["--name", "Hub reader"])
    report.az("role definition list, after the delete", custom, roles, [])


def resource(report):
    hub, account = ["--ids", f"{WORKSPACES}/gone-ws1"], ["--ids", f"{ACCOUNTS}/madehere"]

    def property(name):
        return lambda found: found["properties"][name]

    identity = ["--set", "properties.systemDatastoresAuthMode=identity"]
    report.az("resource show, workspace", hub, name, "gone-ws1")
    report.az("resource update, workspace", [*hub, *identity], property("systemDatastoresAuthMode"), "identity")
    report.az("resource delete, workspace", hub)
    everything = ["gone-ws2", "sa1", "sa2", "sa3", "test-ws1"]
    report.pages("resource list", IN_GROUP, names, everything)

    body = {"location": "eastus", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": {}}
    body = ["--is-full-object", "--properties", json.dumps(body)]
    off = ["--set", "properties.allowSharedKeyAccess=false"]
    report.az("resource create, storage account", ["--id", account[1], *body], name, "madehere")
    report.az("resource show, storage account", account, name, "madehere")
    report.az("resource update, storage account", [*account, *off], property("allowSharedKeyAccess"), False)
    report.az("resource tag, storage account", [*account, "--tags", "a=b"], lambda it: it["tags"], {"a": "b"})
    # It does not print what the action answers.
    report.az("resource invoke-action, storage account", [*account, "--action", "listKeys"])
    report.az("resource delete, storage account", account)


def rest(report):
    hub = {"location": "eastus", "kind": "Hub", "identity": {"type": "SystemAssigned"}}
    hub["properties"] = {"storageAccount": ACCOUNT, "systemDatastoresAuthMode": "accesskey"}
    identity = {"properties": {"systemDatastoresAuthMode": "identity"}}

    def send(method, body=None):
        url = f"{URL}{WORKSPACES}/rest-ws1?api-version=2024-04-01"
        body = ["--body", json.dumps(body)] if body else []
        return ["--method", method, "--url", url, "--resource", URL, *body]

    # It does not wait for operations, which have ended here when the next command comes.
    report.az("rest, put", send("put", hub))
    report.az("rest, get", send("get"), name, "rest-ws1")
    report.az("rest, patch", send("patch", identity))
    report.run("rest, which has switched the mode", lambda: mode("rest-ws1"), "identity")
    report.az("rest, delete", send("delete"))
    report.fails("rest, get of what is deleted", send("get"), "ResourceNotFound")


def lock(report):
    def level(lock):
        return lock["level"]

    on_account = [*IN_GROUP, "--resource-name", "sa1", "--resource-type", "Microsoft.Storage/storageAccounts"]
    for where, place, kind in [("group", IN_GROUP, "CanNotDelete"), ("account", on_account, "ReadOnly")]:
        report.az(f"lock create, {where}, {kind}", ["-n", "l1", "--lock-type", kind, *place], level, kind)
        report.az(f"lock list, {where}", place, names, ["l1"])
        report.az(f"lock show, {where}", ["-n", "l1", *place], level, kind)
        report.fails(f"storage account delete, {where} locked", [*SA1, "--yes"], "ScopeLocked")
        if kind == "ReadOnly":
            report.fails(f"storage account keys list, {where} locked", SA1, "ScopeLocked")
        report.az(f"lock delete, {where}", ["-n", "l1", *place])


def group(report):
    report.az("group show", ["-n", GROUP], lambda it: it["id"], GROUP_ID)
    report.az("group exists", ["-n", GROUP], bool, True)
    report.az("group exists, when it does not", ["-n", "none"], bool, False)
    report.az("group create", ["-n", "made", "-l", "eastus"], name, "made")
    report.az("group list", [], names, ["made", GROUP])
    report.az("group delete", ["-n", "made", "--yes"])


def provider(report):
    ours = ["-n", "Microsoft.MachineLearningServices"]

    def state(provider):
        return provider["registrationState"]

    report.pages("provider list", [], lambda found: ours[1] in [it["namespace"] for it in found], True)
    report.az("provider show", ours, state, "Registered")
    report.az("provider unregister", ours)
    report.az("provider show, unregistered", ours, state, "NotRegistered")
    report.az("provider register", ours)
    report.az("provider show, registered again", ours, state, "Registered")


with tempfile.TemporaryDirectory() as folder:
    os.environ["AZURE_CONFIG_DIR"] = folder
    os.environ["AZURE_CORE_COLLECT_TELEMETRY"] = "false"
    main()
