//! What a principal may do, by its role assignments (facts: arm.md §3, §4).

use axum::http::Method;
use serde_json::Value;

use super::super::entra::Caller;
use super::super::errors::ArmError;
use super::super::faults::wildcard;
use super::super::ids::Target;
use super::super::store::upwards;
use super::super::world::World;
use super::Assignment;
use super::definitions::BUILT_IN;

/// Which of a role's lists an operation is looked up in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plane {
    Control,
    Data,
}

/// The action that a request to a provider needs.
pub(crate) fn action(method: &Method, target: &Target) -> String {
    let kind = format!("{}/{}", target.namespace, target.types.join("/"));
    match *method {
        Method::GET | Method::HEAD => format!("{kind}/read"),
        Method::DELETE => format!("{kind}/delete"),
        Method::POST => format!("{kind}/action"),
        _ => format!("{kind}/write"),
    }
}

/// Refuses a caller who has no role with the action at the scope (an id) or above it.
pub(crate) fn check(world: &World, caller: &Caller, action: &str, scope: &str) -> Result<(), ArmError> {
    if !world.options.enforce_rbac || caller.owner {
        return Ok(());
    }
    let key = super::super::ids::key(scope);
    if allowed(world, &caller.object_id, action, &key, Plane::Control) {
        Ok(())
    } else {
        Err(denied(caller, action, scope))
    }
}

/// The refusal, in the words that clients look for.
pub(crate) fn denied(caller: &Caller, action: &str, scope: &str) -> ArmError {
    let role_write = action.to_lowercase().starts_with("microsoft.authorization/roleassignments/")
        && !action.to_lowercase().ends_with("/read");
    let abac = if role_write { " or an ABAC condition not fulfilled" } else { "" };
    ArmError::forbidden(
        "AuthorizationFailed",
        format!(
            "The client '{}' with object id '{}' does not have authorization{abac} to perform action '{action}' over \
             scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
            caller.app_id, caller.object_id
        ),
    )
}

/// Whether a principal may do something at a scope (a key), by its own roles and its groups'.
pub(crate) fn allowed(world: &World, principal: &str, action: &str, scope: &str, plane: Plane) -> bool {
    let who = world.store.memberships(principal);
    let now = world.clock.now();
    let counts = |assignment: &&Assignment| {
        who.iter().any(|id| id.eq_ignore_ascii_case(&assignment.principal_id))
            && now >= assignment.created_on + world.options.rbac_delay
    };
    upwards(scope, &world.options.tenant_id)
        .iter()
        .flat_map(|scope| world.store.assignments.at(scope))
        .filter(counts)
        .any(|assignment| grants(world, &assignment.role, action, plane))
}

/// Whether a role has an action.
fn grants(world: &World, role: &str, action: &str, plane: Plane) -> bool {
    let action = action.to_lowercase();
    let has = |patterns: &[&str]| patterns.iter().any(|pattern| wildcard(&pattern.to_lowercase(), &action));
    if let Some(role) = BUILT_IN.iter().find(|built_in| built_in.id == role) {
        return match plane {
            Plane::Control => has(role.actions) && !has(role.not_actions),
            Plane::Data => has(role.data_actions),
        };
    }
    let (yes, no) = match plane {
        Plane::Control => ("actions", "notActions"),
        Plane::Data => ("dataActions", "notDataActions"),
    };
    let permissions = world.store.custom_roles.get(role).and_then(|role| role.pointer("/properties/permissions"));
    let list = |permission: &Value, name: &str| -> Vec<String> {
        let patterns = permission.get(name).and_then(Value::as_array).into_iter().flatten();
        patterns.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let texts = |patterns: &[String]| has(&patterns.iter().map(String::as_str).collect::<Vec<_>>());
    permissions
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .any(|permission| texts(&list(permission, yes)) && !texts(&list(permission, no)))
}
