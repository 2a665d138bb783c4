//! Creations, the account included, and how they end half-way.

use serde_json::{Value, json};

use super::{TYPE, bed, bed_with, on_hub};
use crate::azure::{Action as Fault, Lro, Operations, Outcome, Rule};
use crate::support::core::Action;

#[tokio::test]
async fn keys_go_off_before_the_hub_is_created_and_stay_off_when_it_is_destroyed() {
    let mut bed = bed().await;
    let config = bed.with(json!({ "shared_access_key_enabled": false }));
    bed.apply(&config).await.quiet();
    assert_eq!(bed.requests(), ["GET hub2", "GET sa1", "PATCH sa1 false", "GET sa1", "PUT hub2"]);
    assert_eq!(bed.shared_keys(), Some(false));
    bed.plan(&config).await.ok().assert_empty();
    bed.emulator.clear_requests();
    let report = bed.destroy().await.ok();
    let warning = report.warning("Shared keys stay disabled");
    assert!(warning.detail.contains(&bed.account), "{warning}");
    assert_eq!(bed.writes(), ["DELETE hub2"]);
    assert_eq!(bed.shared_keys(), Some(false));
}

#[tokio::test]
async fn an_account_that_refuses_keys_already_is_not_changed() {
    let mut bed = bed().await;
    bed.emulator.set_shared_key_access(&bed.account, Some(false));
    for config in [bed.with(json!({ "shared_access_key_enabled": false })), bed.minimal()] {
        bed.emulator.clear_requests();
        bed.apply(&config).await.quiet();
        assert_eq!(bed.writes(), ["PUT hub2"]);
        assert_eq!(bed.state()["shared_access_key_enabled"], false);
        assert_eq!(bed.in_azure()["properties"]["systemDatastoresAuthMode"], "identity");
        bed.destroy().await.ok();
        bed.delete(&format!("{}?api-version=2025-06-01&forceToPurge=true", bed.own_hub())).await;
    }
}

#[tokio::test]
async fn a_hub_that_exists_is_not_taken_over() {
    let mut bed = bed().await;
    bed.another_hub("hub2");
    let config = bed.with(json!({ "shared_access_key_enabled": false }));
    bed.emulator.change(&bed.own_hub(), |hub| hub["kind"] = json!("Hub"));
    bed.emulator.clear_requests();
    let report = bed.apply(&config).await.failed();
    let error = report.error("The hub exists already");
    assert!(error.detail.contains(&format!("terraform import ADDRESS '{}'", bed.own_hub())), "{error}");
    assert_eq!(error.path, "name");
    bed.emulator.change(&bed.own_hub(), |hub| hub["kind"] = json!("Default"));
    let report = bed.apply(&config).await.failed();
    assert!(report.error("The name is taken").detail.contains("of kind Default"));
    assert_eq!(bed.writes(), [""; 0]);
    assert_eq!(bed.state(), Value::Null);
}

#[tokio::test]
async fn an_account_that_is_missing_or_refuses_the_change_ends_the_creation_before_the_hub() {
    for (fault, says) in [
        (Rule::on("GET", "*/storageAccounts/sa1", Fault::Denied), "Cannot read the storage account"),
        (Rule::on("PATCH", "*/storageAccounts/sa1", Fault::Denied), "Not allowed to change the storage account"),
    ] {
        let mut bed = bed().await;
        bed.emulator.fault(fault);
        let config = bed.with(json!({ "shared_access_key_enabled": false }));
        bed.apply(&config).await.failed().error(says);
        assert_eq!((bed.state(), bed.shared_keys()), (Value::Null, None));
        assert!(!bed.writes().contains(&"PUT hub2".to_owned()));
    }
    let mut bed = bed().await;
    let missing = bed.account.replace("sa1", "sa9");
    let config = bed.with(json!({ "shared_access_key_enabled": false, "storage_account_id": missing }));
    let report = bed.apply(&config).await.failed();
    assert_eq!(report.error("The storage account does not exist").path, "storage_account_id");
    assert_eq!(bed.writes(), [""; 0]);
}

#[tokio::test]
async fn a_refused_hub_has_its_account_put_back_and_leaves_no_state() {
    let mut bed = bed().await;
    bed.emulator.fault(on_hub("PUT", Fault::Denied));
    let config = bed.with(json!({ "shared_access_key_enabled": false }));
    let report = bed.apply(&config).await.failed();
    let error = report.error("Not allowed to create the hub");
    assert!(error.detail.contains("had been disabled for it, and are enabled again"), "{error}");
    assert!(error.detail.contains("Microsoft.MachineLearningServices/workspaces/write"), "{error}");
    // A refusal is tried once more with a fresh token.
    assert_eq!(bed.writes(), ["PATCH sa1 false", "PUT hub2", "PUT hub2", "PATCH sa1 true"]);
    assert_eq!((bed.state(), bed.shared_keys()), (Value::Null, Some(true)));
    bed.emulator.clear_faults();
    bed.apply(&config).await.quiet();
    assert_eq!(bed.shared_keys(), Some(false));
}

#[tokio::test]
async fn an_account_that_cannot_be_put_back_is_reported_beside_the_refusal() {
    let mut bed = bed().await;
    bed.emulator.fault(on_hub("PUT", Fault::Denied));
    bed.emulator.fault(Rule::on("PATCH", "*/storageAccounts/sa1", Fault::Status(409)).code("ScopeLocked").after(1));
    let config = bed.with(json!({ "shared_access_key_enabled": false }));
    let report = bed.apply(&config).await.failed();
    let error = report.error("Not allowed to create the hub");
    assert!(error.detail.contains("Putting that back failed, too: A lock prevents the change"), "{error}");
    assert_eq!((bed.state(), bed.shared_keys()), (Value::Null, Some(false)));
}

#[tokio::test]
async fn an_operation_that_fails_keeps_the_hub_in_the_state() {
    let mut bed = bed_with(|options| options.lro = Lro::Both).await;
    bed.emulator.fault(on_hub("PUT", Fault::FailOperation).code("InternalServerError"));
    let config = bed.with(json!({ "shared_access_key_enabled": false, "purge_on_destroy": true }));
    let report = bed.apply(&config).await.failed();
    let error = report.error("Azure failed to create the hub");
    assert!(error.detail.contains("terraform untaint"), "{error}");
    assert_eq!(bed.writes(), ["PATCH sa1 false", "PUT hub2"]);
    assert_eq!(bed.state()["id"], json!(bed.own_hub()));

    // The next apply replaces it, which takes a purge.
    bed.emulator.clear_faults();
    let report = bed.apply(&config).await.ok();
    assert_eq!((report.action(), report.change().was_tainted), (Action::Replace, true));
    assert_eq!(bed.writes(), ["DELETE hub2 purge", "PUT hub2"]);
    bed.plan(&config).await.ok().assert_empty();
}

#[tokio::test]
async fn an_interrupted_creation_keeps_the_hub_in_the_state_and_a_refresh_tells_what_became_of_it() {
    let failed = Outcome::Failed { code: "InternalServerError".into(), message: "It broke.".into() };
    for outcome in [Outcome::Succeeded, failed] {
        let mut bed = bed_with(|options| (options.lro, options.operations) = (Lro::Both, Operations::Explicit)).await;
        let config = bed.with(json!({ "shared_access_key_enabled": false }));
        let (emulator, hub) = (bed.arm.clone(), bed.own_hub());
        bed.core.interrupt_when(async move {
            emulator.emulator.operation_started(&hub).await;
        });
        let report = bed.apply(&config).await.failed();
        let error = report.error("Interrupted");
        assert!(error.detail.contains("Shared keys of") && error.detail.contains("are disabled"), "{error}");
        assert_eq!(bed.state()["id"], json!(bed.own_hub()), "{outcome:?}");
        let running = bed.emulator.running_operations();
        bed.emulator.finish_operation(&running[0].id, outcome.clone());
        bed.emulator.configure(|options| options.operations = Operations::Auto);
        let planned = bed.core.plan(TYPE, "a", config.clone()).await;
        assert_eq!(planned.report.changes.len(), 1, "{outcome:?}: {}", planned.report.diagnostics);
    }
}

#[tokio::test]
async fn a_creation_that_was_killed_after_the_account_was_changed_is_completed_by_the_next_apply() {
    let mut bed = bed().await;
    // The process is gone between the two writes: the account is changed and nothing is in the state.
    bed.emulator.set_shared_key_access(&bed.account, Some(false));
    let config = bed.with(json!({ "shared_access_key_enabled": false }));
    bed.apply(&config).await.quiet();
    assert_eq!(bed.writes(), ["PUT hub2"]);
}

#[tokio::test]
async fn a_creation_that_times_out_keeps_the_hub_in_the_state() {
    let mut bed = bed_with(|options| (options.lro, options.operations) = (Lro::Both, Operations::Explicit)).await;
    let config = bed.with(json!({ "timeouts": { "create": "2s" } }));
    let report = bed.apply(&config).await.failed();
    report.error("The operation timed out");
    assert_eq!(bed.state()["id"], json!(bed.own_hub()));
    assert_eq!(bed.writes(), ["PUT hub2"]);
}

#[tokio::test]
async fn the_first_gate_stops_a_creation_with_nothing_touched() {
    let mut bed = bed().await;
    let keys_off = json!({ "shared_access_key_enabled": false, "access_check": "enforce" });
    // hub1 uses the keys of the account.
    let report = bed.apply(&bed.with(keys_off.clone())).await.failed();
    let error = report.error("Other workspaces use the keys");
    assert!(error.detail.contains(&bed.hub), "{error}");
    assert_eq!((bed.state(), bed.writes()), (Value::Null, Vec::<String>::new()));

    bed.emulator.set_mode(&bed.hub, "identity");
    let mut config = bed.with(keys_off);
    config["access_check_principal_ids"] = json!([crate::support::ids::ALICE]);
    let report = bed.apply(&config).await.failed();
    let error = report.error("A principal would lose access");
    // The hub does not exist, so that the roles have to be assigned by the account.
    assert!(error.detail.contains("storage_account_id = \"/subscriptions/"), "{error}");
    assert_eq!((bed.state(), bed.writes()), (Value::Null, Vec::<String>::new()));

    config["access_check"] = json!("warn");
    bed.apply(&config).await.ok().warning("A principal would lose access");
    assert_eq!(bed.shared_keys(), Some(false));
}
