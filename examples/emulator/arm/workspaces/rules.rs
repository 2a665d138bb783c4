//! What the service refuses in a PUT or PATCH of a workspace (facts: azure.md §9.5, §9.6).

use axum::http::StatusCode;
use serde_json::{Map, Value};

use super::super::errors::ArmError;
use super::super::ids;
use super::super::options::{FixedProperties, Ruling};
use super::super::world::World;
use super::document::is_true;
use super::{MODE, kind, text};

/// Ids that are fixed once the workspace is there.
pub(super) const FIXED: [&str; 3] = ["storageAccount", "keyVault", "hubResourceId"];

/// Further properties that are, of which one switch says how a change is answered.
pub(super) const FIXED_FLAGS: [&str; 2] = ["hbiWorkspace", "enableDataIsolation"];

const TEXTS: [&str; 12] = [
    "friendlyName",
    "description",
    "storageAccount",
    "keyVault",
    "applicationInsights",
    "containerRegistry",
    "hubResourceId",
    MODE,
    "publicNetworkAccess",
    "imageBuildCompute",
    "primaryUserAssignedIdentity",
    "discoveryUrl",
];

const OBJECTS: [&str; 6] = [
    "managedNetwork",
    "encryption",
    "workspaceHubConfig",
    "serverlessComputeSettings",
    "serviceManagedResourcesSettings",
    "featureStoreSettings",
];

/// Isolation modes, each of which can become any that stands behind it.
pub(super) const ISOLATION: [&str; 3] = ["Disabled", "AllowInternetOutbound", "AllowOnlyApprovedOutbound"];

/// What a project has of its hub and may not define, with what the refusal calls it.
const OF_THE_HUB: [(&str, &str); 5] = [
    ("keyVault", "Key Vault"),
    ("storageAccount", "Storage Account"),
    ("containerRegistry", "Container Registry"),
    ("applicationInsights", "Application Insights"),
    ("encryption", "encryption"),
];

/// Refuses a body whose members are of other types than the schema's. A boolean may be a text.
pub(super) fn shape(asked: &Value) -> Result<(), ArmError> {
    let malformed = || ArmError::validation("Request body was malformed");
    let is =
        |value: Option<&Value>, right: fn(&Value) -> bool| value.is_none_or(|value| value.is_null() || right(value));
    let envelope = ["tags", "sku", "identity", "properties"].iter().all(|name| is(asked.get(name), Value::is_object))
        && ["location", "kind"].iter().all(|name| is(asked.get(name), Value::is_string))
        && is(asked.pointer("/identity/type"), Value::is_string)
        && is(asked.pointer("/identity/userAssignedIdentities"), Value::is_object);
    if !envelope {
        return Err(malformed());
    }
    let sent = sent(asked);
    let flag = |value: &Value| {
        let text = value.as_str().map(str::to_ascii_lowercase);
        value.is_boolean() || text.is_some_and(|text| text == "true" || text == "false")
    };
    let mode = asked.pointer("/properties/managedNetwork/isolationMode");
    let known = |mode: &Value| mode.as_str().is_some_and(|mode| rank(mode).is_some());
    let fits = TEXTS.iter().all(|name| is(sent.get(*name), Value::is_string))
        && OBJECTS.iter().all(|name| is(sent.get(*name), Value::is_object))
        && super::document::BOOLEANS.iter().all(|name| is(sent.get(*name), flag))
        && is(mode, known);
    if fits { Ok(()) } else { Err(malformed()) }
}

/// Refuses what a PUT may not say, of a new workspace or of one that is there.
pub(super) fn put(world: &World, before: Option<&Value>, asked: &Value) -> Result<(), ArmError> {
    let sent = sent(asked);
    let asked_kind = asked.get("kind").and_then(Value::as_str).map(str::to_ascii_lowercase);
    let is_project = asked_kind.clone().or(before.map(kind)).is_some_and(|kind| kind == "project");
    let needed: &[&str] = if is_project { &["hubResourceId"] } else { &["storageAccount"] };
    // What a workspace has is not given up by leaving it out.
    let held: &[&str] = if is_project { &[] } else { &["keyVault", "applicationInsights"] };
    let held = held.iter().filter(|name| before.is_some_and(|before| has(before, name)));
    if is_project {
        refuse_settings_of_the_hub(sent)?;
    }
    if needed.iter().chain(held).any(|name| sent.get(*name).is_none_or(Value::is_null)) {
        return Err(ArmError::validation("Missing dependent resources in workspace json"));
    }
    let Some(before) = before else {
        return storage(world, sent).and(identity(world, None, asked));
    };
    if asked_kind.is_some_and(|asked| asked != kind(before)) {
        return Err(fixed("kind"));
    }
    let place = |text: &str| text.replace(' ', "").to_ascii_lowercase();
    let (here, there) = (text(before, "/location"), asked.get("location").and_then(Value::as_str));
    if let Some(there) = there.filter(|there| place(there) != place(here)) {
        let (name, group) = (text(before, "/name"), ids::part(text(before, "/id"), "resourceGroups").unwrap_or(""));
        return Err(ArmError::conflict(
            "InvalidResourceLocation",
            format!(
                "The resource '{name}' already exists in location '{here}' in resource group '{group}'. A resource with \
                 the same name cannot be created in location '{there}'. Please select a new resource name."
            ),
        ));
    }
    if has(before, "containerRegistry") && !sent.contains_key("containerRegistry") {
        return Err(detaching("Container Registry", before));
    }
    if isolation(world, before) > 0 && sent.get("managedNetwork").is_none_or(Value::is_null) {
        return Err(network_stays());
    }
    if let Some(sent) = sent.get("encryption") {
        encryption(world, before, sent)?;
    }
    flag(world, before, sent, "hbiWorkspace")?;
    change(world, before, asked)
}

/// Refuses what a PATCH may not say. Of encryption it has the key alone.
pub(super) fn patch(world: &World, before: &Value, asked: &Value) -> Result<(), ArmError> {
    if let Some(key) = asked.pointer("/properties/encryption/keyVaultProperties/keyIdentifier") {
        encryption(world, before, &serde_json::json!({ "keyVaultProperties": { "keyIdentifier": key } }))?;
    }
    change(world, before, asked)
}

/// What PUT and PATCH have in common.
fn change(world: &World, before: &Value, asked: &Value) -> Result<(), ArmError> {
    let sent = sent(asked);
    for name in FIXED {
        let old = text(before, &format!("/properties/{name}"));
        if sent.get(name).and_then(Value::as_str).is_some_and(|new| !ids::same(old, new)) {
            return Err(fixed(name));
        }
    }
    flag(world, before, sent, "enableDataIsolation")?;
    for (name, called) in [("containerRegistry", "Container Registry"), ("applicationInsights", "Application Insights")]
    {
        if has(before, name) && sent.get(name).is_some_and(|new| new.is_null() || new == "") {
            return Err(detaching(called, before));
        }
    }
    let next = asked.pointer("/properties/managedNetwork/isolationMode").and_then(Value::as_str);
    let (old, next) = (isolation(world, before), next.and_then(rank));
    if let Some(next) = next.filter(|next| *next < old) {
        return Err(if next == 0 {
            network_stays()
        } else {
            ArmError::validation(format!(
                "The isolation mode of a managed network cannot be changed from '{}' to '{}'.",
                ISOLATION[old], ISOLATION[next]
            ))
        });
    }
    identity(world, Some(before), asked)
}

/// Refuses another value of a flag that is fixed. A PATCH has no hbiWorkspace.
fn flag(world: &World, before: &Value, sent: &Map<String, Value>, name: &str) -> Result<(), ArmError> {
    let old = is_true(before.pointer(&format!("/properties/{name}")));
    match sent.get(name) {
        Some(new) if !new.is_null() && is_true(Some(new)) != old => refuse_change(world, name),
        _ => Ok(()),
    }
}

/// Refuses a storage account that a workspace cannot use. One that the emulator does not know is believed.
fn storage(world: &World, sent: &Map<String, Value>) -> Result<(), ArmError> {
    let id = sent.get("storageAccount").and_then(Value::as_str).unwrap_or("");
    let Some(account) = world.store.resource(&ids::key(id)) else { return Ok(()) };
    if is_true(account.pointer("/properties/isHnsEnabled")) {
        return Err(ArmError::bad_request("BadRequest", "Cannot use storage with HNS enabled."));
    }
    let (kind, sku) = (text(account, "/kind"), text(account, "/sku/name"));
    let general = ["storage", "storagev2"].contains(&kind.to_ascii_lowercase().as_str());
    if !general || sku.to_ascii_lowercase().starts_with("premium") {
        return Err(ArmError::bad_request(
            "BadRequest",
            format!(
                "Cannot use storage of kind '{kind}' and sku '{sku}': only standard general-purpose accounts work."
            ),
        ));
    }
    Ok(())
}

fn refuse_settings_of_the_hub(sent: &Map<String, Value>) -> Result<(), ArmError> {
    let own = |name: &str| sent.get(name).is_some_and(|value| !value.is_null());
    if own("managedNetwork") {
        let text = "Project workspace shouldn't define it's own managed network properties.";
        return Err(ArmError::validation(text));
    }
    match OF_THE_HUB.iter().find(|(name, _)| own(name)) {
        Some((_, called)) => Err(ArmError::validation(format!("Project shouldn't have its own {called}"))),
        None => Ok(()),
    }
}

/// Encryption is on or off for good, with one vault and identity; its key may become another of the same vault.
fn encryption(world: &World, before: &Value, sent: &Value) -> Result<(), ArmError> {
    let old = before.pointer("/properties/encryption").filter(|old| old.is_object());
    let said = |pointer: &str| sent.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let Some(old) = old else {
        let turns_on = said("/status").is_some_and(|status| status.eq_ignore_ascii_case("Enabled"))
            || said("/keyVaultProperties/keyIdentifier").is_some();
        return if turns_on { refuse_change(world, "encryption") } else { Ok(()) };
    };
    let differs = |pointer: &str| said(pointer).is_some_and(|new| !ids::same(new, text(old, pointer)));
    if ["/status", "/keyVaultProperties/keyVaultArmId", "/identity/userAssignedIdentity"].into_iter().any(differs) {
        return refuse_change(world, "encryption");
    }
    let vault = |key: &str| key.split('/').nth(2).unwrap_or("").to_ascii_lowercase();
    let key = "/keyVaultProperties/keyIdentifier";
    match said(key) {
        Some(new) if vault(new) != vault(text(old, key)) => Err(ArmError::bad_request(
            "BadRequest",
            "The key of an encrypted workspace can only be changed to another one of the same Key Vault.",
        )),
        _ => Ok(()),
    }
}

/// Identities can be added to a system-assigned one, and not be taken away again to leave it alone.
fn identity(world: &World, before: Option<&Value>, asked: &Value) -> Result<(), ArmError> {
    let types = |identity: Option<&Value>| {
        let kind = identity.and_then(Value::as_str).unwrap_or("").to_ascii_lowercase();
        (kind.contains("systemassigned"), kind.contains("userassigned"))
    };
    let kind = asked.pointer("/identity/type").filter(|kind| kind.is_string());
    let (system, user) = types(kind);
    let map = asked.pointer("/identity/userAssignedIdentities").and_then(Value::as_object);
    let failed = |message: String| Err(ArmError::bad_request("FailedIdentityOperation", message));
    if kind.is_some() && !user && map.is_some() {
        return failed("a non-UserAssigned identity type should not contain: userAssignedIdentities".to_owned());
    }
    let Some(before) = before else {
        let given = map.is_some_and(|map| map.values().any(|value| !value.is_null()));
        return if user && !given {
            failed("a UserAssigned identity type should contain: userAssignedIdentities".to_owned())
        } else {
            Ok(())
        };
    };
    let was = text(before, "/identity/type");
    let (had_system, had_user) = types(before.pointer("/identity/type"));
    let loses_user = system && !user && had_user;
    let loses_system = !system && had_system && world.options.system_identity_removal == Ruling::Refuse;
    if kind.is_some() && (loses_user || loses_system) {
        let asked = text(asked, "/identity/type");
        return failed(format!("The identity of a workspace cannot be changed from '{was}' to '{asked}'."));
    }
    Ok(())
}

/// Refuses a change of what is fixed, in the way of the switch.
fn refuse_change(world: &World, name: &str) -> Result<(), ArmError> {
    match world.options.fixed_properties {
        FixedProperties::Refuse => Err(fixed(name)),
        FixedProperties::Error => {
            let text = "An internal server error occurred.";
            Err(ArmError::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", text))
        }
        FixedProperties::Ignore => Ok(()),
    }
}

fn fixed(name: &str) -> ArmError {
    ArmError::bad_request(
        "BadRequest",
        format!("The property '{name}' of a workspace cannot be changed after the workspace was created."),
    )
}

fn detaching(called: &str, before: &Value) -> ArmError {
    let workspace = text(before, "/properties/workspaceId");
    ArmError::bad_request(
        "BadRequest",
        format!("Detaching {called} with workspace is not supported. Workspace id: {workspace}"),
    )
}

fn network_stays() -> ArmError {
    ArmError::validation("Managed network cannot be disabled once enabled.")
}

/// Where an isolation mode stands in [`ISOLATION`].
pub(super) fn rank(mode: &str) -> Option<usize> {
    ISOLATION.iter().position(|known| known.eq_ignore_ascii_case(mode))
}

/// The isolation of a workspace's network, which for a project is its hub's.
fn isolation(world: &World, document: &Value) -> usize {
    let hub = world.store.resource(&ids::key(text(document, "/properties/hubResourceId")));
    rank(text(hub.unwrap_or(document), "/properties/managedNetwork/isolationMode")).unwrap_or(0)
}

/// Whether a property is set.
fn has(document: &Value, name: &str) -> bool {
    !text(document, &format!("/properties/{name}")).is_empty()
}

/// The properties that a body has.
fn sent(asked: &Value) -> &Map<String, Value> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    asked.get("properties").and_then(Value::as_object).unwrap_or(&NONE)
}
