//! Create, update, refresh, import, replace and destroy, and invalid input.

use foundryhub::arm::WorkspaceId;
use serde_json::{Value, json};

use super::{ALICE, KEYLESS, TYPE, WITH_KEYS, bed, bed_with};
use crate::azure::ModeCasing;
use crate::support::core::{Action, Core, ImportFrom, UNKNOWN, resource};

// Create, update and destroy.

#[tokio::test]
async fn a_create_changes_the_hub_and_the_account_and_a_destroy_restores_both() {
    let mut bed = bed().await;
    let config = bed.keyless();
    let planned = bed.plan(&config).await.ok();
    assert_eq!(planned.action(), Action::Create);
    assert_eq!(planned.change().planned["id"], json!(bed.hub));
    assert_eq!(planned.change().planned["original"], json!(UNKNOWN));
    assert_eq!(bed.requests(), ["GET hub1", "GET sa1"]);

    bed.core.apply_saved(planned).await.quiet();
    assert_eq!(
        bed.requests(),
        ["GET hub1", "GET sa1", "GET hub1", "GET sa1", "PATCH hub1 identity", "PATCH sa1 false", "GET sa1"]
    );
    assert_eq!(bed.settings(), KEYLESS);
    let state = bed.state();
    assert_eq!(state["system_datastores_auth_mode"], "identity");
    assert_eq!(state["shared_access_key_enabled"], false);
    assert_eq!(state["storage_account_id"], json!(bed.account));
    assert_eq!(
        state["original"],
        json!({ "system_datastores_auth_mode": "accesskey", "shared_access_key_enabled": true })
    );
    assert!(state["hub_principal_id"].is_string());
    assert_eq!(bed.core.identity(TYPE, "a"), json!({ "hub_id": bed.hub }));

    bed.plan(&config).await.ok().assert_empty();
    let mut refresh = bed.requests();
    refresh.sort();
    assert_eq!(refresh, ["GET hub1", "GET sa1"]);

    let report = bed.destroy().await.ok();
    let warning = report.warning("Destroying this changes hub and storage account");
    assert!(warning.detail.contains("is switched back to accesskey") && warning.detail.contains("are enabled again"));
    assert!(warning.detail.contains("restore_on_destroy = false") && warning.detail.contains("Role assignments"));
    assert_eq!(bed.writes(), ["PATCH hub1 accesskey", "PATCH sa1 true", "POST resyncKeys"]);
    assert_eq!(bed.settings(), WITH_KEYS);
    assert_eq!(bed.state(), Value::Null);
}

#[tokio::test]
async fn a_create_that_finds_all_as_configured_writes_nothing_and_its_destroy_restores_nothing() {
    let mut bed = bed().await;
    bed.emulator.set_mode(&bed.hub, "Identity");
    bed.emulator.set_shared_key_access(&bed.account, Some(false));
    let config = bed.keyless();
    bed.apply(&config).await.ok();
    assert_eq!(bed.writes(), [""; 0]);
    assert_eq!(
        bed.state()["original"],
        json!({ "system_datastores_auth_mode": null, "shared_access_key_enabled": null })
    );
    bed.plan(&config).await.ok().assert_empty();
    bed.emulator.clear_requests();
    bed.destroy().await.quiet();
    assert_eq!(bed.writes(), [""; 0]);
    assert_eq!(bed.settings(), KEYLESS);
}

#[tokio::test]
async fn keys_that_are_not_configured_are_read_and_not_changed() {
    let mut bed = bed().await;
    let config = json!({ "hub_id": bed.hub, "access_check": "off" });
    bed.apply(&config).await.quiet();
    assert_eq!(bed.writes(), ["PATCH hub1 identity"]);
    assert_eq!(bed.state()["shared_access_key_enabled"], true);
    bed.plan(&config).await.ok().assert_empty();

    // Somebody switches keys off: a refresh shows it, and nothing is planned.
    bed.emulator.set_shared_key_access(&bed.account, Some(false));
    let planned = bed.plan(&config).await.ok();
    assert_eq!(planned.action(), Action::NoOp);
    assert!(planned.change().drifted());
    bed.core.apply_saved(planned).await.ok();
    assert_eq!(bed.state()["shared_access_key_enabled"], false);

    // Keys are configured, and then no longer.
    let enforced = json!({ "hub_id": bed.hub, "access_check": "off", "shared_access_key_enabled": true });
    bed.emulator.clear_requests();
    bed.apply(&enforced).await.quiet();
    assert_eq!(bed.writes(), ["PATCH sa1 true"]);
    assert_eq!(bed.state()["original"]["shared_access_key_enabled"], false);
    bed.emulator.clear_requests();
    assert_eq!(bed.apply(&config).await.quiet().action(), Action::NoOp);
    assert_eq!(bed.writes(), [""; 0]);
    assert_eq!(bed.state()["shared_access_key_enabled"], true);
}

#[tokio::test]
async fn an_update_changes_a_hub_back_to_keys() {
    let mut bed = bed().await;
    bed.apply(&bed.keyless()).await.quiet();
    bed.emulator.clear_requests();
    let back = json!({
        "hub_id": bed.hub, "system_datastores_auth_mode": "AccessKey", "shared_access_key_enabled": true,
    });
    assert_eq!(bed.apply(&back).await.quiet().action(), Action::Update);
    assert_eq!(bed.writes(), ["PATCH hub1 accesskey", "PATCH sa1 true", "POST resyncKeys"]);
    assert_eq!(bed.state()["system_datastores_auth_mode"], "AccessKey");
    assert_eq!(bed.state()["original"]["system_datastores_auth_mode"], "accesskey");
    bed.plan(&back).await.ok().assert_empty();
    bed.emulator.clear_requests();
    bed.destroy().await.quiet();
    assert_eq!(bed.writes(), [""; 0]);
}

#[tokio::test]
async fn an_update_of_arguments_that_azure_does_not_know_sends_nothing() {
    let mut bed = bed().await;
    let mut config = bed.keyless();
    bed.apply(&config).await.quiet();
    bed.core.refresh_in_plans(false);
    bed.emulator.clear_requests();
    config["restore_on_destroy"] = json!(false);
    config["timeouts"] = json!({ "delete": "1h" });
    config["access_check_principal_ids"] = json!([ALICE]);
    assert_eq!(bed.apply(&config).await.quiet().action(), Action::Update);
    assert_eq!(bed.requests(), [""; 0]);
    bed.destroy().await.quiet();
    assert_eq!(bed.settings(), KEYLESS);
}

#[tokio::test]
async fn a_destroy_restores_what_restore_to_says() {
    let mut bed = bed().await;
    let mut config = bed.keyless();
    config["restore_to"] = json!({ "shared_access_key_enabled": false, "system_datastores_auth_mode": "identity" });
    bed.apply(&config).await.quiet();
    bed.plan(&config).await.ok().assert_empty();
    bed.emulator.clear_requests();
    bed.destroy().await.quiet();
    assert_eq!(bed.writes(), [""; 0]);
    assert_eq!(bed.settings(), KEYLESS);
}

// Spellings.

#[tokio::test]
async fn another_spelling_of_the_same_value_plans_nothing() {
    for casing in [ModeCasing::Written, ModeCasing::Lower, ModeCasing::Canonical] {
        let mut bed = bed_with(|options| options.mode_casing = casing).await;
        bed.apply(&bed.keyless()).await.quiet();
        let mut config = bed.keyless();
        config["hub_id"] = json!(format!("{}/", bed.hub.to_uppercase()));
        config["system_datastores_auth_mode"] = json!("IDENTITY");
        bed.plan(&config).await.ok().assert_empty();
        assert_eq!(bed.state()["system_datastores_auth_mode"], "identity");
    }
}

#[tokio::test]
async fn the_state_keeps_the_first_spelling_of_the_hub_id() {
    let mut bed = bed().await;
    let spelled = |hub: String| json!({ "hub_id": hub, "access_check": "off" });
    let first = format!("{}/", bed.hub.to_lowercase());
    bed.apply(&spelled(first.clone())).await.quiet();
    assert_eq!(bed.state()["hub_id"], json!(first));
    for other in [bed.hub.clone(), bed.hub.to_uppercase()] {
        bed.plan(&spelled(other)).await.ok().assert_empty();
    }
    assert_eq!(bed.core.identity(TYPE, "a"), json!({ "hub_id": first }));
}

#[tokio::test]
async fn a_mode_that_was_never_set_or_is_empty_is_accesskey() {
    let mut bed = bed().await;
    for mode in [json!(null), json!(""), json!("AccessKey")] {
        bed.emulator.change(&bed.hub, |document| document["properties"]["systemDatastoresAuthMode"] = mode);
        let config = json!({ "hub_id": bed.hub, "system_datastores_auth_mode": "accesskey" });
        bed.emulator.clear_requests();
        bed.apply(&config).await.ok();
        assert_eq!(bed.writes(), [""; 0]);
        bed.plan(&config).await.ok().assert_empty();
        bed.destroy().await.quiet();
    }
}

// Drift.

#[tokio::test]
async fn drift_of_mode_or_keys_is_planned_and_applied_as_an_update() {
    let mut bed = bed().await;
    let config = bed.keyless();
    bed.apply(&config).await.quiet();
    bed.emulator.set_mode(&bed.hub, "AccessKey");
    let planned = bed.plan(&config).await.ok();
    assert_eq!((planned.action(), planned.change().drifted()), (Action::Update, true));
    assert_eq!(planned.change().before["system_datastores_auth_mode"], "AccessKey");
    bed.emulator.clear_requests();
    bed.core.apply_saved(planned).await.quiet();
    assert_eq!(bed.writes(), ["PATCH hub1 identity"]);

    bed.emulator.set_shared_key_access(&bed.account, None);
    let planned = bed.plan(&config).await.ok();
    assert_eq!((planned.action(), planned.change().drifted()), (Action::Update, true));
    bed.emulator.clear_requests();
    bed.core.apply_saved(planned).await.quiet();
    assert_eq!(bed.writes(), ["PATCH sa1 false"]);
    let original = json!({ "system_datastores_auth_mode": "accesskey", "shared_access_key_enabled": true });
    assert_eq!(bed.state()["original"], original);
    bed.plan(&config).await.ok().assert_empty();
}

#[tokio::test]
async fn a_destroy_leaves_a_setting_that_somebody_else_has_changed() {
    let mut bed = bed().await;
    let mut config = bed.keyless();
    config["restore_to"] = json!({ "system_datastores_auth_mode": "accesskey" });
    bed.apply(&config).await.quiet();
    bed.emulator.set_mode(&bed.hub, "UserDelegationSAS");
    bed.emulator.clear_requests();
    let report = bed.destroy().await.ok();
    assert!(report.warning("A setting was changed by somebody else").detail.contains("is userdelegationsas now"));
    assert_eq!(bed.writes(), ["PATCH sa1 true"]);
    assert_eq!(bed.mode(), "userdelegationsas");
}

#[tokio::test]
async fn a_destroy_works_when_the_hub_or_the_account_was_deleted() {
    let mut bed = bed().await;
    let config = bed.keyless();
    bed.apply(&config).await.quiet();
    bed.core.refresh_in_plans(false);
    bed.emulator.remove(&bed.hub);
    let planned = bed.core.plan_all(Vec::new()).await.ok();
    bed.core.apply_saved(planned).await.ok();
    assert_eq!((bed.state(), bed.keys()), (Value::Null, Some(true)));

    let mut bed = self::bed().await;
    let config = bed.keyless();
    bed.apply(&config).await.quiet();
    bed.emulator.remove(&bed.account);
    bed.plan(&config).await.ok().warning("The storage account does not exist");
    bed.destroy().await.ok();
    assert_eq!((bed.mode(), bed.state()), ("accesskey", Value::Null));
}

// Import.

#[tokio::test]
async fn an_imported_hub_plans_empty_and_its_destroy_restores_nothing() {
    let mut bed = bed().await;
    bed.emulator.set_mode(&bed.hub, "identity");
    bed.emulator.set_shared_key_access(&bed.account, Some(false));
    for from in [ImportFrom::Id(bed.hub.clone()), ImportFrom::Identity(json!({ "hub_id": bed.hub }))] {
        bed.emulator.clear_requests();
        bed.core.import(TYPE, "a", from).await.quiet();
        assert_eq!(bed.requests(), ["GET hub1", "GET sa1"]);
        let config = json!({ "hub_id": bed.hub, "shared_access_key_enabled": false });
        bed.plan(&config).await.ok().assert_empty();
        bed.emulator.clear_requests();
        bed.destroy().await.quiet();
        assert_eq!(bed.writes(), [""; 0]);
    }
    bed.core.import(TYPE, "a", ImportFrom::Id(format!("{}/", bed.hub.to_uppercase()))).await.quiet();
    let config = json!({ "hub_id": bed.hub, "shared_access_key_enabled": false });
    bed.plan(&config).await.ok().assert_empty();
    bed.destroy().await.quiet();
    for (id, says) in [
        (bed.account.clone(), "is the id of a Microsoft.Storage/storageAccounts"),
        (format!("{}x", bed.hub), "The hub does not exist"),
    ] {
        bed.core.import(TYPE, "a", ImportFrom::Id(id)).await.failed().error(says);
    }
}

// Invalid input.

#[tokio::test]
async fn invalid_input_is_refused_at_its_attribute_before_anything_is_sent() {
    let mut bed = bed().await;
    let good = bed.keyless();
    for (name, value, path, says) in [
        ("hub_id", json!("hub1"), "hub_id", "does not start with a slash"),
        ("hub_id", json!(bed.account), "hub_id", "is the id of a Microsoft.Storage/storageAccounts"),
        ("hub_id", json!(format!("{}/datastores/d", bed.hub)), "hub_id", "workspaces/datastores"),
        ("system_datastores_auth_mode", json!("keys"), "system_datastores_auth_mode", "none of identity, accesskey"),
        ("hub_id", json!(""), "hub_id", "A required value is empty"),
        (
            "restore_to",
            json!({ "system_datastores_auth_mode": "keys" }),
            "restore_to.system_datastores_auth_mode",
            "none of identity",
        ),
        ("access_check", json!("maybe"), "access_check", "not one of off, warn, enforce"),
        ("access_check_principal_ids", json!(["alice"]), "access_check_principal_ids", "not a GUID"),
        ("grant_settle_time", json!("soon"), "grant_settle_time", "not a duration"),
        ("grant_settle_time", json!("-1m"), "grant_settle_time", "not a duration"),
        ("timeouts", json!({ "create": "0s" }), "timeouts.create", "not a positive duration"),
    ] {
        let mut config = good.clone();
        config[name] = value;
        let found = bed.core.validate(TYPE, "a", config).await;
        let error = found.error(says);
        assert_eq!(error.path, path);
    }
    let mut config = good.clone();
    config["system_datastores_auth_mode"] = json!("UserDelegationSAS");
    bed.core.validate(TYPE, "a", config.clone()).await.warning("is not documented");
    config["system_datastores_auth_mode"] = json!("accesskey");
    bed.core.validate(TYPE, "a", config).await.warning("would have no access to its data");
    assert_eq!(bed.requests(), [""; 0]);
}

#[tokio::test]
async fn workspaces_that_are_not_hubs_are_refused_before_any_write() {
    let mut bed = bed().await;
    let hub = bed.hub.clone();
    for (kind, says) in [
        ("Project", hub.as_str()),
        ("FeatureStore", "is a feature store"),
        ("Lakehouse", "a workspace of kind \"Lakehouse\""),
    ] {
        let id = bed.emulator.id("rg1", WorkspaceId::RESOURCE_TYPE, "other");
        bed.emulator.seed_hub(&id, &bed.account, json!({ "hubResourceId": bed.hub }));
        bed.emulator.change(&id, |document| document["kind"] = json!(kind));
        let config = json!({ "hub_id": id, "access_check": "off" });
        let error = bed.plan(&config).await.report.failed().error("Not a hub").clone();
        assert!(error.detail.contains(says), "{error}");
        assert_eq!(error.path, "hub_id");
        bed.core.import(TYPE, "a", ImportFrom::Id(id)).await.failed().error("Not a hub");
    }
    assert_eq!(bed.writes(), [""; 0]);
    bed.emulator.change(&hub, |document| document["kind"] = json!("Default"));
    bed.apply(&bed.keyless()).await.quiet();
}

#[tokio::test]
async fn a_hub_that_does_not_exist_is_a_warning_at_plan_and_an_error_at_apply() {
    let mut bed = bed().await;
    let config = json!({ "hub_id": format!("{}x", bed.hub) });
    let planned = bed.plan(&config).await.ok();
    planned.warning("The hub does not exist");
    bed.core.apply_saved(planned).await.failed().error("The hub does not exist");
    assert_eq!(bed.writes(), [""; 0]);
    assert_eq!(bed.state(), Value::Null);

    let config = json!({ "hub_id": UNKNOWN });
    assert_eq!(bed.plan(&config).await.ok().change().planned["id"], json!(UNKNOWN));
}

#[tokio::test]
async fn a_refused_sign_in_is_an_error_before_any_write() {
    let mut bed = bed().await;
    bed.core = std::mem::replace(&mut bed.core, Core::new()).env("ARM_CLIENT_SECRET", "wrong");
    let error = bed.apply(&bed.keyless()).await.failed().error("The provider could not sign in to Azure").clone();
    assert!(error.detail.contains("AADSTS7000215"), "{error}");
    assert_eq!(bed.writes(), [""; 0]);
}

// Replacement, and two hubs of one account.

#[tokio::test]
async fn a_replacement_for_the_same_hub_writes_nothing() {
    let mut bed = bed().await;
    let config = bed.keyless();
    bed.apply(&config).await.quiet();
    let before = bed.state();
    for create_first in [false, true] {
        bed.core.taint(TYPE, "a");
        bed.emulator.clear_requests();
        let mut again = resource(TYPE, "a", config.clone());
        if create_first {
            again = again.create_before_destroy();
        }
        let report = bed.core.apply_one(again).await.ok();
        assert_eq!(report.action(), Action::Replace);
        assert_eq!(bed.writes(), [""; 0]);
        assert_eq!(bed.settings(), KEYLESS);
        if !create_first {
            assert_eq!(bed.state(), before);
        } else {
            report.warning("The authorization is kept");
        }
    }
}

#[tokio::test]
async fn a_change_of_hub_id_replaces_and_restores_the_first_hub() {
    let mut bed = bed().await;
    bed.apply(&bed.keyless()).await.quiet();
    let hub2 = bed.another_hub("hub2");
    bed.emulator.clear_requests();
    let mut config = bed.keyless();
    config["hub_id"] = json!(hub2);
    let report = bed.apply(&config).await.ok();
    assert_eq!((report.action(), &report.change().requires_replace[..]), (Action::Replace, &["hub_id".to_owned()][..]));
    assert_eq!(
        bed.writes(),
        ["PATCH hub1 accesskey", "PATCH sa1 true", "POST resyncKeys", "PATCH hub2 identity", "PATCH sa1 false"]
    );
    assert_eq!(bed.state()["id"], json!(hub2));
}

#[tokio::test]
async fn two_hubs_of_one_account_are_created_and_destroyed_in_any_order() {
    for first in ["a", "b", "both at once"] {
        let mut bed = bed().await;
        let hub2 = bed.another_hub("hub2");
        let b = json!({ "hub_id": hub2, "access_check": "off" });
        let all = vec![resource(TYPE, "a", bed.keyless()).depends_on(TYPE, "b"), resource(TYPE, "b", b)];
        bed.core.apply_all(all.clone()).await.quiet();
        assert_eq!(bed.writes(), ["PATCH hub2 identity", "PATCH hub1 identity", "PATCH sa1 false"]);
        // The object of the hub that was applied first still has to be refreshed: its keys went off later.
        bed.core.apply_all(all.clone()).await.quiet();
        bed.core.plan_all(all).await.ok().assert_empty();
        bed.emulator.clear_requests();
        let keys_first =
            ["PATCH hub1 accesskey", "PATCH sa1 true", "POST resyncKeys", "PATCH hub2 accesskey", "POST resyncKeys"];
        let keys_last = ["PATCH hub2 accesskey", "PATCH hub1 accesskey", "PATCH sa1 true", "POST resyncKeys"];
        match first {
            "a" => {
                bed.core.destroy(TYPE, "a").await.ok();
                bed.core.destroy(TYPE, "b").await.ok();
                assert_eq!(bed.writes(), keys_first);
            }
            "b" => {
                // The account allows no keys until the other object is destroyed, so that there is a warning.
                bed.core.destroy(TYPE, "b").await.ok().warning("The hub has no access to its data");
                bed.core.destroy(TYPE, "a").await.ok();
                assert_eq!(bed.writes(), keys_last);
            }
            _ => {
                bed.core.destroy_all().await.ok();
                assert_eq!(bed.writes(), keys_first);
            }
        }
        let hub2 = bed.emulator.resource(&hub2).expect("the hub");
        assert_eq!(hub2["properties"]["systemDatastoresAuthMode"], "accesskey");
        assert_eq!(bed.settings(), WITH_KEYS);
    }
}

// Warnings of a plan.

#[tokio::test]
async fn a_plan_warns_when_the_hub_would_need_keys_that_are_off() {
    let mut bed = bed().await;
    bed.emulator.set_mode(&bed.hub, "identity");
    bed.emulator.set_shared_key_access(&bed.account, Some(false));
    let config = json!({ "hub_id": bed.hub, "system_datastores_auth_mode": "accesskey" });
    let planned = bed.plan(&config).await.ok();
    assert_eq!(planned.warning("The hub would have no access to its data").path, "system_datastores_auth_mode");

    // The same in an update.
    bed.apply(&json!({ "hub_id": bed.hub })).await.ok();
    let planned = bed.plan(&config).await.ok();
    planned.warning("The hub would have no access to its data");
    bed.core.apply_saved(planned).await.ok().warning("The hub has no access to its data");

    let with_keys = json!({
        "hub_id": bed.hub, "system_datastores_auth_mode": "accesskey", "shared_access_key_enabled": true,
    });
    bed.plan(&with_keys).await.ok().report.quiet();
}
