//! What a destroy restores: how a plan shows it, and what happens when Azure changes before the apply.

use serde_json::{Value, json};

use super::{Bed, TYPE, WITH_KEYS, bed};
use crate::support::core::{Action, UNKNOWN, resource};

/// An object that has changed nothing: the hub was on identity already, and keys are only observed.
async fn as_configured(bed: &mut Bed) -> Value {
    bed.emulator.set_mode(&bed.hub, "identity");
    let config = json!({ "hub_id": bed.hub, "access_check": "off" });
    bed.apply(&config).await.ok();
    let nothing = json!({ "system_datastores_auth_mode": null, "shared_access_key_enabled": null });
    assert_eq!(bed.state()["original"], nothing);
    config
}

#[tokio::test]
async fn an_update_plans_what_a_destroy_will_restore() {
    let mut bed = bed().await;
    as_configured(&mut bed).await;
    bed.emulator.set_mode(&bed.hub, "AccessKey");
    let planned = bed.plan(&bed.keyless()).await.ok();
    let original = json!({ "system_datastores_auth_mode": "AccessKey", "shared_access_key_enabled": true });
    assert_eq!(planned.change().planned["original"], original);
    bed.core.apply_saved(planned).await.quiet();
    assert_eq!(bed.state()["original"], original);

    // A property that was written keeps its original, and one that was not has none.
    bed.emulator.set_mode(&bed.hub, "UserDelegationSAS");
    let planned = bed.plan(&bed.keyless()).await.ok();
    assert_eq!(planned.change().planned["original"], original);
    bed.core.apply_saved(planned).await.quiet();
    bed.destroy().await.ok();
    assert_eq!(bed.settings(), WITH_KEYS);
}

#[tokio::test]
async fn the_original_of_a_value_known_only_at_apply_is_unknown_in_the_plan() {
    let mut bed = bed().await;
    as_configured(&mut bed).await;
    let keyless = bed.keyless();
    let mut config = keyless.clone();
    config["shared_access_key_enabled"] = json!(UNKNOWN);
    let planned = bed.plan(&config).await.ok();
    let original = json!({ "system_datastores_auth_mode": null, "shared_access_key_enabled": UNKNOWN });
    assert_eq!(planned.change().planned["original"], original);
    bed.core.apply_saved(planned.knowing(keyless)).await.quiet();
    assert_eq!(bed.state()["original"]["shared_access_key_enabled"], true);
}

#[tokio::test]
async fn a_setting_changed_between_the_plan_and_the_apply_of_an_update_stops_the_apply_before_it_writes() {
    for (hub, account) in [(true, false), (false, true), (true, true)] {
        let mut bed = bed().await;
        as_configured(&mut bed).await;
        let planned = bed.plan(&bed.keyless()).await.ok();
        let before = bed.state();
        if hub {
            bed.emulator.set_mode(&bed.hub, "accesskey");
        }
        if account {
            bed.emulator.set_shared_key_access(&bed.account, Some(false));
        }
        bed.emulator.clear_requests();
        let report = bed.core.apply_saved(planned).await.failed();
        let error = report.error("Azure has changed since the plan");
        let (property, was, is) = match hub {
            true => ("systemDatastoresAuthMode", "identity", "accesskey"),
            false => ("allowSharedKeyAccess", "true", "false"),
        };
        for text in [property, &format!("was {was}"), &format!("is {is} now"), "Plan again"] {
            assert!(error.detail.contains(text), "{text}: {error}");
        }
        assert_eq!((bed.writes(), bed.state()), (vec![], before));
        let planned = bed.plan(&bed.keyless()).await.ok();
        bed.core.apply_saved(planned).await.ok();
        bed.plan(&bed.keyless()).await.ok().assert_empty();
    }
}

#[tokio::test]
async fn the_original_of_a_create_is_what_the_apply_finds() {
    for (hub, account) in [(true, false), (false, true), (true, true)] {
        let mut bed = bed().await;
        let planned = bed.plan(&bed.keyless()).await.ok();
        assert_eq!(planned.change().planned["original"], json!(UNKNOWN));
        if hub {
            bed.emulator.set_mode(&bed.hub, "identity");
        }
        if account {
            bed.emulator.set_shared_key_access(&bed.account, Some(false));
        }
        bed.core.apply_saved(planned).await.ok();
        let original = json!({
            "system_datastores_auth_mode": if hub { Value::Null } else { json!("accesskey") },
            "shared_access_key_enabled": if account { Value::Null } else { json!(true) },
        });
        assert_eq!(bed.state()["original"], original);
        bed.plan(&bed.keyless()).await.ok().assert_empty();
    }
}

#[tokio::test]
async fn a_create_that_finds_a_setting_as_configured_warns_that_a_destroy_restores_nothing() {
    const SUMMARY: &str = "Nothing to restore on destroy";
    for (mode, keys, named, example) in [
        (
            "identity",
            Some(false),
            &["systemDatastoresAuthMode", "shared keys"][..],
            "restore_to = { system_datastores_auth_mode = \"accesskey\", shared_access_key_enabled = true }",
        ),
        (
            "Identity",
            None,
            &["systemDatastoresAuthMode"],
            "restore_to = { system_datastores_auth_mode = \"accesskey\" }",
        ),
    ] {
        let mut bed = bed().await;
        bed.emulator.set_mode(&bed.hub, mode);
        bed.emulator.set_shared_key_access(&bed.account, keys);
        let mut config = bed.keyless();
        let plan = bed.plan(&config).await.ok();
        let warning = plan.warning(SUMMARY);
        for text in named {
            assert!(warning.detail.contains(text), "{text}: {warning}");
        }
        assert_eq!(warning.detail.contains("shared keys"), named.len() == 2);
        assert!(warning.detail.contains(example), "{warning}");
        assert_eq!(plan.report.diagnostics.0.len(), 1, "said once: {}", plan.report.diagnostics);

        // With restore_to, and with restore_on_destroy = false, there is no warning.
        let pinned = json!({ "system_datastores_auth_mode": "accesskey", "shared_access_key_enabled": true });
        for (name, value) in [("restore_to", pinned), ("restore_on_destroy", json!(false))] {
            config = bed.keyless();
            config[name] = value;
            assert_eq!(bed.plan(&config).await.ok().report.diagnostics.0.len(), 0);
        }
    }
    let mut bed = bed().await;
    assert_eq!(bed.plan(&bed.keyless()).await.ok().report.diagnostics.0.len(), 0);
    // A replacement keeps the original settings.
    bed.apply(&bed.keyless()).await.quiet();
    bed.core.taint(TYPE, "a");
    let plan = bed.plan(&bed.keyless()).await.ok();
    assert_eq!((plan.action(), plan.report.diagnostics.0.len()), (Action::Replace, 0));
}

#[tokio::test]
async fn two_hubs_of_one_account_with_keys_off_on_both_are_created_and_updated_in_one_apply() {
    for create in [true, false] {
        let mut bed = bed().await;
        let hub2 = bed.another_hub("hub2");
        let both = |keys: Value| {
            let config = |hub: &str| json!({ "hub_id": hub, "access_check": "off", "shared_access_key_enabled": keys });
            vec![resource(TYPE, "a", config(&bed.hub)), resource(TYPE, "b", config(&hub2))]
        };
        let (observed, keyless) = (both(Value::Null), both(json!(false)));
        if !create {
            bed.core.apply_all(observed).await.ok();
        }
        let planned = bed.core.plan_all(keyless.clone()).await.ok();
        bed.core.apply_saved(planned).await.ok();
        assert_eq!(bed.keys(), Some(false));
        bed.core.apply_all(keyless.clone()).await.ok();
        bed.core.plan_all(keyless).await.ok().assert_empty();
        bed.core.destroy_all().await.ok();
        assert_eq!(bed.settings(), WITH_KEYS);
    }
}
