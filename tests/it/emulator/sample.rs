//! The sample answers of the facts, member by member (azure.md §1.9, §3, §2, §5.6, §5.9).

use serde_json::{Value, json};

use super::client::{ALICE, BLOB_CONTRIBUTOR, arm, arm_with, grant};
use crate::azure::Lro;

/// Checks that whatever a sample has is there and of the same JSON type.
fn check(row: &str, sample: &Value, found: &Value) {
    match (sample, found) {
        (Value::Object(sample), Value::Object(found)) => {
            for (name, sample) in sample {
                let member = found.get(name).unwrap_or_else(|| panic!("{row}/{name} is missing"));
                check(&format!("{row}/{name}"), sample, member);
            }
        }
        (Value::Array(sample), Value::Array(found)) => {
            if let Some(sample) = sample.first() {
                let item = found.first().unwrap_or_else(|| panic!("{row} is empty"));
                check(&format!("{row}/0"), sample, item);
            }
        }
        _ => assert_eq!(std::mem::discriminant(sample), std::mem::discriminant(found), "{row}: {found}"),
    }
}

/// azure.md §1.9.
#[tokio::test]
async fn a_workspace_has_every_member_of_the_sample() {
    let arm = arm_with(|options| options.lro = Lro::Done).await;
    let vault = arm.emulator.id("rg1", "Microsoft.KeyVault/vaults", "kv1");
    let id = arm.hub.replace("hub1", "sample");
    let body = json!({
        "location": "eastus", "kind": "Hub", "identity": { "type": "SystemAssigned" },
        "properties": {
            "friendlyName": "My hub", "storageAccount": arm.account, "keyVault": vault,
            "systemDatastoresAuthMode": "identity", "enableDataIsolation": true,
        },
    });
    let path = format!("{id}?api-version=2025-06-01");
    let put = arm.put(&path, body).await.body();
    let text = "";
    let system = json!({
        "createdBy": text, "createdByType": text, "createdAt": text, "lastModifiedBy": text, "lastModifiedByType": text,
        "lastModifiedAt": text,
    });
    let sample = json!({
        "id": text, "name": text, "type": text, "location": text, "kind": text, "tags": {},
        "sku": { "name": text, "tier": text },
        "identity": { "type": text, "principalId": text, "tenantId": text },
        "systemData": system,
        "properties": {
            "friendlyName": text, "description": text, "storageAccount": text, "keyVault": text, "hbiWorkspace": false,
            "v1LegacyMode": false, "publicNetworkAccess": text,
            "managedNetwork": { "isolationMode": text, "status": { "status": text, "sparkReady": false } },
            "systemDatastoresAuthMode": text, "provisioningState": text, "workspaceId": text, "tenantId": text,
            "storageHnsEnabled": false, "discoveryUrl": text, "mlFlowTrackingUri": text,
            "workspaceHubConfig": { "defaultWorkspaceResourceGroup": text }, "associatedWorkspaces": [],
            "enableDataIsolation": true,
        },
    });
    for (row, found) in [("PUT", put), ("GET", arm.get(&path).await.body())] {
        check(row, &sample, &found);
        for (pointer, value) in [
            ("/id", id.as_str()),
            ("/type", "Microsoft.MachineLearningServices/workspaces"),
            ("/sku/name", "Basic"),
            ("/identity/type", "SystemAssigned"),
            ("/properties/provisioningState", "Succeeded"),
            ("/properties/publicNetworkAccess", "Enabled"),
            ("/properties/managedNetwork/isolationMode", "Disabled"),
            ("/properties/workspaceHubConfig/defaultWorkspaceResourceGroup", arm.group.as_str()),
        ] {
            assert_eq!(found.pointer(pointer), Some(&json!(value)), "{row}: {pointer}");
        }
    }
}

/// azure.md §3, the sample of a role assignment: nulls are there, and what is the service's own is too.
#[tokio::test]
async fn an_assignment_has_every_member_of_the_sample_and_no_other() {
    let arm = arm().await;
    let path = arm.assignment_path("0f000000-0000-0000-0000-000000000000");
    let put = arm.put(&path, grant(ALICE, BLOB_CONTRIBUTOR)).await.body();
    let list = arm.assignments(&arm.account, "atScope()").await.at("/value/0");
    for (row, found) in [("PUT", put), ("GET", arm.get(&path).await.body()), ("list", list)] {
        let names = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&found), ["id", "name", "properties", "type"], "{row}");
        let expected = [
            "condition",
            "conditionVersion",
            "createdBy",
            "createdOn",
            "delegatedManagedIdentityResourceId",
            "description",
            "principalId",
            "principalType",
            "roleDefinitionId",
            "scope",
            "updatedBy",
            "updatedOn",
        ];
        assert_eq!(names(&found["properties"]), expected, "{row}");
        let created = found["properties"]["createdOn"].as_str().expect("a time").to_owned();
        assert!(created.ends_with('Z') && created.len() == "2026-01-01T00:00:00.0000000Z".len(), "{row}: {created}");
    }
}

/// azure.md §5.9: subscriptions, tenants, groups and providers, with what clients read of them.
#[tokio::test]
async fn what_is_above_resources_has_the_members_that_clients_read() {
    let arm = arm().await;
    let text = "";
    let subscription = json!({
        "id": text, "subscriptionId": text, "tenantId": text, "displayName": text, "state": text,
        "authorizationSource": text, "managedByTenants": [], "subscriptionPolicies": {},
    });
    let group = json!({
        "id": text, "name": text, "type": text, "location": text, "tags": {}, "properties": { "provisioningState": text },
    });
    let provider = json!({
        "id": text, "namespace": text, "registrationState": text,
        "resourceTypes": [{ "resourceType": text, "locations": [text], "apiVersions": [text] }],
    });
    let list = |item: &Value| json!({ "value": [item] });
    for (row, path, sample) in [
        ("GET /subscriptions", "/subscriptions".to_owned(), list(&subscription)),
        ("GET /subscriptions/{sub}", arm.subscription.clone(), subscription),
        ("GET /tenants", "/tenants".to_owned(), json!({ "value": [{ "id": text, "tenantId": text }] })),
        ("GET group", arm.group.clone(), group.clone()),
        ("GET groups", format!("{}/resourcegroups", arm.subscription), list(&group)),
        ("GET provider", format!("{}/providers/Microsoft.Storage", arm.subscription), provider.clone()),
        ("GET providers", format!("{}/providers", arm.subscription), list(&provider)),
    ] {
        let reply = arm.get(&format!("{path}?api-version=2022-12-01")).await;
        assert_eq!(reply.status, 200, "{row}");
        check(row, &sample, &reply.body());
    }
}
