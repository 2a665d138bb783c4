//! Connections of workspaces (azure.md §13.2).

use serde_json::{Value, json};

use super::client::{Arm, WORKSPACES, arm, arm_with, names};
use super::workspaces::project;
use crate::azure::{HubList, Lro};

fn list(workspace: &str) -> String {
    format!("{workspace}/connections?api-version=2025-06-01")
}

fn path(workspace: &str, name: &str) -> String {
    format!("{workspace}/connections/{name}?api-version=2025-06-01")
}

/// The body of a PUT of a container with an account key.
fn with_key() -> Value {
    json!({ "properties": {
        "authType": "AccountKey", "category": "AzureBlob", "target": "https://sa1.blob.core.windows.net/data",
        "metadata": { "AccountName": "sa1", "ContainerName": "data" }, "isSharedToAll": true,
        "credentials": { "key": "s3cret" },
    } })
}

/// The answer of the example, without the credentials.
#[tokio::test]
async fn a_connection_is_put_read_and_deleted() {
    let arm = arm().await;
    let path = path(&arm.hub, "c1");
    assert_eq!(arm.get(&path).await.status, 404);
    let made = arm.put(&path, with_key()).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let read = arm.get(&path).await;
    let body = read.body();
    assert_eq!((&body["id"], &body["name"]), (&json!(format!("{}/connections/c1", arm.hub)), &json!("c1")));
    assert_eq!(body["type"], "Microsoft.MachineLearningServices/workspaces/connections");
    assert_eq!(
        body["properties"],
        json!({
            "authType": "AccountKey", "category": "AzureBlob", "target": "https://sa1.blob.core.windows.net/data",
            "metadata": { "AccountName": "sa1", "ContainerName": "data" }, "isSharedToAll": true, "sharedUserList": [],
            "createdByWorkspaceArmId": arm.hub, "group": "Azure",
        })
    );
    let listed = arm.get(&list(&arm.hub)).await;
    assert_eq!(listed.at("/value/0"), body);
    for reply in [&made, &read, &listed] {
        assert!(!reply.text.contains("s3cret"), "{}", reply.text);
    }
    assert!(!format!("{:?}", arm.emulator.requests()).contains("s3cret"), "the log has secrets");
    let mut mended = with_key();
    mended["properties"]["authType"] = json!("AAD");
    assert_eq!(arm.put(&path, mended).await.at("/properties/authType"), "AAD");
    let mut unknown = with_key();
    unknown["properties"]["authType"] = json!("Password123");
    assert_eq!(arm.put(&path, unknown).await.status, 400);
    assert_eq!(arm.delete(&path).await.status, 200);
    assert_eq!(arm.delete(&path).await.status, 204);
    assert_eq!(names(&arm.get(&list(&arm.hub)).await.body()), [""; 0]);
}

async fn with_project() -> (Arm, String) {
    let arm = arm_with(|options| options.lro = Lro::Done).await;
    let id = arm.emulator.id("rg1", WORKSPACES, "prj1");
    assert_eq!(arm.put(&format!("{id}?api-version=2025-06-01"), project(&arm)).await.status, 200);
    (arm, id)
}

/// A hub's connections are its projects' when isSharedToAll is true or not set; whether a project's list has them is a
/// switch. createdByWorkspaceArmId tells whose one is.
#[tokio::test]
async fn a_project_lists_what_its_hub_shares() {
    let (arm, project) = with_project().await;
    for (name, shared) in [("all", json!(true)), ("unset", Value::Null), ("hubs", json!(false))] {
        let mut body = with_key();
        body["properties"]["isSharedToAll"] = shared;
        arm.put(&path(&arm.hub, name), body).await;
    }
    arm.put(&path(&project, "own"), with_key()).await;
    let listed = arm.get(&list(&project)).await.body();
    assert_eq!(names(&listed), ["own", "all", "unset"]);
    let owners: Vec<&Value> = listed["value"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|connection| &connection["properties"]["createdByWorkspaceArmId"])
        .collect();
    assert_eq!(owners, [&json!(project), &json!(arm.hub), &json!(arm.hub)]);
    assert_eq!(names(&arm.get(&list(&arm.hub)).await.body()), ["all", "hubs", "unset"]);
    arm.emulator.configure(|options| options.project_lists = vec![HubList::None]);
    assert_eq!(names(&arm.get(&list(&project)).await.body()), ["own"]);
}

/// The query: category and target.
#[tokio::test]
async fn a_list_is_filtered_by_category_and_target() {
    let arm = arm().await;
    arm.emulator.seed(
        "connections:
          - { parent: hub1, name: a, properties: { authType: AAD, category: AzureBlob, target: one } }
          - { parent: hub1, name: b, properties: { authType: SAS, category: ADLSGen2, target: two } }",
    );
    for (query, expected) in [("", vec!["a", "b"]), ("&category=azureblob", vec!["a"]), ("&target=two", vec!["b"])] {
        assert_eq!(names(&arm.get(&format!("{}{query}", list(&arm.hub))).await.body()), expected, "{query}");
    }
}
