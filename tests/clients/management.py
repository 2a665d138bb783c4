"""azure-mgmt-storage, -authorization and -machinelearningservices."""

import uuid
from importlib.metadata import version

from report import ACCOUNT, BLOB_CONTRIBUTOR, GROUP, SUBSCRIPTION, URL, Report, credential, expect

ARGUMENTS = {"base_url": URL, "credential_scopes": [f"{URL}/.default"]}


def storage():
    from azure.mgmt.storage import StorageManagementClient
    from azure.mgmt.storage.models import Sku, StorageAccountCreateParameters, StorageAccountUpdateParameters

    report = Report(f"azure-mgmt-storage {version('azure-mgmt-storage')}")
    accounts = StorageManagementClient(credential(), SUBSCRIPTION, **ARGUMENTS).storage_accounts
    report.run("get_properties", lambda: expect(accounts.get_properties(GROUP, "sa1").name, "sa1"))
    report.run("list", lambda: expect([a.name for a in accounts.list()], ["sa1"]))
    report.run("list_by_resource_group", lambda: expect([a.name for a in accounts.list_by_resource_group(GROUP)], ["sa1"]))

    def update(value):
        changed = accounts.update(GROUP, "sa1", StorageAccountUpdateParameters(allow_shared_key_access=value))
        expect(changed.allow_shared_key_access, value)

    report.run("update allow_shared_key_access=False", lambda: update(False))
    report.run("list_keys", lambda: expect(len(accounts.list_keys(GROUP, "sa1").as_dict()["keys"]), 2))
    report.run("regenerate_key", lambda: expect(len(accounts.regenerate_key(GROUP, "sa1", {"keyName": "key1"}).as_dict()["keys"]), 2))
    report.run("update allow_shared_key_access=True", lambda: update(True))

    def create():
        body = StorageAccountCreateParameters(sku=Sku(name="Standard_LRS"), kind="StorageV2", location="eastus", allow_shared_key_access=False)
        expect(accounts.begin_create(GROUP, "madehere", body).result().allow_shared_key_access, False)

    report.run("begin_create", create)
    report.run("delete", lambda: accounts.delete(GROUP, "madehere"))
    return report.failures


def authorization():
    from azure.mgmt.authorization import AuthorizationManagementClient
    from azure.mgmt.authorization.models import RoleAssignmentCreateParameters

    report = Report(f"azure-mgmt-authorization {version('azure-mgmt-authorization')}")
    client = AuthorizationManagementClient(credential(), SUBSCRIPTION, **ARGUMENTS)
    assignments, definitions = client.role_assignments, client.role_definitions
    found = report.run("role_definitions.list roleName eq", lambda: list(definitions.list(ACCOUNT, filter="roleName eq 'Storage Blob Data Contributor'")))
    report.run("role_definitions.get", lambda: expect(definitions.get(ACCOUNT, BLOB_CONTRIBUTOR).role_name, "Storage Blob Data Contributor"))
    name, principal = str(uuid.uuid4()), str(uuid.uuid4())
    body = RoleAssignmentCreateParameters(role_definition_id=found[0].id if found else "", principal_id=principal, principal_type="ServicePrincipal")
    report.run("role_assignments.create", lambda: expect(assignments.create(ACCOUNT, name, body).name, name))
    report.run("role_assignments.get", lambda: expect(assignments.get(ACCOUNT, name).principal_id, principal))
    report.run("role_assignments.list_for_scope assignedTo", lambda: expect([a.name for a in assignments.list_for_scope(ACCOUNT, filter=f"assignedTo('{principal}')")], [name]))
    report.run("role_assignments.list_for_scope atScope", lambda: list(assignments.list_for_scope(ACCOUNT, filter="atScope()")))

    def exists():
        from azure.core.exceptions import HttpResponseError

        try:
            assignments.create(ACCOUNT, str(uuid.uuid4()), body)
        except HttpResponseError as error:
            return expect((error.status_code, error.error.code), (409, "RoleAssignmentExists"))
        raise AssertionError("a second assignment was taken")

    report.run("role_assignments.create, which exists", exists)
    report.run("role_assignments.delete", lambda: expect(assignments.delete(ACCOUNT, name).name, name))
    report.run("role_assignments.delete, once more", lambda: expect(assignments.delete(ACCOUNT, name), None))
    return report.failures


def machine_learning():
    import azure.mgmt.machinelearningservices as package
    import azure.mgmt.machinelearningservices.models

    report = Report(f"azure-mgmt-machinelearningservices {version('azure-mgmt-machinelearningservices')}")
    workspaces = package.MachineLearningServicesMgmtClient(credential(), SUBSCRIPTION, **ARGUMENTS).workspaces
    report.run("workspaces.get", lambda: expect(workspaces.get(GROUP, "mgmt-ws1").name, "mgmt-ws1"))
    report.run("workspaces.list_by_subscription", lambda: expect("mgmt-ws1" in [w.name for w in workspaces.list_by_subscription()], True))
    report.run("workspaces.list_by_resource_group", lambda: expect("mgmt-ws1" in [w.name for w in workspaces.list_by_resource_group(GROUP)], True))

    def update():
        # Later versions of the package follow the update as a long-running operation.
        changed = workspaces.update(GROUP, "mgmt-ws1", package.models.WorkspaceUpdateParameters(description="changed"))
        expect(changed.description, "changed")

    report.run("workspaces.update", update)
    report.run("workspaces.begin_delete", lambda: workspaces.begin_delete(GROUP, "gone-ws1").result())
    return report.failures


if __name__ == "__main__":
    import sys

    failures = storage() + authorization() + machine_learning()
    sys.exit(1 if failures else 0)
