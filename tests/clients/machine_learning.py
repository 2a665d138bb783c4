"""azure-mgmt-machinelearningservices 1.0.1, whose api-version is older than the mode."""

from importlib.metadata import version

from azure.mgmt.machinelearningservices import MachineLearningServicesMgmtClient
from azure.mgmt.machinelearningservices.models import Identity, Workspace, WorkspaceUpdateParameters

from emulator import ACCOUNT, ARGUMENTS, GROUP, SUBSCRIPTION, credential, mode, paged, throttled
from report import Report

PACKAGE = "azure-mgmt-machinelearningservices"
ALL = ["gone-ws1", "gone-ws2", "test-ws1"]


def main():
    report = Report(PACKAGE, version(PACKAGE))
    workspaces = MachineLearningServicesMgmtClient(credential(), SUBSCRIPTION, **ARGUMENTS).workspaces

    def get(name="test-ws1"):
        return workspaces.get(GROUP, name).name

    def names(work):
        return sorted(it.name for it in paged(work))

    def update():
        changed = workspaces.update(GROUP, "test-ws1", WorkspaceUpdateParameters(description="changed"))
        return changed.description, workspaces.get(GROUP, "test-ws1").description

    def create():
        body = Workspace(location="eastus", identity=Identity(type="SystemAssigned"), storage_account=ACCOUNT)
        return workspaces.begin_create_or_update(GROUP, "made-ws1", body).result().name, mode("made-ws1")

    report.run("get", get, "test-ws1")
    report.run("get after a 429", lambda: throttled("GET */test-ws1", get), "test-ws1")
    report.run("list_by_subscription over pages", lambda: names(workspaces.list_by_subscription), ALL)
    report.run(
        "list_by_resource_group over pages", lambda: names(lambda: workspaces.list_by_resource_group(GROUP)), ALL
    )
    report.run("update", update, ("changed", "changed"))
    report.run("list_keys", lambda: workspaces.list_keys(GROUP, "test-ws1").user_storage_resource_id, ACCOUNT)
    report.run("resync_keys", lambda: workspaces.resync_keys(GROUP, "test-ws1"), None)
    report.run("begin_create_or_update", create, ("made-ws1", "accesskey"))
    report.run("begin_delete", lambda: workspaces.begin_delete(GROUP, "gone-ws1").result(), None)
    report.refused("get of what is deleted", 404, "ResourceNotFound", lambda: get("gone-ws1"))
    report.end(workspaces="2020-08-01")


main()
