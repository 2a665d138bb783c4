//! `checkPolicyRestrictions`: what policies would say to a write (facts: azure.md §13.7).

use axum::http::Method;
use serde_json::{Value, json};

use super::super::errors::ArmError;
use super::super::http::{Answer, Request};
use super::super::ids::Target;
use super::super::workspaces::text;
use super::super::world::World;
use super::{Effect, Policy, same};

/// The version from which on answers have effects, and audits may be asked for.
const WITH_EFFECTS: &str = "2023-03-01";

/// Answers for the content and the fields of a request.
pub(crate) fn answer(world: &World, request: &Request, target: &Target) -> Result<Answer, ArmError> {
    if request.method != Method::POST {
        return Err(ArmError::method_not_allowed(request.method.as_str()));
    }
    let asked = request.json()?;
    let Some(content) = asked.pointer("/resourceDetails/resourceContent").filter(|content| content.is_object()) else {
        return Err(ArmError::invalid_content("resourceDetails.resourceContent is required"));
    };
    let with_effects = request.api_version() >= WITH_EFFECTS;
    let with_audits = with_effects && asked.get("includeAuditEffect") == Some(&Value::Bool(true));
    let policies: Vec<&Policy> =
        world.policies().filter(|policy| policy.effect != Effect::Audit || with_audits).collect();

    let evaluations = policies.iter().filter(|policy| policy.objects(text(content, "/type"), content));
    let evaluations: Vec<Value> = evaluations.map(|policy| policy.evaluation(&target.scope, with_effects)).collect();
    let fields = asked.get("pendingFields").and_then(Value::as_array);
    let fields: Vec<Value> = fields
        .into_iter()
        .flatten()
        .filter_map(|field| {
            let restrictions =
                policies.iter().filter_map(|policy| policy.restriction(field, &target.scope, with_effects));
            let restrictions: Vec<Value> = restrictions.collect();
            (!restrictions.is_empty()).then(|| json!({ "field": field["field"], "restrictions": restrictions }))
        })
        .collect();
    Ok(Answer::ok(json!({
        "fieldRestrictions": fields, "contentEvaluationResult": { "policyEvaluations": evaluations },
    })))
}

impl Policy {
    /// That content does not comply.
    fn evaluation(&self, scope: &str, with_effects: bool) -> Value {
        let mut evaluation = json!({
            "policyInfo": self.reference(scope),
            "evaluationResult": "NonCompliant",
            "evaluationDetails": { "evaluatedExpressions": [self.expression("field", "equals")] },
        });
        if with_effects {
            evaluation["effectDetails"] = json!({ "policyEffect": self.effect.name() });
            evaluation["evaluationDetails"]["reason"] = json!(REASON);
        }
        evaluation
    }

    /// What becomes of the values that a field may get, if anything does.
    fn restriction(&self, pending: &Value, scope: &str, with_effects: bool) -> Option<Value> {
        let value = self.value.as_str().map_or_else(|| self.value.to_string(), str::to_owned);
        let values = pending.get("values").and_then(Value::as_array);
        let may_get_it = values.is_none_or(|values| values.iter().any(|one| same(one, &json!(value))));
        if !text(pending, "/field").eq_ignore_ascii_case(&self.alias()) {
            return None;
        }
        let mut restriction = match self.effect {
            Effect::Deny | Effect::Audit if may_get_it => json!({ "result": self.effect.name(), "values": [value] }),
            Effect::Modify => json!({ "result": "Required", "defaultValue": value }),
            _ => return None,
        };
        restriction["policy"] = self.reference(scope);
        if with_effects {
            restriction["policyEffect"] = json!(self.effect.name());
            restriction["reason"] = json!(REASON);
        }
        Some(restriction)
    }
}

const REASON: &str = "The value of the field is one that the policy objects to.";
