//! Destroy: what is restored, and what is left in Azure and in the state when that fails.

use foundryhub::arm::StorageAccountId;
use serde_json::{Value, json};

use super::{KEYLESS, TYPE, WITH_KEYS, bed, bed_with, on_account, on_hub};
use crate::azure::{Action as Fault, Lro, Operations, Outcome, Rule};
use crate::support::core::Action;

// A destroy that Azure refuses, or that is interrupted.

#[tokio::test]
async fn every_destroy_that_a_policy_undoes_leaves_the_hub_on_identity() {
    let mut bed = bed().await;
    bed.apply(&bed.keyless()).await.quiet();
    let policy = format!("keep {} properties.allowSharedKeyAccess", StorageAccountId::RESOURCE_TYPE);
    bed.emulator.configure(|options| options.policy = vec![policy.parse().expect("a policy")]);
    for _ in 0..2 {
        bed.emulator.clear_requests();
        let report = bed.destroy().await.failed();
        let error = report.error("The storage account did not keep the setting");
        assert!(error.detail.contains("was switched back to identity"), "{error}");
        assert_eq!(bed.writes(), ["PATCH hub1 accesskey", "PATCH sa1 true", "PATCH hub1 identity"]);
        assert_eq!(bed.settings(), KEYLESS);
        bed.plan(&bed.keyless()).await.ok().assert_empty();
    }
    bed.emulator.configure(|options| options.policy.clear());
    bed.destroy().await.ok();
    assert_eq!(bed.settings(), WITH_KEYS);
}

#[tokio::test]
async fn a_destroy_whose_operation_fails_is_completed_by_the_next_destroy() {
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
            None => report.error("The operation timed out"),
        };
        assert_eq!(bed.keys(), Some(false), "keys were not touched");

        bed.finish_operations();
        let report = bed.destroy().await.ok();
        assert!(!report.diagnostics.0.iter().any(|found| found.summary == "A setting was changed by somebody else"));
        assert_eq!(bed.settings(), WITH_KEYS, "after {outcome:?}");
    }
}

#[tokio::test]
async fn a_destroy_that_may_not_read_the_account_fails_before_it_writes() {
    let mut bed = bed().await;
    bed.apply(&bed.keyless()).await.quiet();
    bed.core.refresh_in_plans(false);
    bed.fault(Rule::on("GET", "*/storageAccounts/sa1", Fault::Denied));
    bed.emulator.clear_requests();
    let report = bed.core.apply_all(Vec::new()).await.failed();
    let error = report.error("Cannot read the storage account");
    assert!(error.detail.contains("Microsoft.Storage/storageAccounts/read"), "{error}");
    assert_eq!(bed.writes(), [""; 0]);
    assert_eq!(bed.settings(), KEYLESS);
    bed.emulator.clear_faults();
    bed.destroy().await.ok();
    assert_eq!(bed.settings(), WITH_KEYS);
}

#[tokio::test]
async fn an_interrupted_destroy_is_completed_by_the_next_destroy() {
    for (fault, name) in [(on_hub(Fault::Hold), "/hub1"), (on_account(Fault::Hold), "/sa1")] {
        let mut bed = bed().await;
        bed.apply(&bed.keyless()).await.quiet();
        let rule = bed.emulator.fault(fault);
        bed.emulator.clear_requests();
        let arm = bed.arm.clone();
        bed.core.interrupt_when(async move {
            arm.emulator.request_seen(|request| request.method == "PATCH" && request.path.ends_with(name)).await;
        });
        let report = bed.destroy().await.failed();
        assert!(report.error("Interrupted").detail.contains("may still take effect"), "{}", report.diagnostics);
        bed.emulator.release(rule);
        bed.destroy().await.ok();
        assert_eq!(bed.settings(), WITH_KEYS);
        assert_eq!(bed.state(), Value::Null);
    }
}

// The hub was recreated.

#[tokio::test]
async fn a_hub_recreated_on_another_account_is_not_restored_by_a_destroy() {
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
            planned.warning("The hub was recreated");
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
            report.warning("The hub was recreated");
        }
        assert_eq!(bed.writes(), [""; 0]);
        assert_eq!(bed.state(), Value::Null);
    }
}

// Replacements.

#[tokio::test]
async fn a_plan_for_another_hub_says_what_destroying_the_first_changes() {
    let mut bed = bed().await;
    bed.apply(&bed.keyless()).await.quiet();
    let hub2 = bed.another_hub("hub2");
    let mut config = bed.keyless();
    config["hub_id"] = json!(hub2);
    let planned = bed.plan(&config).await.ok();
    let warning = planned.warning("Destroying this changes hub and storage account");
    assert!(warning.detail.contains(&format!("the hub {} is switched back to accesskey", bed.hub)), "{warning}");
}

#[tokio::test]
async fn a_replacement_whose_create_fails_at_once_keeps_the_original_settings() {
    let mut bed = bed().await;
    bed.apply(&bed.keyless()).await.quiet();
    let first = bed.state();
    bed.core.taint(TYPE, "a");
    let planned = bed.plan(&bed.keyless()).await.ok();
    bed.fault(Rule::on("GET", "*/workspaces/hub1", Fault::Denied));
    bed.core.apply_saved(planned).await.failed().error("Cannot read the hub");
    assert_eq!(bed.state(), first);
    bed.emulator.clear_faults();

    // A change by somebody else is still recognized after that.
    bed.emulator.set_mode(&bed.hub, "UserDelegationSAS");
    bed.core.stored(TYPE, "a").tainted = false;
    let report = bed.destroy().await.ok();
    report.warning("A setting was changed by somebody else");
    assert_eq!(bed.mode(), "userdelegationsas");
}
