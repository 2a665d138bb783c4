//! A workspace's four system datastores, whose credentials follow its mode (facts: azure.md §1.6).

use axum::http::Method;
use serde_json::{Value, json};

use super::super::errors::ArmError;
use super::super::http::{Answer, Request, page};
use super::super::ids::{self, Target};
use super::super::options::Datastores;
use super::super::world::World;
use super::{mode, text};

/// Name, type, and the container or share that each one is.
const SYSTEM: [(&str, &str, &str); 4] = [
    ("workspaceblobstore", "AzureBlob", "azureml-blobstore"),
    ("workspaceartifactstore", "AzureBlob", "azureml"),
    ("workspacefilestore", "AzureFile", "azureml-filestore"),
    ("workspaceworkingdirectory", "AzureFile", "code-391ff5ac-6576-460f-ba4d-7e03433c68b6"),
];

/// `…/datastores`, `…/datastores/{name}` and `…/datastores/{name}/listSecrets`.
pub(crate) fn answer(world: &World, request: &Request, target: &Target) -> Result<Answer, ArmError> {
    let workspace = Target { types: target.types[..1].to_vec(), names: target.names[..1].to_vec(), ..target.clone() };
    let key = ids::key(&workspace.id());
    let document = world.store.resource(&key).ok_or_else(|| ArmError::resource_not_found(&workspace.id()))?;
    let named = |name: &str| {
        let found = SYSTEM.iter().find(|(system, ..)| system.eq_ignore_ascii_case(name));
        found.ok_or_else(|| ArmError::not_found("UserError", format!("Error: The datastore '{name}' was not found.")))
    };
    match (&request.method, target.types.len(), target.names.len()) {
        (&Method::GET, 2, 1) => {
            let items: Vec<Value> = SYSTEM.iter().map(|datastore| show(world, &key, document, datastore)).collect();
            page(request, "$skip", world.options.page_size, &items)
        }
        (&Method::GET, 2, 2) => Ok(Answer::ok(show(world, &key, document, named(&target.names[1])?))),
        (&Method::POST, 3, 2) if target.types[2].eq_ignore_ascii_case("listSecrets") => {
            named(&target.names[1])?;
            Ok(Answer::ok(match world.store.datastore_keys.get(&key).filter(|_| uses_keys(world, &key)) {
                Some(held) => json!({ "secretsType": "AccountKey", "key": held }),
                None => json!({ "secretsType": "None" }),
            }))
        }
        _ => Err(ArmError::method_not_allowed(request.method.as_str())),
    }
}

fn uses_keys(world: &World, workspace: &str) -> bool {
    world.store.datastore_modes.get(workspace).is_none_or(|mode| mode == "accesskey")
}

fn show(world: &World, key: &str, workspace: &Value, (name, kind, place): &(&str, &str, &str)) -> Value {
    let credentials = if uses_keys(world, key) { "AccountKey" } else { "None" };
    let id = text(workspace, "/id");
    let storage = text(workspace, "/properties/storageAccount");
    let mut properties = json!({
        "datastoreType": kind,
        "accountName": ids::name(storage),
        "endpoint": "core.emulated.test",
        "protocol": "https",
        "isDefault": *name == "workspaceblobstore",
        "credentials": { "credentialsType": credentials },
        "serviceDataAccessAuthIdentity": if credentials == "None" { "WorkspaceSystemAssignedIdentity" } else { "None" },
        "subscriptionId": ids::part(storage, "subscriptions"),
        "resourceGroup": ids::part(storage, "resourceGroups"),
        "description": null,
        "tags": {},
        "properties": {},
    });
    properties[if *kind == "AzureBlob" { "containerName" } else { "fileShareName" }] = json!(place);
    json!({
        "id": format!("{id}/datastores/{name}"),
        "name": name,
        "type": "Microsoft.MachineLearningServices/workspaces/datastores",
        "systemData": workspace.get("systemData"),
        "properties": properties,
    })
}

/// Lets a workspace's datastores follow its mode, unless they never do.
pub(crate) fn follow(world: &mut World, workspace: &str) {
    if world.options.datastores == Datastores::Never {
        return;
    }
    if let Some(mode) = world.store.resource(workspace).map(mode) {
        world.store.datastore_modes.insert(workspace.to_owned(), mode);
        resync(world, workspace);
    }
}

/// Gives a workspace's datastores the first key of the account as it is now.
pub(crate) fn resync(world: &mut World, workspace: &str) {
    let Some(document) = world.store.resource(workspace) else { return };
    let account = ids::key(text(document, "/properties/storageAccount"));
    if let Some(key) = world.store.account_keys.get(&account).and_then(|keys| keys.first()) {
        let key = key.value.clone();
        world.store.datastore_keys.insert(workspace.to_owned(), key);
    }
}
