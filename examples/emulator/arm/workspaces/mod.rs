//! Machine Learning workspaces: hubs, projects and the others (facts: azure.md §1).

pub(crate) mod computes;
pub(crate) mod connections;
pub(crate) mod datastores;
mod document;
mod nested;
mod rules;
mod shown;
pub(crate) mod system_datastores;

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::entra::Caller;
use super::errors::ArmError;
use super::http::{Answer, Request, page_of};
use super::ids::{self, Target};
use super::operations::{self, Effect};
use super::options::{InsightsPatch, Lro, OnOff, PurgeDeleted, SchemaView, UserDelegationSas};
use super::store::{Event, Pending, SoftDeleted};
use super::world::World;
use super::{authorization, clock, providers};

pub(crate) use shown::view;

/// The resource type.
pub(crate) const TYPE: &str = "Microsoft.MachineLearningServices/workspaces";

/// The property that this project is about.
pub(crate) const MODE: &str = "systemDatastoresAuthMode";

/// How long a deleted workspace keeps its name (facts: azure.md §9.9).
const SOFT_DELETED: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Answers every request under `Microsoft.MachineLearningServices`.
pub(crate) fn answer(
    world: &mut World,
    request: &Request,
    target: &Target,
    caller: &Caller,
) -> Result<Answer, ArmError> {
    let kinds: Vec<String> = target.types.iter().map(|kind| kind.to_ascii_lowercase()).collect();
    let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
    match (&request.method, &kinds[..], target.is_item()) {
        (&Method::GET, ["workspaces"], false) => list(world, request, &target.scope),
        (_, ["workspaces"], true) => item(world, request, target, caller),
        (&Method::GET, ["locations", "workspaceoperationsstatus"], true) => {
            operations::poll(world, request, &target.names[1])
        }
        (_, ["workspaces", "datastores" | "connections" | "computes", ..], _) => {
            below(world, request, target, kinds[1])
        }
        (&Method::POST, ["workspaces", action], false) => act(world, request, target, action),
        (method, ["workspaces", ..], _) => Err(ArmError::method_not_allowed(method.as_str())),
        _ => Err(ArmError::unknown_type(&target.namespace, &target.types.join("/"))),
    }
}

fn item(world: &mut World, request: &Request, target: &Target, caller: &Caller) -> Result<Answer, ArmError> {
    let id = target.id();
    let key = ids::key(&id);
    match request.method {
        Method::GET => {
            let seen = world.store.resources.get(&key).and_then(|entry| world.workspace_seen(entry)).cloned();
            Ok(Answer::ok(view(world, request, seen.ok_or_else(|| ArmError::resource_not_found(&id))?)))
        }
        Method::PUT => put(world, request, &id, caller),
        Method::PATCH => patch(world, request, &id, caller),
        Method::DELETE => delete(world, request, &id),
        _ => Err(ArmError::method_not_allowed(request.method.as_str())),
    }
}

/// What a workspace has in collections of its own.
fn below(world: &mut World, request: &Request, target: &Target, collection: &str) -> Result<Answer, ArmError> {
    let workspace = Target { types: target.types[..1].to_vec(), names: target.names[..1].to_vec(), ..target.clone() };
    let id = workspace.id();
    let key = ids::key(&id);
    let document = world.store.resource(&key).cloned().ok_or_else(|| ArmError::resource_not_found(&id))?;
    match collection {
        "datastores" => datastores::answer(world, request, target, &key, &document),
        "connections" => connections::answer(world, request, target, &key, &document),
        _ => computes::answer(world, request, target, &key, &document),
    }
}

fn list(world: &World, request: &Request, scope: &str) -> Result<Answer, ArmError> {
    let kinds: Option<Vec<String>> = request
        .query("kind")
        .filter(|kinds| !kinds.is_empty())
        .map(|kinds| kinds.split(',').map(|kind| kind.trim().to_ascii_lowercase()).collect());
    let scope = ids::key(scope);
    let items: Vec<&Value> = world
        .store
        .below(&scope)
        .filter(|(key, _)| key.contains("/providers/microsoft.machinelearningservices/workspaces/"))
        .filter_map(|(_, entry)| world.workspace_seen(entry))
        .filter(|document| kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind(document))))
        .collect();
    page_of(request, "$skip", world.options.page_size, &items, |document| view(world, request, (*document).clone()))
}

fn put(world: &mut World, request: &Request, id: &str, caller: &Caller) -> Result<Answer, ArmError> {
    let key = ids::key(id);
    let mut asked = request.json()?;
    if hides_mode(world, request)
        && let Some(properties) = asked.get_mut("properties").and_then(Value::as_object_mut)
    {
        properties.remove(MODE);
    }
    operations::refuse_concurrent(world, id)?;
    if !document::valid_name(ids::name(id)) {
        return Err(ArmError::bad_request(
            "InvalidResourceName",
            format!("The workspace name '{}' is not valid.", ids::name(id)),
        ));
    }
    let before = world.store.resource(&key).cloned();
    rules::shape(&asked)?;
    if before.is_none()
        && let Some(deleted) = soft_deleted(world, &key)
    {
        if !document::is_true(asked.pointer("/properties/allowRecoverSoftDeletedWorkspace")) {
            return Err(ArmError::bad_request(
                "BadRequest",
                "Soft-deleted workspace exists. Please purge or recover it. https://aka.ms/wsoftdelete",
            ));
        }
        asked = deleted;
    }
    rules::put(world, before.as_ref(), &asked)?;
    let document = document::put(world, id, before.as_ref(), &asked, &caller.object_id)?;
    finish_write(world, request, id, before.as_ref(), document)
}

/// The workspace that holds a key's name after its deletion.
fn soft_deleted(world: &mut World, key: &str) -> Option<Value> {
    let now = world.clock.now();
    world.store.soft_deleted.retain(|_, deleted| now < deleted.until);
    world.store.soft_deleted.get(key).map(|deleted| deleted.document.clone())
}

fn patch(world: &mut World, request: &Request, id: &str, caller: &Caller) -> Result<Answer, ArmError> {
    let mut asked = request.json()?;
    if hides_mode(world, request)
        && let Some(properties) = asked.get_mut("properties").and_then(Value::as_object_mut)
    {
        properties.remove(MODE);
    }
    let before = world.store.resource(&ids::key(id)).cloned().ok_or_else(|| ArmError::resource_not_found(id))?;
    operations::refuse_concurrent(world, id)?;
    rules::shape(&asked)?;
    if world.options.insights_patch == InsightsPatch::Ignore
        && !providers::patches_insights(request.api_version())
        && let Some(properties) = asked.get_mut("properties").and_then(Value::as_object_mut)
    {
        properties.remove("applicationInsights");
    }
    rules::patch(world, &before, &asked)?;
    let document = document::patch(world, id, &before, &asked, &caller.object_id)?;
    finish_write(world, request, id, Some(&before), document)
}

/// What PUT and PATCH end with: policies, then the operation.
fn finish_write(
    world: &mut World,
    request: &Request,
    id: &str,
    before: Option<&Value>,
    mut document: Value,
) -> Result<Answer, ArmError> {
    if mode(&document) == "userdelegationsas" && world.options.user_delegation_sas == UserDelegationSas::Error {
        return Err(ArmError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalServerError",
            "An internal server error occurred.",
        ));
    }
    world.apply_policies(TYPE, id, before, &mut document)?;
    let shape = if request.method == Method::PATCH { shape(world, request) } else { world.options.lro };
    operations::start(world, request, id, Effect::Write(document), shape)
}

/// How PATCH and resyncKeys answer: the oldest client in use (2020-08-01) knows nothing but 200 there.
fn shape(world: &World, request: &Request) -> Lro {
    if request.api_version() < "2021-01-01" { Lro::Done } else { world.options.lro }
}

fn delete(world: &mut World, request: &Request, id: &str) -> Result<Answer, ArmError> {
    let key = ids::key(id);
    let purge = request.query("forceToPurge").is_some_and(|purge| purge.eq_ignore_ascii_case("true"));
    if world.store.resource(&key).is_none() {
        if purge && soft_deleted(world, &key).is_some() {
            if world.options.purge_deleted == PurgeDeleted::NotFound {
                return Err(ArmError::resource_not_found(id));
            }
            let now = world.clock.now();
            free_name(world, &key, now);
        }
        return Ok(Answer::empty(StatusCode::NO_CONTENT));
    }
    operations::refuse_concurrent(world, id)?;
    let shape = world.options.lro_delete;
    operations::start(world, request, id, Effect::Delete { purge }, shape)
}

/// The POSTs of azure.md §1.1.
fn act(world: &mut World, request: &Request, target: &Target, action: &str) -> Result<Answer, ArmError> {
    let id = target.id();
    let key = ids::key(&id);
    let document = world.store.resource(&key).ok_or_else(|| ArmError::resource_not_found(&id))?;
    let storage = document.pointer("/properties/storageAccount").and_then(Value::as_str).unwrap_or("").to_owned();
    let storage_key =
        world.store.account_keys.get(&ids::key(&storage)).and_then(|keys| keys.first()).map(|key| key.value.clone());
    match action {
        "listkeys" => Ok(Answer::ok(json!({
            "userStorageKey": storage_key,
            providers::name_of_storage_id(request.api_version()): storage,
            "appInsightsInstrumentationKey": "",
            "containerRegistryCredentials": {},
            "notebookAccessKeys": {},
        }))),
        "liststorageaccountkeys" => Ok(Answer::ok(json!({ "userStorageKey": storage_key }))),
        "listnotebookaccesstoken" => Ok(Answer::ok(json!({
            "accessToken": "emulated", "expiresIn": 3600, "tokenType": "Bearer", "scope": "", "hostName": "", "publicDns": "",
            "notebookResourceId": "", "refreshToken": "",
        }))),
        "listnotebookkeys" => {
            Ok(Answer::ok(json!({ "primaryAccessKey": "emulated", "secondaryAccessKey": "emulated" })))
        }
        "resynckeys" => operations::start(world, request, &id, Effect::ResyncKeys, shape(world, request)),
        "provisionmanagednetwork" => {
            operations::start(world, request, &id, Effect::ProvisionNetwork, world.options.lro)
        }
        "diagnose" | "preparenotebook" => operations::start(world, request, &id, Effect::Nothing, world.options.lro),
        _ => Err(ArmError::unknown_type(&target.namespace, &target.types.join("/"))),
    }
}

/// Puts a finished document in place, and lets the platform do what it does then.
pub(crate) fn write(world: &mut World, key: &str, mut document: Value, at: OffsetDateTime) {
    document["properties"]["provisioningState"] = json!("Succeeded");
    document["systemData"]["lastModifiedAt"] = json!(clock::seconds(at));
    let id = text(&document, "/id").to_owned();
    // A workspace whose creation is still under way, or has failed, is not there yet; one that is has its datastores.
    let existed = world.store.resource(key).filter(|_| world.store.datastore_modes.contains_key(key)).cloned();
    world.store.soft_deleted.remove(key);
    let lag = world.options.read_delay;
    world.store.write(key, Some(document.clone()), at, lag);

    let hub = document.pointer("/properties/hubResourceId").and_then(Value::as_str).map(ids::key);
    if existed.is_none()
        && let Some(hub) = hub.and_then(|hub| world.store.resource_mut(&hub))
        && let Some(projects) = hub.pointer_mut("/properties/associatedWorkspaces").and_then(Value::as_array_mut)
    {
        projects.push(json!(id));
    }
    let changed = existed.as_ref().is_none_or(|before| mode(before) != mode(&document));
    if existed.is_none() {
        world.store.datastore_modes.insert(key.to_owned(), mode(&document));
        system_datastores::resync(world, key);
        system_datastores::make_places(world, &document);
    } else if changed {
        let due = clock::after(at, world.options.datastore_lag);
        world.store.pending.push(Pending { due, event: Event::SwitchDatastores { workspace: key.to_owned() } });
    }
    let is_hub = ["hub", "default"].contains(&kind(&document).as_str());
    let new_principal = principal(&document).is_some() && existed.as_ref().and_then(principal) != principal(&document);
    let to_identity = (changed || new_principal) && mode(&document) != "accesskey";
    if is_hub && (existed.is_none() || to_identity) {
        let due = clock::after(at, world.options.hub_role_delay);
        world.store.pending.push(Pending { due, event: Event::GrantHubRoles { workspace: key.to_owned() } });
    }
}

/// Deletes a workspace, a hub with its projects, and what its identity was allowed to do.
pub(crate) fn remove(world: &mut World, key: &str, purge: bool, at: OffsetDateTime) {
    let Some(document) = world.store.resource(key).cloned() else { return };
    for project in document.pointer("/properties/associatedWorkspaces").and_then(Value::as_array).into_iter().flatten()
    {
        let project = ids::key(project.as_str().unwrap_or(""));
        remove(world, &project, purge, at);
        operations::abandon(world, &project, at);
    }
    if let Some(hub) = document.pointer("/properties/hubResourceId").and_then(Value::as_str).map(ids::key)
        && let Some(projects) = world
            .store
            .resource_mut(&hub)
            .and_then(|hub| hub.pointer_mut("/properties/associatedWorkspaces"))
            .and_then(Value::as_array_mut)
    {
        projects.retain(|project| !ids::same(project.as_str().unwrap_or(""), text(&document, "/id")));
    }
    let lag = world.options.read_delay.max(world.options.deletion_read_delay);
    world.store.write(key, None, at, lag);
    world.store.datastore_modes.remove(key);
    world.store.datastore_keys.remove(key);
    world.store.documents.remove_below(key);
    world.store.assignments.remove_below(key, at);
    if let Some(principal) = principal(&document) {
        world.store.assignments.remove_of(principal, at);
    }
    if world.options.soft_delete == OnOff::Off {
        return;
    }
    let until = clock::after(at, SOFT_DELETED);
    world.store.soft_deleted.insert(key.to_owned(), SoftDeleted { document, until });
    if purge {
        free_name(world, key, at);
    }
}

/// Lets the name of a workspace that was deleted go, once the purge has taken its time.
fn free_name(world: &mut World, key: &str, at: OffsetDateTime) {
    let until = clock::after(at, world.options.purge_time);
    if let Some(deleted) = world.store.soft_deleted.get_mut(key) {
        deleted.until = deleted.until.min(until);
    }
}

/// Builds a workspace's managed network.
pub(crate) fn provision_network(world: &mut World, key: &str) {
    let network = world.store.resource_mut(key).and_then(|hub| hub.pointer_mut("/properties/managedNetwork"));
    network.map(document::provision);
}

/// What the service does on the first build of a custom image: it attaches a registry, and answers which.
pub(crate) fn attach_registry(world: &mut World, key: &str) -> Option<String> {
    let document = world.store.resource_mut(key)?;
    let held = text(document, "/properties/containerRegistry").to_owned();
    if !held.is_empty() {
        return Some(held);
    }
    let unique: String = text(document, "/properties/workspaceId").split('-').collect();
    let group = ids::group(text(document, "/id"))?;
    let registry = format!("{group}/providers/Microsoft.ContainerRegistry/registries/{unique}");
    document["properties"]["containerRegistry"] = json!(registry);
    Some(registry)
}

/// Whether the request's api-version does not know the mode, and that is to show.
fn hides_mode(world: &World, request: &Request) -> bool {
    world.options.schema == SchemaView::Strict
        && !providers::has_mode(request.api_version(), request.method == Method::PATCH)
}

/// A workspace's mode in lower case; unset means accesskey.
pub(crate) fn mode(document: &Value) -> String {
    let mode = text(document, &format!("/properties/{MODE}")).to_ascii_lowercase();
    if mode.is_empty() { "accesskey".to_owned() } else { mode }
}

/// A workspace's kind in lower case.
pub(crate) fn kind(document: &Value) -> String {
    document.get("kind").and_then(Value::as_str).unwrap_or("Default").to_ascii_lowercase()
}

/// A text within a document; empty if there is none.
pub(crate) fn text<'a>(document: &'a Value, pointer: &str) -> &'a str {
    document.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// The object id of a workspace's system identity.
pub(crate) fn principal(document: &Value) -> Option<&str> {
    document.pointer("/identity/principalId").and_then(Value::as_str)
}

/// Puts a workspace in from a seed: a finished one, about which the platform does nothing more.
pub(crate) fn seed(world: &mut World, id: &str, asked: &Value) -> Result<(), ArmError> {
    let (key, at) = (ids::key(id), world.clock.now());
    let creator = world.options.client_object_id.clone();
    rules::shape(asked)?;
    let document = document::put(world, id, None, asked, &creator)?;
    write(world, &key, document, at);
    world
        .store
        .pending
        .retain(|pending| !matches!(&pending.event, Event::GrantHubRoles { workspace } if *workspace == key));
    if let Some(entry) = world.store.resources.get_mut(&key) {
        entry.show();
    }
    if document::is_true(asked.get("automaticRoles")) {
        authorization::platform::grant_hub_roles(world, &key, at);
    }
    Ok(())
}
