//! Replacement, and objects that stand for the same assignments: in one run, and where one run left work to the next.

use serde_json::{Value, json};

use super::{ALICE, BOB, Bed, READER_ROLES, TYPE, bed};
use crate::azure::{Action as Fault, Rule};
use crate::support::core::{Action, Core, ImportFrom, Resource, resource};

/// A bed with an imported pair of Alice's, whose assignments have names that somebody else gave them.
async fn imported() -> (Bed, Vec<(String, String)>) {
    let mut bed = bed().await;
    for role in ["Storage Blob Data Reader", "Storage File Data Privileged Reader"] {
        bed.emulator.seed_assignment(&bed.account, ALICE, role);
    }
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
async fn a_replacement_takes_over_assignments_whatever_their_names_and_never_takes_them_away() {
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
async fn another_principal_gets_its_own_and_the_old_ones_go() {
    let (mut bed, _) = imported().await;
    let report = bed.apply(&bed.by_hub(BOB, "reader")).await.quiet();
    assert_eq!(report.action(), Action::Replace);
    assert_eq!(bed.writes(), ["DELETE assignment", "DELETE assignment", "PUT blob reader", "PUT file reader"]);
    assert_eq!((bed.held(ALICE, &bed.account).len(), bed.held(BOB, &bed.account).len()), (0, 2));
}

#[tokio::test]
async fn a_replacement_whose_second_half_fails_keeps_what_it_took_over() {
    let (mut bed, recorded) = imported().await;
    let rule = bed.emulator.fault(Rule::on("PUT", "*/roleAssignments/*", Fault::Denied));
    let after = resource(TYPE, "a", bed.by_hub(ALICE, "reader"));
    bed.core.apply_one(after.clone().replaced()).await.failed();
    assert_eq!(
        (bed.recorded(), bed.held(ALICE, &bed.account)),
        (recorded.clone(), READER_ROLES.map(str::to_owned).to_vec())
    );
    bed.emulator.release(rule);
    // It is tainted now, and its names are foreign to a plan that starts from nothing.
    bed.core.stored(TYPE, "a").tainted = false;
    bed.core.plan_all(vec![after]).await.ok().assert_empty();
    assert_eq!(bed.recorded(), recorded);
}

#[tokio::test]
async fn a_successor_that_is_made_first_adopts_what_it_finds_and_the_old_object_leaves_it() {
    let (mut bed, recorded) = imported().await;
    let config = with(with(bed.by_hub(ALICE, "reader"), "on_existing", "adopt"), "principal_type", "Group");
    bed.core.apply_one(resource(TYPE, "a", config.clone()).create_before_destroy()).await.quiet();
    assert_eq!(bed.held(ALICE, &bed.account), READER_ROLES);
    assert_eq!(bed.recorded(), recorded);
    assert!(!bed.writes().iter().any(|write| write.starts_with("DELETE")));
    bed.plan(&config).await.ok().assert_empty();
}

#[tokio::test]
async fn a_successor_that_is_made_first_and_may_not_adopt_fails_and_loses_nothing() {
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
async fn a_rename_of_an_imported_object_keeps_the_grant_in_either_order_if_it_adopts() {
    for last in [true, false] {
        let (mut bed, _) = imported().await;
        bed.core.rename(TYPE, "a", "old");
        let core = std::mem::replace(&mut bed.core, Core::new());
        bed.core = if last { core.deletes_last() } else { core };
        let config = with(bed.by_hub(ALICE, "reader"), "on_existing", "adopt");
        let report = bed.core.apply_all(vec![resource(TYPE, "new", config.clone())]).await.ok();
        let warning = report.warning("A role is handed to another resource");
        assert!(warning.detail.contains("stay in place") && warning.detail.contains("moved {"), "{warning}");
        assert_eq!(report.diagnostics.0.len(), 1, "{}", report.diagnostics);
        assert!(!bed.writes().iter().any(|write| write.starts_with("DELETE")));
        assert_eq!(bed.held(ALICE, &bed.account), READER_ROLES);
        bed.core.plan_all(vec![resource(TYPE, "new", config)]).await.ok().assert_empty();
    }
}

// Several objects for the same assignments.

#[tokio::test]
async fn resources_that_share_no_role_say_nothing_of_each_other_whatever_becomes_of_them() {
    let mut bed = bed().await;
    let others = [resource(TYPE, "c", bed.by_hub(BOB, "reader")), resource(TYPE, "d", bed.by_hub(BOB, "contributor"))];
    bed.core.apply_all(others.to_vec()).await.ok();
    let others = others.map(Resource::replaced).to_vec();
    assert_eq!(bed.core.plan_all(others).await.ok().diagnostics.0, []);
}

#[tokio::test]
async fn an_object_that_is_removed_leaves_what_another_one_has_and_the_last_one_removes_it() {
    let mut bed = bed().await;
    let config = bed.by_hub(ALICE, "reader");
    let both = ["old", "new"].map(|name| resource(TYPE, name, config.clone()));
    // Earlier versions let two resources stand for one assignment.
    let double = |bed: &mut Bed| {
        let stored = bed.core.stored(TYPE, "new").clone();
        bed.core.store(TYPE, "old", stored);
        bed.emulator.clear_requests();
    };
    bed.core.apply_all(vec![both[1].clone()]).await.quiet();
    double(&mut bed);
    let planned = bed.core.plan_all(vec![both[1].clone()]).await.ok();
    planned.warning("Role assignments stay for another resource");
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
async fn of_two_states_with_one_assignment_one_is_destroyed_and_the_other_sees_it_and_heals() {
    let mut bed = bed().await;
    let config = bed.by_hub(ALICE, "reader");
    let other =
        || bed.emulator.environment().into_iter().fold(Core::new(), |core, (name, value)| core.env(name, value));
    let mut other = other();
    bed.apply(&config).await.quiet();
    other.apply(TYPE, "b", config.clone()).await.ok().warning("role assignments are continued");
    bed.plan(&config).await.ok().assert_empty();
    other.plan(TYPE, "b", config.clone()).await.ok().assert_empty();

    bed.core.destroy(TYPE, "a").await.quiet();
    assert_eq!(bed.held(ALICE, &bed.account), [""; 0]);
    bed.emulator.advance(std::time::Duration::from_secs(600));
    let planned = other.plan(TYPE, "b", config.clone()).await.ok();
    planned.warning("A role was taken away");
    other.apply_saved(planned).await.ok();
    assert_eq!(bed.held(ALICE, &bed.account), READER_ROLES);
    other.plan(TYPE, "b", config).await.ok().assert_empty();
}

/// Ends a run after a successor of `a` was made and before the old object could be removed.
async fn interrupted_after_creation(bed: &mut Bed, successor: Resource) {
    let last = resource(TYPE, "z", bed.by_account(BOB, "Reader")).depends_on(TYPE, "a");
    let held = bed.emulator.fault(Rule::on("PUT", "*/roleAssignments/*", Fault::Hold).containing("acdd72a7"));
    let arm = bed.arm.clone();
    bed.core.interrupt_apply_when(async move {
        arm.emulator
            .request_seen(|request| request.method == "PUT" && request.body.to_string().contains("acdd72a7"))
            .await;
    });
    bed.core.apply_all(vec![successor.create_before_destroy(), last]).await.failed();
    bed.emulator.release(held);
    bed.emulator.clear_requests();
}

#[tokio::test]
async fn an_object_that_is_removed_in_a_later_run_leaves_what_its_successor_has_made_its_own() {
    let mut bed = bed().await;
    let config = bed.by_hub(ALICE, "reader");
    bed.apply(&config).await.quiet();
    interrupted_after_creation(&mut bed, resource(TYPE, "a", config.clone()).replaced()).await;
    let report = bed.core.apply_all(vec![resource(TYPE, "a", config.clone())]).await.ok();
    report.warning("Role assignments stay for another resource");
    assert_eq!(bed.held(ALICE, &bed.account), READER_ROLES);
    bed.core.plan_all(vec![resource(TYPE, "a", config)]).await.ok().assert_empty();
}

#[tokio::test]
async fn an_object_that_is_removed_in_a_later_run_leaves_what_its_successor_has_adopted() {
    let (mut bed, recorded) = imported().await;
    let config = with(bed.by_hub(ALICE, "reader"), "on_existing", "adopt");
    interrupted_after_creation(&mut bed, resource(TYPE, "a", config.clone()).replaced()).await;
    let report = bed.core.apply_all(vec![resource(TYPE, "a", config.clone())]).await.ok();
    report.warning("Role assignments stay for another resource");
    assert_eq!((bed.held(ALICE, &bed.account), bed.recorded()), (READER_ROLES.map(str::to_owned).to_vec(), recorded));
    bed.core.plan_all(vec![resource(TYPE, "a", config)]).await.ok().assert_empty();
}

#[tokio::test]
async fn an_object_that_is_removed_in_a_later_run_takes_away_what_only_it_had() {
    let mut bed = bed().await;
    bed.apply(&bed.by_hub(ALICE, "reader")).await.quiet();
    let config = bed.by_hub(BOB, "reader");
    interrupted_after_creation(&mut bed, resource(TYPE, "a", config.clone())).await;
    assert_eq!(bed.held(ALICE, &bed.account), READER_ROLES);
    bed.core.apply_all(vec![resource(TYPE, "a", config)]).await.ok();
    assert_eq!((bed.held(ALICE, &bed.account).len(), bed.held(BOB, &bed.account).len()), (0, 2));
}
