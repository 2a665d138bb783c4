//! `foundryhub_storage_auth` under real engines where objects are deposed, imported or moved, and two hubs of one
//! account.

use std::fs;

use serde_json::{Value, json};

use crate::support::{
    engine::{Engine, Workspace, for_each_engine, for_each_engine_that},
    hcl::{import, moved},
};

use super::{
    engine_bed::{EngineBed, KEYLESS, NOTHING, STORAGE_AUTH_ADDRESS, WITH_KEYS},
    other_providers::ForeignObject,
};

/// A workspace that has kept the hub keyless, with a deposed object beside the current one, which comes with it. An
/// interrupted replacement with `create_before_destroy` leaves such a state.
async fn with_deposed_object(bed: &EngineBed, engine: &'static Engine) -> (Workspace, Option<Value>) {
    let workspace = bed.applied(engine, &bed.keyless("")).await;
    let current = workspace.in_state(STORAGE_AUTH_ADDRESS).await;
    bed.writes();
    let path = workspace.path().join("terraform.tfstate");
    let mut state: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    state["serial"] = json!(state["serial"].as_u64().unwrap() + 1);
    let instances = state["resources"][0]["instances"].as_array_mut().unwrap();
    let mut old = instances[0].clone();
    old["deposed"] = json!("deadbeef");
    instances.push(old);
    fs::write(path, state.to_string()).unwrap();
    (workspace, current)
}

/// Passes if nothing was written to Azure since, only the current object is left, and the plan is empty.
async fn assert_current_object_is_left(bed: &EngineBed, workspace: &Workspace, current: Option<Value>) {
    assert_eq!((bed.writes(), bed.settings()), (Vec::new(), KEYLESS));
    assert_eq!(workspace.in_state(STORAGE_AUTH_ADDRESS).await, current);
    workspace.plan(&[]).await.exits(0);
}

#[tokio::test]
async fn destroying_a_deposed_object_of_the_same_hub_writes_nothing() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let (workspace, current) = with_deposed_object(&bed, engine).await;
        workspace.plan(&[]).await.exits(2).says("(deposed object deadbeef) will be destroyed");
        workspace.apply_planned().await.succeeded().says("The authorization is kept");
        assert_current_object_is_left(&bed, &workspace, current).await;
    })
    .await;
}

/// The destroy of the deposed object may be planned before the current object, which is an error that says what to do.
/// That works in every order.
#[tokio::test]
async fn a_deposed_object_planned_before_the_current_one_is_refused_or_destroyed_without_a_write() {
    for_each_engine(async |engine| {
        for order in [["-parallelism=1"], ["-refresh=false"]] {
            let bed = EngineBed::new().await;
            let (workspace, current) = with_deposed_object(&bed, engine).await;
            let applied = workspace.apply(&order).await;
            if applied.code != Some(0) {
                applied.exits(1).says("One hub is kept and destroyed in one plan").says("run taint ADDRESS");
                workspace.run(&["taint", STORAGE_AUTH_ADDRESS]).await.succeeded();
                workspace.apply(&order).await.succeeded();
            }
            assert_current_object_is_left(&bed, &workspace, current).await;
        }
    })
    .await;
}

#[tokio::test]
async fn two_hubs_of_one_account_are_destroyed_in_any_order() {
    for_each_engine(async |engine| {
        let (first, second) = ("-target=foundryhub_storage_auth.hub", "-target=foundryhub_storage_auth.other");
        let both_back = ["PATCH hub1 accesskey", "PATCH hub2 accesskey", "PATCH sa1 true"];
        // The targets of each destroy. A destroy includes what depends on its target.
        for targets in [&[&[][..]][..], &[&[first], &[second]], &[&[second]]] {
            let bed = EngineBed::new().await;
            let hub2 = bed.another_hub("hub2");
            let other = bed.storage_auth("").replace("\"hub\"", "\"other\"").replace(&bed.hub, &hub2);
            let config =
                bed.storage_auth("shared_access_key_enabled = false\n  depends_on = [foundryhub_storage_auth.other]");
            let workspace = bed.applied(engine, &(config + &other)).await;
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
async fn a_hub_that_is_as_configured_is_imported_in_every_way_and_plans_empty() {
    for_each_engine_that(Engine::generates_configuration, async |engine| {
        let bed = EngineBed::new().await;
        bed.emulator.set_mode(&bed.hub, "Identity");
        bed.emulator.set_shared_key_access(&bed.account, Some(false));
        let config = bed.storage_auth("shared_access_key_enabled = false");
        let workspace = bed.workspace(engine, &config);
        workspace.import(STORAGE_AUTH_ADDRESS, &bed.hub).await.succeeded();
        workspace.plan(&[]).await.exits(0);

        let by_id = format!("id = \"{}\"", bed.hub);
        let by_identity = format!("identity = {{\n    hub_id = \"{}\"\n  }}", bed.hub);
        let generate = ["-generate-config-out=generated.tf"];
        for (config, source, arguments) in
            [(config.as_str(), &by_id, &[][..]), (&config, &by_identity, &[]), ("", &by_id, &generate)]
        {
            if *source == by_identity && !engine.knows_identities() {
                continue;
            }
            workspace.run(&["state", "rm", STORAGE_AUTH_ADDRESS]).await.succeeded();
            workspace.config(&(config.to_owned() + &import(STORAGE_AUTH_ADDRESS, source)));
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
    for_each_engine_that(Engine::knows_moves_between_types, async |engine| {
        let bed = EngineBed::new().await;
        bed.emulator.set_mode(&bed.hub, "Identity");
        let foreign = ForeignObject {
            file: "azapi-2-update-resource.json",
            type_name: "azapi_update_resource",
            provider: "azure/azapi",
        };
        let config = bed.storage_auth("") + &moved("azapi_update_resource.old", STORAGE_AUTH_ADDRESS);
        let workspace = foreign.workspace(&bed, engine, &config, "hub1");
        let planned = workspace.plan(&[]).await;
        planned.says("has moved to").says("Plan: 0 to add, 0 to change, 0 to destroy.");
        workspace.apply_planned().await.succeeded();
        workspace.plan(&[]).await.exits(0);
        workspace.destroy(&[]).await.succeeded();
        assert_eq!((bed.writes(), bed.settings()), (Vec::new(), ("identity", WITH_KEYS.1)));
    })
    .await;
}
