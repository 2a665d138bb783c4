//! The examples of the documentation, each as it stands.

use std::{fs, path::Path};

use crate::{
    azure::Options,
    support::engine::{Engine, Workspace, for_each_engine},
};

use super::engine_bed::{ALICE, EngineBed};

/// The values of the examples' variables, as JSON, beside the ids of what is in the emulator.
const VARIABLES: [(&str, &str); 2] = [
    ("developers", r#"["aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"]"#),
    ("auditors_group", "aaaaaaaa-0000-4000-8000-000000000003"),
];

/// The folders with the example of a resource, relative to the repository's root.
fn folders() -> Vec<String> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/resources");
    let entries = fs::read_dir(place).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut folders: Vec<_> = entries.map(|name| format!("examples/resources/{name}")).collect();
    folders.sort();
    folders
}

/// A workspace with the example in a folder, whose variables have the ids of the bed.
fn example(bed: &EngineBed, engine: &'static Engine, folder: &str) -> Workspace {
    let ids = [("hub_id", bed.hub.as_str()), ("storage_account_id", &bed.account), ("principal_id", ALICE)];
    let variables = VARIABLES.iter().chain(&ids).map(|(name, value)| (format!("TF_VAR_{name}"), value));
    let workspace = Workspace::new(engine).envs(bed.emulator.environment()).envs(variables);
    workspace.copy("examples/provider");
    workspace.copy(folder);
    workspace
}

#[tokio::test]
async fn every_example_of_a_resource_applies_plans_empty_and_is_destroyed() {
    let folders = folders();
    assert!(!folders.is_empty());
    for_each_engine(async |engine| {
        for folder in &folders {
            let bed = EngineBed::new().await;
            let before = bed.in_azure();
            let workspace = example(&bed, engine, folder);
            workspace.validate().await.succeeded();
            workspace.apply(&[]).await.succeeded();
            assert_ne!(bed.in_azure(), before, "{folder} does something");
            workspace.plan(&[]).await.exits(0);
            workspace.destroy(&[]).await.succeeded();
            assert_eq!(bed.in_azure(), before, "{folder} is undone");
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
        for folder in folders() {
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
    for_each_engine(async |engine| {
        let workspace = Workspace::new(engine);
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        workspace.run(&["fmt", "-check", "-diff", "-recursive", examples.to_str().unwrap()]).await.succeeded();
    })
    .await;
}
