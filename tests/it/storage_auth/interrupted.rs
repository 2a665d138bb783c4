//! Requests and operations whose end the provider does not see: lost answers, operations that are canceled, take too
//! long or cannot be followed, and interruptions at every step.

use serde_json::{Value, json};

use super::{ALICE, KEYLESS, TYPE, UNTOUCHED, WITH_KEYS, bed, bed_with, on_account, on_hub, replaced_tainted, short};
use crate::azure::{Action as Fault, Lro, Operations, Outcome, Record, Rule};
use crate::support::{core::Action, ids::CONTRIBUTOR_NAMES};

#[tokio::test]
async fn an_operation_that_is_canceled_or_out_of_time_is_reported_and_the_next_apply_completes() {
    for outcome in [Some(Outcome::Canceled), None] {
        let mut bed = bed_with(|options| {
            options.lro = Lro::Both;
            options.operations = Operations::Explicit;
        })
        .await;
        let mut config = bed.keyless();
        config["timeouts"] = json!({ "create": if outcome.is_some() { "1m" } else { "2s" } });
        let arm = bed.arm.clone();
        let (apply, end) = (bed.core.apply(TYPE, "a", config.clone()), async {
            let operation = arm.emulator.operation_started(&arm.hub).await;
            if let Some(outcome) = outcome.clone() {
                assert!(arm.emulator.finish_operation(&operation, outcome));
            }
        });
        let (report, ()) = futures_util::future::join(apply, end).await;
        let report = report.failed();
        match &outcome {
            Some(_) => report.error("The switch of the hub was canceled"),
            None => report.error("The operation timed out"),
        };
        assert_eq!(bed.state()["original"]["system_datastores_auth_mode"], "accesskey");
        assert_eq!(bed.keys(), None);

        bed.finish_operations();
        config["timeouts"] = Value::Null;
        replaced_tainted(bed.apply(&config).await);
        assert_eq!(bed.settings(), KEYLESS);
        assert_eq!(bed.state()["original"]["system_datastores_auth_mode"], "accesskey");
    }
}

/// Azure has refused to process the request, and the provider has waited since.
#[tokio::test]
async fn a_switch_that_was_not_processed_in_time_is_not_said_to_take_effect_later() {
    let mut bed = bed().await;
    bed.fault(on_hub(Fault::Status(429)).code("TooManyRequests").header("retry-after", "60"));
    let mut config = bed.keyless();
    config["timeouts"] = json!({ "create": "10s" });
    let report = bed.apply(&config).await.failed();
    let error = &report.diagnostics.0.last().expect("an error").detail;
    assert!(error.contains("TooManyRequests") && error.contains("The hub is on accesskey"), "{error}");
    assert!(!error.contains("may"), "{error}");
    assert_eq!((bed.settings(), bed.state()), (UNTOUCHED, Value::Null));
}

#[tokio::test]
async fn a_patch_whose_answer_was_lost_is_completed_by_a_read() {
    let mut bed = bed().await;
    bed.fault(on_account(Fault::Lose).times(1));
    bed.apply(&bed.keyless()).await.quiet();
    assert_eq!(bed.settings(), KEYLESS);
    let original = json!({ "system_datastores_auth_mode": "accesskey", "shared_access_key_enabled": true });
    assert_eq!(bed.state()["original"], original);
}

#[tokio::test]
async fn an_account_that_shows_its_new_value_late_is_read_again() {
    let mut bed = bed_with(|options| options.read_delay = std::time::Duration::from_millis(1500)).await;
    bed.apply(&bed.keyless()).await.quiet();
    assert_eq!(bed.state()["shared_access_key_enabled"], false);
}

#[tokio::test]
async fn an_operation_that_cannot_be_followed_is_judged_by_reading_the_hub() {
    for (status, code) in [(403, "AuthorizationFailed"), (404, "ResourceNotFound")] {
        let mut bed = bed_with(|options| options.lro = Lro::Both).await;
        bed.fault(Rule::on("GET", "*/workspaceOperationsStatus/*", Fault::Status(status)).code(code));
        let config = bed.keyless();
        let report = bed.apply(&config).await.ok();
        let warning = report.warning("An operation could not be followed");
        assert!(warning.detail.contains(code), "{warning}");
        assert_eq!(bed.settings(), KEYLESS);
        assert_eq!(bed.state()["original"]["system_datastores_auth_mode"], "accesskey");
        bed.plan(&config).await.ok().assert_empty();
    }
}

#[tokio::test]
async fn an_operation_without_a_known_end_leaves_a_tainted_object_that_the_next_apply_completes() {
    for fault in [
        Rule::on("GET", "*/workspaceOperationsStatus/*", Fault::Status(404)).code("ResourceNotFound"),
        Rule::on("GET", "*/workspaceOperationsStatus/*", Fault::Status(429))
            .code("TooManyRequests")
            .header("retry-after", "60"),
    ] {
        let mut bed = bed_with(|options| {
            options.lro = Lro::Both;
            options.operations = Operations::Explicit;
        })
        .await;
        bed.fault(fault);
        let mut config = bed.keyless();
        config["timeouts"] = json!({ "create": "3s" });
        let report = bed.apply(&config).await.failed();
        let error = &report.diagnostics.0.last().expect("an error").detail;
        assert!(error.contains("The hub is on accesskey, shared keys are enabled."), "{error}");
        assert_eq!(bed.state()["original"]["system_datastores_auth_mode"], "accesskey");

        bed.emulator.clear_faults();
        bed.finish_operations();
        bed.emulator.clear_requests();
        replaced_tainted(bed.apply(&config).await);
        assert_eq!(bed.writes(), ["PATCH sa1 false"]);
        bed.destroy().await.ok();
        assert_eq!(bed.settings(), WITH_KEYS);
    }
}

#[tokio::test]
async fn a_hub_that_is_deleted_during_its_operation_fails_the_create_and_plans_a_new_one() {
    let mut bed = bed_with(|options| {
        options.lro = Lro::Location;
        options.operations = Operations::Explicit;
    })
    .await;
    let config = bed.keyless();
    let arm = bed.arm.clone();
    let deleting = async move {
        let operation = arm.emulator.operation_started(&arm.hub).await;
        arm.emulator.remove(&arm.hub);
        arm.emulator.finish_operation(&operation, Outcome::Canceled);
    };
    let (report, ()) = futures_util::future::join(bed.core.apply(TYPE, "a", config.clone()), deleting).await;
    report.failed();
    assert_eq!(bed.keys(), None);
    let planned = bed.plan(&config).await.ok();
    planned.warning("The hub does not exist");
    assert_eq!(planned.action(), Action::Create);
}

#[tokio::test]
async fn an_interrupted_create_is_tainted_and_the_next_apply_completes() {
    let mut bed = bed_with(|options| {
        options.lro = Lro::Both;
        options.operations = Operations::Explicit;
    })
    .await;
    let config = bed.keyless();
    let arm = bed.arm.clone();
    bed.core.interrupt_when(async move {
        arm.emulator.operation_started(&arm.hub).await;
    });
    let report = bed.apply(&config).await.failed();
    assert!(report.error("Interrupted").detail.contains("may still take effect"));
    assert_eq!(bed.state()["original"]["system_datastores_auth_mode"], "accesskey");

    bed.finish_operations();
    bed.emulator.clear_requests();
    replaced_tainted(bed.apply(&config).await);
    assert_eq!(bed.writes(), ["PATCH sa1 false"]);
    assert_eq!(bed.state()["original"]["system_datastores_auth_mode"], "accesskey");
    bed.plan(&config).await.ok().assert_empty();
}

/// The table has each request at which the apply is interrupted, and the hub's mode then.
#[tokio::test]
async fn a_create_that_is_interrupted_at_any_request_is_completed_by_the_next_apply() {
    let held = |method, path| Rule::on(method, path, Fault::Hold);
    // An apply plans again first, so that it sends some requests for the second time.
    for (place, rule, seen, nth, mode) in [
        ("the look of the plan", held("GET", "*/workspaces/hub1"), "GET hub1", 1, "accesskey"),
        ("the check of the plan", held("GET", "*/roleAssignments"), "GET roleAssignments", 1, "accesskey"),
        ("the account in the plan", held("GET", "*/storageAccounts/sa1"), "GET sa1", 1, "accesskey"),
        ("the first look", held("GET", "*/storageAccounts/sa1").after(1), "GET sa1", 2, "accesskey"),
        ("the first gate", held("GET", "*/roleAssignments").after(1), "GET roleAssignments", 2, "accesskey"),
        ("what uses keys", held("GET", "*/workspaces/hub1/connections").after(1), "GET connections", 2, "accesskey"),
        (
            "the policies",
            held("POST", "*/checkPolicyRestrictions").after(1),
            "POST checkPolicyRestrictions",
            2,
            "accesskey",
        ),
        ("the switch of the hub", held("PATCH", "*/workspaces/hub1"), "PATCH hub1 identity", 1, "accesskey"),
        ("the second gate", held("GET", "*/workspaces/hub1/datastores").after(2), "GET datastores", 3, "identity"),
        ("the account", held("PATCH", "*/storageAccounts/sa1"), "PATCH sa1 false", 1, "identity"),
        ("the last look", held("GET", "*/storageAccounts/sa1").after(2), "GET sa1", 3, "identity"),
    ] {
        let mut bed = bed().await;
        bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
        let mut config = bed.keyless();
        config["access_check"] = json!("enforce");
        config["access_check_principal_ids"] = json!([ALICE]);
        let planned = bed.plan(&config).await.ok();
        let rule = bed.emulator.fault(rule);
        bed.emulator.clear_requests();
        let arm = bed.arm.clone();
        bed.core.interrupt_when(async move {
            let mut last = 0;
            for _ in 0..nth {
                let next = |request: &Record| short(request) == seen && request.number > last;
                last = arm.emulator.request_seen(next).await.number;
            }
        });
        bed.core.apply_saved(planned).await.failed();
        assert_eq!(bed.mode(), mode, "at {place}");
        bed.emulator.release(rule);
        bed.apply(&config).await.ok();
        assert_eq!(bed.settings(), KEYLESS, "after {place}");
        assert_eq!(bed.state()["original"]["system_datastores_auth_mode"], "accesskey", "after {place}");
        bed.plan(&config).await.ok().assert_empty();
        bed.destroy().await.ok();
        assert_eq!(bed.settings(), WITH_KEYS, "after {place}");
    }
}
