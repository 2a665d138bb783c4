//! Role assignments under real engines that are moved from other providers, imported with generated configuration,
//! replaced or deposed, and updates of what is part of the identity.

use std::fs;

use serde_json::{Value, json};

use crate::support::{
    engine::{Engine, for_each_engine, for_each_engine_that},
    hcl::{import_by_id, moved},
};

use super::{
    engine_bed::{ALICE, BLOB_CONTRIBUTOR, BLOB_READER, BOB, EngineBed, FILE_CONTRIBUTOR, ROLE_ASSIGNMENT_ADDRESS},
    other_providers::ForeignObject,
};

#[tokio::test]
async fn a_role_assignment_of_azurerm_or_azapi_is_moved_and_plans_empty() {
    for_each_engine_that(Engine::knows_moves_between_types, async |engine| {
        for foreign in [
            ForeignObject {
                file: "azurerm-4-role-assignment.json",
                type_name: "azurerm_role_assignment",
                provider: "hashicorp/azurerm",
            },
            ForeignObject {
                file: "azapi-2-role-assignment.json",
                type_name: "azapi_resource",
                provider: "azure/azapi",
            },
        ] {
            let bed = EngineBed::new().await;
            let name = bed.emulator.seed_assignment(&bed.account, ALICE, "Storage Blob Data Reader");
            let config = format!(
                "resource \"foundryhub_role_assignment\" \"alice\" {{\n  \
                   storage_account_id   = \"{}\"\n  principal_id         = \"{ALICE}\"\n  \
                   role_definition_name = \"Storage Blob Data Reader\"\n\
                 }}\n",
                bed.account
            );
            let config = config + &moved(&format!("{}.old", foreign.type_name), ROLE_ASSIGNMENT_ADDRESS);
            let workspace = foreign.workspace(&bed, engine, &config, &name);
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
async fn configuration_generated_for_an_import_plans_empty() {
    for_each_engine_that(Engine::generates_configuration, async |engine| {
        let bed = EngineBed::new().await;
        bed.seed_contributor(ALICE);
        for id in [format!("{}|{ALICE}|contributor", bed.hub), format!("{}|{ALICE}|{BLOB_CONTRIBUTOR}", bed.account)] {
            let workspace = bed.workspace(engine, &import_by_id(ROLE_ASSIGNMENT_ADDRESS, &id));
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
async fn roles_and_target_are_updated_in_place_although_they_are_part_of_the_identity() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let workspace = bed.applied(engine, &bed.role_assignment()).await;
        let group = bed.account.split("/providers/").next().unwrap_or_default();
        let reader = bed.role_assignment().replace("\"contributor\"", "\"reader\"");
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
async fn a_replacement_deletes_no_role_assignment() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let workspace = bed.applied(engine, &bed.role_assignment()).await;
        workspace.apply(&[&format!("-replace={ROLE_ASSIGNMENT_ADDRESS}")]).await.succeeded();
        let first =
            bed.role_assignment().replace("\n}\n", "\n  lifecycle {\n    create_before_destroy = true\n  }\n}\n");
        workspace.config(&first);
        workspace.apply(&[&format!("-replace={ROLE_ASSIGNMENT_ADDRESS}")]).await.succeeded();
        assert_eq!(bed.sent("DELETE"), 0);
        assert_eq!(bed.held(ALICE), [FILE_CONTRIBUTOR, BLOB_CONTRIBUTOR]);
        workspace.plan(&[]).await.exits(0);
    })
    .await;
}

/// The object of the first apply is put back into the state as a deposed one.
#[tokio::test]
async fn destroying_a_deposed_object_keeps_the_roles_that_the_current_object_has() {
    for_each_engine(async |engine| {
        for same_principal in [true, false] {
            let bed = EngineBed::new().await;
            let first =
                bed.role_assignment().replace("\n}\n", "\n  lifecycle {\n    create_before_destroy = true\n  }\n}\n");
            let workspace = bed.applied(engine, &first).await;
            let file = workspace.path().join("terraform.tfstate");
            let read = || serde_json::from_slice::<Value>(&fs::read(&file).expect("a state")).expect("JSON");
            let mut deposed = read()["resources"][0]["instances"][0].clone();
            deposed["deposed"] = json!("0badc0de");
            if same_principal {
                workspace.apply(&[&format!("-replace={ROLE_ASSIGNMENT_ADDRESS}")]).await.succeeded();
            } else {
                // The first object is forgotten, so that its assignments stay as if their deletion had failed.
                workspace.run(&["state", "rm", ROLE_ASSIGNMENT_ADDRESS]).await.succeeded();
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
                applied.says("Role assignments are kept for another resource");
                assert_eq!(bed.held(ALICE), [FILE_CONTRIBUTOR, BLOB_CONTRIBUTOR]);
            } else {
                assert_eq!(bed.held(ALICE), [""; 0]);
            }
        }
    })
    .await;
}
