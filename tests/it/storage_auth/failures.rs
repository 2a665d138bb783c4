//! What goes wrong half way, and what the next run makes of it.

use foundryhub::arm::StorageAccountId;
use serde_json::{Value, json};

use super::{TYPE, bed, bed_with, on_account, on_hub, short};
use crate::azure::{Action as Fault, Lro};
use crate::support::core::Action;

// What goes wrong half way.

#[tokio::test]
async fn an_account_that_refuses_on_create_is_finished_by_the_next_apply() {
    let mut bed = bed().await;
    bed.fault(on_account(Fault::Denied));
    let config = bed.keyless();
    let report = bed.apply(&config).await.failed();
    let error = report.error("Not allowed to change this");
    assert!(error.detail.contains("The hub is on identity, shared keys are on."), "{error}");
    assert!(error.detail.contains("Microsoft.Storage/storageAccounts/write"), "{error}");
    let original = json!({ "system_datastores_auth_mode": "accesskey", "shared_access_key_enabled": null });
    assert_eq!(bed.state()["original"], original);
    assert_eq!(bed.state()["shared_access_key_enabled"], true);
    bed.emulator.clear_faults();
    bed.emulator.clear_requests();

    let report = bed.apply(&config).await.quiet();
    assert_eq!((report.action(), report.change().was_tainted), (Action::Replace, true));
    assert_eq!(bed.writes(), ["PATCH sa1 false"]);
    let original = json!({ "system_datastores_auth_mode": "accesskey", "shared_access_key_enabled": true });
    assert_eq!(bed.state()["original"], original);
    bed.plan(&config).await.ok().assert_empty();
    bed.destroy().await.ok();
    assert_eq!((bed.mode().as_str(), bed.keys()), ("accesskey", Some(true)));
}

#[tokio::test]
async fn destroying_what_a_failed_create_has_left_puts_it_back() {
    let mut bed = bed().await;
    bed.fault(on_account(Fault::Denied));
    bed.apply(&bed.keyless()).await.failed();
    bed.emulator.clear_faults();
    bed.emulator.clear_requests();
    bed.destroy().await.ok();
    assert_eq!(bed.writes(), ["PATCH hub1 accesskey", "POST resyncKeys"]);
    assert_eq!((bed.mode().as_str(), bed.keys()), ("accesskey", None));
}

#[tokio::test]
async fn a_hub_that_refuses_on_create_leaves_nothing_behind() {
    let mut bed = bed().await;
    for (rule, says) in [
        (on_hub(Fault::Denied), "Microsoft.MachineLearningServices/workspaces/write"),
        (on_hub(Fault::Status(409)).code("ScopeLocked"), "A lock is in the way"),
        (on_hub(Fault::Status(403)).code("RequestDisallowedByPolicy"), "A policy is in the way"),
        (on_hub(Fault::Status(409)).code("ReadOnlyDisabledSubscription"), "The subscription is disabled"),
        (on_hub(Fault::Status(409)).code("MissingSubscriptionRegistration"), "az provider register"),
    ] {
        bed.emulator.clear_faults();
        bed.fault(rule);
        let report = bed.apply(&bed.keyless()).await.failed();
        let error = report.error(says);
        assert!(error.detail.contains("could not be switched to identity"), "{error}");
        assert_eq!(bed.state(), Value::Null);
        assert_eq!((bed.mode().as_str(), bed.keys()), ("accesskey", None));
    }
}

#[tokio::test]
async fn an_account_that_refuses_on_the_way_back_has_the_hub_put_back() {
    let mut bed = bed().await;
    bed.apply(&bed.keyless()).await.quiet();
    bed.fault(on_account(Fault::Status(409)).code("ScopeLocked"));
    bed.emulator.clear_requests();
    let report = bed.destroy().await.failed();
    let error = report.error("A lock is in the way");
    assert!(error.detail.contains("it was put back to identity"), "{error}");
    assert_eq!(bed.writes(), ["PATCH hub1 accesskey", "PATCH sa1 true", "PATCH hub1 identity"]);
    assert_eq!((bed.mode().as_str(), bed.keys()), ("identity", Some(false)));
    let original = json!({ "system_datastores_auth_mode": "accesskey", "shared_access_key_enabled": true });
    assert_eq!(bed.state()["original"], original);
    bed.plan(&bed.keyless()).await.ok().assert_empty();

    bed.emulator.clear_faults();
    bed.destroy().await.ok();
    assert_eq!((bed.mode().as_str(), bed.keys()), ("accesskey", Some(true)));
}

#[tokio::test]
async fn a_policy_that_keeps_keys_on_is_an_error_that_names_asked_and_got() {
    let policy = format!("keep {} properties.allowSharedKeyAccess", StorageAccountId::RESOURCE_TYPE);
    let mut bed = bed_with(|options| options.policy = vec![policy.parse().expect("a policy")]).await;
    let report = bed.apply(&bed.keyless()).await.failed();
    let error = report.error("The storage account did not keep the setting");
    assert!(error.detail.contains("was set to false") && error.detail.contains("reads back true"), "{error}");
    assert_eq!(error.path, "shared_access_key_enabled");
    assert_eq!(bed.state()["shared_access_key_enabled"], true);
    assert_eq!(bed.mode(), "identity");
}

#[tokio::test]
async fn an_operation_that_fails_is_told_with_what_is_left() {
    let mut bed = bed_with(|options| options.lro = Lro::Both).await;
    bed.fault(on_hub(Fault::FailOperation).code("InternalServerError").message("It broke.").times(1));
    let config = bed.keyless();
    let report = bed.apply(&config).await.failed();
    let error = report.error("Azure failed to switch the hub");
    assert!(error.detail.contains("It broke.") && error.detail.contains("The hub is on accesskey"), "{error}");
    assert_eq!(bed.keys(), None);
    bed.apply(&config).await.quiet();
    assert_eq!((bed.mode().as_str(), bed.keys()), ("identity", Some(false)));
    bed.plan(&config).await.ok().assert_empty();
}

// Interruption.

#[tokio::test]
async fn an_interrupted_switch_is_in_the_state_and_is_finished_later() {
    let mut bed = bed_with(|options| {
        options.lro = Lro::Both;
        options.operations = crate::azure::Operations::Explicit;
    })
    .await;
    let config = bed.keyless();
    // The emulator is shared with the event, which waits for the operation.
    let emulator = std::rc::Rc::new(bed.emulator);
    let (watched, hub) = (emulator.clone(), bed.hub.clone());
    bed.core.interrupt_apply_when(async move {
        watched.operation_started(&hub).await;
    });
    let report = bed.core.apply(TYPE, "a", config.clone()).await.failed();
    assert!(report.error("Interrupted").detail.contains("may still have its effect"));
    assert_eq!(bed.core.state(TYPE, "a")["original"]["system_datastores_auth_mode"], "accesskey");

    emulator.configure(|options| options.operations = crate::azure::Operations::Auto);
    for operation in emulator.running_operations() {
        emulator.finish_operation(&operation.id, crate::azure::Outcome::Succeeded);
    }
    emulator.clear_requests();
    bed.core.apply(TYPE, "a", config.clone()).await.quiet();
    let writes: Vec<_> = emulator.arm_requests().iter().map(short).filter(|text| !text.starts_with("GET")).collect();
    assert_eq!(writes, ["PATCH sa1 false"]);
    assert_eq!(bed.core.state(TYPE, "a")["original"]["system_datastores_auth_mode"], "accesskey");
    bed.core.plan(TYPE, "a", config).await.ok().assert_empty();
}
