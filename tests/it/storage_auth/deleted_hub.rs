//! A hub that somebody else deletes while its account still has the settings that this resource has made.

use foundryhub::arm::StorageAccountId;
use serde_json::{Value, json};

use super::{Bed, WITH_KEYS, bed};
use crate::azure::{Action as Fault, Rule};
use crate::support::core::Action;

const GONE: &str = "The hub was deleted, its account is still changed";

async fn keyless_then_deleted(bed: &mut Bed) -> Value {
    let config = bed.keyless();
    bed.apply(&config).await.quiet();
    bed.emulator.remove(&bed.hub);
    bed.emulator.clear_requests();
    config
}

#[tokio::test]
async fn a_hub_is_gone_when_azure_says_so_twice_and_by_a_code_that_means_it() {
    let mut bed = bed().await;
    let config = bed.keyless();
    bed.apply(&config).await.quiet();
    let missing = |code: &str| Rule::on("GET", "*/workspaces/hub1", Fault::Status(404)).code(code);
    bed.requests();
    bed.fault(missing("ResourceNotFound").times(1));
    bed.plan(&config).await.ok().assert_empty();
    assert_eq!(bed.requests().iter().filter(|request| *request == "GET hub1").count(), 2);
    for code in ["TenantNotFound", "EndpointNotFound", "NotFound", ""] {
        bed.fault(missing(code));
        bed.plan(&config).await.error("Cannot read the hub");
        bed.apply(&config).await.failed();
        bed.destroy().await.failed();
        assert_ne!(bed.state(), Value::Null, "{code}");
        bed.emulator.clear_faults();
    }
    assert_eq!(bed.writes(), [""; 0]);
    bed.fault(missing("ResourceNotFound").times(1));
    bed.destroy().await.ok();
    assert_eq!(bed.settings(), WITH_KEYS);
}

#[tokio::test]
async fn an_object_whose_hub_was_deleted_stays_in_the_state_until_its_account_is_restored() {
    let mut bed = bed().await;
    let config = keyless_then_deleted(&mut bed).await;
    for _ in 0..2 {
        let planned = bed.plan(&config).await.ok();
        assert_eq!(planned.action(), Action::Update);
        let warning = planned.warning(GONE);
        for text in ["restore_on_destroy = false", "restore_to", "removed {", "destroy = false", &bed.hub, &bed.account]
        {
            assert!(warning.detail.contains(text), "{text}: {warning}");
        }
        let before = &planned.change().before;
        for name in ["system_datastores_auth_mode", "hub_principal_id", "hub_user_assigned_principal_ids"] {
            assert_eq!(before[name], Value::Null, "{name}");
        }
        let original = json!({ "system_datastores_auth_mode": null, "shared_access_key_enabled": true });
        assert_eq!(before["original"], original);
        let report = bed.core.apply_saved(planned).await.failed();
        report.error("The hub does not exist");
        assert_eq!(bed.writes(), [""; 0]);
    }
    let report = bed.destroy().await.ok();
    let warning = report.warning("Destroying this changes");
    assert!(warning.detail.contains("are enabled again") && !warning.detail.contains("the hub"), "{warning}");
    assert_eq!(bed.writes(), ["PATCH sa1 true"]);
    assert_eq!((bed.state(), bed.keys()), (Value::Null, Some(true)));
}

#[tokio::test]
async fn an_object_whose_hub_was_deleted_leaves_the_state_by_each_way_that_the_warning_names() {
    let pinned = json!({ "shared_access_key_enabled": false });
    for (name, value) in [("restore_on_destroy", json!(false)), ("restore_to", pinned)] {
        for gone_first in [true, false] {
            let mut bed = bed().await;
            let mut config = bed.keyless();
            bed.apply(&config).await.quiet();
            config[name] = value.clone();
            if gone_first {
                bed.emulator.remove(&bed.hub);
                let report = bed.apply(&config).await.failed();
                report.warning(GONE);
                report.error("The hub does not exist");
            } else {
                bed.apply(&config).await.quiet();
                bed.emulator.remove(&bed.hub);
            }
            // There is nothing to restore, so that the refresh drops the object.
            let planned = bed.plan(&config).await.ok();
            assert_eq!(planned.action(), Action::Create, "{name}");
            bed.emulator.clear_requests();
            bed.destroy().await.ok();
            assert_eq!((bed.writes(), bed.keys(), bed.state()), (vec![], Some(false), Value::Null));
        }
    }
}

#[tokio::test]
async fn an_object_whose_hub_was_deleted_leaves_the_state_if_there_is_nothing_to_restore() {
    // The object never changed keys, somebody else has turned them on again, or the account was deleted too.
    for case in ["observed", "on again", "no account"] {
        let mut bed = bed().await;
        let config = match case {
            "observed" => json!({ "hub_id": bed.hub, "access_check": "off" }),
            _ => bed.keyless(),
        };
        bed.apply(&config).await.quiet();
        bed.emulator.remove(&bed.hub);
        match case {
            "on again" => bed.emulator.set_shared_key_access(&bed.account, Some(true)),
            "no account" => bed.emulator.remove(&bed.account),
            _ => {}
        }
        let planned = bed.plan(&config).await.ok();
        assert_eq!(planned.action(), Action::Create, "{case}");
        planned.warning("The hub does not exist");
        bed.destroy().await.ok();
        assert_eq!(bed.state(), Value::Null);
    }
}

#[tokio::test]
async fn an_object_whose_hub_was_deleted_stays_in_the_state_while_its_account_cannot_be_read() {
    for fault in [Fault::Denied, Fault::Status(400)] {
        let mut bed = bed().await;
        let config = keyless_then_deleted(&mut bed).await;
        let rule = bed.emulator.fault(Rule::on("GET", "*/storageAccounts/sa1", fault));
        let planned = bed.plan(&config).await.ok();
        assert_eq!(planned.action(), Action::Update);
        let warning = planned.warning("The hub was deleted, its account cannot be read");
        let is_denied = matches!(fault, Fault::Denied);
        assert_eq!(warning.detail.contains("Microsoft.Storage/storageAccounts/read"), is_denied, "{warning}");
        bed.emulator.release(rule);
        bed.emulator.clear_faults();
        bed.destroy().await.ok();
        assert_eq!((bed.state(), bed.keys()), (Value::Null, Some(true)));
    }
}

#[tokio::test]
async fn a_recreated_hub_gets_a_new_original_mode_and_the_account_keeps_its_original() {
    // A refresh has seen that the hub was deleted, or it was recreated before the next refresh.
    for seen in [true, false] {
        let mut bed = bed().await;
        let config = keyless_then_deleted(&mut bed).await;
        if seen {
            bed.core.refresh().await.ok();
        }
        bed.emulator.seed_hub(&bed.hub, &bed.account, json!({ "systemDatastoresAuthMode": "UserDelegationSAS" }));
        let planned = bed.plan(&config).await.ok();
        assert_eq!(planned.action(), Action::Update);
        if !seen {
            planned.warning("The hub was recreated");
        }
        let original = json!({ "system_datastores_auth_mode": "UserDelegationSAS", "shared_access_key_enabled": true });
        assert_eq!(planned.change().planned["original"], original);
        bed.core.apply_saved(planned).await.ok();
        bed.plan(&config).await.ok().assert_empty();
        bed.destroy().await.ok();
        assert_eq!(bed.settings(), ("userdelegationsas", Some(true)));
    }
}

#[tokio::test]
async fn a_hub_recreated_between_plan_and_apply_gets_a_new_original_mode() {
    let mut bed = bed().await;
    let config = keyless_then_deleted(&mut bed).await;
    let planned = bed.plan(&config).await.ok();
    bed.emulator.seed_hub(&bed.hub, &bed.account, json!({ "systemDatastoresAuthMode": "accesskey" }));
    bed.core.apply_saved(planned).await.ok();
    let original = json!({ "system_datastores_auth_mode": "accesskey", "shared_access_key_enabled": true });
    assert_eq!(bed.state()["original"], original);
    bed.plan(&config).await.ok().assert_empty();
    bed.destroy().await.ok();
    assert_eq!(bed.settings(), WITH_KEYS);
}

#[tokio::test]
async fn a_hub_recreated_on_another_account_is_a_warning_that_names_both_accounts() {
    let mut bed = bed().await;
    let config = keyless_then_deleted(&mut bed).await;
    let account2 = bed.emulator.id("rg1", StorageAccountId::RESOURCE_TYPE, "sa2");
    bed.emulator.seed_storage_account(&account2, json!({ "allowSharedKeyAccess": true }));
    bed.emulator.seed_hub(&bed.hub, &account2, json!({ "systemDatastoresAuthMode": "accesskey" }));
    let planned = bed.plan(&config).await.ok();
    let warning = planned.warning("The hub was recreated");
    assert!(warning.detail.contains(&bed.account) && warning.detail.contains(&account2), "{warning}");
}
