//! Requests and answers as the handlers see them: whole, and free of sockets.

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, header};
use serde::Serialize;
use serde_json::Value;

use super::errors::ArmError;

/// One request, read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The method.
    pub(crate) method: Method,
    /// The path as sent, still percent-encoded.
    pub(crate) raw_path: String,
    /// The path's segments, decoded; empty ones (doubled slashes) are dropped.
    pub(crate) segments: Vec<String>,
    /// The query as sent.
    pub(crate) raw_query: String,
    /// The query's pairs, decoded.
    pub(crate) query: Vec<(String, String)>,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: Bytes,
    /// `https://host:port` as the caller addressed us; absolute links in answers begin with it.
    pub(crate) base: String,
    /// Whether it came from this machine.
    pub(crate) local: bool,
    /// Whether it came without TLS.
    pub(crate) plain: bool,
    /// The object id of whoever sends it; empty as long as that is not known.
    pub(crate) caller: String,
}

impl Request {
    /// The decoded path with single slashes.
    pub(crate) fn path(&self) -> String {
        self.segments.iter().map(|segment| format!("/{segment}")).collect()
    }

    /// A query value by name, names compared without regard to case.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// A header's value, if it is there and is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The api-version asked for; empty if none was.
    pub(crate) fn api_version(&self) -> &str {
        self.query("api-version").unwrap_or("")
    }

    /// The body as a JSON object.
    pub(crate) fn json(&self) -> Result<Value, ArmError> {
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(object)) => Ok(Value::Object(object)),
            Ok(_) => Err(ArmError::invalid_content("the body is not an object")),
            Err(error) => Err(ArmError::invalid_content(&error.to_string())),
        }
    }

    /// The body as a form's pairs.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }

    /// This request's own URL with some of its query values replaced.
    pub(crate) fn url_with(&self, name: &str, value: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (key, old) in self.query.iter().filter(|(key, _)| !key.eq_ignore_ascii_case(name)) {
            query.append_pair(key, old);
        }
        query.append_pair(name, value);
        format!("{}{}?{}", self.base, self.raw_path, query.finish())
    }
}

/// What a body is made of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Payload {
    /// No body.
    Empty,
    /// A JSON document.
    Json(Value),
    /// Another text, with its content type.
    Text(&'static str, String),
}

/// One answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: StatusCode,
    /// Headers beyond those every answer has.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The body.
    pub(crate) body: Payload,
}

impl Answer {
    /// A status and nothing else.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: Payload::Empty }
    }

    /// A JSON document with a status.
    pub(crate) fn json(status: StatusCode, body: Value) -> Self {
        Self { status, headers: Vec::new(), body: Payload::Json(body) }
    }

    /// 200 with a JSON document.
    pub(crate) fn ok(body: Value) -> Self {
        Self::json(StatusCode::OK, body)
    }

    /// The answer with one more header.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// One page of a list: `skip` is the name of the query value that carries the continuation. Only the items on the page
/// are written out.
pub(crate) fn page<T: Serialize>(request: &Request, skip: &str, size: usize, items: &[T]) -> Result<Answer, ArmError> {
    page_of(request, skip, size, items, |item| item)
}

/// The same, with what is shown of an item; it is asked for the items on the page only.
pub(crate) fn page_of<'a, T, S: Serialize>(
    request: &Request,
    skip: &str,
    size: usize,
    items: &'a [T],
    shown: impl Fn(&'a T) -> S,
) -> Result<Answer, ArmError> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Page<S> {
        value: Vec<S>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_link: Option<String>,
    }
    let from = match request.query(skip) {
        None | Some("") => 0,
        Some(token) => token
            .strip_prefix("after-")
            .and_then(|count| count.parse::<usize>().ok())
            .filter(|from| *from <= items.len())
            .ok_or_else(|| {
                ArmError::bad_request("InvalidSkipToken", format!("The continuation '{token}' is not valid."))
            })?,
    };
    let until = from.saturating_add(size.max(1)).min(items.len());
    let next_link = (until < items.len()).then(|| request.url_with(skip, &format!("after-{until}")));
    let page = Page { value: items[from..until].iter().map(shown).collect(), next_link };
    let text = serde_json::to_string(&page).expect("lists have nothing that JSON cannot say");
    Ok(Answer { status: StatusCode::OK, headers: Vec::new(), body: Payload::Text(JSON, text) })
}

/// Decodes %XX; what is not UTF-8 afterwards is replaced, never refused.
pub(crate) fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// The content type of JSON answers.
pub(crate) const JSON: &str = "application/json; charset=utf-8";

/// The header names that only this module and the server spell out.
pub(crate) const CONTENT_TYPE: header::HeaderName = header::CONTENT_TYPE;
