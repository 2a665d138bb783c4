//! Why no token could be had, and what to do about it.

use super::exchange::{Failed, LARGEST_OF_SIGN_IN, MIB};
use super::no_answer::{NoAnswer, SharedSource};
use serde::Deserialize;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A sign-in that failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TokenError {
    /// Microsoft Entra answered with an error.
    #[error("{0}")]
    Refused(EntraError),
    /// The token endpoint or the issuer gave no answer.
    #[error("{from} could not be reached")]
    Unreachable {
        /// Scheme, host and port.
        from: String,
        /// Why no answer arrived.
        reason: NoAnswer,
        /// What the user can do.
        hint: &'static str,
        /// The transport's own error.
        #[source]
        source: SharedSource,
    },
    /// The Azure CLI gave no token.
    #[error("the Azure CLI gave no token: {message}")]
    AzureCli {
        /// What it said.
        message: String,
    },
    /// The managed identity endpoint gave no token.
    #[error("the managed identity endpoint answered with {status}: {message}")]
    ManagedIdentity {
        /// The HTTP status.
        status: u16,
        /// What it said.
        message: String,
    },
    /// The service that gives an OIDC token to a workflow or pipeline gave none.
    #[error("{name} ({from}) answered with {status} instead of an OIDC token: {message}")]
    Issuer {
        /// The service, `GitHub` or `Azure DevOps`.
        name: &'static str,
        /// Scheme, host and port.
        from: String,
        /// The HTTP status.
        status: u16,
        /// What it said.
        message: String,
    },
    /// An answer should have a token in it. It is not quoted, since what it has may be one.
    #[error("{from} answered with {status}, and without a token that can be read")]
    NoToken {
        /// Scheme, host and port.
        from: String,
        /// The HTTP status.
        status: u16,
    },
    /// An answer is larger than any that has a token in it.
    #[error("{from} answered with {status} and more than {} MiB, which is not read", LARGEST_OF_SIGN_IN / MIB)]
    TooLarge {
        /// Scheme, host and port.
        from: String,
        /// The HTTP status.
        status: u16,
    },
    /// A file that should hold something of the sign-in does not.
    #[error("the file {path:?}, which should hold {name}, {problem}")]
    File {
        /// The setting.
        name: &'static str,
        /// The file.
        path: String,
        /// What is the matter with it.
        problem: String,
    },
    /// The cloud did not describe itself.
    #[error("{from} (metadata_host) answered with {status}, {problem}")]
    Metadata {
        /// Scheme, host and port.
        from: String,
        /// The HTTP status.
        status: u16,
        /// What is the matter with the answer.
        problem: String,
    },
    /// The method cannot work as configured.
    #[error("{credential}: {message}")]
    Credential {
        /// Which kind of credential.
        credential: &'static str,
        /// What is wrong.
        message: String,
    },
}

/// A failed sign-in. One failure ends many calls of a run, and only one of them reports it in full.
#[derive(Debug, Clone)]
pub struct SignInFailure {
    error: Box<TokenError>,
    /// Whose token was wanted, if not that of the configured tenant.
    auxiliary_tenant: Option<String>,
    reported: Arc<AtomicBool>,
}

impl SignInFailure {
    /// `reported` is shared by all failures of a run, and set once one of them has been reported.
    pub(crate) fn new(error: TokenError, auxiliary_tenant: Option<String>, reported: Arc<AtomicBool>) -> Self {
        Self { error: error.into(), auxiliary_tenant, reported }
    }

    /// The error alone.
    pub(crate) fn into_error(self) -> TokenError {
        *self.error
    }

    /// What the user can do.
    pub fn hint(&self) -> Option<&'static str> {
        match (&*self.error, &self.auxiliary_tenant) {
            (TokenError::Refused(_), Some(_)) => Some(
                "The application has to be known in every tenant that auxiliary_tenant_ids names, and what it signs in with has \
                 to be accepted there. Leave out a tenant of which nothing is needed.",
            ),
            (error, _) => error.hint(),
        }
    }

    /// Returns true once per run: the caller that gets it reports the failure in full.
    pub fn claim_report(&self) -> bool {
        !self.reported.swap(true, Ordering::Relaxed)
    }
}

impl From<TokenError> for SignInFailure {
    fn from(error: TokenError) -> Self {
        Self::new(error, None, Arc::default())
    }
}

impl Deref for SignInFailure {
    type Target = TokenError;

    fn deref(&self) -> &TokenError {
        &self.error
    }
}

impl fmt::Display for SignInFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(tenant) = &self.auxiliary_tenant {
            write!(f, "for the auxiliary tenant {tenant}: ")?;
        }
        self.error.fmt(f)
    }
}

impl std::error::Error for SignInFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

/// An error answer of Microsoft Entra's token endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntraError {
    /// The HTTP status.
    pub status: u16,
    /// The number after `AADSTS`.
    pub code: Option<u32>,
    /// OAuth's own error word, such as `invalid_client`.
    pub error: String,
    /// The explanation, without the ids that follow it.
    pub message: String,
    /// The id to give to Microsoft's support.
    pub correlation_id: Option<String>,
    /// The id of the one exchange.
    pub trace_id: Option<String>,
    /// What was refused.
    pub proof: Proof,
}

impl fmt::Display for EntraError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = if self.error.is_empty() { String::new() } else { format!(" ({})", self.error) };
        write!(f, "Microsoft Entra answered with {}{by}: {}", self.status, self.message)
    }
}

impl TokenError {
    /// The AADSTS code, if Entra gave one.
    pub fn code(&self) -> Option<u32> {
        match self {
            TokenError::Refused(refusal) => refusal.code,
            TokenError::AzureCli { message } => aadsts(&message[message.find("AADSTS")?..]),
            _ => None,
        }
    }

    /// What the user can do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            TokenError::Refused(refusal) => match (refusal.code, refusal.proof) {
                (Some(ASSERTION_OUT_OF_TIME), proof) => Some(proof.out_of_time()),
                (code, _) => code.and_then(|code| hint(code).or(OTHER)).or(OTHER),
            },
            TokenError::AzureCli { .. } if self.code() == Some(ASSERTION_OUT_OF_TIME) => Some(
                "What the Azure CLI was signed in with has run out, as the OIDC token of a pipeline does after minutes. Sign in \
                 to it anew (az login), or configure the pipeline's own sign-in (use_oidc), which gets a fresh one each time.",
            ),
            TokenError::AzureCli { .. } => Some(
                "Sign in with `az login`, choose the tenant with tenant_id, and check that `az account get-access-token` \
                 works in the same shell; or configure another sign-in method and set use_cli = false.",
            ),
            TokenError::ManagedIdentity { .. } => Some(
                "Check that this machine has a managed identity and that client_id, if set, is the client id of a \
                 user-assigned identity that is attached to it.",
            ),
            TokenError::Unreachable { hint, .. } => Some(hint),
            TokenError::Issuer { .. } => Some(
                "Check that the workflow or pipeline may ask for tokens: on GitHub it needs the permission id-token: write, on \
                 Azure DevOps SYSTEM_ACCESSTOKEN has to be $(System.AccessToken) and the service connection's id right. The \
                 request token expires with the job.",
            ),
            TokenError::Metadata { .. } => Some(
                "Check metadata_host: it is a host such as management.azure.com, with a port if need be. An address of the cloud \
                 that it does not tell, or not rightly, can be set in endpoint, which goes before it.",
            ),
            TokenError::File { .. }
            | TokenError::NoToken { .. }
            | TokenError::TooLarge { .. }
            | TokenError::Credential { .. } => None,
        }
    }

    /// The ids to give to Microsoft's support, by their names.
    pub fn ids(&self) -> Vec<(&'static str, &str)> {
        let TokenError::Refused(refusal) = self else { return Vec::new() };
        let ids = [("trace id", &refusal.trace_id), ("correlation id", &refusal.correlation_id)];
        ids.into_iter().filter_map(|(name, id)| Some((name, id.as_deref()?))).collect()
    }

    /// Whether another request for a token, made at once, would end the same way.
    pub(crate) fn is_final(&self) -> bool {
        // An assertion comes into its time, or is replaced by a fresh one.
        self.code() != Some(ASSERTION_OUT_OF_TIME) && !self.is_transient()
    }

    /// The request to `from` got no answer that can be used.
    pub(crate) fn unanswered(from: String, failed: Failed) -> Self {
        match failed {
            Failed::Transport(error) => {
                let reason = NoAnswer::of(&error);
                TokenError::Unreachable { from, reason, hint: reason.hint(), source: Arc::new(error.without_url()) }
            }
            Failed::TooLarge(status) => TokenError::TooLarge { from, status: status.as_u16() },
        }
    }

    /// Whether trying again can help.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            TokenError::Unreachable { reason, .. } => !matches!(reason, NoAnswer::Untrusted(_)),
            TokenError::Refused(refusal) => matches!(refusal.status, 408 | 429 | 500 | 502 | 503 | 504),
            TokenError::Issuer { status, .. } | TokenError::Metadata { status, .. } => {
                matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
            }
            // A machine's endpoint answers so while it starts, is moved or is updated.
            TokenError::ManagedIdentity { status, .. } => matches!(status, 404 | 410 | 429 | 500..=599),
            _ => false,
        }
    }
}

/// What proves to Microsoft Entra who is asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// A client secret.
    Secret,
    /// An assertion that a certificate has signed just now.
    Certificate,
    /// An OIDC token.
    OidcToken,
}

impl Proof {
    /// What to do when it is not valid at this moment.
    fn out_of_time(self) -> &'static str {
        match self {
            Self::Secret | Self::Certificate => {
                "What proves who is calling was made just now, and Microsoft Entra takes it for one of another time. Check this \
                 machine's clock."
            }
            Self::OidcToken => {
                "The OIDC token that proves who is calling was not valid at this moment. Pipelines' tokens live for \
                 minutes: let the provider get them itself (oidc_request_url and oidc_request_token), or read them from a file \
                 that is kept fresh (oidc_token_file_path), and check this machine's clock."
            }
        }
    }
}

/// The AADSTS code for an assertion that is not good yet or any more.
const ASSERTION_OUT_OF_TIME: u32 = 700_024;

/// Advice about codes that are not in the list, by the page that Microsoft documents for looking them up.
const OTHER: Option<&str> =
    Some("What an AADSTS code means is told by https://login.microsoftonline.com/error?code=NUMBER, with its number.");

/// Advice by AADSTS code. The codes and their meaning are Microsoft Entra's.
fn hint(code: u32) -> Option<&'static str> {
    Some(match code {
        7_000_215 => {
            "The client secret is wrong. Use the secret's value, which is shown once when it is created, and not the \
             secret's id."
        }
        7_000_222 => {
            "The client secret has expired. Create a new one (`az ad app credential reset --id <client id>`) and \
             configure its value."
        }
        700_016 => {
            "The application is not known in this tenant. Check client_id and tenant_id, and that the environment is \
             the cloud the tenant belongs to."
        }
        90_002 => "The tenant does not exist. Check tenant_id, and that the environment is the cloud it belongs to.",
        700_027 => {
            "The certificate is not one of the application's. Upload it to the application (`az ad app credential reset \
             --id <client id> --cert @<file> --append`), and check client_id and that neither of the two has run out."
        }
        70_021 | 700_211 | 700_212 | 700_213 => {
            "The application does not trust this OIDC token. Compare the federated credential of the application with the \
             issuer, subject and audience that are named here; letter case counts, and a job with an environment has another \
             subject than one without."
        }
        50_027 => "The OIDC token is no JSON Web Token, or not a whole one. Check what oidc_token or the file holds.",
        7_000_272 => "The issuer of the OIDC token has not signed it. Check what oidc_token or the file holds.",
        70_011 => "The scope is not valid. Check the resource manager audience of the configured environment.",
        900_144 => "The sign-in request lacks a value. Check that client_id, tenant_id and the secret are not empty.",
        _ => return None,
    })
}

impl EntraError {
    /// The same with other texts: a service may echo in any of them what it was sent.
    pub(crate) fn map_texts(self, shown: impl Fn(&str) -> String) -> Self {
        Self {
            error: shown(&self.error),
            message: shown(&self.message),
            correlation_id: self.correlation_id.as_deref().map(&shown),
            trace_id: self.trace_id.as_deref().map(&shown),
            ..self
        }
    }

    /// Reads an error answer of the token endpoint, or of whatever answered in its place.
    pub(crate) fn read(status: u16, body: &[u8], proof: Proof) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Body {
            error: String,
            error_description: String,
            error_codes: Vec<u32>,
            correlation_id: Option<String>,
            trace_id: Option<String>,
        }
        let body: Body = match serde_json::from_slice(body) {
            Ok(body) => body,
            Err(_) => Body { error_description: "the answer is no JSON".to_owned(), ..Body::default() },
        };
        let description = body.error_description;
        // The ids follow the text, separated by blanks or line ends; they have members of their own.
        let end = ["Trace ID:", "Correlation ID:", "Timestamp:"].iter().filter_map(|word| description.find(word)).min();
        let message = description[..end.unwrap_or(description.len())].trim().to_owned();
        Self {
            status,
            code: body.error_codes.first().copied().or_else(|| aadsts(&message)),
            error: body.error,
            message,
            correlation_id: body.correlation_id,
            trace_id: body.trace_id,
            proof,
        }
    }
}

/// The code in `AADSTS7000215: …`.
fn aadsts(message: &str) -> Option<u32> {
    let digits = message.strip_prefix("AADSTS")?;
    digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_read_with_its_code_and_without_the_ids_in_the_text() {
        for separator in [" ", "\r\n"] {
            let description = format!(
                "AADSTS7000215: Invalid client secret provided.{separator}Trace ID: t{separator}Correlation ID: c\
                 {separator}Timestamp: 2026-01-01 00:00:00Z"
            );
            let body = serde_json::json!({
                "error": "invalid_client", "error_description": description, "error_codes": [7_000_215],
                "timestamp": "2026-01-01 00:00:00Z", "trace_id": "t", "correlation_id": "c",
                "error_uri": "https://login/error?code=7000215"
            });
            let refusal = EntraError::read(401, body.to_string().as_bytes(), Proof::Secret);
            assert_eq!(refusal.code, Some(7_000_215));
            assert_eq!(refusal.message, "AADSTS7000215: Invalid client secret provided.");
            assert_eq!(refusal.correlation_id.as_deref(), Some("c"));
            assert_eq!(
                refusal.to_string(),
                "Microsoft Entra answered with 401 (invalid_client): AADSTS7000215: Invalid client secret provided."
            );
        }
        let bare = EntraError::read(
            400,
            br#"{"error":"invalid_request","error_description":"AADSTS90002: Tenant 'x' not found."}"#,
            Proof::Secret,
        );
        assert_eq!(bare.code, Some(90_002));
        let page = EntraError::read(502, b"<html>", Proof::Secret);
        assert_eq!((page.code, page.message.as_str()), (None, "the answer is no JSON"));
        assert!(TokenError::Refused(page).is_transient());
    }

    #[test]
    fn the_advice_about_an_assertion_out_of_time_fits_what_was_sent() {
        let body = br#"{"error":"invalid_client","error_codes":[700024]}"#;
        for (proof, word) in [(Proof::Certificate, "clock"), (Proof::OidcToken, "oidc_token_file_path")] {
            let hint = TokenError::Refused(EntraError::read(401, body, proof)).hint().unwrap();
            assert!(hint.contains(word), "{hint}");
            assert_eq!(hint.contains("oidc_"), proof == Proof::OidcToken, "{hint}");
        }
        let message = "ERROR: AADSTS700024: Client assertion is not within its valid time range.".to_owned();
        let cli = TokenError::AzureCli { message };
        assert_eq!(cli.code(), Some(700_024));
        assert!(cli.hint().unwrap().contains("az login") && !cli.is_final());
        let other = EntraError::read(401, br#"{"error":"x","error_codes":[50012]}"#, Proof::Secret);
        assert!(TokenError::Refused(other).hint().unwrap().contains("login.microsoftonline.com/error?code="));
    }

    #[test]
    fn every_known_code_has_its_advice() {
        for (code, word) in [
            (7_000_215, "secret's value"),
            (7_000_222, "expired"),
            (700_016, "client_id"),
            (90_002, "tenant_id"),
            (700_024, "clock"),
            (700_027, "--cert"),
            (700_211, "federated credential"),
            (50_027, "oidc_token"),
            (70_011, "audience"),
            (900_144, "empty"),
        ] {
            let body = format!(r#"{{"error":"x","error_description":"d","error_codes":[{code}]}}"#);
            let error = TokenError::Refused(EntraError::read(401, body.as_bytes(), Proof::OidcToken));
            assert!(error.hint().unwrap().contains(word), "{code}");
            assert_eq!(error.code(), Some(code));
            assert!(!error.is_transient());
        }
    }
}
