//! Several objects for one hub, and a foundryhub_storage_auth beside it.

use serde_json::{Value, json};

use super::{TYPE, bed, merged};
use crate::support::core::{Resource, resource};

const AUTH: &str = "foundryhub_storage_auth";

fn auth(hub: &str, mode: &str, keys: Value) -> Resource {
    let config = json!({
        "hub_id": hub, "system_datastores_auth_mode": mode, "shared_access_key_enabled": keys, "access_check": "off",
    });
    resource(AUTH, "auth", config).depends_on(TYPE, "a")
}

#[tokio::test]
async fn a_storage_auth_of_another_mode_is_refused_and_one_of_the_same_mode_is_applied_with_the_hub() {
    let mut bed = bed().await;
    let (id, base) = (bed.own_hub(), bed.minimal());
    let hub = |mode: Value| resource(TYPE, "a", merged(base.clone(), json!({ "system_datastores_auth_mode": mode })));
    for mode in [json!("identity"), Value::Null] {
        let planned = bed.core.plan_all(vec![hub(mode), auth(&id, "accesskey", Value::Null)]).await;
        let error = planned.report.error("Two modes for one hub");
        assert!(error.detail.contains(TYPE) && error.detail.contains(AUTH) && error.detail.contains(&id), "{error}");
        assert_eq!(error.path, "system_datastores_auth_mode");
    }
    let both = || vec![hub(json!("Identity")), auth(&id, "identity", json!(false))];
    let planned = bed.core.plan_all(both()).await.ok();
    // The hub that does not exist yet is one of this plan.
    bed.core.apply_saved(planned).await.quiet();
    assert_eq!(bed.writes(), ["PUT hub2", "PATCH sa1 false"]);
    // The hub's resource sees what the other one has done to the account.
    bed.core.refresh().await.ok();
    bed.core.plan_all(both()).await.ok().assert_empty();

    // A hub without a mode leaves it to the other one.
    let switched = || vec![hub(Value::Null), auth(&id, "accesskey", json!(true))];
    bed.core.apply_all(switched()).await.ok();
    bed.core.refresh().await.ok();
    bed.core.plan_all(switched()).await.ok().assert_empty();
    bed.core
        .plan_all(vec![hub(json!("identity")), auth(&id, "accesskey", json!(true))])
        .await
        .report
        .error("Two modes");
}

#[tokio::test]
async fn shared_keys_are_set_by_one_of_the_two_only() {
    let mut bed = bed().await;
    let (id, base) = (bed.own_hub(), bed.minimal());
    let hub = || resource(TYPE, "a", merged(base.clone(), json!({ "shared_access_key_enabled": false })));
    let planned = bed.core.plan_all(vec![hub(), auth(&id, "identity", json!(false))]).await;
    let error = planned.report.error("Shared keys are set twice");
    assert!(error.detail.contains(TYPE) && error.detail.contains(AUTH) && error.detail.contains(&id), "{error}");
    assert_eq!(error.path, "shared_access_key_enabled");
    bed.core.apply_all(vec![hub(), auth(&id, "identity", Value::Null)]).await.ok();
    assert_eq!(bed.writes(), ["PATCH sa1 false", "PUT hub2"]);
    bed.core.plan_all(vec![hub(), auth(&id, "identity", json!(false))]).await.report.error("Shared keys are set twice");
}

#[tokio::test]
async fn two_blocks_for_one_hub_and_a_rename_without_a_moved_block_are_refused() {
    let mut bed = bed().await;
    let config = bed.minimal();
    let (a, b) = (resource(TYPE, "a", config.clone()), resource(TYPE, "b", config.clone()));
    bed.core.plan_all(vec![a.clone(), b.clone()]).await.report.error("Two resources for one hub");
    bed.core.apply_all(vec![a]).await.ok();
    bed.emulator.clear_requests();
    for deletes_first in [true, false] {
        bed.core.plan_deletes_first(deletes_first);
        let planned = bed.core.plan_all(vec![b.clone()]).await;
        let error = planned.report.error("One hub is destroyed and created in one plan");
        assert!(error.detail.contains("moved {"), "{error}");
    }
    bed.core.rename(TYPE, "a", "b");
    bed.core.plan_all(vec![b]).await.ok().assert_empty();
    assert_eq!(bed.writes(), [""; 0]);
}

#[tokio::test]
async fn a_deposed_object_of_the_same_hub_does_not_delete_it() {
    let mut bed = bed().await;
    let config = bed.minimal();
    let a = || resource(TYPE, "a", config.clone()).create_before_destroy();
    bed.core.apply_all(vec![a()]).await.ok();
    let old = bed.core.stored(TYPE, "a").clone();
    bed.core.add_deposed(TYPE, "a", old);
    bed.emulator.clear_requests();
    let planned = bed.core.plan_all(vec![a()]).await.ok();
    bed.core.apply_saved(planned).await.ok().warning("The hub is kept");
    assert_eq!(bed.writes(), [""; 0]);
    assert_eq!(bed.in_azure()["name"], "hub2");
}
