//! Assignments whose names others have reused for another assignment, and states that others have edited.

use serde_json::{Value, json};

use super::{ALICE, BLOB_READER, BOB, Bed, FILE_READER, TYPE, bed, name_of};
use crate::azure::{Action as Fault, Rule};
use crate::support::core::resource;

/// The principal, the role and the scope of the assignment with this name.
fn assignment_named(bed: &Bed, name: &str) -> Option<(String, String, String)> {
    let found = bed.emulator.assignments().into_iter().find(|found| found.name == name)?;
    Some((found.principal_id, found.role, found.scope))
}

/// Deletes an assignment and gives its name to another one.
fn reuse_name(bed: &Bed, id: &str, principal: &str, role: &str, scope: &str) -> (String, String, String) {
    bed.delete_assignment(id);
    let name = name_of(id);
    bed.emulator.seed(&format!(
        "role_assignments: [{{ scope: {scope:?}, principal: {principal}, role: {role:?}, name: {name} }}]"
    ));
    assignment_named(bed, name).expect("the other one")
}

#[tokio::test]
async fn an_assignment_is_gone_only_by_a_code_that_means_it() {
    let mut bed = bed().await;
    let config = bed.by_account(ALICE, "Storage Blob Data Reader");
    bed.apply(&config).await.quiet();
    for code in ["TenantNotFound", "EndpointNotFound", "NotFound", ""] {
        bed.emulator.fault(Rule::on("*", "*/roleAssignments/*", Fault::Status(404)).code(code));
        bed.apply(&config).await.failed();
        bed.destroy().await.failed();
        assert_eq!(bed.recorded().len(), 1, "{code}");
        bed.emulator.clear_faults();
    }
    bed.plan(&config).await.ok().assert_empty();
}

#[tokio::test]
async fn an_assignment_whose_name_somebody_has_reused_counts_as_deleted_and_the_other_one_is_kept() {
    for (principal, role, at_group) in
        [(BOB, "Storage Blob Data Reader", false), (ALICE, "Reader", false), (ALICE, "Storage Blob Data Reader", true)]
    {
        for refreshes in [true, false] {
            let mut bed = bed().await;
            let config = bed.by_hub(ALICE, "reader");
            bed.apply(&config).await.quiet();
            let id = bed.recorded()[0].1.clone();
            let scope = if at_group { bed.group.clone() } else { bed.account.clone() };
            let theirs = reuse_name(&bed, &id, principal, role, &scope);
            if refreshes {
                let planned = bed.plan(&config).await.ok();
                let warning = planned.warning("A role assignment was deleted");
                for text in [ALICE, "Storage Blob Data Reader", bed.account.as_str(), &id] {
                    assert!(warning.detail.contains(text), "{text}: {warning}");
                }
                let entries = planned.change().before["role_assignments"].clone();
                assert_eq!(entries.as_object().map(serde_json::Map::len), Some(1), "{entries}");
            }
            bed.emulator.clear_requests();
            bed.core.refresh_in_plans(refreshes);
            let report = bed.core.apply_all(Vec::new()).await.ok();
            assert_eq!(bed.state(), Value::Null);
            assert_eq!(assignment_named(&bed, name_of(&id)), Some(theirs), "{principal} {role} {refreshes}");
            if refreshes || at_group {
                assert!(!bed.emulator.arm_requests().iter().any(|sent| sent.method == "PUT"));
            } else {
                report.warning("Another role assignment was deleted and recreated");
            }
            assert!(!bed.held(ALICE, &bed.account).iter().any(|role| role == FILE_READER));
        }
    }
}

#[tokio::test]
async fn an_apply_that_needs_a_name_that_somebody_has_reused_is_an_error_and_writes_nothing() {
    let mut bed = bed().await;
    let mut config = bed.by_account(ALICE, "Storage Blob Data Reader");
    bed.apply(&config).await.quiet();
    let id = bed.recorded()[0].1.clone();
    let account = bed.account.clone();
    let theirs = reuse_name(&bed, &id, BOB, "Storage Blob Data Reader", &account);
    // With a refresh the apply is a create, and without one an update.
    config["description"] = json!("mine");
    for refreshes in [false, true] {
        bed.core.refresh_in_plans(refreshes);
        let report = bed.apply(&config).await.failed();
        assert!(report.error("The name of the assignment is taken").detail.contains(&id), "{}", report.diagnostics);
        assert_eq!(assignment_named(&bed, name_of(&id)), Some(theirs.clone()), "{refreshes}");
    }
    assert_eq!(bed.state(), Value::Null);
}

#[tokio::test]
async fn an_adopted_assignment_whose_name_somebody_has_reused_counts_as_deleted() {
    let mut bed = bed().await;
    let seeded = bed.emulator.seed_assignment(&bed.account, ALICE, "Storage Blob Data Reader");
    let mut config = bed.by_account(ALICE, "Storage Blob Data Reader");
    config["on_existing"] = json!("adopt");
    bed.apply(&config).await.quiet();
    let id = bed.recorded()[0].1.clone();
    assert_eq!(name_of(&id), seeded);
    let account = bed.account.clone();
    let theirs = reuse_name(&bed, &id, BOB, "Storage Blob Data Reader", &account);
    bed.core.refresh().await.ok().warning("A role assignment was deleted");
    assert_eq!((bed.state(), assignment_named(&bed, &seeded)), (Value::Null, Some(theirs)));
}

/// Azure names an assignment in its refusal, which need not be the one that was refused.
#[tokio::test]
async fn the_assignment_named_in_a_refusal_is_adopted_only_if_principal_role_and_scope_match() {
    for (adopts, exists) in [(true, true), (true, false), (false, true), (false, false)] {
        let mut bed = bed().await;
        let wrong = bed.emulator.seed_assignment(&bed.account, BOB, "Storage Blob Data Reader");
        let mut config = bed.by_account(ALICE, "Storage Blob Data Reader");
        config["on_existing"] = json!(if adopts { "adopt" } else { "fail" });
        let planned = bed.plan(&config).await.ok();
        let hidden = bed.emulator.fault(Rule::on("GET", "*/roleAssignments", Fault::Denied).times(1));
        let right = exists.then(|| bed.emulator.seed_assignment(&bed.account, ALICE, "Storage Blob Data Reader"));
        let message = format!(
            "The role assignment already exists. The ID of the existing role assignment is {}.",
            wrong.replace('-', "")
        );
        let refusal =
            Rule::on("PUT", "*/roleAssignments/*", Fault::Status(409)).code("RoleAssignmentExists").message(&message);
        bed.emulator.fault(refusal);
        let report = bed.core.apply_saved(planned).await;
        bed.emulator.release(hidden);
        match (adopts, right) {
            (true, Some(right)) => {
                report.quiet();
                assert_eq!(bed.recorded(), [("Storage Blob Data Reader".to_owned(), bed.assignment_id(&right))]);
            }
            (true, None) => {
                report.failed().error("Cannot adopt a role assignment");
                assert_eq!(bed.state(), Value::Null);
            }
            (false, right) => {
                let report = report.failed();
                let error = report.error("The role is already assigned");
                let (ours, _azures) = error.detail.split_once("RoleAssignmentExists").unwrap_or((&error.detail, ""));
                assert!(!ours.contains(&wrong), "{error}");
                assert_eq!(right.is_some_and(|right| ours.contains(&right)), exists, "{error}");
            }
        }
    }
}

// Edited states.

impl Bed {
    fn assignment_id(&self, name: &str) -> String {
        format!("{}/providers/Microsoft.Authorization/roleAssignments/{name}", self.account)
    }

    /// Changes the state of `a` as an editor does.
    fn edit(&mut self, change: impl FnOnce(&mut Value)) {
        let stored = self.core.stored(TYPE, "a");
        let mut json = stored.json.clone();
        change(&mut json);
        let stored = crate::support::core::Stored { text: json.to_string(), json, ..stored.clone() };
        self.core.store(TYPE, "a", stored);
    }
}

#[tokio::test]
async fn a_damaged_entry_of_the_state_is_an_error_that_names_it_in_every_operation() {
    type Junk = fn(&Bed) -> Value;
    let account = |bed: &Bed| bed.account.clone();
    let cases: [(&str, Junk); 8] = [
        ("id", |_| json!("junk")),
        ("id", |_| json!("")),
        ("id", |_| Value::Null),
        ("id", |bed| json!(format!("{}/providers/Microsoft.Authorization/roleDefinitions/{BLOB_READER}", bed.account))),
        ("role_definition_id", |_| json!("junk")),
        ("role_definition_id", |_| Value::Null),
        ("role_definition_id", |bed| json!(bed.account)),
        ("role_definition_id", |bed| json!(format!("{}/{BLOB_READER}", bed.subscription))),
    ];
    for (attribute, value) in cases {
        let mut bed = bed().await;
        let config = bed.by_hub(ALICE, "reader");
        bed.apply(&config).await.quiet();
        let value = value(&bed);
        bed.edit(|json| json["role_assignments"]["Storage Blob Data Reader"][attribute] = value.clone());
        let stored = bed.state();
        bed.emulator.clear_requests();
        let named = format!("role_assignments[\"Storage Blob Data Reader\"].{attribute}");
        let mut described = config.clone();
        described["description"] = json!("new");
        for (what, refreshes, change) in [
            ("refresh", true, None),
            ("plan", true, Some(config.clone())),
            ("plan without a look", false, Some(config.clone())),
            ("update", false, Some(described.clone())),
            ("update with a look", true, Some(described)),
            ("destroy", true, Some(Value::Null)),
            ("destroy without a look", false, Some(Value::Null)),
        ] {
            bed.core.refresh_in_plans(refreshes);
            let report = match change {
                None => bed.core.refresh().await,
                Some(Value::Null) => bed.core.apply_all(Vec::new()).await,
                Some(config) => bed.apply(&config).await,
            };
            let error = report.error("The state cannot be read");
            assert!(error.detail.contains(&named), "{what} of {attribute}: {error}");
            assert_eq!(bed.state(), stored, "{what} of {attribute} {value}");
            assert_eq!(bed.writes(), [""; 0], "{what} of {attribute} {value}");
        }
        assert_eq!(bed.held(ALICE, &account(&bed)).len(), 2);
    }
}

/// The error says how: `state rm` and another import.
#[tokio::test]
async fn a_damaged_object_can_be_forgotten_and_imported_again() {
    let mut bed = bed().await;
    let config = bed.by_hub(ALICE, "reader");
    bed.apply(&config).await.quiet();
    bed.edit(|json| json["role_assignments"]["Storage Blob Data Reader"]["id"] = json!("junk"));
    let other = resource(TYPE, "b", bed.by_hub(BOB, "reader"));
    let planned = bed.core.plan_all(vec![resource(TYPE, "a", config.clone()), other]).await;
    let error = planned.error("The state cannot be read");
    assert!(error.detail.contains("state rm") && error.detail.contains("import it again"), "{error}");
    bed.core.forget(TYPE, "a");
    let from = crate::support::core::ImportFrom::Id(format!("{}|{ALICE}|reader", bed.hub));
    bed.core.import(TYPE, "a", from).await.quiet();
    bed.plan(&config).await.ok().assert_empty();
}
