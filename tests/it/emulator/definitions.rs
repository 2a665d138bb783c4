//! Role definitions (azure.md §4).

use serde_json::json;

use super::client::{ALICE, BLOB_CONTRIBUTOR, arm, grant, names};
use super::{NAME, OTHER};

/// azure.md §4: definitions by id at any scope and at the root, with their members.
#[tokio::test]
async fn definitions_are_found_under_every_scope() {
    let arm = arm().await;
    for (scope, place) in [
        ("", ""),
        (arm.account.as_str(), arm.subscription.as_str()),
        (arm.subscription.as_str(), arm.subscription.as_str()),
    ] {
        for version in ["2022-04-01", "2022-05-01-preview"] {
            let path = format!(
                "{scope}/providers/Microsoft.Authorization/roleDefinitions/{BLOB_CONTRIBUTOR}?api-version={version}"
            );
            let reply = arm.get(&path).await;
            assert_eq!(
                reply.at("/id"),
                format!("{place}/providers/Microsoft.Authorization/roleDefinitions/{BLOB_CONTRIBUTOR}")
            );
            assert_eq!(reply.at("/name"), BLOB_CONTRIBUTOR);
            assert_eq!(
                (reply.at("/properties/roleName"), reply.at("/properties/type")),
                ("Storage Blob Data Contributor".into(), "BuiltInRole".into())
            );
            assert_eq!(reply.at("/properties/assignableScopes"), json!(["/"]));
            for list in ["actions", "notActions", "dataActions", "notDataActions"] {
                assert!(reply.at(&format!("/properties/permissions/0/{list}")).is_array(), "{list}");
            }
        }
    }
    let missing =
        arm.get(&format!("/providers/Microsoft.Authorization/roleDefinitions/{NAME}?api-version=2022-04-01")).await;
    assert_eq!(missing.error(), (404, "RoleDefinitionDoesNotExist".to_owned()));
}

/// azure.md §4: the table of roles, by name and GUID, through the filter that clients send.
#[tokio::test]
async fn every_role_of_the_table_is_found_by_its_name() {
    let arm = arm().await;
    for (name, id) in [
        ("Storage Blob Data Contributor", "ba92f5b4-2d11-453d-a403-e96b0029c9fe"),
        ("Storage Blob Data Reader", "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"),
        ("Storage Blob Data Owner", "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"),
        ("Storage File Data Privileged Contributor", "69566ab7-960f-475b-8e7c-b3118f30c6bd"),
        ("Storage File Data Privileged Reader", "b8eda974-7b85-4f76-af95-65846b26df6d"),
        ("Storage File Data SMB Share Contributor", "0c867c2a-1d8c-454a-a3db-ab2ea1bdc8bb"),
        ("Azure AI Developer", "64702f94-c441-49e6-a78b-ef80e0188fee"),
        ("Azure AI Administrator", "b78c5d69-af96-48a3-bf8d-a8b4d589de94"),
        ("Contributor", "b24988ac-6180-42a0-ab88-20f7382dd24c"),
        ("Owner", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"),
        ("Reader", "acdd72a7-3385-48ef-bd42-f606fba81ae7"),
        ("Key Vault Administrator", "00482a5a-887f-4fb3-b363-3b7fe8e74483"),
        ("User Access Administrator", "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"),
        ("Role Based Access Control Administrator", "f58310d9-a9f6-439a-9e8d-f62e7b41a168"),
    ] {
        let filter = format!("roleName%20eq%20%27{}%27", name.replace(' ', "%20"));
        let path = format!(
            "{}/providers/Microsoft.Authorization/roleDefinitions?api-version=2022-05-01-preview&$filter={filter}",
            arm.account
        );
        assert_eq!(names(&arm.get(&path).await.body()), [id], "{name}");
    }
    let list = async |filter: &str| {
        let path = format!(
            "{}/providers/Microsoft.Authorization/roleDefinitions?api-version=2022-04-01&$filter={filter}",
            arm.account
        );
        names(&arm.get(&path).await.body()).len()
    };
    assert_eq!(list("type+eq+'BuiltInRole'").await, 15);
    assert_eq!(list("atScopeAndBelow()").await, 15);
    assert_eq!(list("type+eq+'CustomRole'").await, 0);
}

/// azure.md §4, §8: custom definitions, as azure-cli makes them.
#[tokio::test]
async fn custom_definitions_are_made_assigned_and_deleted() {
    let arm = arm().await;
    let id = format!("{}/providers/Microsoft.Authorization/roleDefinitions/{NAME}", arm.subscription);
    let path = format!("{id}?api-version=2022-05-01-preview");
    let body = json!({ "properties": { "roleName": "Mine", "type": "CustomRole", "assignableScopes": [arm.subscription],
        "permissions": [{ "actions": ["Microsoft.Storage/*/read"], "notActions": [], "dataActions": [], "notDataActions": [] }] } });
    let made = arm.put(&path, body).await;
    assert_eq!((made.status, made.at("/id"), made.at("/properties/type")), (201, json!(id), json!("CustomRole")));
    assert_eq!(arm.put(&arm.assignment_path(OTHER), grant(ALICE, NAME)).await.status, 201);
    assert_eq!(arm.delete(&path).await.status, 400);
    arm.delete(&arm.assignment_path(OTHER)).await;
    let deleted = arm.delete(&path).await;
    assert_eq!((deleted.status, deleted.at("/id")), (200, json!(id)));
    assert_eq!(arm.delete(&path).await.status, 204);
}

/// One row of azure.md §4's table: some of what "in brief" promises, what it denies, and whether it may do anything at
/// all with data.
struct Role {
    name: &'static str,
    actions: &'static [&'static str],
    not_actions: &'static [&'static str],
    data: &'static [&'static str],
    lacks: &'static [&'static str],
}

const CONTAINERS: &str = "Microsoft.Storage/storageAccounts/blobServices/containers";
const FILES: &str = "Microsoft.Storage/storageAccounts/fileServices";

/// azure.md §4: what each role of the table may do. `containers` and `files` stand for the prefixes that it names.
#[tokio::test]
async fn every_role_of_the_table_may_do_what_its_row_says() {
    let key = "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action";
    let rows = [
        Role {
            name: "Storage Blob Data Contributor",
            actions: &["containers/read", "containers/write", "containers/delete", "key"],
            not_actions: &[],
            data: &[
                "containers/blobs/read",
                "containers/blobs/write",
                "containers/blobs/delete",
                "containers/blobs/add/action",
                "containers/blobs/move/action",
            ],
            lacks: &["containers/blobs/*", "containers/*"],
        },
        Role {
            name: "Storage Blob Data Reader",
            actions: &["containers/read", "key"],
            not_actions: &[],
            data: &["containers/blobs/read"],
            lacks: &["containers/blobs/write", "containers/write"],
        },
        Role {
            name: "Storage Blob Data Owner",
            actions: &["containers/*", "key"],
            not_actions: &[],
            data: &["containers/blobs/*"],
            lacks: &[],
        },
        Role {
            name: "Storage File Data Privileged Contributor",
            actions: &[],
            not_actions: &[],
            data: &[
                "files/fileshares/files/read",
                "files/fileshares/files/write",
                "files/fileshares/files/delete",
                "files/fileshares/files/modifypermissions/action",
                "files/readFileBackupSemantics/action",
                "files/writeFileBackupSemantics/action",
            ],
            lacks: &[],
        },
        Role {
            name: "Storage File Data Privileged Reader",
            actions: &[],
            not_actions: &[],
            data: &["files/fileshares/files/read", "files/readFileBackupSemantics/action"],
            lacks: &["files/fileshares/files/write", "files/writeFileBackupSemantics/action"],
        },
        Role {
            name: "Storage File Data SMB Share Contributor",
            actions: &[],
            not_actions: &[],
            data: &["files/fileshares/files/read", "files/fileshares/files/write", "files/fileshares/files/delete"],
            lacks: &[
                "files/readFileBackupSemantics/action",
                "files/writeFileBackupSemantics/action",
                "files/fileshares/files/modifypermissions/action",
            ],
        },
        Role {
            name: "Azure AI Developer",
            actions: &[
                "Microsoft.MachineLearningServices/workspaces/*/read",
                "Microsoft.MachineLearningServices/workspaces/*/action",
                "Microsoft.MachineLearningServices/workspaces/*/write",
                "Microsoft.MachineLearningServices/workspaces/*/delete",
                "Microsoft.Authorization/*/read",
                "Microsoft.Resources/deployments/*",
            ],
            not_actions: &[
                "Microsoft.MachineLearningServices/workspaces/write",
                "Microsoft.MachineLearningServices/workspaces/delete",
                "Microsoft.MachineLearningServices/workspaces/listKeys/action",
                "Microsoft.MachineLearningServices/workspaces/hubs/write",
                "Microsoft.MachineLearningServices/workspaces/hubs/delete",
                "Microsoft.MachineLearningServices/workspaces/featurestores/write",
                "Microsoft.MachineLearningServices/workspaces/featurestores/delete",
            ],
            data: &[
                "Microsoft.CognitiveServices/accounts/OpenAI/*",
                "Microsoft.CognitiveServices/accounts/SpeechServices/*",
                "Microsoft.CognitiveServices/accounts/ContentSafety/*",
            ],
            lacks: &[],
        },
        Role {
            name: "Azure AI Administrator",
            actions: &[
                "Microsoft.MachineLearningServices/workspaces/*",
                "Microsoft.Storage/storageAccounts/*",
                "Microsoft.KeyVault/*",
                "Microsoft.Search/searchServices/*",
            ],
            not_actions: &[],
            data: &[],
            lacks: &[],
        },
        Role {
            name: "Contributor",
            actions: &["*"],
            not_actions: &[
                "Microsoft.Authorization/*/Write",
                "Microsoft.Authorization/*/Delete",
                "Microsoft.Authorization/elevateAccess/Action",
            ],
            data: &[],
            lacks: &[],
        },
        Role { name: "Owner", actions: &["*"], not_actions: &[], data: &[], lacks: &[] },
        Role { name: "Reader", actions: &["*/read"], not_actions: &[], data: &[], lacks: &["*"] },
        Role {
            name: "Key Vault Administrator",
            actions: &["Microsoft.KeyVault/vaults/*/read", "Microsoft.Resources/deployments/*"],
            not_actions: &[],
            data: &["Microsoft.KeyVault/vaults/*"],
            lacks: &["*", "Microsoft.KeyVault/*"],
        },
        Role {
            name: "User Access Administrator",
            actions: &["*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"],
            not_actions: &[],
            data: &[],
            lacks: &["*"],
        },
        Role {
            name: "Role Based Access Control Administrator",
            actions: &[
                "*/read",
                "Microsoft.Authorization/roleAssignments/write",
                "Microsoft.Authorization/roleAssignments/delete",
            ],
            not_actions: &[],
            data: &[],
            lacks: &["*", "Microsoft.Authorization/*"],
        },
    ];
    let arm = arm().await;
    let list = arm
        .get(&format!("{}/providers/Microsoft.Authorization/roleDefinitions?api-version=2022-04-01", arm.account))
        .await;
    let spelled = |short: &&str| match short.split_once('/') {
        Some(("containers", rest)) => format!("{CONTAINERS}/{rest}"),
        Some(("files", rest)) => format!("{FILES}/{rest}"),
        _ if *short == "key" => key.to_owned(),
        _ => (*short).to_owned(),
    };
    for Role { name, actions, not_actions, data, lacks } in rows {
        let found = list
            .at("/value")
            .as_array()
            .expect("a list")
            .iter()
            .find(|role| role["properties"]["roleName"] == name)
            .cloned();
        let permissions = found.unwrap_or_else(|| panic!("no {name}"))["properties"]["permissions"][0].clone();
        let listed = |kind: &str| -> Vec<String> {
            let texts = permissions[kind].as_array().expect("a list").iter();
            texts.map(|text| text.as_str().expect("a text").to_owned()).collect()
        };
        for (kind, promised) in [("actions", actions), ("notActions", not_actions), ("dataActions", data)] {
            let has = listed(kind);
            for wanted in promised.iter().map(spelled) {
                assert!(has.contains(&wanted), "row {name}: {wanted} is not among its {kind}");
            }
            if promised.is_empty() {
                assert_eq!(has, [""; 0], "row {name}: no {kind}");
            }
        }
        for unwanted in lacks.iter().map(spelled) {
            let has = listed("actions").contains(&unwanted) || listed("dataActions").contains(&unwanted);
            assert!(!has, "row {name}: {unwanted} is not for it");
        }
    }
}

/// azure.md §4 "Must be listable under any scope": ids are below the subscription that was asked.
#[tokio::test]
async fn definitions_are_listed_under_every_scope() {
    let arm = arm().await;
    let subscription = arm.subscription.as_str();
    let container = format!("{}/blobServices/default/containers/c", arm.account);
    for (row, scope, place) in [
        ("root", "", ""),
        ("management group", "/providers/Microsoft.Management/managementGroups/mg", ""),
        ("subscription", subscription, subscription),
        ("group", &arm.group, subscription),
        ("workspace", &arm.hub, subscription),
        ("account", &arm.account, subscription),
        ("child of an account", &container, subscription),
    ] {
        let path = format!(
            "{scope}/providers/Microsoft.Authorization/roleDefinitions?api-version=2022-05-01-preview&$filter=roleName eq 'Storage Blob Data Reader'"
        );
        let list = arm.get(&path).await;
        let id =
            format!("{place}/providers/Microsoft.Authorization/roleDefinitions/2a2b9908-6ea1-4ae2-8e65-a410df84e7d1");
        assert_eq!((list.status, list.at("/value/0/id")), (200, id.into()), "{row}");
        assert_eq!(list.at("/value").as_array().map(Vec::len), Some(1), "{row}");
    }
}
