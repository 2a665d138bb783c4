//! `foundryhub_hub`.

use std::time::Instant;

use serde_json::{Value, json};

use super::{ELSEWHERE, assert_ended_after_a_second, bed, subscription};
use crate::azure::{Action as Fault, Rule};
use crate::emulator::client::{ACCOUNTS, WORKSPACES};
use crate::support::{
    bed::Bed,
    core::{Diagnostics, UNKNOWN},
};

const TYPE: &str = "foundryhub_hub";

async fn hub(bed: &mut Bed, config: Value) -> Value {
    let (data, diagnostics) = bed.core.read_data(TYPE, config).await;
    assert_eq!(diagnostics.0, []);
    data
}

async fn warned(bed: &mut Bed, config: Value) -> (Value, String) {
    let (data, diagnostics) = bed.core.read_data(TYPE, config).await;
    let warning = diagnostics.warning("The key state of storage accounts is not known").detail.clone();
    assert_eq!(diagnostics.0.len(), 1, "{diagnostics}");
    (data, warning)
}

async fn refused(bed: &mut Bed, config: Value) -> Diagnostics {
    let (data, diagnostics) = bed.core.read_data(TYPE, config).await;
    assert_eq!(data, Value::Null);
    diagnostics
}

#[tokio::test]
async fn a_hub_is_read_with_all_that_it_has_by_its_id_or_its_name() {
    let mut bed = bed().await;
    let below = |kind: &str, name: &str| bed.emulator.id("rg1", kind, name);
    let (vault, insights) = (below("Microsoft.KeyVault/vaults", "kv1"), below("Microsoft.Insights/components", "ai1"));
    let registry = below("Microsoft.ContainerRegistry/registries", "cr1");
    let identity = below("Microsoft.ManagedIdentity/userAssignedIdentities", "id1");
    let project = below(WORKSPACES, "project1");
    bed.emulator.set_shared_key_access(&bed.account, Some(false));
    bed.emulator.change(&bed.hub, |hub| {
        hub["location"] = json!("westeurope");
        hub["tags"] = json!({ "env": "test", "owner": null });
        hub["identity"] = json!({
            "type": "SystemAssigned,UserAssigned",
            "principalId": "aaaaaaaa-0000-4000-8000-00000000000a",
            "tenantId": "aaaaaaaa-0000-4000-8000-00000000000b",
            "userAssignedIdentities": { identity.as_str(): { "principalId": "p", "clientId": "c" } },
        });
        hub["properties"] = json!({
            "storageAccount": bed.account,
            "keyVault": vault,
            "applicationInsights": insights,
            "containerRegistry": registry,
            "systemDatastoresAuthMode": "Identity",
            "friendlyName": "hub1",
            "description": "For tests",
            "primaryUserAssignedIdentity": identity,
            "publicNetworkAccess": "Disabled",
            "networkAcls": { "defaultAction": "Deny", "ipRules": [{ "value": "192.0.2.1" }] },
            "managedNetwork": { "isolationMode": "AllowInternetOutbound" },
            "serverlessComputeSettings": { "serverlessComputeNoPublicIP": true },
            "imageBuildCompute": "builder",
            "hbiWorkspace": true,
            "enableDataIsolation": true,
            "encryption": {
                "status": "Enabled",
                "keyVaultProperties": { "keyVaultArmId": vault, "keyIdentifier": "https://kv1.test/keys/k/1" },
                "identity": { "userAssignedIdentity": identity },
            },
            "workspaceHubConfig": { "defaultWorkspaceResourceGroup": bed.group },
            "workspaceId": "aaaaaaaa-0000-4000-8000-00000000000c",
            "discoveryUrl": "https://westeurope.test/discovery",
            "associatedWorkspaces": [project],
            "provisioningState": "Succeeded",
        });
    });
    let expected = json!({
        "id": bed.hub,
        "name": "hub1",
        "resource_group_name": "rg1",
        "subscription_id": subscription(&bed),
        "location": "westeurope",
        "kind": "Hub",
        "storage_account_id": bed.account,
        "system_datastores_auth_mode": "identity",
        "shared_access_key_enabled": false,
        "key_vault_id": vault,
        "application_insights_id": insights,
        "container_registry_id": registry,
        "friendly_name": "hub1",
        "description": "For tests",
        "identity": {
            "type": "SystemAssigned, UserAssigned",
            "identity_ids": [identity],
            "principal_id": "aaaaaaaa-0000-4000-8000-00000000000a",
            "tenant_id": "aaaaaaaa-0000-4000-8000-00000000000b",
        },
        "primary_user_assigned_identity": identity,
        "public_network_access": "Disabled",
        "network_acls": { "default_action": "Deny", "ip_rules": ["192.0.2.1"] },
        "managed_network": { "isolation_mode": "AllowInternetOutbound" },
        "serverless_compute": { "subnet_id": null, "public_ip_enabled": false },
        "image_build_compute": "builder",
        "high_business_impact_enabled": true,
        "data_isolation_enabled": true,
        "encryption": {
            "key_vault_id": vault,
            "key_id": "https://kv1.test/keys/k/1",
            "user_assigned_identity_id": identity,
        },
        "workspace_hub_config": { "default_workspace_resource_group": bed.group },
        "tags": { "env": "test", "owner": null },
        "workspace_id": "aaaaaaaa-0000-4000-8000-00000000000c",
        "discovery_url": "https://westeurope.test/discovery",
        "project_ids": [project],
        "timeouts": null,
    });
    let config = json!({ "id": bed.hub });
    assert_eq!(hub(&mut bed, config).await, expected);
    assert_eq!(bed.requests(), ["GET hub1", "GET sa1"]);
    let by_name = json!({ "name": "hub1", "resource_group_name": "rg1", "id": "", "subscription_id": "" });
    let mut expected_by_name = expected.clone();
    for (attribute, value) in [("id", ""), ("subscription_id", "")] {
        expected_by_name[attribute] = json!(value);
    }
    assert_eq!(hub(&mut bed, by_name).await, expected_by_name);
    assert_eq!(bed.requests(), ["GET hub1", "GET sa1"]);
    let named = json!({ "name": "HUB1", "resource_group_name": "rg1", "subscription_id": subscription(&bed) });
    let data = hub(&mut bed, named).await;
    assert_eq!((&data["id"], &data["name"]), (&json!(bed.hub), &json!("HUB1")), "a configured spelling stays");
}

#[tokio::test]
async fn nulls_in_azure_s_answers_are_nothing_special() {
    let mut bed = bed().await;
    bed.emulator.change(&bed.hub, |hub| {
        *hub = json!({
            "id": null, "name": null, "location": null, "kind": null, "tags": null, "identity": null, "sku": null,
            "systemData": null, "properties": null,
        });
    });
    let config = json!({ "id": bed.hub });
    let data = hub(&mut bed, config).await;
    for (attribute, value) in [
        ("id", json!(bed.hub)),
        ("kind", json!("Default")),
        ("system_datastores_auth_mode", json!("accesskey")),
        ("storage_account_id", Value::Null),
        ("shared_access_key_enabled", Value::Null),
        ("identity", Value::Null),
        ("tags", json!({})),
        ("project_ids", json!([])),
        ("encryption", Value::Null),
    ] {
        assert_eq!(data[attribute], value, "{attribute}");
    }
    assert_eq!(bed.requests(), ["GET hub1"]);
}

#[tokio::test]
async fn a_project_is_refused_with_the_id_of_its_hub() {
    let mut bed = bed().await;
    for (kind, text) in [("Project", bed.hub.clone()), ("FeatureStore", "of kind \"FeatureStore\"".to_owned())] {
        let other = bed.another_hub("other");
        bed.emulator.change(&other, |other| {
            other["kind"] = json!(kind);
            other["properties"]["hubResourceId"] = json!(bed.hub);
        });
        let diagnostics = refused(&mut bed, json!({ "id": other })).await;
        let error = diagnostics.error("Not a hub");
        assert!(error.detail.contains(&text) && error.path == "id", "{diagnostics}");
        bed.emulator.remove(&other);
    }
    let classic = bed.another_hub("classic");
    bed.emulator.change(&classic, |classic| classic["kind"] = json!("Default"));
    assert_eq!(hub(&mut bed, json!({ "id": classic })).await["kind"], "Default");
}

#[tokio::test]
async fn a_hub_that_is_not_there_or_not_readable_is_an_error_that_names_it() {
    let mut bed = bed().await;
    let nowhere = bed.emulator.id("rg1", WORKSPACES, "nowhere");
    let elsewhere = bed.hub.replace(&subscription(&bed), ELSEWHERE);
    let missing = "The hub does not exist";
    for (config, path, id) in [
        (json!({ "id": nowhere }), "id", &nowhere),
        (json!({ "name": "nowhere", "resource_group_name": "rg1" }), "name", &nowhere),
        (json!({ "id": elsewhere }), "id", &elsewhere),
    ] {
        let diagnostics = refused(&mut bed, config).await;
        let error = diagnostics.error(missing);
        assert!(error.detail.contains(id) && error.path == path, "{diagnostics}");
    }
    bed.emulator.fault(Rule::on("GET", &bed.hub, Fault::Denied));
    let config = json!({ "id": bed.hub });
    let diagnostics = refused(&mut bed, config).await;
    let error = diagnostics.error("Cannot read the hub");
    assert!(error.detail.contains("Microsoft.MachineLearningServices/workspaces/read"), "{diagnostics}");
}

#[tokio::test]
async fn an_account_that_cannot_be_read_is_named_and_fails_nothing() {
    let mut bed = bed().await;
    let denied = bed.emulator.fault(Rule::on("GET", &bed.account, Fault::Denied));
    let config = json!({ "id": bed.hub });
    let (data, warning) = warned(&mut bed, config).await;
    assert_eq!((&data["shared_access_key_enabled"], &data["storage_account_id"]), (&Value::Null, &json!(bed.account)));
    assert!(warning.contains(&bed.account) && warning.contains("Microsoft.Storage/storageAccounts/read"), "{warning}");
    bed.emulator.release(denied);
    bed.emulator.remove(&bed.account);
    let config = json!({ "id": bed.hub });
    let (data, warning) = warned(&mut bed, config).await;
    assert_eq!(data["shared_access_key_enabled"], Value::Null);
    assert!(warning.contains("ResourceNotFound"), "{warning}");
}

#[tokio::test]
async fn an_account_with_an_unknown_form_of_id_is_named() {
    let mut bed = bed().await;
    let odd = format!("{}/more", bed.account);
    bed.emulator.change(&bed.hub, |hub| hub["properties"]["storageAccount"] = json!(odd));
    let config = json!({ "id": bed.hub });
    let (data, warning) = warned(&mut bed, config).await;
    assert_eq!((&data["shared_access_key_enabled"], &data["storage_account_id"]), (&Value::Null, &Value::Null));
    assert!(warning.contains(&odd) && warning.contains(&bed.hub), "{warning}");
}

#[tokio::test]
async fn a_failure_that_says_nothing_about_the_account_fails_the_read() {
    let mut bed = bed().await;
    bed.core.configure(json!({ "max_retries": 0 }));
    bed.emulator.fault(Rule::on("GET", &bed.account, Fault::Status(503)).code("Odd"));
    let config = json!({ "id": bed.hub });
    let failed = refused(&mut bed, config).await;
    let error = failed.error("The storage accounts were not read");
    assert!(error.detail.contains(&bed.account) && error.detail.contains("Azure error code: Odd"), "{failed}");
}

#[tokio::test]
async fn a_hub_is_named_once_and_wholly() {
    let mut bed = bed().await;
    let (hub, account) = (bed.hub.clone(), bed.emulator.id("rg1", ACCOUNTS, "sa1"));
    let (twice, unnamed) = ("The hub is named twice", "The hub is not named");
    for (config, summary, path) in [
        (json!({}), unnamed, "name"),
        (json!({ "name": "hub1" }), unnamed, "resource_group_name"),
        (json!({ "resource_group_name": "rg1" }), unnamed, "name"),
        (json!({ "id": "", "name": "" }), unnamed, "name"),
        (json!({ "id": hub, "name": "hub1" }), twice, "name"),
        (json!({ "id": hub, "resource_group_name": "rg1" }), twice, "resource_group_name"),
        (json!({ "id": hub, "subscription_id": ELSEWHERE }), twice, "subscription_id"),
        (json!({ "id": account }), "Invalid value", "id"),
        (json!({ "name": "a b", "resource_group_name": "rg1" }), "Invalid value", "name"),
        (json!({ "name": "hub1", "resource_group_name": "r/g" }), "Invalid value", "resource_group_name"),
    ] {
        let diagnostics = refused(&mut bed, config).await;
        assert_eq!(diagnostics.error(summary).path, path, "{diagnostics}");
    }
    bed.core.configure(json!({ "client_id": UNKNOWN }));
    refused(&mut bed, json!({ "id": hub })).await.error("The provider is not configured yet");
    assert_eq!(bed.requests(), [""; 0]);
}

#[tokio::test]
async fn the_deadline_and_an_interruption_end_the_read() {
    for (held, summary) in [("hub1", "Cannot read the hub"), ("sa1", "The storage accounts were not read")] {
        let mut bed = bed().await;
        bed.emulator.fault(Rule::on("GET", &format!("*/{held}"), Fault::Hold));
        let config = json!({ "id": bed.hub, "timeouts": { "read": "1s" } });
        let began = Instant::now();
        let late = refused(&mut bed, config).await;
        assert_ended_after_a_second(began, &late.error(summary).detail);
        bed.emulator.clear_requests();
        let arm = bed.arm.clone();
        bed.core.interrupt_when(async move {
            arm.emulator.request_seen(|request| request.path.ends_with(held)).await;
        });
        let config = json!({ "id": bed.hub });
        let stopped = refused(&mut bed, config).await;
        assert!(stopped.error(summary).detail.contains("cancelled while"), "{stopped}");
    }
}
