//! Computes of workspaces (azure.md §13.3).

use serde_json::{Value, json};

use super::client::{WORKSPACES, arm, arm_with, names};
use super::workspaces::project;
use crate::azure::{HubList, Lro};

fn list(workspace: &str) -> String {
    format!("{workspace}/computes?api-version=2025-06-01")
}

fn path(workspace: &str, name: &str) -> String {
    format!("{workspace}/computes/{name}?api-version=2025-06-01")
}

fn instance() -> Value {
    json!({ "location": "eastus", "properties": {
        "computeType": "ComputeInstance", "properties": { "vmSize": "STANDARD_DS3_V2" },
    } })
}

/// What an instance and a cluster show, and when they were made.
#[tokio::test]
async fn a_compute_is_put_read_and_deleted() {
    let arm = arm_with(|options| options.stop_clock = true).await;
    let path_of = |name: &str| path(&arm.hub, name);
    assert_eq!(arm.get(&path_of("ci1")).await.status, 404);
    assert_eq!(arm.put(&path_of("ci1"), instance()).await.status, 201);
    let created = arm.get(&path_of("ci1")).await.at("/properties/createdOn");
    let text = created.as_str().expect("a time");
    assert!(text.len() == "2021-04-01T22:00:00.0000000+00:00".len() && text.ends_with("+00:00"), "{text}");
    arm.emulator.advance(std::time::Duration::from_secs(60));
    assert_eq!(arm.put(&path_of("ci1"), instance()).await.status, 200);
    let cluster = json!({ "properties": { "computeType": "AmlCompute" } });
    assert_eq!(arm.put(&path_of("cluster"), cluster).await.status, 201);
    let read = arm.get(&path_of("ci1")).await.body();
    assert_eq!((&read["name"], &read["location"]), (&json!("ci1"), &json!("eastus")));
    assert_eq!(read["type"], "Microsoft.MachineLearningServices/workspaces/computes");
    let properties = &read["properties"];
    assert_eq!(properties["computeType"], "ComputeInstance");
    assert_eq!(properties["provisioningState"], "Succeeded");
    assert_eq!(properties["createdOn"], created);
    assert_ne!(properties["modifiedOn"], created);
    assert_eq!(properties["properties"], json!({ "state": "Running", "vmSize": "STANDARD_DS3_V2" }));
    let inner = arm.get(&path_of("cluster")).await.at("/properties/properties");
    assert_eq!(inner, json!({ "allocationState": "Steady" }));
    let listed = arm.get(&list(&arm.hub)).await.body();
    assert_eq!(names(&listed), ["ci1", "cluster"]);
    assert_eq!(listed["value"][0]["properties"]["createdOn"], created);
    assert_eq!(listed["value"][0]["properties"].get("properties"), None, "a list may leave them out");
    assert_eq!(arm.put(&path_of("x"), json!({ "properties": { "computeType": "Abacus" } })).await.status, 400);
    assert_eq!(arm.delete(&path_of("ci1")).await.status, 200);
    assert_eq!(names(&arm.get(&list(&arm.hub)).await.body()), ["cluster"]);
}

/// Whether a project's list repeats its hub's is a switch.
#[tokio::test]
async fn a_project_uses_its_hubs_computes() {
    let arm = arm_with(|options| options.lro = Lro::Done).await;
    let id = arm.emulator.id("rg1", WORKSPACES, "prj1");
    arm.put(&format!("{id}?api-version=2025-06-01"), project(&arm)).await;
    arm.emulator.seed("computes: [{ parent: hub1, name: ci1, properties: { computeType: ComputeInstance } }]");
    assert_eq!(names(&arm.get(&list(&id)).await.body()), [""; 0]);
    arm.emulator.configure(|options| options.project_lists = vec![HubList::Computes]);
    assert_eq!(names(&arm.get(&list(&id)).await.body()), ["ci1"]);
}

/// Pages, as other lists of workspaces have them.
#[tokio::test]
async fn a_list_of_computes_has_pages() {
    let arm = arm().await;
    arm.emulator.configure(|options| options.page_size = 2);
    for name in ["a", "b", "c"] {
        arm.put(&path(&arm.hub, name), instance()).await;
    }
    let first = arm.get(&list(&arm.hub)).await;
    assert_eq!(names(&first.body()), ["a", "b"]);
    assert_eq!(names(&arm.get(first.at("/nextLink").as_str().expect("a link")).await.body()), ["c"]);
}
