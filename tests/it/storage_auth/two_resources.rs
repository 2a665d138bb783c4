//! Two blocks or two objects in the state for one hub, and hubs of one account: what is refused, and what is kept for
//! the other.

use serde_json::{Value, json};

use super::{Bed, KEYLESS, TYPE, WITH_KEYS, bed};
use crate::support::core::{Action, ImportFrom, UNKNOWN, resource};

const RENAMED: &str = "One hub is destroyed and created in one plan";
const TWO: &str = "Two resources for one hub";

#[tokio::test]
async fn a_rename_without_a_moved_block_is_refused_with_the_block_to_write() {
    for last in [true, false] {
        for refresh in [true, false] {
            let mut bed = bed().await;
            let config = bed.keyless();
            bed.apply(&config).await.quiet();
            bed.emulator.clear_requests();
            bed.core.plan_deletes_first(!last);
            bed.core.refresh_in_plans(refresh);
            let mut spelled = config.clone();
            spelled["hub_id"] = json!(bed.hub.to_uppercase());
            let plan = bed.core.plan_all(vec![resource(TYPE, "b", spelled)]).await;
            let error = plan.error(RENAMED);
            for text in ["moved {", "-refresh=false"] {
                assert!(error.detail.contains(text), "{text}: {error}");
            }
            assert_eq!(bed.writes(), [""; 0]);

            bed.core.rename(TYPE, "a", "b");
            bed.core.plan_all(vec![resource(TYPE, "b", config)]).await.ok().assert_empty();
        }
    }
}

#[tokio::test]
async fn two_resources_for_one_hub_are_refused() {
    for existing in [false, true] {
        let mut bed = bed().await;
        let config = bed.keyless();
        if existing {
            bed.apply(&config).await.quiet();
        }
        bed.emulator.clear_requests();
        let mut other = json!({ "hub_id": bed.hub.to_uppercase(), "access_check": "off" });
        let two = |other: &Value| vec![resource(TYPE, "a", config.clone()), resource(TYPE, "b", other.clone())];
        let plan = bed.core.plan_all(two(&other)).await;
        let error = plan.error(TWO);
        assert!(error.detail.contains("removed {") && error.detail.contains("destroy = false"), "{error}");
        assert_eq!(bed.writes(), [""; 0]);

        // A hub that is known only at the apply is refused there, if the other object is written in the same apply.
        let known = other.clone();
        other["hub_id"] = json!(UNKNOWN);
        let planned = bed.core.plan_all(two(&other)).await.ok().knowing_of("b", known.clone());
        let report = bed.core.apply_saved(planned).await;
        if existing {
            report.ok();
        } else {
            report.failed().error(TWO);
            let there = ["a", "b"].map(|name| !bed.core.state(TYPE, name).is_null());
            assert_ne!(there[0], there[1], "one of both was made");
        }
        bed.core.plan_all(two(&known)).await.error(TWO);
    }
}

/// Two objects for the hub in one state: `a`, which has changed it, and `b`, which was created later and changed
/// nothing.
async fn two_objects(bed: &mut Bed) -> Value {
    let config = bed.keyless();
    bed.apply(&config).await.quiet();
    let first = bed.core.stored(TYPE, "a").clone();
    bed.core.forget(TYPE, "a");
    bed.apply(&config).await.ok();
    bed.core.rename(TYPE, "a", "b");
    bed.core.store(TYPE, "a", first);
    bed.emulator.clear_requests();
    config
}

#[tokio::test]
async fn two_objects_of_an_earlier_version_are_refused_until_one_is_forgotten() {
    let mut bed = bed().await;
    let config = two_objects(&mut bed).await;
    let both = || vec![resource(TYPE, "a", config.clone()), resource(TYPE, "b", config.clone())];
    bed.core.plan_all(both()).await.error(TWO);
    bed.core.forget(TYPE, "a");
    bed.core.plan_all(vec![resource(TYPE, "b", config.clone())]).await.ok().assert_empty();
    assert_eq!(bed.writes(), [""; 0]);
}

/// The removal is planned after the object that stays, which it then knows of.
#[tokio::test]
async fn destroying_one_of_two_objects_of_a_hub_keeps_the_settings_for_the_other() {
    let mut bed = bed().await;
    let config = two_objects(&mut bed).await;
    let plan = bed.core.plan_all(vec![resource(TYPE, "b", config.clone())]).await.ok();
    plan.warning("The authorization is kept");
    let report = bed.core.apply_saved(plan).await.ok();
    report.warning(r#"restore_to = { system_datastores_auth_mode = "accesskey", shared_access_key_enabled = true }"#);
    assert_eq!((bed.writes(), bed.settings()), (vec![], KEYLESS));
    assert_eq!(bed.state(), Value::Null);
    bed.core.plan_all(vec![resource(TYPE, "b", config)]).await.ok().assert_empty();
}

/// The removal is planned before the object that stays.
#[tokio::test]
async fn destroying_one_of_two_objects_of_a_hub_before_the_other_is_planned_is_refused() {
    let mut bed = bed().await;
    let config = two_objects(&mut bed).await;
    bed.core.plan_deletes_first(true);
    let plan = bed.core.plan_all(vec![resource(TYPE, "b", config)]).await;
    let error = plan.error("One hub is kept and destroyed in one plan");
    assert!(error.detail.contains("removed {"), "{error}");
    assert_eq!((bed.writes(), bed.settings()), (vec![], KEYLESS));
}

#[tokio::test]
async fn destroying_all_objects_of_a_hub_restores_what_the_first_one_found() {
    for destroy_all in [true, false] {
        let mut bed = bed().await;
        two_objects(&mut bed).await;
        if destroy_all {
            bed.core.destroy_all().await.ok();
        } else {
            bed.core.apply_all(Vec::new()).await.ok();
        }
        assert_eq!(bed.settings(), WITH_KEYS, "{:?}", bed.writes());
        assert_eq!((bed.state(), bed.core.state(TYPE, "b")), (Value::Null, Value::Null));
    }
}

/// The state after a replacement with create_before_destroy that was stopped before it destroyed the old object.
#[tokio::test]
async fn destroying_a_deposed_object_of_the_same_hub_writes_nothing() {
    let mut bed = bed().await;
    let config = two_objects(&mut bed).await;
    let (old, new) = (bed.core.stored(TYPE, "a").clone(), bed.core.stored(TYPE, "b").clone());
    bed.core.forget(TYPE, "b");
    bed.core.store(TYPE, "a", new);
    bed.core.add_deposed(TYPE, "a", old);
    let again = || resource(TYPE, "a", config.clone()).create_before_destroy();
    let planned = bed.core.plan_all(vec![again()]).await.ok();
    let report = bed.core.apply_saved(planned).await.ok();
    report.warning("The authorization is kept");
    assert_eq!(bed.writes(), [""; 0]);
    assert_eq!(bed.settings(), KEYLESS);
    bed.core.plan_all(vec![again()]).await.ok().assert_empty();
}

#[tokio::test]
async fn a_taint_a_replacement_and_an_import_are_not_taken_for_a_rename_and_write_nothing() {
    let mut bed = bed().await;
    let config = bed.keyless();
    bed.apply(&config).await.quiet();
    bed.emulator.clear_requests();
    let a = || resource(TYPE, "a", config.clone());

    // Tainted, and -replace in either order.
    bed.core.taint(TYPE, "a");
    assert_eq!(bed.core.apply_one(a()).await.ok().action(), Action::Replace);
    assert_eq!(bed.core.apply_one(a().replaced()).await.ok().action(), Action::Replace);
    assert_eq!(bed.core.apply_one(a().replaced().create_before_destroy()).await.ok().action(), Action::Replace);
    // A failed create_before_destroy: the new object is tainted, and the old one is deposed.
    let old = bed.core.stored(TYPE, "a").clone();
    bed.core.taint(TYPE, "a");
    bed.core.add_deposed(TYPE, "a", old);
    bed.core.apply_one(a().create_before_destroy()).await.ok();
    bed.core.plan_all(vec![a()]).await.ok().assert_empty();
    // Forgotten, and imported again.
    bed.core.forget(TYPE, "a");
    bed.core.apply_one(a().import(ImportFrom::Id(bed.hub.clone()))).await.ok();
    bed.core.plan_all(vec![a()]).await.ok().assert_empty();
    assert_eq!((bed.writes(), bed.settings()), (vec![], KEYLESS));
}

#[tokio::test]
async fn destroying_the_storage_auth_of_one_hub_keeps_keys_off_for_another_one_planned_before() {
    for last in [true, false] {
        let mut bed = bed().await;
        let hub2 = bed.another_hub("hub2");
        let config = |hub: &str| json!({ "hub_id": hub, "access_check": "off", "shared_access_key_enabled": false });
        let (a, b) = (resource(TYPE, "a", config(&bed.hub)), resource(TYPE, "b", config(&hub2)));
        bed.core.apply_all(vec![a, b.clone().depends_on(TYPE, "a")]).await.ok();
        bed.emulator.clear_requests();
        bed.core.plan_deletes_first(!last);
        let planned = bed.core.plan_all(vec![b.clone()]).await.ok();
        let (summary, keys) = match last {
            true => ("Shared keys of the account are kept", false),
            false => ("Shared keys of the account may change", true),
        };
        planned.warning(summary);
        bed.core.apply_saved(planned).await.ok();
        assert_eq!(bed.settings(), ("accesskey", Some(keys)));
    }
}
