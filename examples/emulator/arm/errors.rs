//! ARM's error answers: codes, texts and the exact members of the envelope (facts: arm.md §5.1, §5.7).

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::http::Answer;
use super::ids;

/// One error as ARM puts it on the wire. Absent members are left out: a null `additionalInfo` breaks Python clients.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ArmError {
    pub(crate) status: StatusCode,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) target: Option<String>,
    /// The array of `additionalInfo`; boxed because nearly no error has one.
    pub(crate) additional_info: Option<Box<Value>>,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl ArmError {
    /// An error with a status, a code and a text.
    pub(crate) fn new(status: StatusCode, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            target: None,
            additional_info: None,
            headers: Vec::new(),
        }
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
        let after = id.to_lowercase().rfind("/providers/").map_or(id, |at| &id[at + "/providers/".len()..]);
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

    /// The answer it makes.
    pub(crate) fn into_answer(self) -> Answer {
        let body = json!({ "error": self.body() });
        let mut answer = Answer::json(self.status, body);
        answer.headers = self.headers;
        answer
    }

    /// The inner object, as an operation's status repeats it.
    pub(crate) fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("code".into(), json!(self.code));
        body.insert("message".into(), json!(self.message));
        if let Some(target) = &self.target {
            body.insert("target".into(), json!(target));
        }
        if let Some(info) = &self.additional_info {
            body.insert("additionalInfo".into(), (**info).clone());
        }
        Value::Object(body)
    }
}
