//! What was asked and answered, without secrets: the record that tests count requests in.

use axum::http::Method;
use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::entra::Jwt;
use super::http::{Answer, Payload, Request};

/// One request and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Record {
    /// Counts from 1, also across [`Log::clear`].
    pub(crate) number: u64,
    /// When it arrived, on the emulator's clock.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) time: OffsetDateTime,
    /// GET, PATCH, …
    pub(crate) method: String,
    /// The decoded path, single slashes, without the query.
    pub(crate) path: String,
    /// The query's pairs, decoded.
    pub(crate) query: Vec<(String, String)>,
    /// The body: JSON if it is JSON, else its text; neither forms nor credentials have their secrets. An assertion is there as what it says, without
    /// the signature that would make it one.
    pub(crate) body: Value,
    /// The answer's status; `None` while there is none, or when the connection was cut.
    pub(crate) status: Option<u16>,
    /// The error code of the answer, if it was an error.
    pub(crate) error: Option<String>,
    /// The object id of the caller, once it is known.
    pub(crate) principal: Option<String>,
    /// User-Agent.
    pub(crate) user_agent: String,
    /// `x-ms-correlation-request-id` of the request.
    pub(crate) correlation_id: Option<String>,
    /// `x-ms-client-request-id` of the request.
    pub(crate) client_request_id: Option<String>,
}

impl Record {
    /// Whether it went to Azure Resource Manager, and not to the sign-in endpoints, the data plane or the emulator itself.
    pub(crate) fn is_arm(&self) -> bool {
        let path = self.path.to_ascii_lowercase();
        ["/subscriptions", "/providers/", "/tenants"].iter().any(|start| path.starts_with(start))
    }

    /// A query value by name.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// How many records are kept; the oldest go first, so that an emulator may run for long.
const KEPT: usize = 100_000;

/// All records since the start or the last clearing.
#[derive(Debug, Default)]
pub(crate) struct Log {
    records: Vec<Record>,
    seen: u64,
}

impl Log {
    /// Notes that a request arrived; its number.
    pub(crate) fn arrived(&mut self, request: &Request, now: OffsetDateTime) -> u64 {
        self.seen += 1;
        if self.records.len() >= KEPT {
            self.records.drain(..KEPT / 2);
        }
        self.records.push(Record {
            number: self.seen,
            time: now,
            method: request.method.to_string(),
            path: request.path(),
            query: request.query.iter().map(|(name, value)| (name.clone(), visible(name, value))).collect(),
            body: body(request),
            status: None,
            error: None,
            principal: None,
            user_agent: request.header("user-agent").unwrap_or("").to_owned(),
            correlation_id: request.header("x-ms-correlation-request-id").map(str::to_owned),
            client_request_id: request.header("x-ms-client-request-id").map(str::to_owned),
        });
        self.seen
    }

    /// Notes who asked.
    pub(crate) fn asked_by(&mut self, number: u64, principal: &str) {
        if let Some(record) = self.find(number) {
            record.principal = Some(principal.to_owned());
        }
    }

    /// Notes the answer.
    pub(crate) fn answered(&mut self, number: u64, answer: &Answer) {
        if let Some(record) = self.find(number) {
            record.status = Some(answer.status.as_u16());
            if let Payload::Json(body) = &answer.body {
                let code = body.pointer("/error/code").or_else(|| body.get("error"));
                record.error = code.and_then(Value::as_str).map(str::to_owned);
            }
        }
    }

    /// All records, oldest first.
    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }

    /// Forgets what was recorded; numbers go on.
    pub(crate) fn clear(&mut self) {
        self.records.clear();
    }

    fn find(&mut self, number: u64) -> Option<&mut Record> {
        let first = self.records.first()?.number;
        self.records.get_mut(usize::try_from(number.checked_sub(first)?).ok()?)
    }
}

/// Names of form and query fields whose values are secret.
const SECRETS: [&str; 4] = ["client_secret", "assertion", "password", "sig"];

fn visible(name: &str, value: &str) -> String {
    let secret = SECRETS.iter().any(|secret| name.eq_ignore_ascii_case(secret));
    if secret { "(redacted)".to_owned() } else { value.to_owned() }
}

fn body(request: &Request) -> Value {
    if request.body.is_empty() || request.method == Method::GET {
        return Value::Null;
    }
    let is_form = request.header("content-type").is_some_and(|kind| kind.contains("x-www-form-urlencoded"));
    // A form that does not say so has its secrets all the same.
    if is_form || request.raw_path.ends_with("/token") {
        let field = |name: &str, value: &str| match name {
            "client_assertion" => Jwt::parse(value)
                .map_or(Value::Null, |assertion| json!({ "header": assertion.header, "claims": assertion.claims })),
            _ => Value::String(visible(name, value)),
        };
        return request.form().into_iter().map(|(name, value)| (name.clone(), field(&name, &value))).collect();
    }
    let mut body = serde_json::from_slice(&request.body)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&request.body).into_owned()));
    // What datastores and connections sign in with.
    if let Some(credentials) = body.pointer_mut("/properties/credentials").and_then(Value::as_object_mut) {
        credentials.retain(|name, _| name == "credentialsType");
    }
    body
}
