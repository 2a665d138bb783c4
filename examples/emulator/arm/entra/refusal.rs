//! What the token endpoint refuses with (facts: azure.md §6.2): a number, an OAuth error, and a text that names both.

use axum::http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use super::super::clock;
use super::super::errors::Failure;
use super::super::http::{Answer, Request};
use super::super::world::World;

/// A refusal in Entra's own shape.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// The OAuth error.
    pub(crate) error: &'static str,
    /// The number after AADSTS.
    pub(crate) number: u32,
    pub(crate) text: String,
}

impl Refusal {
    /// The refusal that a rule describes by a code such as `AADSTS90033`.
    pub(crate) fn of(status: StatusCode, failure: &Failure) -> Option<Self> {
        let number = failure.code.strip_prefix("AADSTS")?.parse().ok()?;
        let error = match status.as_u16() {
            401 => "invalid_client",
            500.. => "temporarily_unavailable",
            _ => "invalid_request",
        };
        Some(Self { status, error, number, text: failure.message.clone() })
    }

    /// 400 invalid_request.
    pub(crate) fn request(number: u32, text: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error: "invalid_request", number, text: text.into() }
    }

    /// 401 invalid_client: the credentials are not right.
    pub(crate) fn client(number: u32, text: impl Into<String>) -> Self {
        Self { status: StatusCode::UNAUTHORIZED, error: "invalid_client", number, text: text.into() }
    }

    /// Another OAuth error than the number's usual one.
    pub(crate) fn with_error(self, error: &'static str) -> Self {
        Self { error, ..self }
    }

    pub(crate) fn tenant(tenant: &str) -> Self {
        Self::request(
            90002,
            format!(
                "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the \
                 correct cloud."
            ),
        )
    }

    pub(crate) fn missing(name: &str) -> Self {
        Self::request(900_144, format!("The request body must contain the following parameter: '{name}'."))
    }

    pub(crate) fn into_answer(self, world: &World, request: &Request) -> Answer {
        let (trace, timestamp) = (Uuid::new_v4().to_string(), clock::plain(world.clock.now()));
        let correlation = request.header("client-request-id").map_or_else(|| Uuid::new_v4().to_string(), str::to_owned);
        let description = format!(
            "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}",
            self.number, self.text
        );
        Answer::json(
            self.status,
            json!({
                "error": self.error,
                "error_description": description,
                "error_codes": [self.number],
                "timestamp": timestamp,
                "trace_id": trace,
                "correlation_id": correlation,
                "error_uri": format!("{}/error?code={}", request.base, self.number),
            }),
        )
    }
}
