//! A workspace as GET shows it: its own spelling of ids and of the mode, members that no schema has, and nulls
//! (facts: azure.md §9.10).

use serde_json::{Map, Value, json};

use super::super::http::Request;
use super::super::ids;
use super::super::options::{IdCasing, IsolationModes, ModeCasing, Nulls, OnOff};
use super::super::storage;
use super::super::world::World;
use super::{MODE, TYPE, hides_mode, mode, rules, text};

/// Properties of the schema that may be unset.
const OPTIONAL: [&str; 14] = [
    "applicationInsights",
    "containerRegistry",
    "encryption",
    "featureStoreSettings",
    "hubResourceId",
    "imageBuildCompute",
    "keyVault",
    "notebookInfo",
    "primaryUserAssignedIdentity",
    "serverlessComputeSettings",
    "serviceManagedResourcesSettings",
    "serviceProvisionedResourceGroup",
    "sharedPrivateLinkResources",
    "storageAccount",
];

/// The document as one request may see it.
pub(crate) fn view(world: &World, request: &Request, mut document: Value) -> Value {
    let is_workspace = text(&document, "/type").eq_ignore_ascii_case(TYPE);
    if !is_workspace {
        storage::show(world, request, &mut document);
    }
    let id = text(&document, "/id").to_owned();
    let asked = request.path();
    match world.options.id_casing {
        IdCasing::Request if ids::same(&asked, &id) => document["id"] = json!(asked),
        IdCasing::Lower => document["id"] = json!(id.to_ascii_lowercase()),
        IdCasing::Request | IdCasing::Stored => {}
    }
    if is_workspace {
        document["properties"][MODE] = json!(mode_as_shown(world, &document));
        add_undeclared(world, &mut document);
        add_nulls(world, &mut document);
        if hides_mode(world, request)
            && let Some(properties) = document["properties"].as_object_mut()
        {
            properties.remove(MODE);
        }
    }
    document
}

fn mode_as_shown(world: &World, document: &Value) -> String {
    let written = text(document, &format!("/properties/{MODE}"));
    match (world.options.mode_casing, mode(document).as_str()) {
        (ModeCasing::Canonical, "accesskey") => "AccessKey".to_owned(),
        (ModeCasing::Canonical, "identity") => "Identity".to_owned(),
        (ModeCasing::Canonical, "userdelegationsas") => "UserDelegationSAS".to_owned(),
        (ModeCasing::Lower, mode) => mode.to_owned(),
        (_, mode) if written.is_empty() => mode.to_owned(),
        _ => written.to_owned(),
    }
}

/// What no schema has.
fn add_undeclared(world: &World, document: &mut Value) {
    let created = document.pointer("/systemData/createdAt").cloned().unwrap_or(Value::Null);
    let Some(properties) = document["properties"].as_object_mut() else { return };
    for (name, value) in [
        ("allowRoleAssignmentOnRG", json!(true)),
        ("enableFirewallLog", json!(false)),
        ("firewallPublicIpAddress", json!("")),
        ("creationTime", created),
        ("softDeleteEnabled", json!(world.options.soft_delete == OnOff::On)),
    ] {
        properties.entry(name).or_insert(value);
    }
    if let Some(network) = properties.get_mut("managedNetwork").and_then(Value::as_object_mut) {
        let rank = network.get("isolationMode").and_then(Value::as_str).and_then(rules::rank).unwrap_or(0);
        let reachable = match world.options.isolation_modes {
            IsolationModes::Listed => json!(rules::ISOLATION[rank + 1..]),
            IsolationModes::Empty => json!([]),
            IsolationModes::Absent => return,
        };
        network.insert("changeableIsolationModes".to_owned(), reachable);
    }
}

fn add_nulls(world: &World, document: &mut Value) {
    let add = |members: Option<&mut Map<String, Value>>, names: &[&str]| {
        if let Some(members) = members {
            for name in names {
                members.entry(*name).or_insert(Value::Null);
            }
        }
    };
    match world.options.nulls {
        Nulls::None => return,
        Nulls::Seen => {
            add(document.as_object_mut(), &["etag"]);
            add(document["properties"].as_object_mut(), &["containerRegistry", "imageBuildCompute"]);
            return;
        }
        Nulls::All => {}
    }
    if document["tags"] == json!({}) {
        document["tags"] = Value::Null;
    }
    add(document.as_object_mut(), &["etag"]);
    add(document["properties"].as_object_mut(), &OPTIONAL);
    add(document["sku"].as_object_mut(), &["size", "family", "capacity"]);
    add(document["identity"].as_object_mut(), &["principalId", "tenantId", "userAssignedIdentities"]);
    let network = document["properties"]["managedNetwork"].as_object_mut();
    add(network, &["outboundRules", "networkId", "firewallSku", "managedNetworkKind"]);
}
