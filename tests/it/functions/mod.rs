//! The functions, called in a process that is not configured.

use serde_json::{Value as Json, json};

use crate::support::core::Core;

const SUBSCRIPTION: &str = "11111111-2222-3333-4444-555555555555";
const ROOT: &str = "/providers/Microsoft.Authorization/roleDefinitions";
const READER: &str = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1";

fn hub(name: &str) -> String {
    format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/rg1/providers/Microsoft.MachineLearningServices/workspaces/{name}"
    )
}

/// The result of a call with these arguments.
async fn called(name: &str, arguments: Json) -> Json {
    let result = Core::new().call(name, arguments.as_array().expect("arguments")).await;
    result.unwrap_or_else(|error| panic!("{name}{arguments}: {}", error.text))
}

/// The error of each call says this about the argument at this position.
async fn assert_refused(name: &str, calls: &[(Json, i64, &str)]) {
    let mut core = Core::new().in_one_process();
    for (arguments, position, text) in calls {
        let error = core.call(name, arguments.as_array().expect("arguments")).await.expect_err("a bad argument");
        assert_eq!(error.function_argument, Some(*position), "{name}{arguments}: {}", error.text);
        assert!(error.text.contains(text), "{name}{arguments}: {}", error.text);
    }
}

#[tokio::test]
async fn the_parts_of_a_hub_s_id_keep_their_spelling() {
    let parts = |group: &str, name: &str| {
        json!({
            "subscription_id": SUBSCRIPTION,
            "resource_group_name": group,
            "resource_provider": "Microsoft.MachineLearningServices",
            "resource_type": "workspaces",
            "full_resource_type": "Microsoft.MachineLearningServices/workspaces",
            "resource_name": name,
            "hub_name": name,
        })
    };
    assert_eq!(called("parse_hub_id", json!([hub("Hub1")])).await, parts("rg1", "Hub1"));
    let shouted = format!("{}/", hub("hub1").to_uppercase());
    assert_eq!(called("parse_hub_id", json!([shouted])).await, parts("RG1", "HUB1"));
}

#[tokio::test]
async fn what_is_no_id_of_a_hub_has_no_parts() {
    let account = hub("sa1").replace("MachineLearningServices/workspaces", "Storage/storageAccounts");
    assert_refused(
        "parse_hub_id",
        &[
            (json!([""]), 0, "the id is empty"),
            (json!(["hub1"]), 0, "does not start with a slash"),
            (json!([account]), 0, "is the id of a Microsoft.Storage/storageAccounts"),
            (json!([format!("{}/datastores/a", hub("hub1"))]), 0, "workspaces/datastores"),
            (json!([hub("h")]), 0, "3 to 33 letters"),
            (json!([hub("hub1").replace(SUBSCRIPTION, "prod")]), 0, "`prod` is not a GUID"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_hub_s_id_is_made_of_its_parts() {
    assert_eq!(called("hub_id", json!([SUBSCRIPTION, "rg1", "hub1"])).await, json!(hub("hub1")));
    assert_refused(
        "hub_id",
        &[
            (json!(["prod", "rg1", "hub1"]), 0, "`prod` is not a GUID"),
            (json!([SUBSCRIPTION, "rg1/x", "hub1"]), 1, "1 to 90 letters"),
            (json!([SUBSCRIPTION, "", "hub1"]), 1, "1 to 90 letters"),
            (json!([SUBSCRIPTION, "rg1", "my hub"]), 2, "3 to 33 letters"),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_roles_of_an_access_or_scenario_are_those_of_the_article() {
    let role = |name: &str, guid: &str| json!({ "role_definition_name": name, "role_definition_id": format!("{ROOT}/{guid}") });
    let blob = role("Storage Blob Data Contributor", "ba92f5b4-2d11-453d-a403-e96b0029c9fe");
    let file = role("Storage File Data Privileged Contributor", "69566ab7-960f-475b-8e7c-b3118f30c6bd");
    let blob_reader = role("Storage Blob Data Reader", READER);
    let file_reader = role("Storage File Data Privileged Reader", "b8eda974-7b85-4f76-af95-65846b26df6d");
    for (purpose, roles) in [
        ("contributor", json!([blob, file])),
        ("Reader", json!([blob_reader, file_reader])),
        ("ai_speech", json!([blob, file])),
        ("fine_tuning", json!([blob])),
        ("PROMPT_FLOW", json!([blob, file])),
        ("own_data", json!([blob])),
    ] {
        assert_eq!(called("required_roles", json!([purpose])).await, roles, "{purpose}");
    }
}

#[tokio::test]
async fn roles_that_the_platform_assigns_are_not_to_be_assigned() {
    let platform = "which the platform assigns when it provisions the hub";
    let offered = "is not one of contributor, reader, ai_speech, fine_tuning, prompt_flow, own_data.";
    assert_refused(
        "required_roles",
        &[
            (json!(["model_as_a_service"]), 0, platform),
            (json!(["Azure_Search"]), 0, platform),
            (json!(["owner"]), 0, offered),
            (json!([""]), 0, offered),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_role_s_id_is_found_by_name_guid_or_another_id() {
    let in_subscription = format!("/subscriptions/{SUBSCRIPTION}{ROOT}/{READER}");
    let custom = "0f000000-0000-4000-8000-000000000001";
    for (arguments, id) in [
        (json!(["Storage Blob Data Reader"]), format!("{ROOT}/{READER}")),
        (json!(["storage blob data reader", hub("hub1")]), in_subscription.clone()),
        (json!([READER, format!("/subscriptions/{SUBSCRIPTION}")]), in_subscription.clone()),
        (json!([in_subscription]), format!("{ROOT}/{READER}")),
        (json!([custom, "/"]), format!("{ROOT}/{custom}")),
    ] {
        assert_eq!(called("role_definition_id", arguments.clone()).await, json!(id), "{arguments}");
    }
    let known = "Did you mean \"Storage Blob Data Reader\"";
    assert_refused(
        "role_definition_id",
        &[
            (json!(["Storage Blob Data Raeder"]), 0, known),
            (json!(["Key Vault Reader"]), 0, "Name any other role by its GUID."),
            (json!([""]), 0, "is not of the form"),
            (json!([hub("hub1")]), 0, "is the id of a Microsoft.MachineLearningServices/workspaces"),
            (json!([READER, "rg1"]), 1, "does not start with a slash"),
            (json!([READER, "/", "/"]), 2, "more than one scope"),
        ],
    )
    .await;
}
