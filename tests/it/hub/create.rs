//! Creations, the account included, and how they end half-way.

use std::time::Duration;

use serde_json::{Value, json};

use super::{TYPE, bed, bed_with, on_hub};
use crate::azure::{Action as Fault, Lro, Operations, Outcome, PurgeDeleted, Record, Rule};
use crate::support::{
    bed::Bed,
    core::{Action, Resource, resource},
};

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

/// The version that hubs are created by does not have them, and drops what it does not know.
#[tokio::test]
async fn network_rules_are_sent_by_a_version_that_has_them() {
    let rules = json!({ "network_acls": { "default_action": "Deny", "ip_rules": ["198.51.100.0/24"] } });
    let mut bed = bed().await;
    let config = bed.with(rules);
    bed.apply(&config).await.quiet();
    let writes: Vec<_> = bed.emulator.arm_requests().into_iter().filter(|request| request.method != "GET").collect();
    let [put, patch] = &writes[..] else { panic!("{writes:#?}") };
    assert_eq!((put.method.as_str(), patch.method.as_str()), ("PUT", "PATCH"));
    assert_eq!(patch.query("api-version"), Some("2024-10-01-preview"));
    let sent = json!({ "defaultAction": "Deny", "ipRules": [{ "value": "198.51.100.0/24" }] });
    assert_eq!(put.body["properties"].get("networkAcls"), None);
    assert_eq!(patch.body, json!({ "properties": { "networkAcls": sent } }));
    assert_eq!(bed.in_azure()["properties"]["networkAcls"], sent);
    bed.plan(&config).await.ok().assert_empty();
}

#[tokio::test]
async fn a_hub_whose_network_rules_are_refused_is_kept_and_said_to_be_open() {
    let mut bed = bed().await;
    let config = bed.with(json!({ "network_acls": { "default_action": "Deny" } }));
    bed.emulator.fault(on_hub("PATCH", Fault::Status(400)).code("Odd"));
    let report = bed.apply(&config).await.failed();
    let error = report.error("The network rules of the hub were not set");
    assert!(error.detail.contains(&bed.own_hub()) && error.detail.contains("every address may reach"), "{error}");
    assert!(error.detail.contains("Azure error code: Odd"), "{error}");
    assert_eq!(error.path, "network_acls");
    assert_eq!(bed.state()["id"], bed.own_hub().as_str());
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

/// Two hubs on one account that both want its keys off. Those that are `refused` have a description that a policy denies.
fn two_keyless(bed: &Bed, refused: [bool; 2]) -> Vec<Resource> {
    let policy = "deny Microsoft.MachineLearningServices/workspaces properties.description=refused";
    bed.emulator.configure(|options| options.policy = vec![policy.parse().expect("a policy")]);
    let hubs = [("a", "hub2"), ("b", "hub3")].into_iter().zip(refused);
    let hub = |((address, name), is_refused): ((&str, &str), bool)| {
        let description = if is_refused { "refused" } else { "wanted" };
        let config = json!({ "name": name, "description": description, "shared_access_key_enabled": false });
        resource(TYPE, address, bed.with(config))
    };
    hubs.map(hub).collect()
}

#[tokio::test]
async fn an_account_is_put_back_when_no_other_new_hub_needs_it() {
    for (refused, keys) in [([true, false], false), ([true, true], true)] {
        let mut bed = bed().await;
        let all = two_keyless(&bed, refused);
        // Both have the account as they need it before either is refused.
        let held = bed.emulator.fault(Rule::on("PUT", "*/workspaces/*", Fault::Hold));
        let arm = bed.arm.clone();
        let release = async move {
            for hub in ["/hub2", "/hub3"] {
                arm.emulator.request_seen(|request| request.method == "PUT" && request.path.ends_with(hub)).await;
            }
            arm.emulator.release(held);
        };
        let (report, ()) = futures_util::future::join(bed.core.apply_all(all), release).await;
        let report = report.failed();
        assert_eq!(bed.shared_keys(), Some(keys), "{refused:?}: {}", report.diagnostics);
        let told = report.diagnostics.to_string();
        assert_eq!(told.contains("and are enabled again"), keys, "{told}");
        assert_eq!(bed.core.state(TYPE, "b").is_null(), keys);
    }
}

#[tokio::test]
async fn keys_stay_on_while_this_run_switches_another_hub_of_the_account() {
    for is_refused in [true, false] {
        let mut bed = bed().await;
        two_keyless(&bed, [false, false]);
        let description = if is_refused { "refused" } else { "" };
        bed.emulator.change(&bed.hub, |hub| hub["properties"]["description"] = json!(description));
        let held = bed.emulator.fault(Rule::on("PATCH", "*/workspaces/hub1", Fault::Hold));
        let auth = json!({ "hub_id": bed.hub, "system_datastores_auth_mode": "identity", "access_check": "warn" });
        let new = bed.with(json!({ "shared_access_key_enabled": false, "access_check": "enforce" }));
        let all = vec![resource("foundryhub_storage_auth", "auth", auth), resource(TYPE, "a", new)];
        let arm = bed.arm.clone();
        let release = async move {
            arm.emulator.request_seen(|request| request.method == "PATCH" && request.path.ends_with("/hub1")).await;
            arm.emulator.request_seen(|request| request.path.ends_with("/roleAssignments")).await;
            arm.emulator.release(held);
        };
        let (report, ()) = futures_util::future::join(bed.core.apply_all(all), release).await;
        if is_refused {
            report.failed().error("Other workspaces could not be switched");
        } else {
            report.ok();
        }
        assert_eq!(bed.shared_keys(), if is_refused { None } else { Some(false) });
        assert_eq!(bed.in_azure().is_null(), is_refused);
    }
}

#[tokio::test]
async fn a_request_that_broke_and_made_nothing_leaves_no_state_and_has_the_account_put_back() {
    let mut bed = bed().await;
    bed.emulator.fault(on_hub("PUT", Fault::Status(501)).code("NotImplemented"));
    let config = bed.with(json!({ "shared_access_key_enabled": false }));
    let report = bed.apply(&config).await.failed();
    let error = report.error("Cannot create the hub");
    assert!(error.detail.contains("and are enabled again"), "{error}");
    assert_eq!((bed.state(), bed.shared_keys()), (Value::Null, Some(true)));
}

#[tokio::test]
async fn a_deleted_hub_that_cannot_be_purged_is_reported_as_such_and_has_the_account_put_back() {
    let config = json!({ "shared_access_key_enabled": false, "purge_on_destroy": true });
    for (fault, summary) in [
        (on_hub("DELETE", Fault::Denied), "Not allowed to purge the deleted hub"),
        (on_hub("DELETE", Fault::Status(501)).code("NotImplemented"), "Cannot purge the deleted hub"),
    ] {
        let mut bed = bed().await;
        bed.apply(&bed.minimal()).await.quiet();
        bed.destroy().await.quiet();
        bed.emulator.fault(fault);
        let report = bed.apply(&bed.with(config.clone())).await.failed();
        let error = report.error(summary);
        assert!(error.detail.contains("and are enabled again"), "{error}");
        assert_eq!((bed.state(), bed.shared_keys()), (Value::Null, Some(true)));
    }
    // Azure has been seen to keep the name and to know of no such hub.
    let mut bed = bed_with(|options| options.purge_deleted = PurgeDeleted::NotFound).await;
    bed.apply(&bed.minimal()).await.quiet();
    bed.destroy().await.quiet();
    bed.emulator.clear_requests();
    let report = bed.apply(&bed.with(config)).await.failed();
    let error = report.error("A deleted hub still has this name");
    assert!(error.detail.contains("was tried") && !error.detail.contains("set purge_on_destroy"), "{error}");
    assert!(error.detail.contains("and are enabled again"), "{error}");
    assert_eq!(bed.writes(), ["PATCH sa1 false", "PUT hub2", "DELETE hub2 purge", "PUT hub2", "PATCH sa1 true"]);
}

#[tokio::test]
async fn a_name_that_is_free_some_time_after_the_purge_is_waited_for() {
    let mut bed = bed_with(|options| options.purge_time = Duration::from_secs(3600)).await;
    bed.apply(&bed.minimal()).await.quiet();
    bed.destroy().await.quiet();
    bed.emulator.clear_requests();
    let config = bed.with(json!({ "purge_on_destroy": true }));
    let arm = bed.arm.clone();
    let free = async move {
        let purge = |request: &Record| request.method == "DELETE" && request.status.is_some();
        arm.emulator.request_seen(purge).await;
        arm.emulator.advance(Duration::from_secs(3600));
    };
    let (report, ()) = futures_util::future::join(bed.apply(&config), free).await;
    report.ok().warning("A deleted hub was purged");
    assert_eq!(bed.state()["id"], json!(bed.own_hub()));
}
