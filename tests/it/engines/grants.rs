//! `foundryhub_role_assignment` under real engines: what an engine makes of plans, failures and interruptions.

use std::time::Duration;

use crate::support::{
    engine::{Workspace, for_each_engine},
    plugin::{Plugin, within},
};

use super::bed::{ALICE, BLOB_CONTRIBUTOR, Bed, FILE_CONTRIBUTOR};

const ADDRESS: &str = "foundryhub_role_assignment.alice";

#[tokio::test]
async fn a_grant_that_is_interrupted_is_taken_up_by_the_next_apply() {
    for_each_engine(async |engine| {
        let bed = Bed::new().await;
        let rule = format!("PUT */roleAssignments/*?{FILE_CONTRIBUTOR} -> hold");
        let rule = bed.emulator.fault(rule.parse().unwrap());
        let workspace = bed.workspace(engine, &bed.grant());
        let apply = workspace.start_apply(&[]);
        let second = bed.emulator.request_seen(|request| request.body.to_string().contains(FILE_CONTRIBUTOR));
        within("the second grant", second).await;
        apply.interrupt().await;
        apply.finish().await.exits(1).says("Interrupt received.");
        let kept = workspace.in_state(ADDRESS).await.expect("what was begun in state");
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
async fn a_grant_that_fails_half_way_is_healed_by_the_next_apply() {
    for_each_engine(async |engine| {
        let bed = Bed::new().await;
        let rule = format!("PUT */roleAssignments/*?{FILE_CONTRIBUTOR} -> denied");
        let rule = bed.emulator.fault(rule.parse().unwrap());
        let workspace = bed.workspace(engine, &bed.grant());
        workspace.apply(&[]).await.exits(1).says("AuthorizationFailed");
        assert_eq!(workspace.in_state(ADDRESS).await.unwrap()["tainted"], true);
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
async fn a_role_that_somebody_took_away_is_drift_and_given_again() {
    for_each_engine(async |engine| {
        let bed = Bed::new().await;
        let workspace = bed.workspace(engine, &bed.grant());
        workspace.plan(&[]).await.exits(2).says("Plan: 1 to add, 0 to change, 0 to destroy.");
        workspace.apply_planned().await.succeeded();
        workspace.plan(&[]).await.exits(0);
        // A list may leave out what was just made, so an assignment is not missed before it is old.
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
async fn grants_that_are_there_are_imported_by_command_and_by_block_and_need_no_change() {
    for_each_engine(async |engine| {
        let bed = Bed::new().await;
        let id = format!("{}|{ALICE}|contributor", bed.hub);
        let workspace = bed.workspace(engine, &bed.grant());
        workspace.apply(&[]).await.succeeded();
        assert_eq!(workspace.in_state(ADDRESS).await.unwrap()["values"]["id"], id);
        let writes = bed.sent("PUT");

        workspace.run(&["state", "rm", ADDRESS]).await.succeeded();
        workspace.import(ADDRESS, &id).await.succeeded();
        workspace.plan(&[]).await.exits(0);

        let by_identity = format!(
            "identity = {{\n    scope        = \"{}\"\n    principal_id = \"{ALICE}\"\n    role         = \"contributor\"\n  }}",
            bed.account
        );
        // An identity names the account, and so does a configuration that is to agree with it.
        let on_account = bed.grant().replace("hub_id", "storage_account_id").replace(&bed.hub, &bed.account);
        let ways = [(bed.grant(), format!("id = \"{id}\"")), (on_account, by_identity)];
        for (config, way) in ways.into_iter().take(if engine.knows_identities() { 2 } else { 1 }) {
            workspace.run(&["state", "rm", ADDRESS]).await.succeeded();
            workspace.config(&format!("{config}import {{\n  to = {ADDRESS}\n  {way}\n}}\n"));
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
async fn one_process_serves_command_after_command_when_attached_to() {
    for_each_engine(async |engine| {
        let bed = Bed::new().await;
        let environment = bed.emulator.environment();
        let launch = environment.iter().fold(Plugin::launch().debug(), |launch, (name, value)| launch.env(name, value));
        let mut plugin = launch.start().await;
        let workspace = Workspace::attached(engine, &plugin);
        workspace.config(&bed.grant());
        workspace.apply(&[]).await.succeeded();
        workspace.plan(&[]).await.exits(0);
        workspace.destroy(&[]).await.succeeded();
        assert_eq!(bed.held(ALICE), [""; 0]);
        plugin.signal("INT").await;
        assert!(plugin.exited().await.success());
    })
    .await;
}
