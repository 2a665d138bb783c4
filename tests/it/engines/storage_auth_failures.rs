//! `foundryhub_storage_auth` under real engines when an apply or a destroy fails half-way.

use serde_json::json;

use crate::{
    azure::{Lro, Operations, Outcome},
    support::{engine::for_each_engine, plugin::within},
};

use super::engine_bed::{EngineBed, KEYLESS, STORAGE_AUTH_ADDRESS, WITH_KEYS};

const BACK: [&str; 3] = ["PATCH hub1 accesskey", "PATCH sa1 true", "POST resyncKeys"];

#[tokio::test]
async fn a_create_that_the_account_refuses_is_completed_by_the_next_apply_or_undone_by_a_destroy() {
    for_each_engine(async |engine| {
        for finished in [true, false] {
            let bed = EngineBed::new().await;
            let before = bed.in_azure();
            let workspace = bed.workspace(engine, &bed.keyless(""));
            let policy = "deny Microsoft.Storage/storageAccounts properties.allowSharedKeyAccess=false";
            bed.emulator.configure(|options| options.policy = vec![policy.parse().unwrap()]);
            let applied = workspace.apply(&[]).await.exits(1);
            applied.says("A policy prevents the change").says("The hub is on identity, shared keys are enabled.");
            assert_eq!(bed.writes(), ["PATCH hub1 identity", "PATCH sa1 false"]);
            let kept = workspace.in_state(STORAGE_AUTH_ADDRESS).await.expect("what was begun in state");
            assert_eq!(kept["tainted"], true);
            assert_eq!(kept["values"]["original"]["system_datastores_auth_mode"], "accesskey");

            bed.emulator.configure(|options| options.policy.clear());
            if finished {
                let applied = workspace.apply(&[]).await.succeeded();
                assert_eq!(applied.warnings(), ["Original settings are kept by the replacement"]);
                assert_eq!(bed.writes(), ["PATCH sa1 false"]);
                let kept = workspace.in_state(STORAGE_AUTH_ADDRESS).await.unwrap();
                let original = json!({ "system_datastores_auth_mode": "accesskey", "shared_access_key_enabled": true });
                assert_eq!((&kept["values"]["original"], kept.get("tainted")), (&original, None));
                workspace.plan(&[]).await.exits(0);
            }
            workspace.destroy(&[]).await.succeeded();
            let back = if finished { &BACK[..] } else { &[BACK[0], BACK[2]] };
            assert_eq!(bed.writes(), back);
            assert_eq!(bed.in_azure(), before);
        }
    })
    .await;
}

#[tokio::test]
async fn a_create_that_is_interrupted_during_an_operation_is_completed_by_the_next_apply() {
    for_each_engine(async |engine| {
        for (outcome, rest) in [
            (Outcome::Succeeded, &["PATCH sa1 false"][..]),
            (Outcome::Canceled, &["PATCH hub1 identity", "PATCH sa1 false"]),
        ] {
            let bed = EngineBed::new().await;
            bed.emulator.configure(|options| (options.lro, options.operations) = (Lro::Both, Operations::Explicit));
            let workspace = bed.workspace(engine, &bed.keyless(""));
            let apply = workspace.start_apply(&[]);
            let operation = within("the switch of the hub", bed.emulator.operation_started(&bed.hub)).await;
            apply.interrupt().await;
            apply.finish().await.exits(1).says("Interrupt received.").says("may still take effect");
            assert_eq!(bed.writes(), ["PATCH hub1 identity"]);
            let kept = workspace.in_state(STORAGE_AUTH_ADDRESS).await.expect("what was begun in state");
            assert_eq!(kept["tainted"], true);
            assert_eq!(kept["values"]["original"]["system_datastores_auth_mode"], "accesskey");

            bed.emulator.configure(|options| options.operations = Operations::Auto);
            assert!(bed.emulator.finish_operation(&operation, outcome));
            workspace.apply(&[]).await.succeeded();
            assert_eq!(bed.writes(), rest);
            workspace.plan(&[]).await.exits(0);
            workspace.destroy(&[]).await.succeeded();
            assert_eq!(bed.writes(), BACK);
            assert_eq!(bed.settings(), WITH_KEYS);
        }
    })
    .await;
}

#[tokio::test]
async fn a_destroy_that_a_policy_denies_leaves_the_hub_on_identity_and_succeeds_without_the_policy() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let workspace = bed.applied(engine, &bed.keyless("")).await;
        bed.writes();
        let policy = "deny Microsoft.Storage/storageAccounts properties.allowSharedKeyAccess=true";
        bed.emulator.configure(|options| options.policy = vec![policy.parse().unwrap()]);
        let destroyed = workspace.destroy(&[]).await.exits(1);
        destroyed.says("A policy prevents the change").says("was switched back to identity");
        assert_eq!(bed.writes(), ["PATCH hub1 accesskey", "PATCH sa1 true", "PATCH hub1 identity"]);
        assert_eq!(bed.settings(), KEYLESS);
        workspace.plan(&[]).await.exits(0);

        bed.emulator.configure(|options| options.policy.clear());
        workspace.destroy(&[]).await.succeeded();
        assert_eq!(bed.writes(), BACK);
        assert_eq!(bed.settings(), WITH_KEYS);
        assert!(workspace.state().await.is_empty());
    })
    .await;
}
