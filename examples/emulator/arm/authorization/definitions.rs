//! Role definitions: the built-in ones that matter here, and custom ones (facts: azure.md §4).

use anyhow::ensure;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::clock;
use super::super::entra::Caller;
use super::super::errors::ArmError;
use super::super::filter::{self, Term};
use super::super::http::{Answer, Request};
use super::super::ids::{self, Target};
use super::super::workspaces::text;
use super::super::world::World;

/// One built-in role.
pub(crate) struct BuiltIn {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) actions: &'static [&'static str],
    pub(crate) not_actions: &'static [&'static str],
    pub(crate) data_actions: &'static [&'static str],
}

pub(crate) const BLOB_CONTRIBUTOR: &str = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";
pub(crate) const FILE_PRIVILEGED_CONTRIBUTOR: &str = "69566ab7-960f-475b-8e7c-b3118f30c6bd";
pub(crate) const AI_ADMINISTRATOR: &str = "b78c5d69-af96-48a3-bf8d-a8b4d589de94";
pub(crate) const CONTRIBUTOR: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";

const BLOBS: &str = "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action";

/// The roles of azure.md §4, and the one that §2 names besides.
pub(crate) const BUILT_IN: [BuiltIn; 15] = [
    BuiltIn {
        id: BLOB_CONTRIBUTOR,
        name: "Storage Blob Data Contributor",
        actions: &[
            "Microsoft.Storage/storageAccounts/blobServices/containers/delete",
            "Microsoft.Storage/storageAccounts/blobServices/containers/read",
            "Microsoft.Storage/storageAccounts/blobServices/containers/write",
            BLOBS,
        ],
        not_actions: &[],
        data_actions: &[
            "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete",
            "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",
            "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write",
            "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/move/action",
            "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action",
        ],
    },
    BuiltIn {
        id: "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
        name: "Storage Blob Data Reader",
        actions: &["Microsoft.Storage/storageAccounts/blobServices/containers/read", BLOBS],
        not_actions: &[],
        data_actions: &["Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"],
    },
    BuiltIn {
        id: "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
        name: "Storage Blob Data Owner",
        actions: &["Microsoft.Storage/storageAccounts/blobServices/containers/*", BLOBS],
        not_actions: &[],
        data_actions: &["Microsoft.Storage/storageAccounts/blobServices/containers/blobs/*"],
    },
    BuiltIn {
        id: FILE_PRIVILEGED_CONTRIBUTOR,
        name: "Storage File Data Privileged Contributor",
        actions: &[],
        not_actions: &[],
        data_actions: &[
            "Microsoft.Storage/storageAccounts/fileServices/fileshares/files/read",
            "Microsoft.Storage/storageAccounts/fileServices/fileshares/files/write",
            "Microsoft.Storage/storageAccounts/fileServices/fileshares/files/delete",
            "Microsoft.Storage/storageAccounts/fileServices/fileshares/files/modifypermissions/action",
            "Microsoft.Storage/storageAccounts/fileServices/readFileBackupSemantics/action",
            "Microsoft.Storage/storageAccounts/fileServices/writeFileBackupSemantics/action",
        ],
    },
    BuiltIn {
        id: "b8eda974-7b85-4f76-af95-65846b26df6d",
        name: "Storage File Data Privileged Reader",
        actions: &[],
        not_actions: &[],
        data_actions: &[
            "Microsoft.Storage/storageAccounts/fileServices/fileshares/files/read",
            "Microsoft.Storage/storageAccounts/fileServices/readFileBackupSemantics/action",
        ],
    },
    BuiltIn {
        id: "0c867c2a-1d8c-454a-a3db-ab2ea1bdc8bb",
        name: "Storage File Data SMB Share Contributor",
        actions: &[],
        not_actions: &[],
        data_actions: &[
            "Microsoft.Storage/storageAccounts/fileServices/fileshares/files/read",
            "Microsoft.Storage/storageAccounts/fileServices/fileshares/files/write",
            "Microsoft.Storage/storageAccounts/fileServices/fileshares/files/delete",
        ],
    },
    BuiltIn {
        id: "64702f94-c441-49e6-a78b-ef80e0188fee",
        name: "Azure AI Developer",
        actions: &[
            "Microsoft.MachineLearningServices/workspaces/*/read",
            "Microsoft.MachineLearningServices/workspaces/*/action",
            "Microsoft.MachineLearningServices/workspaces/*/write",
            "Microsoft.MachineLearningServices/workspaces/*/delete",
            "Microsoft.MachineLearningServices/locations/*/read",
            "Microsoft.Authorization/*/read",
            "Microsoft.Resources/deployments/*",
        ],
        not_actions: &[
            "Microsoft.MachineLearningServices/workspaces/delete",
            "Microsoft.MachineLearningServices/workspaces/write",
            "Microsoft.MachineLearningServices/workspaces/listKeys/action",
            "Microsoft.MachineLearningServices/workspaces/hubs/write",
            "Microsoft.MachineLearningServices/workspaces/hubs/delete",
            "Microsoft.MachineLearningServices/workspaces/featurestores/write",
            "Microsoft.MachineLearningServices/workspaces/featurestores/delete",
        ],
        data_actions: &[
            "Microsoft.CognitiveServices/accounts/OpenAI/*",
            "Microsoft.CognitiveServices/accounts/SpeechServices/*",
            "Microsoft.CognitiveServices/accounts/ContentSafety/*",
        ],
    },
    BuiltIn {
        id: AI_ADMINISTRATOR,
        name: "Azure AI Administrator",
        actions: &[
            "Microsoft.Authorization/*/read",
            "Microsoft.CognitiveServices/*",
            "Microsoft.ContainerRegistry/registries/*",
            "Microsoft.DocumentDb/databaseAccounts/*",
            "Microsoft.Features/features/read",
            "Microsoft.Insights/*",
            "Microsoft.KeyVault/*",
            "Microsoft.MachineLearningServices/workspaces/*",
            "Microsoft.Network/*/read",
            "Microsoft.ResourceHealth/availabilityStatuses/read",
            "Microsoft.Resources/deployments/*",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.Search/searchServices/*",
            "Microsoft.Storage/storageAccounts/*",
        ],
        not_actions: &[],
        data_actions: &[],
    },
    BuiltIn {
        id: "17d1049b-9a84-46fb-8f53-869881c3d3ab",
        name: "Storage Account Contributor",
        actions: &[
            "Microsoft.Authorization/*/read",
            "Microsoft.ResourceHealth/availabilityStatuses/read",
            "Microsoft.Resources/deployments/*",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.Storage/storageAccounts/*",
            "Microsoft.Support/*",
        ],
        not_actions: &[],
        data_actions: &[],
    },
    BuiltIn {
        id: CONTRIBUTOR,
        name: "Contributor",
        actions: &["*"],
        not_actions: &[
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
            "Microsoft.Blueprint/blueprintAssignments/write",
            "Microsoft.Blueprint/blueprintAssignments/delete",
            "Microsoft.Compute/galleries/share/action",
        ],
        data_actions: &[],
    },
    BuiltIn {
        id: "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
        name: "Owner",
        actions: &["*"],
        not_actions: &[],
        data_actions: &[],
    },
    BuiltIn {
        id: "acdd72a7-3385-48ef-bd42-f606fba81ae7",
        name: "Reader",
        actions: &["*/read"],
        not_actions: &[],
        data_actions: &[],
    },
    BuiltIn {
        id: "00482a5a-887f-4fb3-b363-3b7fe8e74483",
        name: "Key Vault Administrator",
        actions: &[
            "Microsoft.Authorization/*/read",
            "Microsoft.KeyVault/vaults/*/read",
            "Microsoft.Resources/deployments/*",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.Support/*",
        ],
        not_actions: &[],
        data_actions: &["Microsoft.KeyVault/vaults/*"],
    },
    BuiltIn {
        id: "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        name: "User Access Administrator",
        actions: &["*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"],
        not_actions: &[],
        data_actions: &[],
    },
    BuiltIn {
        id: "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
        name: "Role Based Access Control Administrator",
        actions: &[
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleAssignments/delete",
            "*/read",
            "Microsoft.Support/*",
        ],
        not_actions: &[],
        data_actions: &[],
    },
];

/// Whether a role GUID (in lower case) is known.
pub(crate) fn exists(world: &World, id: &str) -> bool {
    BUILT_IN.iter().any(|role| role.id == id) || world.store.custom_roles.contains_key(id)
}

/// A role's GUID by its name or by itself.
pub(crate) fn find(name_or_id: &str) -> Option<&'static str> {
    let wanted = ids::name(name_or_id);
    let same = |role: &&BuiltIn| role.name.eq_ignore_ascii_case(name_or_id) || role.id.eq_ignore_ascii_case(wanted);
    BUILT_IN.iter().find(same).map(|role| role.id)
}

/// `{scope}/providers/Microsoft.Authorization/roleDefinitions[/{id}]`.
pub(crate) fn answer(
    world: &mut World,
    request: &Request,
    target: &Target,
    caller: &Caller,
) -> Result<Answer, ArmError> {
    let Some(name) = target.names.first() else {
        return match request.method {
            Method::GET => list(world, request, &target.scope),
            _ => Err(ArmError::method_not_allowed(request.method.as_str())),
        };
    };
    let id = name.to_ascii_lowercase();
    let built_in = BUILT_IN.iter().find(|role| role.id == id);
    match request.method {
        Method::GET => all(world, &target.scope)
            .into_iter()
            .find(|role| text(role, "/name").eq_ignore_ascii_case(&id))
            .map(Answer::ok)
            .ok_or_else(|| missing(name)),
        Method::PUT | Method::DELETE if built_in.is_some() => {
            Err(ArmError::forbidden("RoleDefinitionBuiltIn", "A built-in role definition cannot be changed."))
        }
        Method::PUT => put(world, request, target, &id, caller),
        Method::DELETE => {
            if world.store.assignments.all().any(|assignment| assignment.role == id) {
                return Err(ArmError::bad_request(
                    "RoleDefinitionHasAssignments",
                    "There are existing role assignments referencing the role.",
                ));
            }
            Ok(match world.store.custom_roles.remove(&id) {
                Some(role) => Answer::ok(seen_from(&target.scope, role)),
                None => Answer::empty(StatusCode::NO_CONTENT),
            })
        }
        _ => Err(ArmError::method_not_allowed(request.method.as_str())),
    }
}

fn missing(name: &str) -> ArmError {
    ArmError::not_found(
        "RoleDefinitionDoesNotExist",
        format!("The specified role definition with ID '{name}' does not exist."),
    )
}

fn list(world: &World, request: &Request, scope: &str) -> Result<Answer, ArmError> {
    let text_of_filter = request.query("$filter").unwrap_or("");
    let mut roles = all(world, scope);
    for term in filter::parse(text_of_filter)? {
        match term {
            Term::Call(name) if name == "atscopeandbelow" || name == "atscope" => {}
            Term::Equals(name, value) if name.eq_ignore_ascii_case("roleName") => {
                roles.retain(|role| text(role, "/properties/roleName").eq_ignore_ascii_case(&value));
            }
            Term::Equals(name, value) if name.eq_ignore_ascii_case("type") => {
                roles.retain(|role| text(role, "/properties/type").eq_ignore_ascii_case(&value));
            }
            _ => {
                return Err(ArmError::bad_request(
                    "UnsupportedQuery",
                    format!("The filter '{text_of_filter}' is not supported."),
                ));
            }
        }
    }
    // The service answers role definitions on one page.
    Ok(Answer::ok(json!({ "value": roles })))
}

/// All roles as a scope shows them.
fn all(world: &World, scope: &str) -> Vec<Value> {
    let custom = world.store.custom_roles.values().cloned();
    BUILT_IN.iter().map(show).chain(custom).map(|role| seen_from(scope, role)).collect()
}

/// The role as a scope shows it: its id is below the scope's subscription, or below nothing.
fn seen_from(scope: &str, mut role: Value) -> Value {
    let place = ids::part(scope, "subscriptions").map(|id| format!("/subscriptions/{id}")).unwrap_or_default();
    role["id"] = json!(format!("{place}/providers/Microsoft.Authorization/roleDefinitions/{}", text(&role, "/name")));
    role
}

fn show(role: &BuiltIn) -> Value {
    json!({
        "name": role.id,
        "type": "Microsoft.Authorization/roleDefinitions",
        "properties": {
            "roleName": role.name,
            "type": "BuiltInRole",
            "description": format!("The built-in role {}.", role.name),
            "assignableScopes": ["/"],
            "permissions": [{
                "actions": role.actions, "notActions": role.not_actions,
                "dataActions": role.data_actions, "notDataActions": [],
            }],
            "createdOn": "2020-01-01T00:00:00.0000000Z",
            "updatedOn": "2024-01-01T00:00:00.0000000Z",
            "createdBy": null,
            "updatedBy": null,
        },
    })
}

fn put(world: &mut World, request: &Request, target: &Target, id: &str, caller: &Caller) -> Result<Answer, ArmError> {
    if !ids::is_guid(id) {
        return Err(ArmError::bad_request(
            "RoleDefinitionIdInvalid",
            format!("The role definition ID '{id}' is not a GUID."),
        ));
    }
    let asked = request.json()?;
    let properties = asked.get("properties").filter(|properties| properties.is_object()).unwrap_or(&asked);
    let name = text(properties, "/roleName");
    if name.is_empty() {
        return Err(ArmError::bad_request("InvalidRoleDefinition", "A role definition needs a roleName."));
    }
    let taken =
        |role: &Value| text(role, "/properties/roleName").eq_ignore_ascii_case(name) && text(role, "/name") != id;
    if all(world, "").iter().any(taken) {
        return Err(ArmError::conflict(
            "RoleDefinitionWithSameNameExists",
            format!(
                "A custom role with the same name already exists in this directory. Use a different name. Name: '{name}'."
            ),
        ));
    }
    let list = |name: &str| properties.get(name).filter(|list| list.is_array()).cloned().unwrap_or(json!([]));
    let description = properties.get("description").filter(|text| text.is_string()).cloned().unwrap_or(json!(""));
    let role = json!({
        "roleName": name,
        "type": "CustomRole",
        "description": description,
        "assignableScopes": list("assignableScopes"),
        "permissions": list("permissions"),
    });
    let role = keep(world, id, role, Some(&caller.object_id));
    Ok(Answer::json(StatusCode::CREATED, seen_from(&target.scope, role)))
}

/// Puts a custom role in that may be assigned anywhere.
pub(crate) fn seed(world: &mut World, id: &str, name: &str, permissions: Value) -> anyhow::Result<()> {
    ensure!(ids::is_guid(id), "the id of a custom role is a GUID, not {id:?}");
    ensure!(permissions.is_array(), "the permissions of the custom role {name:?} are no list");
    let role = json!({
        "roleName": name,
        "type": "CustomRole",
        "description": "",
        "assignableScopes": ["/"],
        "permissions": permissions,
    });
    keep(world, &id.to_ascii_lowercase(), role, None);
    Ok(())
}

/// Stores a custom role with the times and the author of the change.
fn keep(world: &mut World, id: &str, mut properties: Value, by: Option<&str>) -> Value {
    let now = clock::ticks(world.clock.now());
    let before = world.store.custom_roles.get(id);
    properties["createdOn"] = before.map_or(json!(now), |role| role["properties"]["createdOn"].clone());
    properties["updatedOn"] = json!(now);
    properties["createdBy"] = json!(by);
    properties["updatedBy"] = json!(by);
    let role = json!({ "name": id, "type": "Microsoft.Authorization/roleDefinitions", "properties": properties });
    world.store.custom_roles.insert(id.to_owned(), role.clone());
    role
}
