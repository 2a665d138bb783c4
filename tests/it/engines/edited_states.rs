//! State files that somebody has edited, as real engines read them. What they refuse by themselves, such as an identity
//! that does not fit its schema, does not get here; what the provider makes of the rest is in `tampered`.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use super::engine_bed::{ALICE, EngineBed, NOTHING, ROLE_ASSIGNMENT_ADDRESS, STORAGE_AUTH_ADDRESS, WITH_KEYS};
use crate::support::engine::{Engine, Workspace, for_each_engine, for_each_engine_that};

fn state_file(workspace: &Workspace) -> PathBuf {
    workspace.path().join("terraform.tfstate")
}

/// Changes every instance in the state file; gives back what it was.
fn edit(workspace: &Workspace, change: impl Fn(&mut Value)) -> String {
    let before = fs::read_to_string(state_file(workspace)).unwrap();
    let mut state: Value = serde_json::from_str(&before).unwrap();
    for resource in state["resources"].as_array_mut().unwrap() {
        change(&mut resource["instances"][0]);
    }
    fs::write(state_file(workspace), state.to_string()).unwrap();
    before
}

async fn applied(engine: &'static Engine) -> (EngineBed, Workspace) {
    let bed = EngineBed::new().await;
    let workspace = bed.applied(engine, &(bed.keyless("") + &bed.role_assignment())).await;
    bed.writes();
    (bed, workspace)
}

#[tokio::test]
async fn an_identity_of_another_object_is_an_error_until_the_object_is_imported_again() {
    for_each_engine_that(Engine::knows_identities, async |engine| {
        let (bed, workspace) = applied(engine).await;
        edit(&workspace, |instance| {
            let identity = instance["identity"].to_string();
            assert!(identity.contains("hub1") || identity.contains("sa1"), "{identity}");
            let other = identity.replace("hub1", "hub9").replace("sa1", "sa9");
            instance["identity"] = serde_json::from_str(&other).unwrap();
        });
        let planned = workspace.plan(&[]).await.exits(1);
        planned
            .says("The state has another identity")
            .says("take the object out of it with state rm and import it again");
        assert_eq!(bed.writes(), NOTHING);
        for (address, id) in [
            (STORAGE_AUTH_ADDRESS, bed.hub.clone()),
            (ROLE_ASSIGNMENT_ADDRESS, format!("{}|{}|contributor", bed.hub, ALICE)),
        ] {
            workspace.run(&["state", "rm", address]).await.succeeded();
            workspace.import(address, &id).await.succeeded();
        }
        workspace.apply(&[]).await.succeeded();
        workspace.plan(&[]).await.exits(0);
        assert_eq!(bed.writes(), NOTHING);
    })
    .await;
}

#[tokio::test]
async fn attributes_of_another_type_or_without_their_id_are_an_error_that_says_what_to_do() {
    for_each_engine(async |engine| {
        let (bed, workspace) = applied(engine).await;
        for change in [
            (|instance| instance["attributes"]["hub_id"] = json!([{}])) as fn(&mut Value),
            |instance| instance["attributes"]["hub_id"] = json!("junk"),
            |instance| instance["attributes"] = json!({}),
        ] {
            let before = edit(&workspace, change);
            let planned = workspace.plan(&[]).await.exits(1).says("The state cannot be read");
            planned.says("If the state was edited, restore it from a backup");
            fs::write(state_file(&workspace), before).unwrap();
        }
        workspace.plan(&[]).await.exits(0);
        assert_eq!(bed.writes(), NOTHING);
    })
    .await;
}

#[tokio::test]
async fn private_data_that_was_edited_changes_nothing() {
    for_each_engine(async |engine| {
        let (bed, workspace) = applied(engine).await;
        // "not JSON", and `{"written":5}`.
        for private in ["bm90IEpTT04=", "eyJ3cml0dGVuIjo1fQ==", ""] {
            edit(&workspace, |instance| instance["private"] = json!(private));
            workspace.plan(&[]).await.exits(0);
        }
        assert_eq!(bed.writes(), NOTHING);
        workspace.destroy(&[]).await.succeeded();
        assert_eq!(bed.settings(), WITH_KEYS);
        assert_eq!(bed.held(ALICE), NOTHING);
    })
    .await;
}
