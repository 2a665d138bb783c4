//! Empty strings, as modules write them, and other spellings of principals.

use serde_json::{Value, json};

use super::{ALICE, BOB, Bed, CAROL, TYPE, bed};
use crate::support::core::Action;

/// A configuration with this value in every optional string.
fn with(bed: &Bed, value: &Value) -> Value {
    json!({
        "hub_id": bed.hub, "shared_access_key_enabled": true,
        "system_datastores_auth_mode": value, "access_check": value, "grant_settle_time": value,
        "restore_to": { "system_datastores_auth_mode": value, "shared_access_key_enabled": true },
        "timeouts": { "create": value, "read": value, "update": value, "delete": value },
    })
}

#[tokio::test]
async fn an_empty_string_means_null_in_every_attribute_and_stays_in_the_state() {
    let mut bed = bed().await;
    let (empty, nothing) = (with(&bed, &json!("")), with(&bed, &json!(null)));
    assert_eq!(bed.core.validate(TYPE, "a", empty.clone()).await.0, []);
    bed.apply(&empty).await.ok();
    assert_eq!(bed.writes(), ["PATCH hub1 identity"]);
    let state = bed.state();
    for place in [
        "/system_datastores_auth_mode",
        "/access_check",
        "/grant_settle_time",
        "/restore_to/system_datastores_auth_mode",
        "/timeouts/create",
        "/timeouts/delete",
    ] {
        assert_eq!(state.pointer(place), Some(&json!("")), "{place} of {state}");
    }
    for _ in 0..2 {
        let plan = bed.plan(&empty).await.ok();
        plan.assert_empty();
        assert!(!plan.change().drifted(), "{} {}", plan.change().stored, plan.change().before);
        assert_eq!(bed.apply(&empty).await.quiet().action(), Action::NoOp);
    }
    for config in [nothing, empty.clone()] {
        bed.apply(&config).await.quiet();
        assert_eq!(bed.writes(), [""; 0]);
        bed.plan(&config).await.ok().assert_empty();
    }
    bed.core.destroy(TYPE, "a").await.ok();
    assert_eq!(bed.mode(), "accesskey");
}

#[tokio::test]
async fn an_empty_mode_is_enforced_like_the_default() {
    let mut bed = bed().await;
    let empty = json!({ "hub_id": bed.hub, "system_datastores_auth_mode": "", "access_check": "off" });
    bed.apply(&empty).await.quiet();
    let hub = format!("{}?api-version=2025-06-01", bed.hub);
    let back = bed.patch(&hub, json!({ "properties": { "systemDatastoresAuthMode": "accesskey" } })).await;
    assert!(back.status < 300);
    let plan = bed.plan(&empty).await.ok();
    let (before, planned) = (&plan.change().before, &plan.change().planned);
    assert_eq!([&before["system_datastores_auth_mode"], &planned["system_datastores_auth_mode"]], ["accesskey", ""]);
    bed.emulator.clear_requests();
    bed.apply(&empty).await.quiet();
    assert_eq!(bed.writes(), ["PATCH hub1 identity"]);
    bed.plan(&empty).await.ok().assert_empty();
}

#[tokio::test]
async fn another_spelling_of_a_principal_changes_nothing() {
    let mut bed = bed().await;
    let hub = bed.hub.clone();
    let with = |ids: [String; 2]| json!({ "hub_id": hub, "access_check": "off", "access_check_principal_ids": ids });
    let first = with([ALICE.to_owned(), BOB.to_owned()]);
    bed.apply(&first).await.quiet();
    bed.plan(&with([BOB.to_uppercase(), ALICE.to_uppercase()])).await.ok().assert_empty();
    let other = with([BOB.to_uppercase(), CAROL.to_owned()]);
    bed.apply(&other).await.quiet();
    bed.plan(&other).await.ok().assert_empty();
}

#[tokio::test]
async fn another_spelling_by_azure_is_no_drift() {
    let mut bed = bed().await;
    let identity = format!(
        "{}/resourceGroups/rg1/providers/Microsoft.ManagedIdentity/userAssignedIdentities/umi1",
        bed.subscription
    );
    let (principal, account) = ("dddddddd-0000-4000-8000-00000000000d", bed.account.clone());
    let spell = |bed: &Bed, spell: fn(&str) -> String| {
        bed.emulator.change(&bed.hub, |hub| {
            hub["identity"]["userAssignedIdentities"] = json!({ &identity: { "principalId": spell(principal) } });
            hub["properties"]["storageAccount"] = json!(spell(&account));
        });
    };
    spell(&bed, str::to_owned);
    let config = json!({ "hub_id": bed.hub, "access_check": "off" });
    bed.apply(&config).await.quiet();
    let before = bed.state();
    assert_eq!(before["hub_user_assigned_principal_ids"], json!([principal]));
    spell(&bed, str::to_uppercase);
    let plan = bed.plan(&config).await.ok();
    assert_eq!(plan.change().before, before);
}
