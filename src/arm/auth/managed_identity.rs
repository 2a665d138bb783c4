//! The managed identity of the machine, the app or the function this runs on (docs/internals/azure.md §6.4).
//!
//! `azure_identity` takes the place from the environment, whatever endpoint is meant, so the request is made here.

use super::{AccessToken, Network, TokenError, TokenRequest, TokenSource, ValueOrFile};
use crate::arm::cloud::origin;
use crate::arm::exchange::{LARGEST_OF_SIGN_IN, RawAnswer, exchange};
use crate::arm::no_answer::NoAnswer;
use crate::arm::secret::Secret;
use futures_util::future::BoxFuture;
use http::{HeaderName, HeaderValue, Method};
use serde::Deserialize;
use time::OffsetDateTime;
use url::Url;

/// Where a virtual machine gets tokens.
const MACHINE: &str = "http://169.254.169.254/metadata/identity/oauth2/token";

/// The `api-version` that all endpoints know.
const API_VERSION: &str = "2019-08-01";

/// Advice where no endpoint is.
const NOWHERE: &str = "No endpoint of managed identities answers there. Only machines, apps and functions of Azure have one: \
                       elsewhere sign in by another method and unset use_msi (ARM_USE_MSI), or set msi_endpoint \
                       (ARM_MSI_ENDPOINT) to the URL that gives tokens.";

/// Signs in with a managed identity.
#[derive(Debug, Clone, Default)]
pub struct ManagedIdentity {
    /// The client id of a user-assigned identity; otherwise the system-assigned one.
    pub client_id: Option<ValueOrFile>,
    /// The URL to ask as a virtual machine asks, when not the well-known one of the place this runs in.
    pub endpoint: Option<Url>,
    /// The `api-version` of the request, when not the default.
    pub api_version: Option<String>,
    /// The endpoint of the app or function this runs in, if it does. `endpoint` goes before it.
    pub app_service: Option<AppService>,
}

/// The identity endpoint of App Service and Functions.
#[derive(Debug, Clone)]
pub struct AppService {
    /// The URL to ask.
    pub endpoint: Url,
    /// What the app proves itself with, in the header `X-IDENTITY-HEADER`.
    pub header: Secret,
}

impl TokenSource for ManagedIdentity {
    fn token<'a>(
        &'a self,
        request: &'a TokenRequest,
        network: &'a Network,
    ) -> BoxFuture<'a, Result<AccessToken, TokenError>> {
        Box::pin(async {
            if request.tenant.is_some() {
                return Err(refuse("it cannot get tokens of auxiliary tenants"));
            }
            if request.claims.is_some() {
                return Err(refuse(
                    "Azure wants a token that meets a claims challenge, as of a Conditional Access policy, and the endpoint \
                     of a managed identity takes no claims. Exempt this identity from the policy, or sign in by another \
                     method",
                ));
            }
            self.ask(request, network).await
        })
    }

    fn may_change(&self) -> bool {
        self.client_id.as_ref().is_some_and(ValueOrFile::may_change)
    }
}

impl ManagedIdentity {
    async fn ask(&self, request: &TokenRequest, network: &Network) -> Result<AccessToken, TokenError> {
        let client_id = match &self.client_id {
            Some(id) => Some(id.text().await?),
            None => None,
        };
        let (endpoint, proof) = match (&self.endpoint, &self.app_service) {
            (Some(endpoint), _) => (endpoint.clone(), None),
            (None, Some(app)) => (app.endpoint.clone(), Some(&app.header)),
            (None, None) => (Url::parse(MACHINE).expect("a constant URL"), None),
        };
        let resource = request.scope.strip_suffix("/.default").unwrap_or(&request.scope);
        let url = self.address(endpoint, resource, client_id.as_ref().map(Secret::reveal));
        let from = origin(&url);
        let client = network.clients.for_identity(&url).await;
        let client =
            client.map_err(|error| refuse(&format!("the certificates of this machine cannot be read: {error}")))?;
        let mut outgoing = reqwest::Request::new(Method::GET, url);
        outgoing.headers_mut().insert("metadata", HeaderValue::from_static("true"));
        if let Some(proof) = proof {
            let value = HeaderValue::try_from(proof.reveal());
            let mut value = value.map_err(|_| refuse("IDENTITY_HEADER has a character in it that no header has"))?;
            value.set_sensitive(true);
            outgoing.headers_mut().insert(HeaderName::from_static("x-identity-header"), value);
        }
        let RawAnswer { status, body, .. } =
            exchange(&client, outgoing, LARGEST_OF_SIGN_IN).await.map_err(|failed| {
                let mut failed = TokenError::unanswered(from.clone(), failed);
                if let TokenError::Unreachable { reason, hint, .. } = &mut failed
                    && reason.is_before_sending()
                    && !matches!(reason, NoAnswer::Untrusted(_))
                {
                    *hint = NOWHERE;
                }
                failed
            })?;
        if !status.is_success() {
            let message = proof.unwrap_or(&Secret::default()).excerpt(&body);
            return Err(TokenError::ManagedIdentity { status: status.as_u16(), message });
        }
        let token = serde_json::from_slice::<Answer>(&body).ok().and_then(Answer::token);
        let token = token.and_then(|token| AccessToken::by_clock(&token, network));
        token.ok_or(TokenError::NoToken { from, status: status.as_u16() })
    }

    /// The endpoint with what is asked of it, beside a query of its own.
    fn address(&self, mut endpoint: Url, resource: &str, client_id: Option<&str>) -> Url {
        let mut query: Vec<(String, String)> = endpoint.query_pairs().into_owned().collect();
        let has_version = query.iter().any(|(name, _)| name == "api-version");
        let default = (!has_version).then_some(API_VERSION);
        let asked = [
            ("api-version", self.api_version.as_deref().or(default)),
            ("resource", Some(resource)),
            ("client_id", client_id),
        ];
        for (name, value) in asked {
            let Some(value) = value else { continue };
            query.retain(|(other, _)| other != name);
            query.push((name.to_owned(), value.to_owned()));
        }
        endpoint.query_pairs_mut().clear().extend_pairs(query);
        endpoint
    }
}

fn refuse(message: &str) -> TokenError {
    TokenError::Credential { credential: "managed identity", message: message.to_owned() }
}

#[derive(Deserialize)]
struct Answer {
    access_token: Secret,
    expires_on: Seconds,
}

/// A number, which all endpoints write as a string.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Text(String),
    Number(i64),
}

impl Answer {
    fn token(self) -> Option<azure_core::credentials::AccessToken> {
        let seconds = match self.expires_on {
            Seconds::Text(text) => text.parse().ok()?,
            Seconds::Number(number) => number,
        };
        let expires_on = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
        Some(azure_core::credentials::AccessToken::new(self.access_token.reveal().to_owned(), expires_on))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_keeps_a_query_of_its_own() {
        let address = |endpoint: &str, version: Option<&str>| {
            let identity = ManagedIdentity { api_version: version.map(Into::into), ..ManagedIdentity::default() };
            identity.address(Url::parse(endpoint).unwrap(), "r", Some("c")).to_string()
        };
        assert_eq!(address("http://x/t", None), "http://x/t?api-version=2019-08-01&resource=r&client_id=c");
        assert_eq!(address("http://x/t?k=1", Some("v")), "http://x/t?k=1&api-version=v&resource=r&client_id=c");
        assert_eq!(address("http://x/t?api-version=own", None), "http://x/t?api-version=own&resource=r&client_id=c");
        assert_eq!(address("http://x/t?api-version=own", Some("v")), "http://x/t?api-version=v&resource=r&client_id=c");
    }
}
