//! `foundryhub_storage_auth` under real engines where objects in the state are left over, taken over or more than one.

use std::fs;

use serde_json::{Value, json};

use crate::support::engine::{Workspace, for_each_engine};

use super::{
    engine_bed::{AUTH_ADDRESS, EngineBed, KEYLESS, NOTHING, WITH_KEYS},
    peers::Peer,
};

/// Adds to the state what a replacement leaves over that made the new object first and could not finish.
fn leave_over(workspace: &Workspace) {
    let path = workspace.path().join("terraform.tfstate");
    let mut state: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    state["serial"] = json!(state["serial"].as_u64().unwrap() + 1);
    let instances = state["resources"][0]["instances"].as_array_mut().unwrap();
    let mut old = instances[0].clone();
    old["deposed"] = json!("deadbeef");
    instances.push(old);
    fs::write(path, state.to_string()).unwrap();
}

#[tokio::test]
async fn an_object_that_a_replacement_has_left_over_is_removed_without_a_change() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let workspace = bed.workspace(engine, &bed.keyless(""));
        workspace.apply(&[]).await.succeeded();
        let before = workspace.in_state(AUTH_ADDRESS).await;
        bed.writes();
        leave_over(&workspace);
        workspace.plan(&[]).await.exits(2).says("(deposed object deadbeef) will be destroyed");
        workspace.apply_planned().await.succeeded().says("The authorization is kept");
        assert_eq!((bed.writes(), bed.settings()), (Vec::new(), KEYLESS));
        assert_eq!(workspace.in_state(AUTH_ADDRESS).await, before);
        workspace.plan(&[]).await.exits(0);
    })
    .await;
}

/// Then the removal of the old object may be planned before anything is heard of the new one, which is an error that says
/// what to do; it helps whatever comes first.
#[tokio::test]
async fn an_object_left_over_does_no_harm_when_nothing_is_known_of_its_successor() {
    for_each_engine(async |engine| {
        for order in [["-parallelism=1"], ["-refresh=false"]] {
            let bed = EngineBed::new().await;
            let workspace = bed.workspace(engine, &bed.keyless(""));
            workspace.apply(&[]).await.succeeded();
            let before = workspace.in_state(AUTH_ADDRESS).await;
            bed.writes();
            leave_over(&workspace);
            let applied = workspace.apply(&order).await;
            if applied.code != Some(0) {
                applied.exits(1).says("One hub is kept and destroyed in one plan").says("run taint ADDRESS");
                workspace.run(&["taint", AUTH_ADDRESS]).await.succeeded();
                workspace.apply(&order).await.succeeded();
            }
            assert_eq!((bed.writes(), bed.settings()), (Vec::new(), KEYLESS), "{order:?}");
            assert_eq!(workspace.in_state(AUTH_ADDRESS).await, before);
            workspace.plan(&[]).await.exits(0);
        }
    })
    .await;
}

#[tokio::test]
async fn two_hubs_on_one_account_go_back_in_whatever_order() {
    for_each_engine(async |engine| {
        let (first, second) = ("-target=foundryhub_storage_auth.hub", "-target=foundryhub_storage_auth.other");
        let both_back = ["PATCH hub1 accesskey", "PATCH hub2 accesskey", "PATCH sa1 true"];
        // The targets of one destroy after the other. What goes takes along what depends on it.
        for targets in [&[&[][..]][..], &[&[first], &[second]], &[&[second]]] {
            let bed = EngineBed::new().await;
            let hub2 = bed.another_hub("hub2");
            let other = bed.auth("").replace("\"hub\"", "\"other\"").replace(&bed.hub, &hub2);
            let config = bed.auth("shared_access_key_enabled = false\n  depends_on = [foundryhub_storage_auth.other]");
            let workspace = bed.workspace(engine, &(config + &other));
            workspace.apply(&[]).await.succeeded();
            assert_eq!(bed.writes(), ["PATCH hub2 identity", "PATCH hub1 identity", "PATCH sa1 false"]);
            workspace.plan(&[]).await.exits(0);

            for target in targets {
                workspace.destroy(target).await.succeeded();
            }
            let mut writes = bed.writes();
            writes.retain(|write| write != "POST resyncKeys");
            writes.sort();
            assert_eq!(writes, both_back, "in the order {targets:?}");
            assert_eq!((bed.settings(), bed.mode_of(&hub2).as_str()), (WITH_KEYS, "accesskey"));
            assert!(workspace.state().await.is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn a_hub_that_is_as_wanted_is_imported_in_every_way_and_needs_no_change() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        bed.emulator.set_mode(&bed.hub, "Identity");
        bed.emulator.set_shared_key_access(&bed.account, Some(false));
        let config = bed.auth("shared_access_key_enabled = false");
        let workspace = bed.workspace(engine, &config);
        workspace.import(AUTH_ADDRESS, &bed.hub).await.succeeded();
        workspace.plan(&[]).await.exits(0);

        let by_id = format!("id = \"{}\"", bed.hub);
        let by_identity = format!("identity = {{\n    hub_id = \"{}\"\n  }}", bed.hub);
        let generate = ["-generate-config-out=generated.tf"];
        for (config, way, arguments) in
            [(config.as_str(), &by_id, &[][..]), (&config, &by_identity, &[]), ("", &by_id, &generate)]
        {
            if *way == by_identity && !engine.knows_identities() {
                continue;
            }
            workspace.run(&["state", "rm", AUTH_ADDRESS]).await.succeeded();
            workspace.config(&format!("{config}import {{\n  to = {AUTH_ADDRESS}\n  {way}\n}}\n"));
            let planned = workspace.plan(arguments).await.exits(2);
            planned.says("Plan: 1 to import, 0 to add, 0 to change, 0 to destroy.");
            workspace.apply(&[]).await.succeeded();
            workspace.plan(&[]).await.exits(0);
        }
        let destroyed = workspace.destroy(&[]).await.succeeded();
        assert_eq!(destroyed.warnings(), NOTHING);
        assert_eq!((bed.writes(), bed.settings()), (Vec::new(), KEYLESS));
    })
    .await;
}

#[tokio::test]
async fn an_update_resource_of_azapi_is_moved_here_and_needs_no_change() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        bed.emulator.set_mode(&bed.hub, "Identity");
        let peer =
            Peer { file: "azapi-2-update-resource.json", type_name: "azapi_update_resource", provider: "azure/azapi" };
        let moved = format!("moved {{\n  from = azapi_update_resource.old\n  to   = {AUTH_ADDRESS}\n}}\n");
        let workspace = peer.workspace(&bed, engine, &(bed.auth("") + &moved), "hub1");
        let planned = workspace.plan(&[]).await;
        planned.says("has moved to").says("Plan: 0 to add, 0 to change, 0 to destroy.");
        workspace.apply_planned().await.succeeded();
        workspace.plan(&[]).await.exits(0);
        workspace.destroy(&[]).await.succeeded();
        assert_eq!((bed.writes(), bed.settings()), (Vec::new(), ("identity", WITH_KEYS.1)));
    })
    .await;
}
