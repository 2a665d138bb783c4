"""azure-mgmt-authorization."""

import uuid
from importlib.metadata import version

from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.authorization.models import Permission, RoleAssignmentCreateParameters, RoleDefinition

from emulator import ACCOUNT, APPLICATION, ARGUMENTS, BLOB_CONTRIBUTOR, BLOB_READER, GROUP, GROUP_ID, MEMBER
from emulator import SUBSCRIPTION, TEAM, credential, paged, throttled
from report import Report, expect

ROLES = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions"


def main():
    report = Report("azure-mgmt-authorization", version("azure-mgmt-authorization"))
    client = AuthorizationManagementClient(credential(), SUBSCRIPTION, **ARGUMENTS)
    define(report, client.role_definitions)
    assign(report, client.role_assignments)
    list_them(report, client.role_assignments)
    report.end(roleAssignments="2022-04-01")


def define(report, definitions):
    name, id = "Storage Blob Data Contributor", f"{ROLES}/{BLOB_CONTRIBUTOR}"

    def custom():
        guid, role = str(uuid.uuid4()), RoleDefinition(role_name="Hub reader", role_type="CustomRole")
        role.permissions = [Permission(actions=["Microsoft.MachineLearningServices/workspaces/read"])]
        role.assignable_scopes = [GROUP_ID]
        expect(definitions.create_or_update(GROUP_ID, guid, role).id, f"{ROLES}/{guid}")
        expect([it.name for it in definitions.list(GROUP_ID, filter="type eq 'CustomRole'")], [guid])
        return definitions.delete(GROUP_ID, guid).role_name

    named = f"roleName eq '{name}'"
    report.run(
        "role_definitions.list roleName eq", lambda: [it.id for it in definitions.list(ACCOUNT, filter=named)], [id]
    )
    report.run("role_definitions.get", lambda: definitions.get(ACCOUNT, BLOB_CONTRIBUTOR).role_name, name)
    report.run("role_definitions.get_by_id", lambda: definitions.get_by_id(id).role_name, name)
    report.run("role_definitions.create_or_update, list and delete", custom, "Hub reader")


def assign(report, assignments):
    name, other = str(uuid.uuid4()), str(uuid.uuid4())

    def body(principal, role=BLOB_CONTRIBUTOR, **more):
        # Without a principal_type the model fills in "User".
        return RoleAssignmentCreateParameters(role_definition_id=f"{ROLES}/{role}", principal_id=principal, **more)

    grant = body(APPLICATION, principal_type="ServicePrincipal")

    def create(name, body):
        return assignments.create(ACCOUNT, name, body).name

    def get():
        return assignments.get(ACCOUNT, name).name

    wrong = [
        ("create with the default type", 400, "UnmatchedPrincipalType", name, body(APPLICATION)),
        ("create with no such role", 400, "RoleDefinitionDoesNotExist", name, body(MEMBER, role=other)),
    ]
    wrong_later = [
        ("create with another name", 409, "RoleAssignmentExists", other, grant),
        ("create for another principal", 400, "RoleAssignmentUpdateNotPermitted", name, body(MEMBER)),
    ]
    for command, status, code, *arguments in wrong:
        report.refused(command, status, code, lambda: create(*arguments))
    report.run("create", lambda: create(name, grant), name)
    report.run("create, the same once more", lambda: create(name, grant), name)
    for command, status, code, *arguments in wrong_later:
        report.refused(command, status, code, lambda: create(*arguments))
    report.run("get", get, name)
    report.run("get after a 429", lambda: throttled(f"GET */{name}", get), name)
    report.run("delete", lambda: assignments.delete(ACCOUNT, name).name, name)
    report.run("delete, once more", lambda: assignments.delete(ACCOUNT, name), None)
    report.refused("get of what is not there", 404, "RoleAssignmentNotFound", get)

    id = f"{GROUP_ID}/providers/Microsoft.Authorization/roleAssignments/{other}"
    report.run("create_by_id", lambda: assignments.create_by_id(id, grant).scope, GROUP_ID)
    report.run("get_by_id", lambda: assignments.get_by_id(id).name, other)
    report.run("delete_by_id", lambda: assignments.delete_by_id(id).name, other)
    report.run("delete_by_id, once more", lambda: assignments.delete_by_id(id), None)


def list_them(report, assignments):
    on_first = ["member Reader sa1", "team Contributor sa1"]
    all_three = [*on_first, "team Reader sa2"]

    def scope(scope, filter=None):
        return assignments.list_for_scope(scope, filter=filter)

    def group():
        return assignments.list_for_resource_group(GROUP)

    def resource():
        return assignments.list_for_resource(GROUP, "Microsoft.Storage", "storageAccounts", "sa1")

    him, his = f"principalId eq '{MEMBER}'", f"assignedTo('{MEMBER}')"
    lists = [
        ("list_for_subscription over pages", lambda: paged(assignments.list_for_subscription), all_three),
        ("list_for_resource_group over pages", lambda: paged(group), all_three),
        ("list_for_resource", resource, on_first),
        ("list_for_scope", lambda: scope(GROUP_ID), all_three),
        ("list_for_scope atScope()", lambda: scope(ACCOUNT, "atScope()"), on_first),
        ("list_for_scope atScope(), above them", lambda: scope(GROUP_ID, "atScope()"), []),
        ("list_for_scope principalId eq", lambda: scope(GROUP_ID, him), on_first[:1]),
        ("list_for_scope assignedTo, by way of a group", lambda: scope(GROUP_ID, his), all_three),
        ("list_for_scope atScope() and assignedTo", lambda: scope(ACCOUNT, f"atScope() and {his}"), on_first),
    ]
    for command, work, wanted in lists:
        report.run(command, lambda: of_the_seed(work()), wanted)


def of_the_seed(found):
    """Who has which role on which account."""
    roles = {BLOB_READER: "Reader", BLOB_CONTRIBUTOR: "Contributor"}
    names = {MEMBER: "member", TEAM: "team"}

    def tell(it):
        role, account = it.role_definition_id.split("/")[-1], it.scope.split("/")[-1]
        return f"{names[it.principal_id]} {roles[role]} {account}"

    return sorted(tell(it) for it in found if it.principal_id in names)


main()
