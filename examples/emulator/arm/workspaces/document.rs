//! What a workspace's document becomes when it is put or patched (facts: azure.md §1.5, §1.6).

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::errors::ArmError;
use super::super::options::PutWithoutMode;
use super::super::world::World;
use super::super::{clock, ids};
use super::rules::{FIXED, FIXED_FLAGS};
use super::{MODE, TYPE, kind, text};

/// Properties that only the service writes; what clients send for them is accepted and ignored.
const READ_ONLY: [&str; 12] = [
    "workspaceId",
    "tenantId",
    "mlFlowTrackingUri",
    "notebookInfo",
    "privateEndpointConnections",
    "privateLinkCount",
    "provisioningState",
    "serviceProvisionedResourceGroup",
    "storageHnsEnabled",
    "associatedWorkspaces",
    "creationTime",
    "firewallPublicIpAddress",
];

/// What only the service writes of a managed network.
const READ_ONLY_OF_NETWORK: [&str; 3] = ["status", "networkId", "changeableIsolationModes"];

/// Properties that a PATCH may change.
const PATCHABLE: [&str; 16] = [
    "friendlyName",
    "description",
    "applicationInsights",
    "containerRegistry",
    MODE,
    "managedNetwork",
    "publicNetworkAccess",
    "imageBuildCompute",
    "primaryUserAssignedIdentity",
    "serverlessComputeSettings",
    "serviceManagedResourcesSettings",
    "featureStoreSettings",
    "enableDataIsolation",
    "v1LegacyMode",
    "encryption",
    "networkAcls",
];

/// Properties that are booleans; templates send them as texts.
pub(super) const BOOLEANS: [&str; 10] = [
    "hbiWorkspace",
    "v1LegacyMode",
    "allowPublicAccessWhenBehindVnet",
    "enableDataIsolation",
    "softDeleteEnabled",
    "allowRecoverSoftDeletedWorkspace",
    "allowRoleAssignmentOnRG",
    "provisionNetworkNow",
    "enableServiceSideCMKEncryption",
    "enableSoftwareBillOfMaterials",
];

/// Whether a workspace may be called this: 3 to 33 letters, digits, hyphens and underscores.
pub(super) fn valid_name(name: &str) -> bool {
    (3..=33).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// Whether a value says yes, as a boolean or as a text.
pub(super) fn is_true(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(yes)) => *yes,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    }
}

/// The document that a PUT makes.
pub(super) fn put(
    world: &mut World,
    id: &str,
    before: Option<&Value>,
    asked: &Value,
    caller: &str,
) -> Result<Value, ArmError> {
    let asked_properties = properties(asked);
    let stored = before.map_or_else(|| canonical(world, id), |before| text(before, "/id").to_owned());
    let mut document = skeleton(world, &stored, before, caller);

    let was = |pointer: &str| before.and_then(|before| before.pointer(pointer)).cloned();
    document["location"] = was("/location").unwrap_or_else(|| {
        asked.get("location").cloned().filter(Value::is_string).unwrap_or_else(|| json!(location(world, &stored)))
    });
    document["kind"] = asked.get("kind").cloned().filter(Value::is_string).or(was("/kind")).unwrap_or(json!("Default"));
    document["tags"] = asked.get("tags").cloned().filter(Value::is_object).unwrap_or(json!({}));
    document["sku"] = asked
        .get("sku")
        .cloned()
        .filter(Value::is_object)
        .or(was("/sku"))
        .unwrap_or(json!({ "name": "Basic", "tier": "Basic" }));
    let default = json!({ "type": "SystemAssigned" });
    let identity = asked.get("identity").filter(|identity| identity.is_object());
    let identity = identity.or(if before.is_none() { Some(&default) } else { None });
    set_identity(world, &mut document, &stored, identity)?;

    let service = document["properties"].as_object().cloned().unwrap_or_default();
    let mut next = defaults(&stored, &kind(&document));
    for (name, value) in &service {
        // What the service keeps, and what cannot change, outlives a PUT that leaves it out.
        let kept = READ_ONLY.contains(&name.as_str()) || FIXED.contains(&name.as_str()) || name == "discoveryUrl";
        if kept || name == "encryption" || (name == MODE && world.options.put_without_mode == PutWithoutMode::Keep) {
            next.insert(name.clone(), value.clone());
        }
    }
    if let (Some(old), Some(Value::Object(new))) = (service.get("managedNetwork"), next.get_mut("managedNetwork")) {
        let kept = READ_ONLY_OF_NETWORK.iter().filter_map(|name| Some(((*name).to_owned(), old.get(name)?.clone())));
        new.extend(kept);
    }
    merge(&mut next, asked_properties);
    keep_fixed(before, &mut next);
    inherit_from_hub(world, &mut next)?;
    build_network(&stored, &mut next);
    document["properties"] = Value::Object(next);
    Ok(document)
}

/// Encryption and what goes with it: as at the creation, but for the key. It turns hbiWorkspace on.
fn keep_fixed(before: Option<&Value>, next: &mut Map<String, Value>) {
    let Some(before) = before else {
        if next.get("encryption").is_some_and(|encryption| text(encryption, "/status").eq_ignore_ascii_case("Enabled"))
        {
            next.insert("hbiWorkspace".to_owned(), json!(true));
        }
        return;
    };
    for name in FIXED_FLAGS {
        if let Some(old) = before.pointer(&format!("/properties/{name}")) {
            next.insert(name.to_owned(), old.clone());
        }
    }
    let key = next.get("encryption").and_then(|new| new.pointer("/keyVaultProperties/keyIdentifier")).cloned();
    next.remove("encryption");
    if let Some(old) = before.pointer("/properties/encryption").filter(|old| old.is_object()) {
        let mut encryption = old.clone();
        if let Some(key) = key.filter(|key| key.is_string()) {
            encryption["keyVaultProperties"]["keyIdentifier"] = key;
        }
        next.insert("encryption".to_owned(), encryption);
    }
}

/// A network that isolates has an id, and is built at once if that was asked for.
fn build_network(id: &str, properties: &mut Map<String, Value>) {
    let now = is_true(properties.get("provisionNetworkNow"));
    let Some(network) = properties.get_mut("managedNetwork").filter(|network| is_isolated(network)) else { return };
    if network.get("networkId").is_none() {
        let network_id = Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("network:{}", ids::key(id)).as_bytes());
        network["networkId"] = json!(network_id.to_string());
    }
    if now {
        provision(network);
    }
}

fn is_isolated(network: &Value) -> bool {
    network.get("isolationMode").and_then(Value::as_str).is_some_and(|mode| !mode.eq_ignore_ascii_case("Disabled"))
}

/// Builds a managed network.
pub(super) fn provision(network: &mut Value) {
    if is_isolated(network) {
        network["status"] = json!({ "status": "Active", "sparkReady": true });
    }
}

/// The document that a PATCH makes.
pub(super) fn patch(
    world: &mut World,
    id: &str,
    before: &Value,
    asked: &Value,
    caller: &str,
) -> Result<Value, ArmError> {
    let mut asked_properties = properties(asked);
    asked_properties.retain(|name, _| PATCHABLE.contains(&name.as_str()));
    // Of encryption a PATCH takes one member alone.
    if let Some(encryption) = asked_properties.remove("encryption")
        && let Some(key) = encryption.pointer("/keyVaultProperties/keyIdentifier").filter(|key| key.is_string())
    {
        let encryption = json!({ "keyVaultProperties": { "keyIdentifier": key } });
        asked_properties.insert("encryption".to_owned(), encryption);
    }
    let mut document = skeleton(world, text(before, "/id"), Some(before), caller);
    for name in ["tags", "sku"] {
        if let Some(value) = asked.get(name).filter(|value| value.is_object()) {
            document[name] = value.clone();
        }
    }
    set_identity(world, &mut document, id, asked.get("identity").filter(|identity| identity.is_object()))?;
    if let Some(next) = document["properties"].as_object_mut() {
        merge(next, asked_properties);
        keep_fixed(Some(before), next);
        build_network(id, next);
    }
    Ok(document)
}

/// The document as it is, or the beginnings of a new one, with systemData brought up to date.
fn skeleton(world: &World, id: &str, before: Option<&Value>, caller: &str) -> Value {
    let now = clock::seconds(world.clock.now());
    let caller_is_app =
        world.store.principals.get(&caller.to_ascii_lowercase()).is_none_or(|p| p.kind == "ServicePrincipal");
    let caller_kind = if caller_is_app { "Application" } else { "User" };
    let mut document = before.cloned().unwrap_or_else(|| {
        let (name, location) = (ids::name(id), location(world, id));
        let unique = Uuid::new_v5(&Uuid::NAMESPACE_URL, ids::key(id).as_bytes());
        json!({
            "id": id,
            "name": name,
            "type": TYPE,
            "location": location,
            "systemData": { "createdBy": caller, "createdByType": caller_kind, "createdAt": now },
            "properties": {
                "workspaceId": unique.to_string(),
                "tenantId": world.options.tenant_id,
                "storageHnsEnabled": false,
                "discoveryUrl": format!("https://{location}.api.emulated.test/discovery"),
                "mlFlowTrackingUri": format!("azureml://{location}.api.emulated.test/mlflow/v1.0{id}"),
                "privateEndpointConnections": [],
                "privateLinkCount": 0,
                "associatedWorkspaces": [],
            },
        })
    });
    document["systemData"]["lastModifiedBy"] = json!(caller);
    document["systemData"]["lastModifiedByType"] = json!(caller_kind);
    document["systemData"]["lastModifiedAt"] = json!(now);
    document["properties"]["provisioningState"] = json!("Succeeded");
    document
}

/// What a PUT that says nothing else gives a workspace. A project has its network of its hub.
fn defaults(id: &str, kind: &str) -> Map<String, Value> {
    // Facts: azure.md §9.6.
    let isolates = ["hub", "project"].contains(&kind);
    let defaults = json!({
        "friendlyName": "",
        "description": "",
        "hbiWorkspace": false,
        "v1LegacyMode": false,
        "allowPublicAccessWhenBehindVnet": false,
        "publicNetworkAccess": "Enabled",
        "enableDataIsolation": isolates,
        "workspaceHubConfig": { "defaultWorkspaceResourceGroup": ids::group(id) },
    });
    let mut defaults = match defaults {
        Value::Object(defaults) => defaults,
        _ => Map::new(),
    };
    if kind != "project" {
        let status = json!({ "status": "Inactive", "sparkReady": false });
        defaults.insert("managedNetwork".to_owned(), json!({ "isolationMode": "Disabled", "status": status }));
    }
    defaults
}

/// The properties sent, booleans straightened and read-only ones dropped.
fn properties(asked: &Value) -> Map<String, Value> {
    let mut properties = asked.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    properties.retain(|name, _| !READ_ONLY.contains(&name.as_str()));
    for name in BOOLEANS {
        if let Some(value) = properties.get_mut(name).filter(|value| value.is_string()) {
            *value = json!(is_true(Some(value)));
        }
    }
    // A null says nothing of these; of others it clears what is there.
    for name in FIXED.into_iter().chain([MODE]) {
        if properties.get(name).is_some_and(Value::is_null) {
            properties.remove(name);
        }
    }
    if let Some(network) = properties.get_mut("managedNetwork").and_then(Value::as_object_mut) {
        network.retain(|name, _| !READ_ONLY_OF_NETWORK.contains(&name.as_str()));
    }
    properties
}

/// Merges sent properties in: objects member by member, everything else replaced; null clears.
fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (name, value) in from {
        match (into.get_mut(&name), value) {
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (_, Value::Null) => _ = into.remove(&name),
            (_, value) => _ = into.insert(name, value),
        }
    }
}

/// A project has its hub's storage, vault, mode and the like.
fn inherit_from_hub(world: &World, properties: &mut Map<String, Value>) -> Result<(), ArmError> {
    let Some(hub) = properties.get("hubResourceId").and_then(Value::as_str).filter(|hub| !hub.is_empty()) else {
        return Ok(());
    };
    let hub = world.store.resource(&ids::key(hub)).ok_or_else(|| ArmError::resource_not_found(hub))?;
    for name in ["storageAccount", "keyVault", "applicationInsights", "containerRegistry", "managedNetwork", MODE] {
        if let Some(value) = hub.pointer(&format!("/properties/{name}"))
            && !properties.contains_key(name)
        {
            properties.insert(name.to_owned(), value.clone());
        }
    }
    Ok(())
}

/// Sets the identity as asked; identities that stay keep their object ids.
fn set_identity(world: &mut World, document: &mut Value, id: &str, asked: Option<&Value>) -> Result<(), ArmError> {
    let Some(asked) = asked else { return Ok(()) };
    let kind = asked
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_else(|| text(document, "/identity/type"))
        .to_ascii_lowercase();
    let kinds: Vec<&str> = kind.split(',').map(str::trim).collect();
    if let Some(unknown) = kinds.iter().find(|kind| !["none", "", "systemassigned", "userassigned"].contains(kind)) {
        return Err(ArmError::bad_request(
            "InvalidIdentityType",
            format!("The identity type '{unknown}' is not valid."),
        ));
    }
    let (system, user) = (kinds.contains(&"systemassigned"), kinds.contains(&"userassigned"));
    let mut identity = Map::new();
    let name = match (system, user) {
        (true, true) => "SystemAssigned,UserAssigned",
        (true, false) => "SystemAssigned",
        (false, true) => "UserAssigned",
        (false, false) => "None",
    };
    identity.insert("type".to_owned(), json!(name));
    if system {
        let old = super::principal(document).map(str::to_owned);
        let principal = old.unwrap_or_else(|| world.new_identity(id));
        identity.insert("principalId".to_owned(), json!(principal));
        identity.insert("tenantId".to_owned(), json!(world.options.tenant_id));
    }
    if user {
        let mut held = document
            .pointer("/identity/userAssignedIdentities")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        for (resource, wanted) in asked.get("userAssignedIdentities").and_then(Value::as_object).into_iter().flatten() {
            let known = held.keys().find(|held| ids::same(held, resource)).cloned();
            match (known, wanted.is_null()) {
                (Some(known), true) => _ = held.remove(&known),
                (None, false) => _ = held.insert(resource.clone(), world.user_assigned(resource)),
                _ => {}
            }
        }
        identity.insert("userAssignedIdentities".to_owned(), Value::Object(held));
    }
    document["identity"] = Value::Object(identity);
    Ok(())
}

/// The location of an id's resource group.
fn location(world: &World, id: &str) -> String {
    let group = ids::group(id).and_then(|group| world.store.groups.get(&ids::key(&group)));
    group.map_or("eastus", |group| text(group, "/location")).to_owned()
}

/// An id as the service writes it: fixed labels in their own casing, names as the caller wrote them at creation.
fn canonical(world: &World, id: &str) -> String {
    let group = ids::group(id).unwrap_or_default();
    let group = world.store.groups.get(&ids::key(&group)).map_or(group.clone(), |known| text(known, "/id").to_owned());
    format!("{group}/providers/{TYPE}/{}", ids::name(id))
}
