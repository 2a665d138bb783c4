//! Functions as engines call them: without credentials, with unknown arguments, and with arguments that are refused.

use crate::support::engine::{Engine, Workspace, for_each_engine};

/// Runs a test on every engine that knows functions, with nothing to sign in with.
async fn for_each(test: impl AsyncFn(&'static Engine)) {
    for_each_engine(async |engine| {
        if engine.knows_functions() {
            test(engine).await;
        }
    })
    .await;
}

fn workspace(engine: &'static Engine, config: &str) -> Workspace {
    let workspace = Workspace::new(engine);
    workspace.config(config);
    workspace
}

const SUBSCRIPTION: &str = "11111111-2222-3333-4444-555555555555";

#[tokio::test]
async fn a_refused_argument_is_named_by_its_parameter() {
    for_each(async |engine| {
        for (call, parameter, text) in [
            (r#"parse_hub_id("hub1")"#.to_owned(), "id", "does not start with a slash"),
            (format!(r#"hub_id("{SUBSCRIPTION}", "r/g", "hub1")"#), "resource_group_name", "1 to 90 letters"),
            (format!(r#"hub_id("{SUBSCRIPTION}", "rg1", null)"#), "name", "must not be null"),
            (r#"required_roles("azure_search")"#.to_owned(), "purpose", "which the platform assigns"),
            (r#"role_definition_id("Reader", "rg1")"#.to_owned(), "scope", "does not start with a slash"),
        ] {
            let workspace = workspace(engine, &format!("output \"it\" {{ value = provider::foundryhub::{call} }}"));
            let refused = workspace.plan(&[]).await.exits(1);
            refused.says(&format!("Invalid value for \"{parameter}\" parameter:")).says(text);
        }
    })
    .await;
}

#[tokio::test]
async fn an_unknown_argument_makes_an_unknown_result_that_is_known_after_the_apply() {
    for_each(async |engine| {
        let config = format!(
            r#"
            resource "terraform_data" "name" {{ input = "hub1" }}
            output "id" {{ value = provider::foundryhub::hub_id("{SUBSCRIPTION}", "rg1", terraform_data.name.output) }}
            output "name" {{
              value = provider::foundryhub::parse_hub_id(
                provider::foundryhub::hub_id("{SUBSCRIPTION}", "rg1", terraform_data.name.output)
              ).hub_name
            }}
            "#
        );
        let workspace = workspace(engine, &config);
        workspace.plan(&[]).await.exits(2);
        let planned = workspace.planned().await;
        let change = |name: &str| planned["output_changes"][name]["after_unknown"].clone();
        assert_eq!((change("id"), change("name")), (true.into(), true.into()), "{planned}");
        workspace.apply_planned().await.succeeded();
        let outputs = workspace.outputs().await;
        let id = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg1/providers/Microsoft.MachineLearningServices/workspaces/hub1");
        assert_eq!((&outputs["id"]["value"], &outputs["name"]["value"]), (&id.into(), &"hub1".into()));
        workspace.plan(&[]).await.exits(0);
    })
    .await;
}
