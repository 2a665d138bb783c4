//! States of other releases and of other providers.

use serde_json::{Value, json};

use super::{Bed, TYPE, WITH_KEYS, bed};
use crate::support::core::{Action, MoveFrom, Stored};

/// A file of `tests/data` with the bed's ids in it.
fn data(bed: &Bed, file: &str) -> Value {
    let path = format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("the state file is there");
    let hub = bed.emulator.resource(&bed.hub).expect("the hub");
    let principal = hub["identity"]["principalId"].as_str().expect("an identity");
    let group = bed.hub.split("/providers/").next().expect("a group");
    let text = text.replace("{{hub}}", &bed.hub).replace("{{account}}", &bed.account);
    serde_json::from_str(&text.replace("{{group}}", group).replace("{{principal}}", principal)).expect("JSON")
}

#[tokio::test]
async fn a_state_of_release_0_1_0_plans_empty_and_its_destroy_restores_the_settings() {
    let mut bed = bed().await;
    bed.emulator.set_mode(&bed.hub, "identity");
    bed.emulator.set_shared_key_access(&bed.account, Some(false));
    let recorded = data(&bed, "foundryhub-storage-auth-0.json");
    bed.core.store(TYPE, "a", Stored::written_by(0, recorded.clone()));
    let config = json!({ "hub_id": bed.hub, "shared_access_key_enabled": false });
    bed.plan(&config).await.ok().assert_empty();
    bed.destroy().await.ok();
    assert_eq!(bed.settings(), WITH_KEYS);

    // This release writes the same state, and beside it what that one did not have.
    bed.apply(&config).await.ok();
    let mut recorded = recorded;
    recorded["platform_grant_timeout"] = json!("5m");
    recorded["access_check_stop_on"] = Value::Null;
    recorded["access_check_ignore_ids"] = Value::Null;
    assert_eq!(bed.state(), recorded);
}

#[tokio::test]
async fn an_azapi_update_resource_is_moved_and_plans_empty() {
    let mut bed = bed().await;
    bed.emulator.set_mode(&bed.hub, "Identity");
    let stored = data(&bed, "azapi-2-update-resource.json");
    for provider in ["registry.terraform.io/azure/azapi", "registry.opentofu.org/Azure/azapi"] {
        let from = MoveFrom {
            provider_address: provider.to_owned(),
            type_name: "azapi_update_resource".to_owned(),
            schema_version: 2,
            state: stored["attributes"].clone(),
            private: b"someone else's".to_vec(),
            identity: None,
        };
        let moved = bed.core.move_from(TYPE, "a", from.clone()).await;
        assert!(moved.0.is_empty(), "{moved}");
        let config = json!({ "hub_id": bed.hub });
        let planned = bed.plan(&config).await.ok();
        assert_eq!(planned.action(), Action::NoOp);
        bed.core.apply_saved(planned).await.quiet();
        bed.plan(&config).await.ok().assert_empty();
        bed.emulator.clear_requests();
        bed.destroy().await.quiet();
        assert_eq!(bed.writes(), [""; 0]);

        let other = |change: fn(&mut MoveFrom)| {
            let mut other = from.clone();
            change(&mut other);
            other
        };
        for other in [
            other(|from| from.type_name = "azapi_resource".to_owned()),
            other(|from| from.type_name = "azurerm_machine_learning_workspace".to_owned()),
            other(|from| from.provider_address = "registry.terraform.io/somebody/else".to_owned()),
            other(|from| from.state["type"] = json!("Microsoft.Storage/storageAccounts@2023-05-01")),
            other(|from| from.state["resource_id"] = json!("/subscriptions/x")),
        ] {
            bed.core.move_from(TYPE, "a", other).await.error("cannot be moved to this type");
        }
    }
}
