//! Role assignments that come from elsewhere or become something else, under real engines: `moved` from other providers,
//! configuration written by the engine, changes of what the identity says.

use std::fs;

use serde_json::{Value, json};

use crate::support::engine::for_each_engine;

use super::{
    engine_bed::{ALICE, BLOB_CONTRIBUTOR, BLOB_READER, BOB, EngineBed, FILE_CONTRIBUTOR, GRANT_ADDRESS},
    peers::Peer,
};

#[tokio::test]
async fn a_peers_role_assignment_is_moved_here_and_needs_no_change() {
    for_each_engine(async |engine| {
        for peer in [
            Peer {
                file: "azurerm-4-role-assignment.json",
                type_name: "azurerm_role_assignment",
                provider: "hashicorp/azurerm",
            },
            Peer { file: "azapi-2-role-assignment.json", type_name: "azapi_resource", provider: "azure/azapi" },
        ] {
            let bed = EngineBed::new().await;
            let name = bed.emulator.seed_assignment(&bed.account, ALICE, "Storage Blob Data Reader");
            let config = format!(
                "resource \"foundryhub_role_assignment\" \"alice\" {{\n  \
                   storage_account_id   = \"{}\"\n  principal_id         = \"{ALICE}\"\n  \
                   role_definition_name = \"Storage Blob Data Reader\"\n\
                 }}\nmoved {{\n  from = {}.old\n  to   = {GRANT_ADDRESS}\n}}\n",
                bed.account, peer.type_name
            );
            let workspace = peer.workspace(&bed, engine, &config, &name);
            let planned = workspace.plan(&[]).await;
            planned.says("has moved to").says("Plan: 0 to add, 0 to change, 0 to destroy.");
            workspace.apply_planned().await.succeeded();
            workspace.plan(&[]).await.exits(0);
            assert_eq!((bed.sent("PUT"), bed.sent("DELETE")), (0, 0));
            workspace.destroy(&[]).await.succeeded();
            assert_eq!(bed.held(ALICE), [""; 0]);
        }
    })
    .await;
}

#[tokio::test]
async fn configuration_that_the_engine_writes_for_an_import_needs_no_change() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        bed.emulator.seed_assignment(&bed.account, ALICE, "Storage Blob Data Contributor");
        bed.emulator.seed_assignment(&bed.account, ALICE, "Storage File Data Privileged Contributor");
        for id in [format!("{}|{ALICE}|contributor", bed.hub), format!("{}|{ALICE}|{BLOB_CONTRIBUTOR}", bed.account)] {
            let workspace = bed.workspace(engine, &format!("import {{\n  to = {GRANT_ADDRESS}\n  id = \"{id}\"\n}}\n"));
            let planned = workspace.plan(&["-generate-config-out=generated.tf"]).await.exits(2);
            planned.says("Plan: 1 to import, 0 to add, 0 to change, 0 to destroy.");
            workspace.apply(&[]).await.succeeded();
            workspace.plan(&[]).await.exits(0);
        }
        assert_eq!((bed.sent("PUT"), bed.sent("DELETE")), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn roles_and_target_change_in_place_although_the_identity_names_them() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let workspace = bed.workspace(engine, &bed.grant());
        workspace.apply(&[]).await.succeeded();
        let group = bed.account.split("/providers/").next().unwrap_or_default();
        let reader = bed.grant().replace("\"contributor\"", "\"reader\"");
        let elsewhere = reader.replace("hub_id", "scope").replace(&bed.hub, group);
        for config in [reader, elsewhere] {
            workspace.config(&config);
            workspace.plan(&[]).await.exits(2).says("Plan: 0 to add, 1 to change, 0 to destroy.");
            workspace.apply_planned().await.succeeded();
            workspace.plan(&[]).await.exits(0);
        }
        assert!(bed.held(ALICE).contains(&BLOB_READER.to_owned()));
        assert!(
            bed.emulator
                .assignments()
                .iter()
                .filter(|found| found.principal_id == ALICE)
                .all(|found| found.scope == group)
        );
    })
    .await;
}

#[tokio::test]
async fn a_replacement_takes_no_role_away() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let workspace = bed.workspace(engine, &bed.grant());
        workspace.apply(&[]).await.succeeded();
        workspace.apply(&[&format!("-replace={GRANT_ADDRESS}")]).await.succeeded();
        let first = bed.grant().replace("\n}\n", "\n  lifecycle {\n    create_before_destroy = true\n  }\n}\n");
        workspace.config(&first);
        workspace.apply(&[&format!("-replace={GRANT_ADDRESS}")]).await.succeeded();
        assert_eq!(bed.sent("DELETE"), 0);
        assert_eq!(bed.held(ALICE), [FILE_CONTRIBUTOR, BLOB_CONTRIBUTOR]);
        workspace.plan(&[]).await.exits(0);
    })
    .await;
}

/// The object of the first run is put back into the state as one that a later run replaced and could not remove.
#[tokio::test]
async fn what_is_removed_in_a_later_run_than_it_was_replaced_in_leaves_its_successor_alone() {
    for_each_engine(async |engine| {
        for same_principal in [true, false] {
            let bed = EngineBed::new().await;
            let first = bed.grant().replace("\n}\n", "\n  lifecycle {\n    create_before_destroy = true\n  }\n}\n");
            let workspace = bed.workspace(engine, &first);
            workspace.apply(&[]).await.succeeded();
            let file = workspace.path().join("terraform.tfstate");
            let read = || serde_json::from_slice::<Value>(&fs::read(&file).expect("a state")).expect("JSON");
            let mut deposed = read()["resources"][0]["instances"][0].clone();
            deposed["deposed"] = json!("0badc0de");
            if same_principal {
                workspace.apply(&[&format!("-replace={GRANT_ADDRESS}")]).await.succeeded();
            } else {
                // The old one is let go of, and what it made stays as if its removal had failed.
                workspace.run(&["state", "rm", GRANT_ADDRESS]).await.succeeded();
                bed.emulator.add_principal(BOB, "User");
                workspace.config(&first.replace(ALICE, BOB));
                workspace.apply(&[]).await.succeeded();
            }
            let mut state = read();
            state["serial"] = json!(state["serial"].as_i64().expect("a number") + 1);
            state["resources"][0]["instances"].as_array_mut().expect("instances").push(deposed);
            fs::write(&file, state.to_string()).expect("the state is written");

            let applied = workspace.apply(&[]).await.succeeded();
            workspace.plan(&[]).await.exits(0);
            if same_principal {
                applied.says("Role assignments stay for another resource");
                assert_eq!(bed.held(ALICE), [FILE_CONTRIBUTOR, BLOB_CONTRIBUTOR]);
            } else {
                assert_eq!(bed.held(ALICE), [""; 0]);
            }
        }
    })
    .await;
}
