//! What a hub brings with it: datastores, projects, the platform's roles (azure.md §1.6).

use std::time::Duration;

use serde_json::{Value, json};

use super::client::{Arm, BLOB_CONTRIBUTOR, WORKSPACES, arm_with, names};
use super::workspaces::project;
use crate::azure::{Datastores, HubRole, Lro, OnOff};

async fn credentials(arm: &Arm) -> Vec<Value> {
    let reply = arm.get(&format!("{}/datastores?api-version=2024-10-01", arm.hub)).await;
    assert_eq!(
        names(&reply.body()),
        ["workspaceblobstore", "workspaceartifactstore", "workspacefilestore", "workspaceworkingdirectory"]
    );
    let stores = reply.body()["value"].as_array().expect("a list").clone();
    stores.iter().map(|store| store["properties"]["credentials"]["credentialsType"].clone()).collect()
}

/// azure.md §1.6, §12.6: the four system datastores follow the mode, at once, later, or never.
#[tokio::test]
async fn datastores_follow_the_mode() {
    let arm = arm_with(|options| options.lro = Lro::Done).await;
    let patch = async |mode: &str| {
        arm.patch(&arm.hub_path(), json!({ "properties": { "systemDatastoresAuthMode": mode } })).await;
    };
    assert_eq!(credentials(&arm).await, ["AccountKey"; 4]);
    patch("identity").await;
    assert_eq!(credentials(&arm).await, ["None"; 4]);
    arm.emulator.configure(|options| options.datastore_lag = Duration::from_secs(60));
    patch("accesskey").await;
    assert_eq!(credentials(&arm).await, ["None"; 4]);
    arm.emulator.advance(Duration::from_secs(60));
    assert_eq!(credentials(&arm).await, ["AccountKey"; 4]);
    arm.emulator.configure(|options| options.datastores = Datastores::Never);
    patch("identity").await;
    arm.emulator.advance(Duration::from_secs(600));
    assert_eq!(credentials(&arm).await, ["AccountKey"; 4]);
}

/// azure.md §1.1, §1.6: datastores hold the key they were given until resyncKeys.
#[tokio::test]
async fn resync_keys_gives_datastores_the_present_key() {
    let arm = arm_with(|options| options.lro = Lro::Done).await;
    let held = async || {
        let path = format!("{}/datastores/workspaceblobstore/listSecrets?api-version=2024-10-01", arm.hub);
        arm.post(&path, json!({})).await.at("/key")
    };
    let before = held().await;
    let new =
        arm.post(&format!("{}/regenerateKey?api-version=2023-05-01", arm.account), json!({ "keyName": "key1" })).await;
    assert_eq!(held().await, before);
    assert_eq!(arm.post(&format!("{}/resyncKeys?api-version=2025-06-01", arm.hub), json!({})).await.status, 200);
    assert_eq!(held().await, new.at("/keys/0/value"));
    assert_ne!(held().await, before);
}

/// azure.md §1.6: a project inherits its hub's storage and shows up in associatedWorkspaces while it is there.
#[tokio::test]
async fn a_project_belongs_to_its_hub() {
    let arm = arm_with(|options| {
        options.lro = Lro::Done;
        options.lro_delete = Lro::Done;
    })
    .await;
    let id = arm.emulator.id("rg1", WORKSPACES, "prj1");
    let path = format!("{id}?api-version=2025-06-01");
    let reply = arm.put(&path, project(&arm)).await;
    assert_eq!(reply.at("/properties/storageAccount"), arm.account.as_str());
    assert_eq!(arm.get(&arm.hub_path()).await.at("/properties/associatedWorkspaces"), json!([id]));
    assert_eq!(arm.delete(&path).await.status, 200);
    assert_eq!(arm.get(&arm.hub_path()).await.at("/properties/associatedWorkspaces"), json!([]));
}

/// Which roles the hub's identity has, by scope.
async fn hub_roles(arm: &Arm) -> Vec<(String, String)> {
    let principal = arm.get(&arm.hub_path()).await.at("/identity/principalId");
    let found = arm.assignments(&arm.account, "atScope()").await.body();
    let mine = found["value"].as_array().expect("a list").iter().map(|item| &item["properties"]);
    let mine = mine.filter(|properties| properties["principalId"] == principal);
    let last = |text: &Value| text.as_str().expect("a text").rsplit('/').next().expect("a segment").to_owned();
    mine.map(|properties| (last(&properties["scope"]), last(&properties["roleDefinitionId"]))).collect()
}

/// azure.md §1.6, §7 items 14, 30, 31, §12.5: the platform gives the hub's identity its roles when a hub is made, or
/// set to identity; which and when is switchable.
#[tokio::test]
async fn the_platform_gives_the_hubs_identity_its_roles() {
    let administrator = ("rg1".to_owned(), "b78c5d69-af96-48a3-bf8d-a8b4d589de94".to_owned());
    let blob = ("sa1".to_owned(), BLOB_CONTRIBUTOR.to_owned());
    let file = ("sa1".to_owned(), "69566ab7-960f-475b-8e7c-b3118f30c6bd".to_owned());
    let arm = arm_with(|options| {
        options.lro = Lro::Done;
        options.hub_role_delay = Duration::from_secs(30);
    })
    .await;
    let identity = json!({ "properties": { "systemDatastoresAuthMode": "identity" } });
    assert_eq!(hub_roles(&arm).await, []);
    arm.patch(&arm.hub_path(), identity.clone()).await;
    assert_eq!(hub_roles(&arm).await, []);
    arm.emulator.advance(Duration::from_secs(30));
    assert_eq!(hub_roles(&arm).await, [administrator, blob.clone()]);

    let arm = arm_with(|options| {
        options.lro = Lro::Done;
        options.hub_roles = vec![HubRole::Blob, HubRole::File];
    })
    .await;
    arm.delete(&format!("{}&forceToPurge=true", arm.hub_path())).await;
    let body = json!({ "kind": "Hub", "properties": { "storageAccount": arm.account } });
    assert_eq!(arm.put(&arm.hub_path(), body).await.status, 200);
    let mut roles = hub_roles(&arm).await;
    roles.sort();
    assert_eq!(roles, [file, blob]);
}

/// azure.md §9.6, §9.7: hubs isolate their data by default, and then the identity's grant for blobs has a condition;
/// which is switchable.
#[tokio::test]
async fn the_blob_role_of_an_isolated_hub_has_a_condition() {
    for (asked, switch, isolated, conditional) in [
        (json!({}), OnOff::On, true, true),
        (json!({}), OnOff::Off, true, false),
        (json!({ "enableDataIsolation": false }), OnOff::On, false, false),
    ] {
        let arm = arm_with(|options| {
            options.lro = Lro::Done;
            options.hub_roles = vec![HubRole::Blob, HubRole::File];
            options.hub_role_condition = switch;
        })
        .await;
        arm.delete(&format!("{}&forceToPurge=true", arm.hub_path())).await;
        let mut body = json!({ "kind": "Hub", "properties": asked });
        body["properties"]["storageAccount"] = json!(arm.account);
        let hub = arm.put(&arm.hub_path(), body).await;
        assert_eq!(hub.at("/properties/enableDataIsolation"), isolated);
        let found = arm.assignments(&arm.account, "atScope()").await.body();
        let condition = |role: &str| {
            let all = found["value"].as_array().expect("a list").iter().map(|item| &item["properties"]);
            let mut of_role = all.filter(|item| item["roleDefinitionId"].as_str().expect("a role").ends_with(role));
            of_role.next().expect("the role")["condition"].clone()
        };
        let blobs = condition(BLOB_CONTRIBUTOR);
        assert_eq!(blobs.is_string(), conditional);
        if conditional {
            assert!(
                blobs.as_str().expect("a text").contains(hub.at("/properties/workspaceId").as_str().expect("a text"))
            );
        }
        assert_eq!(condition("69566ab7-960f-475b-8e7c-b3118f30c6bd"), Value::Null);
    }
}

/// azure.md §1.6 "Kinds: Default, Hub, Project, FeatureStore": echoed as written, and read without regard to case.
#[tokio::test]
async fn a_kind_is_echoed_as_written_and_filtered_whatever_its_case() {
    let arm = arm_with(|options| options.lro = Lro::Done).await;
    for (number, (sent, filter)) in [
        ("hub", "Hub"),
        ("Hub", "hub"),
        ("HUB", "hub"),
        ("Default", "default"),
        ("project", "PROJECT"),
        ("FeatureStore", "featurestore"),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("kind{number}");
        let path = format!("{}?api-version=2025-06-01", arm.emulator.id("rg1", WORKSPACES, &name));
        let mut body = if sent == "project" { project(&arm) } else { arm.hub_body() };
        body["kind"] = json!(sent);
        assert_eq!(arm.put(&path, body).await.at("/kind"), sent, "{sent}");
        let list = arm.get(&format!("{}/providers/{WORKSPACES}?api-version=2025-06-01&kind={filter}", arm.group)).await;
        assert!(names(&list.body()).contains(&name), "{sent} by {filter}");
    }
    let path = format!("{}?api-version=2025-06-01", arm.emulator.id("rg1", WORKSPACES, "nokind"));
    let body = json!({ "properties": { "storageAccount": arm.account } });
    assert_eq!(arm.put(&path, body).await.at("/kind"), "Default", "no kind is Default");
}

/// azure.md §1.6 "Effect": credentialsType by mode, in the list and in each item.
#[tokio::test]
async fn datastores_have_the_credentials_of_the_mode() {
    let arm = arm_with(|options| options.lro = Lro::Done).await;
    for (mode, expected) in [
        ("accesskey", "AccountKey"),
        ("AccessKey", "AccountKey"),
        ("", "AccountKey"),
        ("identity", "None"),
        ("Identity", "None"),
        // Treated as an Entra-based mode (§12.4).
        ("UserDelegationSAS", "None"),
    ] {
        arm.patch(&arm.hub_path(), json!({ "properties": { "systemDatastoresAuthMode": mode } })).await;
        assert_eq!(credentials(&arm).await, [expected; 4], "{mode:?}");
        for name in ["workspaceblobstore", "workspaceartifactstore", "workspacefilestore", "workspaceworkingdirectory"]
        {
            let item = arm.get(&format!("{}/datastores/{name}?api-version=2024-10-01", arm.hub)).await;
            assert_eq!((item.status, item.at("/name")), (200, name.into()), "{mode:?}");
            assert_eq!(item.at("/properties/credentials/credentialsType"), expected, "{mode:?}: {name}");
            assert_eq!(item.at("/properties/accountName"), "sa1", "{mode:?}: {name}");
        }
    }
    assert_eq!(arm.get(&format!("{}/datastores/none?api-version=2024-10-01", arm.hub)).await.status, 404);
}

/// Which roles whoever is a workspace's system identity has, by the last segment of their scopes.
fn roles_of(arm: &Arm, id: &str) -> Vec<(String, String)> {
    let workspace = arm.emulator.resource(id).expect("the workspace");
    let principal = workspace["identity"]["principalId"].as_str().unwrap_or("none").to_owned();
    let all = arm.emulator.assignments().into_iter().filter(|found| found.principal_id == principal);
    let mut found: Vec<_> =
        all.map(|found| (found.scope.rsplit('/').next().unwrap_or("").to_owned(), found.role.clone())).collect();
    found.sort();
    found
}

/// azure.md §1.6 "Hub identity roles set by the platform", §7 items 14, 30, 31, §12.5.
#[tokio::test]
async fn the_platform_grants_by_kind_identity_and_switch() {
    const ADMINISTRATOR: &str = "b78c5d69-af96-48a3-bf8d-a8b4d589de94";
    const CONTRIBUTOR: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";
    let default = vec![HubRole::Blob, HubRole::Administrator];
    let system = json!({ "type": "SystemAssigned" });
    for (row, kind, identity, roles, expected) in [
        ("hub", "Hub", system.clone(), default.clone(), &[("rg1", ADMINISTRATOR), ("sa1", BLOB_CONTRIBUTOR)][..]),
        ("default", "Default", system.clone(), default.clone(), &[("rg1", ADMINISTRATOR), ("sa1", BLOB_CONTRIBUTOR)]),
        ("feature store", "FeatureStore", system.clone(), default.clone(), &[]),
        ("hub without a system identity", "Hub", json!({ "type": "None" }), default.clone(), &[]),
        ("an older hub", "Hub", system.clone(), vec![HubRole::Contributor], &[("rg1", CONTRIBUTOR)]),
        ("no roles", "Hub", system, vec![HubRole::None], &[]),
    ] {
        let arm = arm_with(|options| {
            options.lro = Lro::Done;
            options.hub_roles = roles;
        })
        .await;
        let id = arm.emulator.id("rg1", WORKSPACES, "new");
        let body = json!({ "kind": kind, "identity": identity, "properties": { "storageAccount": arm.account } });
        assert_eq!(arm.put(&format!("{id}?api-version=2025-06-01"), body).await.status, 200, "{row}");
        let found = roles_of(&arm, &id);
        let found: Vec<_> = found.iter().map(|(scope, role)| (scope.as_str(), role.as_str())).collect();
        assert_eq!(found, expected, "{row}");
    }
}

/// A project's identity is not its hub's: it gets no roles of a hub.
#[tokio::test]
async fn a_projects_identity_gets_no_roles_of_a_hub() {
    let arm = arm_with(|options| options.lro = Lro::Done).await;
    let id = arm.emulator.id("rg1", WORKSPACES, "prj1");
    assert_eq!(arm.put(&format!("{id}?api-version=2025-06-01"), project(&arm)).await.status, 200);
    assert_eq!(roles_of(&arm, &id), []);
}

/// A system identity that comes to a hub in identity mode gets the roles that one there from the start would have.
#[tokio::test]
async fn an_identity_that_comes_later_gets_its_roles() {
    let arm = arm_with(|options| options.lro = Lro::Done).await;
    let id = arm.emulator.id("rg1", WORKSPACES, "late");
    let path = format!("{id}?api-version=2025-06-01");
    let body = json!({
        "kind": "Hub", "identity": { "type": "None" },
        "properties": { "storageAccount": arm.account, "systemDatastoresAuthMode": "identity" },
    });
    assert_eq!(arm.put(&path, body).await.status, 200);
    assert_eq!(roles_of(&arm, &id), []);
    assert_eq!(arm.patch(&path, json!({ "identity": { "type": "SystemAssigned" } })).await.status, 200);
    let roles: Vec<String> = roles_of(&arm, &id).into_iter().map(|(scope, _)| scope).collect();
    assert_eq!(roles, ["rg1", "sa1"]);
}
