//! What policies say of a write before it is made (azure.md §13.7).

use serde_json::{Value, json};

use super::client::{Arm, Reply, arm_with};
use crate::azure::Options;

const ALIAS: &str = "Microsoft.Storage/storageAccounts/allowSharedKeyAccess";

async fn with_policies(policies: &[&str]) -> Arm {
    let policies = policies.iter().map(|policy| policy.parse().expect("a policy")).collect();
    arm_with(|options: &mut Options| options.policy = policies).await
}

fn path(arm: &Arm, version: &str) -> String {
    format!("{}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions?api-version={version}", arm.group)
}

/// The request of the facts, for an account whose flag is to become this.
fn body(arm: &Arm, allowed: bool, audits: bool) -> Value {
    json!({
        "resourceDetails": {
            "resourceContent": {
                "id": arm.account, "name": "sa1", "type": "Microsoft.Storage/storageAccounts", "location": "eastus",
                "kind": "StorageV2", "tags": {}, "properties": { "allowSharedKeyAccess": allowed },
            },
            "apiVersion": "2023-05-01",
        },
        "pendingFields": [{ "field": ALIAS, "values": [allowed.to_string()] }],
        "includeAuditEffect": audits,
    })
}

async fn asked(arm: &Arm, allowed: bool, audits: bool) -> Reply {
    let reply = arm.post(&path(arm, "2024-10-01"), body(arm, allowed, audits)).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply
}

/// Effects of what does not comply, and results of what the field may become.
fn said(reply: &Reply) -> (Vec<Value>, Vec<Value>) {
    let list = |pointer: &str, member: &str| {
        let list = reply.at(pointer);
        let list = list.as_array().unwrap_or(&Vec::new()).clone();
        list.iter().map(|one| one.pointer(member).cloned().unwrap_or(Value::Null)).collect()
    };
    (
        list("/contentEvaluationResult/policyEvaluations", "/effectDetails/policyEffect"),
        list("/fieldRestrictions/0/restrictions", "/result"),
    )
}

/// The answer's members, where a policy denies the content.
#[tokio::test]
async fn a_policy_that_denies_the_flag_is_told() {
    let arm = with_policies(&["deny Microsoft.Storage/storageAccounts properties.allowSharedKeyAccess=true"]).await;
    let reply = asked(&arm, true, false).await;
    let evaluation = reply.at("/contentEvaluationResult/policyEvaluations/0");
    assert_eq!(evaluation["evaluationResult"], "NonCompliant");
    assert_eq!(evaluation["effectDetails"], json!({ "policyEffect": "Deny" }));
    let info = &evaluation["policyInfo"];
    assert!(info["policyDefinitionId"].is_string() && info["policyAssignmentId"].is_string(), "{info}");
    let details = &evaluation["evaluationDetails"];
    assert!(details["reason"].is_string());
    assert_eq!(
        details["evaluatedExpressions"][0],
        json!({
            "result": "True", "expressionKind": "field", "expression": ALIAS, "path": "properties.allowSharedKeyAccess",
            "expressionValue": true, "targetValue": true, "operator": "equals",
        })
    );
    assert_eq!(reply.at("/fieldRestrictions/0/field"), ALIAS);
    let restriction = reply.at("/fieldRestrictions/0/restrictions/0");
    assert_eq!((&restriction["result"], &restriction["values"]), (&json!("Deny"), &json!(["true"])));
    assert_eq!((&restriction["policyEffect"], &restriction["policy"]), (&json!("Deny"), info));
    // What it says is what a write is refused with, and by the same policy.
    let refused = arm.patch(&arm.account_path(), json!({ "properties": { "allowSharedKeyAccess": true } })).await;
    assert_eq!(refused.error(), (403, "RequestDisallowedByPolicy".to_owned()));
    assert_eq!(refused.at("/error/additionalInfo/0/info/policyAssignmentId"), info["policyAssignmentId"]);
}

/// Nothing objects: to another value, another type, or without policies.
#[tokio::test]
async fn an_empty_answer_objects_to_nothing() {
    let nothing = json!({ "fieldRestrictions": [], "contentEvaluationResult": { "policyEvaluations": [] } });
    let arm = with_policies(&["deny Microsoft.Storage/storageAccounts properties.allowSharedKeyAccess=true"]).await;
    assert_eq!(asked(&arm, false, true).await.body(), nothing);
    let arm = with_policies(&["deny Microsoft.KeyVault/vaults properties.allowSharedKeyAccess=true"]).await;
    assert_eq!(asked(&arm, true, true).await.body(), nothing);
    let arm = with_policies(&[]).await;
    assert_eq!(asked(&arm, true, true).await.body(), nothing);
    arm.emulator.seed("policies: [deny Microsoft.Storage/storageAccounts properties.allowSharedKeyAccess=true]");
    assert_ne!(asked(&arm, true, false).await.body(), nothing, "policies of seeds count, too");
}

/// Audits are told only if they are asked for, and stop no write; a modification is a field that is required.
#[tokio::test]
async fn audits_and_modifications_have_their_own_results() {
    let arm = with_policies(&["audit Microsoft.Storage/storageAccounts properties.allowSharedKeyAccess=true"]).await;
    assert_eq!(said(&asked(&arm, true, false).await), (vec![], vec![]));
    assert_eq!(said(&asked(&arm, true, true).await), (vec![json!("Audit")], vec![json!("Audit")]));
    let written = arm.patch(&arm.account_path(), json!({ "properties": { "allowSharedKeyAccess": true } })).await;
    assert_eq!((written.status, written.at("/properties/allowSharedKeyAccess")), (200, json!(true)));
    let arm = with_policies(&["modify Microsoft.Storage/storageAccounts properties.allowSharedKeyAccess=false"]).await;
    let reply = asked(&arm, true, true).await;
    assert_eq!(said(&reply), (vec![], vec![json!("Required")]));
    assert_eq!(reply.at("/fieldRestrictions/0/restrictions/0/defaultValue"), "false");
}

/// Effects begin with 2023-03-01; the content is required, and the group has to exist.
#[tokio::test]
async fn older_versions_tell_no_effects() {
    let arm = with_policies(&["deny Microsoft.Storage/storageAccounts properties.allowSharedKeyAccess=true"]).await;
    for (version, expected) in
        [("2020-07-01", false), ("2022-03-01", false), ("2023-03-01", true), ("2024-10-01", true)]
    {
        let reply = arm.post(&path(&arm, version), body(&arm, true, true)).await;
        let evaluation = reply.at("/contentEvaluationResult/policyEvaluations/0");
        assert_eq!(evaluation["evaluationResult"], "NonCompliant", "{version}");
        assert_eq!(evaluation.get("effectDetails").is_some(), expected, "{version}");
        let restriction = reply.at("/fieldRestrictions/0/restrictions/0");
        assert_eq!(restriction["result"], "Deny", "{version}");
        assert_eq!(restriction.get("policyEffect").is_some(), expected, "{version}");
    }
    assert_eq!(arm.post(&path(&arm, "2024-10-01"), json!({})).await.status, 400);
    let elsewhere = path(&arm, "2024-10-01").replace("/rg1/", "/none/");
    assert_eq!(arm.post(&elsewhere, body(&arm, true, true)).await.error(), (404, "ResourceGroupNotFound".to_owned()));
}
