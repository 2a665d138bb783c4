//! Storage accounts, their keys, and the flag that turns keys off (facts: azure.md §2).

pub(crate) mod services;

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use self::services::Service;
use super::errors::ArmError;
use super::http::{Answer, Request, page_of};
use super::ids::{self, Target};
use super::metadata::STORAGE_SUFFIX;
use super::operations::{self, Effect};
use super::options::{Lro, SchemaView};
use super::store::AccountKey;
use super::workspaces::{text, view};
use super::world::World;
use super::{clock, metrics};

/// The resource type.
pub(crate) const TYPE: &str = "Microsoft.Storage/storageAccounts";

/// Properties that only the service writes.
const READ_ONLY: [&str; 9] = [
    "provisioningState",
    "creationTime",
    "primaryEndpoints",
    "primaryLocation",
    "statusOfPrimary",
    "keyCreationTime",
    "privateEndpointConnections",
    "secondaryLocation",
    "statusOfSecondary",
];

/// Answers every request under `Microsoft.Storage`.
pub(crate) fn answer(world: &mut World, request: &Request, target: &Target) -> Result<Answer, ArmError> {
    let kinds: Vec<String> = target.types.iter().map(|kind| kind.to_ascii_lowercase()).collect();
    let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
    if let ["storageaccounts", service, ..] = kinds[..]
        && let Some(service) = Service::named(service)
    {
        return service.answer(world, request, target);
    }
    match (&request.method, &kinds[..], target.is_item()) {
        (&Method::GET, ["storageaccounts"], false) => list(world, request, &target.scope),
        (_, ["storageaccounts"], true) => item(world, request, &target.id()),
        (&Method::GET, ["locations", "asyncoperations"], true) => operations::poll(world, request, &target.names[1]),
        (&Method::POST, ["storageaccounts", action], false) => act(world, request, &target.id(), action),
        (_, ["storageaccounts", ..], _) => Err(invalid_verb()),
        _ => Err(ArmError::unknown_type(&target.namespace, &target.types.join("/"))),
    }
}

fn list(world: &World, request: &Request, scope: &str) -> Result<Answer, ArmError> {
    let (now, lag, scope) = (world.clock.now(), world.options.read_delay, ids::key(scope));
    let items: Vec<&Value> = world
        .store
        .below(&scope)
        .filter(|(key, _)| key.contains("/providers/microsoft.storage/storageaccounts/"))
        .filter_map(|(_, entry)| entry.seen(now, lag))
        .collect();
    page_of(request, "$skipToken", world.options.page_size, &items, |account| view(world, request, (*account).clone()))
}

fn item(world: &mut World, request: &Request, id: &str) -> Result<Answer, ArmError> {
    let key = ids::key(id);
    match request.method {
        Method::GET => {
            let (now, lag) = (world.clock.now(), world.options.read_delay);
            let seen = world.store.resources.get(&key).and_then(|entry| entry.seen(now, lag)).cloned();
            Ok(Answer::ok(view(world, request, seen.ok_or_else(|| ArmError::resource_not_found(id))?)))
        }
        Method::PUT => put(world, request, id),
        Method::PATCH => {
            let asked = asked(world, request)?;
            let before = world.store.resource(&key).cloned().ok_or_else(|| ArmError::resource_not_found(id))?;
            refuse_unprovisioned(world, id)?;
            let mut document = changed(before.clone(), &asked)?;
            world.apply_policies(TYPE, id, Some(&before), &mut document)?;
            let now = world.clock.now();
            write(world, &key, document.clone(), now);
            Ok(Answer::ok(view(world, request, document)))
        }
        Method::DELETE => {
            if world.store.resource(&key).is_none() {
                return Ok(Answer::empty(axum::http::StatusCode::NO_CONTENT));
            }
            refuse_unprovisioned(world, id)?;
            let now = world.clock.now();
            remove(world, &key, now);
            Ok(Answer::empty(axum::http::StatusCode::OK))
        }
        _ => Err(invalid_verb()),
    }
}

fn invalid_verb() -> ArmError {
    ArmError::bad_request("InvalidHttpVerb", "The HTTP verb specified is invalid.")
}

/// Refuses whatever would touch an account that is still being made.
fn refuse_unprovisioned(world: &World, id: &str) -> Result<(), ArmError> {
    if operations::is_busy(world, id) {
        return Err(ArmError::conflict(
            "StorageAccountIsNotProvisioned",
            "The storage account provisioning state must be 'Succeeded' before executing the operation.",
        ));
    }
    Ok(())
}

fn put(world: &mut World, request: &Request, id: &str) -> Result<Answer, ArmError> {
    let asked = asked(world, request)?;
    let name = ids::name(id);
    if !(3..=24).contains(&name.len()) || !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()) {
        return Err(ArmError::bad_request(
            "StorageAccountNameNotValid",
            format!(
                "{name} is not a valid storage account name. Storage account name must be between 3 and 24 characters in length and use numbers and lower-case letters only."
            ),
        ));
    }
    let key = ids::key(id);
    if operations::is_busy(world, id) {
        return Err(ArmError::conflict(
            "StorageAccountBeingCreated",
            format!("The storage account named {name} is in the process of being created."),
        ));
    }
    let before = world.store.resource(&key).cloned();
    if before.is_none() && world.store.account_named(name).is_some() {
        return Err(ArmError::conflict(
            "StorageAccountAlreadyTaken",
            format!("The storage account named {name} is already taken."),
        ));
    }
    let mut document = match &before {
        Some(before) => changed(before.clone(), &asked)?,
        None => created(world, id, &asked)?,
    };
    world.apply_policies(TYPE, id, before.as_ref(), &mut document)?;
    let shape = if before.is_some() { Lro::Done } else { Lro::Location };
    operations::start(world, request, id, Effect::Write(document), shape)
}

/// A new account.
fn created(world: &World, id: &str, asked: &Value) -> Result<Value, ArmError> {
    let name = ids::name(id);
    let now = clock::ticks(world.clock.now());
    let group = ids::group(id).unwrap_or_default();
    let group = world.store.groups.get(&ids::key(&group));
    let location = asked.get("location").and_then(Value::as_str);
    let location = location.unwrap_or_else(|| group.map_or("eastus", |group| text(group, "/location")));
    let stored = format!("{}/providers/{TYPE}/{name}", group.map_or("", |group| text(group, "/id")));
    let endpoint = |service: &str| format!("https://{name}.{service}.{STORAGE_SUFFIX}/");
    let document = json!({
        "id": stored,
        "name": name,
        "type": TYPE,
        "location": location,
        "kind": asked.get("kind").filter(|kind| kind.is_string()).unwrap_or(&json!("StorageV2")),
        "sku": { "name": "Standard_LRS", "tier": "Standard" },
        "tags": {},
        "properties": {
            "accessTier": "Hot",
            "allowBlobPublicAccess": false,
            "minimumTlsVersion": "TLS1_2",
            "supportsHttpsTrafficOnly": true,
            "publicNetworkAccess": "Enabled",
            "networkAcls": {
                "bypass": "AzureServices", "virtualNetworkRules": [], "ipRules": [], "defaultAction": "Allow",
            },
            "encryption": {
                "keySource": "Microsoft.Storage",
                "services": {
                    "blob": { "enabled": true, "keyType": "Account", "lastEnabledTime": now },
                    "file": { "enabled": true, "keyType": "Account", "lastEnabledTime": now },
                },
            },
            "keyCreationTime": { "key1": now, "key2": now },
            "privateEndpointConnections": [],
            "provisioningState": "Succeeded",
            "creationTime": now,
            "primaryLocation": location,
            "statusOfPrimary": "available",
            "primaryEndpoints": {
                "blob": endpoint("blob"), "file": endpoint("file"), "queue": endpoint("queue"),
                "table": endpoint("table"), "dfs": endpoint("dfs"), "web": endpoint("web"),
            },
        },
    });
    changed(document, asked)
}

/// The body, without what the published schema of its api-version lacks if that is to show.
fn asked(world: &World, request: &Request) -> Result<Value, ArmError> {
    let mut asked = request.json()?;
    drop_hidden(world, request, &mut asked);
    Ok(asked)
}

/// The document as one request may see it: where its blobs are, and what its api-version knows.
pub(crate) fn show(world: &World, request: &Request, document: &mut Value) {
    // The one service that answers; see data_plane. It is wherever the caller found the emulator.
    let name = text(document, "/name").to_owned();
    if let Some(endpoints) = document.pointer_mut("/properties/primaryEndpoints").and_then(Value::as_object_mut) {
        endpoints.insert("blob".to_owned(), json!(format!("{}/storage/{name}/", request.base)));
    }
    drop_hidden(world, request, document);
}

/// Flags with the stable api-version that brought each one.
const SINCE: [(&str, &str); 3] = [
    ("allowSharedKeyAccess", "2019-04-01"),
    ("defaultToOAuthAuthentication", "2021-06-01"),
    ("allowSharedKeyAccessForServices", "2025-08-01"),
];

fn drop_hidden(world: &World, request: &Request, document: &mut Value) {
    if world.options.schema == SchemaView::Strict
        && let Some(properties) = document.get_mut("properties").and_then(Value::as_object_mut)
    {
        properties.retain(|name, _| {
            SINCE.iter().all(|(flag, since)| !flag.eq_ignore_ascii_case(name) || request.api_version() >= *since)
        });
    }
}

/// The document with what a PUT or PATCH sent. A null leaves a property as it is.
fn changed(mut document: Value, asked: &Value) -> Result<Value, ArmError> {
    for name in ["tags", "identity"] {
        if let Some(value) = asked.get(name).filter(|value| value.is_object()) {
            document[name] = value.clone();
        }
    }
    if let Some(sku) = asked.pointer("/sku/name").and_then(Value::as_str) {
        let tier = sku.split('_').next().unwrap_or("Standard");
        document["sku"] = json!({ "name": sku, "tier": tier });
    }
    let none = Map::new();
    let sent = match asked.get("properties") {
        None | Some(Value::Null) => &none,
        Some(Value::Object(sent)) => sent,
        Some(_) => return Err(ArmError::invalid_content("properties is not an object")),
    };
    if let Some(flag) = sent.get("allowSharedKeyAccess").filter(|flag| !flag.is_boolean() && !flag.is_null()) {
        return Err(ArmError::invalid_content(&format!("allowSharedKeyAccess cannot be {flag}")));
    }
    if let Some(properties) = document["properties"].as_object_mut() {
        for (name, value) in sent.iter().filter(|(name, value)| !value.is_null() && !READ_ONLY.contains(&name.as_str()))
        {
            properties.insert(name.clone(), value.clone());
        }
    }
    Ok(document)
}

fn act(world: &mut World, request: &Request, id: &str, action: &str) -> Result<Answer, ArmError> {
    let key = ids::key(id);
    if world.store.resource(&key).is_none() {
        return Err(ArmError::resource_not_found(id));
    }
    refuse_unprovisioned(world, id)?;
    match action {
        "listkeys" => {}
        "regeneratekey" => {
            let asked = request.json()?;
            let name = asked.get("keyName").and_then(Value::as_str).unwrap_or("").to_ascii_lowercase();
            let created = world.clock.now();
            let keys = world.store.account_keys.entry(key.clone()).or_default();
            let Some(old) = keys.iter_mut().find(|old| old.name == name) else {
                return Err(ArmError::bad_request(
                    "InvalidValuesForRequestParameters",
                    format!("Values for request parameters are invalid: keyName '{name}'."),
                ));
            };
            *old = AccountKey { name: name.clone(), value: new_key(), created };
            if let Some(document) = world.store.resource_mut(&key) {
                document["properties"]["keyCreationTime"][&name] = json!(clock::ticks(created));
            }
        }
        _ => return Err(ArmError::unknown_type("Microsoft.Storage", &format!("storageAccounts/{action}"))),
    }
    let keys = world.store.account_keys.get(&key).map(Vec::as_slice).unwrap_or_default();
    let keys: Vec<Value> = keys
        .iter()
        .map(|key| {
            json!({
                "keyName": key.name, "value": key.value, "permissions": "FULL",
                "creationTime": clock::ticks(key.created),
            })
        })
        .collect();
    Ok(Answer::ok(json!({ "keys": keys })))
}

fn new_key() -> String {
    let bytes: Vec<u8> = (0..4).flat_map(|_| Uuid::new_v4().into_bytes()).collect();
    STANDARD.encode(bytes)
}

/// Puts a finished document in place.
pub(crate) fn write(world: &mut World, key: &str, mut document: Value, at: OffsetDateTime) {
    document["properties"]["provisioningState"] = json!("Succeeded");
    let lag = world.options.read_delay;
    world.store.write(key, Some(document), at, lag);
    let both = || ["key1", "key2"].map(|name| AccountKey { name: name.to_owned(), value: new_key(), created: at });
    world.store.account_keys.entry(key.to_owned()).or_insert_with(|| both().to_vec());
}

/// Deletes an account.
pub(crate) fn remove(world: &mut World, key: &str, at: OffsetDateTime) {
    let lag = world.options.read_delay;
    world.store.write(key, None, at, lag);
    world.store.account_keys.remove(key);
    world.store.documents.remove_below(key);
    metrics::forget(world, key);
    world.store.assignments.remove_below(key, at);
}

/// Puts an account in from a seed.
pub(crate) fn seed(world: &mut World, id: &str, asked: &Value) -> Result<(), ArmError> {
    let document = created(world, id, asked)?;
    let (key, at) = (ids::key(id), world.clock.now());
    write(world, &key, document, at);
    if let Some(entry) = world.store.resources.get_mut(&key) {
        entry.show();
    }
    Ok(())
}
