//! Several objects for one hub: what is refused, and what is not.

use serde_json::{Value, json};

use super::{TYPE, bed, destroy::two_objects};
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

#[tokio::test]
async fn two_objects_of_an_earlier_version_are_refused_until_one_is_let_go_of() {
    let mut bed = bed().await;
    let config = two_objects(&mut bed).await;
    let both = || vec![resource(TYPE, "a", config.clone()), resource(TYPE, "b", config.clone())];
    bed.core.plan_all(both()).await.error(TWO);
    bed.core.forget(TYPE, "a");
    bed.core.plan_all(vec![resource(TYPE, "b", config.clone())]).await.ok().assert_empty();
    assert_eq!(bed.writes(), [""; 0]);
}

#[tokio::test]
async fn a_removal_beside_an_object_that_stays_changes_nothing_or_is_refused() {
    for last in [true, false] {
        let mut bed = bed().await;
        let config = two_objects(&mut bed).await;
        bed.core.plan_deletes_first(!last);
        let plan = bed.core.plan_all(vec![resource(TYPE, "b", config.clone())]).await;
        if plan.report.diagnostics.has_errors() {
            let error = plan.error("One hub is kept and destroyed in one plan");
            assert!(error.detail.contains("removed {"), "{error}");
        } else {
            plan.warning("The authorization is kept");
            let report = bed.core.apply_saved(plan).await.ok();
            report.warning("shared_access_key_enabled = true }");
        }
        assert_eq!((bed.writes(), bed.mode().as_str(), bed.keys()), (vec![], "identity", Some(false)));
    }
}

#[tokio::test]
async fn what_is_no_rename_is_not_refused_and_changes_nothing() {
    let mut bed = bed().await;
    let config = bed.keyless();
    bed.apply(&config).await.quiet();
    bed.emulator.clear_requests();
    let a = || resource(TYPE, "a", config.clone());

    // Tainted, replaced on demand, in either order.
    bed.core.taint(TYPE, "a");
    assert_eq!(bed.core.apply_one(a()).await.ok().action(), Action::Replace);
    assert_eq!(bed.core.apply_one(a().replaced()).await.ok().action(), Action::Replace);
    assert_eq!(bed.core.apply_one(a().replaced().create_before_destroy()).await.ok().action(), Action::Replace);
    // A create_before_destroy that failed: the new object is tainted, and the old one waits to be removed.
    let old = bed.core.stored(TYPE, "a").clone();
    bed.core.taint(TYPE, "a");
    bed.core.leave_over(TYPE, "a", old);
    bed.core.apply_one(a().create_before_destroy()).await.ok();
    bed.core.plan_all(vec![a()]).await.ok().assert_empty();
    // Forgotten, and imported again.
    bed.core.forget(TYPE, "a");
    bed.core.apply_one(a().import(ImportFrom::Id(bed.hub.clone()))).await.ok();
    bed.core.plan_all(vec![a()]).await.ok().assert_empty();
    assert_eq!((bed.writes(), bed.mode().as_str(), bed.keys()), (vec![], "identity", Some(false)));
}

#[tokio::test]
async fn keys_that_the_resource_of_another_hub_keeps_off_stay_off() {
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
        assert_eq!((bed.mode().as_str(), bed.keys()), ("accesskey", Some(keys)));
    }
}
