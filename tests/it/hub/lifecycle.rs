//! Create, refresh, update, import and destroy.

use serde_json::{Value, json};

use super::{TYPE, bed};
use crate::azure::{Action as Fault, Rule};
use crate::support::core::{Action, ImportFrom, UNKNOWN};

#[tokio::test]
async fn a_hub_is_created_as_the_products_template_does_plans_empty_and_is_destroyed() {
    let mut bed = bed().await;
    let config = bed.with(json!({ "friendly_name": "Hub 2" }));
    let planned = bed.plan(&config).await.ok();
    assert_eq!(planned.action(), Action::Create);
    let shown = &planned.change().planned;
    assert_eq!(shown["id"], json!(bed.own_hub()));
    assert_eq!(shown["system_datastores_auth_mode"], "identity");
    assert_eq!(shown["identity"]["type"], "SystemAssigned");
    assert_eq!(shown["managed_network"], json!({ "isolation_mode": "Disabled" }));
    assert_eq!(shown["subscription_id"], json!(bed.subscription.rsplit('/').next()));
    for unknown in ["workspace_id", "discovery_url", "project_ids", "shared_access_key_enabled"] {
        assert_eq!(shown[unknown], json!(UNKNOWN), "{unknown}");
    }
    assert_eq!(bed.requests(), [""; 0]);

    bed.core.apply_saved(planned).await.quiet();
    let put = json!({
        "location": "eastus", "kind": "Hub", "sku": { "name": "Basic", "tier": "Basic" },
        "identity": { "type": "SystemAssigned" }, "tags": {},
        "properties": {
            "friendlyName": "Hub 2", "storageAccount": bed.account, "keyVault": bed.vault(),
            "systemDatastoresAuthMode": "identity", "managedNetwork": { "isolationMode": "Disabled" },
            "publicNetworkAccess": "Enabled", "hbiWorkspace": false,
        },
    });
    assert_eq!(bed.sent("PUT"), [put]);
    assert_eq!(bed.requests(), ["GET hub2", "PUT hub2", "GET sa1"]);
    let state = bed.state();
    assert_eq!(state["shared_access_key_enabled"], true);
    assert_eq!(state["project_ids"], json!([]));
    assert!(state["workspace_id"].is_string() && state["identity"]["principal_id"].is_string());
    assert_eq!(bed.core.identity(TYPE, "a"), json!({ "id": bed.own_hub() }));

    bed.plan(&config).await.ok().assert_empty();
    let mut refresh = bed.requests();
    refresh.sort();
    assert_eq!(refresh, ["GET hub2", "GET sa1"]);

    bed.destroy().await.quiet();
    assert_eq!(bed.writes(), ["DELETE hub2"]);
    assert_eq!(bed.in_azure(), Value::Null);
}

#[tokio::test]
async fn a_hub_is_gone_when_azure_says_so_twice_and_by_a_code_that_means_it() {
    let mut bed = bed().await;
    let config = bed.minimal();
    bed.apply(&config).await.quiet();
    let missing = |code: &str| Rule::on("GET", "*/workspaces/hub2", Fault::Status(404)).code(code);
    bed.emulator.fault(missing("ResourceNotFound").times(1));
    bed.plan(&config).await.ok().assert_empty();
    for code in ["TenantNotFound", "EndpointNotFound", "NotFound", ""] {
        bed.emulator.fault(missing(code));
        bed.plan(&config).await.error("Cannot read the hub");
        bed.destroy().await.failed();
        assert_ne!(bed.state(), Value::Null, "{code}");
        bed.emulator.clear_faults();
    }
    bed.emulator.fault(missing("ResourceNotFound").times(1));
    bed.destroy().await.quiet();
    assert_eq!((bed.state(), bed.in_azure()), (Value::Null, Value::Null));
}

#[tokio::test]
async fn an_update_patches_what_changes_and_nothing_else() {
    let mut bed = bed().await;
    bed.apply(&bed.minimal()).await.quiet();
    for (change, sent) in [
        (json!({ "description": "d" }), json!({ "properties": { "description": "d" } })),
        (
            json!({ "description": null, "friendly_name": "F", "public_network_access": "disabled" }),
            json!({ "properties": { "description": "", "friendlyName": "F", "publicNetworkAccess": "Disabled" } }),
        ),
        (
            json!({ "friendly_name": "F", "public_network_access": "Disabled",
                    "managed_network": { "isolation_mode": "AllowInternetOutbound" } }),
            json!({ "properties": { "managedNetwork": { "isolationMode": "AllowInternetOutbound" } } }),
        ),
        (
            json!({ "friendly_name": "F", "public_network_access": "Disabled", "image_build_compute": "builder" }),
            json!({ "properties": { "imageBuildCompute": "builder" } }),
        ),
        (
            json!({ "friendly_name": "F", "public_network_access": "Disabled",
                    "serverless_compute": { "public_ip_enabled": true } }),
            json!({ "properties": {
                "imageBuildCompute": "",
                "serverlessComputeSettings": { "serverlessComputeCustomSubnet": null, "serverlessComputeNoPublicIP": false },
            } }),
        ),
    ] {
        bed.emulator.clear_requests();
        let config = bed.with(change);
        assert_eq!(bed.apply(&config).await.quiet().action(), Action::Update);
        assert_eq!(bed.sent("PATCH"), [sent]);
        assert_eq!(bed.writes(), ["PATCH hub2"]);
        bed.plan(&config).await.ok().assert_empty();
    }
}

#[tokio::test]
async fn a_hub_is_imported_by_id_and_by_identity_and_plans_empty() {
    let mut bed = bed().await;
    let config = bed.with(json!({ "description": "d", "tags": { "purpose": "demo" } }));
    bed.apply(&config).await.quiet();
    let made = bed.state();
    for from in [ImportFrom::Id(bed.own_hub()), ImportFrom::Identity(json!({ "id": bed.own_hub() }))] {
        bed.core.forget(TYPE, "a");
        bed.emulator.clear_requests();
        bed.core.import(TYPE, "a", from).await.ok();
        let mut state = bed.state();
        assert_eq!(state["access_check"], "warn");
        state["access_check"] = json!("off");
        assert_eq!(state, made);
        assert_eq!(bed.writes(), [""; 0]);
        // What only the provider keeps is set by an update that sends nothing.
        bed.apply(&config).await.quiet();
        assert_eq!(bed.writes(), [""; 0]);
        bed.plan(&config).await.ok().assert_empty();
    }
}
