//! Signing in with a client assertion: a signed token about the application, by an issuer that the application trusts.

use super::{AccessToken, Network, TokenError, TokenRequest, ValueOrFile, entra};
use crate::arm::cloud::origin;
use crate::arm::exchange::{LARGEST_OF_SIGN_IN, RawAnswer, exchange};
use crate::arm::secret::Secret;
use crate::arm::token_error::Proof;
use azure_core::http::ClientMethodOptions;
use azure_identity::{ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{ACCEPT, AUTHORIZATION},
};
use serde_json::Value;
use std::pin::Pin;
use url::Url;

/// The audience (`aud`) of the assertions of OIDC issuers.
pub(super) const AUDIENCE: &str = "api://AzureADTokenExchange";

/// Gets a token for an application by an assertion about it.
pub(super) async fn token(
    request: &TokenRequest,
    network: &Network,
    tenant_id: &str,
    client_id: &ValueOrFile,
    kind: Proof,
    assertion: Secret,
) -> Result<AccessToken, TokenError> {
    let tenant = request.tenant.as_deref().unwrap_or(tenant_id).to_owned();
    let client_id = client_id.text().await?.reveal().to_owned();
    entra::token(request, network, kind, &assertion, |client_options| {
        let options = ClientAssertionCredentialOptions { client_options };
        ClientAssertionCredential::new(tenant, client_id, Given(assertion.clone()), Some(options))
    })
    .await
}

/// A client assertion that has been fetched already.
#[derive(Debug)]
struct Given(Secret);

impl ClientAssertion for Given {
    fn secret<'a, 'b, 'c>(
        &'a self,
        _: Option<ClientMethodOptions<'b>>,
    ) -> Pin<Box<dyn Future<Output = azure_core::Result<String>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(async { Ok(self.0.reveal().to_owned()) })
    }
}

/// An issuer of assertions, and the request for one.
pub(super) struct Issuer<'a> {
    /// The issuer's name, for messages.
    pub(super) name: &'static str,
    pub(super) method: Method,
    pub(super) url: Url,
    /// Headers beside those that every issuer gets.
    pub(super) headers: HeaderMap,
    /// The request's bearer token.
    pub(super) token: &'a Secret,
    /// The member of the JSON answer that has the assertion.
    pub(super) member: &'static str,
}

impl Issuer<'_> {
    /// Gets a token for an application by a new assertion.
    pub(super) async fn token(
        self,
        request: &TokenRequest,
        network: &Network,
        tenant_id: &str,
        client_id: &ValueOrFile,
    ) -> Result<AccessToken, TokenError> {
        let assertion = self.assertion(network).await?;
        token(request, network, tenant_id, client_id, Proof::OidcToken, assertion).await
    }

    async fn assertion(self, network: &Network) -> Result<Secret, TokenError> {
        let from = origin(&self.url);
        let bearer = HeaderValue::try_from(format!("Bearer {}", self.token.reveal()));
        let mut bearer = bearer.map_err(|_| TokenError::Credential {
            credential: self.name,
            message: "oidc_request_token has characters in it that no token has".to_owned(),
        })?;
        bearer.set_sensitive(true);
        let mut request = reqwest::Request::new(self.method, self.url);
        *request.headers_mut() = self.headers;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        request.headers_mut().insert(AUTHORIZATION, bearer);
        let RawAnswer { status, body, .. } = exchange(&network.clients.http, request, LARGEST_OF_SIGN_IN)
            .await
            .map_err(|failed| TokenError::unanswered(from.clone(), failed))?;
        if !status.is_success() {
            let message = self.token.excerpt(&body);
            return Err(TokenError::Issuer { name: self.name, from, status: status.as_u16(), message });
        }
        let answer: Option<Value> = serde_json::from_slice(&body).ok();
        let assertion = answer.as_ref().and_then(|answer| answer.get(self.member)?.as_str());
        match assertion.filter(|assertion| !assertion.is_empty()) {
            Some(assertion) => Ok(assertion.into()),
            // Azure DevOps sends those it does not know to a page, whatever the header asks for.
            None if status == StatusCode::NON_AUTHORITATIVE_INFORMATION => {
                let message = "a page to sign in on, as for a token that is wrong or has run out".to_owned();
                Err(TokenError::Issuer { name: self.name, from, status: status.as_u16(), message })
            }
            None => Err(TokenError::NoToken { from, status: status.as_u16() }),
        }
    }
}
