//! The OIDC tokens that GitHub gives a workflow (docs/internals/azure.md §6.5).

use super::assertion::{AUDIENCE, Issuer};
use super::{AccessToken, Network, TokenError, TokenRequest, TokenSource, ValueOrFile};
use crate::arm::secret::Secret;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method};
use url::Url;

/// Signs in with an OIDC token of the workflow. Each lives for some minutes only, so that a new one is requested each time.
#[derive(Debug, Clone)]
pub struct GitHub {
    /// The tenant to sign in to.
    pub tenant_id: String,
    /// The application's client id.
    pub client_id: ValueOrFile,
    /// The URL from which GitHub issues OIDC tokens.
    pub request_url: Url,
    /// The bearer token of requests to `request_url`.
    pub request_token: Secret,
}

impl TokenSource for GitHub {
    fn token<'a>(
        &'a self,
        request: &'a TokenRequest,
        network: &'a Network,
    ) -> BoxFuture<'a, Result<AccessToken, TokenError>> {
        Box::pin(async {
            let mut url = self.request_url.clone();
            url.query_pairs_mut().append_pair("audience", AUDIENCE);
            let (method, headers, token) = (Method::GET, HeaderMap::new(), &self.request_token);
            let issuer = Issuer { name: "GitHub", method, url, headers, token, member: "value" };
            issuer.token(request, network, &self.tenant_id, &self.client_id).await
        })
    }

    fn may_change(&self) -> bool {
        self.client_id.may_change()
    }
}
