//! Applies and destroys that end half-way: requests that fail or get no clear answer, and interruptions at every
//! request.

use serde_json::{Value, json};

use super::{ALICE, BLOB_CONTRIBUTOR, BLOB_READER, BOB, Bed, FILE_CONTRIBUTOR, FILE_READER, NEW, TYPE, bed, bed_with};
use crate::azure::{Action as Fault, ExistsId, Principals, Record, Rule};
use crate::support::core::{Action, Report, resource};

#[tokio::test]
async fn an_interrupted_destroy_keeps_assignments_that_may_still_exist() {
    let mut bed = bed().await;
    bed.apply(&bed.by_hub(ALICE, "reader")).await.quiet();
    let held = bed.emulator.fault(Rule::on("DELETE", "*/roleAssignments/*", Fault::Hold));
    let arm = bed.arm.clone();
    bed.core.interrupt_when(async move {
        arm.emulator.request_seen(|request| request.method == "DELETE").await;
    });
    let report = bed.core.destroy(TYPE, "a").await.failed();
    report.error("cancelled");
    assert_eq!(bed.recorded().len(), 2);
    bed.emulator.release(held);
    bed.core.destroy(TYPE, "a").await.ok();
    assert_eq!(bed.held(ALICE, &bed.account), [""; 0]);
}

#[tokio::test]
async fn a_create_that_fails_at_the_second_role_is_completed_by_the_next_apply() {
    let mut bed = bed().await;
    let config = bed.by_hub(ALICE, "contributor");
    let second =
        Rule::on("PUT", "*/roleAssignments/*", Fault::Status(400)).code("RoleAssignmentLimitExceeded").after(1);
    let rule = bed.emulator.fault(second);
    bed.apply(&config).await.failed();
    assert_eq!(bed.recorded().len(), 1);
    assert!(bed.core.stored(TYPE, "a").tainted);
    bed.emulator.release(rule);
    bed.emulator.clear_requests();
    let report = bed.apply(&config).await.ok();
    assert_eq!(report.action(), Action::Replace);
    // The replacement deletes no assignment that the new object needs.
    assert_eq!(bed.writes(), ["PUT blob contributor", "PUT file contributor"]);
    assert_eq!(bed.recorded().len(), 2);
}

#[tokio::test]
async fn an_update_that_fails_at_the_second_role_deletes_nothing_and_can_be_completed_or_undone() {
    for finish in [true, false] {
        let mut bed = bed().await;
        bed.apply(&bed.by_hub(ALICE, "contributor")).await.quiet();
        let second = Rule::on("PUT", "*/roleAssignments/*", Fault::Status(409)).code("ScopeLocked").after(1);
        let rule = bed.emulator.fault(second);
        bed.apply(&bed.by_hub(ALICE, "reader")).await.failed();
        bed.emulator.release(rule);
        assert_eq!(bed.recorded().len(), 3);
        assert_eq!(bed.state()["access"], "contributor");
        bed.emulator.clear_requests();
        let config = bed.by_hub(ALICE, if finish { "reader" } else { "contributor" });
        bed.apply(&config).await.quiet();
        let expected = if finish {
            &["PUT file reader", "DELETE assignment", "DELETE assignment"][..]
        } else {
            &["DELETE assignment"]
        };
        assert_eq!(bed.writes(), expected);
        assert_eq!(bed.recorded().len(), 2);
        bed.plan(&config).await.ok().assert_empty();
    }
}

#[tokio::test]
async fn a_change_of_scope_that_cannot_delete_the_old_assignment_keeps_it_in_the_state() {
    let mut bed = bed().await;
    bed.apply(&bed.by_account(ALICE, "Storage Blob Data Reader")).await.quiet();
    let rule = bed.emulator.fault(Rule::on("DELETE", "*/roleAssignments/*", Fault::Status(409)).code("ScopeLocked"));
    let config =
        json!({ "scope": bed.group, "principal_id": ALICE, "role_definition_name": "Storage Blob Data Reader" });
    bed.apply(&config).await.failed();
    bed.emulator.release(rule);
    assert_eq!(bed.recorded().len(), 2);
    assert_eq!(bed.state()["scope"], json!(bed.group));
    bed.emulator.clear_requests();
    bed.apply(&config).await.quiet();
    assert_eq!(bed.writes(), ["DELETE assignment"]);
    assert!(bed.held(ALICE, &bed.account).is_empty());
    bed.plan(&config).await.ok().assert_empty();
}

#[tokio::test]
async fn an_interrupted_create_keeps_an_assignment_that_may_exist_until_a_refresh() {
    let mut bed = bed().await;
    let config = bed.by_hub(ALICE, "reader");
    let held = bed.emulator.fault(Rule::on("PUT", "*/roleAssignments/*", Fault::Hold));
    let arm = bed.arm.clone();
    bed.core.interrupt_when(async move {
        arm.emulator.request_seen(|request| request.method == "PUT").await;
    });
    let report = bed.apply(&config).await.failed();
    assert!(report.error("cancelled").detail.contains("may have been created all the same"));
    assert_eq!(bed.recorded().len(), 1);
    bed.emulator.release(held);
    bed.apply(&config).await.ok();
    assert_eq!(bed.recorded().len(), 2);
    assert_eq!(bed.held(ALICE, &bed.account).len(), 2);
}

// No clear answer.

#[tokio::test]
async fn a_put_without_a_clear_answer_is_kept_in_the_state_until_a_refresh() {
    for (fault, code, made) in [
        (Fault::Status(500), "InternalServerError", false),
        (Fault::Status(504), "GatewayTimeout", false),
        (Fault::Close, "", false),
        (Fault::Lose, "", true),
        (Fault::Truncate, "", true),
    ] {
        let mut bed = bed().await;
        bed.core.configure(json!({ "max_retries": 1 }));
        let config = bed.by_account(ALICE, "Storage Blob Data Reader");
        let rule = Rule::on("PUT", "*/roleAssignments/*", fault).code(code).header("retry-after", "0");
        let rule = bed.emulator.fault(rule);
        let report = bed.apply(&config).await.failed();
        let error = report.diagnostics.0.iter().find(|found| found.is_error).expect("an error");
        assert!(error.detail.contains("may have been created all the same"), "{fault:?}: {error}");
        assert_eq!(bed.writes(), ["PUT blob reader"; 2], "{fault:?}");
        assert_eq!(bed.recorded().len(), 1, "{fault:?}");
        assert!(bed.core.stored(TYPE, "a").tainted);
        assert_eq!(bed.held(ALICE, &bed.account).len(), usize::from(made), "{fault:?}");
        bed.emulator.release(rule);
        let report = bed.apply(&config).await.ok();
        assert_eq!(report.action(), if made { Action::Replace } else { Action::Create }, "{fault:?}");
        assert_eq!(bed.writes(), ["PUT blob reader"], "{fault:?}");
        bed.plan(&config).await.ok().assert_empty();
        bed.core.destroy(TYPE, "a").await.quiet();
        assert_eq!(bed.held(ALICE, &bed.account), [""; 0]);
    }
}

#[tokio::test]
async fn a_delete_without_a_clear_answer_is_repeated_by_the_next_destroy() {
    for (fault, removed) in [(Fault::Status(504), false), (Fault::Lose, true)] {
        let mut bed = bed().await;
        bed.core.configure(json!({ "max_retries": 0 }));
        bed.apply(&bed.by_account(ALICE, "Storage Blob Data Reader")).await.quiet();
        let rule = bed.emulator.fault(Rule::on("DELETE", "*/roleAssignments/*", fault).header("retry-after", "0"));
        let report = bed.core.destroy(TYPE, "a").await.failed();
        report.error("may still exist");
        assert_eq!((bed.recorded().len(), bed.held(ALICE, &bed.account).is_empty()), (1, removed));
        bed.emulator.release(rule);
        bed.emulator.advance(std::time::Duration::from_secs(600));
        bed.core.destroy_all().await.ok();
        assert_eq!((bed.state(), bed.held(ALICE, &bed.account).len()), (Value::Null, 0));
    }
}

// Interruptions.

/// Applies this configuration, or destroys for null, and interrupts when a request is seen that the rule holds or
/// fails.
async fn interrupted(bed: &mut Bed, rule: Rule, config: &Value, seen: impl Fn(&Record) -> bool + 'static) -> Report {
    let rule = bed.emulator.fault(rule);
    let arm = bed.arm.clone();
    bed.emulator.clear_requests();
    bed.core.interrupt_when(async move {
        arm.emulator.request_seen(seen).await;
    });
    let report = if config.is_null() { bed.core.destroy(TYPE, "a").await } else { bed.apply(config).await }.failed();
    report.error("cancelled");
    bed.emulator.release(rule);
    report
}

fn is(method: &'static str, role: &'static str) -> impl Fn(&Record) -> bool + 'static {
    move |record| {
        record.method == method && record.path.contains("/roleAssignments/") && record.body.to_string().contains(role)
    }
}

/// Holds requests with this text.
fn holds(method: &str, text: &str) -> Rule {
    Rule::on(method, "*/roleAssignments/*", Fault::Hold).containing(text)
}

#[tokio::test]
async fn a_create_that_is_interrupted_at_either_role_is_completed_by_the_next_apply() {
    for (role, recorded) in [(BLOB_READER, 1), (FILE_READER, 2)] {
        let mut bed = bed().await;
        let config = bed.by_hub(ALICE, "reader");
        interrupted(&mut bed, holds("PUT", role), &config, is("PUT", role)).await;
        assert_eq!(bed.recorded().len(), recorded);
        bed.apply(&config).await.ok();
        assert_eq!(bed.held(ALICE, &bed.account), [BLOB_READER, FILE_READER]);
        bed.plan(&config).await.ok().assert_empty();
    }
}

/// The interruption comes with Bob's second PUT, when the first resource already waits for its principal.
#[tokio::test]
async fn an_interrupted_wait_for_a_new_principal_leaves_nothing() {
    let mut bed = bed_with(|options| options.principals = Principals::Strict).await;
    let config = bed.by_account(NEW, "Storage Blob Data Reader");
    let first = bed.emulator.fault(holds("PUT", BOB).times(1));
    let arm = bed.arm.clone();
    bed.core.interrupt_when(async move {
        arm.emulator.request_seen(|record| record.error.as_deref() == Some("PrincipalNotFound")).await;
        arm.emulator.release(first);
        arm.emulator.request_seen(is("PUT", FILE_READER)).await;
    });
    let all = vec![
        resource(TYPE, "a", config.clone()),
        resource(TYPE, "b", json!({ "scope": bed.account, "principal_id": BOB, "access": "reader" })),
    ];
    let report = bed.core.apply_all(all).await.failed();
    assert!(report.error(NEW).detail.contains("cancelled while sending PUT"), "{}", report.diagnostics);
    assert_eq!(bed.state(), Value::Null);
    bed.emulator.add_principal(NEW, "User");
    bed.apply(&config).await.quiet();
}

#[tokio::test]
async fn an_interrupted_search_for_an_assignment_to_adopt_leaves_nothing() {
    for exists_id in [ExistsId::Hex, ExistsId::None] {
        let mut bed = bed_with(|options| options.exists_id = exists_id).await;
        let name = bed.emulator.seed_assignment(&bed.account, ALICE, "Storage Blob Data Reader");
        let mut config = bed.by_account(ALICE, "Storage Blob Data Reader");
        config["on_existing"] = json!("adopt");
        let (path, text) = match exists_id {
            ExistsId::Hex => (format!("*/roleAssignments/{name}"), ""),
            _ => ("*/roleAssignments".to_owned(), "principalId eq"),
        };
        let looks = move |record: &Record| {
            record.method == "GET"
                && (record.path.contains(&name)
                    || record.query("$filter").is_some_and(|filter| filter.contains("principalId")))
        };
        interrupted(&mut bed, Rule::on("GET", &path, Fault::Hold).containing(text), &config, looks).await;
        assert_eq!(bed.state(), Value::Null);
        bed.apply(&config).await.quiet();
        bed.plan(&config).await.ok().assert_empty();
    }
}

#[tokio::test]
async fn an_update_that_is_interrupted_at_any_request_keeps_the_old_roles_and_can_be_completed() {
    for (method, role, at) in [("PUT", BLOB_READER, 1), ("PUT", FILE_READER, 2), ("DELETE", "", 3)] {
        let mut bed = bed().await;
        bed.apply(&bed.by_hub(ALICE, "contributor")).await.quiet();
        let config = bed.by_hub(ALICE, "reader");
        interrupted(&mut bed, holds(method, role), &config, is(method, role)).await;
        let held = bed.held(ALICE, &bed.account);
        for role in [BLOB_CONTRIBUTOR, FILE_CONTRIBUTOR] {
            assert!(held.iter().any(|held| held == role), "step {at}: {held:?}");
        }
        // The state has every assignment that exists.
        assert!(bed.recorded().len() >= held.len(), "step {at}: {held:?}");
        bed.apply(&config).await.ok();
        assert_eq!(bed.held(ALICE, &bed.account), [BLOB_READER, FILE_READER], "step {at}");
        bed.plan(&config).await.ok().assert_empty();
    }
}

#[tokio::test]
async fn a_destroy_that_is_interrupted_at_either_request_is_completed_by_the_next_one() {
    for removed in [0, 1] {
        let mut bed = bed().await;
        bed.apply(&bed.by_hub(ALICE, "reader")).await.quiet();
        let (_, id) = bed.recorded().remove(removed);
        let rule = Rule::on("DELETE", &id, Fault::Hold);
        interrupted(&mut bed, rule, &Value::Null, move |record| record.method == "DELETE" && record.path == id).await;
        assert_eq!(bed.recorded().len(), 2 - removed);
        bed.core.destroy(TYPE, "a").await.ok();
        assert_eq!(bed.held(ALICE, &bed.account), [""; 0]);
    }
}

/// One resource deletes the assignment that the other one creates, so that they write one after the other.
#[tokio::test]
async fn an_interruption_ends_the_wait_for_another_resource_of_the_same_assignment() {
    let mut bed = bed().await;
    let config = bed.by_account(ALICE, "Storage Blob Data Reader");
    bed.apply(&config).await.quiet();
    let held = bed
        .emulator
        .fault(Rule::on("PUT", "*/storageAccounts/*/roleAssignments/*", Fault::Hold).containing(BLOB_READER));
    let arm = bed.arm.clone();
    let at_group = format!("{}/providers/Microsoft.Authorization/", bed.group);
    // What moves must not come to its deletion before the other one has begun.
    let moving = bed.emulator.fault(Rule::on("PUT", &format!("{at_group}*"), Fault::Hold));
    bed.emulator.clear_requests();
    bed.core.interrupt_when(async move {
        arm.emulator
            .request_seen(|request| request.method == "PUT" && request.path.contains("/storageAccounts/"))
            .await;
        arm.emulator.request_seen(|request| request.method == "PUT" && request.path.starts_with(&at_group)).await;
        arm.emulator.release(moving);
    });
    let elsewhere =
        json!({ "scope": bed.group, "principal_id": ALICE, "role_definition_name": "Storage Blob Data Reader" });
    let both = vec![resource(TYPE, "a", elsewhere), resource(TYPE, "b", config)];
    let report = bed.core.apply_all(both).await.failed();
    let errors = report.diagnostics.0.iter().filter(|found| found.is_error && found.detail.contains("cancelled"));
    assert_eq!(errors.count(), 2, "{}", report.diagnostics);
    assert_eq!(bed.writes(), ["PUT blob reader", "PUT blob reader"]);
    assert_eq!((bed.recorded().len(), bed.held(ALICE, &bed.account)), (2, vec![BLOB_READER.to_owned()]));
    bed.emulator.release(held);
}
