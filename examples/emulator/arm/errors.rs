//! ARM's error answers: codes, texts and the exact members of the envelope (facts: azure.md §5.1, §5.7).

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::http::Answer;
use super::ids;

/// What went wrong, as error answers and failed operations say it. Absent members are left out: a null `additionalInfo`
/// breaks Python clients.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Failure {
    pub(crate) code: String,
    pub(crate) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) details: Vec<Failure>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) additional_info: Vec<Value>,
}

impl Failure {
    /// A code and a text, the members that every error has.
    pub(crate) fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), ..Self::default() }
    }
}

/// One error answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ArmError {
    pub(crate) status: StatusCode,
    pub(crate) failure: Box<Failure>,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl ArmError {
    /// An error with a status, a code and a text.
    pub(crate) fn new(status: StatusCode, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::of(status, Failure::new(code, message))
    }

    /// An error answer that says what went wrong.
    pub(crate) fn of(status: StatusCode, failure: Failure) -> Self {
        Self { status, failure: Box::new(failure), headers: Vec::new() }
    }

    pub(crate) fn bad_request(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(crate) fn not_found(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    pub(crate) fn conflict(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    pub(crate) fn forbidden(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    pub(crate) fn invalid_content(why: &str) -> Self {
        Self::bad_request(
            "InvalidRequestContent",
            format!("The request content was invalid and could not be deserialized: '{why}'."),
        )
    }

    pub(crate) fn missing_api_version() -> Self {
        Self::bad_request(
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    }

    pub(crate) fn subscription_not_found(id: &str) -> Self {
        Self::not_found("SubscriptionNotFound", format!("The subscription '{id}' could not be found."))
    }

    pub(crate) fn group_not_found(name: &str) -> Self {
        Self::not_found("ResourceGroupNotFound", format!("Resource group '{name}' could not be found."))
    }

    /// A resource that is not there, named by its id.
    pub(crate) fn resource_not_found(id: &str) -> Self {
        let after = id.to_ascii_lowercase().rfind("/providers/").map_or(id, |at| &id[at + "/providers/".len()..]);
        let parts: Vec<&str> = after.split('/').collect();
        let (namespace, rest) = parts.split_first().map_or(("", &[][..]), |(first, rest)| (*first, rest));
        let kinds: Vec<&str> = rest.iter().step_by(2).copied().collect();
        let names: Vec<&str> = rest.iter().skip(1).step_by(2).copied().collect();
        let group = ids::part(id, "resourceGroups").unwrap_or("");
        Self::not_found(
            "ResourceNotFound",
            format!(
                "The Resource '{namespace}/{}/{}' under resource group '{group}' was not found. For more details please \
                 go to https://aka.ms/ARMResourceNotFoundFix",
                kinds.join("/"),
                names.join("/")
            ),
        )
    }

    pub(crate) fn unknown_type(namespace: &str, kind: &str) -> Self {
        Self::not_found(
            "InvalidResourceType",
            format!("The resource type '{kind}' could not be found in the namespace '{namespace}'."),
        )
    }

    pub(crate) fn method_not_allowed(method: &str) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "HttpMethodNotSupported",
            format!("The http method '{method}' is not supported for this resource type."),
        )
    }

    /// A refusal of the Machine Learning provider that has this code at times for the shape, at times for the sense.
    pub(crate) fn validation(message: impl Into<String>) -> Self {
        let mut error = Self::bad_request("ValidationError", message);
        error.failure.target = Some("workspace".to_owned());
        error
    }

    /// The answer it makes.
    pub(crate) fn into_answer(self) -> Answer {
        let mut answer = Answer::json(self.status, json!({ "error": self.failure }));
        answer.headers = self.headers;
        answer
    }
}

/// Gives an error and those within it the members that the Machine Learning provider writes, nulls included
/// (facts: azure.md §9.5).
pub(crate) fn with_nulls(error: &mut Value) {
    let Some(members) = error.as_object_mut() else { return };
    let message = members.get("message").cloned().unwrap_or(Value::Null);
    for (name, value) in [
        ("severity", Value::Null),
        ("messageFormat", message),
        ("messageParameters", json!({})),
        ("target", Value::Null),
        ("details", json!([])),
        ("innerError", Value::Null),
        ("debugInfo", Value::Null),
        ("additionalInfo", Value::Null),
        ("referenceCode", Value::Null),
        ("detailsUri", Value::Null),
    ] {
        members.entry(name).or_insert(value);
    }
    members.get_mut("details").and_then(Value::as_array_mut).into_iter().flatten().for_each(with_nulls);
}
