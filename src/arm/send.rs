//! The one loop that sends and sleeps. It gives every request to Azure a token and the common headers, keeps the call's
//! limits, retries, and waits while the client is throttled.

use super::auth::{CachedToken, Tokens};
use super::call::{Call, Clock, Limits};
use super::cloud::origin;
use super::cloud_metadata::CloudMetadata;
use super::error::{Error, ServiceError};
use super::exchange::{self, LARGEST_ANSWER, MIB, RawAnswer, exchange};
use super::lock::lock;
use super::no_answer::NoAnswer;
use super::outgoing;
use super::request::{Answer, Request};
use super::retry::{self, Failure, Verdict, classify};
use super::token_error::TokenError;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-client-request-id");
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-ms-correlation-request-id");
const AUXILIARY: HeaderName = HeaderName::from_static("x-ms-authorization-auxiliary");

/// What the requests of a client share.
pub(crate) struct Sender {
    pub(crate) http: reqwest::Client,
    pub(crate) cloud_metadata: Arc<CloudMetadata>,
    pub(crate) tokens: Tokens,
    pub(crate) auxiliary_tenants: Vec<String>,
    pub(crate) correlation_id: Option<HeaderValue>,
    pub(crate) max_retries: u32,
    pub(crate) clock: Arc<dyn Clock>,
    /// Until when no request is sent, because Azure throttles the client.
    pub(crate) paused_until: Mutex<Option<Instant>>,
}

/// An attempt that failed and may be followed by another.
struct Failed {
    error: Error,
    verdict: Verdict,
    /// The token it was sent with.
    token: Option<Arc<CachedToken>>,
}

/// Whether a write may have taken effect so far.
struct Effect<'r> {
    request: &'r Request,
    possible: bool,
}

impl Effect<'_> {
    /// The error that ends a call, as [`Error::Uncertain`] if the write may have taken effect.
    fn or_uncertain(&self, error: Error) -> Error {
        if self.possible && self.request.is_write && !error.may_have_had_effect() {
            self.request.uncertain(false, error)
        } else {
            error
        }
    }
}

/// The tokens of a request.
struct RequestTokens {
    token: Arc<CachedToken>,
    /// Those of auxiliary tenants.
    others: Vec<Arc<CachedToken>>,
}

impl RequestTokens {
    /// A body without the tokens, in case it shows the request that it answers, as error pages of gateways do.
    fn redact(&self, body: &[u8]) -> String {
        let tokens = std::iter::once(&self.token).chain(&self.others);
        tokens.fold(String::from_utf8_lossy(body).into_owned(), |text, token| token.token.redact(&text))
    }
}

/// A token that Azure did not accept, and the claims challenge for the next one.
type Refused = (Arc<CachedToken>, Option<String>);

impl Sender {
    pub(crate) fn limits<'a>(&'a self, call: &'a Call) -> Limits<'a> {
        Limits { call, clock: &*self.clock }
    }

    /// Sends until an attempt succeeds or fails for good, or the call ends.
    pub(crate) async fn send(&self, request: &Request, call: &Call) -> Result<Answer, Error> {
        let limits = self.limits(call);
        let doing = || format!("sending {} {}", request.method, request.path());
        let begun = self.clock.now();
        let mut delays = retry::delays();
        let mut retries_left = if request.is_dispensable { 0 } else { self.max_retries };
        let mut refused: Option<Refused> = None;
        let mut last: Option<Error> = None;
        // A later attempt that is refused does not tell whether an earlier one without a clear answer took effect.
        let mut effect = Effect { request, possible: false };
        loop {
            let waited = self.wait_out_throttling(&limits, doing, last.as_ref()).await;
            waited.map_err(|error| effect.or_uncertain(error))?;
            let elapsed = self.clock.now() - begun;
            let attempt = self.attempt(request, refused.as_ref(), elapsed, &limits, last.as_ref()).await;
            let Failed { error, verdict, token } = match attempt.map_err(|error| effect.or_uncertain(error))? {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            effect.possible |= error.may_have_had_effect();
            tracing::debug!(
                method = %request.method, path = request.path(), ?verdict,
                error = &error as &dyn std::error::Error, "a request to Azure failed"
            );
            match (verdict, token) {
                (Verdict::RenewToken { claims }, Some(token)) if refused.is_none() => {
                    refused = Some((token, claims));
                    last = Some(error);
                }
                (Verdict::Retry(retry), _) if !retry.counted || retries_left > 0 => {
                    retries_left -= u32::from(retry.counted);
                    let delay = delays.next().unwrap_or(Duration::MAX);
                    let own = delay.min(retry.at_most.unwrap_or(Duration::MAX));
                    let wait = retry.after.map_or(own, retry::at_least_shortest);
                    if retry.pause_all {
                        self.pause_all(wait);
                    }
                    last = Some(error);
                    limits.pause(wait, doing, last.as_ref()).await.map_err(|error| effect.or_uncertain(error))?;
                }
                (verdict, _) => {
                    // Others have to wait where this request is not sent again.
                    if matches!(&verdict, Verdict::Retry(retry) if retry.pause_all) {
                        self.pause_all(delays.next().unwrap_or_default());
                    }
                    return Err(effect.or_uncertain(error));
                }
            }
        }
    }

    /// Sends once. The outer error ends the whole call.
    async fn attempt(
        &self,
        request: &Request,
        refused: Option<&Refused>,
        elapsed: Duration,
        limits: &Limits<'_>,
        last: Option<&Error>,
    ) -> Result<Result<Answer, Failed>, Error> {
        let (tokens, headers) = match self.authorize(request, refused, limits).await {
            Ok(authorized) => authorized,
            Err(Error::Token(error)) if error.is_transient() => {
                let failure = match &*error {
                    TokenError::Unreachable { reason, .. } if reason.is_before_sending() => Failure::NoAnswer(*reason),
                    // Requesting a token is idempotent, whatever it is for.
                    _ => Failure::NoToken,
                };
                let verdict = classify(self.clock.utc(), elapsed, request, &failure);
                return Ok(Err(Failed { error: Error::Token(error), verdict, token: None }));
            }
            Err(error) => return Err(error),
        };
        let url = request.url(&self.cloud_metadata.endpoints(limits).await?.resource_manager)?;
        let mut outgoing = reqwest::Request::new(request.method.clone(), url.clone());
        *outgoing.headers_mut() = headers;
        let content = request.body.as_ref().map(|body| body.to_vec());
        let withdrawal = match request.is_write {
            true => {
                let (body, withdrawal) = outgoing::body(content);
                *outgoing.body_mut() = Some(body);
                Some(withdrawal)
            }
            false => {
                *outgoing.body_mut() = content.map(Into::into);
                None
            }
        };

        let doing = || format!("sending {} {}", request.method, request.path());
        let sent = std::time::Instant::now();
        // What is dropped cannot be withdrawn any more.
        let mut exchange = pin!(exchange(&self.http, outgoing, LARGEST_ANSWER));
        let raw = limits.bound(doing, last, exchange.as_mut()).await;
        let is_taken = || withdrawal.is_some_and(|withdrawal| !withdrawal.is_in_time());
        let raw = raw.map_err(|error| Effect { request, possible: is_taken() }.or_uncertain(error))?;
        let path = request.path();
        let (error, verdict) = match raw {
            Ok(RawAnswer { status, headers, body }) => {
                let method = &request.method;
                let millis = u64::try_from(sent.elapsed().as_millis()).unwrap_or(u64::MAX);
                tracing::debug!(%method, path, status = status.as_u16(), millis, "Azure answered");
                if status.is_success() {
                    if is_html(&headers) {
                        let problem = "it is a page of HTML, as a proxy answers in its own name".to_owned();
                        return Err(Error::Protocol { method: method.clone(), path: path.to_owned(), problem });
                    }
                    let (method, path, url) = (method.clone(), path.to_owned(), url.clone());
                    return Ok(Ok(Answer { method, path, url, status, headers, body }));
                }
                let error = ServiceError::read(method, path, status, &headers, tokens.redact(&body).as_bytes());
                let failure = Failure::Answer { headers: &headers, error: &error };
                let verdict = classify(self.clock.utc(), elapsed, request, &failure);
                (error.into(), verdict)
            }
            Err(exchange::Failed::TooLarge(_)) => {
                let problem = format!("it is larger than {} MiB, and is not read", LARGEST_ANSWER / MIB);
                return Err(Error::Protocol { method: request.method.clone(), path: path.to_owned(), problem });
            }
            Err(exchange::Failed::Transport(error)) => {
                let reason = NoAnswer::of(&error);
                let verdict = classify(self.clock.utc(), elapsed, request, &Failure::NoAnswer(reason));
                let (method, path, from) = (request.method.clone(), path.to_owned(), origin(&url));
                let source = Arc::new(error.without_url());
                (Error::Transport { method, path, from, reason, source }, verdict)
            }
        };
        Ok(Err(Failed { error, verdict, token: Some(tokens.token) }))
    }

    async fn authorize(
        &self,
        request: &Request,
        refused: Option<&Refused>,
        limits: &Limits<'_>,
    ) -> Result<(RequestTokens, HeaderMap), Error> {
        let token = match refused {
            None => self.tokens.get(None, limits).await?,
            Some((refused, claims)) => self.tokens.renew(None, refused, claims.clone(), limits).await?,
        };
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, bearer(&[&token])?);
        let mut others = Vec::new();
        for tenant in &self.auxiliary_tenants {
            others.push(self.tokens.get(Some(tenant), limits).await?);
        }
        if !others.is_empty() {
            headers.insert(AUXILIARY, bearer(&others.iter().collect::<Vec<_>>())?);
        }
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if request.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        } else if request.method == Method::POST {
            // Some front ends answer 411 to a POST without a length.
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let id = HeaderValue::try_from(request.id.to_string()).expect("a GUID is ASCII");
        headers.insert(CLIENT_REQUEST_ID, id);
        if let Some(id) = &self.correlation_id {
            headers.insert(CORRELATION_ID, id.clone());
        }
        Ok((RequestTokens { token, others }, headers))
    }

    /// Makes every request of this client wait.
    fn pause_all(&self, wait: Duration) {
        let Some(until) = self.clock.now().checked_add(wait) else { return };
        let mut paused = lock(&self.paused_until);
        *paused = Some(paused.map_or(until, |already| already.max(until)));
    }

    async fn wait_out_throttling(
        &self,
        limits: &Limits<'_>,
        doing: impl Fn() -> String,
        last: Option<&Error>,
    ) -> Result<(), Error> {
        loop {
            let until = *lock(&self.paused_until);
            let left = until.map_or(Duration::ZERO, |until| until.saturating_duration_since(self.clock.now()));
            if left.is_zero() {
                return Ok(());
            }
            limits.pause(left, &doing, last).await?;
        }
    }
}

/// Whether an answer says that it is HTML. A success of Azure never is, and of a DELETE nobody would read it.
fn is_html(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/html"))
}

/// The value of an authorization header; the auxiliary one has several tokens.
fn bearer(tokens: &[&Arc<CachedToken>]) -> Result<HeaderValue, Error> {
    let text = tokens.iter().map(|token| format!("Bearer {}", token.token.reveal())).collect::<Vec<_>>().join(", ");
    let mut value = HeaderValue::try_from(text)
        .map_err(|error| Error::Setting { what: "bearer token", source: Arc::new(error) })?;
    value.set_sensitive(true);
    Ok(value)
}
