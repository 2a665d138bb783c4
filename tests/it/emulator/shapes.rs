//! Every shape in which a write may be answered, for every method (azure.md §1.3, §5.6), followed as clients follow it.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{ACCOUNTS, Arm, Reply, arm_with};
use crate::azure::{Lro, Operations, Outcome};

/// The headers that name something to poll.
const LINKS: [&str; 3] = ["location", "azure-asyncoperation", "operation-location"];

/// A shape with its row, the status of the first answer, and which links it has.
const SHAPES: [(&str, Lro, u16, [bool; 3]); 7] = [
    ("200 + body", Lro::Done, 200, [false, false, false]),
    ("200 + body with provisioningState Updating", Lro::Updating, 200, [false, false, false]),
    ("202 + Location", Lro::Location, 202, [true, false, false]),
    ("202 + Azure-AsyncOperation alone", Lro::Async, 202, [false, true, false]),
    ("202 + Azure-AsyncOperation with Location", Lro::Both, 202, [true, true, false]),
    ("202 + Operation-Location", Lro::OperationLocation, 202, [false, false, true]),
    ("202 with no headers", Lro::Bare, 202, [false, false, false]),
];

async fn arm_in(shape: Lro) -> Arm {
    arm_with(|options| {
        options.lro = shape;
        options.lro_delete = shape;
        options.operations = Operations::Explicit;
        options.retry_after = 10;
    })
    .await
}

fn links(reply: &Reply) -> [bool; 3] {
    LINKS.map(|name| reply.header(name).is_some())
}

/// Follows an answer to its end by the rules of §5.6, while somebody ends the operation; the last answer.
async fn follow(arm: &Arm, path: &str, method: &Method, first: Reply, resource: &str) -> Reply {
    let state = "/properties/provisioningState";
    let asynchronous = first.header("azure-asyncoperation").or(first.header("operation-location")).map(str::to_owned);
    let location = first.header("location").map(str::to_owned);
    let end = async || {
        let id = arm.emulator.operation_started(resource).await;
        assert!(arm.emulator.finish_operation(&id, Outcome::Succeeded));
    };
    if let Some(link) = asynchronous {
        let running = arm.get(&link).await;
        assert_eq!((running.status, running.at("/status")), (200, "InProgress".into()));
        assert_eq!(running.header("retry-after"), Some("10"), "rule 5");
        end().await;
        let status = arm.get(&link).await;
        assert_eq!((status.status, status.at("/status")), (200, "Succeeded".into()), "rule 2");
        return match (method, location) {
            (&Method::POST, Some(link)) => arm.get(&link).await,
            (&Method::POST | &Method::DELETE, _) => status,
            _ => arm.get(path).await,
        };
    }
    if let Some(link) = location {
        let running = arm.get(&link).await;
        assert_eq!((running.status, running.text.as_str()), (202, ""), "rule 3");
        assert_eq!((links(&running), running.header("retry-after")), (links(&first), Some("10")), "headers again");
        end().await;
        return arm.get(&link).await;
    }
    if first.status == 200 && first.at(state) != "Updating" && first.at(state) != "Creating" {
        return first;
    }
    end().await;
    arm.get(path).await
}

/// azure.md §1.3 rows PUT and PATCH, in each shape "that azure-ai-ml completes correctly".
#[tokio::test]
async fn a_put_and_a_patch_end_in_the_workspace_in_every_shape() {
    for (row, shape, status, expected) in SHAPES {
        for method in [Method::PUT, Method::PATCH] {
            let arm = arm_in(shape).await;
            let mut body = arm.hub_body();
            body["properties"]["description"] = json!("changed");
            let first = arm.send(method.clone(), &arm.hub_path(), body).await;
            assert_eq!((first.status, links(&first)), (status, expected), "{method}: {row}");
            assert_eq!(first.text.is_empty(), status == 202, "{method}: {row}: no body needed");
            let paused = status == 202 && shape != Lro::Bare;
            assert_eq!(first.header("retry-after"), paused.then_some("10"), "{method}: {row}");
            for link in LINKS.iter().filter_map(|name| first.header(name)) {
                assert!(link.starts_with("https://"), "{method}: {row}: rule 6: {link}");
            }
            let last = follow(&arm, &arm.hub_path(), &method, first, &arm.hub).await;
            assert_eq!(last.status, 200, "{method}: {row}");
            assert_eq!(last.at("/properties/provisioningState"), "Succeeded", "{method}: {row}");
            assert_eq!(last.at("/properties/description"), "changed", "{method}: {row}");
        }
    }
}

/// azure.md §1.3 "A Location poll answers 202 (repeat the headers)": all of them, where there are several.
#[tokio::test]
async fn a_location_poll_repeats_every_header() {
    for (row, shape, _, expected) in SHAPES.into_iter().filter(|(.., links)| links[0]) {
        let arm = arm_in(shape).await;
        let first = arm.patch(&arm.hub_path(), json!({ "properties": { "description": "d" } })).await;
        let mut link = first.header("location").expect("a Location").to_owned();
        for _ in 0..2 {
            let again = arm.get(&link).await;
            assert_eq!((again.status, links(&again)), (202, expected), "{row}");
            for name in LINKS {
                assert_eq!(again.header(name), first.header(name), "{row}: {name}");
            }
            link = again.header("location").expect("a Location").to_owned();
        }
    }
}

/// azure.md §1.3: "201 is not in the contract"; §1.2 a new workspace in each shape.
#[tokio::test]
async fn a_new_workspace_is_never_201() {
    for (row, shape, status, _) in SHAPES {
        let arm = arm_in(shape).await;
        let id = arm.hub.replace("hub1", "hub2");
        let path = format!("{id}?api-version=2025-06-01");
        let body = json!({ "kind": "Hub", "properties": { "storageAccount": arm.account } });
        let first = arm.put(&path, body).await;
        assert_eq!(first.status, status, "{row}");
        let last = follow(&arm, &path, &Method::PUT, first, &id).await;
        assert_eq!((last.status, last.at("/properties/provisioningState")), (200, "Succeeded".into()), "{row}");
    }
}

/// azure.md §1.3 row resyncKeys, §5.6.2: a POST ends at its Location if it has one. A POST without a link has no
/// resource that would tell of its end, so that the two shapes without links fall back to one with.
#[tokio::test]
async fn a_post_ends_at_its_location() {
    for (row, shape, status, expected) in SHAPES {
        if shape == Lro::Bare {
            continue;
        }
        let arm = arm_in(shape).await;
        let new = arm
            .post(&format!("{}/regenerateKey?api-version=2023-05-01", arm.account), json!({ "keyName": "key1" }))
            .await;
        let first = arm.post(&format!("{}/resyncKeys?api-version=2025-06-01", arm.hub), Value::Null).await;
        let (status, expected) = if shape == Lro::Updating { (202, [true, false, false]) } else { (status, expected) };
        assert_eq!((first.status, links(&first)), (status, expected), "{row}");
        let last = follow(&arm, &arm.hub_path(), &Method::POST, first, &arm.hub).await;
        assert!([200, 204].contains(&last.status), "{row}: {last:?}");
        let secrets = format!("{}/datastores/workspaceblobstore/listSecrets?api-version=2024-10-01", arm.hub);
        assert_eq!(arm.post(&secrets, json!({})).await.at("/key"), new.at("/keys/0/value"), "{row}");
    }
}

/// azure.md §1.3 row DELETE, in every shape that can be followed; §1.8: "DELETE answered 202 without a poll header is a
/// hard error in Go", so that it takes the switch's word for it only when told to.
#[tokio::test]
async fn a_delete_ends_in_nothing_in_every_shape() {
    for (row, shape, status, expected) in SHAPES {
        let arm = arm_in(shape).await;
        let first = arm.delete(&arm.hub_path()).await;
        let (status, expected) = if shape == Lro::Updating { (202, [true, false, false]) } else { (status, expected) };
        assert_eq!((first.status, links(&first)), (status, expected), "{row}");
        let last = follow(&arm, &arm.hub_path(), &Method::DELETE, first, &arm.hub).await;
        assert!([200, 204].contains(&last.status) || shape == Lro::Bare, "{row}: {last:?}");
        assert_eq!(arm.get(&arm.hub_path()).await.status, 404, "{row}");
        assert_eq!(arm.delete(&arm.hub_path()).await.status, 204, "{row}: 204 when absent");
    }
}

/// azure.md §1.3 "An operation body {status: Failed, error} surfaces as (code) message with details", §5.1: every
/// member.
#[tokio::test]
async fn a_failed_operation_says_all_that_an_error_can_say() {
    let rule = "PATCH */workspaces/* -> fail-operation StorageBroken message=\"No storage.\" target=hub1 \
                detail=\"InnerOne: first\" detail=\"InnerTwo: second\"";
    let error = json!({
        "code": "StorageBroken", "message": "No storage.", "target": "hub1",
        "details": [{ "code": "InnerOne", "message": "first" }, { "code": "InnerTwo", "message": "second" }],
    });
    for (shape, link) in
        [(Lro::Async, Some("azure-asyncoperation")), (Lro::Location, Some("location")), (Lro::Done, None)]
    {
        let arm = arm_with(|options| options.lro = shape).await;
        arm.emulator.fault(rule.parse().expect("a rule"));
        let first = arm.patch(&arm.hub_path(), json!({ "properties": { "description": "d" } })).await;
        let last = match link {
            Some(link) => arm.get(first.header(link).expect("a link")).await,
            None => first,
        };
        assert_eq!(last.at("/error"), error, "{shape:?}");
        assert!(last.header("retry-after").is_none(), "{shape:?}: §5.3 a permanent error has no Retry-After");
        assert_ne!(arm.get(&arm.hub_path()).await.at("/properties/description"), "d", "{shape:?}");
    }
}

/// azure.md §2: PUT of a new account is 202 + Location, polled by Location; PATCH and PUT of one that is there are 200.
#[tokio::test]
async fn an_account_is_made_by_location_alone() {
    let arm = arm_in(Lro::Both).await;
    let id = arm.emulator.id("rg1", ACCOUNTS, "sa2");
    let path = format!("{id}?api-version=2023-05-01");
    let first = arm.put(&path, json!({ "location": "eastus" })).await;
    assert_eq!((first.status, links(&first)), (202, [true, false, false]));
    assert_eq!(arm.get(&path).await.at("/properties/provisioningState"), "Creating");
    let last = follow(&arm, &path, &Method::PUT, first, &id).await;
    assert_eq!((last.status, last.at("/properties/provisioningState")), (200, "Succeeded".into()));
    for method in [Method::PUT, Method::PATCH] {
        assert_eq!(arm.send(method.clone(), &path, json!({})).await.status, 200, "{method}");
    }
}
