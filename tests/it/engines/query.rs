//! `terraform query`: what it finds, and the configuration that it generates.

use std::{collections::BTreeSet, fs};

use serde_json::json;

use super::engine_bed::{ALICE, BLOB_READER, BOB, EngineBed, FILE_READER};
use crate::support::{
    engine::{Engine, Workspace, for_each_engine},
    ids::READER_NAMES,
};

/// How many hubs a large subscription has, and over how many resource groups.
const HUBS: usize = 5000;
const GROUPS: usize = 20;
const HUBS_PER_ACCOUNT: usize = 10;

/// How many items a page has.
const PAGE: usize = 200;

/// Runs a test on every engine that has lists.
async fn for_each_with_lists(test: impl AsyncFn(&'static Engine)) {
    for_each_engine(async |engine| {
        if engine.knows_lists_and_actions() {
            test(engine).await;
        }
    })
    .await;
}

/// A workspace with a list of this type, in which these lines stand.
fn list(bed: &EngineBed, engine: &'static Engine, type_name: &str, lines: &str) -> Workspace {
    let workspace = bed.workspace(engine, "");
    relist(&workspace, type_name, lines);
    workspace
}

fn relist(workspace: &Workspace, type_name: &str, lines: &str) {
    let text = format!("list \"{type_name}\" \"all\" {{\n  provider = foundryhub\n{lines}\n}}\n");
    fs::write(workspace.path().join("all.tfquery.hcl"), text).unwrap();
}

/// The results that a query prints: a line each.
async fn query(workspace: &Workspace) -> Vec<String> {
    let found = workspace.run(&["query", "-no-color"]).await.succeeded();
    found.stdout.lines().filter(|line| line.starts_with("list.")).map(str::to_owned).collect()
}

/// Lets a query write configuration, imports what it found and plans again. Returns the configuration.
async fn generated(workspace: &Workspace) -> String {
    let file = workspace.path().join("generated.tf");
    workspace.run(&["query", "-no-color", &format!("-generate-config-out={}", file.display())]).await.succeeded();
    workspace.validate().await.succeeded();
    workspace.plan(&[]).await.exits(2).says(", 0 to add, 0 to change, 0 to destroy.");
    workspace.apply_planned().await.succeeded();
    workspace.plan(&[]).await.exits(0);
    fs::read_to_string(file).unwrap()
}

/// The names of the arguments that blocks of this type set in generated configuration, which has the others as null.
fn arguments(text: &str, type_name: &str) -> BTreeSet<String> {
    let begin = format!("resource \"{type_name}\" ");
    let blocks = text.split(&begin).skip(1);
    let lines = blocks.flat_map(|block| block.split("\n}").next().unwrap_or_default().lines().skip(1));
    let set = lines.filter_map(|line| line.split_once('=')).filter(|(_, value)| value.trim() != "null");
    set.map(|(name, _)| name.trim().to_owned()).collect()
}

/// A large subscription: hubs in both modes, ten of them on each account, and a third of the accounts with shared keys.
async fn large() -> EngineBed {
    let bed = EngineBed::new().await;
    for number in 1..HUBS {
        let shared = number / HUBS_PER_ACCOUNT;
        let group = format!("rg{}", 1 + shared % GROUPS);
        let account = bed.emulator.id(&group, "Microsoft.Storage/storageAccounts", &format!("salarge{shared}"));
        if number == 1 || number % HUBS_PER_ACCOUNT == 0 {
            bed.emulator.seed_storage_account(&account, json!({ "allowSharedKeyAccess": shared.is_multiple_of(3) }));
        }
        let hub = bed.emulator.id(&group, "Microsoft.MachineLearningServices/workspaces", &format!("hub-{number}"));
        let mode = if number % 2 == 0 { "accesskey" } else { "Identity" };
        bed.emulator.seed_hub(&hub, &account, json!({ "systemDatastoresAuthMode": mode }));
    }
    bed.emulator.clear_requests();
    bed
}

#[tokio::test]
async fn a_large_subscription_is_listed_whole_and_many_hubs_are_imported_at_once() {
    for_each_with_lists(async |engine| {
        let bed = large().await;
        let workspace = list(&bed, engine, "foundryhub_storage_auth", &format!("  limit = {HUBS}"));
        let found = query(&workspace).await;
        assert_eq!(found.len(), HUBS);
        assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), HUBS, "each once");
        assert_eq!(bed.sent("GET"), HUBS / PAGE);

        bed.emulator.clear_requests();
        let with_keys = "  limit = 5000\n  config {\n    only_shared_key_enabled = true\n  }";
        relist(&workspace, "foundryhub_storage_auth", with_keys);
        let accounts = HUBS / HUBS_PER_ACCOUNT;
        // Of the first account there is one hub less. One further hub is on one further account, which accepts keys.
        assert_eq!(query(&workspace).await.len(), accounts.div_ceil(3) * HUBS_PER_ACCOUNT - 1 + 1);
        // Nine accounts are read by themselves before the list of all is worth it.
        assert_eq!(bed.sent("GET"), HUBS / PAGE + 9 + (accounts + 1).div_ceil(PAGE));

        bed.emulator.clear_requests();
        relist(&workspace, "foundryhub_storage_auth", "  limit = 3\n  config {\n    mode = \"accesskey\"\n  }");
        assert_eq!(query(&workspace).await.len(), 3);
        assert_eq!(bed.sent("GET"), 1, "one page is enough");

        let group = "  limit = 300\n  config {\n    resource_group_name = \"rg7\"\n  }";
        relist(&workspace, "foundryhub_storage_auth", group);
        assert_eq!(query(&workspace).await.len(), HUBS / GROUPS);
        relist(&workspace, "foundryhub_storage_auth", "  limit = 300");
        let text = generated(&workspace).await;
        assert_eq!(text.matches("resource \"foundryhub_storage_auth\"").count(), 300);
        let expected = ["hub_id", "provider", "system_datastores_auth_mode"].map(str::to_owned);
        assert_eq!(arguments(&text, "foundryhub_storage_auth"), BTreeSet::from(expected));
        assert!(!text.contains("\"Identity\"") && !text.contains("\"identity\""), "the default is not in it");
        assert_eq!(bed.writes(), [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn role_assignments_are_found_imported_and_plan_empty() {
    for_each_with_lists(async |engine| {
        let bed = EngineBed::new().await;
        bed.seed_contributor(ALICE);
        bed.emulator.add_principal(BOB, "User");
        for role in READER_NAMES {
            bed.emulator.seed_assignment(&bed.account, BOB, role);
        }
        bed.emulator.seed_assignment(&bed.account, BOB, "Storage Blob Data Owner");
        let config = format!("  config {{\n    hub_id = {:?}\n  }}", bed.hub);
        let workspace = list(&bed, engine, "foundryhub_role_assignment", &config);
        let found = query(&workspace).await;
        assert_eq!(found.len(), 3);
        for name in [format!("contributor of {ALICE} on sa1"), format!("reader of {BOB} on sa1")] {
            assert!(found.iter().any(|line| line.ends_with(&name)), "{name} is not in {found:?}");
        }
        let text = generated(&workspace).await;
        let expected =
            ["access", "principal_id", "principal_type", "provider", "role_definition_name", "storage_account_id"];
        assert_eq!(arguments(&text, "foundryhub_role_assignment"), BTreeSet::from(expected.map(str::to_owned)));
        assert!(!text.contains("timeouts"), "{text}");
        assert_eq!(bed.writes(), [""; 0]);
        let held = bed.held(BOB);
        assert!(held.contains(&BLOB_READER.to_owned()) && held.contains(&FILE_READER.to_owned()));
    })
    .await;
}

#[tokio::test]
async fn hubs_are_found_imported_whole_and_plan_empty() {
    for_each_with_lists(async |engine| {
        let bed = EngineBed::new().await;
        let second = bed.another_hub("hub2");
        bed.emulator.change(&second, |hub| {
            hub["properties"]["managedNetwork"]["isolationMode"] = json!("AllowInternetOutbound");
            hub["properties"]["publicNetworkAccess"] = json!("Disabled");
            hub["properties"]["description"] = json!("Isolated.");
            hub["tags"] = json!({ "env": "test" });
        });
        let workspace = list(&bed, engine, "foundryhub_hub", "  config {\n    resource_group_name = \"rg1\"\n  }");
        assert_eq!(query(&workspace).await.len(), 2);
        let text = generated(&workspace).await;
        for says in ["\"AllowInternetOutbound\"", "\"Isolated.\"", "env = \"test\"", "\"Disabled\""] {
            assert_eq!(text.matches(says).count(), 1, "{says}: {text}");
        }
        assert!(!text.contains("\"Enabled\"") && !text.contains("timeouts"), "{text}");
        assert_eq!(bed.writes(), [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn hubs_that_lost_their_data_are_found_and_what_is_wrong_is_told() {
    for_each_with_lists(async |engine| {
        let bed = EngineBed::new().await;
        bed.emulator.set_shared_key_access(&bed.account, Some(false));
        let broken = "  config {\n    broken = true\n  }";
        let workspace = list(&bed, engine, "foundryhub_storage_auth", broken);
        assert!(query(&workspace).await[0].ends_with(" hub1"));
        bed.emulator.set_mode(&bed.hub, "identity");
        assert_eq!(query(&workspace).await, [""; 0]);
        let second = bed.another_hub("hub2");
        bed.emulator.change(&second, |hub| hub["identity"] = json!("none"));
        relist(&workspace, "foundryhub_storage_auth", "");
        let outcome = workspace.run(&["query", "-no-color"]).await.succeeded();
        outcome.says("A hub of the list cannot be read").says("hub2").says("hub1");
        relist(&workspace, "foundryhub_storage_auth", "  config {\n    mode = \"keys\"\n  }");
        workspace.run(&["query", "-no-color"]).await.exits(1).says("mode: ");
    })
    .await;
}
