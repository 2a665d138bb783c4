//! Create, refresh, update and destroy, and drift.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    ALICE, BLOB_CONTRIBUTOR, BLOB_READER, BOB, Bed, FILE_CONTRIBUTOR, FILE_READER, TYPE, bed, bed_with, custom_role,
    name_of,
};
use crate::azure::{Action as Fault, Rule};
use crate::emulator::client::grant;
use crate::support::core::{Action, UNKNOWN, resource};

// Create, refresh, update and destroy.

#[tokio::test]
async fn a_pair_is_created_refreshed_and_destroyed_on_the_hubs_account() {
    let mut bed = bed().await;
    let config = bed.by_hub(ALICE, "contributor");
    let planned = bed.plan(&config).await.ok();
    assert_eq!(planned.action(), Action::Create);
    // A plan does not show the account of the hub, since the apply reads it again.
    for unknown in ["scope", "storage_account_id"] {
        assert_eq!(planned.change().planned[unknown], UNKNOWN, "{unknown}");
    }
    let of = |guid: &str| {
        let role = format!("{}/providers/Microsoft.Authorization/roleDefinitions/{guid}", bed.subscription);
        json!({ "id": UNKNOWN, "role_definition_id": role, "adopted": false })
    };
    let (blob, file) = ("Storage Blob Data Contributor", "Storage File Data Privileged Contributor");
    let shown = json!({ blob: of(BLOB_CONTRIBUTOR), file: of(FILE_CONTRIBUTOR) });
    assert_eq!(planned.change().planned["role_assignments"], shown);
    assert_eq!(bed.requests(), ["GET hub1", "GET list"]);

    bed.core.apply_saved(planned).await.quiet();
    assert_eq!(bed.requests(), ["GET hub1", "GET list", "PUT blob contributor", "PUT file contributor"]);
    assert_eq!(bed.held(ALICE, &bed.account), [FILE_CONTRIBUTOR, BLOB_CONTRIBUTOR]);
    let state = bed.state();
    assert_eq!(state["id"], json!(format!("{}|{ALICE}|contributor", bed.hub)));
    assert_eq!(state["scope"], json!(bed.account));
    assert_eq!(state["storage_account_id"], json!(bed.account));
    assert_eq!(state["principal_type"], "User");
    assert_eq!(state["role_definition_name"], Value::Null);
    let blob = &state["role_assignments"]["Storage Blob Data Contributor"];
    assert_eq!(blob["adopted"], false);
    assert!(blob["role_definition_id"].as_str().expect("an id").ends_with(BLOB_CONTRIBUTOR));
    assert_eq!(
        bed.core.identity(TYPE, "a"),
        json!({ "scope": bed.account, "principal_id": ALICE, "role": "contributor" })
    );

    bed.plan(&config).await.ok().assert_empty();
    assert_eq!(bed.requests(), ["GET assignment", "GET assignment"]);
    bed.core.destroy(TYPE, "a").await.quiet();
    assert_eq!(bed.writes(), ["DELETE assignment", "DELETE assignment"]);
    assert!(bed.held(ALICE, &bed.account).is_empty());
}

#[tokio::test]
async fn one_role_takes_one_list_to_plan_one_put_and_one_delete() {
    let mut bed = bed().await;
    for config in [
        bed.by_account(ALICE, "storage blob data reader"),
        json!({ "scope": bed.account, "principal_id": ALICE, "role_definition_id": BLOB_READER, "principal_type": "user" }),
        json!({
            "scope": bed.account.to_uppercase(), "principal_id": ALICE.to_uppercase(),
            "role_definition_id": format!("{}/providers/Microsoft.Authorization/roleDefinitions/{BLOB_READER}", bed.account),
        }),
    ] {
        let planned = bed.plan(&config).await.ok();
        assert_eq!(bed.requests(), ["GET list"]);
        bed.core.apply_saved(planned).await.quiet();
        // An apply plans again, in a process of its own.
        assert_eq!(bed.requests(), ["GET list", "PUT blob reader"]);
        assert_eq!(bed.held(ALICE, &bed.account), [BLOB_READER]);
        let state = bed.state();
        assert_eq!(state["role_assignments"].as_object().map(serde_json::Map::len), Some(1));
        assert!(state["role_definition_id"].as_str().expect("an id").ends_with(BLOB_READER));
        bed.plan(&config).await.ok().assert_empty();
        assert_eq!(bed.requests(), ["GET assignment"]);
        bed.core.refresh().await.quiet();
        assert_eq!(bed.requests(), ["GET assignment"]);
        bed.core.destroy(TYPE, "a").await.quiet();
        assert_eq!(bed.requests(), ["GET assignment", "DELETE assignment"], "a refresh, and the removal");
    }
}

#[tokio::test]
async fn three_or_more_assignments_of_one_account_are_refreshed_by_one_list() {
    let mut bed = bed().await;
    let all: Vec<_> = (1..=4)
        .map(|n| {
            let principal = format!("cccccccc-0000-0000-0000-{n:012}");
            bed.emulator.add_principal(&principal, "User");
            resource(TYPE, &format!("r{n}"), bed.by_account(&principal, "Storage Blob Data Reader"))
        })
        .collect();
    bed.core.apply_all(all.clone()).await.quiet();
    bed.emulator.clear_requests();
    bed.core.plan_all(all).await.ok().assert_empty();
    assert_eq!(bed.requests(), ["GET list"]);
}

#[tokio::test]
async fn a_change_of_access_creates_assignments_before_it_deletes_others() {
    let mut bed = bed().await;
    let config = bed.by_hub(ALICE, "contributor");
    bed.apply(&config).await.quiet();
    bed.emulator.clear_requests();
    let config = bed.by_hub(ALICE, "reader");
    let report = bed.apply(&config).await.quiet();
    assert_eq!(report.action(), Action::Update);
    assert_eq!(bed.writes(), ["PUT blob reader", "PUT file reader", "DELETE assignment", "DELETE assignment"]);
    assert_eq!(bed.held(ALICE, &bed.account), [BLOB_READER, FILE_READER]);
    let state = bed.state();
    assert_eq!(state["id"], json!(format!("{}|{ALICE}|reader", bed.hub)));
    assert_eq!(state["role_assignments"].as_object().expect("a map").len(), 2);
    bed.plan(&config).await.ok().assert_empty();
}

/// Applies the writes of the emulator's log one after the other to what was held before, and gives what was held after
/// each.
fn replay(bed: &Bed, before: Vec<(String, String)>) -> Vec<BTreeSet<String>> {
    let mut held: BTreeMap<String, String> = before.into_iter().collect();
    let mut steps = Vec::new();
    for record in bed.emulator.arm_requests().iter().filter(|record| record.method != "GET") {
        let name = record.path.rsplit('/').next().expect("a name").to_owned();
        assert!(record.status.is_some_and(|status| status < 300), "{record:?}");
        match record.method.as_str() {
            "PUT" => {
                let role = record.body["properties"]["roleDefinitionId"].as_str().expect("a role");
                held.insert(name, role.rsplit('/').next().expect("a GUID").to_owned());
            }
            "DELETE" => assert!(held.remove(&name).is_some(), "{name} was not held"),
            other => panic!("{other} was not expected"),
        }
        steps.push(held.values().cloned().collect());
    }
    steps
}

#[tokio::test]
async fn a_change_between_contributor_and_reader_never_takes_the_right_to_read() {
    let reads = |held: &BTreeSet<String>, roles: [&str; 2]| roles.iter().any(|role| held.contains(*role));
    for (from, to, target) in [
        ("contributor", "reader", "hub_id"),
        ("reader", "contributor", "hub_id"),
        ("contributor", "reader", "storage_account_id"),
    ] {
        let mut bed = bed().await;
        let id = if target == "hub_id" { bed.hub.clone() } else { bed.account.clone() };
        let config = |access: &str| json!({ target: id, "principal_id": ALICE, "access": access });
        bed.apply(&config(from)).await.quiet();
        let before = bed.emulator.assignments().into_iter().filter(|found| found.principal_id == ALICE);
        let before: Vec<_> = before.map(|found| (found.name, found.role)).collect();
        bed.emulator.clear_requests();
        bed.apply(&config(to)).await.quiet();
        let steps = replay(&bed, before);
        assert_eq!(steps.len(), 4);
        for held in &steps {
            assert!(
                reads(held, [BLOB_CONTRIBUTOR, BLOB_READER]) && reads(held, [FILE_CONTRIBUTOR, FILE_READER]),
                "{steps:?}"
            );
        }
        assert_eq!(steps[3].iter().cloned().collect::<Vec<_>>(), bed.held(ALICE, &bed.account));
    }
}

#[tokio::test]
async fn a_change_to_roles_that_overlap_writes_nothing_for_the_common_ones() {
    let mut bed = bed().await;
    bed.apply(&bed.by_hub(ALICE, "contributor")).await.quiet();
    bed.emulator.clear_requests();
    let scenario = |name: &str| json!({ "hub_id": bed.hub, "principal_id": ALICE, "scenario": name });
    let (same, fewer) = (scenario("prompt_flow"), scenario("own_data"));
    assert_eq!(bed.apply(&same).await.quiet().action(), Action::Update);
    assert_eq!(bed.writes(), [""; 0]);
    bed.plan(&same).await.ok().assert_empty();
    bed.emulator.clear_requests();
    bed.apply(&fewer).await.quiet();
    assert_eq!(bed.writes(), ["DELETE assignment"]);
    assert_eq!(bed.held(ALICE, &bed.account), [BLOB_CONTRIBUTOR]);
    bed.plan(&fewer).await.ok().assert_empty();
}

#[tokio::test]
async fn a_change_of_target_creates_the_assignment_there_before_it_deletes_the_old_one() {
    let mut bed = bed().await;
    bed.apply(&bed.by_account(ALICE, "Storage Blob Data Reader")).await.quiet();
    let group = bed.account.split("/providers/").next().expect("a group").to_owned();
    bed.emulator.clear_requests();
    let config = json!({ "scope": group, "principal_id": ALICE, "role_definition_name": "Storage Blob Data Reader" });
    assert_eq!(bed.apply(&config).await.quiet().action(), Action::Update);
    assert_eq!(bed.writes(), ["PUT blob reader", "DELETE assignment"]);
    assert_eq!(bed.held(ALICE, &group), [BLOB_READER]);
    assert!(bed.held(ALICE, &bed.account).is_empty());
    assert_eq!(bed.state()["storage_account_id"], Value::Null);
    bed.plan(&config).await.ok().assert_empty();
}

#[tokio::test]
async fn a_change_of_principal_replaces() {
    let mut bed = bed().await;
    bed.apply(&bed.by_hub(ALICE, "reader")).await.quiet();
    let report = bed.apply(&bed.by_hub(BOB, "reader")).await.quiet();
    assert_eq!(report.action(), Action::Replace);
    assert!(bed.held(ALICE, &bed.account).is_empty());
    assert_eq!(bed.held(BOB, &bed.account), [BLOB_READER, FILE_READER]);
}

#[tokio::test]
async fn another_spelling_of_the_same_value_plans_nothing() {
    let mut bed = bed().await;
    bed.apply(&bed.by_hub(ALICE, "contributor")).await.quiet();
    let config = json!({
        "hub_id": format!("{}/", bed.hub.to_uppercase()),
        "storage_account_id": bed.account.to_uppercase(),
        "scope": bed.account.to_lowercase(),
        "principal_id": ALICE.to_uppercase(),
        "principal_type": "USER",
        "access": "Contributor",
    });
    bed.plan(&config).await.ok().assert_empty();
}

#[tokio::test]
async fn description_and_condition_are_updated_in_place() {
    let mut bed = bed().await;
    let mut config = bed.by_account(ALICE, "Storage Blob Data Reader");
    bed.apply(&config).await.quiet();
    bed.emulator.clear_requests();
    config["description"] = json!("for the audit");
    config["condition"] = json!("@Resource[x] StringEquals 'y'");
    assert_eq!(bed.apply(&config).await.quiet().action(), Action::Update);
    assert_eq!(bed.writes(), ["PUT blob reader"]);
    assert_eq!(bed.state()["condition_version"], "2.0");
    bed.plan(&config).await.ok().assert_empty();
    config.as_object_mut().expect("an object").retain(|name, _| !["description", "condition"].contains(&name.as_str()));
    bed.apply(&config).await.quiet();
    assert_eq!(bed.state()["description"], Value::Null);
    assert_eq!(bed.state()["condition_version"], Value::Null);
    bed.plan(&config).await.ok().assert_empty();
}

#[tokio::test]
async fn references_known_only_at_apply_are_applied_as_planned() {
    const AUTH: &str = "foundryhub_storage_auth";
    let late = |name: &str| format!("${{{AUTH}.hub.{name}}}");
    for (attribute, value) in [
        ("scope", late("storage_account_id")),
        ("storage_account_id", late("storage_account_id")),
        ("principal_id", late("hub_principal_id")),
        ("role_definition_id", format!("${{{TYPE}.b.role_definition_id}}")),
    ] {
        let mut bed = bed().await;
        let auth = resource(AUTH, "hub", json!({ "hub_id": bed.hub, "access_check": "off" }));
        let peeker = custom_role(&bed, "Blob peeker").await;
        let other = resource(TYPE, "b", bed.by_account(BOB, "Blob peeker"));
        let mut config = json!({ "principal_id": ALICE, "scope": bed.account, "access": "reader" });
        match attribute {
            "storage_account_id" => _ = config.as_object_mut().expect("an object").remove("scope"),
            "role_definition_id" => _ = config.as_object_mut().expect("an object").remove("access"),
            _ => {}
        }
        config[attribute] = json!(value);
        let all = vec![auth, other, resource(TYPE, "a", config)];
        let planned = bed.core.plan_all(all.clone()).await.ok();
        let change = planned.change_of(TYPE, "a");
        for unknown in [attribute, "id"] {
            assert_eq!(change.planned[unknown], UNKNOWN, "{attribute}: {unknown}");
        }
        let assignments = &change.planned["role_assignments"];
        match attribute {
            "role_definition_id" => assert_eq!(*assignments, UNKNOWN),
            _ => assert_eq!(assignments["Storage Blob Data Reader"]["id"], UNKNOWN, "{attribute}"),
        }
        bed.core.apply_saved(planned).await.ok();
        let held = bed.state()["principal_id"].as_str().expect("a principal").to_owned();
        let roles =
            if attribute == "role_definition_id" { &[peeker.as_str()][..] } else { &[BLOB_READER, FILE_READER] };
        let held = bed.held(&held, &bed.account);
        assert!(roles.iter().all(|role| held.iter().any(|held| held == role)), "{attribute}: {held:?}");
        bed.core.plan_all(all).await.ok().assert_empty();
    }
}

// Drift.

/// Changes the description of an assignment as somebody else does.
async fn describe(bed: &Bed, id: &str, role: &str, description: &str) {
    let mut body = grant(ALICE, role);
    body["properties"]["description"] = json!(description);
    assert_eq!(bed.put(&format!("{id}?api-version=2022-04-01"), body).await.status, 200);
}

#[tokio::test]
async fn a_description_changed_by_others_on_either_assignment_is_drift_and_is_written_again() {
    for changed in [0, 1] {
        let mut bed = bed().await;
        let mut config = bed.by_hub(ALICE, "reader");
        config["description"] = json!("ours");
        bed.apply(&config).await.quiet();
        let (_, id) = bed.recorded().remove(changed);
        describe(&bed, &id, [BLOB_READER, FILE_READER][changed], "theirs").await;
        bed.emulator.clear_requests();
        let planned = bed.plan(&config).await.ok();
        assert_eq!((planned.action(), &planned.change().before["description"]), (Action::Update, &json!("theirs")));
        bed.core.apply_saved(planned).await.quiet();
        assert_eq!(bed.writes(), ["PUT blob reader", "PUT file reader"]);
        bed.plan(&config).await.ok().assert_empty();
    }
}

#[tokio::test]
async fn a_description_update_that_fails_at_the_second_assignment_is_completed_by_the_next_apply() {
    for (goes_on, refreshes) in [(true, true), (true, false), (false, true)] {
        let mut bed = bed().await;
        let with = |description: &str| json!({ "hub_id": bed.hub, "principal_id": ALICE, "access": "reader", "description": description });
        let (old, new) = (with("old"), with("new"));
        bed.apply(&old).await.quiet();
        let rule = bed.emulator.fault(Rule::on("PUT", "*/roleAssignments/*", Fault::Denied).after(1));
        bed.apply(&new).await.failed();
        bed.emulator.release(rule);
        bed.emulator.clear_requests();
        bed.core.refresh_in_plans(refreshes);
        let config = if goes_on { new } else { old };
        assert_eq!(bed.apply(&config).await.quiet().action(), Action::Update, "{goes_on} {refreshes}");
        assert_eq!(bed.writes(), ["PUT blob reader", "PUT file reader"]);
        bed.core.refresh_in_plans(true);
        bed.plan(&config).await.ok().assert_empty();
    }
}

#[tokio::test]
async fn an_assignment_deleted_by_others_is_drift_that_names_the_role_and_is_created_again() {
    let mut bed = bed().await;
    let config = bed.by_hub(ALICE, "contributor");
    bed.apply(&config).await.quiet();
    let (_, id) = bed.recorded().remove(0);
    bed.delete_assignment(&id);
    bed.emulator.clear_requests();
    let planned = bed.plan(&config).await.ok();
    assert_eq!(planned.action(), Action::Update);
    assert!(planned.warning("was deleted outside").detail.contains("Storage Blob Data Contributor"));
    bed.core.apply_saved(planned).await.ok();
    assert_eq!(bed.writes(), ["PUT blob contributor"]);
    bed.plan(&config).await.ok().assert_empty();
}

#[tokio::test]
async fn an_object_whose_assignments_were_all_deleted_is_planned_as_a_create() {
    let mut bed = bed().await;
    let config = bed.by_hub(ALICE, "reader");
    bed.apply(&config).await.quiet();
    for (_, id) in bed.recorded() {
        bed.delete_assignment(&id);
    }
    assert_eq!(bed.plan(&config).await.ok().action(), Action::Create);
}

#[tokio::test]
async fn an_object_is_refreshed_and_destroyed_when_hub_and_account_were_deleted() {
    let mut bed = bed().await;
    bed.apply(&bed.by_hub(ALICE, "reader")).await.quiet();
    bed.emulator.remove(&bed.hub);
    bed.plan(&bed.by_hub(ALICE, "reader")).await.ok().assert_empty();
    bed.emulator.remove(&bed.account);
    bed.core.destroy(TYPE, "a").await.ok();
    assert_eq!(bed.state(), Value::Null);
}

#[tokio::test]
async fn an_assignment_that_azure_does_not_show_yet_is_not_taken_for_deleted() {
    let mut bed = bed_with(|options| {
        options.assignment_read_delay = std::time::Duration::from_secs(60);
        options.stop_clock = true;
    })
    .await;
    let mut config = bed.by_account(ALICE, "Storage Blob Data Reader");
    bed.apply(&config).await.quiet();
    let planned = bed.plan(&config).await.ok();
    planned.warning("Azure does not show the assignment");
    planned.assert_empty();
    bed.emulator.advance(std::time::Duration::from_secs(120));
    config["description"] = json!("new");
    bed.apply(&config).await.quiet();
    bed.plan(&config).await.ok().assert_empty();
    bed.emulator.advance(std::time::Duration::from_secs(120));
    bed.plan(&config).await.ok().assert_empty();
}

#[tokio::test]
async fn an_assignment_that_is_missing_five_minutes_after_its_creation_is_taken_for_deleted() {
    let mut bed = bed_with(|options| options.stop_clock = true).await;
    let config = bed.by_account(ALICE, "Storage Blob Data Reader");
    bed.apply(&config).await.quiet();
    let (_, id) = bed.recorded().remove(0);
    assert!(bed.emulator.remove_assignment(name_of(&id)));
    bed.emulator.advance(std::time::Duration::from_secs(299));
    bed.plan(&config).await.ok().assert_empty();
    bed.emulator.advance(std::time::Duration::from_secs(2));
    assert_eq!(bed.plan(&config).await.ok().action(), Action::Create);
}
