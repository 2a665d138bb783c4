//! Subscriptions, tenants, resource groups and the list of resources in them (facts: azure.md §5.9).

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::authorization::rbac;
use super::entra::Caller;
use super::errors::ArmError;
use super::http::{Answer, Request, page};
use super::ids;
use super::operations::{self, Effect};
use super::options::Lro;
use super::store::Subscription;
use super::workspaces::text;
use super::world::World;
use super::{storage, workspaces};

/// `GET /tenants`.
pub(crate) fn tenants(world: &World) -> Answer {
    let tenant = &world.options.tenant_id;
    Answer::ok(json!({ "value": [{
        "id": format!("/tenants/{tenant}"),
        "tenantId": tenant,
        "tenantCategory": "Home",
        "displayName": "Emulated tenant",
        "defaultDomain": "emulated.test",
        "tenantType": "AAD",
    }] }))
}

/// `GET /subscriptions`: those that the caller has some access to.
pub(crate) fn subscriptions(world: &World, request: &Request, caller: &Caller) -> Result<Answer, ArmError> {
    let seen =
        world.store.subscriptions.iter().filter(|(id, _)| rbac::sees(world, caller, &format!("/subscriptions/{id}")));
    let all: Vec<Value> = seen.map(|(_, subscription)| show(world, subscription)).collect();
    page(request, "$skiptoken", world.options.page_size, &all)
}

/// `GET /subscriptions/{id}`.
pub(crate) fn subscription(world: &World, id: &str) -> Result<Answer, ArmError> {
    let found = world.store.subscriptions.get(&id.to_ascii_lowercase());
    Ok(Answer::ok(show(world, found.ok_or_else(|| ArmError::subscription_not_found(id))?)))
}

fn show(world: &World, subscription: &Subscription) -> Value {
    json!({
        "id": format!("/subscriptions/{}", subscription.id),
        "subscriptionId": subscription.id,
        "tenantId": world.options.tenant_id,
        "displayName": subscription.name,
        "state": if subscription.disabled { "Disabled" } else { "Enabled" },
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off",
        },
    })
}

/// `…/resourceGroups`.
pub(crate) fn list(world: &World, request: &Request, subscription: &str) -> Result<Answer, ArmError> {
    let start = format!("/subscriptions/{}/", subscription.to_ascii_lowercase());
    let groups = world.store.groups.iter().filter(|(key, _)| key.starts_with(&start));
    let groups: Vec<&Value> = groups.map(|(_, group)| group).collect();
    page(request, "$skiptoken", world.options.page_size, &groups)
}

/// `…/resourceGroups/{name}`.
pub(crate) fn item(world: &mut World, request: &Request, subscription: &str, name: &str) -> Result<Answer, ArmError> {
    let id = format!("/subscriptions/{subscription}/resourceGroups/{name}");
    let key = ids::key(&id);
    let found = world.store.groups.get(&key).cloned();
    let missing = || ArmError::group_not_found(name);
    match request.method {
        Method::GET => found.map(Answer::ok).ok_or_else(missing),
        Method::HEAD if found.is_some() => Ok(Answer::empty(StatusCode::NO_CONTENT)),
        Method::HEAD => Ok(Answer::empty(StatusCode::NOT_FOUND)),
        Method::PUT | Method::PATCH => {
            let asked = request.json()?;
            let existed = found.is_some();
            let Some(location) = asked
                .get("location")
                .and_then(Value::as_str)
                .map(str::to_owned)
                .or_else(|| found.as_ref().map(|group| text(group, "/location").to_owned()))
            else {
                return Err(ArmError::bad_request(
                    "LocationRequired",
                    "The location property is required for this definition.",
                ));
            };
            if !existed && request.method == Method::PATCH {
                return Err(missing());
            }
            let mut group = found.unwrap_or_else(|| document(&id, &location));
            if let Some(tags) = asked.get("tags").filter(|tags| tags.is_object()) {
                group["tags"] = tags.clone();
            }
            world.store.groups.insert(key, group.clone());
            Ok(Answer::json(if existed { StatusCode::OK } else { StatusCode::CREATED }, group))
        }
        Method::DELETE => {
            found.ok_or_else(missing)?;
            operations::start(world, request, &id, Effect::DeleteGroup, Lro::Location)
        }
        _ => Err(ArmError::method_not_allowed(request.method.as_str())),
    }
}

fn document(id: &str, location: &str) -> Value {
    json!({
        "id": id,
        "name": ids::name(id),
        "type": "Microsoft.Resources/resourceGroups",
        "location": location,
        "tags": {},
        "properties": { "provisioningState": "Succeeded" },
    })
}

/// `…/resources`: what is in a subscription or a group, filtered by `name eq 'value'` terms.
pub(crate) fn resources(world: &World, request: &Request, scope: &str) -> Result<Answer, ArmError> {
    let terms = super::filter::equalities(request.query("$filter").unwrap_or(""))?;
    let scope = ids::key(scope);
    let matches = |document: &Value| {
        terms.iter().all(|(name, value)| {
            let own = match name.to_ascii_lowercase().as_str() {
                "resourcegroup" => ids::part(text(document, "/id"), "resourceGroups").unwrap_or(""),
                "resourcetype" => text(document, "/type"),
                "name" => text(document, "/name"),
                "location" => text(document, "/location"),
                _ => return false,
            };
            own.eq_ignore_ascii_case(value)
        })
    };
    let items: Vec<Value> = world
        .store
        .below(&scope)
        .filter_map(|(_, entry)| world.workspace_seen(entry))
        .filter(|document| matches(document))
        .map(|document| {
            let mut brief = document.clone();
            if let Some(brief) = brief.as_object_mut() {
                brief.remove("properties");
                brief.remove("systemData");
            }
            brief
        })
        .collect();
    page(request, "$skiptoken", world.options.page_size, &items)
}

/// Sets a group's provisioningState, if the key is a group's.
pub(crate) fn set_state(world: &mut World, key: &str, state: &str) {
    if let Some(group) = world.store.groups.get_mut(key) {
        group["properties"]["provisioningState"] = json!(state);
    }
}

/// Deletes a group and all in it.
pub(crate) fn remove(world: &mut World, key: &str, at: OffsetDateTime) {
    let inside: Vec<String> = world.store.below(key).map(|(key, _)| key.clone()).collect();
    for item in inside {
        if item.contains("/providers/microsoft.storage/") {
            storage::remove(world, &item, at);
        } else {
            workspaces::remove(world, &item, true, at);
        }
    }
    world.store.documents.remove_below(key);
    world.store.assignments.remove_below(key, at);
    world.store.groups.remove(key);
}

/// Puts a group in from a seed, unless it is there.
pub(crate) fn seed(world: &mut World, id: &str, location: &str) {
    world.store.groups.entry(ids::key(id)).or_insert_with(|| document(id, location));
}
