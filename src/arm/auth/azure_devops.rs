//! The OIDC tokens that Azure DevOps gives a pipeline for a service connection (docs/internals/azure.md §6.5).

use super::assertion::Issuer;
use super::{AccessToken, Network, TokenError, TokenRequest, TokenSource, ValueOrFile};
use crate::arm::secret::Secret;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use url::Url;

/// The api-version of the request.
const API_VERSION: &str = "7.1";

/// Signs in with an OIDC token of the pipeline. Each lives for some minutes only, so that a new one is requested each time.
#[derive(Debug, Clone)]
pub struct AzureDevOps {
    /// The tenant to sign in to.
    pub tenant_id: String,
    /// The application's client id.
    pub client_id: ValueOrFile,
    /// The URL from which Azure DevOps issues OIDC tokens.
    pub request_url: Url,
    /// The bearer token of requests to `request_url`.
    pub request_token: Secret,
    /// The service connection that trusts the application.
    pub service_connection_id: String,
}

impl TokenSource for AzureDevOps {
    fn token<'a>(
        &'a self,
        request: &'a TokenRequest,
        network: &'a Network,
    ) -> BoxFuture<'a, Result<AccessToken, TokenError>> {
        Box::pin(async {
            let mut url = self.request_url.clone();
            url.query_pairs_mut()
                .append_pair("api-version", API_VERSION)
                .append_pair("serviceConnectionId", &self.service_connection_id);
            let headers = HeaderMap::from_iter([
                (header::CONTENT_LENGTH, HeaderValue::from_static("0")),
                // Without it, an unauthorized request is redirected to a page for signing in.
                (HeaderName::from_static("x-tfs-fedauthredirect"), HeaderValue::from_static("Suppress")),
            ]);
            let (method, token) = (Method::POST, &self.request_token);
            let issuer = Issuer { name: "Azure DevOps", method, url, headers, token, member: "oidcToken" };
            issuer.token(request, network, &self.tenant_id, &self.client_id).await
        })
    }

    fn may_change(&self) -> bool {
        self.client_id.may_change()
    }
}
