"""azure-ai-ml with one of the shapes in which a workspace may answer a change, whose name it takes."""

import logging
import sys
from importlib.metadata import version

from emulator import ACCOUNT, GROUP, GROUP_ID, SUBSCRIPTION, WORKSPACES, arm, call, credential, during, mode, paged, throttled
from report import Report, expect

VERSION = version("azure-ai-ml")
ALL = ["gone-ws1", "gone-ws2", "test-ws1"]


def main(shape):
    report = Report("azure-ai-ml", VERSION, shape)
    workspaces = report.run("MLClient", connect)
    if workspaces is None:
        report.end()

    def get(name="test-ws1"):
        return workspaces.get(name=name).name

    def names(work):
        return sorted(it.name for it in paged(work))

    def update(value):
        workspace = workspaces.get(name="test-ws1")
        workspace.system_datastores_auth_mode = value
        changed, asked = during(lambda: workspaces.begin_update(workspace=workspace).result())
        expect([it["method"] for it in asked if it["method"] != "GET"], ["PATCH"])
        # A hub that is read has no mode in this client, the result of an update has.
        return changed.system_datastores_auth_mode, mode("test-ws1")

    def delete(name, purge):
        options = {"delete_dependent_resources": False, "permanently_delete": purge}
        _, asked = during(lambda: workspaces.begin_delete(name, **options).result())
        return [dict(it["query"])["forceToPurge"] for it in asked if it["method"] == "DELETE"]

    report.run("get", get, "test-ws1")
    report.run("list over pages", lambda: names(workspaces.list), ALL)
    report.run("list of the subscription over pages", lambda: names(lambda: workspaces.list(scope="subscription")), ALL)
    report.run("begin_update to identity", lambda: update("identity"), ("identity", "identity"))
    report.run("begin_update to accesskey", lambda: update("accesskey"), ("accesskey", "accesskey"))
    report.run("get after a 429", lambda: throttled("GET */test-ws1", get), "test-ws1")
    report.run("get_keys", lambda: workspaces.get_keys("test-ws1").user_storage_resource_id, ACCOUNT)
    report.run("begin_sync_keys", lambda: workspaces.begin_sync_keys("test-ws1").result(), None)
    report.run("reads a hub in key mode as such", lambda: reaches_storage_by("test-ws1"), "AccountKeyConfiguration")
    report.run("reads a hub of the article's template as identity-based", template, "NoneCredentialConfiguration")
    report.run("begin_delete", lambda: delete("gone-ws1", purge=False), ["false"])
    report.run("begin_delete with purge", lambda: delete("gone-ws2", purge=True), ["true"])
    report.refused("get of what is deleted", 404, "ResourceNotFound", lambda: get("gone-ws1"))
    # 1.17.0 has an older version for datastores.
    sent = "2023-04-01-preview, 2023-08-01-preview" if VERSION == "1.17.0" else "2024-10-01-preview"
    report.end(workspaces=sent)


def connect():
    return client().workspaces


def client(workspace=None):
    from azure.ai.ml import MLClient

    # It says on stdout what it does.
    logging.getLogger("azure.ai.ml").setLevel(logging.WARNING)
    # It would wait for half a minute where an answer has no Retry-After.
    return MLClient(credential(), SUBSCRIPTION, GROUP, workspace, polling_interval=1)


def template():
    """What the article's template sends (azure.md §7), and how a hub that was made so reaches its storage."""
    vault = f"{GROUP_ID}/providers/Microsoft.KeyVault/vaults/kv1"
    body = {
        "location": "eastus",
        "kind": "Hub",
        "sku": {"name": "Basic", "tier": "Basic"},
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "friendlyName": "By template",
            "storageAccount": ACCOUNT,
            "keyVault": vault,
            "systemDatastoresAuthMode": "identity",
            "managedNetwork": {"isolationMode": "Disabled"},
            "publicNetworkAccess": "Enabled",
        },
    }
    arm("PUT", f"{WORKSPACES}/template-hub?api-version=2024-04-01", body)
    call("POST", "/_emulator/operations/all/finish")
    return reaches_storage_by("template-hub")


def reaches_storage_by(hub):
    """The kind of credentials that the hub's own datastores have."""
    datastores = client(hub).datastores
    kinds = {type(datastores.get(name).credentials).__name__ for name in ["workspaceblobstore", "workspacefilestore"]}
    expect(len(kinds), 1)
    return kinds.pop()


if __name__ == "__main__":
    main(sys.argv[1])
