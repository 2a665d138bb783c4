//! The API of role assignments, with its table of errors (facts: azure.md §3).

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::clock;
use super::super::entra::Caller;
use super::super::errors::ArmError;
use super::super::filter::{self, Term};
use super::super::http::{Answer, Request, page};
use super::super::ids::{self, Target};
use super::super::options::{ExistsId, Principals};
use super::super::store::upwards;
use super::super::world::World;
use super::definitions;
use super::ledger::{Assignment, Shown};

/// `{scope}/providers/Microsoft.Authorization/roleAssignments[/{name}]`.
pub(crate) fn answer(
    world: &mut World,
    request: &Request,
    target: &Target,
    caller: &Caller,
) -> Result<Answer, ArmError> {
    let Some(name) = target.names.first() else {
        return if request.method == Method::GET {
            list(world, request, &target.scope)
        } else {
            Err(ArmError::method_not_allowed(request.method.as_str()))
        };
    };
    let scope = ids::key(&target.scope);
    match request.method {
        Method::GET => {
            let (now, lag) = (world.clock.now(), world.options.assignment_read_delay);
            match world.store.assignments.seen(&scope, name, now, lag) {
                Some(assignment) => Ok(Answer::ok(show(assignment))),
                None => Err(ArmError::not_found(
                    "RoleAssignmentNotFound",
                    format!("The role assignment '{name}' is not found."),
                )),
            }
        }
        Method::PUT => put(world, request, &target.scope, name, caller),
        Method::DELETE => {
            let (now, lag) = (world.clock.now(), world.options.assignment_read_delay);
            let here = world.store.assignments.named(name).is_some_and(|known| ids::key(&known.scope) == scope);
            match here.then(|| world.store.assignments.remove(name, now, lag)).flatten() {
                Some(old) => Ok(Answer::ok(show(&old))),
                None => Ok(Answer::empty(StatusCode::NO_CONTENT)),
            }
        }
        _ => Err(ArmError::method_not_allowed(request.method.as_str())),
    }
}

fn list(world: &World, request: &Request, scope: &str) -> Result<Answer, ArmError> {
    let scope_key = ids::key(scope);
    if !world.store.scope_exists(&scope_key) {
        return Err(missing_scope(scope));
    }
    let text = request.query("$filter").unwrap_or("");
    let (mut above_only, mut principals) = (false, None::<Vec<String>>);
    for term in filter::parse(text)? {
        match term {
            Term::Call(name) if name == "atscope" => above_only = true,
            Term::Equals(name, id) if name.eq_ignore_ascii_case("principalId") => {
                principals = Some(vec![id.to_ascii_lowercase()])
            }
            Term::CallWith(name, id) if name == "assignedto" => principals = Some(world.store.memberships(&id)),
            _ => {
                return Err(ArmError::bad_request(
                    "UnsupportedQuery",
                    format!("The filter '{text}' is not supported."),
                ));
            }
        }
    }
    let (now, lag) = (world.clock.now(), world.options.assignment_read_delay);
    let assignments = &world.store.assignments;
    let mut above = upwards(&scope_key, &world.options.tenant_id);
    above.reverse();
    let at_or_above = above.iter().filter_map(|scope| assignments.here(scope));
    let below = assignments.below(&scope_key).filter(|_| !above_only);
    let found: Vec<Shown> = at_or_above
        .chain(below)
        .flat_map(BTreeMap::values)
        .filter_map(|entry| entry.seen(now, lag))
        .filter(|found| {
            principals.as_ref().is_none_or(|ids| ids.iter().any(|id| id.eq_ignore_ascii_case(&found.principal_id)))
        })
        .map(Shown)
        .collect();
    page(request, "$skipToken", world.options.page_size, &found)
}

fn missing_scope(scope: &str) -> ArmError {
    let key = ids::key(scope);
    if key.contains("/providers/") {
        ArmError::resource_not_found(scope)
    } else if let Some(group) = ids::part(scope, "resourceGroups") {
        ArmError::group_not_found(group)
    } else {
        ArmError::subscription_not_found(ids::name(scope))
    }
}

fn put(world: &mut World, request: &Request, scope: &str, name: &str, caller: &Caller) -> Result<Answer, ArmError> {
    let asked = request.json()?;
    let field = |name: &str| asked.pointer(&format!("/properties/{name}")).and_then(Value::as_str).map(str::to_owned);
    if !ids::is_guid(name) {
        return Err(ArmError::bad_request(
            "InvalidRoleAssignmentId",
            format!("The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID."),
        ));
    }
    let principal = field("principalId").unwrap_or_default();
    if !ids::is_guid(&principal) {
        return Err(ArmError::bad_request(
            "InvalidPrincipalId",
            format!("A valid principal ID must be provided for role assignment; '{principal}' is none."),
        ));
    }
    let role_id = field("roleDefinitionId").unwrap_or_default();
    let role = ids::name(&role_id).to_ascii_lowercase();
    if !definitions::exists(world, &role) {
        let status = StatusCode::from_u16(world.options.unknown_role).unwrap_or(StatusCode::BAD_REQUEST);
        return Err(ArmError::new(
            status,
            "RoleDefinitionDoesNotExist",
            format!("The specified role definition with ID '{}' does not exist.", ids::name(&role_id)),
        ));
    }
    let (condition, version) = (field("condition").filter(|text| !text.is_empty()), field("conditionVersion"));
    let condition_version = match (&condition, version.as_deref()) {
        (None, None | Some("")) => None,
        (None, Some(_)) => {
            return Err(ArmError::bad_request("InvalidConditionVersion", "A condition version needs a condition."));
        }
        (Some(_), None | Some("" | "2.0")) => Some("2.0".to_owned()),
        (Some(_), Some(other)) => {
            return Err(ArmError::bad_request(
                "InvalidConditionVersion",
                format!("The condition version '{other}' is not supported; only '2.0' is."),
            ));
        }
    };
    let scope_key = ids::key(scope);
    if !world.store.scope_exists(&scope_key) {
        return Err(missing_scope(scope));
    }
    let now = world.clock.now();

    if let Some(known) = world.store.assignments.named(name).cloned() {
        let same = ids::key(&known.scope) == scope_key
            && known.principal_id.eq_ignore_ascii_case(&principal)
            && known.role == role;
        if !same {
            return Err(ArmError::bad_request(
                "RoleAssignmentUpdateNotPermitted",
                "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
            ));
        }
        let changed = Assignment {
            description: field("description"),
            condition,
            condition_version,
            updated_on: now,
            updated_by: caller.object_id.clone(),
            ..known
        };
        let body = show(&changed);
        let lag = world.options.assignment_read_delay;
        world.store.assignments.put(changed, now, lag);
        return Ok(Answer::json(StatusCode::from_u16(world.options.repeated_put).unwrap_or(StatusCode::OK), body));
    }
    if let Some(known) = find(world, &scope_key, &principal, &role) {
        let mut message = "The role assignment already exists.".to_owned();
        if world.options.exists_id == ExistsId::Hex {
            message.push_str(&format!(
                " The ID of the existing role assignment is {}.",
                known.name.replace('-', "").to_ascii_lowercase()
            ));
        }
        return Err(ArmError::conflict("RoleAssignmentExists", message));
    }
    let asked_type = field("principalType").filter(|kind| !kind.is_empty());
    let principal_type = principal_type(world, &principal, asked_type.as_deref())?;
    refuse_too_many(world, &scope_key)?;

    let assignment = Assignment {
        name: name.to_owned(),
        scope: if scope.is_empty() { "/".to_owned() } else { scope.to_owned() },
        role,
        principal_id: principal,
        principal_type,
        description: field("description"),
        condition,
        condition_version,
        delegated_managed_identity: field("delegatedManagedIdentityResourceId"),
        created_on: now,
        updated_on: now,
        created_by: caller.object_id.clone(),
        updated_by: caller.object_id.clone(),
    };
    let body = show(&assignment);
    let lag = world.options.assignment_read_delay;
    world.store.assignments.put(assignment, now, lag);
    Ok(Answer::json(StatusCode::CREATED, body))
}

/// The assignment that gives a principal a role at exactly a scope.
pub(super) fn find<'a>(world: &'a World, scope: &str, principal: &str, role: &str) -> Option<&'a Assignment> {
    let same = |known: &&Assignment| known.role == role && known.principal_id.eq_ignore_ascii_case(principal);
    world.store.assignments.at(scope).find(same)
}

/// What the directory says of a principal, against what was sent.
fn principal_type(world: &World, principal: &str, asked: Option<&str>) -> Result<String, ArmError> {
    const KINDS: [&str; 5] = ["User", "Group", "ServicePrincipal", "ForeignGroup", "Device"];
    let asked = match asked {
        None => None,
        Some(asked) => match KINDS.into_iter().find(|kind| kind.eq_ignore_ascii_case(asked)) {
            Some(kind) => Some(kind),
            None => {
                return Err(ArmError::bad_request(
                    "InvalidPrincipalType",
                    format!(
                        "The principal type '{asked}' is not valid. It must be 'User', 'Group' or 'ServicePrincipal'."
                    ),
                ));
            }
        },
    };
    let known = world
        .store
        .principals
        .get(&principal.to_ascii_lowercase())
        .filter(|known| clock::over(known.created, world.options.principal_delay, world.clock.now()));
    match (known, asked) {
        (Some(known), Some(asked)) if known.kind != asked => {
            let status = StatusCode::from_u16(world.options.unmatched_type).unwrap_or(StatusCode::BAD_REQUEST);
            Err(ArmError::new(
                status,
                "UnmatchedPrincipalType",
                format!(
                    "The PrincipalId '{}' has type '{}' , which is different from specified PrinciaplType '{asked}'.",
                    principal.replace('-', ""),
                    known.kind
                ),
            ))
        }
        (Some(known), _) => Ok(known.kind.clone()),
        (None, asked) => {
            let fresh = world.store.principals.contains_key(&principal.to_ascii_lowercase());
            let accepted = match world.options.principals {
                Principals::Any => !fresh || asked.is_some(),
                Principals::Known => asked.is_some(),
                Principals::Strict => false,
            };
            if accepted {
                return Ok(asked.unwrap_or("User").to_owned());
            }
            Err(ArmError::bad_request(
                "PrincipalNotFound",
                format!(
                    "Principal {} does not exist in the directory {}. Check that you have the correct principal ID. If \
                     you are creating this principal and then immediately assigning a role, this error might be related \
                     to a replication delay. In this case, set the role assignment principalType property to a value, \
                     such as ServicePrincipal, User, or Group.",
                    principal.replace('-', ""),
                    world.options.tenant_id
                ),
            ))
        }
    }
}

/// A subscription has a limit for all that is in it, a management group one for what is at itself.
fn refuse_too_many(world: &World, scope: &str) -> Result<(), ArmError> {
    let assignments = &world.store.assignments;
    let (held, limit) = if let Some(subscription) = ids::part(scope, "subscriptions") {
        let start = format!("/subscriptions/{subscription}");
        let below: usize = assignments.below(&start).map(BTreeMap::len).sum();
        (below + assignments.at(&start).count(), world.options.assignment_limit)
    } else if ids::part(scope, "managementGroups").is_some() {
        (assignments.at(scope).count(), world.options.management_group_assignment_limit)
    } else {
        return Ok(());
    };
    if held < limit {
        return Ok(());
    }
    let status = StatusCode::from_u16(world.options.assignment_limit_status).unwrap_or(StatusCode::BAD_REQUEST);
    Err(ArmError::new(
        status,
        "RoleAssignmentLimitExceeded",
        "No more role assignments can be created (code: RoleAssignmentLimitExceeded).",
    ))
}

fn show(assignment: &Assignment) -> Value {
    json!(Shown(assignment))
}

/// Puts an assignment in without any of the API's checks; its name.
pub(crate) fn seed(
    world: &mut World,
    scope: &str,
    principal: &str,
    role: &str,
    name: Option<&str>,
    kind: Option<&str>,
) -> String {
    let known = world.store.principals.get(&principal.to_ascii_lowercase()).map(|known| known.kind.clone());
    let at = world.clock.now();
    let by = world.options.client_object_id.clone();
    let name = name.map_or_else(|| Uuid::new_v4().to_string(), str::to_owned);
    let assignment = Assignment {
        name: name.clone(),
        scope: if scope.is_empty() { "/".to_owned() } else { scope.to_owned() },
        role: role.to_ascii_lowercase(),
        principal_id: principal.to_owned(),
        principal_type: kind.map(str::to_owned).or(known).unwrap_or_else(|| "User".to_owned()),
        description: None,
        condition: None,
        condition_version: None,
        delegated_managed_identity: None,
        created_on: at,
        updated_on: at,
        created_by: by.clone(),
        updated_by: by,
    };
    world.store.assignments.put(assignment, at, Duration::ZERO);
    let key = ids::key(scope);
    world.store.assignments.show(&key, &name);
    name
}
