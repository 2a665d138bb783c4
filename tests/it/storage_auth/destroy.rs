//! Destroying: what is put back, by whom, and what is left when it cannot be.

use foundryhub::arm::StorageAccountId;
use serde_json::{Value, json};

use super::{Bed, TYPE, bed, bed_with, on_account, on_hub};
use crate::azure::{Action as Fault, Lro, Operations, Outcome, Rule};
use crate::support::core::{Action, resource};

impl Bed {
    fn is_keyless(&self) -> bool {
        (self.mode().as_str(), self.keys()) == ("identity", Some(false))
    }

    fn is_put_back(&self) -> bool {
        (self.mode().as_str(), self.keys()) == ("accesskey", Some(true))
    }
}

// A way back that is obstructed.

#[tokio::test]
async fn keys_that_a_policy_keeps_off_leave_the_hub_on_identity_however_often_it_is_tried() {
    let mut bed = bed().await;
    bed.apply(&bed.keyless()).await.quiet();
    let policy = format!("keep {} properties.allowSharedKeyAccess", StorageAccountId::RESOURCE_TYPE);
    bed.emulator.configure(|options| options.policy = vec![policy.parse().expect("a policy")]);
    for _ in 0..2 {
        bed.emulator.clear_requests();
        let report = bed.destroy().await.failed();
        let error = report.error("The storage account did not keep the setting");
        assert!(error.detail.contains("it was put back to identity"), "{error}");
        assert_eq!(bed.writes(), ["PATCH hub1 accesskey", "PATCH sa1 true", "PATCH hub1 identity"]);
        assert!(bed.is_keyless());
        bed.plan(&bed.keyless()).await.ok().assert_empty();
    }
    bed.emulator.configure(|options| options.policy.clear());
    bed.destroy().await.ok();
    assert!(bed.is_put_back());
}

#[tokio::test]
async fn a_way_back_whose_operation_ends_badly_is_gone_again_by_the_next_destroy() {
    for outcome in [
        Some(Outcome::Failed { code: "InternalServerError".to_owned(), message: "It broke.".to_owned() }),
        Some(Outcome::Canceled),
        None,
    ] {
        let mut bed = bed_with(|options| options.lro = Lro::Both).await;
        let mut config = bed.keyless();
        config["timeouts"] = json!({ "delete": if outcome.is_some() { "1m" } else { "2s" } });
        bed.apply(&config).await.quiet();
        bed.emulator.configure(|options| options.operations = Operations::Explicit);
        let arm = bed.arm.clone();
        let end = async {
            let operation = arm.emulator.operation_started(&arm.hub).await;
            if let Some(outcome) = outcome.clone() {
                assert!(arm.emulator.finish_operation(&operation, outcome));
            }
        };
        let (report, ()) = futures_util::future::join(bed.core.destroy(TYPE, "a"), end).await;
        let report = report.failed();
        match &outcome {
            Some(Outcome::Canceled) => report.error("The switch of the hub was canceled"),
            Some(_) => report.error("Azure failed to switch the hub"),
            None => report.error("Out of time"),
        };
        assert_eq!(bed.keys(), Some(false), "keys were not touched");

        bed.emulator.configure(|options| options.operations = Operations::Auto);
        for operation in bed.emulator.running_operations() {
            bed.emulator.finish_operation(&operation.id, Outcome::Succeeded);
        }
        let report = bed.destroy().await.ok();
        assert!(!report.diagnostics.0.iter().any(|found| found.summary == "Changed by somebody else"));
        assert!(bed.is_put_back(), "after {outcome:?}");
    }
}

#[tokio::test]
async fn an_account_that_may_not_be_looked_at_stops_the_way_back_before_it_begins() {
    let mut bed = bed().await;
    bed.apply(&bed.keyless()).await.quiet();
    bed.core.refresh_in_plans(false);
    bed.fault(Rule::on("GET", "*/storageAccounts/sa1", Fault::Denied));
    bed.emulator.clear_requests();
    let report = bed.core.apply_all(Vec::new()).await.failed();
    let error = report.error("Cannot read the storage account");
    assert!(error.detail.contains("Microsoft.Storage/storageAccounts/read"), "{error}");
    assert_eq!(bed.writes(), [""; 0]);
    assert!(bed.is_keyless());
    bed.emulator.clear_faults();
    bed.destroy().await.ok();
    assert!(bed.is_put_back());
}

#[tokio::test]
async fn a_way_back_that_is_interrupted_is_finished_later() {
    for (fault, name) in [(on_hub(Fault::Hold), "/hub1"), (on_account(Fault::Hold), "/sa1")] {
        let mut bed = bed().await;
        bed.apply(&bed.keyless()).await.quiet();
        let rule = bed.emulator.fault(fault);
        bed.emulator.clear_requests();
        let arm = bed.arm.clone();
        bed.core.interrupt_apply_when(async move {
            arm.emulator.request_seen(|request| request.method == "PATCH" && request.path.ends_with(name)).await;
        });
        let report = bed.destroy().await.failed();
        assert!(report.error("Interrupted").detail.contains("may still have its effect"), "{}", report.diagnostics);
        bed.emulator.release(rule);
        bed.destroy().await.ok();
        assert!(bed.is_put_back());
        assert_eq!(bed.state(), Value::Null);
    }
}

// What was changed is not there any more.

#[tokio::test]
async fn a_hub_that_was_made_anew_on_another_account_is_somebody_elses() {
    for refresh in [true, false] {
        let mut bed = bed().await;
        let config = bed.keyless();
        bed.apply(&config).await.quiet();
        let account2 = bed.emulator.id("rg1", StorageAccountId::RESOURCE_TYPE, "sa2");
        bed.emulator.seed_storage_account(&account2, json!({ "allowSharedKeyAccess": false }));
        bed.emulator.remove(&bed.hub);
        bed.emulator.seed_hub(&bed.hub, &account2, json!({ "systemDatastoresAuthMode": "identity" }));
        if refresh {
            let planned = bed.plan(&config).await.ok();
            planned.warning("The hub was made anew");
            assert_eq!(planned.action(), Action::NoOp);
            bed.core.apply_saved(planned).await.ok();
            assert_eq!(bed.state()["storage_account_id"], json!(account2));
            let nothing = json!({ "system_datastores_auth_mode": null, "shared_access_key_enabled": null });
            assert_eq!(bed.state()["original"], nothing);
        } else {
            bed.core.refresh_in_plans(false);
        }
        bed.emulator.clear_requests();
        let report = bed.core.apply_all(Vec::new()).await.ok();
        if !refresh {
            report.warning("The hub was made anew");
        }
        assert_eq!(bed.writes(), [""; 0]);
        assert_eq!(bed.state(), Value::Null);
    }
}

// More than one object for one hub.

/// Two objects for the hub in one state: `a`, which has changed it, and `b`, which came later and found it as it wanted.
pub(super) async fn two_objects(bed: &mut Bed) -> Value {
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
async fn an_object_whose_hub_another_one_keeps_is_destroyed_without_a_change() {
    let mut bed = bed().await;
    let config = two_objects(&mut bed).await;
    let planned = bed.core.plan_all(vec![resource(TYPE, "b", config.clone())]).await.ok();
    planned.warning("The authorization is kept");
    let report = bed.core.apply_saved(planned).await.ok();
    report.warning(r#"restore_to = { system_datastores_auth_mode = "accesskey", shared_access_key_enabled = true }"#);
    assert_eq!(bed.writes(), [""; 0]);
    assert_eq!(bed.state(), Value::Null);
    bed.core.plan_all(vec![resource(TYPE, "b", config)]).await.ok().assert_empty();
}

#[tokio::test]
async fn when_all_objects_of_a_hub_go_what_the_first_has_found_is_put_back() {
    for destroy_all in [true, false] {
        let mut bed = bed().await;
        two_objects(&mut bed).await;
        if destroy_all {
            bed.core.destroy_all().await.ok();
        } else {
            bed.core.apply_all(Vec::new()).await.ok();
        }
        assert!(bed.is_put_back(), "{:?}", bed.writes());
        assert_eq!((bed.state(), bed.core.state(TYPE, "b")), (Value::Null, Value::Null));
    }
}

/// The state after a replacement that made the new object first and was stopped before it removed the old one.
#[tokio::test]
async fn an_object_that_a_replacement_has_left_over_is_removed_without_a_change() {
    let mut bed = bed().await;
    let config = two_objects(&mut bed).await;
    let (old, new) = (bed.core.stored(TYPE, "a").clone(), bed.core.stored(TYPE, "b").clone());
    bed.core.forget(TYPE, "b");
    bed.core.store(TYPE, "a", new);
    bed.core.leave_over(TYPE, "a", old);
    let again = || resource(TYPE, "a", config.clone()).create_before_destroy();
    let planned = bed.core.plan_all(vec![again()]).await.ok();
    let report = bed.core.apply_saved(planned).await.ok();
    report.warning("The authorization is kept");
    assert_eq!(bed.writes(), [""; 0]);
    assert!(bed.is_keyless());
    bed.core.plan_all(vec![again()]).await.ok().assert_empty();
}

// Replacements.

#[tokio::test]
async fn a_plan_for_another_hub_says_what_becomes_of_the_first() {
    let mut bed = bed().await;
    bed.apply(&bed.keyless()).await.quiet();
    let hub2 = bed.another_hub("hub2");
    let mut config = bed.keyless();
    config["hub_id"] = json!(hub2);
    let planned = bed.plan(&config).await.ok();
    let warning = planned.warning("Destroying this changes hub and storage account");
    assert!(warning.detail.contains(&format!("the hub {} goes back to accesskey", bed.hub)), "{warning}");
}

#[tokio::test]
async fn what_a_replacement_hands_on_survives_a_creation_that_fails_at_once() {
    let mut bed = bed().await;
    bed.apply(&bed.keyless()).await.quiet();
    let first = bed.state();
    bed.core.taint(TYPE, "a");
    let planned = bed.plan(&bed.keyless()).await.ok();
    bed.fault(Rule::on("GET", "*/workspaces/hub1", Fault::Denied));
    bed.core.apply_saved(planned).await.failed().error("Cannot read the hub");
    assert_eq!(bed.state(), first);
    bed.emulator.clear_faults();

    // Somebody else's change is told from our own after that, too.
    bed.emulator.set_mode(&bed.hub, "UserDelegationSAS");
    bed.core.stored(TYPE, "a").tainted = false;
    let report = bed.destroy().await.ok();
    report.warning("Changed by somebody else");
    assert_eq!(bed.mode(), "userdelegationsas");
}
