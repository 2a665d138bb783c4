//! The examples of the documentation, each as it stands.

use std::{fs, path::Path};

use crate::support::engine::{Workspace, for_each_engine};

use super::bed::{ALICE, Bed};

/// What the variables of the examples stand for here, as JSON, besides ids of what is in the emulator.
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

#[tokio::test]
async fn every_example_of_a_resource_applies_plans_nothing_more_and_is_destroyed() {
    let folders = folders();
    assert!(!folders.is_empty());
    for_each_engine(async |engine| {
        for folder in &folders {
            let bed = Bed::new().await;
            let before = bed.found();
            let ids = [("hub_id", bed.hub.as_str()), ("storage_account_id", &bed.account), ("principal_id", ALICE)];
            let variables = VARIABLES.iter().chain(&ids).map(|(name, value)| (format!("TF_VAR_{name}"), value));
            let workspace = Workspace::new(engine).envs(bed.emulator.environment()).envs(variables);
            workspace.copy("examples/provider");
            workspace.copy(folder);
            workspace.validate().await.succeeded();
            workspace.apply(&[]).await.succeeded();
            assert_ne!(bed.found(), before, "{folder} does something");
            workspace.plan(&[]).await.exits(0);
            workspace.destroy(&[]).await.succeeded();
            assert_eq!(bed.found(), before, "{folder} is undone");
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
