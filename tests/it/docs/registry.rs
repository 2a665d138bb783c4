//! HashiCorp's tfplugindocs says whether a registry would take the pages. It is pinned in tests/tfplugindocs, and Go builds it.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::json;

use super::root;
use crate::support::engine::{Engine, Workspace, for_each_engine_that};

/// Holds the pages below a directory against a schema in a file.
fn validate(directory: &Path, schema: &Path) -> Output {
    let mut go = Command::new("go");
    go.args(["-C", "tests/tfplugindocs", "tool", "tfplugindocs", "validate", "--provider-name", "foundryhub"]);
    go.arg("--provider-dir").arg(directory).arg("--providers-schema").arg(schema);
    go.current_dir(root()).output().expect("go")
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned()).concat()
}

#[tokio::test]
async fn tfplugindocs_takes_the_pages_for_those_of_the_schemas() {
    for_each_engine_that(Engine::knows_lists_and_actions, async |engine| {
        let workspace = Workspace::new(engine);
        workspace.copy("examples/provider");
        let all = workspace.run(&["providers", "schema", "-json"]).await.succeeded().json();
        // Of the addresses of providers it knows those of HashiCorp, and bare names.
        let own = &all["provider_schemas"]["registry.terraform.io/foundryhub/foundryhub"];
        let schema = workspace.path().join("schema.json");
        let text = json!({ "format_version": all["format_version"], "provider_schemas": { "foundryhub": own } });
        fs::write(&schema, text.to_string()).unwrap();
        let output = validate(&root(), &schema);
        assert!(output.status.success(), "{}", said(&output));

        // A page alone, and the others missing.
        let incomplete = workspace.path().join("docs/resources");
        fs::create_dir_all(&incomplete).unwrap();
        fs::copy(root().join("docs/resources/hub.md"), incomplete.join("hub.md")).unwrap();
        let output = validate(&workspace.path(), &schema);
        assert!(!output.status.success() && said(&output).contains("foundryhub_storage_auth"), "{}", said(&output));
    })
    .await;
}
