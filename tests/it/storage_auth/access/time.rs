//! A look has a share of the operation's time, and never takes what the change itself needs.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    azure::{Action as Fault, Datastores, HubRole, Record, Rule},
    storage_auth::{ALICE, Bed, KEYLESS, UNTOUCHED, bed, bed_with},
    support::ids::CONTRIBUTOR_NAMES,
};

/// With short timeouts, of which a look has half.
fn in_a_hurry(bed: &Bed, check: &str) -> Value {
    let mut config = bed.checked(check);
    config["timeouts"] = json!({ "create": "8s", "read": "2s" });
    config
}

#[tokio::test]
async fn a_look_without_an_end_that_only_warns_leaves_the_time_for_the_change() {
    for (list, what) in [
        ("*/blobServices/default/containers", "Whether containers tell of others"),
        ("*/roleAssignments", "Who holds which roles"),
        ("*/workspaces/hub1/datastores", "datastores"),
    ] {
        let mut bed = bed().await;
        bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
        bed.fault(Rule::on("GET", list, Fault::Endless).delay(Duration::from_millis(20)));
        let report = bed.apply(&in_a_hurry(&bed, "warn")).await.ok();
        let warnings: Vec<_> = report.diagnostics.0.iter().map(|found| found.detail.as_str()).collect();
        let warning = warnings.iter().find(|detail| detail.contains(what) && detail.contains("half of the time"));
        let warning = warning.unwrap_or_else(|| panic!("{what}: {warnings:#?}"));
        assert!(warning.contains("out of time while") && warning.contains("timeouts"), "{warning}");
        assert_eq!(bed.settings(), KEYLESS, "{list}");
    }
}

#[tokio::test]
async fn a_look_that_does_not_end_in_its_share_stops_enforce_with_nothing_touched() {
    let mut bed = bed().await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    bed.fault(Rule::on("GET", "*/roleAssignments", Fault::Hold));
    let begun = Instant::now();
    let report = bed.apply(&in_a_hurry(&bed, "enforce")).await.failed();
    let error = report.error("Access cannot be verified");
    let read = format!("GET {}/providers/Microsoft.Authorization/roleAssignments", bed.account);
    assert!(error.detail.contains("Who holds which roles") && error.detail.contains(&read), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(60));
    assert_eq!((bed.settings(), bed.state()), (UNTOUCHED, Value::Null));
    assert_eq!(bed.writes(), [""; 0]);
}

/// What is found before stays found: the wait for the platform is over, and nothing else has ended.
#[tokio::test]
async fn a_look_again_that_does_not_end_lasts_no_longer_than_platform_grant_timeout() {
    for held in ["*/workspaces/hub1/datastores", "*/roleAssignments"] {
        let mut bed = bed_with(|options| {
            options.hub_roles = vec![HubRole::None];
            options.datastores = Datastores::Never;
        })
        .await;
        bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
        let mut config = bed.checked("enforce");
        config["platform_grant_timeout"] = json!("2s");
        let planned = bed.plan(&config).await.ok();
        let arm = bed.arm.clone();
        let looked = |path: &str| path.ends_with(held.trim_start_matches('*'));
        let begun = Instant::now();
        let (report, ()) = tokio::join!(bed.core.apply_saved(planned), async {
            arm.emulator.request_seen(|record| record.method == "PATCH").await;
            arm.emulator.clear_requests();
            arm.emulator.request_seen(|record| looked(&record.path)).await;
            arm.emulator.fault(Rule::on("GET", held, Fault::Hold));
        });
        let failed = report.failed();
        failed.error("The hub's identity would lose access");
        failed.error("Datastores still use the key");
        assert!(begun.elapsed() < Duration::from_secs(60), "{held}: {:?}", begun.elapsed());
        assert_eq!(bed.settings(), ("identity", None));
    }
}

#[tokio::test]
async fn an_interrupt_ends_looks_without_an_end() {
    let mut bed = bed().await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    let config = bed.checked("warn");
    let planned = bed.plan(&config).await.ok();
    bed.fault(Rule::on("GET", "*/containers", Fault::Endless).delay(Duration::from_millis(20)));
    bed.fault(Rule::on("GET", "*/roleAssignments", Fault::Hold));
    bed.emulator.clear_requests();
    let arm = bed.arm.clone();
    let looking = async move {
        let goes_on = |request: &Record| request.path.ends_with("/containers") && request.number > 10;
        arm.emulator.request_seen(goes_on).await;
    };
    bed.core.interrupt_when(looking);
    let begun = Instant::now();
    let report = bed.core.apply_saved(planned).await.failed();
    report.error("Interrupted");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(bed.settings(), UNTOUCHED);
}
