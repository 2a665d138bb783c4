//! What azapi sends, replayed (azure.md §1.8): GET, PUT, poll, GET to create; GET, merge, PUT to update; DELETE, where
//! what is gone already is a success.

use serde_json::{Value, json};

use super::client::{ACCOUNTS, ALICE, Arm, BLOB_CONTRIBUTOR, Reply, WORKSPACES, arm, assignment_at, grant};

/// Polls as azcore does: the asynchronous status first, else the Location (azure.md §5.6).
async fn polled(arm: &Arm, path: &str, first: Reply) -> Reply {
    assert!([200, 201, 202].contains(&first.status), "azapi takes 200, 201 and 202: {}", first.text);
    if let Some(link) = first.header("azure-asyncoperation") {
        loop {
            let status = arm.get(link).await;
            assert_eq!(status.status, 200);
            match status.at("/status").as_str().expect("a status") {
                "Succeeded" => return arm.get(path).await,
                "InProgress" => {}
                other => panic!("{other}"),
            }
        }
    }
    let mut last = first;
    while last.status == 202 {
        let link = last.header("location").expect("a polling URL").to_owned();
        last = arm.get(&link).await;
    }
    last
}

/// A resource that azapi manages: its path, its body, and what an update changes.
struct Managed {
    row: &'static str,
    path: String,
    body: Value,
    change: (&'static str, Value),
}

fn managed(arm: &Arm) -> Vec<Managed> {
    let mut assignment = grant(ALICE, BLOB_CONTRIBUTOR);
    assignment["properties"]["principalType"] = json!("User");
    vec![
        Managed {
            row: "workspaces",
            path: format!("{}?api-version=2025-06-01", arm.emulator.id("rg1", WORKSPACES, "made")),
            body: json!({
                "location": "eastus", "kind": "Hub", "identity": { "type": "SystemAssigned" },
                "properties": { "storageAccount": arm.account, "systemDatastoresAuthMode": "identity" },
            }),
            change: ("systemDatastoresAuthMode", json!("accesskey")),
        },
        Managed {
            row: "storage accounts",
            path: format!("{}?api-version=2025-06-01", arm.emulator.id("rg1", ACCOUNTS, "made")),
            body: json!({
                "location": "eastus", "kind": "StorageV2", "sku": { "name": "Standard_LRS" },
                "properties": { "allowSharedKeyAccess": false },
            }),
            change: ("allowSharedKeyAccess", json!(true)),
        },
        Managed {
            row: "role assignments",
            path: assignment_at(&arm.account, "716c4d15-9bc8-476d-a3c1-6ccb70082517"),
            body: assignment,
            change: ("description", json!("changed")),
        },
    ]
}

#[tokio::test]
async fn azapi_creates_updates_and_deletes() {
    let arm = arm().await;
    for Managed { row, path, body, change: (name, value) } in managed(&arm) {
        assert_eq!(arm.get(&path).await.status, 404, "azapi_resource, {row}: GET expects 404");
        let first = arm.put(&path, body.clone()).await;
        let made = polled(&arm, &path, first).await;
        let read = arm.get(&path).await;
        assert_eq!((read.status, read.body()), (200, made.body()), "azapi_resource, {row}: GET after the poll");
        for (name, sent) in body["properties"].as_object().expect("properties") {
            if name != "roleDefinitionId" {
                assert_eq!(read.at(&format!("/properties/{name}")), *sent, "azapi_resource, {row}: {name}");
            }
        }

        let mut merged = read.body();
        merged["properties"][name] = value.clone();
        let first = arm.put(&path, merged.clone()).await;
        polled(&arm, &path, first).await;
        let after = arm.get(&path).await.body();
        assert_eq!(after["properties"][name], value, "azapi_update_resource, {row}: the change");
        for volatile in ["/systemData", "/properties/updatedOn", "/properties/updatedBy"] {
            if let (Some(old), Some(new)) = (merged.pointer_mut(volatile), after.pointer(volatile)) {
                *old = new.clone();
            }
        }
        assert_eq!(after, merged, "azapi_update_resource, {row}: nothing but the change");

        let gone = arm.delete(&path).await;
        assert!([200, 202, 204].contains(&gone.status), "{row}: DELETE: {}", gone.text);
        if gone.status == 202 {
            let link = gone.header("location").or(gone.header("azure-asyncoperation")).expect("a polling URL");
            assert!([200, 204].contains(&arm.get(link).await.status), "{row}: DELETE's poll");
        }
        assert_eq!(arm.get(&path).await.status, 404, "{row}: gone");
        assert!([204, 404].contains(&arm.delete(&path).await.status), "{row}: DELETE again is a success");
    }
}

/// azure.md §1.8: azapi_update_resource at versions without the property "silently drops" it from its PUT, which then
/// means what a PUT without the mode means.
#[tokio::test]
async fn a_put_that_azapi_stripped_keeps_the_mode() {
    let arm = arm().await;
    arm.emulator.set_mode(&arm.hub, "identity");
    for version in ["2024-04-01", "2024-10-01", "2025-04-01"] {
        let path = format!("{}?api-version={version}", arm.hub);
        let mut merged = arm.get(&path).await.body();
        merged["properties"].as_object_mut().expect("properties").remove("systemDatastoresAuthMode");
        let first = arm.put(&path, merged).await;
        let after = polled(&arm, &path, first).await;
        assert_eq!(after.at("/properties/systemDatastoresAuthMode"), "identity", "{version}");
    }
}

/// azure.md §1.8, §5.1: on 409 MissingSubscriptionRegistration Go clients register, poll, and repeat the call.
#[tokio::test]
async fn azapi_registers_a_provider_and_repeats_the_call() {
    let arm = super::client::arm_with(|options| options.unregistered = vec!["Microsoft.Storage".to_owned()]).await;
    let path = arm.account_path();
    assert_eq!(arm.get(&path).await.error(), (409, "MissingSubscriptionRegistration".to_owned()));
    let provider = format!("{}/providers/Microsoft.Storage", arm.subscription);
    assert_eq!(arm.post(&format!("{provider}/register?api-version=2021-04-01"), Value::Null).await.status, 200);
    let state = arm.get(&format!("{provider}?api-version=2021-04-01")).await.at("/registrationState");
    assert_eq!(state, "Registered");
    assert_eq!(arm.get(&path).await.status, 200);
}
