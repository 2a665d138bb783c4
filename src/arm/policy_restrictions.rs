//! What policies would say of a write (Microsoft.PolicyInsights/checkPolicyRestrictions; facts: azure.md §13.7).

use super::body::{or_default, without_nulls};
use super::call::Call;
use super::client::Client;
use super::error::Error;
use super::id::StorageAccountId;
use super::reads::Read;
use super::request::Request;
use super::resource::Resource;
use super::storage_accounts::{StorageAccount, WholeAccount};
use serde::{Deserialize, Serialize};
use serde_json::value::{self, RawValue};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const API_VERSION: &str = "2024-10-01";

const SHARED_KEYS: &str = "Microsoft.Storage/storageAccounts/allowSharedKeyAccess";

/// A policy in force, as it is named by answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Policy {
    #[serde(rename = "policyDefinitionId", deserialize_with = "or_default")]
    pub(crate) definition_id: String,
    #[serde(rename = "policyAssignmentId", deserialize_with = "or_default")]
    pub(crate) assignment_id: String,
}

impl Policy {
    fn is(&self, other: &Self) -> bool {
        self.definition_id.eq_ignore_ascii_case(&other.definition_id)
            && self.assignment_id.eq_ignore_ascii_case(&other.assignment_id)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Restrictions {
    #[serde(deserialize_with = "without_nulls")]
    field_restrictions: Vec<FieldRestrictions>,
    #[serde(deserialize_with = "or_default")]
    content_evaluation_result: ContentEvaluation,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct FieldRestrictions {
    #[serde(deserialize_with = "or_default")]
    field: String,
    #[serde(deserialize_with = "without_nulls")]
    restrictions: Vec<Restriction>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Restriction {
    /// `Deny`, `Required`, `Removed` or `Audit`.
    #[serde(deserialize_with = "or_default")]
    result: String,
    #[serde(deserialize_with = "without_nulls")]
    values: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    policy: Policy,
    policy_effect: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ContentEvaluation {
    #[serde(deserialize_with = "without_nulls")]
    policy_evaluations: Vec<Evaluation>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Evaluation {
    #[serde(deserialize_with = "or_default")]
    policy_info: Policy,
    /// `NonCompliant`, or something else after an error.
    #[serde(deserialize_with = "or_default")]
    evaluation_result: String,
    #[serde(deserialize_with = "or_default")]
    evaluation_details: EvaluationDetails,
    #[serde(deserialize_with = "or_default")]
    effect_details: EffectDetails,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct EvaluationDetails {
    #[serde(deserialize_with = "or_default")]
    evaluated_expressions: Vec<Expression>,
}

/// What was looked at: a member by its path, or an expression, which may be the field's name or have it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Expression {
    #[serde(deserialize_with = "or_default")]
    path: String,
    #[serde(deserialize_with = "or_default")]
    expression: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct EffectDetails {
    policy_effect: Option<String>,
}

impl Evaluation {
    /// Whether it is about a field. The content is judged as a whole, by policies about its other members as well. Without
    /// expressions it is not known what was looked at.
    fn is_about(&self, field: &str) -> bool {
        let member = field.rsplit('/').next().unwrap_or(field).to_lowercase();
        let has_it = |text: &str| text.to_lowercase().contains(&member);
        let expressions = &self.evaluation_details.evaluated_expressions;
        expressions.is_empty() || expressions.iter().any(|one| has_it(&one.path) || has_it(&one.expression))
    }
}

impl Restrictions {
    /// The policies that deny this value of the field, in the content or anywhere, each once.
    fn denials(self, field: &str, value: &str) -> Vec<Policy> {
        // An effect goes before a result. Audits were not asked for, so that what has no effect denies.
        let denies =
            |effect: &Option<String>| effect.as_deref().is_none_or(|effect| effect.eq_ignore_ascii_case("Deny"));
        let of_field = self.field_restrictions.into_iter().filter(|found| found.field.eq_ignore_ascii_case(field));
        let of_field = of_field.flat_map(|found| found.restrictions).filter(|restriction| {
            restriction.result.eq_ignore_ascii_case("Deny")
                && denies(&restriction.policy_effect)
                && restriction.values.iter().any(|denied| denied.eq_ignore_ascii_case(value))
        });
        let of_content = self.content_evaluation_result.policy_evaluations.into_iter().filter(|evaluation| {
            evaluation.evaluation_result.eq_ignore_ascii_case("NonCompliant")
                && denies(&evaluation.effect_details.policy_effect)
                && evaluation.is_about(field)
        });
        let mut all: Vec<Policy> = Vec::new();
        let found = of_content.map(|evaluation| evaluation.policy_info);
        for policy in found.chain(of_field.map(|restriction| restriction.policy)) {
            if !all.iter().any(|known| known.is(&policy)) {
                all.push(policy);
            }
        }
        all
    }
}

/// What is asked about a write.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Question {
    resource_details: ResourceDetails,
    pending_fields: [Value; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceDetails {
    resource_content: Members,
    api_version: &'static str,
}

/// The members of an object, each as it was written.
type Members = BTreeMap<String, Box<RawValue>>;

/// An account with shared keys enabled.
fn with_shared_keys(account: &RawValue) -> Members {
    let members = |object: &RawValue| serde_json::from_str::<Members>(object.get()).unwrap_or_default();
    let mut account = members(account);
    let mut properties = account.get("properties").map(|properties| members(properties)).unwrap_or_default();
    properties.insert("allowSharedKeyAccess".to_owned(), RawValue::TRUE.to_owned());
    let properties = value::to_raw_value(&properties).expect("members of JSON are JSON");
    account.insert("properties".to_owned(), properties);
    account
}

impl Client {
    /// The policies that would refuse a write of the account, as it is, with shared keys enabled.
    ///
    /// # Errors
    /// See [`Error`].
    pub(crate) async fn policies_against_shared_keys(
        &self,
        id: &StorageAccountId,
        account: &WholeAccount,
        read: Read,
        call: &Call,
    ) -> Result<Vec<Policy>, Error> {
        let body = Question {
            resource_details: ResourceDetails {
                resource_content: with_shared_keys(&account.document),
                api_version: StorageAccount::API_VERSION,
            },
            pending_fields: [json!({ "field": SHARED_KEYS, "values": ["true"] })],
        };
        let path = format!(
            "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions",
            id.subscription(),
            id.resource_group()
        );
        let request = Request::query_by_post(path, API_VERSION, &body);
        let answer = self.read(&request, read, call).await?;
        Ok(self.decode::<Restrictions>(&request, &answer, call).await?.value.denials(SHARED_KEYS, "true"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denials(body: Value) -> Vec<String> {
        let restrictions: Restrictions = serde_json::from_value(body).unwrap();
        restrictions.denials(SHARED_KEYS, "true").into_iter().map(|policy| policy.assignment_id).collect()
    }

    fn policy(assignment: &str) -> Value {
        json!({ "policyDefinitionId": "/d", "policyAssignmentId": assignment, "policySetDefinitionId": null })
    }

    #[test]
    fn what_does_not_comply_denies_by_its_effect_or_without_one() {
        for (result, effect, denies) in [
            ("NonCompliant", json!({ "policyEffect": "deny" }), true),
            ("noncompliant", json!(null), true),
            ("NonCompliant", json!({ "policyEffect": null }), true),
            ("NonCompliant", json!({ "policyEffect": "Audit" }), false),
            ("Error", json!({ "policyEffect": "Deny" }), false),
        ] {
            let evaluation = json!({ "policyInfo": policy("/a"), "evaluationResult": result, "effectDetails": effect });
            let found = denials(json!({ "contentEvaluationResult": { "policyEvaluations": [evaluation] } }));
            assert_eq!(!found.is_empty(), denies, "{result} {effect}");
        }
        for body in [json!({}), json!({ "fieldRestrictions": null, "contentEvaluationResult": null })] {
            assert_eq!(denials(body), [""; 0]);
        }
    }

    #[test]
    fn an_evaluation_of_other_members_is_not_about_the_field() {
        for (expressions, denies) in [
            (json!(null), true),
            (json!([]), true),
            (json!([{ "path": "properties.AllowSharedKeyAccess" }]), true),
            (json!([{ "path": null, "expression": format!("[field('{SHARED_KEYS}')]") }]), true),
            (json!([{ "path": "properties.minimumTlsVersion", "expression": "…/minimumTlsVersion" }]), false),
            (json!([{ "expression": "type", "path": "type" }, { "expression": SHARED_KEYS }]), true),
        ] {
            let evaluation = json!({
                "policyInfo": policy("/a"), "evaluationResult": "NonCompliant",
                "evaluationDetails": { "evaluatedExpressions": expressions },
            });
            let found = denials(json!({ "contentEvaluationResult": { "policyEvaluations": [evaluation] } }));
            assert_eq!(!found.is_empty(), denies, "{expressions}");
        }
    }

    #[test]
    fn the_effect_goes_before_the_result_of_a_restriction_and_the_value_has_to_be_the_wanted_one() {
        for (field, result, values, effect, denies) in [
            (SHARED_KEYS, "Deny", json!(["True"]), json!("Deny"), true),
            (SHARED_KEYS, "deny", json!(["true"]), json!(null), true),
            (SHARED_KEYS, "Deny", json!(["true"]), json!("Audit"), false),
            (SHARED_KEYS, "Required", json!(["true"]), json!("Deny"), false),
            (SHARED_KEYS, "Deny", json!(["false"]), json!("Deny"), false),
            ("tags", "Deny", json!(["true"]), json!("Deny"), false),
        ] {
            let restriction =
                json!({ "result": result, "values": values, "policy": policy("/a"), "policyEffect": effect });
            let found = denials(json!({ "fieldRestrictions": [{ "field": field, "restrictions": [restriction] }] }));
            assert_eq!(!found.is_empty(), denies, "{field} {result} {effect}");
        }
    }

    #[test]
    fn a_policy_that_denies_twice_is_named_once() {
        let body = json!({
            "fieldRestrictions": [{ "field": SHARED_KEYS, "restrictions": [
                { "result": "Deny", "values": ["true"], "policy": policy("/A"), "policyEffect": "Deny" },
                { "result": "Deny", "values": ["true"], "policy": policy("/b"), "policyEffect": "Deny" },
            ] }],
            "contentEvaluationResult": { "policyEvaluations": [
                { "policyInfo": policy("/a"), "evaluationResult": "NonCompliant", "effectDetails": { "policyEffect": "Deny" } },
            ] },
        });
        assert_eq!(denials(body), ["/a", "/b"]);
    }
}
