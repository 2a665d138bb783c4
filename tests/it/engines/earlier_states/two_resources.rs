//! States of an earlier version in which two blocks are about one hub or one role assignment. Today these are refused.

use std::collections::BTreeSet;

use super::{Earlier, UNTOUCHED, set};
use crate::{
    engines::engine_bed::{NOTHING, ORDERS, ORDERS_AND_REFRESHES},
    support::engine::{Engine, for_each_engine, for_each_engine_that},
};

/// Two blocks whose objects are one hub or have one role assignment.
struct Conflict {
    case: &'static str,
    /// The addresses of the blocks.
    blocks: [&'static str; 2],
    /// What the error names of each.
    names: [&'static str; 2],
    /// What is in Azure when the first block, and when the second, was forgotten and the other one was destroyed.
    destroyed: [&'static [&'static str]; 2],
    /// What is in Azure when both were destroyed.
    all_destroyed: &'static [&'static str],
}

const HUBS_WITH_THE_SAME_PEOPLE: Conflict = Conflict {
    case: "two-hubs-same-people",
    blocks: ["foundryhub_role_assignment.first", "foundryhub_role_assignment.second"],
    names: ["workspaces/hub1|", "workspaces/hub2|"],
    destroyed: [&["hub1 accesskey", "hub2 accesskey", "sa1 with keys"]; 2],
    all_destroyed: &["hub1 accesskey", "hub2 accesskey", "sa1 with keys"],
};

const OVERLAPPING_ROLE_ASSIGNMENTS: Conflict = Conflict {
    case: "overlapping-grants",
    blocks: ["foundryhub_role_assignment.data", "foundryhub_role_assignment.works"],
    names: ["000000000001|own_data", "000000000001|contributor"],
    destroyed: [&UNTOUCHED, &["hub1 accesskey", "sa1 with keys", "alice writes files"]],
    all_destroyed: &UNTOUCHED,
};

const STORAGE_AUTHS_OF_ONE_HUB: Conflict = Conflict {
    case: "two-auths-of-one-hub",
    blocks: ["foundryhub_storage_auth.hub", "foundryhub_storage_auth.again"],
    names: ["workspaces/hub1", "workspaces/hub1"],
    // The second object has changed nothing, so that destroying it restores nothing.
    destroyed: [&["hub1 identity", "sa1 without keys"], &UNTOUCHED],
    all_destroyed: &UNTOUCHED,
};

/// The plan is an error that names both and says what to write.
async fn assert_plan_is_refused(conflict: &Conflict) {
    for_each_engine(async |engine| {
        for order in ORDERS_AND_REFRESHES {
            let earlier = Earlier::load(engine, conflict.case).await;
            let planned = earlier.workspace.plan(order).await.exits(1).says("removed {").says("destroy = false");
            conflict.names.into_iter().fold(planned, |planned, name| planned.says(name));
            assert_eq!(earlier.bed.writes(), NOTHING, "{order:?}");
        }
    })
    .await;
}

/// The `removed` block that the plan says to write forgets one object, writes nothing to Azure, and ends the conflict.
async fn assert_one_can_be_forgotten(conflict: &Conflict) {
    for_each_engine_that(Engine::knows_removed_blocks, async |engine| {
        for (block, destroyed) in conflict.blocks.into_iter().zip(conflict.destroyed) {
            let earlier = Earlier::load(engine, conflict.case).await;
            let (before, names) = (earlier.in_azure(), earlier.names());
            earlier.forget(block);
            earlier.workspace.apply(&[]).await.succeeded();
            assert_eq!(
                (earlier.bed.writes(), earlier.in_azure(), earlier.names()),
                (Vec::new(), before, names),
                "{block}"
            );
            earlier.assert_plan_is_empty().await;
            earlier.workspace.destroy(&[]).await.succeeded();
            assert_eq!(earlier.in_azure(), set(destroyed), "{block}");
        }
    })
    .await;
}

async fn assert_both_can_be_destroyed_without_a_refresh(conflict: &Conflict) {
    for_each_engine(async |engine| {
        for order in ORDERS {
            let earlier = Earlier::load(engine, conflict.case).await;
            earlier.workspace.destroy(&[&["-refresh=false"], order].concat()).await.succeeded();
            assert_eq!(earlier.in_azure(), set(conflict.all_destroyed), "{order:?}");
            assert!(earlier.workspace.state().await.is_empty());
        }
    })
    .await;
}

/// Where a block is removed from the configuration, with no `removed` block in its place, nobody who is in the other
/// block loses anything: the roles and settings stay, or the plan is an error that says what to write.
async fn assert_removing_one_block_is_safe(conflict: &Conflict) {
    for_each_engine(async |engine| {
        for block in conflict.blocks {
            for order in ORDERS_AND_REFRESHES {
                let earlier = Earlier::load(engine, conflict.case).await;
                earlier.configure(&earlier.instead_of(block, ""));
                let held = earlier.in_azure();
                let applied = earlier.workspace.apply(order).await;
                let goes = match block {
                    // Only this one has the second role of the pair.
                    "foundryhub_role_assignment.works" if applied.code == Some(0) => set(&["alice writes files"]),
                    _ => BTreeSet::new(),
                };
                assert_eq!(earlier.in_azure(), &held - &goes, "without {block}, {order:?}: {applied}");
                match applied.code {
                    Some(0) => earlier.assert_plan_is_empty().await,
                    _ => _ = applied.exits(1).says("removed {").says("destroy = false"),
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn two_hubs_with_the_same_people_are_refused() {
    assert_plan_is_refused(&HUBS_WITH_THE_SAME_PEOPLE).await;
}

#[tokio::test]
async fn one_of_two_hubs_with_the_same_people_can_be_forgotten() {
    assert_one_can_be_forgotten(&HUBS_WITH_THE_SAME_PEOPLE).await;
}

#[tokio::test]
async fn two_hubs_with_the_same_people_can_be_destroyed_without_a_refresh() {
    assert_both_can_be_destroyed_without_a_refresh(&HUBS_WITH_THE_SAME_PEOPLE).await;
}

#[tokio::test]
async fn removing_the_block_of_one_of_two_hubs_with_the_same_people_takes_no_role_from_them() {
    assert_removing_one_block_is_safe(&HUBS_WITH_THE_SAME_PEOPLE).await;
}

#[tokio::test]
async fn overlapping_role_assignments_are_refused() {
    assert_plan_is_refused(&OVERLAPPING_ROLE_ASSIGNMENTS).await;
}

#[tokio::test]
async fn one_of_two_overlapping_role_assignments_can_be_forgotten() {
    assert_one_can_be_forgotten(&OVERLAPPING_ROLE_ASSIGNMENTS).await;
}

#[tokio::test]
async fn overlapping_role_assignments_can_be_destroyed_without_a_refresh() {
    assert_both_can_be_destroyed_without_a_refresh(&OVERLAPPING_ROLE_ASSIGNMENTS).await;
}

#[tokio::test]
async fn removing_one_of_two_overlapping_role_assignments_takes_no_role_from_the_other() {
    assert_removing_one_block_is_safe(&OVERLAPPING_ROLE_ASSIGNMENTS).await;
}

#[tokio::test]
async fn two_storage_auths_of_one_hub_are_refused() {
    assert_plan_is_refused(&STORAGE_AUTHS_OF_ONE_HUB).await;
}

#[tokio::test]
async fn one_of_two_storage_auths_of_one_hub_can_be_forgotten() {
    assert_one_can_be_forgotten(&STORAGE_AUTHS_OF_ONE_HUB).await;
}

#[tokio::test]
async fn two_storage_auths_of_one_hub_can_be_destroyed_without_a_refresh() {
    assert_both_can_be_destroyed_without_a_refresh(&STORAGE_AUTHS_OF_ONE_HUB).await;
}

#[tokio::test]
async fn removing_one_of_two_storage_auths_of_one_hub_restores_nothing_that_the_other_needs() {
    assert_removing_one_block_is_safe(&STORAGE_AUTHS_OF_ONE_HUB).await;
}
