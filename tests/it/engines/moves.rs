//! Role assignments that come from elsewhere or become something else, under real engines: `moved` from other providers,
//! configuration written by the engine, changes of what the identity says.

use std::{fs, os::unix::fs::symlink};

use serde_json::{Value, json};

use crate::support::engine::{Product, Workspace, for_each_engine};

use super::bed::{ALICE, BLOB_CONTRIBUTOR, Bed, FILE_CONTRIBUTOR};

const ADDRESS: &str = "foundryhub_role_assignment.alice";
const BLOB_READER: &str = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1";

/// A state file with one resource of another provider, made of an object in `tests/data`.
fn state_of(bed: &Bed, file: &str, type_name: &str, provider: &str, name: &str) -> Value {
    let path = format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR"));
    let subscription = bed.account.split("/resourceGroups/").next().unwrap_or_default();
    let text = fs::read_to_string(path).expect("the object is there");
    let text = text.replace("{{account}}", &bed.account).replace("{{subscription}}", subscription);
    let object: Value =
        serde_json::from_str(&text.replace("{{name}}", name).replace("{{principal}}", ALICE)).expect("JSON");
    json!({
        "version": 4,
        "terraform_version": "1.9.0",
        "serial": 1,
        "lineage": "00000000-0000-0000-0000-000000000001",
        "outputs": {},
        "resources": [{
            "mode": "managed",
            "type": type_name,
            "name": "old",
            "provider": format!("provider[\"{provider}\"]"),
            "instances": [{ "schema_version": object["schema_version"], "attributes": object["attributes"] }],
        }],
    })
}

/// Lets our own binary stand in for another provider: engines want it there, though they ask it for nothing but a schema.
fn stand_in_for(workspace: &Workspace, provider: &str) {
    let (folder, name) = (workspace.path().join("../other"), provider.rsplit('/').next().unwrap_or_default());
    fs::create_dir(&folder).expect("the folder is made");
    let folder = folder.canonicalize().expect("the folder is there");
    symlink(env!("CARGO_BIN_EXE_terraform-provider-foundryhub"), folder.join(format!("terraform-provider-{name}")))
        .expect("the binary is linked");
    let config = workspace.path().join("../cli.tfrc");
    let text = fs::read_to_string(&config).expect("the engine's configuration is there");
    let hosts = ["registry.terraform.io", "registry.opentofu.org"];
    let lines: String = hosts.iter().map(|host| format!("\"{host}/{provider}\" = {folder:?}\n")).collect();
    fs::write(&config, text.replacen("dev_overrides {\n", &format!("dev_overrides {{\n{lines}"), 1))
        .expect("and written");
}

#[tokio::test]
async fn a_peers_role_assignment_is_moved_here_and_needs_no_change() {
    for_each_engine(async |engine| {
        for (file, type_name, provider) in [
            ("azurerm-4-role-assignment.json", "azurerm_role_assignment", "hashicorp/azurerm"),
            ("azapi-2-role-assignment.json", "azapi_resource", "azure/azapi"),
        ] {
            let bed = Bed::new().await;
            let name = bed.emulator.seed_assignment(&bed.account, ALICE, "Storage Blob Data Reader");
            let config = format!(
                "resource \"foundryhub_role_assignment\" \"alice\" {{\n  \
                   storage_account_id   = \"{}\"\n  principal_id         = \"{ALICE}\"\n  \
                   role_definition_name = \"Storage Blob Data Reader\"\n\
                 }}\nmoved {{\n  from = {type_name}.old\n  to   = {ADDRESS}\n}}\n",
                bed.account
            );
            let workspace = bed.workspace(engine, &config);
            stand_in_for(&workspace, provider);
            let registry = match engine.product {
                Product::Terraform => "registry.terraform.io",
                Product::OpenTofu => "registry.opentofu.org",
            };
            let state = state_of(&bed, file, type_name, &format!("{registry}/{provider}"), &name);
            fs::write(workspace.path().join("terraform.tfstate"), state.to_string()).expect("the state is written");
            let planned = workspace.plan(&[]).await;
            planned.says("has moved to").says("Plan: 0 to add, 0 to change, 0 to destroy.");
            workspace.apply_planned().await.succeeded();
            workspace.plan(&[]).await.exits(0);
            assert_eq!((bed.sent("PUT"), bed.sent("DELETE")), (0, 0));
            workspace.destroy(&[]).await.succeeded();
            assert_eq!(bed.held(ALICE), [""; 0]);
        }
    })
    .await;
}

#[tokio::test]
async fn configuration_that_the_engine_writes_for_an_import_needs_no_change() {
    for_each_engine(async |engine| {
        let bed = Bed::new().await;
        bed.emulator.seed_assignment(&bed.account, ALICE, "Storage Blob Data Contributor");
        bed.emulator.seed_assignment(&bed.account, ALICE, "Storage File Data Privileged Contributor");
        for id in [format!("{}|{ALICE}|contributor", bed.hub), format!("{}|{ALICE}|{BLOB_CONTRIBUTOR}", bed.account)] {
            let workspace = bed.workspace(engine, &format!("import {{\n  to = {ADDRESS}\n  id = \"{id}\"\n}}\n"));
            let planned = workspace.plan(&["-generate-config-out=generated.tf"]).await.exits(2);
            planned.says("Plan: 1 to import, 0 to add, 0 to change, 0 to destroy.");
            workspace.apply(&[]).await.succeeded();
            workspace.plan(&[]).await.exits(0);
        }
        assert_eq!((bed.sent("PUT"), bed.sent("DELETE")), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn roles_and_target_change_in_place_although_the_identity_names_them() {
    for_each_engine(async |engine| {
        let bed = Bed::new().await;
        let workspace = bed.workspace(engine, &bed.grant());
        workspace.apply(&[]).await.succeeded();
        let group = bed.account.split("/providers/").next().unwrap_or_default();
        let reader = bed.grant().replace("\"contributor\"", "\"reader\"");
        let elsewhere = reader.replace("hub_id", "scope").replace(&bed.hub, group);
        for config in [reader, elsewhere] {
            workspace.config(&config);
            workspace.plan(&[]).await.exits(2).says("Plan: 0 to add, 1 to change, 0 to destroy.");
            workspace.apply_planned().await.succeeded();
            workspace.plan(&[]).await.exits(0);
        }
        assert!(bed.held(ALICE).contains(&BLOB_READER.to_owned()));
        assert!(
            bed.emulator
                .assignments()
                .iter()
                .filter(|found| found.principal_id == ALICE)
                .all(|found| found.scope == group)
        );
    })
    .await;
}

#[tokio::test]
async fn a_replacement_or_a_rename_takes_no_role_away() {
    for_each_engine(async |engine| {
        let bed = Bed::new().await;
        let workspace = bed.workspace(engine, &bed.grant());
        workspace.apply(&[]).await.succeeded();
        workspace.apply(&[&format!("-replace={ADDRESS}")]).await.succeeded();
        let first = bed.grant().replace("\n}\n", "\n  lifecycle {\n    create_before_destroy = true\n  }\n}\n");
        workspace.config(&first);
        workspace.apply(&[&format!("-replace={ADDRESS}")]).await.succeeded();
        assert_eq!(bed.sent("DELETE"), 0);
        workspace.config(&bed.grant().replace("\"alice\"", "\"alice_again\""));
        workspace.plan(&[]).await.exits(2).says("use a moved block");
        workspace.apply_planned().await.succeeded();
        assert_eq!(bed.held(ALICE), [FILE_CONTRIBUTOR, BLOB_CONTRIBUTOR]);
        workspace.plan(&[]).await.exits(0);
    })
    .await;
}
