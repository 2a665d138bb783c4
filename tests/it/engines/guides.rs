//! The examples of the guides (docs/guides), step by step as their readers take them.

use std::time::Duration;

use serde_json::json;

use super::{
    engine_bed::{
        ALICE, BLOB_CONTRIBUTOR, BLOB_READER, BOB, EngineBed, FILE_CONTRIBUTOR, FILE_READER, KEYLESS, NOTHING,
        WITH_KEYS,
    },
    other_providers::ForeignObject,
};
use crate::support::engine::{Engine, Workspace, for_each_engine, for_each_engine_that};

/// The pairs of roles, in the order in which a bed has them.
const CONTRIBUTOR: [&str; 2] = [FILE_CONTRIBUTOR, BLOB_CONTRIBUTOR];
const READER: [&str; 2] = [BLOB_READER, FILE_READER];

const FAILED_CHECK: [&str; 1] = ["Check block assertion failed"];

/// How old roles are before keys go off.
const SETTLED: Duration = Duration::from_secs(600);

/// The part of a guide's example in this folder, in the working directory beside what is there.
fn take(workspace: &Workspace, part: &str) {
    workspace.copy(&format!("examples/guides/{part}"));
}

/// What a reader of a part has already: variables without a value.
fn variables(names: &[&str]) -> String {
    names.iter().map(|name| format!("variable \"{name}\" {{ type = string }}\n")).collect()
}

impl EngineBed {
    /// A working directory with the values of the guides' variables in its environment.
    fn reader(&self, engine: &'static Engine, config: &str) -> Workspace {
        let vault = self.emulator.id("rg1", "Microsoft.KeyVault/vaults", "kv1");
        self.workspace(engine, config)
            .env("TF_VAR_hub_id", &self.hub)
            .env("TF_VAR_storage_account_id", &self.account)
            .env("TF_VAR_principal_id", ALICE)
            .env("TF_VAR_key_vault_id", vault)
            .env("TF_VAR_resource_group_name", "rg1")
            .env("TF_VAR_contributors", json!([ALICE]).to_string())
    }
}

#[tokio::test]
async fn a_hub_is_migrated_step_by_step() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let workspace = bed.reader(engine, "");
        take(&workspace, "migrating-a-hub/1-look");
        let planned = workspace.plan(&[]).await.exits(2);
        assert_eq!(planned.warnings(), FAILED_CHECK);
        planned.says(&format!("{ALICE} lacks")).says("warning: nobody_holds_roles");

        take(&workspace, "migrating-a-hub/2-roles");
        workspace.apply(&[]).await.succeeded();
        assert_eq!(bed.held(ALICE), CONTRIBUTOR);
        assert_eq!(workspace.plan(&[]).await.exits(2).warnings(), NOTHING, "an output changes");

        bed.writes();
        take(&workspace, "migrating-a-hub/3-switch");
        workspace.apply(&[]).await.succeeded();
        assert_eq!((bed.writes(), bed.settings()), (vec!["PATCH hub1 identity".to_owned()], ("identity", true)));
        assert_eq!(workspace.plan(&[]).await.exits(0).warnings(), NOTHING);

        bed.emulator.advance(SETTLED);
        take(&workspace, "migrating-a-hub/4-disable-keys");
        workspace.apply(&[]).await.succeeded();
        assert_eq!((bed.writes(), bed.settings()), (vec!["PATCH sa1 false".to_owned()], KEYLESS));
        assert_eq!(workspace.plan(&[]).await.exits(0).warnings(), NOTHING);
    })
    .await;
}

#[tokio::test]
async fn roles_that_a_contributor_has_already_are_imported() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        bed.seed_contributor(ALICE);
        let workspace = bed.reader(engine, "");
        take(&workspace, "migrating-a-hub/1-look");
        take(&workspace, "migrating-a-hub/2-roles");
        workspace.plan(&[]).await.exits(1).says("The role is already assigned");

        take(&workspace, "migrating-a-hub/2-roles-held");
        workspace.apply(&[]).await.succeeded().says("1 imported");
        assert_eq!(bed.writes(), [""; 0]);
        assert_eq!(workspace.plan(&[]).await.exits(0).warnings(), NOTHING);
    })
    .await;
}

/// Whoever leaves the second step out.
#[tokio::test]
async fn a_hub_is_not_switched_while_a_contributor_lacks_roles() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let nobody = "resource \"foundryhub_role_assignment\" \"contributor\" {\n  for_each = toset([])\n  hub_id = var.hub_id\n  \
                      principal_id = each.key\n  access = \"contributor\"\n}\n";
        let workspace = bed.reader(engine, "");
        take(&workspace, "migrating-a-hub/1-look");
        std::fs::write(workspace.path().join("roles.tf"), nobody).unwrap();
        take(&workspace, "migrating-a-hub/3-switch");
        workspace.apply(&[]).await.exits(1).says("access_check is enforce").says(ALICE);
        assert_eq!((bed.writes(), bed.settings()), (Vec::new(), WITH_KEYS));
    })
    .await;
}

#[tokio::test]
async fn a_new_hub_never_needs_keys() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let account = bed.emulator.id("rg1", "Microsoft.Storage/storageAccounts", "sa2");
        bed.emulator.seed_storage_account(&account, json!({ "allowSharedKeyAccess": true }));
        let workspace = bed.reader(engine, "").env("TF_VAR_storage_account_id", &account);
        take(&workspace, "creating-a-hub");
        let applied = workspace.apply(&[]).await.succeeded();
        assert!(
            applied.warnings().iter().all(|warning| *warning == "Check block assertion known after apply"),
            "{applied}"
        );
        assert_eq!(bed.writes(), ["PUT role", "PUT role", "PATCH sa2 false", "PUT hub-example identity"]);
        assert_eq!(workspace.plan(&[]).await.exits(0).warnings(), NOTHING);
        workspace.destroy(&[]).await.succeeded().says("Shared keys stay disabled");
    })
    .await;
}

#[tokio::test]
async fn a_hub_goes_back_to_keys_by_configuration_or_by_destroying_or_is_let_go() {
    for_each_engine(async |engine| {
        let keyless = async || {
            let bed = EngineBed::new().await;
            bed.emulator.set_mode(&bed.hub, "identity");
            bed.emulator.set_shared_key_access(&bed.account, Some(false));
            let workspace = bed.reader(engine, &variables(&["hub_id"]));
            take(&workspace, "reverting/restore-to");
            workspace.import("foundryhub_storage_auth.hub", &bed.hub).await.succeeded();
            workspace.apply(&[]).await.succeeded();
            assert_eq!((bed.writes(), bed.settings()), (Vec::new(), KEYLESS));
            (bed, workspace)
        };

        let (bed, workspace) = keyless().await;
        workspace.destroy(&[]).await.succeeded();
        assert_eq!(bed.settings(), WITH_KEYS);

        let (bed, workspace) = keyless().await;
        take(&workspace, "reverting/back-to-keys");
        workspace.apply(&[]).await.succeeded();
        assert_eq!(bed.writes(), ["PATCH hub1 accesskey", "PATCH sa1 true", "POST resyncKeys"]);
        workspace.plan(&[]).await.exits(0);

        if engine.knows_removed_blocks() {
            let (bed, workspace) = keyless().await;
            take(&workspace, "reverting/let-go");
            workspace.apply(&[]).await.succeeded();
            assert_eq!((bed.writes(), bed.settings()), (Vec::new(), KEYLESS));
            assert!(workspace.state().await.is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn people_pipelines_and_identities_have_what_their_work_takes() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let [group, pipeline, training] = [3, 4, 5].map(|n| format!("aaaaaaaa-0000-4000-8000-00000000000{n}"));
        bed.emulator.add_principal(BOB, "User");
        bed.emulator.add_principal(&group, "Group");
        for id in [&pipeline, &training] {
            bed.emulator.add_principal(id, "ServicePrincipal");
        }
        let workspace = bed.reader(engine, "").env("TF_VAR_developers_group", &group).env("TF_VAR_auditor", BOB);
        let workspace = workspace.env("TF_VAR_pipeline", &pipeline).env("TF_VAR_training_identity", &training);
        take(&workspace, "granting-roles");
        if !engine.knows_functions() {
            std::fs::remove_file(workspace.path().join("required-roles.tf")).unwrap();
        }
        assert_eq!(workspace.apply(&[]).await.succeeded().warnings(), NOTHING);
        assert_eq!([bed.held(&group), bed.held(&pipeline)], [CONTRIBUTOR; 2]);
        assert_eq!(bed.held(BOB), READER);
        assert_eq!(bed.held(&training), [BLOB_CONTRIBUTOR]);
        if engine.knows_functions() {
            let roles = workspace.outputs().await["roles_of_a_developer"]["value"].clone();
            assert_eq!(roles.as_object().unwrap().len(), 2, "{roles}");
        }
        workspace.plan(&[]).await.exits(0);
    })
    .await;
}

#[tokio::test]
async fn hubs_of_one_account_in_one_state_and_in_that_of_another_team() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let (second, theirs) = (bed.another_hub("hub2"), bed.another_hub("hub3"));
        let group = "aaaaaaaa-0000-4000-8000-000000000003";
        bed.emulator.add_principal(group, "Group");
        let ours = bed.reader(engine, "").env("TF_VAR_developers_group", group);
        let ours = ours.env("TF_VAR_other_hub_ids", json!([second]).to_string());
        take(&ours, "sharing-an-account/one-state");
        let others = bed.reader(engine, "").env("TF_VAR_developers_group", group).env("TF_VAR_hub_id", &theirs);
        take(&others, "sharing-an-account/another-team");

        // Keys stay as long as the other team's hub uses them.
        ours.apply(&["-parallelism=1"]).await.exits(1).says("Other workspaces use the keys").says("hub3");
        assert_eq!((bed.mode_of(&second).as_str(), bed.settings().1), ("identity", true));
        others.apply(&[]).await.succeeded();
        assert_eq!(bed.mode_of(&theirs), "identity");
        ours.apply(&["-parallelism=1"]).await.succeeded();
        assert_eq!(bed.settings(), KEYLESS);
        assert_eq!(bed.held(group), CONTRIBUTOR);
        for workspace in [&ours, &others] {
            workspace.plan(&[]).await.exits(0);
        }

        // The roles are not theirs, and stay.
        others.destroy(&["-target=foundryhub_role_assignment.developers"]).await.succeeded();
        assert_eq!(bed.held(group), CONTRIBUTOR);
    })
    .await;
}

#[tokio::test]
async fn a_subscription_is_audited_by_data_sources_and_by_queries() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        bed.seed_contributor(ALICE);
        let broken = bed.emulator.id("rg1", "Microsoft.MachineLearningServices/workspaces", "broken");
        let account = bed.emulator.id("rg1", "Microsoft.Storage/storageAccounts", "keyless");
        bed.emulator.seed_storage_account(&account, json!({ "allowSharedKeyAccess": false }));
        bed.emulator.seed_hub(&broken, &account, json!({ "systemDatastoresAuthMode": "accesskey" }));
        let workspace = bed.reader(engine, "");
        take(&workspace, "auditing-a-subscription");
        workspace.apply(&[]).await.succeeded();
        let outputs = workspace.outputs().await;
        assert_eq!(outputs["on_keys"]["value"], json!([bed.hub]));
        assert_eq!(outputs["broken"]["value"], json!([broken]));
        assert_eq!(outputs["by_account"]["value"][bed.account.to_lowercase()], json!(["hub1"]));
        assert!(outputs["findings"]["value"][&bed.hub].is_array());
        if engine.knows_lists_and_actions() {
            let found = workspace.run(&["query", "-no-color"]).await.succeeded();
            for list in [
                "list.foundryhub_storage_auth.on_keys",
                "list.foundryhub_storage_auth.broken",
                "list.foundryhub_role_assignment.person",
            ] {
                assert_eq!(found.stdout.matches(list).count(), 1, "{list}: {found}");
            }
        }
        assert_eq!(bed.writes(), NOTHING);
    })
    .await;
}

#[tokio::test]
async fn what_azurerm_and_azapi_have_made_is_taken_over() {
    let foreign = |file, type_name, provider| ForeignObject { file, type_name, provider };
    let role = || foreign("azurerm-4-role-assignment.json", "azurerm_role_assignment", "hashicorp/azurerm");
    let cases = [
        (
            "foundryhub_storage_auth",
            foreign("azapi-2-update-resource.json", "azapi_update_resource", "azure/azapi"),
            "Plan: 0 to add, 0 to change",
        ),
        ("foundryhub_role_assignment", role(), "Plan: 0 to add, 0 to change"),
        (
            "foundryhub_hub",
            foreign("azurerm-4-ai-foundry.json", "azurerm_ai_foundry", "hashicorp/azurerm"),
            "Plan: 0 to add, 0 to change",
        ),
        ("pair", role(), "Plan: 1 to import, 0 to add, 0 to change"),
    ];
    for_each_engine_that(Engine::knows_moves_between_types, async |engine| {
        for (part, foreign, says) in &cases {
            let bed = EngineBed::new().await;
            let second = bed.another_hub("hub2");
            let vault = bed.emulator.id("rg1", "Microsoft.KeyVault/vaults", "kv1");
            bed.emulator.change(&second, |hub| {
                (hub["kind"], hub["tags"]) = (json!("Hub"), json!({ "a": "1" }));
                hub["properties"]["keyVault"] = json!(vault);
            });
            bed.emulator.set_mode(&bed.hub, "Identity");
            let name = match *part {
                "foundryhub_hub" => "hub2".to_owned(),
                "foundryhub_role_assignment" => {
                    bed.emulator.seed_assignment(&bed.account, ALICE, "Storage Blob Data Reader")
                }
                "pair" => {
                    bed.emulator.seed_assignment(&bed.account, ALICE, "Storage File Data Privileged Contributor");
                    bed.emulator.seed_assignment(&bed.account, ALICE, "Storage Blob Data Contributor")
                }
                _ => "hub1".to_owned(),
            };
            let before = bed.in_azure();
            let config = variables(&["hub_id", "storage_account_id", "principal_id", "key_vault_id"]);
            let workspace = foreign.workspace(&bed, engine, &config, &name);
            let workspace = workspace.env("TF_VAR_hub_id", &bed.hub).env("TF_VAR_storage_account_id", &bed.account);
            let workspace = workspace.env("TF_VAR_principal_id", ALICE).env("TF_VAR_key_vault_id", &vault);
            take(&workspace, &format!("coming-from-azurerm-and-azapi/{part}"));
            if *part == "pair" {
                workspace.run(&["state", "rm", "azurerm_role_assignment.old"]).await.succeeded();
            }
            workspace.plan(&[]).await.says(says);
            workspace.apply_planned().await.succeeded();
            workspace.plan(&[]).await.exits(0);
            assert_eq!((bed.writes(), bed.in_azure()), (Vec::new(), before), "{part}");
            let state = workspace.state().await;
            assert!(
                state.len() == 1 && state[0]["type"].as_str().unwrap().starts_with("foundryhub_"),
                "{part}: {state:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn other_clouds_are_named_or_described() {
    const DATA: &str =
        "data \"foundryhub_hubs\" \"all\" {}\noutput \"hubs\" { value = data.foundryhub_hubs.all.hubs[*].name }\n";
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let environment = bed.emulator.environment();
        let of = |name: &str| environment.iter().find(|(other, _)| other == name).unwrap().1.clone();
        let (manager, authority) = (of("ARM_RESOURCE_MANAGER_ENDPOINT"), of("ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST"));
        for (part, described) in [("usgovernment", false), ("china", false), ("metadata-host", true), ("custom", true)]
        {
            // The emulator stands in for the clouds that are named; the others say themselves where they are.
            let addresses = ["ARM_ENVIRONMENT", "ARM_RESOURCE_MANAGER", "ARM_ACTIVE_DIRECTORY"];
            let left =
                environment.iter().filter(|(name, _)| !described || !addresses.iter().any(|it| name.starts_with(it)));
            let workspace = Workspace::new(engine).envs(left.map(|(name, value)| (name, value)));
            let workspace = workspace.env("TF_VAR_metadata_host", manager.trim_start_matches("https://"));
            let workspace = workspace.env("TF_VAR_resource_manager", &manager).env("TF_VAR_authority", &authority);
            workspace.config(DATA);
            take(&workspace, &format!("sovereign-clouds/{part}"));
            workspace.apply(&[]).await.succeeded();
            assert_eq!(workspace.outputs().await["hubs"]["value"], json!(["hub1"]), "{part}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_module_of_ones_own_is_tested_with_mocks_and_on_the_emulator() {
    for_each_engine_that(Engine::knows_functions, async |engine| {
        let bed = EngineBed::new().await;
        let workspace = bed.reader(engine, "").env("TF_VAR_team", json!([ALICE]).to_string());
        take(&workspace, "testing-modules");
        workspace.run(&["test", "-no-color", "-filter=mocked.tftest.hcl"]).await.succeeded().says("3 passed, 0 failed");
        assert_eq!(bed.emulator.arm_requests().len(), 0, "mocks ask nobody");
        workspace.run(&["test", "-no-color"]).await.succeeded().says("5 passed, 0 failed");
        assert_eq!((bed.settings(), bed.held(ALICE)), (WITH_KEYS, Vec::new()), "tests clean up");
        assert!(bed.writes().contains(&"PATCH sa1 false".to_owned()));
    })
    .await;
}
