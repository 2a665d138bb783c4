//! `foundryhub_storage_auth` under real engines: creating and destroying, drift, what an engine shows of it.

use crate::support::{
    engine::{Engine, for_each_engine, for_each_engine_that},
    hcl::removed,
};

use super::engine_bed::{ALICE, EngineBed, KEYLESS, NOTHING, STORAGE_AUTH_ADDRESS};

/// The arguments for keys off, with an access check that stops when Alice would lose access.
fn enforced() -> String {
    format!(
        "shared_access_key_enabled = false\n  access_check = \"enforce\"\n  access_check_principal_ids = [\"{ALICE}\"]\n  "
    )
}

#[tokio::test]
async fn role_assignments_and_the_storage_auth_that_depends_on_them_are_one_apply() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let before = bed.in_azure();
        let config = bed.role_assignment()
            + &bed.storage_auth(&(enforced() + "depends_on = [foundryhub_role_assignment.alice]"));
        let workspace = bed.workspace(engine, &config);
        let applied = workspace.apply(&[]).await.succeeded();
        assert_eq!(applied.warnings(), NOTHING);
        assert_eq!(bed.writes(), ["PUT role", "PUT role", "PATCH hub1 identity", "PATCH sa1 false"]);
        assert_eq!(bed.settings(), KEYLESS);
        let planned = workspace.plan(&[]).await.exits(0);
        assert_eq!(planned.warnings(), NOTHING);

        workspace.destroy(&[]).await.succeeded();
        let mut back = bed.writes();
        // The role assignments are destroyed after the storage_auth, which depends on them.
        assert_eq!(back.split_off(3), ["DELETE role", "DELETE role"]);
        assert_eq!(back, ["PATCH hub1 accesskey", "PATCH sa1 true", "POST resyncKeys"]);
        assert_eq!(bed.in_azure(), before);
    })
    .await;
}

#[tokio::test]
async fn a_role_assignment_that_refers_to_the_storage_auth_is_an_error_that_says_to_turn_the_reference_round() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let before = bed.in_azure();
        let hub = format!("\"{}\"", bed.hub);
        let refers = bed.role_assignment().replace(&hub, "foundryhub_storage_auth.hub.hub_id");
        let depends = bed.role_assignment().replace("\n}", "\n  depends_on = [foundryhub_storage_auth.hub]\n}");
        let workspace = bed.workspace(engine, "");
        for grant in [refers, depends] {
            workspace.config(&(grant + &bed.storage_auth(&enforced())));
            let applied = workspace.apply(&[]).await.exits(1);
            applied.says("A principal would lose access").says("remove that reference");
            assert_eq!(bed.writes(), NOTHING);
            assert_eq!(bed.in_azure(), before);
            assert!(workspace.state().await.is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn ids_known_only_at_apply_are_applied() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let ids = format!(
            "resource \"terraform_data\" \"ids\" {{\n  input = {{\n    hub   = \"{}\"\n    alice = \"{ALICE}\"\n  }}\n}}\n",
            bed.hub
        );
        let config = bed.role_assignment() + &bed.storage_auth(&(enforced() + "depends_on = [foundryhub_role_assignment.alice]"));
        let config = config.replace(&format!("\"{}\"", bed.hub), "terraform_data.ids.output.hub");
        let config = config.replace(&format!("\"{ALICE}\""), "terraform_data.ids.output.alice");
        let workspace = bed.workspace(engine, &(ids + &config));
        workspace.plan(&[]).await.exits(2).says("Plan: 3 to add, 0 to change, 0 to destroy.");
        workspace.apply_planned().await.succeeded();
        assert_eq!(bed.writes(), ["PUT role", "PUT role", "PATCH hub1 identity", "PATCH sa1 false"]);
        workspace.plan(&[]).await.exits(0);
    })
    .await;
}

#[tokio::test]
async fn plan_exits_2_for_drift_of_an_enforced_setting_and_0_for_one_that_is_only_read() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let (enforced, observed) = (bed.keyless(""), bed.storage_auth("access_check = \"off\""));
        let workspace = bed.applied(engine, &enforced).await;
        workspace.plan(&[]).await.exits(0);
        workspace.plan(&["-refresh-only"]).await.exits(0);
        bed.writes();
        let switch_keys = |on| bed.emulator.set_shared_key_access(&bed.account, Some(on));
        // The configuration, the change by somebody else, the plan's exit code, and what an apply writes.
        type Case<'c> = (&'c str, &'c dyn Fn(), i32, &'c [&'c str]);
        let cases: [Case<'_>; 3] = [
            (&enforced, &|| bed.emulator.set_mode(&bed.hub, "AccessKey"), 2, &["PATCH hub1 identity"]),
            (&enforced, &|| switch_keys(true), 2, &["PATCH sa1 false"]),
            (&observed, &|| switch_keys(true), 0, &[]),
        ];
        for (config, drift, code, writes) in cases {
            workspace.config(config);
            drift();
            workspace.plan(&["-refresh-only"]).await.exits(2);
            workspace.plan(&[]).await.exits(code);
            workspace.apply_planned().await.succeeded();
            assert_eq!(bed.writes(), writes);
            workspace.plan(&["-refresh-only"]).await.exits(0);
        }
        assert_eq!(bed.settings(), ("identity", true));
    })
    .await;
}

#[tokio::test]
async fn another_spelling_of_the_hubs_id_plans_nothing() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let config = bed.role_assignment() + &bed.keyless("");
        let workspace = bed.applied(engine, &config).await;
        let spellings = [
            bed.hub.to_uppercase(),
            format!("{}/", bed.hub),
            bed.hub.replace("/resourceGroups/rg1/", "/resourcegroups/RG1/"),
        ];
        for spelling in spellings {
            workspace.config(&config.replace(&bed.hub, &spelling));
            workspace.plan(&[]).await.exits(0);
        }
        let kept = workspace.in_state(STORAGE_AUTH_ADDRESS).await.unwrap();
        assert_eq!(kept["values"]["hub_id"], bed.hub.as_str());
    })
    .await;
}

#[tokio::test]
async fn a_destroy_plan_says_what_is_restored_and_how_to_destroy_or_forget_without_restoring() {
    for_each_engine_that(Engine::knows_removed_blocks, async |engine| {
        let bed = EngineBed::new().await;
        let workspace = bed.applied(engine, &bed.keyless("")).await;
        let planned = workspace.plan(&["-destroy"]).await.exits(2);
        planned.says("is switched back to accesskey").says("are enabled again").says("restore_on_destroy = false");
        bed.writes();

        let state = std::fs::read(workspace.path().join("terraform.tfstate")).unwrap();
        workspace.config(&removed(STORAGE_AUTH_ADDRESS));
        let applied = workspace.apply(&[]).await.succeeded();
        assert!(!applied.to_string().contains("is switched back to accesskey"), "{applied}");
        assert!(workspace.state().await.is_empty());

        std::fs::write(workspace.path().join("terraform.tfstate"), state).unwrap();
        workspace.config(&bed.keyless("restore_on_destroy = false"));
        workspace.apply(&[]).await.succeeded();
        let destroyed = workspace.destroy(&[]).await.succeeded();
        assert_eq!(destroyed.warnings(), NOTHING);
        assert_eq!((bed.writes(), bed.settings()), (Vec::new(), KEYLESS));
    })
    .await;
}
