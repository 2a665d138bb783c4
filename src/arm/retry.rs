//! Whether a failed request is sent again, and after what wait. The time is an argument.

use super::body::http_date;
use super::error::{ErrorCode, ServiceError};
use super::no_answer::NoAnswer;
use super::request::{Repeat, Request};
use super::service_error::claims_challenge;
use backon::{BackoffBuilder, ExponentialBuilder};
use http::{HeaderMap, StatusCode, header};
use std::time::Duration;
use time::OffsetDateTime;

/// How often a request is retried where no wait is prescribed: one to two minutes in all.
pub const DEFAULT_MAX_RETRIES: u32 = 6;

/// The timeout of making a connection.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// The longest wait where no connection could be made. That is no sign of throttling but mostly a wrong address or a network
/// that blocks it; a restart of the server takes some seconds.
const UNREACHED_WAIT: Duration = Duration::from_secs(2);

/// The waits between retries where the service prescribes none: a second doubling up to a minute, each with up to as much again
/// at random, so that parallel requests are not retried in step.
pub(crate) fn delays() -> impl Iterator<Item = Duration> + Send {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_secs(1))
        .with_factor(2.0)
        .with_max_delay(Duration::from_secs(60))
        .with_jitter()
        .without_max_times()
        .build()
}

/// A wait that the service asked for. It is at least the first of [`delays`]: no wait at all, as by a date in the past, would
/// make a loop without an end of what is not counted.
pub(crate) fn at_least_shortest(asked: Duration) -> Duration {
    delays().next().map_or(asked, |shortest| asked.max(shortest))
}

/// How an attempt failed.
pub(crate) enum Failure<'a> {
    NoAnswer(NoAnswer),
    /// No token was available for now.
    NoToken,
    Answer {
        headers: &'a HeaderMap,
        error: &'a ServiceError,
    },
}

/// What to do about a failure.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    GiveUp,
    /// Once, with a new token; `claims` is the service's claims challenge for it.
    RenewToken {
        claims: Option<String>,
    },
    /// After a wait.
    Retry(Retry),
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Retry {
    /// The wait that the service asked for; otherwise the next of [`delays`].
    pub(crate) after: Option<Duration>,
    /// The longest that the next of [`delays`] may be.
    pub(crate) at_most: Option<Duration>,
    /// Whether this is one of the allowed retries. What the service itself calls temporary is not: it ends by itself or with
    /// the call's deadline.
    pub(crate) counted: bool,
    /// Whether all requests of the client wait, because the service throttles them together.
    pub(crate) pause_all: bool,
}

/// Decides about a failed attempt. `elapsed` is the time since the first one.
pub(crate) fn classify(now: OffsetDateTime, elapsed: Duration, request: &Request, failure: &Failure) -> Verdict {
    let again = |at_most| Verdict::Retry(Retry { at_most, counted: !request.retry_until_deadline, ..Retry::default() });
    let (headers, error) = match failure {
        Failure::NoAnswer(NoAnswer::Untrusted(_)) => return Verdict::GiveUp,
        Failure::NoAnswer(NoAnswer::TimedOut) if elapsed >= CONNECT_TIMEOUT && !request.retry_until_deadline => {
            return Verdict::GiveUp;
        }
        Failure::NoAnswer(NoAnswer::Unreached | NoAnswer::TimedOut) => return again(Some(UNREACHED_WAIT)),
        Failure::NoAnswer(NoAnswer::Broken) if request.repeat == Repeat::Idempotent => return again(None),
        Failure::NoAnswer(NoAnswer::Broken) => return Verdict::GiveUp,
        Failure::NoToken => return again(None),
        Failure::Answer { headers, error } => (*headers, *error),
    };
    let (status, code) = (error.status, &error.code);
    let after = retry_after(now, headers).or_else(|| error.named_wait());
    let wait_is_named = after.is_some();
    let retry = |counted, pause_all| Verdict::Retry(Retry { after, at_most: None, counted, pause_all });

    match status {
        StatusCode::UNAUTHORIZED => Verdict::RenewToken { claims: claims_challenge(headers) },
        // Role assignments reach Azure Resource Manager with the token, so a fresh token may have one that is new.
        StatusCode::FORBIDDEN if request.is_write && *code == ErrorCode::AuthorizationFailed => {
            Verdict::RenewToken { claims: None }
        }
        // A throttled request was not processed, whatever it was.
        StatusCode::TOO_MANY_REQUESTS => retry(!wait_is_named && !request.retry_until_deadline, true),
        StatusCode::CONFLICT if is_busy(code) => retry(false, false),
        StatusCode::CONFLICT if wait_is_named => retry(false, false),
        _ if request.retry_on.as_ref().is_some_and(|retry_on| retry_on.codes.contains(code)) => {
            match request.retry_on.as_ref().and_then(|retry_on| retry_on.retry_for) {
                None => retry(true, false),
                // Propagation mostly takes seconds, and the last retry should come shortly before that time is over.
                Some(retry_for) if elapsed < retry_for => {
                    let at_most = Some((retry_for - elapsed).min(Duration::from_secs(10)));
                    Verdict::Retry(Retry { after, at_most, counted: false, pause_all: false })
                }
                Some(_) => Verdict::GiveUp,
            }
        }
        _ if is_transient(status) && request.repeat == Repeat::Idempotent => {
            retry(!request.retry_until_deadline, false)
        }
        _ => Verdict::GiveUp,
    }
}

/// The statuses that every client of Azure retries, and the one of a store of metrics that is throttled (azure.md §10.5).
fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 500 | 502 | 503 | 504 | 529)
}

/// Conflicts with an operation in progress, which end with it. Other 409s are permanent: a lock, a disabled subscription, an
/// assignment that exists.
fn is_busy(code: &ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::StorageAccountOperationInProgress
            | ErrorCode::StorageAccountBeingCreated
            | ErrorCode::AnotherOperationInProgress
            | ErrorCode::EtagMismatch
    )
}

/// How long the service asks to wait: milliseconds in Microsoft's own headers, seconds or a date in the standard one. A date is
/// compared with that of the answer, and with `now` where it has none: this machine's clock may be wrong. A date in the past is
/// no wait.
pub(crate) fn retry_after(now: OffsetDateTime, headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let millis = ["retry-after-ms", "x-ms-retry-after-ms"]
        .into_iter()
        .find_map(|name| text(name)?.parse().ok())
        .map(Duration::from_millis);
    if millis.is_some() {
        return millis;
    }
    let value = text(header::RETRY_AFTER.as_str())?;
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = http_date(value)?;
    let answered = text(header::DATE.as_str()).and_then(http_date).unwrap_or(now);
    Some((until - answered).try_into().unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::no_answer::CertificateFault;
    use http::Method;
    use serde_json::{Value, json};
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-01-01 00:00:00 UTC);

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn request(method: Method) -> Request {
        Request::new(method, "/x", "v")
    }

    fn verdict(request: &Request, status: u16, code: &str, lines: &[(&'static str, &str)]) -> Verdict {
        verdict_of(request, status, &json!({ "error": { "code": code } }), lines)
    }

    fn verdict_of(request: &Request, status: u16, body: &Value, lines: &[(&'static str, &str)]) -> Verdict {
        let (status, headers) = (StatusCode::from_u16(status).unwrap(), headers(lines));
        let error = ServiceError::read(&request.method, "/x", status, &headers, body.to_string().as_bytes());
        classify(NOW, Duration::from_secs(30), request, &Failure::Answer { headers: &headers, error: &error })
    }

    fn retry(after: Option<u64>, counted: bool, pause_all: bool) -> Verdict {
        Verdict::Retry(Retry { after: after.map(Duration::from_secs), at_most: None, counted, pause_all })
    }

    #[test]
    fn every_kind_of_answer_has_its_verdict() {
        let renew = || Verdict::RenewToken { claims: None };
        for (method, status, code, after, expected) in [
            // The statuses that every client of Azure retries.
            ("GET", 408, "", None, retry(None, true, false)),
            ("GET", 500, "InternalError", None, retry(None, true, false)),
            ("GET", 502, "", None, retry(None, true, false)),
            ("PUT", 503, "ServerBusy", Some("7"), retry(Some(7), true, false)),
            ("PATCH", 504, "", None, retry(None, true, false)),
            ("DELETE", 500, "OperationTimedOut", None, retry(None, true, false)),
            ("GET", 529, "", None, retry(None, true, false)),
            // A POST may have done its work before it failed; being throttled is the exception.
            ("POST", 500, "", None, Verdict::GiveUp),
            ("POST", 503, "", Some("1"), Verdict::GiveUp),
            ("POST", 429, "TooManyRequests", Some("17"), retry(Some(17), false, true)),
            ("GET", 429, "TooManyRequests", Some("120"), retry(Some(120), false, true)),
            ("GET", 429, "TooManyRequests", None, retry(None, true, true)),
            // Conflicts by code, not blindly.
            ("PATCH", 409, "StorageAccountOperationInProgress", None, retry(None, false, false)),
            ("PATCH", 409, "EtagMismatch", None, retry(None, false, false)),
            ("PATCH", 409, "Conflict", Some("3"), retry(Some(3), false, false)),
            ("PATCH", 409, "Conflict", None, Verdict::GiveUp),
            ("PUT", 409, "RoleAssignmentExists", None, Verdict::GiveUp),
            ("DELETE", 409, "ScopeLocked", None, Verdict::GiveUp),
            ("PATCH", 409, "ReadOnlyDisabledSubscription", None, Verdict::GiveUp),
            ("PUT", 409, "MissingSubscriptionRegistration", None, Verdict::GiveUp),
            // Never because of Retry-After alone.
            ("GET", 404, "ResourceNotFound", Some("1"), Verdict::GiveUp),
            ("PUT", 400, "PrincipalNotFound", Some("1"), Verdict::GiveUp),
            ("PATCH", 403, "RequestDisallowedByPolicy", None, Verdict::GiveUp),
            ("GET", 501, "", None, Verdict::GiveUp),
            // A fresh token can help.
            ("GET", 401, "ExpiredAuthenticationToken", None, renew()),
            ("PATCH", 403, "AuthorizationFailed", None, renew()),
            ("GET", 403, "AuthorizationFailed", None, Verdict::GiveUp),
        ] {
            let lines: Vec<_> = after.map(|value| ("retry-after", value)).into_iter().collect();
            let got = verdict(&request(method.parse().unwrap()), status, code, &lines);
            assert_eq!(got, expected, "{method} {status} {code} {after:?}");
        }
    }

    #[test]
    fn a_wait_that_only_the_text_names_is_kept_as_one_of_retry_after() {
        let throttled = |message: &str| json!({ "code": "ResourceRequestsThrottled", "message": message });
        let named = "Number of requests exceeded the limit of '400' for time interval '00:05:00'. Please try again after '12' \
                     seconds.";
        for (status, message, lines, expected) in [
            (429, named, &[][..], retry(Some(12), false, true)),
            (429, named, &[("retry-after", "3")], retry(Some(3), false, true)),
            (429, "Please try again after some seconds.", &[], retry(None, true, true)),
            (503, named, &[], retry(None, true, false)),
        ] {
            let got = verdict_of(&request(Method::GET), status, &throttled(message), lines);
            assert_eq!(got, expected, "{status} {message} {lines:?}");
        }
    }

    #[test]
    fn no_answer_is_retried_unless_the_request_may_have_taken_effect() {
        let of = |method: Method, reason| classify(NOW, Duration::ZERO, &request(method), &Failure::NoAnswer(reason));
        for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE] {
            assert_eq!(of(method, NoAnswer::Broken), retry(None, true, false));
        }
        assert_eq!(of(Method::POST, NoAnswer::Broken), Verdict::GiveUp);
        let soon = Retry { at_most: Some(UNREACHED_WAIT), counted: true, ..Retry::default() };
        assert_eq!(of(Method::POST, NoAnswer::Unreached), Verdict::Retry(soon));
        let timed_out =
            |request: &Request, elapsed| classify(NOW, elapsed, request, &Failure::NoAnswer(NoAnswer::TimedOut));
        assert_eq!(timed_out(&request(Method::POST), Duration::ZERO), of(Method::POST, NoAnswer::Unreached));
        assert_eq!(timed_out(&request(Method::GET), CONNECT_TIMEOUT), Verdict::GiveUp);
        assert_ne!(timed_out(&request(Method::GET).retry_until_deadline(), CONNECT_TIMEOUT), Verdict::GiveUp);
        for certificate_fault in [CertificateFault::Issuer, CertificateFault::Time, CertificateFault::Name] {
            assert_eq!(of(Method::GET, NoAnswer::Untrusted(certificate_fault)), Verdict::GiveUp);
        }
    }

    #[test]
    fn a_request_can_name_errors_that_go_away() {
        const CODES: &[ErrorCode] = &[ErrorCode::PrincipalNotFound];
        let put = |seconds| request(Method::PUT).retry_on(CODES, Some(Duration::from_secs(seconds)));
        for (retry_for, longest) in [(31, 1), (120, 10)] {
            let at_most = Some(Duration::from_secs(longest));
            let expected = Verdict::Retry(Retry { at_most, ..Retry::default() });
            assert_eq!(verdict(&put(retry_for), 400, "PrincipalNotFound", &[]), expected);
        }
        assert_eq!(verdict(&put(30), 400, "PrincipalNotFound", &[]), Verdict::GiveUp);
        assert_eq!(verdict(&put(31), 400, "InvalidPrincipalId", &[]), Verdict::GiveUp);
        let counted = request(Method::PATCH).retry_on(&[ErrorCode::Conflict], None);
        assert_eq!(verdict(&counted, 409, "Conflict", &[]), retry(None, true, false));
    }

    #[test]
    fn retries_until_the_deadline_are_not_counted() {
        let poll = request(Method::GET).retry_until_deadline();
        assert_eq!(verdict(&poll, 503, "", &[]), retry(None, false, false));
        assert_eq!(verdict(&poll, 429, "", &[]), retry(None, false, true));
        assert_eq!(verdict(&poll, 404, "ResourceNotFound", &[]), Verdict::GiveUp);
        let reason = classify(NOW, Duration::ZERO, &poll, &Failure::NoAnswer(NoAnswer::Broken));
        assert_eq!(reason, retry(None, false, false));
    }

    #[test]
    fn every_form_of_retry_after_is_read() {
        for (lines, expected) in [
            (&[("retry-after", "3600")][..], Some(3_600_000)),
            (&[("retry-after", "0")], Some(0)),
            (&[("retry-after", "Thu, 01 Jan 2026 00:01:30 GMT")], Some(90_000)),
            (&[("retry-after", "Wed, 31 Dec 2025 23:00:00 GMT")], Some(0)),
            // By the service's clock, which may be far from this machine's.
            (
                &[("retry-after", "Sat, 01 Jan 2028 00:01:30 GMT"), ("date", "Sat, 01 Jan 2028 00:01:00 GMT")],
                Some(30_000),
            ),
            (
                &[("retry-after", "Wed, 01 Jan 2025 00:01:30 GMT"), ("date", "Wed, 01 Jan 2025 00:01:00 GMT")],
                Some(30_000),
            ),
            (&[("retry-after-ms", "250"), ("retry-after", "9")], Some(250)),
            (&[("x-ms-retry-after-ms", "1500")], Some(1500)),
            (&[("retry-after", "soon")], None),
            (&[("retry-after", "-1")], None),
            (&[], None),
        ] {
            assert_eq!(retry_after(NOW, &headers(lines)), expected.map(Duration::from_millis), "{lines:?}");
        }
    }

    #[test]
    fn a_claims_challenge_is_decoded() {
        // {"access_token":{"nbf":{"essential":true,"value":"1"}}}
        let encoded = "eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxIn19fQ==";
        let line = format!(
            "Bearer authorization_uri=\"https://login/x\", error=\"insufficient_claims\", claims=\"{encoded}\""
        );
        let expected = r#"{"access_token":{"nbf":{"essential":true,"value":"1"}}}"#;
        assert_eq!(
            verdict(&request(Method::GET), 401, "", &[("www-authenticate", &line)]),
            Verdict::RenewToken { claims: Some(expected.to_owned()) }
        );
        let without = "Bearer authorization_uri=\"https://login/x\", error=\"invalid_token\"";
        assert_eq!(
            verdict(&request(Method::GET), 401, "", &[("www-authenticate", without)]),
            Verdict::RenewToken { claims: None }
        );
    }

    #[test]
    fn the_waits_grow_and_stay_below_two_minutes() {
        let first: Vec<Duration> = delays().take(12).collect();
        for (wait, base) in first.iter().zip([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0, 60.0, 60.0, 60.0]) {
            assert!((base..=base * 2.0 + 0.01).contains(&wait.as_secs_f64()), "{first:?}");
        }
    }
}
