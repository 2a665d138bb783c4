"""azure-ai-ml with one of the shapes in which a workspace may answer a change, whose name it takes."""

import logging
import sys
from importlib.metadata import version

from emulator import ACCOUNT, GROUP, SUBSCRIPTION, credential, during, mode, paged, throttled
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
    report.run("begin_delete", lambda: delete("gone-ws1", purge=False), ["false"])
    report.run("begin_delete with purge", lambda: delete("gone-ws2", purge=True), ["true"])
    report.refused("get of what is deleted", 404, "ResourceNotFound", lambda: get("gone-ws1"))
    report.end(workspaces="2023-08-01-preview" if VERSION == "1.17.0" else "2024-10-01-preview")


def connect():
    from azure.ai.ml import MLClient

    # It says on stdout what it does.
    logging.getLogger("azure.ai.ml").setLevel(logging.WARNING)
    # It would wait for half a minute where an answer has no Retry-After.
    return MLClient(credential(), SUBSCRIPTION, GROUP, polling_interval=1).workspaces


main(sys.argv[1])
