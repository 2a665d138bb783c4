//! What goes wrong half way, and what the next run makes of it.

use foundryhub::arm::{StorageAccountId, WorkspaceId};
use serde_json::{Value, json};

use super::{TYPE, bed, bed_with, healed, on_account, on_hub, short};
use crate::azure::{Action as Fault, Lro, Operations, Outcome, Record, Rule};
use crate::support::core::{Action, Core};

// What goes wrong half way.

#[tokio::test]
async fn an_account_that_refuses_on_create_is_finished_by_the_next_apply() {
    let mut bed = bed().await;
    bed.fault(on_account(Fault::Denied));
    let config = bed.keyless();
    let report = bed.apply(&config).await.failed();
    let error = report.error("Not allowed to");
    assert!(error.detail.contains("The hub is on identity, shared keys are on."), "{error}");
    assert!(error.detail.contains("Microsoft.Storage/storageAccounts/write"), "{error}");
    let original = json!({ "system_datastores_auth_mode": "accesskey", "shared_access_key_enabled": null });
    assert_eq!(bed.state()["original"], original);
    assert_eq!(bed.state()["shared_access_key_enabled"], true);
    bed.emulator.clear_faults();
    bed.emulator.clear_requests();

    let report = healed(bed.apply(&config).await);
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
    healed(bed.apply(&config).await);
    assert_eq!((bed.mode().as_str(), bed.keys()), ("identity", Some(false)));
    bed.plan(&config).await.ok().assert_empty();
}

#[tokio::test]
async fn an_operation_that_is_canceled_or_takes_too_long_is_told_and_finished_later() {
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
            None => report.error("Out of time"),
        };
        assert_eq!(bed.state()["original"]["system_datastores_auth_mode"], "accesskey");
        assert_eq!(bed.keys(), None);

        bed.emulator.configure(|options| options.operations = Operations::Auto);
        for operation in bed.emulator.running_operations() {
            bed.emulator.finish_operation(&operation.id, Outcome::Succeeded);
        }
        config["timeouts"] = Value::Null;
        healed(bed.apply(&config).await);
        assert_eq!((bed.mode().as_str(), bed.keys()), ("identity", Some(false)));
        assert_eq!(bed.state()["original"]["system_datastores_auth_mode"], "accesskey");
    }
}

#[tokio::test]
async fn a_hub_that_is_deleted_meanwhile_is_told() {
    let mut bed = bed().await;
    bed.fault(on_hub(Fault::Status(404)).code("ResourceNotFound"));
    bed.apply(&bed.keyless()).await.failed().error("The hub was deleted meanwhile");
    assert_eq!((bed.state(), bed.keys()), (Value::Null, None));
}

#[tokio::test]
async fn a_policy_that_denies_keys_is_named_and_the_hub_is_put_back() {
    let mut bed = bed().await;
    bed.apply(&bed.keyless()).await.quiet();
    let policy = format!("deny {} properties.allowSharedKeyAccess=true", StorageAccountId::RESOURCE_TYPE);
    bed.emulator.seed(&format!("policies: [\"{policy}\"]"));
    let report = bed.destroy().await.failed();
    let error = report.error("A policy is in the way");
    assert!(error.detail.contains("The policy is \"emulated\""), "{error}");
    assert!(error.detail.contains("it was put back to identity"), "{error}");
    assert_eq!((bed.mode().as_str(), bed.keys()), ("identity", Some(false)));

    // And it may be kept as it is.
    let mut config = bed.keyless();
    config["restore_on_destroy"] = json!(false);
    bed.apply(&config).await.quiet();
    bed.destroy().await.quiet();
}

#[tokio::test]
async fn a_hub_that_cannot_be_put_back_is_told_with_both_errors() {
    let mut bed = bed().await;
    bed.apply(&bed.keyless()).await.quiet();
    bed.fault(on_account(Fault::Status(409)).code("ScopeLocked"));
    bed.fault(on_hub(Fault::Status(409)).code("ReadOnlyDisabledSubscription").after(1));
    let report = bed.destroy().await.failed();
    let error = report.error("A lock is in the way");
    assert!(error.detail.contains("failed too: The subscription is disabled"), "{error}");
    assert!(error.detail.contains("The hub is on accesskey, shared keys are off."), "{error}");
    assert_eq!(bed.state()["system_datastores_auth_mode"], "accesskey");

    bed.emulator.clear_faults();
    bed.destroy().await.ok();
    assert_eq!((bed.mode().as_str(), bed.keys()), ("accesskey", Some(true)));
}

#[tokio::test]
async fn a_policy_that_keeps_the_hubs_mode_is_an_error_that_names_asked_and_got() {
    let policy = format!("modify {} properties.systemDatastoresAuthMode=accesskey", WorkspaceId::RESOURCE_TYPE);
    let mut bed = bed_with(|options| options.policy = vec![policy.parse().expect("a policy")]).await;
    let report = bed.apply(&bed.keyless()).await.failed();
    let error = report.error("The hub did not keep its mode");
    assert!(error.detail.contains("was set to identity") && error.detail.contains("reads back accesskey"), "{error}");
    assert_eq!(bed.keys(), None);
}

#[tokio::test]
async fn a_disabled_subscription_is_told() {
    let mut bed = bed_with(|options| options.disabled_subscription = vec![options.subscription_id.clone()]).await;
    bed.apply(&bed.keyless()).await.failed().error("The subscription is disabled");
    assert_eq!(bed.state(), Value::Null);
}

#[tokio::test]
async fn keys_that_cannot_be_fetched_anew_are_a_warning() {
    let mut bed = bed().await;
    bed.apply(&bed.keyless()).await.quiet();
    bed.fault(Rule::on("POST", "*/resyncKeys", Fault::Denied));
    let report = bed.destroy().await.ok();
    assert!(report.warning("has not fetched the keys anew").detail.contains("az ml workspace sync-keys --name hub1"));
    assert_eq!((bed.mode().as_str(), bed.keys()), ("accesskey", Some(true)));
}

#[tokio::test]
async fn an_update_that_fails_keeps_what_is_true_and_is_planned_again() {
    let mut bed = bed().await;
    let config = json!({ "hub_id": bed.hub, "access_check": "off" });
    bed.apply(&config).await.quiet();
    bed.fault(on_account(Fault::Status(409)).code("ScopeLocked"));
    let report = bed.apply(&bed.keyless()).await.failed();
    report.error("A lock is in the way");
    let original = json!({ "system_datastores_auth_mode": "accesskey", "shared_access_key_enabled": null });
    assert_eq!((&bed.state()["original"], bed.keys()), (&original, None));

    bed.emulator.clear_faults();
    let planned = bed.plan(&bed.keyless()).await.ok();
    assert_eq!(planned.action(), Action::Update);
    let original = &planned.change().planned["original"];
    assert_eq!(original, &json!({ "system_datastores_auth_mode": "accesskey", "shared_access_key_enabled": true }));
    bed.core.apply_saved(planned).await.quiet();
    assert_eq!(bed.state()["original"]["shared_access_key_enabled"], true);
}

#[tokio::test]
async fn a_second_attempt_that_fails_early_forgets_nothing() {
    let mut bed = bed().await;
    bed.fault(on_account(Fault::Status(409)).code("ScopeLocked"));
    bed.apply(&bed.keyless()).await.failed();
    let first = bed.state();
    let planned = bed.plan(&bed.keyless()).await.ok();
    bed.fault(Rule::on("GET", "*/storageAccounts/sa1", Fault::Denied));
    bed.core.apply_saved(planned).await.failed().error("Cannot read the storage account");
    assert_eq!(bed.state(), first);

    bed.emulator.clear_faults();
    bed.destroy().await.ok();
    assert_eq!((bed.mode().as_str(), bed.keys()), ("accesskey", None));
}

#[tokio::test]
async fn an_answer_that_was_lost_is_looked_for() {
    let mut bed = bed().await;
    bed.fault(on_account(Fault::Lose).times(1));
    bed.apply(&bed.keyless()).await.quiet();
    assert_eq!((bed.mode().as_str(), bed.keys()), ("identity", Some(false)));
    let original = json!({ "system_datastores_auth_mode": "accesskey", "shared_access_key_enabled": true });
    assert_eq!(bed.state()["original"], original);
}

#[tokio::test]
async fn an_account_that_shows_its_change_late_is_believed() {
    let mut bed = bed_with(|options| options.read_delay = std::time::Duration::from_millis(1500)).await;
    bed.apply(&bed.keyless()).await.quiet();
    assert_eq!(bed.state()["shared_access_key_enabled"], false);
}

#[tokio::test]
async fn each_right_that_is_missing_is_named() {
    for (changes_the_hub, action) in [
        (false, "Microsoft.MachineLearningServices/workspaces/write"),
        (true, "Microsoft.Storage/storageAccounts/write"),
    ] {
        let mut bed = bed_with(|options| options.enforce_rbac = true).await;
        let (client, object) = ("66666666-0000-0000-0000-000000000006", "77777777-0000-0000-0000-000000000007");
        bed.emulator.seed(&format!(
            "clients: [{{ client_id: {client}, object_id: {object}, secret: other, secret_expired: false, owner: false }}]"
        ));
        let group = bed.account.split("/providers/").next().expect("a group").to_owned();
        bed.emulator.seed_assignment(&group, object, "Reader");
        if changes_the_hub {
            bed.emulator.seed_assignment(&bed.hub, object, "Contributor");
        }
        let core = std::mem::replace(&mut bed.core, Core::new());
        bed.core = core.env("ARM_CLIENT_ID", client).env("ARM_CLIENT_SECRET", "other");
        let report = bed.apply(&bed.keyless()).await.failed();
        let error = report.error("Not allowed to");
        assert!(error.detail.contains(&format!("lacks {action} on")), "{error}");
    }
}

// Operations that are lost sight of.

#[tokio::test]
async fn an_operation_that_cannot_be_followed_is_looked_for_at_the_hub() {
    for (status, code) in [(403, "AuthorizationFailed"), (404, "ResourceNotFound")] {
        let mut bed = bed_with(|options| options.lro = Lro::Both).await;
        bed.fault(Rule::on("GET", "*/workspaceOperationsStatus/*", Fault::Status(status)).code(code));
        let config = bed.keyless();
        let report = bed.apply(&config).await.ok();
        let warning = report.warning("An operation could not be followed");
        assert!(warning.detail.contains(code), "{warning}");
        assert_eq!((bed.mode().as_str(), bed.keys()), ("identity", Some(false)));
        assert_eq!(bed.state()["original"]["system_datastores_auth_mode"], "accesskey");
        bed.plan(&config).await.ok().assert_empty();
    }
}

#[tokio::test]
async fn an_operation_that_is_lost_sight_of_leaves_the_hub_in_the_state() {
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
        assert!(error.contains("The hub is on accesskey, shared keys are on."), "{error}");
        assert_eq!(bed.state()["original"]["system_datastores_auth_mode"], "accesskey");

        bed.emulator.clear_faults();
        bed.emulator.configure(|options| options.operations = Operations::Auto);
        for operation in bed.emulator.running_operations() {
            bed.emulator.finish_operation(&operation.id, Outcome::Succeeded);
        }
        bed.emulator.clear_requests();
        healed(bed.apply(&config).await);
        assert_eq!(bed.writes(), ["PATCH sa1 false"]);
        bed.destroy().await.ok();
        assert_eq!((bed.mode().as_str(), bed.keys()), ("accesskey", Some(true)));
    }
}

#[tokio::test]
async fn a_hub_that_is_deleted_while_it_is_switched_is_told_and_made_anew_it_begins_anew() {
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

// Obstacles at the account.

#[tokio::test]
async fn each_obstacle_at_the_account_is_named_and_when_it_is_gone_one_request_is_left() {
    type Obstacle = (&'static str, fn(&super::Bed), &'static str);
    let obstacles: [Obstacle; 3] = [
        ("ScopeLocked", |bed| bed.emulator.seed("locks: [{ scope: sa1, level: ReadOnly }]"), "A lock is in the way"),
        (
            "RequestDisallowedByPolicy",
            |bed| {
                let policy = "deny Microsoft.Storage/storageAccounts properties.allowSharedKeyAccess=false";
                bed.emulator.configure(|options| options.policy = vec![policy.parse().expect("a policy")]);
            },
            "A policy is in the way",
        ),
        (
            "ReadOnlyDisabledSubscription",
            |bed| bed.fault(on_account(Fault::Status(409)).code("ReadOnlyDisabledSubscription")),
            "The subscription is disabled",
        ),
    ];
    for (code, obstruct, says) in obstacles {
        let mut bed = bed().await;
        obstruct(&bed);
        let config = bed.keyless();
        let report = bed.apply(&config).await.failed();
        let error = report.error(says);
        assert!(error.detail.contains(code) && error.detail.contains("The hub is on identity"), "{error}");
        assert_eq!(error.path, "shared_access_key_enabled");
        let planned = bed.plan(&config).await.ok();
        assert_eq!(planned.change().before["shared_access_key_enabled"], true);
        bed.emulator.clear_faults();
        bed.emulator.configure(|options| options.policy.clear());
        let lock = format!("{}/providers/Microsoft.Authorization/locks/lock?api-version=2016-09-01", bed.account);
        bed.send(reqwest::Method::DELETE, &lock, Value::Null).await;
        bed.emulator.clear_requests();
        healed(bed.core.apply_saved(planned).await);
        assert_eq!(bed.writes(), ["PATCH sa1 false"], "{code}");
        bed.plan(&config).await.ok().assert_empty();
    }
}

#[tokio::test]
async fn policies_that_keep_either_property_are_told_and_without_them_the_next_apply_finishes() {
    for (policy, says, left) in [
        (
            "keep Microsoft.Storage/storageAccounts properties.allowSharedKeyAccess",
            "The storage account did not keep the setting",
            &["PATCH sa1 false"][..],
        ),
        (
            "modify Microsoft.MachineLearningServices/workspaces properties.systemDatastoresAuthMode=accesskey",
            "The hub did not keep its mode",
            &["PATCH hub1 identity", "PATCH sa1 false"],
        ),
    ] {
        let mut bed = bed().await;
        bed.emulator.configure(|options| options.policy = vec![policy.parse().expect("a policy")]);
        bed.apply(&bed.keyless()).await.failed().error(says);
        bed.emulator.configure(|options| options.policy.clear());
        bed.emulator.clear_requests();
        healed(bed.apply(&bed.keyless()).await);
        assert_eq!(bed.writes(), left);
        bed.plan(&bed.keyless()).await.ok().assert_empty();
        bed.destroy().await.ok();
        assert_eq!((bed.mode().as_str(), bed.keys()), ("accesskey", Some(true)));
    }
}

#[tokio::test]
async fn an_update_of_both_that_the_account_refuses_leaves_the_keys_to_the_next() {
    let mut bed = bed().await;
    let keys =
        json!({ "hub_id": bed.hub, "system_datastores_auth_mode": "accesskey", "shared_access_key_enabled": true });
    bed.apply(&keys).await.ok();
    bed.fault(on_account(Fault::Status(409)).code("ScopeLocked"));
    bed.apply(&bed.keyless()).await.failed().error("A lock is in the way");
    bed.emulator.clear_faults();
    let planned = bed.plan(&bed.keyless()).await.ok();
    assert_eq!(planned.action(), Action::Update);
    assert_eq!(planned.change().before["system_datastores_auth_mode"], "identity");
    bed.emulator.clear_requests();
    bed.core.apply_saved(planned).await.quiet();
    assert_eq!(bed.writes(), ["PATCH sa1 false"]);
    let found = json!({ "system_datastores_auth_mode": "accesskey", "shared_access_key_enabled": true });
    assert_eq!(bed.state()["original"], found);
}

// Modes and api-versions.

#[tokio::test]
async fn the_undocumented_mode_works_where_azure_takes_it_and_is_told_where_it_does_not() {
    use crate::azure::UserDelegationSas;
    let config = |bed: &super::Bed| {
        json!({
            "hub_id": bed.hub, "system_datastores_auth_mode": "UserDelegationSAS", "shared_access_key_enabled": false,
            "access_check": "off",
        })
    };
    let mut bed = bed().await;
    let report = bed.apply(&config(&bed)).await.ok();
    report.warning("An undocumented mode");
    assert_eq!(bed.writes(), ["PATCH hub1 userdelegationsas", "PATCH sa1 false"]);
    bed.plan(&config(&bed)).await.ok().assert_empty();

    let mut bed = bed_with(|options| options.user_delegation_sas = UserDelegationSas::Error).await;
    bed.core.configure(json!({ "max_retries": 0 }));
    let report = bed.apply(&config(&bed)).await.failed();
    let error = report.error("Cannot switch the hub");
    assert!(error.detail.contains("The hub is on accesskey, shared keys are on."), "{error}");
    bed.destroy().await.ok();
    assert_eq!((bed.mode().as_str(), bed.keys()), ("accesskey", None));
}

#[tokio::test]
async fn an_older_api_version_does_where_the_newer_one_is_not_offered() {
    use crate::azure::SchemaView;
    let mut bed = bed_with(|options| options.reject_api_version = vec!["2025-06-01".to_owned()]).await;
    bed.apply(&bed.keyless()).await.quiet();
    assert_eq!((bed.mode().as_str(), bed.keys()), ("identity", Some(false)));
    let used: Vec<_> = bed.emulator.arm_requests().into_iter().filter(|request| request.method == "PATCH").collect();
    assert!(used.iter().any(|request| request.query.iter().any(|(_, value)| value == "2024-04-01")), "{used:?}");

    // One that takes the request and does not know the property.
    let mut bed = bed_with(|options| {
        options.reject_api_version = vec!["2025-06-01".to_owned()];
        options.schema = SchemaView::Strict;
    })
    .await;
    let report = bed.apply(&bed.keyless()).await.failed();
    report.error("The hub did not keep its mode");
    assert_eq!((bed.mode().as_str(), bed.keys()), ("accesskey", None));
}

// Interruption.

#[tokio::test]
async fn an_interrupted_switch_is_in_the_state_and_is_finished_later() {
    let mut bed = bed_with(|options| {
        options.lro = Lro::Both;
        options.operations = Operations::Explicit;
    })
    .await;
    let config = bed.keyless();
    let arm = bed.arm.clone();
    bed.core.interrupt_apply_when(async move {
        arm.emulator.operation_started(&arm.hub).await;
    });
    let report = bed.apply(&config).await.failed();
    assert!(report.error("Interrupted").detail.contains("may still have its effect"));
    assert_eq!(bed.state()["original"]["system_datastores_auth_mode"], "accesskey");

    bed.emulator.configure(|options| options.operations = Operations::Auto);
    for operation in bed.emulator.running_operations() {
        bed.emulator.finish_operation(&operation.id, Outcome::Succeeded);
    }
    bed.emulator.clear_requests();
    healed(bed.apply(&config).await);
    assert_eq!(bed.writes(), ["PATCH sa1 false"]);
    assert_eq!(bed.state()["original"]["system_datastores_auth_mode"], "accesskey");
    bed.plan(&config).await.ok().assert_empty();
}

/// Where a run may be interrupted, and what is there then.
#[tokio::test]
async fn a_run_that_is_interrupted_anywhere_is_finished_by_the_next() {
    let held = |method, path| Rule::on(method, path, Fault::Hold);
    // An apply plans once more before it begins, so that some requests are seen for the second time then.
    for (place, rule, seen, nth, mode) in [
        ("the look of the plan", held("GET", "*/workspaces/hub1"), "GET hub1", 1, "accesskey"),
        ("the check of the plan", held("GET", "*/roleAssignments"), "GET roleAssignments", 1, "accesskey"),
        ("the first look", held("GET", "*/storageAccounts/sa1"), "GET sa1", 1, "accesskey"),
        ("the first gate", held("GET", "*/roleAssignments").after(1), "GET roleAssignments", 2, "accesskey"),
        ("the switch of the hub", held("PATCH", "*/workspaces/hub1"), "PATCH hub1 identity", 1, "accesskey"),
        ("the second gate", held("GET", "*/workspaces/hub1/datastores"), "GET datastores", 1, "identity"),
        ("the account", held("PATCH", "*/storageAccounts/sa1"), "PATCH sa1 false", 1, "identity"),
        ("the last look", held("GET", "*/storageAccounts/sa1").after(1), "GET sa1", 2, "identity"),
    ] {
        let mut bed = bed().await;
        for role in ["Storage Blob Data Contributor", "Storage File Data Privileged Contributor"] {
            bed.emulator.seed_assignment(&bed.account, super::ALICE, role);
        }
        let mut config = bed.keyless();
        config["access_check"] = json!("enforce");
        config["access_check_principal_ids"] = json!([super::ALICE]);
        let planned = bed.plan(&config).await.ok();
        let rule = bed.emulator.fault(rule);
        bed.emulator.clear_requests();
        let arm = bed.arm.clone();
        bed.core.interrupt_apply_when(async move {
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
        assert_eq!((bed.mode().as_str(), bed.keys()), ("identity", Some(false)), "after {place}");
        assert_eq!(bed.state()["original"]["system_datastores_auth_mode"], "accesskey", "after {place}");
        bed.plan(&config).await.ok().assert_empty();
        bed.destroy().await.ok();
        assert_eq!((bed.mode().as_str(), bed.keys()), ("accesskey", Some(true)), "after {place}");
    }
}
