//! Requests and answers as values. Nothing here sends anything.

use super::body::{Body, http_date, without_bom};
use super::call::Limits;
use super::cloud::origin;
use super::error::{Error, ErrorCode};
use super::no_answer::SharedSource;
use http::{HeaderMap, Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::{sync::Arc, time::Duration};
use time::OffsetDateTime;
use url::Url;
use uuid::Uuid;

/// Whether a request may be sent again when it is not known whether the first attempt took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Twice has the same effect as once: reads, DELETE, PUT of a whole object under a name that the client chose, and PATCH
    /// that sets one property to a fixed value.
    Idempotent,
    /// Only when the first attempt certainly had no effect: there was no connection, or the service refused to process it.
    OnlyIfUnsent,
}

/// A request to Azure Resource Manager, without the token and the headers that every request has.
#[derive(Debug, Clone)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) target: Target,
    pub(crate) body: Option<Body>,
    pub(crate) repeat: Repeat,
    /// Whether it changes something.
    pub(crate) is_write: bool,
    /// Errors to retry on besides those that are transient for every request.
    pub(crate) retry_on: Option<RetryOn>,
    /// Whether transient errors are retried until the call's deadline instead of a limited number of times: for polls, where
    /// giving up would abandon an operation in progress.
    pub(crate) retry_until_deadline: bool,
    /// Whether transient errors are not retried, since other requests can take the place of this one.
    pub(crate) is_dispensable: bool,
    /// The same for a request, its retries and the polls of its operation (`x-ms-client-request-id`).
    pub(crate) id: Uuid,
}

#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// A path below the configured endpoint.
    Path { path: String, query: Vec<(&'static str, String)> },
    /// A URL of an answer: a next page or an operation's status. It has to be on the configured host.
    Url(Url),
}

/// The longest URL that is sent. Servers refuse longer ones, some by hanging up, which looks like trouble that passes.
const LONGEST_URL: usize = 16 << 10;

/// Errors that are transient for one request though they are not in general.
#[derive(Debug, Clone)]
pub(crate) struct RetryOn {
    pub(crate) codes: &'static [ErrorCode],
    /// How long they are retried, from the first attempt on; `None` limits the number of retries as for other errors.
    pub(crate) retry_for: Option<Duration>,
}

impl Request {
    /// A request for a path that starts with a slash. A POST is not idempotent unless [`Request::repeat`] says so.
    pub(crate) fn new(method: Method, path: impl Into<String>, api_version: &str) -> Self {
        let repeat = if method == Method::POST { Repeat::OnlyIfUnsent } else { Repeat::Idempotent };
        let query = vec![("api-version", api_version.to_owned())];
        Self {
            is_write: !matches!(method, Method::GET | Method::HEAD),
            method,
            target: Target::Path { path: path.into(), query },
            body: None,
            repeat,
            retry_on: None,
            retry_until_deadline: false,
            is_dispensable: false,
            id: Uuid::new_v4(),
        }
    }

    pub(crate) fn get(path: impl Into<String>, api_version: &str) -> Self {
        Self::new(Method::GET, path, api_version)
    }

    /// A POST that reads: what it asks for is in its body.
    pub(crate) fn query_by_post(path: impl Into<String>, api_version: &str, body: &impl Serialize) -> Self {
        let request = Self::new(Method::POST, path, api_version).json(body).repeat(Repeat::Idempotent);
        Self { is_write: false, ..request }
    }

    /// A GET of a URL of an answer.
    pub(crate) fn follow(url: Url, id: Uuid) -> Self {
        Self {
            method: Method::GET,
            target: Target::Url(url),
            body: None,
            repeat: Repeat::Idempotent,
            is_write: false,
            retry_on: None,
            retry_until_deadline: false,
            is_dispensable: false,
            id,
        }
    }

    #[must_use]
    pub(crate) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Target::Path { query, .. } = &mut self.target {
            query.push((name, value.into()));
        }
        self
    }

    #[must_use]
    pub(crate) fn json(mut self, body: &impl Serialize) -> Self {
        self.body = Some(serde_json::to_vec(body).expect("our request bodies are plain JSON").into());
        self
    }

    #[must_use]
    pub(crate) fn repeat(mut self, repeat: Repeat) -> Self {
        self.repeat = repeat;
        self
    }

    #[must_use]
    pub(crate) fn retry_on(mut self, codes: &'static [ErrorCode], retry_for: Option<Duration>) -> Self {
        self.retry_on = Some(RetryOn { codes, retry_for });
        self
    }

    #[must_use]
    pub(crate) fn retry_until_deadline(mut self) -> Self {
        self.retry_until_deadline = true;
        self
    }

    /// The path, for messages.
    pub(crate) fn path(&self) -> &str {
        match &self.target {
            Target::Path { path, .. } => path,
            Target::Url(url) => url.path(),
        }
    }

    /// The error that it is not known whether this request has taken effect.
    pub(crate) fn uncertain(&self, accepted: bool, source: Error) -> Error {
        let (method, path) = (self.method.clone(), self.path().to_owned());
        Error::Uncertain { method, path, accepted, source: Box::new(source) }
    }

    /// The error that ends the call after Azure has accepted this request.
    pub(crate) fn accepted(&self, error: Error) -> Error {
        if self.is_write && !error.may_have_had_effect() { self.uncertain(true, error) } else { error }
    }

    /// Path, query and body, which are the same for equal reads.
    pub(crate) fn key(&self) -> String {
        let body = String::from_utf8_lossy(self.body.as_deref().unwrap_or_default());
        match &self.target {
            Target::Path { path, query } => format!("{path}?{}{body}", encoded(query)),
            Target::Url(url) => format!("{url}{body}"),
        }
    }

    /// The whole URL; [`Error::ForeignHost`] when that of an answer is on another host, which must not get the token, and
    /// [`Error::TooLong`].
    pub(crate) fn url(&self, endpoint: &Url) -> Result<Url, Error> {
        let url = match &self.target {
            Target::Path { path, query } => {
                let mut url = endpoint.clone();
                url.set_path(path);
                url.set_query(Some(&encoded(query)));
                url
            }
            Target::Url(url) => {
                check_host(url, endpoint)?;
                url.clone()
            }
        };
        match url.as_str().len() {
            length if length > LONGEST_URL => {
                Err(Error::TooLong { method: self.method.clone(), path: self.path().to_owned(), length })
            }
            _ => Ok(url),
        }
    }
}

/// Refuses a URL on another scheme, host or port than the endpoint's.
pub(crate) fn check_host(url: &Url, endpoint: &Url) -> Result<(), Error> {
    if url.origin() == endpoint.origin() && url.username().is_empty() && url.password().is_none() {
        return Ok(());
    }
    Err(Error::ForeignHost { found: origin(url), expected: origin(endpoint) })
}

fn encoded(query: &[(&'static str, String)]) -> String {
    query.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect::<Vec<_>>().join("&")
}

/// Percent-encodes a query value, also spaces: not every service reads `+` as one.
fn escape(value: &str) -> String {
    url::form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>().replace('+', "%20")
}

/// A successful answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The request's method.
    pub method: Method,
    /// The request's path, for messages.
    pub path: String,
    /// The request's URL.
    pub url: Url,
    /// The status, always 2xx.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
}

/// From which size on a body is read on a thread of its own, so that others go on meanwhile.
const LARGE: usize = 256 << 10;

impl Answer {
    /// The `Date` header: the time of the answer by Azure's clock.
    pub(crate) fn date(&self) -> Option<OffsetDateTime> {
        http_date(self.header("date")?)
    }

    /// Reads the body; [`Error::Decode`] names the path in it.
    pub(crate) async fn json<T: DeserializeOwned + Send + 'static>(&self, limits: &Limits<'_>) -> Result<T, Error> {
        let read = self.read(decode, limits).await?;
        read.map_err(|(path, error)| self.decode_error(path, Some(Arc::new(error))))
    }

    /// The same for a body that holds secrets: an error names the path and nothing of the content.
    pub(crate) async fn secret_json<T: DeserializeOwned + Send + 'static>(
        &self,
        limits: &Limits<'_>,
    ) -> Result<T, Error> {
        self.read(decode, limits).await?.map_err(|(path, _)| self.decode_error(path, None))
    }

    /// Reads the body by a function. An interruption ends the reading of a large body only.
    pub(crate) async fn read<T: Send + 'static>(&self, read: fn(&[u8]) -> T, limits: &Limits<'_>) -> Result<T, Error> {
        if self.body.len() < LARGE {
            return Ok(read(&self.body));
        }
        let body = self.body.clone();
        let reading = tokio::task::spawn_blocking(move || read(&body));
        let doing = || format!("reading the answer to {} {}", self.method, self.path);
        Ok(limits.bound(doing, None, reading).await?.expect("reading JSON does not panic"))
    }

    fn decode_error(&self, field: String, source: Option<SharedSource>) -> Error {
        Error::Decode { method: self.method.clone(), path: self.path.clone(), field, source }
    }

    /// The error that this answer violates the protocol.
    pub(crate) fn breaks_protocol(&self, problem: impl Into<String>) -> Error {
        Error::Protocol { method: self.method.clone(), path: self.path.clone(), problem: problem.into() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().filter(|value| !value.is_empty())
    }
}

/// The most values that are read of an answer, members and elements: those of a few bytes each would take many times the memory
/// of their text. The largest pages of Azure, of 5,000 containers, have 150,000.
const MOST_VALUES: usize = 1_000_000;

/// How many members and elements JSON has, by what stands before each.
pub(super) fn count_values(json: &[u8]) -> usize {
    let (mut count, mut in_text, mut is_escaped) = (0, false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = in_text,
            b'"' => in_text = !in_text,
            b',' | b'[' | b'{' if !in_text => count += 1,
            _ => {}
        }
    }
    count
}

/// Reads JSON after which nothing follows; an error comes with the path to where it is.
fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, (String, serde_json::Error)> {
    let body = without_bom(body);
    // A shorter body cannot have so many.
    if body.len() > MOST_VALUES && count_values(body) > MOST_VALUES {
        let error = serde::de::Error::custom(format_args!("it has more than {MOST_VALUES} values"));
        return Err((String::new(), error));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| (error.path().to_string(), error.into_inner()))?;
    reader.end().map_err(|error| (String::new(), error))?;
    Ok(value)
}

/// A value together with the time of the answer by Azure's clock, with which times in the value can be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dated<T> {
    /// What the answer's body was read into.
    pub value: T,
    /// The answer's `Date`.
    pub date: Option<OffsetDateTime>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::call::{Call, SystemClock};
    use tokio_util::sync::CancellationToken;

    fn endpoint() -> Url {
        Url::parse("https://arm.example:8443").unwrap()
    }

    #[test]
    fn a_request_becomes_a_url_with_everything_escaped() {
        let request = Request::get("/subscriptions/s/resourceGroups/r (1) é", "2022-04-01")
            .query("$filter", "roleName eq 'A+B C'");
        assert_eq!(
            request.url(&endpoint()).unwrap().as_str(),
            "https://arm.example:8443/subscriptions/s/resourceGroups/r%20(1)%20%C3%A9\
             ?api-version=2022-04-01&$filter=roleName%20eq%20%27A%2BB%20C%27"
        );
        let at_scope = Request::get("/x", "v").query("$filter", "atScope()").url(&endpoint()).unwrap();
        assert_eq!(at_scope.query(), Some("api-version=v&$filter=atScope%28%29"));
    }

    #[test]
    fn only_the_configured_host_is_followed() {
        for (url, allowed) in [
            ("https://arm.example:8443/next?$skip=1", true),
            ("https://ARM.example:8443//next", true),
            ("http://arm.example:8443/next", false),
            ("https://arm.example/next", false),
            ("https://arm.example.evil.test:8443/next", false),
            ("https://user:pass@arm.example:8443/next", false),
        ] {
            let request = Request::follow(Url::parse(url).unwrap(), Uuid::nil());
            assert_eq!(request.url(&endpoint()).is_ok(), allowed, "{url}");
        }
        let error = Request::follow(Url::parse("https://evil.test/p?secret").unwrap(), Uuid::nil())
            .url(&endpoint())
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "Azure's answer pointed to https://evil.test, but the token may only be sent to https://arm.example:8443"
        );
    }

    #[test]
    fn all_methods_but_post_are_idempotent() {
        for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE] {
            assert_eq!(Request::new(method, "/x", "v").repeat, Repeat::Idempotent);
        }
        assert_eq!(Request::new(Method::POST, "/x", "v").repeat, Repeat::OnlyIfUnsent);
    }

    #[tokio::test]
    async fn a_body_that_does_not_fit_is_reported_with_its_path_and_without_its_secrets() {
        #[derive(Debug, serde::Deserialize)]
        struct Keys {
            #[expect(dead_code, reason = "only read by serde")]
            keys: Vec<bool>,
        }
        let answer = Answer {
            method: Method::POST,
            path: "/sa/listKeys".into(),
            url: endpoint(),
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: b"\xef\xbb\xbf{\"keys\":[\"hunter2\"]}".as_slice().into(),
        };
        let call = Call::new(CancellationToken::new(), Duration::from_secs(60));
        let limits = Limits { call: &call, clock: &SystemClock };
        let plain = answer.json::<Keys>(&limits).await.unwrap_err();
        assert_eq!(plain.to_string(), "could not read Azure's answer to POST /sa/listKeys, at `keys[0]`");
        assert!(std::error::Error::source(&plain).unwrap().to_string().contains("hunter2"));
        let secret = answer.secret_json::<Keys>(&limits).await.unwrap_err();
        assert!(std::error::Error::source(&secret).is_none());
    }
}
