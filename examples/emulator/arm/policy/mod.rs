//! Azure Policy at the tenant: writes that are denied, and writes that are quietly changed (facts: azure.md §2, §5.7).

pub(crate) mod restrictions;

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::errors::ArmError;
use super::ids;

/// One policy: an effect on resources of one type.
///
/// Written as `deny TYPE FIELD=VALUE`, `audit TYPE FIELD=VALUE`, `modify TYPE FIELD=VALUE` or `keep TYPE FIELD`, where TYPE
/// is such as `Microsoft.Storage/storageAccounts` and FIELD such as `properties.allowSharedKeyAccess`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Policy {
    effect: Effect,
    kind: String,
    field: String,
    value: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// A write that gives the field this value is refused.
    Deny,
    /// A write that gives the field this value succeeds; whoever asks what policies say is told.
    Audit,
    /// Every write gives the field this value, and is answered as if it had been asked for.
    Modify,
    /// Every write leaves the field as it was, and is answered as if it had not.
    Keep,
}

impl Policy {
    /// Applies the policy to a document about to be written; `before` is what is there.
    pub(crate) fn apply(
        &self,
        kind: &str,
        id: &str,
        before: Option<&Value>,
        after: &mut Value,
    ) -> Result<(), ArmError> {
        if !self.kind.eq_ignore_ascii_case(kind) {
            return Ok(());
        }
        let pointer = format!("/{}", self.field.replace('.', "/"));
        match self.effect {
            Effect::Deny if self.objects(kind, after) => Err(self.refusal(id)),
            Effect::Deny | Effect::Audit => Ok(()),
            Effect::Modify => {
                put(after, &self.field, Some(self.value.clone()));
                Ok(())
            }
            Effect::Keep => {
                put(after, &self.field, before.and_then(|before| before.pointer(&pointer)).cloned());
                Ok(())
            }
        }
    }

    /// Whether a document of a type has the value that is denied or audited.
    fn objects(&self, kind: &str, document: &Value) -> bool {
        let value = document.pointer(&format!("/{}", self.field.replace('.', "/")));
        matches!(self.effect, Effect::Deny | Effect::Audit)
            && self.kind.eq_ignore_ascii_case(kind)
            && value.is_some_and(|value| same(value, &self.value))
    }

    /// The field's name in policies.
    fn alias(&self) -> String {
        format!("{}/{}", self.kind, self.field.trim_start_matches("properties."))
    }

    /// The ids of the policy as it applies to a scope.
    fn reference(&self, scope: &str) -> Value {
        let subscription = ids::part(scope, "subscriptions").unwrap_or("");
        json!({
            "policyDefinitionId": "/providers/Microsoft.Authorization/policyDefinitions/emulated",
            "policyAssignmentId":
                format!("/subscriptions/{subscription}/providers/Microsoft.Authorization/policyAssignments/emulated"),
        })
    }

    /// How a document was found to have the value; who asks in advance is answered in other words than who is refused.
    fn expression(&self, kind: &str, operator: &str) -> Value {
        json!({
            "result": "True",
            "expressionKind": kind,
            "expression": self.alias(),
            "path": self.field,
            "expressionValue": self.value,
            "targetValue": self.value,
            "operator": operator,
        })
    }

    fn refusal(&self, id: &str) -> ArmError {
        let name = ids::name(id);
        let subscription = ids::part(id, "subscriptions").unwrap_or("");
        let reference = self.reference(id);
        let identifiers = json!([{
            "policyAssignment": { "name": "Emulated policy", "id": reference["policyAssignmentId"] },
            "policyDefinition": { "name": "Emulated policy", "id": reference["policyDefinitionId"] },
        }]);
        let mut error = ArmError::forbidden(
            "RequestDisallowedByPolicy",
            format!("Resource '{name}' was disallowed by policy. Policy identifiers: '{identifiers}'."),
        );
        error.failure.target = Some(name.to_owned());
        error.failure.additional_info = vec![json!({
            "type": "PolicyViolation",
            "info": {
                "evaluationDetails": { "evaluatedExpressions": [self.expression("Field", "Equals")] },
                "policyDefinitionId": reference["policyDefinitionId"],
                "policyDefinitionName": "emulated",
                "policyDefinitionEffect": "deny",
                "policyAssignmentId": reference["policyAssignmentId"],
                "policyAssignmentName": "emulated",
                "policyAssignmentScope": format!("/subscriptions/{subscription}"),
            },
        })];
        error
    }
}

impl Effect {
    /// As answers write it.
    fn name(self) -> &'static str {
        match self {
            Self::Deny => "Deny",
            Self::Audit => "Audit",
            Self::Modify | Self::Keep => "Modify",
        }
    }
}

/// Values are equal as JSON, texts without regard to case.
fn same(a: &Value, b: &Value) -> bool {
    match (a.as_str(), b.as_str()) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        _ => a == b,
    }
}

/// Sets or removes the value at a dotted path, if everything above it is there.
fn put(document: &mut Value, field: &str, value: Option<Value>) {
    let (above, last) = field.rsplit_once('.').unwrap_or(("", field));
    let pointer = if above.is_empty() { String::new() } else { format!("/{}", above.replace('.', "/")) };
    if let Some(object) = document.pointer_mut(&pointer).and_then(Value::as_object_mut) {
        match value {
            Some(value) => object.insert(last.to_owned(), value),
            None => object.remove(last),
        };
    }
}

impl FromStr for Policy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [effect, kind, rest] = words[..] else {
            return Err("a policy is EFFECT TYPE FIELD or EFFECT TYPE FIELD=VALUE".to_owned());
        };
        let effect = match effect {
            "deny" => Effect::Deny,
            "audit" => Effect::Audit,
            "modify" => Effect::Modify,
            "keep" => Effect::Keep,
            other => return Err(format!("{other:?} is none of deny, audit, modify, keep")),
        };
        let (field, value) = match (rest.split_once('='), effect) {
            (Some((field, value)), Effect::Deny | Effect::Audit | Effect::Modify) => (field, value),
            (None, Effect::Keep) => (rest, "null"),
            (Some(_), Effect::Keep) => return Err("keep takes no value".to_owned()),
            (None, _) => return Err("the field needs a value".to_owned()),
        };
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
        Ok(Self { effect, kind: kind.to_owned(), field: field.to_owned(), value })
    }
}

impl TryFrom<String> for Policy {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Policy> for String {
    fn from(policy: Policy) -> Self {
        let effect = match policy.effect {
            Effect::Deny => "deny",
            Effect::Audit => "audit",
            Effect::Modify => "modify",
            Effect::Keep => return format!("keep {} {}", policy.kind, policy.field),
        };
        format!("{effect} {} {}={}", policy.kind, policy.field, policy.value)
    }
}
