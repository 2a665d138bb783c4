//! What a principal may do, by its role assignments (facts: azure.md §3, §4).

use axum::http::Method;
use serde_json::Value;

use super::super::clock;
use super::super::entra::Caller;
use super::super::errors::ArmError;
use super::super::faults::wildcard;
use super::super::ids::{self, Target};
use super::super::store::{is_below, upwards};
use super::super::world::World;
use super::Assignment;
use super::definitions::BUILT_IN;

/// Which of a role's lists an operation is looked up in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plane {
    Control,
    Data,
}

/// What a caller must be allowed for a request to go through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Need {
    /// To be somebody.
    SignIn,
    /// An action at a scope (an id).
    Action { action: String, scope: String },
}

/// What a method does, as the last word of an action.
pub(crate) fn verb(method: &Method) -> &'static str {
    match *method {
        Method::GET | Method::HEAD => "read",
        Method::DELETE => "delete",
        Method::POST => "action",
        _ => "write",
    }
}

/// The action that a request to a provider needs.
pub(crate) fn action(method: &Method, target: &Target) -> String {
    let verb = match target.kind().as_str() {
        // A question that is too long for a GET (facts: azure.md §13.7).
        "microsoft.policyinsights/checkpolicyrestrictions" => "read",
        _ => verb(method),
    };
    format!("{}/{}/{verb}", target.namespace, target.types.join("/"))
}

/// Refuses a caller who has no role with the action at the scope or above it.
pub(crate) fn check(world: &World, caller: &Caller, need: &Need) -> Result<(), ArmError> {
    let Need::Action { action, scope } = need else { return Ok(()) };
    let free = !world.options.enforce_rbac || caller.owner;
    if free || allowed(world, &caller.object_id, action, &ids::key(scope), Plane::Control) {
        Ok(())
    } else {
        Err(denied(caller, need))
    }
}

/// Whether a caller has any role at a scope (a key), above it or below it.
pub(crate) fn sees(world: &World, caller: &Caller, scope: &str) -> bool {
    if !world.options.enforce_rbac || caller.owner {
        return true;
    }
    let who = world.store.memberships(&caller.object_id);
    let above = upwards(scope, &world.options.tenant_id);
    world.store.assignments.all().any(|assignment| {
        let at = ids::key(&assignment.scope);
        who.iter().any(|id| id.eq_ignore_ascii_case(&assignment.principal_id))
            && (above.contains(&at) || is_below(scope, &at))
    })
}

/// The refusal, in the words that clients look for.
pub(crate) fn denied(caller: &Caller, need: &Need) -> ArmError {
    let (action, scope) = match need {
        Need::Action { action, scope } => (action.as_str(), scope.as_str()),
        Need::SignIn => ("Microsoft.Resources/subscriptions/read", "/"),
    };
    let role_write = action.to_ascii_lowercase().starts_with("microsoft.authorization/roleassignments/")
        && !action.to_ascii_lowercase().ends_with("/read");
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
            && clock::over(assignment.created_on, world.options.rbac_delay, now)
    };
    upwards(scope, &world.options.tenant_id)
        .iter()
        .flat_map(|scope| world.store.assignments.at(scope))
        .filter(counts)
        .any(|assignment| grants(world, &assignment.role, action, plane))
}

/// Whether a role has an action.
fn grants(world: &World, role: &str, action: &str, plane: Plane) -> bool {
    let action = action.to_ascii_lowercase();
    let has = |patterns: &[&str]| patterns.iter().any(|pattern| wildcard(&pattern.to_ascii_lowercase(), &action));
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
