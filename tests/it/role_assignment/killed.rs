//! Runs that are killed before the state has what they assigned. Names follow from the configuration, so that nothing is lost
//! or doubled.

use serde_json::Value;

use super::{ALICE, Bed, CONTRIBUTOR_ROLES, TYPE, bed, short};
use crate::azure::{Action as Fault, Record, Rule};
use crate::support::core::{Plan, resource};

async fn killed_at(bed: &mut Bed, planned: Plan, rule: Rule, seen: &'static str) {
    let rule = bed.emulator.fault(rule);
    bed.emulator.clear_requests();
    let arm = bed.arm.clone();
    bed.core.kill_when(async move {
        arm.emulator.request_seen(|request: &Record| short(request) == seen).await;
    });
    bed.core.apply_saved(planned).await;
    assert_eq!(bed.state(), Value::Null);
    bed.emulator.release(rule);
}

#[tokio::test]
async fn a_creation_that_was_killed_is_continued_under_the_same_names() {
    let refused = || Rule::on("PUT", "*", Fault::Status(503)).header("retry-after", "60");
    // Before the second role, and in the middle of a replacement, whose first half deletes nothing.
    for replaces in [false, true] {
        let mut bed = bed().await;
        let config = bed.by_hub(ALICE, "contributor");
        if replaces {
            bed.apply(&config).await.ok();
            let planned = bed.core.plan_all(vec![resource(TYPE, "a", config.clone()).replaced()]).await.ok();
            killed_at(&mut bed, planned, refused(), "PUT blob contributor").await;
            assert_eq!(bed.held(ALICE, &bed.account).len(), 2);
        } else {
            let planned = bed.plan(&config).await.ok();
            let second = refused().containing(super::FILE_CONTRIBUTOR);
            killed_at(&mut bed, planned, second, "PUT file contributor").await;
            assert_eq!(bed.held(ALICE, &bed.account).len(), 1);
        }
        let warning = bed.plan(&config).await.ok().report.diagnostics.to_string();
        assert!(warning.contains("destroying"), "{warning}");
        bed.apply(&config).await.ok();
        let mut roles = CONTRIBUTOR_ROLES.map(str::to_owned);
        roles.sort();
        assert_eq!(bed.held(ALICE, &bed.account), roles);
        bed.plan(&config).await.ok().assert_empty();
        bed.destroy().await.ok();
        assert!(bed.held(ALICE, &bed.account).is_empty());
    }
}
