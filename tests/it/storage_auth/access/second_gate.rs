//! The second gate, before keys go off: the platform's role assignment, the datastores, and `grant_settle_time`.

use std::time::Duration;

use serde_json::json;

use super::{ROLE_ASSIGNMENT, role_assignment};
use crate::{
    azure::{Datastores, HubRole},
    storage_auth::{ALICE, KEYLESS, TYPE, bed, bed_with, replaced_tainted},
    support::{
        core::{Action, Core, resource},
        ids::{BLOB_CONTRIBUTOR_NAME, CONTRIBUTOR_NAMES},
    },
};

#[tokio::test]
async fn keys_go_off_only_when_the_platform_has_given_the_hubs_identity_its_role() {
    let mut bed = bed_with(|options| options.hub_role_delay = Duration::from_secs(2)).await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    bed.apply(&bed.checked("enforce")).await.quiet();
    let lists = bed.requests().iter().filter(|request| *request == "GET roleAssignments").count();
    assert!(lists > 2, "{lists}");
    assert_eq!(bed.keys(), Some(false));
}

#[tokio::test]
async fn keys_stay_on_when_the_platform_never_gives_the_hubs_identity_its_role() {
    let mut bed = bed_with(|options| options.hub_roles = vec![HubRole::None]).await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    let mut config = bed.checked("enforce");
    config["platform_grant_timeout"] = json!("1s");
    let report = bed.apply(&config).await.failed();
    let error = report.error("The hub's identity would lose access");
    assert!(error.detail.contains("platform_grant_timeout") && !error.detail.contains("depends_on"), "{error}");
    assert!(error.detail.contains("The hub is on identity, shared keys are enabled."), "{error}");
    assert_eq!(bed.settings(), ("identity", None));

    // The next apply turns keys off.
    let principal = bed.state()["hub_principal_id"].as_str().expect("an identity").to_owned();
    bed.seed_roles(&principal, &[BLOB_CONTRIBUTOR_NAME]);
    bed.emulator.clear_requests();
    replaced_tainted(bed.apply(&config).await);
    assert_eq!(bed.writes(), ["PATCH sa1 false"]);
}

#[tokio::test]
async fn keys_stay_on_when_the_datastores_never_leave_the_key() {
    let mut bed = bed_with(|options| options.datastores = Datastores::Never).await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    let mut config = bed.checked("enforce");
    config["platform_grant_timeout"] = json!("1s");
    let report = bed.apply(&config).await.failed();
    let error = report.error("Datastores still use the key");
    assert!(error.detail.contains("workspaceblobstore"), "{error}");
    assert_eq!(bed.settings(), ("identity", None));
}

#[tokio::test]
async fn keys_go_off_only_when_the_datastores_have_left_the_key() {
    let mut bed = bed_with(|options| options.datastore_lag = Duration::from_secs(2)).await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    bed.apply(&bed.checked("enforce")).await.quiet();
    assert_eq!(bed.keys(), Some(false));
}

#[tokio::test]
async fn the_next_apply_turns_keys_off_when_the_datastores_have_left_the_key() {
    let mut bed = bed_with(|options| options.datastores = Datastores::Never).await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    let mut config = bed.checked("enforce");
    config["platform_grant_timeout"] = json!("0s");
    // The finding stops the apply before it waits for grant_settle_time.
    config["grant_settle_time"] = json!("10m");
    bed.apply(&config).await.failed().error("Datastores still use the key");
    // Somebody saves the hub's storage access in the portal once more.
    bed.emulator.configure(|options| options.datastores = Datastores::Follow);
    bed.emulator.set_mode(&bed.hub, "accesskey");
    bed.emulator.set_mode(&bed.hub, "identity");
    config["grant_settle_time"] = json!("0s");
    bed.emulator.clear_requests();
    replaced_tainted(bed.apply(&config).await);
    assert_eq!(bed.writes(), ["PATCH sa1 false"]);
}

#[tokio::test]
async fn with_warn_the_second_gate_warns_and_keys_go_off() {
    for (change, summary) in [
        (
            (|options| options.datastores = Datastores::Never) as fn(&mut crate::azure::Options),
            "Datastores still use the key",
        ),
        (|options| options.hub_roles = vec![HubRole::None], "The hub's identity would lose access"),
    ] {
        let mut bed = bed_with(change).await;
        bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
        let mut config = bed.checked("warn");
        config["platform_grant_timeout"] = json!("1s");
        bed.apply(&config).await.ok().warning(summary);
        assert_eq!(bed.settings(), KEYLESS);
    }
}

#[tokio::test]
async fn keys_go_off_no_earlier_than_grant_settle_time_after_the_youngest_role_assignment() {
    let mut bed = bed_with(|options| options.stop_clock = true).await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    let mut config = bed.checked("warn");
    config["grant_settle_time"] = json!("10m");
    config["timeouts"] = json!({ "create": "2m" });
    let report = bed.apply(&config).await.failed();
    let error = report.error("Role assignments are too young");
    assert_eq!(error.path, "grant_settle_time");
    assert_eq!(bed.settings(), ("identity", None));

    bed.emulator.advance(Duration::from_secs(600));
    let report = replaced_tainted(bed.apply(&config).await);
    assert_eq!(report.action(), Action::Replace);
    assert_eq!(bed.keys(), Some(false));
}

#[tokio::test]
async fn grant_settle_time_holds_for_role_assignments_of_the_same_run() {
    let mut bed = bed_with(|options| options.stop_clock = true).await;
    let mut config = bed.checked("enforce");
    config["grant_settle_time"] = json!("10m");
    config["timeouts"] = json!({ "create": "1m" });
    let all =
        vec![role_assignment(&bed, "alice", ALICE), resource(TYPE, "a", config).depends_on(ROLE_ASSIGNMENT, "alice")];
    let report = bed.core.apply_all(all.clone()).await.failed();
    report.error("Role assignments are too young");
    assert_eq!(bed.settings(), ("identity", None));
    bed.emulator.advance(Duration::from_secs(600));
    bed.core.apply_all(all).await.ok();
    assert_eq!(bed.keys(), Some(false));
}

#[tokio::test]
async fn the_log_says_what_the_second_gate_waits_for() {
    let mut bed = bed_with(|options| {
        options.hub_roles = vec![HubRole::None];
        options.datastores = Datastores::Never;
    })
    .await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    bed.core = std::mem::replace(&mut bed.core, Core::new()).env("TF_LOG_PROVIDER", "INFO");
    let mut config = bed.checked("warn");
    config["platform_grant_timeout"] = json!("1s");
    bed.apply(&config).await.ok();
    let log = bed.core.transcript();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("waiting before shared keys are disabled")).collect();
    let [line] = lines[..] else { panic!("{log}") };
    assert!(line.contains("\"@level\":\"info\"") && line.contains("workspaceblobstore"), "{line}");
    assert!(line.contains("the platform to assign a role") && line.contains("/workspaces/hub1"), "{line}");
    let found = log.lines().find(|line| line.contains("\"code\":\"system_datastores_use_keys\"")).expect("the finding");
    let subject = format!("\"subject\":{:?}", bed.hub);
    assert!(found.contains(&subject) && found.contains("\"stops\":false"), "{found}");
}

#[tokio::test]
async fn platform_grant_timeout_is_a_duration_and_5m_by_default() {
    let mut bed = bed().await;
    let mut config = bed.keyless();
    bed.apply(&config).await.quiet();
    assert_eq!(bed.state()["platform_grant_timeout"], "5m");
    config["platform_grant_timeout"] = json!("soon");
    let found = bed.core.validate(TYPE, "a", config).await;
    assert_eq!(found.error("Invalid value").path, "platform_grant_timeout");
}

/// Ages are told by Azure's own clock. That of this machine may be an hour or a year ahead or behind.
#[tokio::test]
async fn the_clock_of_this_machine_does_not_matter_for_grant_settle_time() {
    const HOUR: i64 = 3600;
    const YEAR: i64 = 365 * 24 * HOUR;
    for skew in [HOUR, -HOUR, YEAR, -YEAR] {
        let mut bed = bed_with(|options| {
            options.time = Some(time::OffsetDateTime::now_utc() + time::Duration::seconds(skew));
            options.stop_clock = true;
        })
        .await;
        bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
        let mut config = bed.checked("enforce");
        config["grant_settle_time"] = json!("10m");
        config["timeouts"] = json!({ "create": "2m" });
        bed.apply(&config).await.failed().error("Role assignments are too young");
        assert_eq!(bed.settings(), ("identity", None), "{skew}");
        bed.emulator.advance(Duration::from_secs(599));
        config["grant_settle_time"] = json!("9m59s");
        replaced_tainted(bed.apply(&config).await);
        assert_eq!(bed.keys(), Some(false), "{skew}");
    }
}
