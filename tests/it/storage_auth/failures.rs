//! An apply or a destroy that Azure refuses half-way, and how the next one completes it.

use foundryhub::arm::{StorageAccountId, WorkspaceId};
use serde_json::{Value, json};

use super::{Bed, KEYLESS, UNTOUCHED, WITH_KEYS, bed, bed_with, on_account, on_hub, replaced_tainted};
use crate::azure::{Action as Fault, Lro, Rule};
use crate::support::core::{Action, Core};

#[tokio::test]
async fn a_create_that_the_account_refuses_is_completed_by_the_next_apply() {
    let mut bed = bed().await;
    bed.fault(on_account(Fault::Denied));
    let config = bed.keyless();
    let report = bed.apply(&config).await.failed();
    let error = report.error("Not allowed to");
    assert!(error.detail.contains("The hub is on identity, shared keys are enabled."), "{error}");
    assert!(error.detail.contains("Microsoft.Storage/storageAccounts/write"), "{error}");
    let original = json!({ "system_datastores_auth_mode": "accesskey", "shared_access_key_enabled": null });
    assert_eq!(bed.state()["original"], original);
    assert_eq!(bed.state()["shared_access_key_enabled"], true);
    bed.emulator.clear_faults();
    bed.emulator.clear_requests();

    let report = replaced_tainted(bed.apply(&config).await);
    assert_eq!((report.action(), report.change().was_tainted), (Action::Replace, true));
    assert_eq!(bed.writes(), ["PATCH sa1 false"]);
    let original = json!({ "system_datastores_auth_mode": "accesskey", "shared_access_key_enabled": true });
    assert_eq!(bed.state()["original"], original);
    bed.plan(&config).await.ok().assert_empty();
    bed.destroy().await.ok();
    assert_eq!(bed.settings(), WITH_KEYS);
}

#[tokio::test]
async fn destroying_the_tainted_object_of_a_failed_create_restores_the_hub() {
    let mut bed = bed().await;
    bed.fault(on_account(Fault::Denied));
    bed.apply(&bed.keyless()).await.failed();
    bed.emulator.clear_faults();
    bed.emulator.clear_requests();
    bed.destroy().await.ok();
    assert_eq!(bed.writes(), ["PATCH hub1 accesskey", "POST resyncKeys"]);
    assert_eq!(bed.settings(), UNTOUCHED);
}

#[tokio::test]
async fn a_create_that_the_hub_refuses_leaves_no_object_and_changes_nothing() {
    let mut bed = bed().await;
    for (rule, says) in [
        (on_hub(Fault::Denied), "Microsoft.MachineLearningServices/workspaces/write"),
        (on_hub(Fault::Status(409)).code("ScopeLocked"), "A lock prevents the change"),
        (on_hub(Fault::Status(403)).code("RequestDisallowedByPolicy"), "A policy prevents the change"),
        (on_hub(Fault::Status(409)).code("ReadOnlyDisabledSubscription"), "The subscription is disabled"),
        (on_hub(Fault::Status(409)).code("MissingSubscriptionRegistration"), "az provider register"),
    ] {
        bed.emulator.clear_faults();
        bed.fault(rule);
        let report = bed.apply(&bed.keyless()).await.failed();
        let error = report.error(says);
        assert!(error.detail.contains("could not be switched to identity"), "{error}");
        assert_eq!(bed.state(), Value::Null);
        assert_eq!(bed.settings(), UNTOUCHED);
    }
}

#[tokio::test]
async fn a_destroy_that_the_account_refuses_puts_the_hub_back_to_identity() {
    let mut bed = bed().await;
    bed.apply(&bed.keyless()).await.quiet();
    bed.fault(on_account(Fault::Status(409)).code("ScopeLocked"));
    bed.emulator.clear_requests();
    let report = bed.destroy().await.failed();
    let error = report.error("A lock prevents the change");
    assert!(error.detail.contains("was switched back to identity"), "{error}");
    assert_eq!(bed.writes(), ["PATCH hub1 accesskey", "PATCH sa1 true", "PATCH hub1 identity"]);
    assert_eq!(bed.settings(), KEYLESS);
    let original = json!({ "system_datastores_auth_mode": "accesskey", "shared_access_key_enabled": true });
    assert_eq!(bed.state()["original"], original);
    bed.plan(&bed.keyless()).await.ok().assert_empty();

    bed.emulator.clear_faults();
    bed.destroy().await.ok();
    assert_eq!(bed.settings(), WITH_KEYS);
}

#[tokio::test]
async fn a_policy_that_keeps_keys_on_is_an_error_that_names_both_values() {
    let policy = format!("keep {} properties.allowSharedKeyAccess", StorageAccountId::RESOURCE_TYPE);
    let mut bed = bed_with(|options| options.policy = vec![policy.parse().expect("a policy")]).await;
    let report = bed.apply(&bed.keyless()).await.failed();
    let error = report.error("The storage account did not keep the setting");
    assert!(error.detail.contains("allowSharedKeyAccess false") && error.detail.contains("has true now"), "{error}");
    assert_eq!(error.path, "shared_access_key_enabled");
    assert_eq!(bed.state()["shared_access_key_enabled"], true);
    assert_eq!(bed.mode(), "identity");
}

#[tokio::test]
async fn a_failed_operation_is_reported_with_the_settings_in_force_and_the_next_apply_completes() {
    let mut bed = bed_with(|options| options.lro = Lro::Both).await;
    bed.fault(on_hub(Fault::FailOperation).code("InternalServerError").message("It broke.").times(1));
    let config = bed.keyless();
    let report = bed.apply(&config).await.failed();
    let error = report.error("Azure failed to switch the hub");
    assert!(error.detail.contains("It broke.") && error.detail.contains("The hub is on accesskey"), "{error}");
    assert_eq!(bed.keys(), None);
    replaced_tainted(bed.apply(&config).await);
    assert_eq!(bed.settings(), KEYLESS);
    bed.plan(&config).await.ok().assert_empty();
}

#[tokio::test]
async fn a_text_of_azure_is_shown_without_what_a_terminal_obeys_and_not_at_any_length() {
    let mut bed = bed().await;
    let message = format!("\u{1b}[31m{} \u{202e}https://user:planted@host.test/x\u{7}", "x".repeat(1 << 19));
    bed.fault(on_hub(Fault::Status(400)).code("Odd").message(&message));
    let report = bed.apply(&bed.keyless()).await.failed();
    let detail = &report.error("").detail;
    assert!(detail.contains(r"\u{1b}[31mxxx") && detail.contains(r"\u{202e}https://host.test/x\u{7}"), "{detail}");
    assert!(!detail.contains('\u{1b}') && !detail.contains("planted") && detail.len() < 20_000);
}

#[tokio::test]
async fn a_hub_that_is_deleted_before_its_patch_is_an_error_that_says_so() {
    let mut bed = bed().await;
    bed.fault(on_hub(Fault::Status(404)).code("ResourceNotFound"));
    bed.apply(&bed.keyless()).await.failed().error("The hub was deleted during the apply");
    assert_eq!((bed.state(), bed.keys()), (Value::Null, None));
}

#[tokio::test]
async fn a_destroy_that_a_policy_denies_names_the_policy_and_puts_the_hub_back_to_identity() {
    let mut bed = bed().await;
    bed.apply(&bed.keyless()).await.quiet();
    let policy = format!("deny {} properties.allowSharedKeyAccess=true", StorageAccountId::RESOURCE_TYPE);
    bed.emulator.seed(&format!("policies: [\"{policy}\"]"));
    let report = bed.destroy().await.failed();
    let error = report.error("A policy prevents the change");
    assert!(error.detail.contains("The policy is \"emulated\""), "{error}");
    assert!(error.detail.contains("was switched back to identity"), "{error}");
    assert!(error.detail.contains("The next destroy does the rest."), "{error}");
    assert_eq!(bed.settings(), KEYLESS);

    // With restore_on_destroy = false there is nothing to refuse.
    let mut config = bed.keyless();
    config["restore_on_destroy"] = json!(false);
    bed.apply(&config).await.quiet();
    bed.destroy().await.quiet();
}

#[tokio::test]
async fn a_hub_that_cannot_be_put_back_is_reported_with_both_errors() {
    let mut bed = bed().await;
    bed.apply(&bed.keyless()).await.quiet();
    bed.fault(on_account(Fault::Status(409)).code("ScopeLocked"));
    bed.fault(on_hub(Fault::Status(409)).code("ReadOnlyDisabledSubscription").after(1));
    let report = bed.destroy().await.failed();
    let error = report.error("A lock prevents the change");
    assert!(error.detail.contains("failed, too: The subscription is disabled"), "{error}");
    assert!(error.detail.contains("The hub is on accesskey, shared keys are disabled."), "{error}");
    assert_eq!(bed.state()["system_datastores_auth_mode"], "accesskey");

    bed.emulator.clear_faults();
    bed.destroy().await.ok();
    assert_eq!(bed.settings(), WITH_KEYS);
}

#[tokio::test]
async fn a_policy_that_keeps_the_hubs_mode_is_an_error_that_names_both_values() {
    let policy = format!("modify {} properties.systemDatastoresAuthMode=accesskey", WorkspaceId::RESOURCE_TYPE);
    let mut bed = bed_with(|options| options.policy = vec![policy.parse().expect("a policy")]).await;
    let report = bed.apply(&bed.keyless()).await.failed();
    let error = report.error("The hub did not keep its mode");
    assert!(
        error.detail.contains("systemDatastoresAuthMode identity") && error.detail.contains("has accesskey now"),
        "{error}"
    );
    assert_eq!(bed.keys(), None);
}

#[tokio::test]
async fn a_disabled_subscription_is_an_error_that_says_so() {
    let mut bed = bed_with(|options| options.disabled_subscription = vec![options.subscription_id.clone()]).await;
    bed.apply(&bed.keyless()).await.failed().error("The subscription is disabled");
    assert_eq!(bed.state(), Value::Null);
}

#[tokio::test]
async fn a_refused_resync_of_keys_is_a_warning() {
    let mut bed = bed().await;
    bed.apply(&bed.keyless()).await.quiet();
    bed.fault(Rule::on("POST", "*/resyncKeys", Fault::Denied));
    let report = bed.destroy().await.ok();
    assert!(
        report.warning("has not fetched the current keys").detail.contains("az ml workspace sync-keys --name hub1")
    );
    assert_eq!(bed.settings(), WITH_KEYS);
}

#[tokio::test]
async fn a_failed_update_keeps_the_prior_object_and_is_planned_again() {
    let mut bed = bed().await;
    let config = json!({ "hub_id": bed.hub, "access_check": "off" });
    bed.apply(&config).await.quiet();
    bed.fault(on_account(Fault::Status(409)).code("ScopeLocked"));
    let report = bed.apply(&bed.keyless()).await.failed();
    report.error("A lock prevents the change");
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
async fn a_second_create_that_fails_before_it_writes_keeps_the_tainted_object() {
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
    assert_eq!(bed.settings(), UNTOUCHED);
}

#[tokio::test]
async fn each_missing_write_permission_is_named() {
    for (changes_the_hub, action) in [
        (false, "Microsoft.MachineLearningServices/workspaces/write"),
        (true, "Microsoft.Storage/storageAccounts/write"),
    ] {
        let mut bed = bed_with(|options| options.enforce_rbac = true).await;
        let (client, object) = ("66666666-0000-0000-0000-000000000006", "77777777-0000-0000-0000-000000000007");
        bed.emulator
            .seed(&format!("clients: [{{ client_id: {client}, object_id: {object}, secret: other, owner: false }}]"));
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

// Refusals of the account.

#[tokio::test]
async fn each_refusal_of_the_account_is_named_and_the_next_apply_sends_one_request() {
    type Obstacle = (&'static str, fn(&Bed), &'static str);
    let obstacles: [Obstacle; 3] = [
        (
            "ScopeLocked",
            |bed| bed.emulator.seed("locks: [{ scope: sa1, level: ReadOnly }]"),
            "A lock prevents the change",
        ),
        (
            "RequestDisallowedByPolicy",
            |bed| {
                let policy = "deny Microsoft.Storage/storageAccounts properties.allowSharedKeyAccess=false";
                bed.emulator.configure(|options| options.policy = vec![policy.parse().expect("a policy")]);
            },
            "A policy prevents the change",
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
        replaced_tainted(bed.core.apply_saved(planned).await);
        assert_eq!(bed.writes(), ["PATCH sa1 false"], "{code}");
        bed.plan(&config).await.ok().assert_empty();
    }
}

#[tokio::test]
async fn a_create_that_a_policy_undoes_is_reported_and_completes_without_the_policy() {
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
        replaced_tainted(bed.apply(&bed.keyless()).await);
        assert_eq!(bed.writes(), left);
        bed.plan(&bed.keyless()).await.ok().assert_empty();
        bed.destroy().await.ok();
        assert_eq!(bed.settings(), WITH_KEYS);
    }
}

#[tokio::test]
async fn an_update_of_both_settings_that_the_account_refuses_is_completed_by_the_next_apply() {
    let mut bed = bed().await;
    let keys =
        json!({ "hub_id": bed.hub, "system_datastores_auth_mode": "accesskey", "shared_access_key_enabled": true });
    bed.apply(&keys).await.ok();
    bed.fault(on_account(Fault::Status(409)).code("ScopeLocked"));
    bed.apply(&bed.keyless()).await.failed().error("A lock prevents the change");
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
async fn the_undocumented_mode_is_applied_where_azure_accepts_it_and_an_error_where_it_does_not() {
    use crate::azure::UserDelegationSas;
    let config = |bed: &Bed| {
        json!({
            "hub_id": bed.hub, "system_datastores_auth_mode": "UserDelegationSAS", "shared_access_key_enabled": false,
            "access_check": "off",
        })
    };
    let mut bed = bed().await;
    let report = bed.apply(&config(&bed)).await.ok();
    report.warning("userdelegationsas is not documented");
    assert_eq!(bed.writes(), ["PATCH hub1 userdelegationsas", "PATCH sa1 false"]);
    bed.plan(&config(&bed)).await.ok().assert_empty();

    let mut bed = bed_with(|options| options.user_delegation_sas = UserDelegationSas::Error).await;
    bed.core.configure(json!({ "max_retries": 0 }));
    let report = bed.apply(&config(&bed)).await.failed();
    let error = report.error("Cannot switch the hub");
    assert!(error.detail.contains("The hub is on accesskey, shared keys are enabled."), "{error}");
    bed.destroy().await.ok();
    assert_eq!(bed.settings(), UNTOUCHED);
}

#[tokio::test]
async fn an_older_api_version_is_used_where_the_newer_one_is_not_offered() {
    use crate::azure::SchemaView;
    let mut bed = bed_with(|options| options.reject_api_version = vec!["2025-06-01".to_owned()]).await;
    bed.apply(&bed.keyless()).await.quiet();
    assert_eq!(bed.settings(), KEYLESS);
    let used: Vec<_> = bed.emulator.arm_requests().into_iter().filter(|request| request.method == "PATCH").collect();
    assert!(used.iter().any(|request| request.query.iter().any(|(_, value)| value == "2024-04-01")), "{used:?}");

    // An older api-version that accepts the request and does not know the property.
    let mut bed = bed_with(|options| {
        options.reject_api_version = vec!["2025-06-01".to_owned()];
        options.schema = SchemaView::Strict;
    })
    .await;
    let report = bed.apply(&bed.keyless()).await.failed();
    report.error("The hub did not keep its mode");
    assert_eq!(bed.settings(), UNTOUCHED);
}
