//! Long-running operations in every shape (azure.md §1.3, §5.6).

use std::time::Duration;

use serde_json::json;

use super::MODE;
use super::client::{Arm, Reply, arm_with};
use crate::azure::{Lro, Operations, Outcome};

async fn patched(lro: Lro, operations: Operations) -> (Arm, Reply) {
    let arm = arm_with(|options| {
        options.lro = lro;
        options.operations = operations;
    })
    .await;
    let reply = arm.patch(&arm.hub_path(), json!({ "properties": { "systemDatastoresAuthMode": "identity" } })).await;
    (arm, reply)
}

const STATE: &str = "/properties/provisioningState";

async fn finish(arm: &Arm, outcome: Outcome) {
    let id = arm.emulator.operation_started(&arm.hub).await;
    assert!(arm.emulator.finish_operation(&id, outcome.clone()));
    assert!(!arm.emulator.finish_operation(&id, outcome));
}

/// azure.md §1.3: 200 with the finished workspace.
#[tokio::test]
async fn done_at_once_is_200_with_the_workspace() {
    let (_arm, reply) = patched(Lro::Done, Operations::Explicit).await;
    assert_eq!((reply.status, reply.at(MODE), reply.at(STATE)), (200, "identity".into(), "Succeeded".into()));
}

/// azure.md §1.3: 200 with provisioningState Updating; GETs of the resource follow it.
#[tokio::test]
async fn updating_is_200_and_the_resource_is_polled() {
    let (arm, reply) = patched(Lro::Updating, Operations::Explicit).await;
    assert_eq!((reply.status, reply.at(STATE)), (200, "Updating".into()));
    assert!(reply.header("location").is_none() && reply.header("azure-asyncoperation").is_none());
    assert_eq!(arm.get(&arm.hub_path()).await.at(STATE), "Updating");
    finish(&arm, Outcome::Succeeded).await;
    let after = arm.get(&arm.hub_path()).await;
    assert_eq!((after.at(STATE), after.at(MODE)), ("Succeeded".into(), "identity".into()));
}

/// azure.md §1.3: 202 with nothing; the resource is polled.
#[tokio::test]
async fn bare_is_202_without_headers() {
    let (arm, reply) = patched(Lro::Bare, Operations::Auto).await;
    assert_eq!((reply.status, reply.text.as_str()), (202, ""));
    for name in ["location", "azure-asyncoperation", "operation-location", "retry-after"] {
        assert!(reply.header(name).is_none(), "{name}");
    }
    assert_eq!(arm.get(&arm.hub_path()).await.at(MODE), "identity");
}

/// azure.md §1.3, §5.6.3: Location answers 202 with its headers again, then 200 with the workspace.
#[tokio::test]
async fn location_is_202_until_it_is_200_with_the_workspace() {
    let (arm, reply) = patched(Lro::Location, Operations::Explicit).await;
    assert!(reply.header("azure-asyncoperation").is_none());
    let url = reply.header("location").expect("a Location").to_owned();
    let running = arm.get(&url).await;
    assert_eq!((running.status, running.header("location")), (202, Some(url.as_str())));
    assert!(running.header("retry-after").is_some());
    finish(&arm, Outcome::Succeeded).await;
    let done = arm.get(&url).await;
    assert_eq!((done.status, done.at(MODE), done.at(STATE)), (200, "identity".into(), "Succeeded".into()));
}

/// azure.md §5.6.2: the asynchronous status has id, name, status and times; Location may come with it.
#[tokio::test]
async fn the_async_status_goes_from_in_progress_to_succeeded() {
    for (lro, header, with_location) in [
        (Lro::Async, "azure-asyncoperation", false),
        (Lro::OperationLocation, "operation-location", false),
        (Lro::Both, "azure-asyncoperation", true),
    ] {
        let (arm, reply) = patched(lro, Operations::Explicit).await;
        assert_eq!((reply.status, reply.header("location").is_some()), (202, with_location));
        let url = reply.header(header).expect("a header").to_owned();
        let running = arm.get(&url).await;
        assert_eq!((running.status, running.at("/status")), (200, "InProgress".into()));
        for member in ["/id", "/name", "/startTime"] {
            assert!(running.at(member).is_string(), "{member}");
        }
        assert!(running.at("/percentComplete").is_number() && running.at("/endTime").is_null());
        finish(&arm, Outcome::Succeeded).await;
        let done = arm.get(&url).await;
        assert_eq!((done.status, done.at("/status")), (200, "Succeeded".into()));
        assert!(done.at("/endTime").is_string() && done.header("retry-after").is_none());
        assert_eq!(arm.get(&arm.hub_path()).await.at(MODE), "identity");
    }
}

/// azure.md §1.3: a failed operation carries its error, changes nothing, and leaves a terminal state.
#[tokio::test]
async fn a_failed_operation_carries_its_error() {
    let (arm, reply) = patched(Lro::Both, Operations::Explicit).await;
    let failed = Outcome::Failed { code: "BadThing".to_owned(), message: "It broke.".to_owned() };
    finish(&arm, failed).await;
    let status = arm.get(reply.header("azure-asyncoperation").expect("a header")).await;
    assert_eq!((status.status, status.at("/status")), (200, "Failed".into()));
    assert_eq!(status.at("/error"), json!({ "code": "BadThing", "message": "It broke." }));
    let location = arm.get(reply.header("location").expect("a Location")).await;
    assert_eq!(location.error(), (400, "BadThing".to_owned()));
    let after = arm.get(&arm.hub_path()).await;
    assert_eq!((after.at(MODE), after.at(STATE)), ("accesskey".into(), "Failed".into()));
}

/// azure.md §1.3: Canceled is terminal.
#[tokio::test]
async fn a_canceled_operation_is_terminal() {
    let (arm, reply) = patched(Lro::Async, Operations::Explicit).await;
    finish(&arm, Outcome::Canceled).await;
    assert_eq!(arm.get(reply.header("azure-asyncoperation").expect("a header")).await.at("/status"), "Canceled");
    assert_eq!(arm.get(&arm.hub_path()).await.at(STATE), "Canceled");
}

/// Operations end by the clock in auto mode.
#[tokio::test]
async fn operations_end_by_the_clock() {
    let arm = arm_with(|options| options.operation_time = Duration::from_secs(60)).await;
    let reply = arm.patch(&arm.hub_path(), json!({ "properties": { "systemDatastoresAuthMode": "identity" } })).await;
    let url = reply.header("azure-asyncoperation").expect("a header").to_owned();
    arm.emulator.advance(Duration::from_secs(59));
    assert_eq!(arm.get(&url).await.at("/status"), "InProgress");
    arm.emulator.advance(Duration::from_secs(1));
    assert_eq!(arm.get(&url).await.at("/status"), "Succeeded");
}

/// A rule makes the operation fail that a request starts.
#[tokio::test]
async fn a_rule_makes_an_operation_fail() {
    let arm = arm_with(|_| {}).await;
    let rule = "PATCH */workspaces/* -> fail-operation InternalServerError message=\"No.\" times=1";
    arm.emulator.fault(rule.parse().expect("a rule"));
    let reply = arm.patch(&arm.hub_path(), json!({ "properties": { "systemDatastoresAuthMode": "identity" } })).await;
    assert_eq!(reply.status, 202);
    let status = arm.get(reply.header("azure-asyncoperation").expect("a header")).await;
    assert_eq!((status.at("/status"), status.at("/error/code")), ("Failed".into(), "InternalServerError".into()));
}

/// azure.md §1.3: DELETE in the shapes that have something to follow; the workspace shows Deleting meanwhile.
#[tokio::test]
async fn a_delete_shows_deleting_until_it_is_done() {
    for lro in [Lro::Location, Lro::Async, Lro::Both, Lro::Updating] {
        let arm = arm_with(|options| {
            options.lro_delete = lro;
            options.operations = Operations::Explicit;
        })
        .await;
        let reply = arm.delete(&arm.hub_path()).await;
        assert_eq!(reply.status, 202);
        assert!(reply.header("location").is_some() || reply.header("azure-asyncoperation").is_some());
        assert_eq!(arm.get(&arm.hub_path()).await.at(STATE), "Deleting");
        finish(&arm, Outcome::Succeeded).await;
        assert_eq!(arm.get(&arm.hub_path()).await.status, 404);
        let link = reply.header("location").or(reply.header("azure-asyncoperation")).expect("a link");
        assert!([200, 204].contains(&arm.get(link).await.status));
    }
}

/// A workspace that is being made shows Creating.
#[tokio::test]
async fn a_new_workspace_shows_creating() {
    let arm = arm_with(|options| options.operations = Operations::Explicit).await;
    let id = arm.emulator.id("rg1", super::client::WORKSPACES, "hub2");
    let path = format!("{id}?api-version=2025-06-01");
    assert_eq!(arm.put(&path, arm.hub_body()).await.status, 202);
    assert_eq!(arm.get(&path).await.at(STATE), "Creating");
    let operation = arm.emulator.operation_started(&id).await;
    arm.emulator.finish_operation(&operation, Outcome::Succeeded);
    assert_eq!(arm.get(&path).await.at(STATE), "Succeeded");
}

/// azure.md §1.2, §8: azure-mgmt-machinelearningservices 1.0.1 sends 2020-08-01 and takes nothing but 200 for both.
#[tokio::test]
async fn a_patch_and_resync_keys_at_2020_08_01_are_200() {
    let arm = arm_with(|_| {}).await;
    let path = format!("{}?api-version=2020-08-01", arm.hub);
    let reply = arm.patch(&path, json!({ "properties": { "description": "changed" } })).await;
    assert_eq!((reply.status, reply.at("/properties/description")), (200, "changed".into()));
    assert_eq!(arm.post(&format!("{}/resyncKeys?api-version=2020-08-01", arm.hub), json!({})).await.status, 200);
}
