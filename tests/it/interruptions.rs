//! StopProvider, as an engine sends it on Ctrl-C, during every kind of work: what is under way ends with an error, nothing
//! is written after it, and the state keeps what it had. What becomes of each request of a write is in `interrupted` beside
//! its resource.

use std::time::Duration;

use serde_json::{Value, json};

use crate::azure::{Action as Fault, Datastores, HubRole, Lro, Operations, Outcome, Record, Rule};
use crate::support::{
    bed::{AUTH, Bed, HUB, ROLE, is_write},
    core::{Diagnostics, ImportFrom, resource},
    ids::{ALICE, CONTRIBUTOR_NAMES},
};

/// Method and last part of the path.
fn short(record: &Record) -> String {
    format!("{} {}", record.method, record.path.rsplit('/').next().unwrap_or_default())
}

async fn bed() -> Bed {
    Bed::new(AUTH, short, |_| {}).await
}

/// Interrupts what comes next as soon as a request has come that `seen` accepts.
fn interrupt_at(bed: &mut Bed, seen: impl Fn(&Record) -> bool + 'static) {
    bed.emulator.clear_requests();
    let arm = bed.arm.clone();
    bed.core.interrupt_when(async move {
        arm.emulator.request_seen(seen).await;
    });
}

#[track_caller]
fn ends(what: &str, diagnostics: &Diagnostics) {
    let told = diagnostics.0.iter().filter(|found| found.is_error);
    let told: Vec<_> = told.map(|error| format!("{} {}", error.summary, error.detail).to_lowercase()).collect();
    let is_interruption = |error: &String| error.contains("cancelled") || error.contains("interrupted");
    assert!(!told.is_empty() && told.iter().all(is_interruption), "{what}: {diagnostics}");
}

#[tokio::test]
async fn whatever_reads_ends_and_the_state_stays() {
    let mut bed = bed().await;
    let all = bed.of_every_type();
    bed.core.apply_all(all.clone()).await.ok();
    let own_hub = bed.emulator.id("rg1", "Microsoft.MachineLearningServices/workspaces", "hub2");
    let before = [AUTH, ROLE, HUB].map(|type_name| bed.core.state(type_name, "a"));
    bed.emulator.fault(Rule::on("GET", "/subscriptions/*", Fault::Hold));
    interrupt_at(&mut bed, Record::is_arm);
    ends("the plan", &bed.core.plan_all(all).await.diagnostics);
    for type_name in [AUTH, ROLE, HUB] {
        interrupt_at(&mut bed, Record::is_arm);
        let listed = json!({ "subscription_id": bed.subscription.rsplit('/').next() });
        let listed = if type_name == ROLE { json!({ "hub_id": bed.hub }) } else { listed };
        let (found, diagnostics) = bed.core.list(type_name, listed, true, 10).await;
        ends(&format!("the list of {type_name}"), &diagnostics);
        assert_eq!(found, []);
    }
    interrupt_at(&mut bed, Record::is_arm);
    ends("the refresh", &bed.core.refresh().await.diagnostics);
    for (type_name, id) in [(AUTH, bed.hub.clone()), (ROLE, format!("{}|{ALICE}|contributor", bed.hub)), (HUB, own_hub)]
    {
        interrupt_at(&mut bed, Record::is_arm);
        let imported = bed.core.import(type_name, "imported", ImportFrom::Id(id)).await;
        ends(&format!("the import of {type_name}"), &imported.diagnostics);
        assert_eq!(bed.core.state(type_name, "imported"), Value::Null);
    }
    for (type_name, config) in [
        ("foundryhub_hub", json!({ "id": bed.hub })),
        ("foundryhub_hubs", json!({})),
        ("foundryhub_storage_access", json!({ "hub_id": bed.hub })),
        ("foundryhub_storage_key_usage", json!({ "storage_account_id": bed.account })),
    ] {
        interrupt_at(&mut bed, Record::is_arm);
        let (data, diagnostics) = bed.core.read_data(type_name, config).await;
        ends(&format!("the data of {type_name}"), &diagnostics);
        assert_eq!(data, Value::Null);
    }
    assert_eq!(before, [AUTH, ROLE, HUB].map(|type_name| bed.core.state(type_name, "a")));
}

#[tokio::test]
async fn the_checks_of_a_plan_end() {
    for checks in ["*/roleAssignments", "*/datastores", "*/connections", "*/checkPolicyRestrictions"] {
        let mut bed = bed().await;
        bed.emulator.fault(Rule::on("*", checks, Fault::Hold));
        let name = checks.trim_start_matches("*/");
        interrupt_at(&mut bed, move |record| record.path.ends_with(name));
        let config = json!({ "hub_id": bed.hub, "shared_access_key_enabled": false, "access_check": "enforce",
            "access_check_principal_ids": [ALICE] });
        let planned = tokio::time::timeout(Duration::from_secs(60), bed.plan(&config)).await;
        // Checks only warn, so that a plan may come to its end without them.
        let planned = planned.unwrap_or_else(|_| panic!("{checks} held up the plan"));
        assert_eq!(bed.writes(), [""; 0], "{}", planned.diagnostics);
    }
}

#[tokio::test]
async fn the_sign_in_ends() {
    let mut bed = bed().await;
    bed.emulator.fault(Rule::on("POST", "*/oauth2/v2.0/token", Fault::Hold));
    interrupt_at(&mut bed, |record| record.path.ends_with("/oauth2/v2.0/token"));
    let planned = bed.plan(&json!({ "hub_id": bed.hub })).await;
    ends("the sign-in", &planned.diagnostics);
}

#[tokio::test]
async fn a_wait_that_azure_asked_for_ends() {
    let mut bed = bed().await;
    for status in [429, 503] {
        bed.emulator.clear_faults();
        bed.emulator.fault(Rule::on("GET", "*/workspaces/hub1", Fault::Status(status)).header("retry-after", "120"));
        interrupt_at(&mut bed, move |record| record.status == Some(status));
        let planned = bed.plan(&json!({ "hub_id": bed.hub })).await;
        ends("the wait", &planned.diagnostics);
    }
}

/// The wait for the platform's role, for the datastores and for the age of role assignments: all come after the switch of
/// the hub and before that of the account.
#[tokio::test]
async fn the_waits_of_the_second_gate_end_with_keys_on_and_the_next_apply_completes() {
    for what in ["the platform", "the datastores", "the age"] {
        let mut bed = Bed::new(AUTH, short, |options| {
            options.stop_clock = true;
            match what {
                "the platform" => options.hub_roles = vec![HubRole::None],
                "the datastores" => options.datastores = Datastores::Never,
                _ => {}
            }
        })
        .await;
        bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
        let mut config = json!({ "hub_id": bed.hub, "shared_access_key_enabled": false, "access_check": "enforce",
            "access_check_principal_ids": [ALICE], "grant_settle_time": "10m" });
        let planned = bed.plan(&config).await.ok();
        bed.emulator.clear_requests();
        let arm = bed.arm.clone();
        bed.core.interrupt_when(async move {
            let answered = |method: &'static str, last: &'static str, after: u64| {
                let is_next = move |record: &Record| {
                    record.number > after
                        && record.method == method
                        && record.path.ends_with(last)
                        && record.status.is_some()
                };
                arm.emulator.request_seen(is_next)
            };
            let switched = answered("PATCH", "hub1", 0).await.number;
            futures_util::join!(answered("GET", "roleAssignments", switched), answered("GET", "datastores", switched));
        });
        let report = bed.core.apply_saved(planned).await.failed();
        ends(what, &report.diagnostics);
        assert_eq!(bed.writes(), ["PATCH hub1"], "{what}");
        assert_eq!(bed.state()["original"]["system_datastores_auth_mode"], "accesskey", "{what}");

        config["grant_settle_time"] = json!("0s");
        config["access_check"] = json!("off");
        bed.apply(&config).await.ok();
        assert_eq!(bed.writes(), ["PATCH sa1"], "{what}");
        bed.plan(&config).await.ok().assert_empty();
    }
}

#[tokio::test]
async fn an_update_of_a_hub_whose_operation_never_ends_is_completed_by_the_next_apply() {
    let mut bed = bed().await;
    let hub = resource(HUB, "a", bed.new_hub());
    bed.core.apply_one(hub.clone()).await.ok();
    let changed = hub.setting("description", json!("new"));
    bed.emulator.configure(|options| (options.lro, options.operations) = (Lro::Both, Operations::Explicit));
    let planned = bed.core.plan_all(vec![changed.clone()]).await.ok();
    interrupt_at(&mut bed, |record| record.path.contains("workspaceOperationsStatus"));
    let report = bed.core.apply_saved(planned).await.failed();
    ends("the update", &report.diagnostics);
    assert!(!bed.core.stored(HUB, "a").tainted);

    bed.emulator.configure(|options| options.operations = Operations::Auto);
    for operation in bed.emulator.running_operations() {
        bed.emulator.finish_operation(&operation.id, Outcome::Canceled);
    }
    bed.core.apply_one(changed.clone()).await.ok();
    bed.core.plan_all(vec![changed]).await.ok().assert_empty();
}

#[tokio::test]
async fn an_action_whose_operation_never_ends_says_what_was_not_done() {
    let mut bed = bed().await;
    bed.emulator.configure(|options| (options.lro, options.operations) = (Lro::Both, Operations::Explicit));
    interrupt_at(&mut bed, |record| record.path.contains("workspaceOperationsStatus"));
    let (_, diagnostics) = bed.core.invoke("foundryhub_resync_keys", json!({ "hub_id": bed.hub })).await;
    ends("the action", &diagnostics);
    assert_eq!(bed.emulator.arm_requests().iter().filter(|record| is_write(record)).count(), 1);
}
