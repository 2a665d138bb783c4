//! The errors of calls to Azure.
//!
//! Callers branch on variant, status and [`ErrorCode`], never on text: Azure has changed message texts under an unchanged
//! api-version. The few methods of [`ServiceError`] that read a message do so for display or for a value that is nowhere
//! else.

pub use super::error_code::ErrorCode;
use super::no_answer::{NoAnswer, SharedSource};
pub use super::service_error::{AdditionalInfo, OperationError, ServiceError};
pub(crate) use super::service_error::{OperationOutcome, PolicyViolation};
use super::token_error::{SignInFailure, TokenError};
use http::{Method, StatusCode};
use std::time::Duration;

/// Why a call to Azure failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Azure answered with an error.
    #[error("{0}")]
    Service(Box<ServiceError>),
    /// Azure accepted the request and its long-running operation then failed or was canceled.
    #[error("{0}")]
    Operation(Box<OperationError>),
    /// No answer arrived: DNS, connection, TLS or a broken stream, after all retries.
    #[error("{method} {path} got no answer from {from}")]
    Transport {
        /// The request's method.
        method: Method,
        /// The request's path.
        path: String,
        /// Scheme, host and port of the server.
        from: String,
        /// Why no answer arrived.
        reason: NoAnswer,
        /// The transport's own error.
        #[source]
        source: SharedSource,
    },
    /// Signing in failed.
    #[error("could not sign in to Azure")]
    Token(#[source] SignInFailure),
    /// The answer was not of the expected shape.
    #[error("could not read Azure's answer to {method} {path}{}", at(.field))]
    Decode {
        /// The request's method.
        method: Method,
        /// The request's path.
        path: String,
        /// The path in the body; may be empty.
        field: String,
        /// The parser's error; `None` when the answer may hold secrets, which it would quote.
        #[source]
        source: Option<SharedSource>,
    },
    /// The answer violated the protocol.
    #[error("Azure's answer to {method} {path} makes no sense: {problem}")]
    Protocol {
        /// The request's method.
        method: Method,
        /// The request's path.
        path: String,
        /// The rule that it breaks.
        problem: String,
    },
    /// An answer pointed to another host than the one that was configured. The bearer token does not go there.
    #[error("Azure's answer pointed to {found}, but the token may only be sent to {expected}")]
    ForeignHost {
        /// Scheme, host and port of the URL in the answer.
        found: String,
        /// Scheme, host and port of the configured endpoint.
        expected: String,
    },
    /// No server would take the URL of this request, so that it was not sent.
    #[error("{method} {path} would have a URL of {length} characters, and was not sent")]
    TooLong {
        /// The request's method.
        method: Method,
        /// The request's path.
        path: String,
        /// How long the whole URL would be.
        length: usize,
    },
    /// The service answered with success and the value did not change.
    #[error("{path}: {property} was set to {asked}, and reads back as {got}")]
    NotKept {
        /// The resource's path.
        path: String,
        /// The property.
        property: &'static str,
        /// What was written.
        asked: String,
        /// What was read.
        got: String,
    },
    /// A write of which it is not known whether it has taken effect: an attempt of it got no clear answer, or its operation
    /// could not be followed to its end.
    #[error("{}", unknown(.method, .path, *.accepted))]
    Uncertain {
        /// The request's method.
        method: Method,
        /// The request's path.
        path: String,
        /// Whether Azure had accepted it.
        accepted: bool,
        /// What ended it.
        #[source]
        source: Box<Error>,
    },
    /// The call was cancelled.
    #[error("cancelled while {doing}")]
    Cancelled {
        /// What was in progress.
        doing: String,
    },
    /// The call's deadline passed, or would pass during a wait that Azure asked for.
    #[error("out of time while {doing}{}", wanted(.wait))]
    DeadlineExceeded {
        /// What was in progress.
        doing: String,
        /// The wait that Azure asked for, if that was too long.
        wait: Option<Duration>,
        /// The error that was being retried.
        #[source]
        last: Option<Box<Error>>,
    },
    /// An endpoint that is not an https URL with a host and nothing else.
    #[error("the {what} `{text}` {problem}")]
    Endpoint {
        /// Which endpoint.
        what: &'static str,
        /// The configured text.
        text: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// There is nobody to vouch for a server's certificate, so that no connection can be made.
    #[error("no certificate authority to trust was found on this system{}", because(.problems))]
    NoAuthorities {
        /// What went wrong while looking for them.
        problems: Vec<String>,
    },
    /// A setting cannot be used.
    #[error("the {what} cannot be used")]
    Setting {
        /// Which setting.
        what: &'static str,
        /// The error of the parser or the HTTP client that refused it.
        #[source]
        source: SharedSource,
    },
}

fn at(field: &str) -> String {
    if field.is_empty() || field == "." { String::new() } else { format!(", at `{field}`") }
}

fn because(problems: &[String]) -> String {
    if problems.is_empty() { String::new() } else { format!(": {}", problems.join("; ")) }
}

fn wanted(wait: &Option<Duration>) -> String {
    match wait {
        Some(wait) => format!("; Azure asked to wait {} s, which is longer than what is left", wait.as_secs_f32()),
        None => String::new(),
    }
}

fn unknown(method: &Method, path: &str, accepted: bool) -> String {
    match accepted {
        true => format!("Azure accepted {method} {path}, and what became of it is not known"),
        false => format!("whether {method} {path} has taken effect is not known"),
    }
}

impl Error {
    /// Whether a write that failed so may have taken effect all the same.
    pub fn may_have_had_effect(&self) -> bool {
        match self {
            Error::Service(error) => error.status.is_server_error() || error.status == StatusCode::REQUEST_TIMEOUT,
            Error::Transport { reason, .. } => !reason.is_before_sending(),
            // Azure had answered with success before.
            Error::Operation(_) | Error::Decode { .. } | Error::Protocol { .. } | Error::ForeignHost { .. } => true,
            Error::NotKept { .. } | Error::Uncertain { .. } => true,
            // These end a call between two requests; in a request they are the source of an [`Error::Uncertain`].
            Error::Cancelled { .. } | Error::DeadlineExceeded { .. } => false,
            Error::TooLong { .. }
            | Error::Token(_)
            | Error::Endpoint { .. }
            | Error::NoAuthorities { .. }
            | Error::Setting { .. } => false,
        }
    }

    /// What ended the call, without what is known of its effect.
    pub(crate) fn cause(&self) -> &Error {
        match self {
            Error::Uncertain { source, .. } => source.cause(),
            other => other,
        }
    }

    /// Azure's own error, also of a long-running operation or before the deadline passed.
    pub fn service(&self) -> Option<&ServiceError> {
        match self {
            Error::Service(error) => Some(error),
            Error::Operation(error) => Some(&error.error),
            Error::DeadlineExceeded { last: Some(last), .. } => last.service(),
            Error::Uncertain { source, .. } => source.service(),
            _ => None,
        }
    }

    /// Azure's error code, if Azure answered.
    pub fn code(&self) -> Option<&ErrorCode> {
        self.service().map(|error| &error.code)
    }

    /// Whether Azure says that the resource does not exist. See `ServiceError::is_not_found`.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Error::Service(error) if error.is_not_found())
    }

    /// Whether Azure says that the caller may not do this.
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Error::Service(error) if error.status == StatusCode::FORBIDDEN)
    }

    /// What the user can do, where that follows from the error alone.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Error::Token(error) => error.hint(),
            Error::Service(error) if error.status == StatusCode::UNAUTHORIZED && error.claims_challenge => Some(
                "Azure asked for a token that meets a claims challenge, as after a change of a Conditional Access policy or a \
                 session that was revoked, and took the new one neither. The sign-in logs of the tenant say which policy \
                 refuses it; the place this runs in may be one that it does not allow.",
            ),
            Error::Service(error) if error.status == StatusCode::UNAUTHORIZED => Some(
                "Azure took neither the token nor a new one. Check that tenant_id is the tenant of the subscription, and that \
                 the environment and the audience are those of its cloud.",
            ),
            Error::Transport { reason, .. } => Some(reason.hint()),
            Error::DeadlineExceeded { last: Some(last), .. } => last.hint(),
            Error::Uncertain { source, .. } => source.hint(),
            Error::NoAuthorities { .. } => Some(
                "Install those of the system, which most distributions have in the package ca-certificates, or name a file \
                 that has them in SSL_CERT_FILE.",
            ),
            _ => None,
        }
    }

    /// The sign-in that failed, if that is what ended the call.
    pub fn sign_in(&self) -> Option<&SignInFailure> {
        match self {
            Error::Token(failure) => Some(failure),
            Error::DeadlineExceeded { last: Some(last), .. } => last.sign_in(),
            Error::Uncertain { source, .. } => source.sign_in(),
            _ => None,
        }
    }

    /// Whether Azure Resource Manager was not reached: signing in failed, or there was no answer. That says nothing about the
    /// resource or about permissions.
    pub(crate) fn is_unanswered(&self) -> bool {
        match self {
            Error::Token(_) | Error::Transport { .. } => true,
            Error::DeadlineExceeded { last: Some(last), .. } => last.is_unanswered(),
            _ => false,
        }
    }

    /// The same error without the ids of the requests that had it.
    pub(crate) fn without_request_ids(mut self) -> Self {
        if let Self::Service(error) = &mut self {
            error.correlation_id = None;
            error.request_id = None;
        }
        self
    }

    /// Whether the call was cancelled or its deadline passed: an outcome of this call alone.
    pub fn is_interruption(&self) -> bool {
        matches!(self.cause(), Error::Cancelled { .. } | Error::DeadlineExceeded { .. })
    }
}

impl From<ServiceError> for Error {
    fn from(error: ServiceError) -> Self {
        Error::Service(Box::new(error))
    }
}

impl From<TokenError> for Error {
    fn from(error: TokenError) -> Self {
        Error::Token(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::no_answer::CertificateFault;
    use http::{HeaderMap, StatusCode};
    use std::sync::Arc;

    #[test]
    fn only_a_clear_refusal_surely_had_no_effect() {
        let answered = |status: StatusCode| {
            Error::from(ServiceError::read(
                &Method::PUT,
                "/x",
                status,
                &HeaderMap::new(),
                br#"{"error":{"code":"ResourceNotFound"}}"#,
            ))
        };
        let transport = |reason| Error::Transport {
            method: Method::PUT,
            path: "/x".to_owned(),
            from: "https://arm".to_owned(),
            reason,
            source: Arc::new(std::io::Error::other("broken")),
        };
        let cancelled = Error::Cancelled { doing: "waiting".to_owned() };
        let uncertain = Error::Uncertain {
            method: Method::PUT,
            path: "/x".to_owned(),
            accepted: true,
            source: Box::new(answered(StatusCode::NOT_FOUND)),
        };
        for (error, may) in [
            (answered(StatusCode::FORBIDDEN), false),
            (answered(StatusCode::CONFLICT), false),
            (answered(StatusCode::TOO_MANY_REQUESTS), false),
            (answered(StatusCode::REQUEST_TIMEOUT), true),
            (answered(StatusCode::BAD_GATEWAY), true),
            (transport(NoAnswer::Unreached), false),
            (transport(NoAnswer::Untrusted(CertificateFault::Issuer)), false),
            (transport(NoAnswer::Broken), true),
            (cancelled, false),
            (uncertain.clone(), true),
        ] {
            assert_eq!(error.may_have_had_effect(), may, "{error}");
        }
        // What is not found is the operation, not the thing.
        assert!(!uncertain.is_not_found() && uncertain.cause().is_not_found());
        assert_eq!(uncertain.to_string(), "Azure accepted PUT /x, and what became of it is not known");
    }

    #[test]
    fn the_advice_about_a_token_that_was_not_taken_fits_a_claims_challenge() {
        let advice = |challenge: &'static str| {
            let headers = HeaderMap::from_iter([(http::header::WWW_AUTHENTICATE, challenge.parse().unwrap())]);
            Error::from(ServiceError::read(&Method::GET, "/x", StatusCode::UNAUTHORIZED, &headers, b"")).hint().unwrap()
        };
        assert!(advice("Bearer error=\"insufficient_claims\", claims=\"e30=\"").contains("Conditional Access"));
        assert!(advice("Bearer error=\"invalid_token\"").contains("tenant_id"));
    }

    #[test]
    fn an_error_does_not_repeat_its_source() {
        let inner = Error::from(ServiceError::read(
            &Method::PATCH,
            "/x",
            StatusCode::TOO_MANY_REQUESTS,
            &HeaderMap::new(),
            br#"{"error":{"code":"TooManyRequests","message":"slow down"}}"#,
        ));
        let outer = Error::DeadlineExceeded {
            doing: "sending PATCH /x".into(),
            wait: Some(Duration::from_secs(120)),
            last: Some(Box::new(inner)),
        };
        assert_eq!(
            outer.to_string(),
            "out of time while sending PATCH /x; Azure asked to wait 120 s, which is longer than what is left"
        );
        assert!(std::error::Error::source(&outer).unwrap().to_string().contains("slow down"));
        assert_eq!(outer.code(), Some(&ErrorCode::TooManyRequests));
        assert!(outer.is_interruption() && !outer.is_not_found());
    }
}
