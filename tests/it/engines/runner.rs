//! The runner itself, and the engines that `tests/engines/setup` gets.

use std::{fs, process::Command};

use serde_json::json;

use crate::support::{
    engine::{Workspace, for_each_engine},
    plugin::within,
};

/// A resource of the engines' own, so that these tests are about the runner alone.
const BUILT_IN: &str = r#"
variable "input" {
  default = "one"
}
resource "terraform_data" "it" {
  input = var.input
}
"#;

#[tokio::test]
async fn exit_codes_tell_what_a_command_found() {
    for_each_engine(async |engine| {
        let workspace = Workspace::new(engine);
        fs::write(workspace.path().join("main.tf"), BUILT_IN).unwrap();
        workspace.init().await.succeeded();
        workspace.validate().await.succeeded();
        workspace.plan(&[]).await.exits(2).says("1 to add, 0 to change");
        workspace.apply_planned().await.succeeded();
        workspace.plan(&[]).await.exits(0).says("No changes.");
        assert_eq!(workspace.in_state("terraform_data.it").await.unwrap()["values"]["input"], "one");

        workspace.plan(&["-var=input=two"]).await.exits(2);
        let change = workspace.planned().await["resource_changes"][0]["change"].clone();
        assert_eq!((&change["actions"], &change["after"]["input"]), (&json!(["update"]), &json!("two")));

        workspace.plan(&["-var=unknown=1"]).await.exits(1).says("Value for undeclared variable");
        workspace.destroy(&[]).await.succeeded();
        assert!(workspace.state().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_command_works_with_chdir_and_gets_no_input() {
    for_each_engine(async |engine| {
        let workspace = Workspace::new(engine);
        fs::create_dir(workspace.path().join("inner")).unwrap();
        fs::write(workspace.path().join("inner/main.tf"), "variable \"asked\" {}\n").unwrap();
        let arguments = ["-chdir=inner", "plan", "-no-color"];
        workspace.run(&arguments).await.exits(1).says("No value for required variable");
    })
    .await;
}

#[tokio::test]
async fn ctrl_c_ends_an_apply_after_the_resource_under_way() {
    for_each_engine(async |engine| {
        let workspace = Workspace::new(engine);
        // The command ignores Ctrl-C, and the engine kills it. If it ended by itself the engine, which notices both,
        // might handle its failure first and end before the interruption.
        let text = r#"
            resource "terraform_data" "slow" {
              provisioner "local-exec" {
                command = "trap '' INT; : >begun; while :; do sleep 0.05; done"
              }
            }
            resource "terraform_data" "later" {
              input = terraform_data.slow.id
            }
        "#;
        fs::write(workspace.path().join("main.tf"), text).unwrap();
        workspace.init().await.succeeded();
        let begun = workspace.path().join("begun");
        assert!(Command::new("mkfifo").arg(&begun).status().unwrap().success());
        let apply = workspace.start_apply(&[]);
        // A pipe opens for reading when the other side opens it for writing.
        within("the command's start", tokio::fs::read(begun)).await.unwrap();
        apply.interrupt().await;
        apply.finish().await.exits(1).says("Interrupt received.");
        assert_eq!(workspace.in_state("terraform_data.slow").await.unwrap()["tainted"], true);
        assert_eq!(workspace.in_state("terraform_data.later").await, None);
    })
    .await;
}

#[tokio::test]
async fn init_installs_the_provider_from_a_filesystem_mirror() {
    for_each_engine(async |engine| {
        let workspace = Workspace::new(engine).mirrored();
        workspace.config("");
        workspace.init().await.succeeded().says("foundryhub/foundryhub v0.1.0 (unauthenticated)");
        let lock = fs::read_to_string(workspace.path().join(".terraform.lock.hcl")).unwrap();
        assert!(lock.contains("/foundryhub/foundryhub\" {"), "{lock}");
    })
    .await;
}
