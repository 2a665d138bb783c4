//! The `check` block that looks at a hub's posture (`foundryhub_storage_access`).

use super::engine_bed::{ALICE, EngineBed, NOTHING};
use crate::{
    azure::Options,
    support::engine::{Engine, Workspace, for_each_engine},
};

const FAILED: [&str; 1] = ["Check block assertion failed"];

/// A hub on identity, whose account refuses keys and whose data Alice can work with.
async fn keyless() -> EngineBed {
    let bed = EngineBed::with(Options { enforce_rbac: true, ..Options::quick() }).await;
    bed.emulator.set_shared_key_access(&bed.account, Some(false));
    bed.emulator.set_mode(&bed.hub, "identity");
    bed.emulator.seed("role_assignments: [{ scope: sa1, principal: hub1, role: Storage Blob Data Contributor }]");
    bed.seed_contributor(ALICE);
    bed
}

/// The example, which Alice has to pass.
fn workspace(bed: &EngineBed, engine: &'static Engine) -> Workspace {
    let workspace = Workspace::new(engine).envs(bed.emulator.environment());
    workspace.copy("examples/provider");
    workspace.copy("examples/data-sources/foundryhub_storage_access");
    workspace.env("TF_VAR_hub_id", &bed.hub).env("TF_VAR_principal_id", ALICE)
}

#[tokio::test]
async fn a_check_passes_and_warns_after_a_change_outside() {
    for_each_engine(async |engine| {
        let bed = keyless().await;
        let workspace = workspace(&bed, engine);
        assert_eq!(workspace.apply(&[]).await.succeeded().warnings(), NOTHING);

        bed.emulator.set_shared_key_access(&bed.account, Some(true));
        let planned = workspace.plan(&[]).await.exits(0);
        assert_eq!(planned.warnings(), FAILED, "{planned}");
        planned.says("shared keys of its account are not known to be off");
        let applied = workspace.apply(&[]).await.succeeded();
        assert_eq!(applied.warnings(), FAILED, "{applied}");
        bed.emulator.set_shared_key_access(&bed.account, Some(false));
        assert_eq!(workspace.apply(&[]).await.succeeded().warnings(), NOTHING);

        let role = bed.emulator.assignments().into_iter().find(|found| found.principal_id == ALICE).unwrap();
        assert!(bed.emulator.remove_assignment(&role.name));
        // The outputs change, too.
        let planned = workspace.plan(&[]).await.exits(2);
        assert_eq!(planned.warnings(), FAILED, "{planned}");
        planned.says(&format!("{ALICE} lacks \"Storage ")).says("shared keys of its account are off");
        let applied = workspace.apply(&[]).await.succeeded();
        assert_eq!(applied.warnings(), FAILED, "{applied}");
        bed.seed_contributor(ALICE);
        assert_eq!(workspace.apply(&[]).await.succeeded().warnings(), NOTHING);
        assert_eq!(bed.writes(), NOTHING);
    })
    .await;
}

#[tokio::test]
async fn the_role_reader_is_enough_for_the_check() {
    for_each_engine(async |engine| {
        let bed = keyless().await;
        let (client, object) = ("66666666-0000-0000-0000-000000000006", "77777777-0000-0000-0000-000000000007");
        bed.emulator.seed(&format!("clients: [{{ client_id: {client}, object_id: {object}, secret: other }}]"));
        let workspace = workspace(&bed, engine).env("ARM_CLIENT_ID", client).env("ARM_CLIENT_SECRET", "other");
        workspace.plan(&[]).await.exits(1).says("Cannot read the hub");
        let (subscription, _) = bed.hub.split_once("/resourceGroups/").unwrap();
        bed.emulator.seed_assignment(subscription, object, "Reader");
        assert_eq!(workspace.apply(&[]).await.succeeded().warnings(), NOTHING);
    })
    .await;
}
