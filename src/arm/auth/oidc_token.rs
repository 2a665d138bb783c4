//! An OIDC token that is configured, or that is in a file that others keep up to date, as AKS does.

use super::{AccessToken, Network, TokenError, TokenRequest, TokenSource, ValueOrFile, assertion};
use crate::arm::token_error::Proof;
use futures_util::future::BoxFuture;

/// Signs in with an OIDC token about an application.
#[derive(Debug, Clone)]
pub struct OidcToken {
    /// The tenant to sign in to.
    pub tenant_id: String,
    /// The application's client id.
    pub client_id: ValueOrFile,
    /// The OIDC token, which is the client assertion.
    pub token: ValueOrFile,
}

impl TokenSource for OidcToken {
    fn token<'a>(
        &'a self,
        request: &'a TokenRequest,
        network: &'a Network,
    ) -> BoxFuture<'a, Result<AccessToken, TokenError>> {
        Box::pin(async {
            let token = self.token.text().await?;
            assertion::token(request, network, &self.tenant_id, &self.client_id, Proof::OidcToken, token).await
        })
    }

    fn may_change(&self) -> bool {
        self.client_id.may_change() || self.token.may_change()
    }
}
