//! Management locks and policies (azure.md §5.7).

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{ACCOUNTS, ALICE, BLOB_CONTRIBUTOR, arm, arm_with, grant, names};

const LOCK: &str = "providers/Microsoft.Authorization/locks/l1?api-version=2016-09-01";

/// azure.md §5.7: a CanNotDelete lock stops deletes below it, a ReadOnly one every write and action.
#[tokio::test]
async fn locks_stop_writes_and_deletes() {
    let arm = arm().await;
    let assignment = arm.assignment_path("00000000-0000-0000-0000-0000000000aa");
    arm.put(&assignment, grant(ALICE, BLOB_CONTRIBUTOR)).await;
    let lock = async |scope: &str, level: &str| {
        arm.put(&format!("{scope}/{LOCK}"), json!({ "properties": { "level": level } })).await
    };
    assert_eq!(lock(&arm.group, "CanNotDelete").await.status, 201);
    let refused = arm.delete(&assignment).await;
    assert_eq!(refused.error(), (409, "ScopeLocked".to_owned()));
    let id = assignment.split('?').next().expect("a path");
    assert_eq!(
        refused.message(),
        format!(
            "The scope '{id}' cannot perform delete operation because following scope(s) are locked: '{}'. Please remove the lock and try again.",
            arm.group
        )
    );
    assert_eq!(arm.delete(&arm.hub_path()).await.error().1, "ScopeLocked");
    assert_eq!(arm.patch(&arm.account_path(), json!({})).await.status, 200);
    assert_eq!(lock(&arm.account, "ReadOnly").await.status, 201);
    assert_eq!(arm.patch(&arm.account_path(), json!({})).await.error().1, "ScopeLocked");
    assert_eq!(
        arm.post(&format!("{}/listKeys?api-version=2023-05-01", arm.account), Value::Null).await.error().1,
        "ScopeLocked"
    );
    let other = arm.assignment_path("00000000-0000-0000-0000-0000000000bb");
    assert_eq!(arm.put(&other, grant(ALICE, BLOB_CONTRIBUTOR)).await.error().1, "ScopeLocked");
    assert_eq!(arm.get(&arm.account_path()).await.status, 200);
    let list =
        arm.get(&format!("{}/providers/Microsoft.Authorization/locks?api-version=2016-09-01", arm.subscription)).await;
    assert_eq!(names(&list.body()).len(), 2);
    assert_eq!(arm.get(&format!("{}/{LOCK}", arm.account)).await.at("/properties/level"), "ReadOnly");
    for scope in [&arm.account, &arm.group] {
        assert_eq!(arm.delete(&format!("{scope}/{LOCK}")).await.status, 200);
    }
    assert_eq!(arm.delete(&assignment).await.status, 200);
}

/// azure.md §5.7 "inherited": from the subscription down, and a delete is stopped by a lock below as well.
#[tokio::test]
async fn a_lock_at_the_subscription_holds_for_everything_in_it() {
    let arm = arm().await;
    let keys = format!("{}/listKeys?api-version=2023-05-01", arm.account);
    let group = format!("{}?api-version=2024-11-01", arm.group);
    let lock = format!("{}/{LOCK}", arm.subscription);
    arm.put(&lock, json!({ "properties": { "level": "ReadOnly" } })).await;
    for (row, method, path, body, verb) in [
        ("PATCH of a workspace", Method::PATCH, arm.hub_path(), json!({}), "write"),
        ("PUT of a workspace", Method::PUT, arm.hub_path(), json!({ "kind": "Hub" }), "write"),
        ("DELETE of a workspace", Method::DELETE, arm.hub_path(), Value::Null, "delete"),
        ("PATCH of an account", Method::PATCH, arm.account_path(), json!({}), "write"),
        ("listKeys", Method::POST, keys, Value::Null, "write"),
        ("PUT of a group", Method::PUT, group.clone(), json!({ "location": "eastus" }), "write"),
        ("DELETE of a group", Method::DELETE, group.clone(), Value::Null, "delete"),
    ] {
        let refused = arm.send(method, &path, body).await;
        assert_eq!(refused.error(), (409, "ScopeLocked".to_owned()), "{row}");
        let says =
            format!("cannot perform {verb} operation because following scope(s) are locked: '{}'.", arm.subscription);
        assert!(refused.message().contains(&says), "{row}: {}", refused.message());
    }
    assert_eq!(arm.get(&arm.hub_path()).await.status, 200, "reads go on");
    assert_eq!(arm.delete(&lock).await.status, 200);
    arm.put(&format!("{}/{LOCK}", arm.account), json!({ "properties": { "level": "CanNotDelete" } })).await;
    let refused = arm.delete(&group).await;
    assert!(refused.message().contains(&format!("are locked: '{}'.", arm.account)), "a lock below: {}", refused.text);
}

/// A lock whose scope has letters that are longer or shorter in lower case is found and named like any other.
#[tokio::test]
async fn a_lock_with_odd_letters_is_named_whole() {
    let arm = arm().await;
    let group = format!("{}/resourceGroups/%E2%84%AA%C8%BA", arm.subscription);
    let shown = format!("{}/resourceGroups/\u{212a}\u{23a}", arm.subscription);
    let path = format!("{group}?api-version=2024-11-01");
    assert_eq!(arm.put(&path, json!({ "location": "eastus" })).await.status, 201);
    assert_eq!(
        arm.put(&format!("{group}/{LOCK}"), json!({ "properties": { "level": "CanNotDelete" } })).await.status,
        201
    );
    let refused = arm.delete(&path).await;
    assert!(refused.message().contains(&format!("are locked: '{shown}'.")), "{}", refused.text);
}

/// azure.md §5.7: a policy that denies names the resource and carries a PolicyViolation.
#[tokio::test]
async fn a_deny_policy_is_request_disallowed_by_policy() {
    let policy = format!("deny {ACCOUNTS} properties.allowSharedKeyAccess=true");
    let arm = arm_with(|options| options.policy = vec![policy.parse().expect("a policy")]).await;
    let reply = arm.patch(&arm.account_path(), json!({ "properties": { "allowSharedKeyAccess": true } })).await;
    assert_eq!(reply.error(), (403, "RequestDisallowedByPolicy".to_owned()));
    assert_eq!(reply.at("/error/target"), "sa1");
    assert!(
        reply
            .message()
            .starts_with("Resource 'sa1' was disallowed by policy. Policy identifiers: '[{\"policyAssignment\":{")
    );
    assert_eq!(reply.at("/error/additionalInfo/0/type"), "PolicyViolation");
    assert!(reply.at("/error/additionalInfo/0/info/evaluationDetails").is_object());
    assert_eq!(
        arm.patch(&arm.account_path(), json!({ "properties": { "allowSharedKeyAccess": false } })).await.status,
        200
    );
}
