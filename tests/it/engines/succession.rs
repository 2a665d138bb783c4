//! Objects that stand for the same thing in Azure, under real engines: two blocks for one hub or one role, and blocks that
//! were renamed or shifted. Whatever the order in which an engine comes to them, nobody who is still in the configuration
//! loses anything, and where that cannot be, the plan is an error with a way out that works.

use crate::support::engine::{Engine, Workspace, for_each_engine};

use super::engine_bed::{
    ALICE, AUTH_ADDRESS, BLIND_ORDERS, BLOB_CONTRIBUTOR, EngineBed, FILE_CONTRIBUTOR, GRANT_ADDRESS, KEYLESS, NOTHING,
    ORDERS, WITH_KEYS,
};

const PAIR: [&str; 2] = [FILE_CONTRIBUTOR, BLOB_CONTRIBUTOR];

/// So many people who are in the directory.
fn people(bed: &EngineBed, count: usize) -> Vec<String> {
    let people: Vec<_> = (10..10 + count).map(|n| format!("aaaaaaaa-0000-4000-8000-0000000000{n}")).collect();
    people.iter().for_each(|id| bed.emulator.add_principal(id, "User"));
    people
}

/// The pair of a contributor for all of them.
fn for_each_of(name: &str, people: &[String], target: &str) -> String {
    format!(
        "resource \"foundryhub_role_assignment\" \"{name}\" {{\n  for_each     = toset({people:?})\n  {target}\n  \
           principal_id = each.value\n  access       = \"contributor\"\n}}\n"
    )
}

fn moved(from: &str, to: &str) -> String {
    format!("moved {{\n  from = {from}\n  to   = {to}\n}}\n")
}

fn removed(from: &str) -> String {
    format!("removed {{\n  from = {from}\n  lifecycle {{\n    destroy = false\n  }}\n}}\n")
}

fn import(to: &str, id: &str) -> String {
    format!("import {{\n  to = {to}\n  id = \"{id}\"\n}}\n")
}

/// Every way to plan this is an error with these texts, and nothing is sent.
async fn is_refused(bed: &EngineBed, workspace: &Workspace, config: &str, texts: &[&str]) {
    workspace.config(config);
    bed.writes();
    for order in BLIND_ORDERS {
        let planned = workspace.plan(order).await.exits(1);
        texts.iter().fold(planned, |planned, text| planned.says(text));
    }
    assert_eq!(bed.writes(), NOTHING);
}

/// Applying this in either order sends nothing, and then nothing is left to do.
async fn changes_nothing(bed: &EngineBed, workspace: &Workspace, config: &str, order: &[&str]) {
    workspace.config(config);
    bed.writes();
    workspace.apply(order).await.succeeded();
    assert_eq!(bed.writes(), NOTHING, "{config}");
    workspace.plan(&[]).await.exits(0);
}

#[tokio::test]
async fn a_role_that_two_blocks_grant_is_refused_and_granted_once_for_the_account_it_stays() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let (hub2, people) = (bed.another_hub("hub2"), people(&bed, 9));
        let workspace = bed.workspace(engine, "");
        let of = |hub: &str| format!("hub_id = \"{hub}\"");
        let both = for_each_of("first", &people, &of(&bed.hub)) + &for_each_of("second", &people, &of(&hub2));
        let twice = "Two resources grant the same role";
        is_refused(&bed, &workspace, &both, &[twice, "workspaces/hub1|", "workspaces/hub2|"]).await;
        let works = bed.grant();
        let data =
            works.replace("\"alice\"", "\"data\"").replace("access       = \"contributor\"", "scenario = \"own_data\"");
        is_refused(&bed, &workspace, &(works + &data), &[twice, "|contributor", "|own_data"]).await;

        // Once for the account, and with the hubs coming and going beside it.
        let once = for_each_of("all", &people, &format!("storage_account_id = \"{}\"", bed.account));
        let hubs = [&bed.hub, &hub2].map(|hub| bed.auth("access_check = \"off\"").replace(&bed.hub, hub));
        let second = hubs[1].replace("\"hub\"", "\"second\"");
        workspace.config(&[once.as_str(), &hubs[0], &second].concat());
        workspace.plan(&[]).await.exits(2);
        workspace.apply_planned().await.succeeded();
        bed.writes();
        workspace.config(&[once.as_str(), &hubs[0]].concat());
        workspace.apply(&[]).await.succeeded();
        assert_eq!(bed.writes(), ["PATCH hub2 accesskey", "POST resyncKeys"]);
        people.iter().for_each(|person| assert_eq!(bed.held(person), PAIR, "{person}"));
        workspace.plan(&[]).await.exits(0);
    })
    .await;
}

/// What each of two hubs is, is known at the apply only.
#[tokio::test]
async fn a_role_that_turns_out_to_be_granted_twice_is_an_error_at_the_apply_and_nobody_loses_it() {
    for_each_engine(async |engine| {
        for order in ORDERS {
            let bed = EngineBed::new().await;
            let (hub2, people) = (bed.another_hub("hub2"), people(&bed, 3));
            let hubs =
                format!("resource \"terraform_data\" \"hubs\" {{\n  input = [\"{}\", \"{hub2}\"]\n}}\n", bed.hub);
            let of = |at: usize| format!("hub_id = terraform_data.hubs.output[{at}]");
            let (first, second) = (for_each_of("first", &people, &of(0)), for_each_of("second", &people, &of(1)));
            let both = [hubs.as_str(), &first, &second].concat();
            let workspace = bed.workspace(engine, &both);
            workspace.plan(order).await.exits(2);
            workspace.apply_planned().await.exits(1).says("Two resources grant the same role");
            people.iter().for_each(|person| assert_eq!(bed.held(person), PAIR, "{person}"));
            assert_eq!(bed.sent("DELETE"), 0);

            // Whichever block came first with a person keeps the roles, whatever is done about the other.
            bed.writes();
            let once = [hubs.as_str(), &first].concat();
            workspace.config(&once);
            for blind in [&["-refresh=false"][..], &[]] {
                let applied = workspace.apply(&[blind, order].concat()).await;
                people.iter().for_each(|person| assert_eq!(bed.held(person), PAIR, "{person}: {applied}"));
                assert_eq!(bed.writes(), NOTHING);
            }
            let state = workspace.state().await;
            let addresses = state.iter().filter_map(|resource| resource["address"].as_str());
            let came_first = addresses.filter(|address| address.contains(".second["));
            let moves = came_first.map(|address| moved(address, &address.replace(".second[", ".first[")));
            workspace.config(&(once + &moves.collect::<String>()));
            workspace.apply(order).await.succeeded();
            people.iter().for_each(|person| assert_eq!(bed.held(person), PAIR, "{person}"));
            assert_eq!(bed.sent("DELETE"), 0);
            workspace.plan(&[]).await.exits(0);
        }
    })
    .await;
}

#[tokio::test]
async fn a_block_that_another_state_has_is_continued_with_a_warning_and_can_be_let_go_of() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let ours = bed.workspace(engine, &bed.grant());
        ours.apply(&[]).await.succeeded();
        let names = || bed.emulator.assignments().into_iter().map(|found| found.name).collect::<Vec<_>>();
        let (before, theirs) = (names(), bed.workspace(engine, &bed.grant()));
        theirs.plan(&[]).await.exits(2).says("Existing role assignments are continued");
        theirs.apply_planned().await.succeeded();
        ours.config(&removed(GRANT_ADDRESS));
        ours.apply(&[]).await.succeeded();
        assert_eq!((bed.sent("DELETE"), names()), (0, before));
        theirs.plan(&[]).await.exits(0);
        theirs.destroy(&[]).await.succeeded();
        assert_eq!(bed.held(ALICE), NOTHING);
    })
    .await;
}

#[tokio::test]
async fn a_hub_that_is_renamed_or_there_twice_is_refused_with_the_block_to_write() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let keyless = bed.keyless("");
        let again = |name: &str| keyless.replace("\"hub\"", &format!("\"{name}\""));
        let keyed = |key: &str| keyless.replace("\"hub\" {", &format!("\"hub\" {{\n  for_each = toset([\"{key}\"])"));
        let twice = keyless.clone() + &again("again");
        let workspace = bed.workspace(engine, "");
        is_refused(&bed, &workspace, &twice, &["Two resources for one hub", "removed {"]).await;
        workspace.config(&keyless);
        workspace.apply(&[]).await.succeeded();
        is_refused(&bed, &workspace, &twice, &["Two resources for one hub", "removed {"]).await;

        let (renamed, says) = (again("renamed"), ["One hub is destroyed and created in one plan", "moved {"]);
        is_refused(&bed, &workspace, &renamed, &says).await;
        workspace.destroy(&[]).await.exits(1).says("run destroy with -refresh=false");
        changes_nothing(&bed, &workspace, &(renamed + &moved(AUTH_ADDRESS, "foundryhub_storage_auth.renamed")), &[])
            .await;
        let (a, b) = ("foundryhub_storage_auth.hub[\"a\"]", "foundryhub_storage_auth.hub[\"b\"]");
        let to_a = keyed("a") + &moved("foundryhub_storage_auth.renamed", a);
        changes_nothing(&bed, &workspace, &to_a, &["-parallelism=1"]).await;
        is_refused(&bed, &workspace, &keyed("b"), &says).await;
        changes_nothing(&bed, &workspace, &(keyed("b") + &moved(a, b)), &[]).await;

        // The two ways that the texts have: to destroy all, and to let go of one.
        workspace.config(&keyed("a"));
        workspace.destroy(&["-refresh=false"]).await.succeeded();
        assert_eq!(bed.settings(), WITH_KEYS);
        assert!(workspace.state().await.is_empty());
    })
    .await;
}

/// The state has two objects for one hub after an import.
#[tokio::test]
async fn one_of_two_objects_of_a_hub_is_let_go_of_or_both_are_destroyed() {
    for_each_engine(async |engine| {
        for order in ORDERS {
            let bed = EngineBed::new().await;
            let (again, second) = (bed.keyless("").replace("\"hub\"", "\"again\""), "foundryhub_storage_auth.again");
            let workspace = bed.workspace(engine, &bed.keyless(""));
            workspace.apply(&[]).await.succeeded();
            workspace.config(&(bed.keyless("") + &again));
            workspace.import(second, &bed.hub).await.succeeded();
            workspace.plan(order).await.exits(1).says("Two resources for one hub");
            // Taking the block out is an error with the same way out, unless the removal knows that the other one stays.
            bed.writes();
            workspace.config(&bed.keyless(""));
            let planned = workspace.plan(order).await;
            if planned.code != Some(2) {
                planned.exits(1).says("One hub is kept and destroyed in one plan").says("removed {");
            }
            changes_nothing(&bed, &workspace, &(bed.keyless("") + &removed(second)), order).await;

            workspace.config(&(bed.keyless("") + &again));
            workspace.import(second, &bed.hub).await.succeeded();
            workspace.run(&["state", "rm", second]).await.succeeded();
            workspace.config(&bed.keyless(""));
            workspace.plan(order).await.exits(0);

            workspace.config(&(bed.keyless("") + &again));
            workspace.import(second, &bed.hub).await.succeeded();
            workspace.destroy(&[&["-refresh=false"], order].concat()).await.succeeded();
            assert_eq!(bed.settings(), WITH_KEYS);
            assert!(workspace.state().await.is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn what_replaces_or_takes_over_a_hub_sends_nothing() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let keyless = bed.keyless("");
        let workspace = bed.workspace(engine, &keyless);
        workspace.apply(&[]).await.succeeded();
        let original = workspace.in_state(AUTH_ADDRESS).await.expect("the object")["values"]["original"].clone();
        let replace = format!("-replace={AUTH_ADDRESS}");
        for order in ORDERS {
            changes_nothing(&bed, &workspace, &keyless, &[&[replace.as_str()], order].concat()).await;
            workspace.run(&["taint", AUTH_ADDRESS]).await.succeeded();
            changes_nothing(&bed, &workspace, &keyless, order).await;
            let kept = workspace.in_state(AUTH_ADDRESS).await.expect("the object");
            assert_eq!((&kept["values"]["original"], kept.get("tainted")), (&original, None));
            workspace.plan(&[&["-refresh-only"], order].concat()).await.exits(0);
            workspace.plan(&[&["-destroy"], order].concat()).await.exits(2);
        }
        for order in ORDERS {
            let first = bed.keyless("lifecycle { create_before_destroy = true }");
            changes_nothing(&bed, &workspace, &first, &[&[replace.as_str()], order].concat()).await;
            workspace.run(&["state", "rm", AUTH_ADDRESS]).await.succeeded();
            changes_nothing(&bed, &workspace, &(keyless.clone() + &import(AUTH_ADDRESS, &bed.hub)), order).await;
            let renamed = keyless.replace("\"hub\"", "\"renamed\"");
            changes_nothing(&bed, &workspace, &(renamed + &removed(AUTH_ADDRESS)), order).await;
            let back = keyless.clone() + &moved("foundryhub_storage_auth.renamed", AUTH_ADDRESS);
            changes_nothing(&bed, &workspace, &back, order).await;
        }
        assert_eq!(bed.settings(), KEYLESS);
    })
    .await;
}

/// Grants by `count`, of which the first one is dropped.
async fn shifts(engine: &'static Engine, imported: bool) {
    for order in ORDERS {
        let bed = EngineBed::new().await;
        let people = people(&bed, 3);
        let target = format!("hub_id       = \"{}\"", bed.hub);
        let by_count = |people: &[String]| {
            format!(
                "locals {{\n  people = {people:?}\n}}\nresource \"foundryhub_role_assignment\" \"all\" {{\n  \
                   count        = length(local.people)\n  {target}\n  principal_id = local.people[count.index]\n  \
                   access       = \"contributor\"\n}}\n"
            )
        };
        let workspace = bed.workspace(engine, &by_count(&people));
        if imported {
            for (at, person) in people.iter().enumerate() {
                bed.emulator.seed_assignment(&bed.account, person, "Storage Blob Data Contributor");
                bed.emulator.seed_assignment(&bed.account, person, "Storage File Data Privileged Contributor");
                let (address, id) =
                    (format!("foundryhub_role_assignment.all[{at}]"), format!("{}|{person}|contributor", bed.hub));
                workspace.import(&address, &id).await.succeeded();
            }
            workspace.plan(&[]).await.exits(0);
        } else {
            workspace.apply(&[]).await.succeeded();
        }
        let all_hold =
            |people: &[String]| people.iter().for_each(|person| assert_eq!(bed.held(person), PAIR, "{person}"));

        // Every object becomes the next person's.
        let (leaves, stay) = people.split_first().expect("three people");
        workspace.config(&by_count(stay));
        let applied = workspace.apply(order).await;
        all_hold(stay);
        if imported {
            applied.exits(1).says("This state already holds the role").says("moved {").says("use for_each");
            assert_eq!(bed.held(leaves), PAIR);
            // By for_each and moved blocks, as the text says, only who leaves does.
            let to = |at: usize, person: &str| {
                moved(
                    &format!("foundryhub_role_assignment.all[{at}]"),
                    &format!("foundryhub_role_assignment.all[\"{person}\"]"),
                )
            };
            bed.writes();
            workspace.config(&(for_each_of("all", stay, &target) + &to(1, &stay[0]) + &to(2, &stay[1])));
            workspace.apply(order).await.succeeded();
            assert_eq!(bed.writes(), ["DELETE role"; 2]);
        } else {
            applied.succeeded();
        }
        assert_eq!(bed.held(leaves), NOTHING);
        all_hold(stay);
        workspace.plan(&[]).await.exits(0);
    }
}

#[tokio::test]
async fn who_is_dropped_from_a_count_is_the_only_one_to_lose_a_role() {
    for_each_engine(async |engine| {
        for imported in [false, true] {
            shifts(engine, imported).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_grant_that_is_renamed_keeps_its_roles_and_the_plan_writes_the_moved_block() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let workspace = bed.workspace(engine, &bed.grant());
        workspace.apply(&[]).await.succeeded();
        let named = |name: &str| bed.grant().replace("\"alice\"", &format!("\"{name}\""));
        let keyed =
            |name: &str, key: &str| named(name).replace("{\n", &format!("{{\n  for_each = toset([\"{key}\"])\n"));
        // Names of our own follow from what the block says, so that the new object has them, too.
        for (at, order) in ORDERS.into_iter().enumerate() {
            let configs =
                [named(&format!("renamed{at}")), keyed("keyed", &format!("a{at}")), keyed("keyed", &format!("b{at}"))];
            for config in configs {
                workspace.config(&config);
                workspace.plan(order).await.exits(2).says("moved {");
                workspace.apply_planned().await.succeeded();
                assert_eq!(bed.held(ALICE), PAIR, "{order:?}, {config}");
                workspace.plan(&[]).await.exits(0);
            }
        }
        let back = named("alice") + &moved("foundryhub_role_assignment.keyed[\"b1\"]", GRANT_ADDRESS);
        changes_nothing(&bed, &workspace, &back, &[]).await;
        workspace.destroy(&[]).await.succeeded();

        // Others are kept by a moved block only.
        bed.emulator.seed_assignment(&bed.account, ALICE, "Storage Blob Data Contributor");
        bed.emulator.seed_assignment(&bed.account, ALICE, "Storage File Data Privileged Contributor");
        let id = format!("{}|{ALICE}|contributor", bed.hub);
        workspace.config(&bed.grant());
        workspace.import(GRANT_ADDRESS, &id).await.succeeded();
        let says = ["This state already holds the role", "moved {"];
        is_refused(&bed, &workspace, &named("renamed"), &says).await;
        is_refused(&bed, &workspace, &keyed("alice", "a"), &says).await;
        let (a, b) = ("foundryhub_role_assignment.alice[\"a\"]", "foundryhub_role_assignment.alice[\"b\"]");
        changes_nothing(&bed, &workspace, &(keyed("alice", "a") + &moved(GRANT_ADDRESS, a)), &["-parallelism=1"]).await;
        is_refused(&bed, &workspace, &keyed("alice", "b"), &says).await;
        changes_nothing(&bed, &workspace, &(keyed("alice", "b") + &moved(a, b)), &[]).await;
        workspace.config(&named("renamed"));
        workspace.destroy(&[]).await.exits(1).says("run destroy with -refresh=false");
        assert_eq!(bed.held(ALICE), PAIR);
        workspace.destroy(&["-refresh=false"]).await.succeeded();
        assert_eq!(bed.held(ALICE), NOTHING);
    })
    .await;
}

/// The state has one assignment in two objects after an import.
#[tokio::test]
async fn one_of_two_objects_of_a_role_is_let_go_of_or_both_are_destroyed() {
    for_each_engine(async |engine| {
        for order in ORDERS {
            let bed = EngineBed::new().await;
            let (works, second) = (bed.grant(), "foundryhub_role_assignment.again");
            let again = works.replace("\"alice\"", "\"again\"");
            let id = format!("{}|{ALICE}|contributor", bed.hub);
            let workspace = bed.workspace(engine, &works);
            workspace.apply(&[]).await.succeeded();
            workspace.config(&(works.clone() + &again));
            workspace.import(second, &id).await.succeeded();
            workspace.plan(order).await.exits(1).says("Two resources grant the same role").says("removed {");
            bed.writes();
            workspace.config(&works);
            let planned = workspace.plan(order).await;
            if planned.code != Some(2) {
                planned.exits(1).says("A role is kept and removed in one plan").says("removed {");
            }
            changes_nothing(&bed, &workspace, &(works.clone() + &removed(second)), order).await;
            assert_eq!(bed.held(ALICE), PAIR);

            workspace.config(&(works.clone() + &again));
            workspace.import(second, &id).await.succeeded();
            workspace.run(&["state", "rm", second]).await.succeeded();
            workspace.config(&works);
            workspace.plan(order).await.exits(0);

            workspace.config(&(works.clone() + &again));
            workspace.import(second, &id).await.succeeded();
            workspace.destroy(&[&["-refresh=false"], order].concat()).await.succeeded();
            assert_eq!(bed.held(ALICE), NOTHING);
            assert!(workspace.state().await.is_empty());
        }
    })
    .await;
}
