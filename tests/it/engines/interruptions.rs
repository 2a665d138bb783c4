//! Ctrl-C, once and twice, while an operation of Azure goes on that never ends.

use std::{cell::Cell, fs, time::Duration};

use tokio::time::Instant;

use super::engine_bed::{EngineBed, STORAGE_AUTH_ADDRESS};
use crate::azure::{Lro, Operations, Outcome};
use crate::support::{
    engine::{Engine, Running, Workspace, for_each_engine},
    plugin::within,
};

const HUB_ADDRESS: &str = "foundryhub_hub.own";

/// A hub of one's own with this description, without the access check.
fn own_hub(bed: &EngineBed, description: &str) -> String {
    let vault = bed.emulator.id("rg1", "Microsoft.KeyVault/vaults", "kv1");
    format!(
        "resource \"foundryhub_hub\" \"own\" {{\n  name = \"hub2\"\n  resource_group_name = \"rg1\"\n  location = \"eastus\"\n  \
         storage_account_id = \"{}\"\n  key_vault_id = \"{vault}\"\n  access_check = \"off\"\n  \
         description = \"{description}\"\n}}\n",
        bed.account
    )
}

fn hub_of(bed: &EngineBed, name: &str) -> String {
    bed.emulator.id("rg1", "Microsoft.MachineLearningServices/workspaces", name)
}

/// Applies until a PATCH has begun an operation, which goes on until [`ends`].
async fn changing(engine: &'static Engine, creates: bool) -> (EngineBed, Workspace, Running, String) {
    let bed = EngineBed::new().await;
    let workspace = bed.workspace(engine, &bed.keyless(""));
    let mut hub = bed.hub.clone();
    if !creates {
        hub = hub_of(&bed, "hub2");
        workspace.config(&own_hub(&bed, "old"));
        workspace.apply(&[]).await.succeeded();
        workspace.config(&own_hub(&bed, "new"));
        bed.writes();
    }
    bed.emulator.configure(|options| (options.lro, options.operations) = (Lro::Both, Operations::Explicit));
    let apply = workspace.start_apply(&[]);
    let operation = within("the PATCH", bed.emulator.operation_started(&hub)).await;
    (bed, workspace, apply, operation)
}

/// Lets the operation end, and applies again.
async fn completes(bed: &EngineBed, workspace: &Workspace, operation: &str, outcome: Outcome) {
    bed.emulator.configure(|options| options.operations = Operations::Auto);
    assert!(bed.emulator.finish_operation(operation, outcome));
    workspace.apply(&[]).await.succeeded();
    workspace.plan(&[]).await.exits(0);
}

/// It takes as long as an engine takes to store the state and to end its plugins. A machine that is busy with other tests
/// may take its time to run them, so that only the fastest is held to the two seconds that it may take.
#[tokio::test]
async fn ctrl_c_ends_an_apply_whose_operation_never_ends_and_the_next_apply_completes_it() {
    let fastest = Cell::new(Duration::MAX);
    for_each_engine(async |engine| {
        for (creates, outcome) in [(true, Outcome::Succeeded), (false, Outcome::Succeeded), (false, Outcome::Canceled)]
        {
            let (bed, workspace, apply, operation) = changing(engine, creates).await;
            let pressed = Instant::now();
            apply.interrupt().await;
            let applied = apply.finish_wholly().await.exits(1);
            let took = pressed.elapsed();
            fastest.set(fastest.get().min(took));
            let unknown = if creates { "may still take effect" } else { "is not known" };
            applied.says("Interrupt received.").says(unknown);
            // What is in the state is what was there before an update, and what a creation has begun with.
            let kept = workspace.in_state(if creates { STORAGE_AUTH_ADDRESS } else { HUB_ADDRESS }).await.unwrap();
            if creates {
                assert_eq!(kept["values"]["original"]["system_datastores_auth_mode"], "accesskey");
            } else {
                assert_eq!((kept["values"]["description"].as_str(), kept.get("tainted")), (Some("old"), None));
            }
            completes(&bed, &workspace, &operation, outcome).await;
        }
    })
    .await;
    let fastest = fastest.get();
    assert!(fastest < Duration::from_secs(2), "the fastest ended {fastest:?} after Ctrl-C");
}

/// Pressed twice, it tells an engine to end at once, and engines warn that data may be lost: one that is writing its state
/// in this moment leaves an empty file. Whether it gets there depends on how far it is when the second one comes.
#[tokio::test]
async fn ctrl_c_pressed_twice_leaves_no_process_and_the_next_apply_completes() {
    for_each_engine(async |engine| {
        for creates in [true, false] {
            let (bed, workspace, apply, operation) = changing(engine, creates).await;
            apply.interrupt().await;
            apply.interrupt().await;
            apply.finish_wholly().await.exits(1);
            // An engine that has no time to unlock the state leaves its lock to be broken.
            let _ = fs::remove_file(workspace.path().join(".terraform.tfstate.lock.info"));
            let lost = fs::read(workspace.path().join("terraform.tfstate")).is_ok_and(|state| state.is_empty());
            if lost && !creates {
                workspace.apply(&[]).await.exits(1).says("exists. To manage it here, import it:");
                workspace.import(HUB_ADDRESS, &hub_of(&bed, "hub2")).await.succeeded();
            }
            completes(&bed, &workspace, &operation, Outcome::Succeeded).await;
            let hubs = ["hub1", "hub2"].map(|name| bed.emulator.resource(&hub_of(&bed, name)).is_some());
            assert_eq!(hubs, [true, !creates]);
            workspace.destroy(&[]).await.succeeded();
        }
    })
    .await;
}
