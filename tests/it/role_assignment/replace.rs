//! Replacement, and objects that have the same assignments: in one run, and when a later run destroys a deposed object.

use serde_json::{Value, json};

use super::{ALICE, BOB, Bed, READER_ROLES, TYPE, bed};
use crate::azure::{Action as Fault, Rule};
use crate::support::core::{Action, Core, ImportFrom, Resource, resource};
use crate::support::ids::READER_NAMES;

/// A bed with Alice's pair imported, and the pair as the state has it. The assignments have names that are not the
/// provider's.
async fn imported() -> (Bed, Vec<(String, String)>) {
    let mut bed = bed().await;
    bed.seed_roles(ALICE, &READER_NAMES);
    let id = ImportFrom::Id(format!("{}|{ALICE}|reader", bed.hub));
    bed.core.import(TYPE, "a", id).await.quiet();
    bed.emulator.clear_requests();
    let recorded = bed.recorded();
    (bed, recorded)
}

fn with(mut config: Value, name: &str, value: &str) -> Value {
    config[name] = json!(value);
    config
}

#[tokio::test]
async fn a_replacement_keeps_the_assignments_whatever_their_names() {
    let delegated = "/subscriptions/s/resourceGroups/r/providers/p/t/n";
    for (change, value) in
        [("-replace", ""), ("principal_type", "Group"), ("delegated_managed_identity_resource_id", delegated)]
    {
        for adopts in [false, true] {
            let (mut bed, recorded) = imported().await;
            let mut after = resource(TYPE, "a", bed.by_hub(ALICE, "reader"));
            after = if value.is_empty() { after.replaced() } else { after.setting(change, json!(value)) };
            if adopts {
                after = after.setting("on_existing", json!("adopt"));
            }
            let planned = bed.core.plan_all(vec![after.clone()]).await.ok();
            assert_eq!((planned.action(), planned.diagnostics.0.len()), (Action::Replace, 0), "{change}");
            bed.emulator.clear_requests();
            bed.core.apply_saved(planned).await.quiet();
            assert_eq!(bed.writes(), ["PUT blob reader", "PUT file reader"], "{change}");
            assert_eq!(bed.held(ALICE, &bed.account), READER_ROLES);
            let names = |recorded: &[(String, String)]| -> Vec<String> {
                recorded.iter().map(|(_, id)| id.split('|').next().expect("an id").to_owned()).collect()
            };
            assert_eq!(names(&bed.recorded()), names(&recorded), "{change}");
            let entries = bed.state()["role_assignments"].clone();
            assert!(entries.as_object().expect("a map").values().all(|entry| entry["adopted"] == false), "{entries}");
            bed.core.plan_all(vec![after.clone().not_replaced()]).await.ok().assert_empty();
            bed.core.destroy(TYPE, "a").await.quiet();
            assert_eq!(bed.held(ALICE, &bed.account), [""; 0]);
        }
    }
}

#[tokio::test]
async fn a_replacement_for_another_principal_deletes_the_old_assignments_and_creates_new_ones() {
    let (mut bed, _) = imported().await;
    let report = bed.apply(&bed.by_hub(BOB, "reader")).await.quiet();
    assert_eq!(report.action(), Action::Replace);
    assert_eq!(bed.writes(), ["DELETE assignment", "DELETE assignment", "PUT blob reader", "PUT file reader"]);
    assert_eq!((bed.held(ALICE, &bed.account).len(), bed.held(BOB, &bed.account).len()), (0, 2));
}

#[tokio::test]
async fn a_replacement_whose_create_fails_keeps_the_assignments() {
    let (mut bed, recorded) = imported().await;
    let rule = bed.emulator.fault(Rule::on("PUT", "*/roleAssignments/*", Fault::Denied));
    let after = resource(TYPE, "a", bed.by_hub(ALICE, "reader"));
    bed.core.apply_one(after.clone().replaced()).await.failed();
    assert_eq!(
        (bed.recorded(), bed.held(ALICE, &bed.account)),
        (recorded.clone(), READER_ROLES.map(str::to_owned).to_vec())
    );
    bed.emulator.release(rule);
    // The object is tainted now. The plan of a create would not find assignments with these names.
    bed.core.stored(TYPE, "a").tainted = false;
    bed.core.plan_all(vec![after]).await.ok().assert_empty();
    assert_eq!(bed.recorded(), recorded);
}

#[tokio::test]
async fn create_before_destroy_with_adopt_adopts_the_assignments_and_the_destroy_keeps_them() {
    let (mut bed, recorded) = imported().await;
    let config = with(with(bed.by_hub(ALICE, "reader"), "on_existing", "adopt"), "principal_type", "Group");
    bed.core.apply_one(resource(TYPE, "a", config.clone()).create_before_destroy()).await.quiet();
    assert_eq!(bed.held(ALICE, &bed.account), READER_ROLES);
    assert_eq!(bed.recorded(), recorded);
    assert!(!bed.writes().iter().any(|write| write.starts_with("DELETE")));
    bed.plan(&config).await.ok().assert_empty();
}

#[tokio::test]
async fn create_before_destroy_without_adopt_fails_for_imported_names_and_keeps_the_assignments() {
    let (mut bed, recorded) = imported().await;
    let config = with(bed.by_hub(ALICE, "reader"), "principal_type", "Group");
    let planned = bed.core.plan_all(vec![resource(TYPE, "a", config).create_before_destroy()]).await.ok();
    let list = bed.emulator.fault(Rule::on("GET", "*/roleAssignments", Fault::Denied));
    let report = bed.core.apply_saved(planned).await.failed();
    let error = report.error("The role is already assigned");
    assert!(error.detail.contains("remove create_before_destroy"), "{error}");
    bed.emulator.release(list);
    assert_eq!((bed.recorded(), bed.held(ALICE, &bed.account)), (recorded, READER_ROLES.map(str::to_owned).to_vec()));
}

#[tokio::test]
async fn a_rename_of_an_imported_object_with_adopt_keeps_the_roles_in_any_order() {
    for last in [true, false] {
        let (mut bed, _) = imported().await;
        bed.core.rename(TYPE, "a", "old");
        bed.core.apply_deletes_last(last);
        let config = with(bed.by_hub(ALICE, "reader"), "on_existing", "adopt");
        let report = bed.core.apply_all(vec![resource(TYPE, "new", config.clone())]).await.ok();
        let warning = report.warning("A role assignment moves to another resource");
        assert!(warning.detail.contains("stay in place") && warning.detail.contains("moved {"), "{warning}");
        assert_eq!(report.diagnostics.0.len(), 1, "{}", report.diagnostics);
        assert!(!bed.writes().iter().any(|write| write.starts_with("DELETE")));
        assert_eq!(bed.held(ALICE, &bed.account), READER_ROLES);
        bed.core.plan_all(vec![resource(TYPE, "new", config)]).await.ok().assert_empty();
    }
}

// Several objects for the same assignments.

#[tokio::test]
async fn resources_that_share_no_role_are_not_warned_of_each_other() {
    let mut bed = bed().await;
    let others = [resource(TYPE, "c", bed.by_hub(BOB, "reader")), resource(TYPE, "d", bed.by_hub(BOB, "contributor"))];
    bed.core.apply_all(others.to_vec()).await.ok();
    let others = others.map(Resource::replaced).to_vec();
    assert_eq!(bed.core.plan_all(others).await.ok().diagnostics.0, []);
}

#[tokio::test]
async fn destroying_one_of_two_objects_keeps_their_common_assignments_and_destroying_both_deletes_them() {
    let mut bed = bed().await;
    let config = bed.by_hub(ALICE, "reader");
    let both = ["old", "new"].map(|name| resource(TYPE, name, config.clone()));
    // Earlier versions let two resources have one assignment.
    let double = |bed: &mut Bed| {
        let stored = bed.core.stored(TYPE, "new").clone();
        bed.core.store(TYPE, "old", stored);
        bed.emulator.clear_requests();
    };
    bed.core.apply_all(vec![both[1].clone()]).await.quiet();
    double(&mut bed);
    let planned = bed.core.plan_all(vec![both[1].clone()]).await.ok();
    planned.warning("Role assignments are kept for another resource");
    bed.core.apply_saved(planned).await.ok();
    assert_eq!(bed.writes(), [""; 0]);
    assert_eq!(bed.core.state(TYPE, "old"), Value::Null);
    bed.core.plan_all(vec![both[1].clone()]).await.ok().assert_empty();

    double(&mut bed);
    bed.core.destroy_all().await.ok();
    assert_eq!(bed.held(ALICE, &bed.account), [""; 0]);
    bed.core.apply_all(vec![both[1].clone()]).await.quiet();
    double(&mut bed);
    bed.core.apply_all(Vec::new()).await.ok();
    assert_eq!(bed.held(ALICE, &bed.account), [""; 0]);
}

#[tokio::test]
async fn an_assignment_that_two_states_have_is_deleted_by_one_and_created_again_by_the_other() {
    let mut bed = bed().await;
    let config = bed.by_hub(ALICE, "reader");
    let other =
        || bed.emulator.environment().into_iter().fold(Core::new(), |core, (name, value)| core.env(name, value));
    let mut other = other();
    bed.apply(&config).await.quiet();
    other.apply(TYPE, "b", config.clone()).await.ok().warning("role assignments are taken over");
    bed.plan(&config).await.ok().assert_empty();
    other.plan(TYPE, "b", config.clone()).await.ok().assert_empty();

    bed.core.destroy(TYPE, "a").await.quiet();
    assert_eq!(bed.held(ALICE, &bed.account), [""; 0]);
    bed.emulator.advance(std::time::Duration::from_secs(600));
    let planned = other.plan(TYPE, "b", config.clone()).await.ok();
    planned.warning("A role assignment was deleted");
    other.apply_saved(planned).await.ok();
    assert_eq!(bed.held(ALICE, &bed.account), READER_ROLES);
    other.plan(TYPE, "b", config).await.ok().assert_empty();
}

/// Interrupts a replacement of `a` with create_before_destroy after the create, so that the old object is deposed.
async fn interrupted_after_creation(bed: &mut Bed, replacement: Resource) {
    let last = resource(TYPE, "z", bed.by_account(BOB, "Reader")).depends_on(TYPE, "a");
    let held = bed.emulator.fault(Rule::on("PUT", "*/roleAssignments/*", Fault::Hold).containing("acdd72a7"));
    let arm = bed.arm.clone();
    bed.core.interrupt_when(async move {
        arm.emulator
            .request_seen(|request| request.method == "PUT" && request.body.to_string().contains("acdd72a7"))
            .await;
    });
    bed.core.apply_all(vec![replacement.create_before_destroy(), last]).await.failed();
    bed.emulator.release(held);
    bed.emulator.clear_requests();
}

#[tokio::test]
async fn destroying_a_deposed_object_keeps_the_assignments_that_the_current_one_has_written() {
    let mut bed = bed().await;
    let config = bed.by_hub(ALICE, "reader");
    bed.apply(&config).await.quiet();
    interrupted_after_creation(&mut bed, resource(TYPE, "a", config.clone()).replaced()).await;
    let report = bed.core.apply_all(vec![resource(TYPE, "a", config.clone())]).await.ok();
    report.warning("Role assignments are kept for another resource");
    assert_eq!(bed.held(ALICE, &bed.account), READER_ROLES);
    bed.core.plan_all(vec![resource(TYPE, "a", config)]).await.ok().assert_empty();
}

#[tokio::test]
async fn destroying_a_deposed_object_keeps_the_assignments_that_the_current_one_has_adopted() {
    let (mut bed, recorded) = imported().await;
    let config = with(bed.by_hub(ALICE, "reader"), "on_existing", "adopt");
    interrupted_after_creation(&mut bed, resource(TYPE, "a", config.clone()).replaced()).await;
    let report = bed.core.apply_all(vec![resource(TYPE, "a", config.clone())]).await.ok();
    report.warning("Role assignments are kept for another resource");
    assert_eq!((bed.held(ALICE, &bed.account), bed.recorded()), (READER_ROLES.map(str::to_owned).to_vec(), recorded));
    bed.core.plan_all(vec![resource(TYPE, "a", config)]).await.ok().assert_empty();
}

#[tokio::test]
async fn destroying_a_deposed_object_deletes_the_assignments_that_only_it_has() {
    let mut bed = bed().await;
    bed.apply(&bed.by_hub(ALICE, "reader")).await.quiet();
    let config = bed.by_hub(BOB, "reader");
    interrupted_after_creation(&mut bed, resource(TYPE, "a", config.clone())).await;
    assert_eq!(bed.held(ALICE, &bed.account), READER_ROLES);
    bed.core.apply_all(vec![resource(TYPE, "a", config)]).await.ok();
    assert_eq!((bed.held(ALICE, &bed.account).len(), bed.held(BOB, &bed.account).len()), (0, 2));
}
