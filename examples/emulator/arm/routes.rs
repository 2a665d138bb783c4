//! From a request to its handler: what ARM's front door does for every call, in the order in which it does it.

use axum::http::{Method, StatusCode};

use super::authorization::rbac::{self, Need};
use super::authorization::{self, definitions};
use super::entra::{self, Caller};
use super::errors::ArmError;
use super::http::{Answer, Payload, Request};
use super::ids::{self, Target};
use super::policy::restrictions;
use super::world::World;
use super::{
    control, data_plane, groups, locks, metadata, metrics, operations, private_endpoints, providers, storage, vaults,
    workspaces,
};

/// Answers any request.
pub(crate) fn answer(world: &mut World, request: &Request) -> Answer {
    if request.plain && !entra::without_tls(request) {
        let text = "The plain HTTP request was sent to an HTTPS port.".to_owned();
        return Answer {
            status: StatusCode::BAD_REQUEST,
            headers: Vec::new(),
            body: Payload::Text("text/plain", text),
        };
    }
    let first = request.segments.first().map(|segment| segment.to_ascii_lowercase()).unwrap_or_default();
    match first.as_str() {
        "metadata" if request.segments.get(1).is_some_and(|second| second.eq_ignore_ascii_case("endpoints")) => {
            metadata::answer(request)
        }
        "storage" => data_plane::answer(world, request),
        control::ROOT => control::answer(world, request).unwrap_or_else(ArmError::into_answer),
        _ => match entra::answer(world, request) {
            Some(answer) => answer,
            None => front_door(world, request),
        },
    }
}

fn front_door(world: &mut World, request: &Request) -> Answer {
    let caller = match entra::arm_caller(world, request) {
        Ok(caller) => caller,
        Err(error) => return error.into_answer(),
    };
    let subscription = subscription(request).map(str::to_owned);
    let now = world.clock.now();
    let admitted =
        world.throttle.admit(&world.options, now, &request.method, subscription.as_deref(), &caller.object_id);
    let (header, left) = match admitted {
        Ok(counted) => counted,
        Err(error) => return error.into_answer(),
    };
    dispatch(world, request, &caller).unwrap_or_else(ArmError::into_answer).with(header, left)
}

/// The subscription that a path is under.
fn subscription(request: &Request) -> Option<&str> {
    match &request.segments[..] {
        [first, id, ..] if first.eq_ignore_ascii_case("subscriptions") => Some(id),
        _ => None,
    }
}

fn dispatch(world: &mut World, request: &Request, caller: &Caller) -> Result<Answer, ArmError> {
    if request.api_version().is_empty() {
        return Err(ArmError::missing_api_version());
    }
    let writes = !matches!(request.method, Method::GET | Method::HEAD);
    if let Some(id) = subscription(request) {
        let known = world.store.subscriptions.get(&id.to_ascii_lowercase());
        let known = known.ok_or_else(|| ArmError::subscription_not_found(id))?;
        if writes && known.disabled {
            return Err(ArmError::conflict(
                "ReadOnlyDisabledSubscription",
                format!(
                    "The subscription '{id}' is disabled and therefore marked as read only. You cannot perform any write actions on this subscription until it is re-enabled."
                ),
            ));
        }
    }
    let need = need(request).ok_or_else(|| nothing_here(request))?;
    if !operations::is_own_poll(world, request) {
        rbac::check(world, caller, &need)?;
    }
    providers::check_version(world, request)?;

    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let lower: Vec<String> = segments.iter().map(|segment| segment.to_ascii_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    match (&request.method, &lower[..]) {
        (&Method::GET, ["tenants"]) => Ok(groups::tenants(world)),
        (&Method::GET, ["subscriptions"]) => groups::subscriptions(world, request, caller),
        (&Method::GET, ["subscriptions", _]) => groups::subscription(world, segments[1]),
        (&Method::GET, ["subscriptions", _, "resourcegroups"]) => groups::list(world, request, segments[1]),
        (&Method::GET, ["subscriptions", _, "resources"] | ["subscriptions", _, "resourcegroups", _, "resources"]) => {
            let end = segments.len() - 1;
            groups::resources(world, request, &segments[..end].iter().map(|s| format!("/{s}")).collect::<String>())
        }
        (&Method::GET, ["subscriptions", _, "operationresults", id]) => operations::poll(world, request, id),
        (method, ["subscriptions", _, "resourcegroups", _]) => {
            locks::check(world, method, &request.path())?;
            groups::item(world, request, segments[1], segments[3])
        }
        (
            _,
            ["subscriptions", _, "providers"]
            | ["subscriptions", _, "providers", _]
            | ["subscriptions", _, "providers", _, "register" | "unregister"],
        ) => providers::answer(world, request, segments[1], &lower[3..]),
        (method, _) => match Target::parse(&request.segments) {
            Some(target) => provider(world, request, method, &target, caller),
            None => Err(nothing_here(request)),
        },
    }
}

fn provider(
    world: &mut World,
    request: &Request,
    method: &Method,
    target: &Target,
    caller: &Caller,
) -> Result<Answer, ArmError> {
    providers::check(world, target, subscription(request))?;
    if let [subscriptions, id, groups, name, ..] = &request.segments[..]
        && subscriptions.eq_ignore_ascii_case("subscriptions")
        && groups.eq_ignore_ascii_case("resourceGroups")
        && !world.store.groups.contains_key(&ids::key(&format!("/subscriptions/{id}/resourceGroups/{name}")))
        // A delete of what cannot be there any more succeeds.
        && !(method == Method::DELETE && target.is_item())
    {
        return Err(ArmError::group_not_found(name));
    }
    let kind = target.kind();
    if kind != "microsoft.authorization/locks" {
        locks::check(world, method, &target.id())?;
    }
    match kind.split('/').collect::<Vec<_>>()[..] {
        ["microsoft.machinelearningservices", ..] => workspaces::answer(world, request, target, caller),
        ["microsoft.storage", ..] => storage::answer(world, request, target),
        ["microsoft.authorization", "roleassignments"] => authorization::answer(world, request, target, caller),
        ["microsoft.authorization", "roledefinitions"] => definitions::answer(world, request, target, caller),
        ["microsoft.authorization", "locks"] => locks::answer(world, request, target),
        ["microsoft.insights", "metrics"] => metrics::answer(world, request, target),
        ["microsoft.network", "privateendpoints"] => private_endpoints::answer(world, request, target),
        ["microsoft.keyvault", "vaults"] => vaults::answer(world, request, target),
        ["microsoft.policyinsights", "checkpolicyrestrictions"] => restrictions::answer(world, request, target),
        [
            "microsoft.authorization"
            | "microsoft.resources"
            | "microsoft.keyvault"
            | "microsoft.insights"
            | "microsoft.network"
            | "microsoft.policyinsights",
            ..,
        ] => Err(if target.is_item() && *method == Method::GET {
            ArmError::resource_not_found(&target.id())
        } else {
            ArmError::unknown_type(&target.namespace, &target.types.join("/"))
        }),
        _ => Err(providers::invalid_namespace(&target.namespace)),
    }
}

/// What a request needs its caller to be allowed; `None` when the path is nothing of ARM's.
fn need(request: &Request) -> Option<Need> {
    let lower: Vec<String> = request.segments.iter().map(|segment| segment.to_ascii_lowercase()).collect();
    let verb = rbac::verb(&request.method);
    let up_to = |end: usize| request.segments[..end].iter().map(|segment| format!("/{segment}")).collect::<String>();
    let resources = |kind: &str| format!("Microsoft.Resources/{kind}{verb}");
    let (action, scope) = match lower.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        // Lists that everybody may read: each sees what it has access to.
        ["tenants"] | ["subscriptions"] if verb == "read" => return Some(Need::SignIn),
        ["subscriptions", _] => (resources("subscriptions/"), up_to(2)),
        ["subscriptions", _, "resourcegroups"] => (resources("subscriptions/resourceGroups/"), up_to(2)),
        ["subscriptions", _, "resourcegroups", _] => (resources("subscriptions/resourceGroups/"), up_to(4)),
        ["subscriptions", _, "resources"] => (resources("subscriptions/resources/"), up_to(2)),
        ["subscriptions", _, "resourcegroups", _, "resources"] => {
            (resources("subscriptions/resourceGroups/resources/"), up_to(4))
        }
        ["subscriptions", _, "providers"] | ["subscriptions", _, "providers", _] => {
            (resources("subscriptions/providers/"), up_to(2))
        }
        ["subscriptions", _, "providers", _, act @ ("register" | "unregister")] => {
            (format!("{}/{act}/action", request.segments[3]), up_to(2))
        }
        ["subscriptions", _, "operationresults", _] => (resources("subscriptions/operationresults/"), up_to(2)),
        _ => {
            let target = Target::parse(&request.segments)?;
            // Access to a role assignment or a lock, and to a list, is looked up at the scope it is at.
            let outside = target.namespace.eq_ignore_ascii_case("Microsoft.Authorization") || target.names.is_empty();
            (rbac::action(&request.method, &target), if outside { target.scope } else { target.id() })
        }
    };
    Some(Need::Action { action, scope: if scope.is_empty() { "/".to_owned() } else { scope } })
}

/// The refusal a rule asks for: the real text, with the action and scope of this request.
pub(crate) fn denied(world: &World, request: &Request) -> ArmError {
    match (entra::arm_caller(world, request), need(request)) {
        (Err(error), _) => error,
        (Ok(caller), Some(need)) => rbac::denied(&caller, &need),
        (Ok(_), None) => nothing_here(request),
    }
}

fn nothing_here(request: &Request) -> ArmError {
    ArmError::not_found("NotFound", format!("There is nothing at '{}'.", request.path()))
}
