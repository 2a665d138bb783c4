//! Actions under Terraform, which shows their progress and their errors.

use std::fs;

use super::engine_bed::{EngineBed, KEYLESS, WITH_KEYS};
use crate::support::engine::{Engine, Workspace, for_each_engine};

/// Runs a test on every engine that has actions.
async fn for_each_with_actions(test: impl AsyncFn(&'static Engine)) {
    for_each_engine(async |engine| {
        if engine.knows_lists_and_actions() {
            test(engine).await;
        }
    })
    .await;
}

/// A workspace with the example of an action.
fn example(bed: &EngineBed, engine: &'static Engine, name: &str) -> Workspace {
    let workspace = bed.workspace(engine, "").env("TF_VAR_hub_id", &bed.hub);
    workspace.copy(&format!("examples/actions/{name}"));
    workspace
}

/// What was sent to actions of resources since the last look: `regenerateKey`, `resyncKeys`, in order.
fn posts(bed: &EngineBed) -> Vec<String> {
    bed.writes().into_iter().filter_map(|write| write.strip_prefix("POST ").map(str::to_owned)).collect()
}

#[tokio::test]
async fn keys_are_rotated_after_they_were_disabled_and_whenever_that_is_asked_for() {
    for_each_with_actions(async |engine| {
        let bed = EngineBed::new().await;
        let workspace = example(&bed, engine, "foundryhub_rotate_storage_keys");
        let made = || {
            let account = bed.emulator.resource(&bed.account).unwrap();
            account["properties"]["keyCreationTime"].clone()
        };
        let before = made();
        let applied = workspace.apply(&[]).await.succeeded();
        applied.says(&format!("key2 of {} is new.", bed.account)).says(&format!("key1 of {} is new.", bed.account));
        assert_eq!(bed.settings(), KEYLESS);
        assert_eq!(posts(&bed), ["regenerateKey", "regenerateKey"], "the hub uses none");
        let after = made();
        assert!(before["key1"] != after["key1"] && before["key2"] != after["key2"]);
        workspace.plan(&[]).await.exits(0);

        let file = workspace.path().join("action.tf");
        let text = fs::read_to_string(&file).unwrap();
        let changed = text.replace("_enabled = false\n", "_enabled = false\n  access_check = \"off\"\n");
        assert_ne!(text, changed);
        fs::write(&file, changed).unwrap();
        workspace.apply(&[]).await.succeeded().says("1 changed");
        assert_eq!(posts(&bed), [""; 0], "the keys have nothing to do with that");

        workspace.apply(&["-invoke=action.foundryhub_rotate_storage_keys.hub"]).await.succeeded();
        assert_eq!(posts(&bed), ["regenerateKey", "regenerateKey"]);
    })
    .await;
}

#[tokio::test]
async fn while_keys_are_enabled_the_action_fails_before_anything_is_sent() {
    for_each_with_actions(async |engine| {
        let bed = EngineBed::new().await;
        let workspace = bed.workspace(
            engine,
            &format!(
                "action \"foundryhub_rotate_storage_keys\" \"hub\" {{\n  config {{\n    hub_id = {:?}\n  }}\n}}\n",
                bed.hub
            ),
        );
        let invoke = ["-invoke=action.foundryhub_rotate_storage_keys.hub"];
        let outcome = workspace.apply(&invoke).await.exits(1).says("The storage account accepts shared keys");
        outcome.says("Nothing was regenerated");
        assert_eq!(posts(&bed), [""; 0]);
        assert_eq!(bed.settings(), WITH_KEYS);
    })
    .await;
}

/// Terraform validates the configuration of an action only while it has unknown values.
#[tokio::test]
async fn what_is_wrong_with_a_configuration_is_told_whenever_it_becomes_known() {
    for_each_with_actions(async |engine| {
        let bed = EngineBed::new().await;
        let config = format!(
            r#"
variable "on_keys_enabled" {{
  default = null
}}
resource "terraform_data" "it" {{
  input = {:?}
  lifecycle {{
    action_trigger {{
      events  = [after_create]
      actions = [action.foundryhub_rotate_storage_keys.hub]
    }}
  }}
}}
action "foundryhub_rotate_storage_keys" "hub" {{
  config {{
    hub_id             = {:?}
    storage_account_id = terraform_data.it.output
    on_keys_enabled    = var.on_keys_enabled
  }}
}}
"#,
            bed.account, bed.hub
        );
        let workspace = bed.workspace(engine, &config);
        workspace.plan(&["-var=on_keys_enabled=never"]).await.exits(1).says("on_keys_enabled: ");
        workspace.apply(&[]).await.exits(1).says("The storage account is named twice");
        assert_eq!(posts(&bed), [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn a_hub_fetches_keys_that_somebody_else_has_regenerated() {
    for_each_with_actions(async |engine| {
        let bed = EngineBed::new().await;
        let workspace = example(&bed, engine, "foundryhub_resync_keys");
        for arguments in [&[][..], &["-invoke=action.foundryhub_resync_keys.hub"]] {
            let invoked = workspace.apply(arguments).await.succeeded();
            invoked.says(&format!("{} has the current keys.", bed.hub));
            assert_eq!(posts(&bed), ["resyncKeys"]);
        }
        workspace.plan(&[]).await.exits(0);
    })
    .await;
}
