//! The roles that the platform gives a hub's identity by itself (facts: azure.md §1.6, §7 items 14, 30, 31; §9.7).

use serde_json::Value;
use time::OffsetDateTime;

use super::super::ids;
use super::super::options::{HubRole, HubRolesFor, OnOff};
use super::super::workspaces::{principal, text};
use super::super::world::World;
use super::definitions::{AI_ADMINISTRATOR, BLOB_CONTRIBUTOR, CONTRIBUTOR, FILE_PRIVILEGED_CONTRIBUTOR};
use super::{Assignment, assignments};

/// Gives a workspace's system identity the roles that it lacks. Beside a user-assigned one the customer does
/// (facts: azure.md §9.7).
pub(crate) fn grant_hub_roles(world: &mut World, workspace: &str, at: OffsetDateTime) {
    let Some(document) = world.store.resource(workspace) else { return };
    let Some(identity) = principal(document).map(str::to_owned) else { return };
    if text(document, "/identity/type") != "SystemAssigned" && world.options.hub_roles_for == HubRolesFor::Alone {
        return;
    }
    let in_group = document.pointer("/properties/allowRoleAssignmentOnRG") != Some(&Value::Bool(false));
    let account = text(document, "/properties/storageAccount").to_owned();
    let group = ids::group(text(document, "/id")).unwrap_or_default();
    let is_isolated = document.pointer("/properties/enableDataIsolation").and_then(Value::as_bool) == Some(true);
    let isolation = isolation(text(document, "/properties/workspaceId"));
    let isolation = (is_isolated && world.options.hub_role_condition == OnOff::On).then_some(isolation);
    for role in world.options.hub_roles.clone() {
        let (scope, role) = match role {
            HubRole::Blob => (&account, BLOB_CONTRIBUTOR),
            HubRole::File => (&account, FILE_PRIVILEGED_CONTRIBUTOR),
            HubRole::Administrator if in_group => (&group, AI_ADMINISTRATOR),
            HubRole::Administrator => (&account, AI_ADMINISTRATOR),
            HubRole::Contributor => (&group, CONTRIBUTOR),
            HubRole::None => continue,
        };
        let key = ids::key(scope);
        if key.is_empty()
            || !world.store.scope_exists(&key)
            || assignments::find(world, &key, &identity, role).is_some()
        {
            continue;
        }
        // The account's own spelling, whatever the workspace was told.
        let scope = match world.store.resource(&key) {
            Some(account) => text(account, "/id").to_owned(),
            None => scope.clone(),
        };
        let service = world.options.tenant_id.clone();
        let condition = isolation.clone().filter(|_| role == BLOB_CONTRIBUTOR);
        let assignment = Assignment {
            name: uuid::Uuid::new_v4().to_string(),
            scope,
            role: role.to_owned(),
            principal_id: identity.clone(),
            principal_type: "ServicePrincipal".to_owned(),
            description: None,
            condition_version: condition.is_some().then(|| "2.0".to_owned()),
            condition,
            delegated_managed_identity: None,
            created_on: at,
            updated_on: at,
            created_by: service.clone(),
            updated_by: service,
        };
        let lag = world.options.assignment_read_delay;
        world.store.assignments.put(assignment, at, lag);
    }
}

/// The condition that keeps an identity to the containers of its workspace.
fn isolation(workspace: &str) -> String {
    let blobs = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs";
    let others =
        ["read", "write", "add/action", "delete"].map(|action| format!("!(ActionMatches{{'{blobs}/{action}'}})"));
    let container = "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name]";
    format!("(({}) OR ({container} StringStartsWith '{workspace}'))", others.join(" AND "))
}
