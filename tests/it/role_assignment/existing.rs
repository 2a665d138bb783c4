//! Assignments that exist already: made by others, by another resource of the run, or in another state.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{ALICE, BLOB_READER, FILE_READER, TYPE, bed, bed_with};
use crate::azure::{Action as Fault, ExistsId, Rule};
use crate::support::core::{Action, resource};

// An assignment that others have made.

#[tokio::test]
async fn an_existing_assignment_is_an_error_at_plan_with_its_id_and_the_import_block() {
    let mut bed = bed().await;
    let name = bed.emulator.seed_assignment(&bed.account, ALICE, "Storage Blob Data Reader");
    let plan = bed.plan(&bed.by_hub(ALICE, "reader")).await;
    let error = plan.error("The role is already assigned");
    for text in [name.as_str(), "import {", &format!("id = \"{}|{ALICE}|reader\"", bed.hub), "on_existing = \"adopt\""]
    {
        assert!(error.detail.contains(text), "{text}: {}", error.detail);
    }
    assert_eq!(bed.writes(), [""; 0]);
}

#[tokio::test]
async fn an_assignment_made_by_others_between_plan_and_apply_is_an_error_with_its_id() {
    for exists_id in [ExistsId::Hex, ExistsId::None] {
        let mut bed = bed_with(|options| options.exists_id = exists_id).await;
        let planned = bed.plan(&bed.by_account(ALICE, "Storage Blob Data Reader")).await.ok();
        let list = bed.emulator.fault(Rule::on("GET", "*/roleAssignments", Fault::Denied).times(1));
        let name = bed.emulator.seed_assignment(&bed.account, ALICE, "Storage Blob Data Reader");
        let report = bed.core.apply_saved(planned).await.failed();
        bed.emulator.release(list);
        let error = report.error("The role is already assigned");
        assert!(error.detail.contains(&name) && error.detail.contains("RoleAssignmentExists"), "{}", error.detail);
        assert_eq!(bed.state(), Value::Null);
    }
}

#[tokio::test]
async fn an_existing_assignment_that_may_not_be_read_is_an_error_and_is_not_adopted() {
    for (exists_id, adopts) in
        [(ExistsId::Hex, false), (ExistsId::None, false), (ExistsId::Hex, true), (ExistsId::None, true)]
    {
        let mut bed = bed_with(|options| options.exists_id = exists_id).await;
        bed.emulator.seed_assignment(&bed.account, ALICE, "Storage Blob Data Reader");
        bed.emulator.fault(Rule::on("GET", "*/roleAssignments*", Fault::Denied));
        let mut config = bed.by_account(ALICE, "Storage Blob Data Reader");
        config["on_existing"] = json!(if adopts { "adopt" } else { "fail" });
        let report = bed.apply(&config).await.failed();
        let (summary, text) = match adopts {
            true => ("Cannot adopt a role assignment", "neither names nor lists it"),
            false => ("The role is already assigned", "by an assignment that the caller cannot read"),
        };
        let error = report.error(summary);
        assert!(error.detail.contains(text) && error.detail.contains("RoleAssignmentExists"), "{error}");
        assert_eq!((bed.state(), bed.writes()), (Value::Null, vec!["PUT blob reader".to_owned()]));
    }
}

#[tokio::test]
async fn an_adopted_assignment_is_never_changed_or_deleted() {
    for exists_id in [ExistsId::Hex, ExistsId::None] {
        let mut bed = bed_with(|options| options.exists_id = exists_id).await;
        let name = bed.emulator.seed_assignment(&bed.account, ALICE, "Storage Blob Data Reader");
        let mut config = bed.by_hub(ALICE, "reader");
        config["on_existing"] = json!("adopt");
        bed.apply(&config).await.quiet();
        let blob = &bed.state()["role_assignments"]["Storage Blob Data Reader"];
        assert!(blob["id"].as_str().is_some_and(|id| id.ends_with(&name)), "{blob}");
        assert_eq!(blob["adopted"], true);
        assert_eq!(bed.state()["role_assignments"]["Storage File Data Privileged Reader"]["adopted"], false);
        bed.plan(&config).await.ok().assert_empty();

        config["description"] = json!("mine");
        bed.emulator.clear_requests();
        bed.apply(&config).await.quiet();
        assert_eq!(bed.writes(), ["PUT file reader"]);
        bed.plan(&config).await.ok().assert_empty();
        bed.emulator.clear_requests();
        bed.core.destroy(TYPE, "a").await.quiet();
        assert_eq!(bed.writes(), ["DELETE assignment"]);
        assert_eq!(bed.held(ALICE, &bed.account), [BLOB_READER]);
    }
}

#[tokio::test]
async fn an_existing_assignment_with_another_condition_is_not_adopted() {
    let mut bed = bed().await;
    bed.emulator.seed_assignment(&bed.account, ALICE, "Storage Blob Data Reader");
    let mut config = bed.by_account(ALICE, "Storage Blob Data Reader");
    config["on_existing"] = json!("adopt");
    config["condition"] = json!("c");
    let plan = bed.plan(&config).await;
    assert_eq!(plan.error("under another condition").path, "condition");
}

#[tokio::test]
async fn an_existing_assignment_with_the_derived_name_is_a_warning_and_is_continued() {
    let mut bed = bed().await;
    let config = bed.by_hub(ALICE, "reader");
    bed.apply(&config).await.quiet();
    bed.core.forget(TYPE, "a");
    bed.emulator.clear_requests();
    let planned = bed.plan(&config).await.ok();
    let warning = planned.warning("role assignments are taken over");
    let created_by = "which was created by 44444444-4444-4444-4444-444444444444 on 20";
    for text in ["interrupted run", "destroying it will delete them", "destroy = false", created_by] {
        assert!(warning.detail.contains(text), "{text}: {warning}");
    }
    bed.core.apply_saved(planned).await.ok();
    assert_eq!(bed.writes(), ["PUT blob reader", "PUT file reader"]);
    assert_eq!(bed.held(ALICE, &bed.account).len(), 2);
}

#[tokio::test]
async fn a_list_that_may_not_be_read_does_not_fail_a_plan() {
    let mut bed = bed().await;
    bed.emulator.fault(Rule::on("GET", "*/roleAssignments", Fault::Denied));
    bed.apply(&bed.by_hub(ALICE, "reader")).await.quiet();
}

// Several resources in one run.

#[tokio::test]
async fn a_rename_without_a_moved_block_keeps_the_roles_in_any_order() {
    for (planned_first, last) in [(false, true), (false, false), (true, true), (true, false)] {
        let mut bed = bed().await;
        let config = bed.by_hub(ALICE, "reader");
        bed.core.apply_all(vec![resource(TYPE, "old", config.clone())]).await.quiet();
        bed.core.plan_deletes_first(planned_first);
        bed.core.apply_deletes_last(last);
        bed.emulator.clear_requests();
        let planned = bed.core.plan_all(vec![resource(TYPE, "new", config.clone())]).await.ok();
        let summary =
            if planned_first { "Access may be interrupted" } else { "A role assignment moves to another resource" };
        let warning = planned.warning(summary);
        assert!(warning.detail.contains("moved {"), "{warning}");
        // A create that is planned first does not know yet of the destroy, and finds the assignments in Azure.
        let others = planned.diagnostics.0.iter().filter(|found| found.summary != summary).count();
        assert_eq!(others, usize::from(!planned_first), "{}", planned.diagnostics);
        bed.core.apply_saved(planned).await.ok();
        let deletes = bed.writes().iter().filter(|write| write.starts_with("DELETE")).count();
        // Only a destroy that is planned and applied first deletes the assignments, and the create makes them again.
        assert_eq!(deletes, if planned_first && !last { 2 } else { 0 }, "{planned_first} {last}");
        assert_eq!(bed.held(ALICE, &bed.account), [BLOB_READER, FILE_READER]);
        bed.core.plan_all(vec![resource(TYPE, "new", config)]).await.ok().assert_empty();
    }
}

#[tokio::test]
async fn create_before_destroy_deletes_nothing_that_the_new_object_has_written() {
    let mut bed = bed().await;
    let config = bed.by_account(ALICE, "Storage Blob Data Reader");
    bed.apply(&config).await.quiet();
    bed.core.taint(TYPE, "a");
    bed.emulator.clear_requests();
    bed.core.apply_one(resource(TYPE, "a", config.clone()).create_before_destroy()).await.quiet();
    assert_eq!(bed.writes(), ["PUT blob reader"]);
    assert_eq!(bed.held(ALICE, &bed.account), [BLOB_READER]);
    bed.plan(&config).await.ok().assert_empty();
}

#[tokio::test]
async fn a_replacement_for_the_same_assignment_never_deletes_it() {
    let mut bed = bed().await;
    let mut config = bed.by_account(ALICE, "Storage Blob Data Reader");
    bed.apply(&config).await.quiet();
    config["delegated_managed_identity_resource_id"] = json!("/subscriptions/s/resourceGroups/r/providers/p/t/n");
    bed.emulator.clear_requests();
    let planned = bed.plan(&config).await.ok();
    assert_eq!(planned.action(), Action::Replace);
    assert!(planned.diagnostics.0.is_empty(), "{}", planned.diagnostics);
    bed.core.apply_saved(planned).await.quiet();
    assert_eq!(bed.writes(), ["PUT blob reader"]);
}

#[tokio::test]
async fn a_hundred_principals_whose_count_indexes_shift_keep_their_roles() {
    let mut bed = bed().await;
    let principal = |n: usize| format!("cccccccc-0000-0000-0000-{n:012}");
    let resources = |bed: &super::Bed, principals: &[String]| -> Vec<_> {
        let config = |principal: &String| bed.by_account(principal, "Storage Blob Data Reader");
        principals.iter().enumerate().map(|(n, id)| resource(TYPE, &format!("r{n:03}"), config(id))).collect()
    };
    let mut principals: Vec<_> = (0..101).map(principal).collect();
    principals.iter().for_each(|id| bed.emulator.add_principal(id, "User"));
    let all = resources(&bed, &principals);
    bed.core.apply_all(all).await.quiet();
    assert_eq!(bed.writes(), ["PUT blob reader"; 101]);
    // The first principal is removed, so that every other one gets the index before.
    principals.remove(0);
    let all = resources(&bed, &principals);
    let planned = bed.core.plan_all(all.clone()).await.ok();
    let said = |summary: &str| planned.diagnostics.0.iter().filter(|found| found.summary == summary).count();
    let (handed, interrupted) =
        (said("A role assignment moves to another resource"), said("Access may be interrupted"));
    // Each object has assignments in common with the one before and the one after it. The one planned later warns,
    // once.
    assert!((50..=101).contains(&(handed + interrupted)), "{handed} {interrupted} {}", planned.diagnostics);
    let rest = said("Existing role assignments are taken over");
    assert_eq!(planned.diagnostics.0.len(), handed + interrupted + rest, "{}", planned.diagnostics);
    for found in planned.diagnostics.0.iter().filter(|found| !found.summary.starts_with("Existing")) {
        assert!(found.detail.contains("for_each with the principals as keys"), "{found}");
    }
    bed.core.apply_saved(planned).await.ok();
    let writes = bed.writes();
    let count = |verb: &str| writes.iter().filter(|write| write.starts_with(verb)).count();
    assert_eq!((count("PUT"), writes.len()), (100, 100 + count("DELETE")));
    // Only the assignment of the removed principal and those with a warning may be deleted.
    assert!((1..=1 + 2 * interrupted).contains(&count("DELETE")), "{} {interrupted}", count("DELETE"));
    let held: BTreeSet<_> = bed
        .emulator
        .assignments()
        .into_iter()
        .filter(|found| found.role == BLOB_READER)
        .map(|found| found.principal_id)
        .collect();
    assert_eq!(held, principals.iter().cloned().collect());
    bed.emulator.clear_requests();
    bed.core.plan_all(all).await.ok().assert_empty();
    assert_eq!(bed.requests(), ["GET list"]);
}
