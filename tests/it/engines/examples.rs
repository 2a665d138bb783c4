//! The examples of the documentation, each as it stands.

use std::{fs, path::Path};

use crate::{
    azure::Options,
    support::{
        engine::{Engine, Workspace, for_each_engine, for_each_engine_that},
        requirements::{Needed, Operator, Requirements},
    },
};

use super::engine_bed::{ALICE, EngineBed, NOTHING};

/// The values of the examples' variables, as JSON, beside the ids of what is in the emulator.
const VARIABLES: [(&str, &str); 3] = [
    ("resource_group_name", "rg1"),
    ("developers", r#"["aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"]"#),
    ("auditors_group", "aaaaaaaa-0000-4000-8000-000000000003"),
];

/// The folders with the examples of a kind, relative to the repository's root.
fn folders(kind: &str) -> Vec<String> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(kind);
    let entries = fs::read_dir(place).into_iter().flatten().map(|entry| entry.unwrap().file_name());
    let mut folders: Vec<_> = entries.map(|name| format!("examples/{kind}/{}", name.display())).collect();
    folders.sort();
    folders
}

/// Blocks of a configuration, and where the examples of what they name are.
const BLOCKS: [(&str, &str); 4] =
    [("resource", "resources"), ("data", "data-sources"), ("list", "list-resources"), ("action", "actions")];

/// What the pages say that everything in an example needs, whatever the case.
fn needed(folder: &str) -> Vec<Needed> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path());
    let text: String = files.filter(|file| file.is_file()).map(|file| fs::read_to_string(file).unwrap()).collect();
    let folders = BLOCKS.iter().flat_map(|(block, kind)| {
        let begins = format!("\n{block} \"foundryhub_");
        let named = text.split(&begins).skip(1).map(|rest| rest.split('"').next().unwrap());
        named.map(|name| format!("examples/{kind}/foundryhub_{name}")).collect::<Vec<_>>()
    });
    let all = folders.flat_map(|folder| Requirements::of(&folder).actions);
    all.filter(|needed| needed.when.is_none()).collect()
}

/// A workspace with the example in a folder, whose variables have the ids of the bed. Who runs it may do what it needs by the
/// pages, and nothing else.
fn example(bed: &EngineBed, engine: &'static Engine, folder: &str) -> Workspace {
    let vault = bed.emulator.id("rg1", "Microsoft.KeyVault/vaults", "kv1");
    let ids = [
        ("hub_id", bed.hub.as_str()),
        ("storage_account_id", &bed.account),
        ("key_vault_id", &vault),
        ("principal_id", ALICE),
    ];
    let variables = VARIABLES.iter().chain(&ids).map(|(name, value)| (format!("TF_VAR_{name}"), value));
    let operator = Operator::new(&bed.emulator, &bed.hub, &bed.account);
    operator.may(&bed.emulator, &needed(folder));
    let workspace = Workspace::new(engine).envs(bed.emulator.environment()).envs(Operator::environment());
    let workspace = workspace.envs(variables);
    workspace.copy("examples/provider");
    workspace.copy(folder);
    workspace
}

#[tokio::test]
async fn every_example_of_a_resource_applies_plans_empty_and_is_destroyed() {
    let folders = folders("resources");
    assert!(!folders.is_empty());
    for_each_engine(async |engine| {
        for folder in &folders {
            let bed = EngineBed::new().await;
            let workspace = example(&bed, engine, folder);
            let before = bed.in_azure();
            workspace.validate().await.succeeded();
            let applied = workspace.apply(&[]).await.succeeded();
            assert_eq!(applied.warnings(), NOTHING, "{applied}");
            assert_ne!(bed.in_azure(), before, "{folder} does something");
            workspace.plan(&[]).await.exits(0);
            workspace.destroy(&[]).await.succeeded();
            assert_eq!(bed.in_azure(), before, "{folder} is undone");
        }
    })
    .await;
}

#[tokio::test]
async fn every_example_of_a_data_source_or_function_gives_its_outputs_and_changes_nothing() {
    let folders = [folders("data-sources"), folders("functions")].concat();
    assert!(!folders.is_empty());
    for_each_engine(async |engine| {
        for folder in folders.iter().filter(|folder| engine.knows_functions() || !folder.contains("functions")) {
            let bed = EngineBed::new().await;
            let workspace = example(&bed, engine, folder);
            workspace.validate().await.succeeded();
            workspace.apply(&[]).await.succeeded();
            let outputs = workspace.outputs().await;
            assert!(!outputs.is_empty(), "{folder} shows something");
            assert!(outputs.values().all(|output| !output["value"].is_null()), "{folder}: {outputs:?}");
            workspace.plan(&[]).await.exits(0);
            assert_eq!(bed.writes(), [""; 0], "{folder}");
        }
    })
    .await;
}

#[tokio::test]
async fn every_example_of_a_list_resource_finds_something_and_changes_nothing() {
    for_each_engine(async |engine| {
        for folder in folders("list-resources").iter().filter(|_| engine.knows_lists_and_actions()) {
            let bed = EngineBed::new().await;
            bed.seed_contributor(ALICE);
            let workspace = example(&bed, engine, folder);
            let found = workspace.run(&["query", "-no-color"]).await.succeeded();
            assert!(found.stdout.lines().any(|line| line.starts_with("list.")), "{folder}: {found}");
            assert_eq!(bed.writes(), [""; 0], "{folder}");
        }
    })
    .await;
}

#[tokio::test]
async fn every_example_of_an_action_does_something() {
    for_each_engine(async |engine| {
        for folder in folders("actions").iter().filter(|_| engine.knows_lists_and_actions()) {
            let bed = EngineBed::new().await;
            let workspace = example(&bed, engine, folder);
            workspace.validate().await.succeeded();
            workspace.apply(&[]).await.succeeded();
            assert_ne!(bed.sent("POST"), 0, "{folder}");
        }
    })
    .await;
}

/// `terraform test` and `tofu test` of the files beside the examples.
#[tokio::test]
async fn every_test_file_of_the_examples_passes() {
    let folders = [folders("data-sources"), folders("functions")].concat();
    for_each_engine(async |engine| {
        for folder in folders.iter().filter(|_| engine.knows_functions()) {
            let bed = EngineBed::new().await;
            let workspace = example(&bed, engine, folder);
            let tested = workspace.run(&["test", "-no-color"]).await.succeeded();
            // Without a file of tests it succeeds, too.
            assert!(
                tested.stdout.contains("Success! ") && !tested.stdout.contains("Success! 0 "),
                "{folder}: {tested}"
            );
        }
    })
    .await;
}

/// The addresses and ids in the commands of a folder's `import.sh`.
fn imports(folder: &str) -> Vec<(String, String)> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join("import.sh");
    let text = fs::read_to_string(&script).unwrap_or_else(|error| panic!("{}: {error}", script.display()));
    let commands = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let imports = commands.map(|line| {
        let words = line.strip_prefix("terraform import ").and_then(|words| words.strip_suffix('\'')?.split_once(" '"));
        let (address, id) = words.unwrap_or_else(|| panic!("{line:?} is no import"));
        (address.to_owned(), id.to_owned())
    });
    imports.collect()
}

/// What the imports speak of that no example makes, in Azure and in HCL.
const OWN: (&str, &str) = (
    "role_assignments:\n  - { scope: sa1, principal: 33333333-3333-3333-3333-333333333333, role: Storage Blob Data Reader, \
     name: 22222222-2222-2222-2222-222222222222 }\n",
    r#"
resource "foundryhub_role_assignment" "own" {
  scope                = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg1/providers/Microsoft.Storage/storageAccounts/sa1"
  principal_id         = "33333333-3333-3333-3333-333333333333"
  role_definition_name = "Storage Blob Data Reader"
}
"#,
);

#[tokio::test]
async fn every_import_command_of_the_examples_imports_and_plans_empty() {
    for_each_engine(async |engine| {
        for folder in folders("resources") {
            let subscription_id = "00000000-0000-0000-0000-000000000000".to_owned();
            let bed = EngineBed::with(Options { subscription_id, ..Options::quick() }).await;
            bed.emulator.seed(OWN.0);
            let workspace = example(&bed, engine, &folder);
            let workspace = workspace.env("TF_VAR_auditors_group", "11111111-1111-1111-1111-111111111111");
            workspace.apply(&[]).await.succeeded();
            bed.writes();
            let imports = imports(&folder);
            assert!(!imports.is_empty(), "{folder}");
            for (address, id) in imports {
                if address == "foundryhub_role_assignment.own" {
                    fs::write(workspace.path().join("own.tf"), OWN.1).unwrap();
                } else {
                    workspace.run(&["state", "rm", &address]).await.succeeded();
                }
                workspace.import(&address, &id).await.succeeded();
                workspace.plan(&[]).await.exits(0);
            }
            assert_eq!(bed.writes(), [""; 0], "an import changes nothing");
        }
    })
    .await;
}

#[tokio::test]
async fn every_example_is_formatted() {
    // Others cannot read a call of a provider's function.
    for_each_engine_that(Engine::knows_functions, async |engine| {
        let workspace = Workspace::new(engine);
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        workspace.run(&["fmt", "-check", "-diff", "-recursive", examples.to_str().unwrap()]).await.succeeded();
    })
    .await;
}
