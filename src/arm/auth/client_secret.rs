//! A service principal with a client secret.

use super::{AccessToken, Network, TokenError, TokenRequest, TokenSource, ValueOrFile, entra};
use crate::arm::token_error::Proof;
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};
use futures_util::future::BoxFuture;

/// Signs in with a secret of an application.
#[derive(Debug, Clone)]
pub struct ClientSecret {
    /// The tenant to sign in to.
    pub tenant_id: String,
    /// The application's client id.
    pub client_id: ValueOrFile,
    /// Its secret.
    pub client_secret: ValueOrFile,
}

impl TokenSource for ClientSecret {
    fn token<'a>(
        &'a self,
        request: &'a TokenRequest,
        network: &'a Network,
    ) -> BoxFuture<'a, Result<AccessToken, TokenError>> {
        Box::pin(async {
            let tenant = request.tenant.as_ref().unwrap_or(&self.tenant_id);
            let client_id = self.client_id.text().await?.reveal().to_owned();
            let secret = self.client_secret.text().await?;
            entra::token(request, network, Proof::Secret, &secret, |client_options| {
                let options = ClientSecretCredentialOptions { client_options };
                ClientSecretCredential::new(tenant, client_id, secret.reveal().to_owned().into(), Some(options))
            })
            .await
        })
    }

    fn may_change(&self) -> bool {
        self.client_id.may_change() || self.client_secret.may_change()
    }
}
