//! `foundryhub_role_assignment` under real engines: what an engine makes of plans, failures and interruptions.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::support::{
    engine::{Workspace, for_each_engine},
    hcl::import,
    plugin::{Plugin, within},
};

use super::engine_bed::{
    ALICE, BLOB_CONTRIBUTOR, BLOB_READER, EngineBed, FILE_CONTRIBUTOR, FILE_READER, NOTHING, ROLE_ASSIGNMENT_ADDRESS,
    Repeat, role_assignments,
};

#[tokio::test]
async fn an_interrupted_create_is_completed_by_the_next_apply() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let rule = format!("PUT */roleAssignments/*?{FILE_CONTRIBUTOR} -> hold");
        let rule = bed.emulator.fault(rule.parse().unwrap());
        let workspace = bed.workspace(engine, &bed.role_assignment());
        let apply = workspace.start_apply(&[]);
        let second = bed.emulator.request_seen(|request| request.body.to_string().contains(FILE_CONTRIBUTOR));
        within("the second grant", second).await;
        apply.interrupt().await;
        apply.finish().await.exits(1).says("Interrupt received.");
        let kept = workspace.in_state(ROLE_ASSIGNMENT_ADDRESS).await.expect("what was begun in state");
        assert_eq!(kept["tainted"], true);
        assert!(kept["values"]["role_assignments"]["Storage Blob Data Contributor"]["id"].is_string(), "{kept}");

        bed.emulator.release(rule);
        workspace.apply(&[]).await.succeeded();
        assert_eq!(bed.held(ALICE), [FILE_CONTRIBUTOR, BLOB_CONTRIBUTOR]);
        assert_eq!(bed.sent("DELETE"), 0, "nobody lost a role in between");
        workspace.plan(&[]).await.exits(0);
        workspace.destroy(&[]).await.succeeded();
        assert_eq!(bed.held(ALICE), [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn a_create_that_fails_at_the_second_role_is_completed_by_the_next_apply() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let rule = format!("PUT */roleAssignments/*?{FILE_CONTRIBUTOR} -> denied");
        let rule = bed.emulator.fault(rule.parse().unwrap());
        let workspace = bed.workspace(engine, &bed.role_assignment());
        workspace.apply(&[]).await.exits(1).says("AuthorizationFailed");
        assert_eq!(workspace.in_state(ROLE_ASSIGNMENT_ADDRESS).await.unwrap()["tainted"], true);
        assert_eq!(bed.held(ALICE), [BLOB_CONTRIBUTOR]);

        bed.emulator.release(rule);
        workspace.apply(&[]).await.succeeded();
        assert_eq!(bed.held(ALICE), [FILE_CONTRIBUTOR, BLOB_CONTRIBUTOR]);
        assert_eq!(bed.sent("DELETE"), 0, "nobody lost a role in between");
        workspace.plan(&[]).await.exits(0);
    })
    .await;
}

#[tokio::test]
async fn a_role_assignment_deleted_by_others_is_drift_and_created_again() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let workspace = bed.workspace(engine, &bed.role_assignment());
        workspace.plan(&[]).await.exits(2).says("Plan: 1 to add, 0 to change, 0 to destroy.");
        workspace.apply_planned().await.succeeded();
        workspace.plan(&[]).await.exits(0);
        // A list may leave out a new assignment, so that a missing one counts as deleted only if it is older.
        bed.emulator.advance(Duration::from_secs(600));

        let taken = bed.emulator.assignments().into_iter().find(|found| found.role == FILE_CONTRIBUTOR).unwrap();
        assert!(bed.emulator.remove_assignment(&taken.name));
        let shown = "- \"Storage File Data Privileged Contributor\" = {";
        workspace.plan(&["-refresh-only"]).await.exits(2).says(shown);
        workspace.plan(&[]).await.exits(2).says("Plan: 0 to add, 1 to change, 0 to destroy.");
        workspace.apply_planned().await.succeeded();
        assert_eq!(bed.held(ALICE), [FILE_CONTRIBUTOR, BLOB_CONTRIBUTOR]);
        workspace.plan(&["-refresh-only"]).await.exits(0);
        workspace.plan(&[]).await.exits(0);
    })
    .await;
}

#[tokio::test]
async fn a_description_changed_by_others_is_drift_and_written_again() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let described = |text: &str| bed.role_assignment().replace("\n}", &format!("\n  description = \"{text}\"\n}}"));
        let workspace = bed.applied(engine, &described("ours")).await;
        // Somebody else applies the same block with another state.
        bed.workspace(engine, &described("theirs")).apply(&[]).await.succeeded();
        bed.writes();

        workspace.plan(&["-refresh-only"]).await.exits(2).says("\"ours\" -> \"theirs\"");
        workspace.plan(&[]).await.exits(2).says("Plan: 0 to add, 1 to change, 0 to destroy.");
        workspace.apply_planned().await.succeeded();
        assert_eq!(bed.writes(), ["PUT role", "PUT role"]);
        workspace.plan(&["-refresh-only"]).await.exits(0);
        assert!(bed.emulator.assignments().iter().all(|found| found.description.as_deref() != Some("theirs")));
    })
    .await;
}

/// The roles that one person holds after each write that the emulator has seen, in order.
fn held_over_time(bed: &EngineBed, principal: &str) -> Vec<BTreeSet<String>> {
    let (mut held, mut over_time) = (BTreeMap::new(), Vec::new());
    for request in bed.emulator.arm_requests() {
        let Some((_, name)) = request.path.rsplit_once("/roleAssignments/") else { continue };
        let properties = &request.body["properties"];
        match request.method.as_str() {
            "PUT" if properties["principalId"] == principal => {
                let role = properties["roleDefinitionId"].as_str().and_then(|id| id.rsplit('/').next());
                held.insert(name.to_owned(), role.expect("the id of a role").to_owned());
            }
            "DELETE" => _ = held.remove(name).expect("a grant of this person's"),
            _ => continue,
        }
        assert!(matches!(request.status, Some(200 | 201)), "{request:?}");
        over_time.push(held.values().cloned().collect());
    }
    over_time
}

#[tokio::test]
async fn a_change_between_reader_and_contributor_never_takes_the_right_to_read() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let reader = bed.role_assignment().replace("\"contributor\"", "\"reader\"");
        let workspace = bed.workspace(engine, "");
        for config in [bed.role_assignment(), reader, bed.role_assignment()] {
            workspace.config(&config);
            workspace.apply(&[]).await.succeeded();
        }
        let over_time = held_over_time(&bed, ALICE);
        assert_eq!(over_time.len(), 10, "two grants, and two more and two less for each change: {over_time:?}");
        for held in &over_time[1..] {
            let reads = |roles: [&str; 2]| roles.iter().any(|role| held.contains(*role));
            assert!(reads([BLOB_CONTRIBUTOR, BLOB_READER]), "blobs, with {held:?}");
            assert!(reads([FILE_CONTRIBUTOR, FILE_READER]), "files, with {held:?}");
        }
        assert_eq!(bed.held(ALICE), [FILE_CONTRIBUTOR, BLOB_CONTRIBUTOR]);
    })
    .await;
}

#[tokio::test]
async fn removing_one_person_from_a_for_each_or_count_keeps_the_roles_of_the_others() {
    for_each_engine(async |engine| {
        for repeat in [Repeat::ForEach, Repeat::Count] {
            let bed = EngineBed::new().await;
            let (people, target) = (bed.people(12), format!("hub_id = \"{}\"", bed.hub));
            let config = |people: &[String]| role_assignments("all", repeat, people, &target);
            let workspace = bed.applied(engine, &config(&people)).await;
            assert_eq!(bed.writes(), ["PUT role"; 24]);
            workspace.plan(&[]).await.exits(0);

            let (leaves, stay) = people.split_first().expect("twelve people");
            workspace.config(&config(stay));
            workspace.apply(&[]).await.succeeded();
            let writes = bed.writes();
            let deletes = writes.iter().filter(|write| *write == "DELETE role").count();
            if repeat == Repeat::ForEach {
                assert_eq!(writes, ["DELETE role"; 2]);
            } else {
                // Every instance gets the next person. What this run has created it does not delete.
                assert_eq!(writes.len() - deletes, 22);
                assert!((2..=24).contains(&deletes), "{deletes}");
            }
            assert_eq!(bed.held(leaves), NOTHING);
            for person in stay {
                assert_eq!(bed.held(person), [FILE_CONTRIBUTOR, BLOB_CONTRIBUTOR], "{person}");
            }
            workspace.plan(&[]).await.exits(0);
        }
    })
    .await;
}

#[tokio::test]
async fn existing_role_assignments_are_imported_by_command_and_by_block_and_plan_empty() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let id = format!("{}|{ALICE}|contributor", bed.hub);
        let workspace = bed.applied(engine, &bed.role_assignment()).await;
        assert_eq!(workspace.in_state(ROLE_ASSIGNMENT_ADDRESS).await.unwrap()["values"]["id"], id);
        let writes = bed.sent("PUT");

        workspace.run(&["state", "rm", ROLE_ASSIGNMENT_ADDRESS]).await.succeeded();
        workspace.import(ROLE_ASSIGNMENT_ADDRESS, &id).await.succeeded();
        workspace.plan(&[]).await.exits(0);

        let by_identity = format!(
            "identity = {{\n    scope        = \"{}\"\n    principal_id = \"{ALICE}\"\n    role         = \"contributor\"\n  }}",
            bed.account
        );
        // An identity has the account as its scope, and the configuration names it, too.
        let on_account = bed.role_assignment().replace("hub_id", "storage_account_id").replace(&bed.hub, &bed.account);
        let ways = [(bed.role_assignment(), format!("id = \"{id}\"")), (on_account, by_identity)];
        for (config, source) in ways.into_iter().take(if engine.knows_identities() { 2 } else { 1 }) {
            workspace.run(&["state", "rm", ROLE_ASSIGNMENT_ADDRESS]).await.succeeded();
            workspace.config(&(config + &import(ROLE_ASSIGNMENT_ADDRESS, &source)));
            let planned = workspace.plan(&[]).await.exits(2);
            planned.says("Plan: 1 to import, 0 to add, 0 to change, 0 to destroy.");
            workspace.apply_planned().await.succeeded();
            workspace.plan(&[]).await.exits(0);
        }
        assert_eq!(bed.sent("PUT"), writes, "an import changes nothing");
    })
    .await;
}

#[tokio::test]
async fn one_process_in_debug_mode_serves_several_commands() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let environment = bed.emulator.environment();
        let launch = environment.iter().fold(Plugin::launch().debug(), |launch, (name, value)| launch.env(name, value));
        let mut plugin = launch.start().await;
        let workspace = Workspace::attached(engine, &plugin);
        workspace.config(&bed.role_assignment());
        workspace.apply(&[]).await.succeeded();
        workspace.plan(&[]).await.exits(0);
        workspace.destroy(&[]).await.succeeded();
        assert_eq!(bed.held(ALICE), [""; 0]);
        plugin.signal("INT").await;
        assert!(plugin.exited().await.success());
    })
    .await;
}
