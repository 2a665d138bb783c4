//! Every row of the table of a workspace's properties (azure.md §1.5).

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{ACCOUNTS, Arm, WORKSPACES, arm_with};
use crate::azure::Lro;

async fn done() -> Arm {
    arm_with(|options| options.lro = Lro::Done).await
}

/// Whether a write with this property gives it this value.
async fn changes(arm: &Arm, method: Method, version: &str, name: &str, value: &Value) -> bool {
    let before = arm.get(&arm.hub_path()).await.body();
    let mut body = if method == Method::PUT { before.clone() } else { json!({ "properties": {} }) };
    body["properties"][name] = value.clone();
    let reply = arm.send(method.clone(), &format!("{}?api-version={version}", arm.hub), body).await;
    assert_eq!(reply.status, 200, "{method} {name} at {version}: {}", reply.text);
    let after = arm.get(&arm.hub_path()).await.body();
    let holds = contains(&after["properties"][name], value);
    assert!(
        holds || after["properties"][name] == before["properties"][name],
        "{method} {name}: something else came of it"
    );
    holds
}

/// Whether a value has all that another has.
fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(name, part)| whole.get(name).is_some_and(|whole| contains(whole, part)))
        }
        _ => whole == part,
    }
}

/// azure.md §1.5: rows that are neither read-only nor fixed, by whether a PATCH has them.
#[tokio::test]
async fn every_mutable_property_is_taken_by_put_and_by_the_patch_that_has_it() {
    let id = |what: &str| format!("/subscriptions/s/resourceGroups/g/providers/{what}/n");
    let rows: Vec<(&str, Value, bool)> = vec![
        ("friendlyName", json!("f"), true),
        ("description", json!("d"), true),
        ("applicationInsights", json!(id("microsoft.insights/components")), true),
        ("containerRegistry", Value::Null, true),
        ("containerRegistry", json!(id("Microsoft.ContainerRegistry/registries")), true),
        ("systemDatastoresAuthMode", json!("identity"), true),
        ("systemDatastoresAuthMode", json!("accesskey"), true),
        ("workspaceHubConfig", json!({ "additionalWorkspaceStorageAccounts": [id(ACCOUNTS)] }), false),
        ("managedNetwork", json!({ "isolationMode": "Disabled", "managedNetworkKind": "V1" }), true),
        ("managedNetwork", json!({ "isolationMode": "AllowInternetOutbound", "outboundRules": {} }), true),
        ("managedNetwork", json!({ "isolationMode": "AllowOnlyApprovedOutbound", "firewallSku": "Basic" }), true),
        ("publicNetworkAccess", json!("Disabled"), true),
        ("imageBuildCompute", json!("c"), true),
        ("primaryUserAssignedIdentity", json!(id("Microsoft.ManagedIdentity/userAssignedIdentities")), true),
        ("serverlessComputeSettings", json!({ "serverlessComputeNoPublicIP": true }), true),
        ("serviceManagedResourcesSettings", json!({ "cosmosDb": { "collectionsThroughput": 400 } }), true),
        ("featureStoreSettings", json!({ "computeRuntime": { "sparkRuntimeVersion": "3.3" } }), true),
        ("enableDataIsolation", json!(true), true),
        ("v1LegacyMode", json!(true), true),
        ("allowPublicAccessWhenBehindVnet", json!(true), false),
        ("provisionNetworkNow", json!(true), false),
        ("enableServiceSideCMKEncryption", json!(true), false),
        ("sharedPrivateLinkResources", json!([{ "name": "n" }]), false),
        ("discoveryUrl", json!("https://changed.test"), false),
    ];
    for version in ["2024-04-01", "2025-12-01"] {
        for (name, value, in_patch) in &rows {
            let arm = done().await;
            let patched = changes(&arm, Method::PATCH, version, name, value).await;
            assert_eq!(patched, *in_patch, "row {name}: PATCH {value} at {version}");
        }
    }
    let arm = done().await;
    for (name, value, _) in &rows {
        assert!(changes(&arm, Method::PUT, "2025-12-01", name, value).await, "row {name}: PUT {value}");
    }
}

/// azure.md §1.5: rows marked read-only; what clients echo is accepted and ignored.
#[tokio::test]
async fn every_read_only_property_is_accepted_and_ignored() {
    let arm = done().await;
    for (name, value) in [
        ("workspaceId", json!("x")),
        ("tenantId", json!("x")),
        ("mlFlowTrackingUri", json!("x")),
        ("notebookInfo", json!({ "fqdn": "x" })),
        ("privateEndpointConnections", json!([{ "id": "x" }])),
        ("privateLinkCount", json!(7)),
        ("provisioningState", json!("Failed")),
        ("serviceProvisionedResourceGroup", json!("x")),
        ("storageHnsEnabled", json!(true)),
        ("associatedWorkspaces", json!(["x"])),
    ] {
        for method in [Method::PUT, Method::PATCH] {
            assert!(!changes(&arm, method.clone(), "2025-06-01", name, &value).await, "row {name}: {method}");
        }
    }
}

/// azure.md §1.5, §9.6: rows marked immutable; a hub with a credential store of Microsoft's gets no vault later.
#[tokio::test]
async fn what_is_fixed_neither_changes_nor_comes_later() {
    let arm = done().await;
    let vault = |name: &str| arm.emulator.id("rg1", "Microsoft.KeyVault/vaults", name);
    for (row, value) in [
        ("storageAccount", arm.emulator.id("rg1", ACCOUNTS, "other")),
        ("keyVault", vault("other")),
        ("hubResourceId", arm.emulator.id("rg1", WORKSPACES, "other")),
    ] {
        let mut body = arm.hub_body();
        body["properties"][row] = json!(value);
        assert_eq!(arm.patch(&arm.hub_path(), body.clone()).await.error(), (400, "BadRequest".to_owned()), "{row}");
        assert_eq!(arm.put(&arm.hub_path(), body).await.error(), (400, "BadRequest".to_owned()), "{row}");
    }
    let path = format!("{}?api-version=2025-06-01", arm.emulator.id("rg1", WORKSPACES, "with-vault"));
    let mut body = arm.hub_body();
    body["properties"]["keyVault"] = json!(vault("kv1"));
    assert_eq!(arm.put(&path, body.clone()).await.at("/properties/keyVault"), vault("kv1"));
    body["properties"]["keyVault"] = json!(vault("kv1").to_uppercase());
    assert_eq!(arm.put(&path, body.clone()).await.at("/properties/keyVault"), vault("kv1").to_uppercase());
    body["properties"]["keyVault"] = json!(vault("kv2"));
    assert_eq!(arm.put(&path, body).await.error(), (400, "BadRequest".to_owned()));
}

/// azure.md §1.5, row encryption: "PATCH: only keyVaultProperties.keyIdentifier".
#[tokio::test]
async fn of_encryption_a_patch_takes_the_key_alone() {
    let arm = done().await;
    arm.delete(&format!("{}&forceToPurge=true", arm.hub_path())).await;
    let mut body = arm.hub_body();
    body["properties"]["encryption"] = json!({
        "status": "Enabled", "identity": { "userAssignedIdentity": "/i" },
        "keyVaultProperties": { "keyVaultArmId": "/v", "keyIdentifier": "https://k/1", "identityClientId": "c" },
    });
    assert_eq!(arm.put(&arm.hub_path(), body.clone()).await.status, 200);
    let change = json!({ "properties": { "encryption": {
        "status": "Disabled", "identity": { "userAssignedIdentity": "/other" },
        "keyVaultProperties": { "keyVaultArmId": "/other", "keyIdentifier": "https://k/2", "identityClientId": "o" },
    } } });
    assert_eq!(arm.patch(&arm.hub_path(), change).await.status, 200);
    body["properties"]["encryption"]["keyVaultProperties"]["keyIdentifier"] = json!("https://k/2");
    assert_eq!(arm.get(&arm.hub_path()).await.at("/properties/encryption"), body["properties"]["encryption"]);
    let without = json!({ "properties": { "encryption": { "status": "Disabled" } } });
    assert_eq!(arm.patch(&arm.hub_path(), without).await.status, 200);
    assert_eq!(arm.get(&arm.hub_path()).await.at("/properties/encryption"), body["properties"]["encryption"]);
}

/// azure.md §1.5: "Booleans arrive as strings from SDK templates", and the fields that "must not be rejected".
#[tokio::test]
async fn booleans_may_be_texts_and_deprecated_fields_are_taken() {
    let arm = done().await;
    for name in ["v1LegacyMode", "allowPublicAccessWhenBehindVnet", "provisionNetworkNow"] {
        for (sent, shown) in [("true", true), ("false", false), ("True", true)] {
            let mut body = arm.get(&arm.hub_path()).await.body();
            body["properties"][name] = json!(sent);
            let reply = arm.put(&arm.hub_path(), body).await;
            assert_eq!((reply.status, reply.at(&format!("/properties/{name}"))), (200, shown.into()), "{name} {sent}");
        }
    }
    for (row, value) in [
        ("softDeleteEnabled", json!("false")),
        ("allowRecoverSoftDeletedWorkspace", json!("false")),
        ("allowRoleAssignmentOnRG", json!("true")),
        ("networkAcls", json!({ "defaultAction": "Allow" })),
        ("ipAllowlist", json!([])),
        ("existingWorkspaces", json!([])),
        ("encryption", json!({ "cosmosDbArmId": "/c", "storageAccountArmId": "/s", "SearchAccountArmId": "/a" })),
        ("featureStoreSettings", json!({ "computeruntime": { "sparkRuntimeVersion": "3.3" } })),
    ] {
        let mut body = arm.hub_body();
        body["properties"][row] = value;
        assert_eq!(arm.put(&arm.hub_path(), body.clone()).await.status, 200, "PUT {row}");
        assert_eq!(arm.patch(&arm.hub_path(), body).await.status, 200, "PATCH {row}");
    }
}

/// azure.md §1.5 "Envelope" and "PATCH top level: tags, sku, identity, properties only".
#[tokio::test]
async fn the_envelope_is_as_wide_as_the_method_has_it() {
    let arm = done().await;
    for (row, value, in_put, in_patch) in [
        ("tags", json!({ "a": "b" }), true, true),
        ("sku", json!({ "name": "Standard", "tier": "Standard" }), true, true),
        ("kind", json!("HUB"), true, false),
        ("location", json!("East US"), false, false),
        ("name", json!("other"), false, false),
        ("type", json!("Other/type"), false, false),
        ("systemData", json!({ "createdBy": "me" }), false, false),
    ] {
        for (method, expected) in [(Method::PATCH, in_patch), (Method::PUT, in_put)] {
            let before = arm.get(&arm.hub_path()).await.body();
            let mut body = if method == Method::PUT { before.clone() } else { json!({}) };
            body[row] = value.clone();
            assert_eq!(arm.send(method.clone(), &arm.hub_path(), body).await.status, 200, "{row}: {method}");
            let after = arm.get(&arm.hub_path()).await.body();
            assert_eq!(after[row] == value, expected, "{row}: {method}");
            arm.put(&arm.hub_path(), before).await;
        }
    }
}
