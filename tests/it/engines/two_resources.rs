//! Two resource blocks for one hub or one role assignment, and blocks that were renamed or got another index, under
//! real engines. In whatever order an engine plans them, nobody who is still in the configuration loses anything, and
//! where that cannot be, the plan is an error that says what to write.

use crate::support::{
    engine::{Engine, Workspace, for_each_engine, for_each_engine_that},
    hcl::{import_by_id, moved, removed},
};

use super::engine_bed::{
    ALICE, BLOB_CONTRIBUTOR, EngineBed, FILE_CONTRIBUTOR, KEYLESS, NOTHING, ORDERS, ORDERS_AND_REFRESHES,
    ROLE_ASSIGNMENT_ADDRESS, Repeat, STORAGE_AUTH_ADDRESS, WITH_KEYS, role_assignments,
};

const PAIR: [&str; 2] = [FILE_CONTRIBUTOR, BLOB_CONTRIBUTOR];

/// The contributor roles of all these people, by `for_each`.
fn for_each(name: &str, people: &[String], target: &str) -> String {
    role_assignments(name, Repeat::ForEach, people, target)
}

/// Planning this is an error with these texts, in every order, with a refresh and without; and nothing is written.
async fn assert_plan_is_refused(bed: &EngineBed, workspace: &Workspace, config: &str, texts: &[&str]) {
    workspace.config(config);
    bed.writes();
    for order in ORDERS_AND_REFRESHES {
        let planned = workspace.plan(order).await.exits(1);
        texts.iter().fold(planned, |planned, text| planned.says(text));
    }
    assert_eq!(bed.writes(), NOTHING);
}

/// Applying this in this order writes nothing to Azure, and the next plan is empty.
async fn assert_apply_writes_nothing(bed: &EngineBed, workspace: &Workspace, config: &str, order: &[&str]) {
    workspace.config(config);
    bed.writes();
    workspace.apply(order).await.succeeded();
    assert_eq!(bed.writes(), NOTHING, "{config}");
    workspace.plan(&[]).await.exits(0);
}

#[tokio::test]
async fn two_blocks_that_grant_one_role_are_refused_and_one_block_for_the_account_outlives_a_removed_hub() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let (hub2, people) = (bed.another_hub("hub2"), bed.people(9));
        let workspace = bed.workspace(engine, "");
        let of = |hub: &str| format!("hub_id = \"{hub}\"");
        let both = for_each("first", &people, &of(&bed.hub)) + &for_each("second", &people, &of(&hub2));
        let twice = "Two resources assign the same role";
        assert_plan_is_refused(&bed, &workspace, &both, &[twice, "workspaces/hub1|", "workspaces/hub2|"]).await;
        let works = bed.role_assignment();
        let data =
            works.replace("\"alice\"", "\"data\"").replace("access       = \"contributor\"", "scenario = \"own_data\"");
        assert_plan_is_refused(&bed, &workspace, &(works + &data), &[twice, "|contributor", "|own_data"]).await;

        // One block for the account, with both hubs beside it; then one hub is removed.
        let once = for_each("all", &people, &format!("storage_account_id = \"{}\"", bed.account));
        let hubs = [&bed.hub, &hub2].map(|hub| bed.storage_auth("access_check = \"off\"").replace(&bed.hub, hub));
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

/// The ids of both hubs are known at the apply only.
#[tokio::test]
async fn two_blocks_found_at_apply_to_grant_one_role_are_an_error_and_nobody_loses_the_role() {
    for_each_engine(async |engine| {
        for order in ORDERS {
            let bed = EngineBed::new().await;
            let (hub2, people) = (bed.another_hub("hub2"), bed.people(3));
            let hubs =
                format!("resource \"terraform_data\" \"hubs\" {{\n  input = [\"{}\", \"{hub2}\"]\n}}\n", bed.hub);
            let of = |at: usize| format!("hub_id = terraform_data.hubs.output[{at}]");
            let (first, second) = (for_each("first", &people, &of(0)), for_each("second", &people, &of(1)));
            let both = [hubs.as_str(), &first, &second].concat();
            let workspace = bed.workspace(engine, &both);
            workspace.plan(order).await.exits(2);
            workspace.apply_planned().await.exits(1).says("Two resources assign the same role");
            people.iter().for_each(|person| assert_eq!(bed.held(person), PAIR, "{person}"));
            assert_eq!(bed.sent("DELETE"), 0);

            // The block that was applied first for a person keeps the roles.
            bed.writes();
            let once = [hubs.as_str(), &first].concat();
            workspace.config(&once);
            for refresh in [&["-refresh=false"][..], &[]] {
                let applied = workspace.apply(&[refresh, order].concat()).await;
                people.iter().for_each(|person| assert_eq!(bed.held(person), PAIR, "{person}: {applied}"));
                assert_eq!(bed.writes(), NOTHING);
            }
            let state = workspace.state().await;
            let addresses = state.iter().filter_map(|resource| resource["address"].as_str());
            let of_second = addresses.filter(|address| address.contains(".second["));
            let moves = of_second.map(|address| moved(address, &address.replace(".second[", ".first[")));
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
async fn a_role_assignment_of_another_state_is_continued_with_a_warning_and_can_be_forgotten_there() {
    for_each_engine_that(Engine::knows_removed_blocks, async |engine| {
        let bed = EngineBed::new().await;
        let ours = bed.applied(engine, &bed.role_assignment()).await;
        let names = || bed.emulator.assignments().into_iter().map(|found| found.name).collect::<Vec<_>>();
        let (before, theirs) = (names(), bed.workspace(engine, &bed.role_assignment()));
        theirs.plan(&[]).await.exits(2).says("Existing role assignments are taken over");
        theirs.apply_planned().await.succeeded();
        ours.config(&removed(ROLE_ASSIGNMENT_ADDRESS));
        ours.apply(&[]).await.succeeded();
        assert_eq!((bed.sent("DELETE"), names()), (0, before));
        theirs.plan(&[]).await.exits(0);
        theirs.destroy(&[]).await.succeeded();
        assert_eq!(bed.held(ALICE), NOTHING);
    })
    .await;
}

#[tokio::test]
async fn a_storage_auth_block_that_is_renamed_or_doubled_is_refused_with_the_block_to_write() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let keyless = bed.keyless("");
        let again = |name: &str| keyless.replace("\"hub\"", &format!("\"{name}\""));
        let keyed = |key: &str| keyless.replace("\"hub\" {", &format!("\"hub\" {{\n  for_each = toset([\"{key}\"])"));
        let twice = keyless.clone() + &again("again");
        let workspace = bed.workspace(engine, "");
        assert_plan_is_refused(&bed, &workspace, &twice, &["Two resources for one hub", "removed {"]).await;
        workspace.config(&keyless);
        workspace.apply(&[]).await.succeeded();
        assert_plan_is_refused(&bed, &workspace, &twice, &["Two resources for one hub", "removed {"]).await;

        let (renamed, says) = (again("renamed"), ["One hub is destroyed and created in one plan", "moved {"]);
        assert_plan_is_refused(&bed, &workspace, &renamed, &says).await;
        workspace.destroy(&[]).await.exits(1).says("run destroy with -refresh=false");
        assert_apply_writes_nothing(
            &bed,
            &workspace,
            &(renamed + &moved(STORAGE_AUTH_ADDRESS, "foundryhub_storage_auth.renamed")),
            &[],
        )
        .await;
        let (a, b) = ("foundryhub_storage_auth.hub[\"a\"]", "foundryhub_storage_auth.hub[\"b\"]");
        let to_a = keyed("a") + &moved("foundryhub_storage_auth.renamed", a);
        assert_apply_writes_nothing(&bed, &workspace, &to_a, &["-parallelism=1"]).await;
        assert_plan_is_refused(&bed, &workspace, &keyed("b"), &says).await;
        assert_apply_writes_nothing(&bed, &workspace, &(keyed("b") + &moved(a, b)), &[]).await;

        // The error's way to destroy: without a refresh.
        workspace.config(&keyed("a"));
        workspace.destroy(&["-refresh=false"]).await.succeeded();
        assert_eq!(bed.settings(), WITH_KEYS);
        assert!(workspace.state().await.is_empty());
    })
    .await;
}

/// An object that an import has put into the state under a second address.
struct ImportedTwice {
    /// The block that has created the object, and the second one for it.
    blocks: [String; 2],
    /// The address of the second block.
    second: &'static str,
    id: String,
    /// What a plan with both blocks says, and one without the second, unless the removal is planned after the object
    /// that stays.
    refusals: [&'static str; 2],
}

/// The second object can be forgotten by a `removed` block or `state rm`, and both can be destroyed.
async fn assert_second_import_can_be_undone(engine: &'static Engine, object: impl Fn(&EngineBed) -> ImportedTwice) {
    for order in ORDERS {
        let bed = EngineBed::new().await;
        let before = bed.in_azure();
        let ImportedTwice { blocks: [first, again], second, id, refusals } = object(&bed);
        let both = first.clone() + &again;
        let workspace = bed.applied(engine, &first).await;
        let applied = bed.in_azure();
        let import_second = async || {
            workspace.config(&both);
            workspace.import(second, &id).await.succeeded();
        };

        import_second().await;
        workspace.plan(order).await.exits(1).says(refusals[0]).says("removed {");
        // Removing the block is an error with the same advice, unless the destroy is planned after the object that
        // stays.
        bed.writes();
        workspace.config(&first);
        let planned = workspace.plan(order).await;
        if planned.code != Some(2) {
            planned.exits(1).says(refusals[1]).says("removed {");
        }
        assert_apply_writes_nothing(&bed, &workspace, &(first.clone() + &removed(second)), order).await;
        assert_eq!(bed.in_azure(), applied);

        import_second().await;
        workspace.run(&["state", "rm", second]).await.succeeded();
        workspace.config(&first);
        workspace.plan(order).await.exits(0);

        import_second().await;
        workspace.destroy(&[&["-refresh=false"], order].concat()).await.succeeded();
        assert_eq!(bed.in_azure(), before);
        assert!(workspace.state().await.is_empty());
    }
}

#[tokio::test]
async fn a_second_import_of_a_hub_is_refused_until_one_object_is_forgotten_or_both_are_destroyed() {
    for_each_engine_that(Engine::knows_removed_blocks, async |engine| {
        assert_second_import_can_be_undone(engine, |bed| ImportedTwice {
            blocks: [bed.keyless(""), bed.keyless("").replace("\"hub\"", "\"again\"")],
            second: "foundryhub_storage_auth.again",
            id: bed.hub.clone(),
            refusals: ["Two resources for one hub", "One hub is kept and destroyed in one plan"],
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_second_import_of_a_role_assignment_is_refused_until_one_object_is_forgotten_or_both_are_destroyed() {
    for_each_engine_that(Engine::knows_removed_blocks, async |engine| {
        assert_second_import_can_be_undone(engine, |bed| ImportedTwice {
            blocks: [bed.role_assignment(), bed.role_assignment().replace("\"alice\"", "\"again\"")],
            second: "foundryhub_role_assignment.again",
            id: format!("{}|{ALICE}|contributor", bed.hub),
            refusals: ["Two resources assign the same role", "A role assignment is kept and deleted in one plan"],
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn replacing_tainting_reimporting_or_moving_a_storage_auth_writes_nothing() {
    for_each_engine_that(Engine::knows_removed_blocks, async |engine| {
        let bed = EngineBed::new().await;
        let keyless = bed.keyless("");
        let workspace = bed.applied(engine, &keyless).await;
        let original =
            workspace.in_state(STORAGE_AUTH_ADDRESS).await.expect("the object")["values"]["original"].clone();
        let replace = format!("-replace={STORAGE_AUTH_ADDRESS}");
        for order in ORDERS {
            assert_apply_writes_nothing(&bed, &workspace, &keyless, &[&[replace.as_str()], order].concat()).await;
            workspace.run(&["taint", STORAGE_AUTH_ADDRESS]).await.succeeded();
            assert_apply_writes_nothing(&bed, &workspace, &keyless, order).await;
            let kept = workspace.in_state(STORAGE_AUTH_ADDRESS).await.expect("the object");
            assert_eq!((&kept["values"]["original"], kept.get("tainted")), (&original, None));
            workspace.plan(&[&["-refresh-only"], order].concat()).await.exits(0);
            workspace.plan(&[&["-destroy"], order].concat()).await.exits(2);
        }
        for order in ORDERS {
            let first = bed.keyless("lifecycle { create_before_destroy = true }");
            assert_apply_writes_nothing(&bed, &workspace, &first, &[&[replace.as_str()], order].concat()).await;
            workspace.run(&["state", "rm", STORAGE_AUTH_ADDRESS]).await.succeeded();
            let imported = keyless.clone() + &import_by_id(STORAGE_AUTH_ADDRESS, &bed.hub);
            assert_apply_writes_nothing(&bed, &workspace, &imported, order).await;
            let renamed = keyless.replace("\"hub\"", "\"renamed\"");
            assert_apply_writes_nothing(&bed, &workspace, &(renamed + &removed(STORAGE_AUTH_ADDRESS)), order).await;
            let back = keyless.clone() + &moved("foundryhub_storage_auth.renamed", STORAGE_AUTH_ADDRESS);
            assert_apply_writes_nothing(&bed, &workspace, &back, order).await;
        }
        assert_eq!(bed.settings(), KEYLESS);
    })
    .await;
}

/// Takes the first person out of a `count`, so that every other one gets the index before.
async fn remove_first_of_count(engine: &'static Engine, imported: bool) {
    for order in ORDERS {
        let bed = EngineBed::new().await;
        let (people, target) = (bed.people(3), format!("hub_id = \"{}\"", bed.hub));
        let by_count = |people: &[String]| role_assignments("all", Repeat::Count, people, &target);
        let workspace = bed.workspace(engine, &by_count(&people));
        if imported {
            for (at, person) in people.iter().enumerate() {
                bed.seed_contributor(person);
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

        let (leaves, stay) = people.split_first().expect("three people");
        workspace.config(&by_count(stay));
        let applied = workspace.apply(order).await;
        all_hold(stay);
        if imported {
            applied.exits(1).says("This state already has the role assignment").says("moved {").says("for_each");
            assert_eq!(bed.held(leaves), PAIR);
            // With for_each and moved blocks, as the error says, only the first person loses the roles.
            let moved_to_key = |at: usize, person: &str| {
                moved(
                    &format!("foundryhub_role_assignment.all[{at}]"),
                    &format!("foundryhub_role_assignment.all[\"{person}\"]"),
                )
            };
            bed.writes();
            workspace
                .config(&(for_each("all", stay, &target) + &moved_to_key(1, &stay[0]) + &moved_to_key(2, &stay[1])));
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
async fn only_the_person_removed_from_a_count_loses_the_roles() {
    for_each_engine(async |engine| {
        for imported in [false, true] {
            remove_first_of_count(engine, imported).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_renamed_role_assignment_block_keeps_its_roles_and_the_plan_writes_the_moved_block() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let workspace = bed.applied(engine, &bed.role_assignment()).await;
        let named = |name: &str| bed.role_assignment().replace("\"alice\"", &format!("\"{name}\""));
        let keyed =
            |name: &str, key: &str| named(name).replace("{\n", &format!("{{\n  for_each = toset([\"{key}\"])\n"));
        // The provider derives a role assignment's name from the block's arguments, so that the new object has it too.
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
        let back = named("alice") + &moved("foundryhub_role_assignment.keyed[\"b1\"]", ROLE_ASSIGNMENT_ADDRESS);
        assert_apply_writes_nothing(&bed, &workspace, &back, &[]).await;
        workspace.destroy(&[]).await.succeeded();

        // A role assignment with a name from elsewhere is kept by a moved block only.
        bed.seed_contributor(ALICE);
        let id = format!("{}|{ALICE}|contributor", bed.hub);
        workspace.config(&bed.role_assignment());
        workspace.import(ROLE_ASSIGNMENT_ADDRESS, &id).await.succeeded();
        let says = ["This state already has the role assignment", "moved {"];
        assert_plan_is_refused(&bed, &workspace, &named("renamed"), &says).await;
        assert_plan_is_refused(&bed, &workspace, &keyed("alice", "a"), &says).await;
        let (a, b) = ("foundryhub_role_assignment.alice[\"a\"]", "foundryhub_role_assignment.alice[\"b\"]");
        assert_apply_writes_nothing(
            &bed,
            &workspace,
            &(keyed("alice", "a") + &moved(ROLE_ASSIGNMENT_ADDRESS, a)),
            &["-parallelism=1"],
        )
        .await;
        assert_plan_is_refused(&bed, &workspace, &keyed("alice", "b"), &says).await;
        assert_apply_writes_nothing(&bed, &workspace, &(keyed("alice", "b") + &moved(a, b)), &[]).await;
        workspace.config(&named("renamed"));
        workspace.destroy(&[]).await.exits(1).says("run destroy with -refresh=false");
        assert_eq!(bed.held(ALICE), PAIR);
        workspace.destroy(&["-refresh=false"]).await.succeeded();
        assert_eq!(bed.held(ALICE), NOTHING);
    })
    .await;
}
