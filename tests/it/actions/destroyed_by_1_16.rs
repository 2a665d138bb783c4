//! Actions that the destruction of an object triggers, which Terraform 1.16 knows.

use serde_json::json;

use super::{RESYNC, ROTATE, keyless};
use crate::azure::{Action as Fault, Rule};
use crate::support::{
    bed::Bed,
    core::Trigger::{AfterDestroy, BeforeDestroy},
};

const TYPE: &str = "foundryhub_storage_auth";

/// A hub on identity whose account accepts no keys, both switched by an object that restores them.
async fn managed() -> Bed {
    let mut bed = super::bed_with(|_| {}).await;
    let config = json!({ "hub_id": bed.hub, "shared_access_key_enabled": false, "access_check": "off" });
    bed.apply(&config).await.ok();
    bed.requests();
    bed
}

#[tokio::test]
async fn keys_are_rotated_before_the_account_accepts_them_again_and_fetched_after_that() {
    let mut bed = managed().await;
    let before = bed.account_keys().await;
    let account = json!({ "storage_account_id": "${caller.storage_account_id}" });
    bed.core.trigger(BeforeDestroy, TYPE, "a", ROTATE, account);
    bed.core.trigger(AfterDestroy, TYPE, "a", RESYNC, json!({ "hub_id": "${caller.hub_id}" }));
    bed.destroy().await.ok();
    assert_eq!(
        bed.writes(),
        [
            "POST sa1/regenerateKey key2",
            "POST sa1/regenerateKey key1",
            "PATCH hub1",
            "PATCH sa1",
            "POST hub1/resyncKeys",
            "POST hub1/resyncKeys",
        ]
    );
    let after = bed.account_keys().await;
    assert!(before[0] != after[0] && before[1] != after[1]);
    assert_eq!(bed.key_of(&bed.hub).await, after[0]);
}

#[tokio::test]
async fn an_action_that_fails_before_the_destruction_prevents_it() {
    let mut bed = managed().await;
    bed.core.trigger(BeforeDestroy, TYPE, "a", ROTATE, json!({ "hub_id": "${caller.hub_id}" }));
    bed.emulator.fault(Rule::on("POST", "*/regenerateKey", Fault::Denied));
    bed.destroy().await.failed().error("Not allowed to regenerate keys");
    assert_eq!(bed.state()["hub_id"], bed.hub);
    bed.emulator.clear_faults();
    bed.destroy().await.ok();
}

#[tokio::test]
async fn what_an_action_finds_wrong_with_its_caller_is_told_at_plan() {
    let mut bed = keyless().await;
    bed.apply(&json!({ "hub_id": bed.hub, "access_check": "off" })).await.ok();
    bed.core.trigger(BeforeDestroy, TYPE, "a", ROTATE, json!({ "hub_id": "${caller.storage_account_id}" }));
    bed.requests();
    bed.destroy().await.failed().error("Invalid value");
    assert_eq!(bed.writes(), [""; 0]);
}
