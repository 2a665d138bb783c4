//! What a plan shows of the assignments, and its warnings and errors, one for each object.

use serde_json::{Value, json};

use super::{ALICE, BLOB_READER, BOB, Bed, FILE_READER, TYPE, bed};
use crate::azure::{Action as Fault, Rule};
use crate::support::core::{Action, UNKNOWN, resource};
use crate::support::ids::{BLOB_READER_NAME, FILE_READER_NAME};

#[tokio::test]
async fn a_deleted_assignment_is_shown_as_added_and_the_other_one_as_unchanged() {
    for target in ["hub_id", "storage_account_id", "scope"] {
        for lost in [BLOB_READER_NAME, FILE_READER_NAME] {
            let mut bed = bed().await;
            let id = if target == "hub_id" { bed.hub.clone() } else { bed.account.clone() };
            let config = json!({ target: id, "principal_id": ALICE, "access": "reader" });
            bed.apply(&config).await.quiet();
            let before = bed.state()["role_assignments"].clone();
            bed.delete_assignment(before[lost]["id"].as_str().expect("an id"));
            let planned = bed.plan(&config).await.ok();
            let change = planned.change();
            let mut without = before.clone();
            without.as_object_mut().expect("a map").remove(lost);
            assert_eq!(change.before["role_assignments"], without);
            // The name follows from the configuration, so that the entry is planned as it was.
            assert_eq!(change.planned["role_assignments"], before, "{target} {lost}");
            let mut shown = change.planned.clone();
            shown["role_assignments"] = without;
            assert_eq!(shown, change.before, "nothing else is shown to change");
            bed.core.apply_saved(planned).await.ok();
            assert_eq!(bed.state()["role_assignments"], before);
            bed.plan(&config).await.ok().assert_empty();
        }
    }
}

#[tokio::test]
async fn an_update_of_description_or_condition_shows_only_that() {
    for (attribute, roles) in [("description", 2), ("description", 1), ("condition", 1)] {
        let mut bed = bed().await;
        let mut config = if roles == 2 { bed.by_hub(ALICE, "reader") } else { bed.by_account(ALICE, BLOB_READER_NAME) };
        bed.apply(&config).await.quiet();
        config[attribute] = json!("@Resource[x] StringEquals 'y'");
        let planned = bed.plan(&config).await.ok();
        let (before, shown) = (&planned.change().before, &planned.change().planned);
        let differ = shown.as_object().expect("an object").iter().filter(|(name, value)| before[*name] != **value);
        let differ: Vec<_> = differ.map(|(name, _)| name.as_str()).collect();
        let expected = if attribute == "condition" { vec!["condition", "condition_version"] } else { vec![attribute] };
        assert_eq!((planned.action(), differ), (Action::Update, expected));
        bed.core.apply_saved(planned).await.quiet();
        bed.plan(&config).await.ok().assert_empty();
    }
}

#[tokio::test]
async fn an_update_of_the_roles_shows_the_new_assignments_and_keeps_the_common_ones() {
    let mut bed = bed().await;
    let account = bed.account.clone();
    let with =
        |choice: &str, value: &str| json!({ "storage_account_id": account, "principal_id": ALICE, choice: value });
    bed.apply(&with("access", "contributor")).await.quiet();
    let before = bed.state()["role_assignments"].clone();
    let planned = bed.plan(&with("scenario", "own_data")).await.ok();
    let blob = "Storage Blob Data Contributor";
    assert_eq!(planned.change().planned["role_assignments"], json!({ blob: before[blob] }));
    let planned = bed.plan(&with("access", "reader")).await.ok();
    let shown = planned.change().planned["role_assignments"].clone();
    assert_eq!(shown.as_object().expect("a map").keys().collect::<Vec<_>>(), [BLOB_READER_NAME, FILE_READER_NAME]);
    bed.core.apply_saved(planned).await.quiet();
    assert_eq!(bed.state()["role_assignments"], shown);
}

#[tokio::test]
async fn the_plan_of_a_create_shows_assignment_ids_where_scope_and_names_are_known() {
    let mut bed = bed().await;
    let group = bed.group.clone();
    let role = |guid: &str| format!("{}/providers/Microsoft.Authorization/roleDefinitions/{guid}", bed.subscription);
    let (hub, account, roles) = (
        bed.hub.clone(),
        bed.account.clone(),
        [(BLOB_READER_NAME, role(BLOB_READER)), (FILE_READER_NAME, role(FILE_READER))],
    );
    for (target, id, on_existing, ids, adopted) in [
        ("storage_account_id", &account, "fail", true, json!(false)),
        ("scope", &account, "", true, json!(false)),
        ("scope", &group, "FAIL", true, json!(false)),
        ("hub_id", &hub, "fail", false, json!(false)),
        ("storage_account_id", &account, "adopt", false, json!(UNKNOWN)),
        ("hub_id", &hub, "adopt", false, json!(UNKNOWN)),
    ] {
        let config = json!({ target: id, "principal_id": ALICE, "access": "reader", "on_existing": on_existing });
        let planned = bed.plan(&config).await.ok();
        let shown = planned.change().planned["role_assignments"].clone();
        assert_eq!(shown.as_object().map(serde_json::Map::len), Some(2), "{config}");
        for (name, role) in &roles {
            let entry = &shown[*name];
            assert_eq!((&entry["role_definition_id"], &entry["adopted"]), (&json!(role), &adopted), "{config}");
            assert_eq!(entry["id"] != UNKNOWN, ids, "{config}: {entry}");
        }
        bed.core.apply_saved(planned).await.quiet();
        if ids {
            assert_eq!(bed.state()["role_assignments"], shown, "{config}");
        }
        bed.plan(&config).await.ok().assert_empty();
        bed.core.destroy(TYPE, "a").await.quiet();
    }
}

#[tokio::test]
async fn a_role_id_at_a_management_group_is_planned_without_a_subscription() {
    let mut bed = bed().await;
    let scope = "/providers/Microsoft.Management/managementGroups/mg1";
    let config = json!({ "scope": scope, "principal_id": ALICE, "role_definition_name": "Reader" });
    let planned = bed.plan(&config).await.ok();
    let role = &planned.change().planned["role_assignments"]["Reader"]["role_definition_id"];
    assert_eq!(role, "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7");
    bed.core.apply_saved(planned).await.quiet();
    bed.plan(&config).await.ok().assert_empty();
}

// Warnings and errors.

#[tokio::test]
async fn a_refresh_warns_of_deleted_assignments_without_saying_what_an_apply_will_do() {
    let mut bed = bed().await;
    bed.apply(&bed.by_hub(ALICE, "reader")).await.quiet();
    let recorded = bed.recorded();
    for (_, id) in &recorded {
        bed.delete_assignment(id);
        let report = bed.core.refresh().await.ok();
        let warning = report.warning("A role assignment was deleted");
        assert_eq!(report.diagnostics.0.len(), 1, "{}", report.diagnostics);
        assert!(warning.detail.contains("was deleted outside of Terraform"), "{warning}");
        for promise in ["pply", "grants", "again", "destroy", "plan"] {
            assert!(!warning.detail.contains(promise), "{promise}: {warning}");
        }
    }
    assert_eq!(bed.state(), Value::Null);
}

#[tokio::test]
async fn a_rename_of_several_resources_gives_one_warning_for_each_with_principal_role_and_scope() {
    let mut bed = bed().await;
    let principals: Vec<_> = (1..=7).map(|n| format!("cccccccc-0000-0000-0000-{n:012}")).collect();
    principals.iter().for_each(|principal| bed.emulator.add_principal(principal, "User"));
    let named = |prefix: &str, bed: &Bed| -> Vec<_> {
        let one = |(n, principal): (usize, &String)| {
            resource(TYPE, &format!("{prefix}{n}"), bed.by_hub(principal, "contributor"))
        };
        principals.iter().enumerate().map(one).collect()
    };
    let old = named("old", &bed);
    bed.core.apply_all(old).await.quiet();
    bed.core.plan_deletes_first(true);
    for (prefix, last) in [("new", true), ("newer", false)] {
        bed.core.apply_deletes_last(last);
        bed.emulator.clear_requests();
        let new = named(prefix, &bed);
        let planned = bed.core.plan_all(new).await.ok();
        assert_eq!(planned.diagnostics.0.len(), 7, "{}", planned.diagnostics);
        for principal in &principals {
            let warning = planned.warning(principal);
            for text in [principal.as_str(), "contributor", bed.hub.as_str(), "moved {"] {
                assert!(warning.detail.contains(text), "{text}: {warning}");
            }
        }
        let before = planned.diagnostics.0.len();
        let report = bed.core.apply_saved(planned).await.ok();
        // Where the creates were applied first, each destroy warns once, for both roles.
        let warnings = &report.diagnostics.0[before..];
        assert_eq!(warnings.len(), if last { 7 } else { 0 }, "{}", report.diagnostics);
        for warning in warnings {
            let principals = principals.iter().filter(|principal| warning.detail.contains(principal.as_str()));
            assert_eq!(principals.count(), 1, "{warning}");
            for text in ["Storage Blob Data Contributor", "Storage File Data Privileged Contributor", &bed.account] {
                assert!(warning.detail.contains(text), "{text}: {warning}");
            }
        }
        for principal in &principals {
            assert_eq!(bed.held(principal, &bed.account).len(), 2);
        }
    }
}

#[tokio::test]
async fn an_error_of_a_destroy_names_principal_role_and_scope() {
    let mut bed = bed().await;
    let all = vec![
        resource(TYPE, "a", bed.by_hub(ALICE, "reader")),
        resource(TYPE, "b", bed.by_account(BOB, BLOB_READER_NAME)),
    ];
    bed.core.apply_all(all).await.quiet();
    for rule in [
        Rule::on("DELETE", "*/roleAssignments/*", Fault::Denied),
        Rule::on("DELETE", "*/roleAssignments/*", Fault::Status(409)).code("ScopeLocked"),
        Rule::on("DELETE", "*/roleAssignments/*", Fault::Status(400)).code("SomethingElse"),
    ] {
        let rule = bed.emulator.fault(rule);
        let report = bed.core.destroy_all().await.failed();
        bed.emulator.release(rule);
        for (principal, role) in [(ALICE, BLOB_READER_NAME), (ALICE, FILE_READER_NAME), (BOB, BLOB_READER_NAME)] {
            let says = |text: &str| report.diagnostics.0.iter().filter(|found| found.detail.contains(text)).count();
            let error =
                report.diagnostics.0.iter().find(|found| {
                    [principal, role, bed.account.as_str()].iter().all(|text| found.detail.contains(text))
                });
            assert!(error.is_some_and(|error| error.is_error), "{principal} {role}: {}", report.diagnostics);
            assert_eq!(says(principal), if principal == ALICE { 2 } else { 1 });
        }
    }
}
