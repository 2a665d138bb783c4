//! Management locks and policies (arm.md §5.7).

use serde_json::{Value, json};

use super::client::{ACCOUNTS, ALICE, BLOB_CONTRIBUTOR, arm, arm_with, grant, names};

const LOCK: &str = "providers/Microsoft.Authorization/locks/l1?api-version=2016-09-01";

/// arm.md §5.7: a CanNotDelete lock stops deletes below it, a ReadOnly one every write and action.
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

/// arm.md §5.7: a policy that denies names the resource and carries a PolicyViolation.
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
