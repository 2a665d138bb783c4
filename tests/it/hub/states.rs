//! Imports that are refused, and states of other providers.

use serde_json::{Value, json};

use super::{TYPE, bed};
use crate::support::core::{Action, ImportFrom, MoveFrom};

#[tokio::test]
async fn what_is_no_hub_is_not_imported() {
    let mut bed = bed().await;
    let hub = bed.hub.clone();
    for (kind, says) in [
        ("Project", "is a project"),
        ("Default", "of kind Default, which cannot become a hub"),
        ("FeatureStore", "is a feature store"),
        ("Lean", "of kind \"Lean\""),
    ] {
        bed.emulator.change(&hub, |workspace| {
            workspace["kind"] = json!(kind);
            workspace["properties"]["hubResourceId"] = json!("/subscriptions/s/hub-of-it");
        });
        let report = bed.core.import(TYPE, "a", ImportFrom::Id(hub.clone())).await.failed();
        let error = report.error("Not a hub");
        assert!(error.detail.contains(says), "{error}");
        assert_eq!(error.detail.contains("hub-of-it"), kind == "Project", "{error}");
    }
    bed.core.import(TYPE, "a", ImportFrom::Id(bed.own_hub())).await.failed().error("The hub does not exist");
    bed.core.import(TYPE, "a", ImportFrom::Id(bed.account.clone())).await.failed().error("Nothing can be imported");
}

/// Whatever a workspace has, a hub that is imported with all of it plans empty.
#[tokio::test]
async fn a_hub_that_somebody_else_made_is_imported_in_its_mode() {
    let mut bed = bed().await;
    bed.another_hub("hub2");
    bed.emulator.change(&bed.own_hub(), |hub| {
        hub["kind"] = json!("hub");
        hub["location"] = json!("eastus");
        hub["properties"]["keyVault"] = json!(null);
        hub["properties"]["friendlyName"] = json!("hub2");
    });
    bed.core.import(TYPE, "a", ImportFrom::Id(bed.own_hub())).await.ok();
    assert_eq!(bed.state()["system_datastores_auth_mode"], "accesskey");
    assert_eq!(bed.state()["key_vault_id"], Value::Null);
    let config = bed.with(json!({ "key_vault_id": null, "access_check": null }));
    assert_eq!(bed.plan(&config).await.ok().action(), Action::NoOp);
    assert_eq!(bed.writes(), [""; 0]);
}

#[tokio::test]
async fn hubs_of_azurerm_and_azapi_are_moved_without_a_change_of_their_mode() {
    let mut bed = bed().await;
    bed.another_hub("hub2");
    bed.emulator.change(&bed.own_hub(), |hub| {
        hub["kind"] = json!("Hub");
        hub["properties"]["keyVault"] = json!(null);
        hub["tags"] = json!({ "a": "1", "policy": "p" });
    });
    let azurerm = json!({
        "id": bed.own_hub(), "name": "hub2", "resource_group_name": "rg1", "location": "eastus",
        "storage_account_id": bed.account, "key_vault_id": "", "tags": { "a": "1" }, "friendly_name": "",
        "identity": [{ "type": "SystemAssigned", "identity_ids": [], "principal_id": "p", "tenant_id": "t" }],
    });
    let azapi = json!({
        "id": bed.own_hub(), "name": "hub2", "location": "eastus", "tags": { "a": "1" },
        "type": "Microsoft.MachineLearningServices/workspaces@2025-06-01", "body": {},
    });
    let config = bed.with(json!({ "key_vault_id": null, "tags": { "a": "1" }, "access_check": null }));
    for (type_name, provider, state) in [
        ("azurerm_ai_foundry", "registry.terraform.io/hashicorp/azurerm", &azurerm),
        ("azurerm_ai_foundry", "registry.opentofu.org/hashicorp/azurerm", &azurerm),
        ("azapi_resource", "registry.terraform.io/azure/azapi", &azapi),
    ] {
        let from = MoveFrom {
            provider_address: provider.to_owned(),
            type_name: type_name.to_owned(),
            schema_version: 0,
            state: state.clone(),
            private: Vec::new(),
            identity: None,
        };
        let moved = bed.core.move_from(TYPE, "a", from.clone()).await;
        assert!(moved.0.is_empty(), "{moved}");
        // What has not been read yet is not planned, as everything would seem to be new.
        bed.core.refresh_in_plans(false);
        bed.plan(&config).await.report.error("The hub has to be read first");
        bed.core.refresh_in_plans(true);
        let planned = bed.plan(&config).await.ok();
        assert_eq!(planned.action(), Action::NoOp, "{:#?}", planned.change());
        bed.core.apply_saved(planned).await.quiet();
        assert_eq!(bed.state()["system_datastores_auth_mode"], "accesskey");
        assert_eq!(bed.writes(), [""; 0]);
        for refused in [
            MoveFrom { provider_address: "registry.terraform.io/somebody/else".to_owned(), ..from.clone() },
            MoveFrom { type_name: "azurerm_machine_learning_workspace".to_owned(), ..from.clone() },
            MoveFrom { state: json!({ "id": "/subscriptions/x", "type": "a@b" }), ..from.clone() },
        ] {
            bed.core.move_from(TYPE, "b", refused).await.error("cannot be moved to this type");
        }
        bed.core.forget(TYPE, "a");
    }
}
