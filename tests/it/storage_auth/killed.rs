//! Runs that are killed before the state has what they changed in Azure: `original` is lost with it, which the next plan says.

use serde_json::{Value, json};

use super::{Bed, KEYLESS, TYPE, WITH_KEYS, bed, short};
use crate::azure::{Action as Fault, Record, Rule};
use crate::support::core::{Plan, resource};

const SUMMARY: &str = "Nothing to restore on destroy";

/// Applies a plan and kills it when a request that a rule is about has arrived for the nth time.
async fn killed_at(bed: &mut Bed, planned: Plan, rule: Rule, seen: &'static str, nth: usize) {
    let rule = bed.emulator.fault(rule.after(nth as u64 - 1));
    bed.emulator.clear_requests();
    let arm = bed.arm.clone();
    bed.core.kill_when(async move {
        let mut last = 0;
        for _ in 0..nth {
            let next = |request: &Record| short(request) == seen && request.number > last;
            last = arm.emulator.request_seen(next).await.number;
        }
    });
    bed.core.apply_saved(planned).await;
    assert_eq!(bed.state(), Value::Null);
    bed.emulator.release(rule);
}

/// Checks that a plan says of these settings, and of no others, that nothing of them will be restored.
#[track_caller]
fn says_of(plan: &Plan, restore_to: &str) {
    let warnings: Vec<_> = plan.report.diagnostics.0.iter().filter(|found| found.summary == SUMMARY).collect();
    let [warning] = warnings[..] else { panic!("said once: {}", plan.report.diagnostics) };
    assert!(warning.detail.ends_with(&format!("restore_to = {{ {restore_to} }}")), "{warning}");
    assert!(warning.detail.contains("killed"), "{warning}");
}

const BOTH: &str = "system_datastores_auth_mode = \"accesskey\", shared_access_key_enabled = true";

#[tokio::test]
async fn what_a_kill_has_lost_is_said_by_the_next_plan_and_pinned_by_restore_to() {
    // What is held may be processed after all.
    let refused = Rule::on("PATCH", "*/storageAccounts/sa1", Fault::Status(503)).header("retry-after", "60");
    let held = Rule::on("GET", "*/storageAccounts/sa1", Fault::Hold);
    let both = json!({ "system_datastores_auth_mode": "accesskey", "shared_access_key_enabled": true });
    // Where it is killed, what is changed by then, what the plan says, what is left of `original`, and what a destroy leaves.
    for (rule, seen, nth, mode, says, original, left) in [
        (
            refused,
            "PATCH sa1 false",
            1,
            "identity",
            "system_datastores_auth_mode = \"accesskey\"",
            json!({ "system_datastores_auth_mode": null, "shared_access_key_enabled": true }),
            ("identity", Some(true)),
        ),
        (
            held,
            "GET sa1",
            3,
            "identity",
            BOTH,
            json!({ "system_datastores_auth_mode": null, "shared_access_key_enabled": null }),
            KEYLESS,
        ),
    ] {
        for pinned in [false, true] {
            let mut bed = bed().await;
            let mut config = bed.keyless();
            let planned = bed.plan(&config).await.ok();
            killed_at(&mut bed, planned, rule.clone(), seen, nth).await;
            assert_eq!(bed.mode(), mode);
            says_of(&bed.plan(&config).await.ok(), says);
            if pinned {
                config["restore_to"] = both.clone();
            }
            bed.apply(&config).await.ok();
            assert_eq!((bed.settings(), &bed.state()["original"]), (KEYLESS, &original));
            bed.plan(&config).await.ok().assert_empty();
            bed.destroy().await.ok();
            assert_eq!(bed.settings(), if pinned { WITH_KEYS } else { left }, "{seen} {pinned}");
        }
    }
}

/// The way back, too, whichever of the two is as wanted.
#[tokio::test]
async fn each_setting_that_a_creation_finds_as_wanted_is_named() {
    const MODE: &str = "system_datastores_auth_mode = \"identity\"";
    const KEYS: &str = "shared_access_key_enabled = false";
    for (mode, keys, config, says) in [
        ("accesskey", Some(false), json!({ "shared_access_key_enabled": false }), "shared_access_key_enabled = true"),
        (
            "accesskey",
            Some(true),
            json!({ "system_datastores_auth_mode": "accesskey", "shared_access_key_enabled": true }),
            &*format!("{MODE}, {KEYS}"),
        ),
        (
            "accesskey",
            Some(false),
            json!({ "system_datastores_auth_mode": "accesskey", "shared_access_key_enabled": true }),
            MODE,
        ),
        (
            "identity",
            None,
            json!({ "system_datastores_auth_mode": "accesskey", "shared_access_key_enabled": true }),
            KEYS,
        ),
        ("accesskey", None, json!({ "system_datastores_auth_mode": "accesskey" }), MODE),
    ] {
        for check in ["off", "warn"] {
            let mut bed = bed().await;
            bed.emulator.set_mode(&bed.hub, mode);
            bed.emulator.set_shared_key_access(&bed.account, keys);
            let mut config = config.clone();
            config["hub_id"] = json!(bed.hub);
            config["access_check"] = json!(check);
            says_of(&bed.plan(&config).await.ok(), says);
        }
    }
}

/// The state has neither object then. The first half has changed nothing in Azure, and the second half nothing to change.
#[tokio::test]
async fn between_the_halves_of_a_replacement_nothing_changes_in_azure() {
    for pinned in [false, true] {
        let mut bed = bed().await;
        bed.apply(&bed.keyless()).await.ok();
        let planned = bed.core.plan_all(vec![resource(TYPE, "a", bed.keyless()).replaced()]).await.ok();
        killed_at(&mut bed, planned, Rule::on("GET", "*/workspaces/hub1", Fault::Hold), "GET hub1", 1).await;
        assert_eq!((bed.settings(), bed.writes()), (KEYLESS, vec![]));
        let mut config = bed.keyless();
        says_of(&bed.plan(&config).await.ok(), BOTH);
        if pinned {
            config["restore_to"] =
                json!({ "system_datastores_auth_mode": "accesskey", "shared_access_key_enabled": true });
        }
        bed.emulator.clear_requests();
        bed.apply(&config).await.ok();
        assert_eq!(bed.writes(), [""; 0]);
        bed.destroy().await.ok();
        assert_eq!(bed.settings(), if pinned { WITH_KEYS } else { KEYLESS });
    }
}
