//! Private endpoints of storage accounts (facts: azure.md §13.8). A write has its effect at once.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::documents::{self, Kind};
use super::errors::ArmError;
use super::http::{Answer, Request};
use super::ids::{self, Target};
use super::workspaces::text;
use super::world::World;

/// The resource type.
pub(crate) const TYPE: &str = "Microsoft.Network/privateEndpoints";

const ENDPOINTS: Kind =
    Kind { made, created: StatusCode::CREATED, shown: Value::clone, missing: ArmError::resource_not_found };

/// The lists of what an endpoint is connected to, and in which state it is then.
const CONNECTIONS: [(&str, &str); 2] =
    [("privateLinkServiceConnections", "Approved"), ("manualPrivateLinkServiceConnections", "Pending")];

/// `…/privateEndpoints/{name}`.
pub(crate) fn answer(world: &mut World, request: &Request, target: &Target) -> Result<Answer, ArmError> {
    if !target.is_item() {
        return Err(ArmError::method_not_allowed(request.method.as_str()));
    }
    let id = target.id();
    let before = world.store.documents.get(&ids::key(&id)).cloned();
    let answer = ENDPOINTS.item(world, request, &id)?;
    match request.method {
        Method::PUT => connect(world, before.as_ref(), &id),
        Method::DELETE => {
            let at = world.clock.now();
            before.iter().for_each(|before| disconnect(world, before));
            world.store.assignments.remove_below(&ids::key(&id), at);
        }
        _ => {}
    }
    Ok(answer)
}

/// Puts an endpoint in from a seed.
pub(crate) fn seed(world: &mut World, id: &str, asked: &Value) -> Result<(), ArmError> {
    let before = world.store.documents.get(&ids::key(id)).cloned();
    ENDPOINTS.put(world, id, asked)?;
    connect(world, before.as_ref(), id);
    Ok(())
}

fn made(world: &World, id: &str, _: Option<&Value>, asked: &Value) -> Result<Value, ArmError> {
    let mut properties = documents::properties(asked);
    for (list, status) in CONNECTIONS {
        let connections = properties.entry(list).or_insert(json!([]));
        for connection in connections.as_array_mut().into_iter().flatten() {
            if let Some(connection) = connection.get_mut("properties").and_then(Value::as_object_mut) {
                connection.insert("privateLinkServiceConnectionState".to_owned(), state(status));
            }
        }
    }
    properties.insert("provisioningState".to_owned(), json!("Succeeded"));
    let mut document = documents::new(world, id, TYPE, properties);
    document["location"] = asked.get("location").cloned().unwrap_or_else(|| json!("eastus"));
    Ok(document)
}

fn state(status: &str) -> Value {
    json!({ "status": status, "description": "", "actionRequired": "None" })
}

/// Shows an endpoint in the accounts that it is connected to, and no longer in those that it was.
fn connect(world: &mut World, before: Option<&Value>, id: &str) {
    before.into_iter().for_each(|before| disconnect(world, before));
    let Some(endpoint) = world.store.documents.get(&ids::key(id)).cloned() else { return };
    for (account, status) in accounts(&endpoint) {
        let Some(document) = world.store.resource_mut(&ids::key(&account)) else { continue };
        let name = format!("{}.{}", ids::name(&account), ids::name(id));
        let connection = json!({
            "id": format!("{}/privateEndpointConnections/{name}", text(document, "/id")),
            "name": name,
            "type": "Microsoft.Storage/storageAccounts/privateEndpointConnections",
            "properties": {
                "provisioningState": "Succeeded",
                "privateEndpoint": { "id": text(&endpoint, "/id") },
                "privateLinkServiceConnectionState": state(status),
            },
        });
        if let Some(connections) = connections_of(document) {
            connections.push(connection);
        }
    }
}

fn disconnect(world: &mut World, endpoint: &Value) {
    for (account, _) in accounts(endpoint) {
        if let Some(connections) = world.store.resource_mut(&ids::key(&account)).and_then(connections_of) {
            let is_its = |connection: &Value| {
                ids::same(text(connection, "/properties/privateEndpoint/id"), text(endpoint, "/id"))
            };
            connections.retain(|connection| !is_its(connection));
        }
    }
}

fn connections_of(account: &mut Value) -> Option<&mut Vec<Value>> {
    account.pointer_mut("/properties/privateEndpointConnections")?.as_array_mut()
}

/// The accounts (ids) that an endpoint is connected to, with the state of each connection.
fn accounts(endpoint: &Value) -> Vec<(String, &'static str)> {
    let of = |(list, status): (&str, &'static str)| {
        let connections = endpoint.pointer(&format!("/properties/{list}")).and_then(Value::as_array);
        let ids = connections.into_iter().flatten().map(|one| text(one, "/properties/privateLinkServiceId").to_owned());
        ids.map(move |id| (id, status)).collect::<Vec<_>>()
    };
    CONNECTIONS.into_iter().flat_map(of).collect()
}
