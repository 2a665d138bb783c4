//! A workspace's four system datastores, whose credentials follow its mode (facts: azure.md §1.6,
//! §13.5).

use serde_json::{Value, json};

use super::super::ids;
use super::super::metadata::STORAGE_SUFFIX;
use super::super::options::Datastores;
use super::super::storage::services::Service;
use super::super::world::World;
use super::{mode, text};

/// What they are called.
const NAMES: [&str; 4] =
    ["workspaceblobstore", "workspaceartifactstore", "workspacefilestore", "workspaceworkingdirectory"];

/// Type of each one, and its container or share.
fn places(workspace: &Value) -> [(&'static str, String); 4] {
    let id = text(workspace, "/properties/workspaceId");
    let isolated = workspace.pointer("/properties/enableDataIsolation") == Some(&Value::Bool(true));
    let names = if isolated {
        [format!("{id}-azureml-blobstore"), format!("{id}-azureml"), format!("{id}-file"), format!("{id}-code")]
    } else {
        let directory = "code-391ff5ac-6576-460f-ba4d-7e03433c68b6".to_owned();
        [format!("azureml-blobstore-{id}"), "azureml".to_owned(), format!("azureml-filestore-{id}"), directory]
    };
    let [blobs, artifacts, files, directory] = names;
    [("AzureBlob", blobs), ("AzureBlob", artifacts), ("AzureFile", files), ("AzureFile", directory)]
}

/// All four of a workspace (a key) as GET shows them.
pub(super) fn all(world: &World, key: &str, workspace: &Value) -> Vec<Value> {
    NAMES.into_iter().zip(places(workspace)).map(|(name, place)| show(world, key, workspace, name, &place)).collect()
}

/// The one of this name.
pub(super) fn find(world: &World, key: &str, workspace: &Value, name: &str) -> Option<Value> {
    all(world, key, workspace).into_iter().find(|system| text(system, "/name").eq_ignore_ascii_case(name))
}

/// What `listSecrets` answers for each of them.
pub(super) fn secrets(world: &World, workspace: &str) -> Value {
    match world.store.datastore_keys.get(workspace).filter(|_| uses_keys(world, workspace)) {
        Some(held) => json!({ "secretsType": "AccountKey", "key": held }),
        None => json!({ "secretsType": "None" }),
    }
}

/// Makes the containers and shares of a new workspace.
pub(super) fn make_places(world: &mut World, workspace: &Value) {
    let account = text(workspace, "/properties/storageAccount");
    if world.store.resource(&ids::key(account)).is_none() {
        return;
    }
    for (kind, name) in places(workspace) {
        let service = if kind == "AzureBlob" { Service::Blob } else { Service::File };
        service.ensure(world, account, &name);
    }
}

fn uses_keys(world: &World, workspace: &str) -> bool {
    world.store.datastore_modes.get(workspace).is_none_or(|mode| mode == "accesskey")
}

fn show(world: &World, key: &str, workspace: &Value, name: &str, (kind, place): &(&str, String)) -> Value {
    let credentials = if uses_keys(world, key) { "AccountKey" } else { "None" };
    let id = text(workspace, "/id");
    let storage = text(workspace, "/properties/storageAccount");
    let mut properties = json!({
        "datastoreType": kind,
        "accountName": ids::name(storage),
        "endpoint": STORAGE_SUFFIX,
        "protocol": "https",
        "isDefault": name == "workspaceblobstore",
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
