//! Signing in: which credential, how its tokens are fetched (`identity`) and how long they are kept (`cache`).

mod cache;
mod identity;

pub use super::token_error::{EntraError, TokenError};
pub(crate) use cache::{CachedToken, Tokens};
pub(crate) use identity::IdentitySource;

use super::secret::Secret;
use futures_util::future::BoxFuture;
use std::{fmt, sync::Arc};
use time::OffsetDateTime;

/// How to sign in.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A service principal with a client secret.
    ClientSecret {
        /// The tenant to sign in to.
        tenant_id: String,
        /// The application's client id.
        client_id: String,
        /// Its secret.
        client_secret: Secret,
    },
    /// Whoever is signed in to the Azure CLI.
    AzureCli {
        /// The tenant, when not the CLI's own default.
        tenant_id: Option<String>,
        /// The subscription whose account to use, when not the CLI's current one.
        subscription_id: Option<String>,
    },
    /// The managed identity of the machine, the app or the function this runs on.
    ManagedIdentity {
        /// The client id of a user-assigned identity; otherwise the system-assigned one.
        client_id: Option<String>,
        /// The URL to ask, when not the well-known one of the place this runs in.
        endpoint: Option<String>,
        /// The `api-version` to ask with, when not the default.
        api_version: Option<String>,
    },
    /// Anything else that can give tokens.
    Source(Arc<dyn TokenSource>),
}

/// What a token is wanted for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenRequest {
    /// The scope, `{audience}/.default`.
    pub scope: String,
    /// Another tenant than the credential's own, for auxiliary tokens.
    pub tenant: Option<String>,
    /// Properties the token has to have, as JSON: what a claims challenge asked for.
    pub claims: Option<String>,
}

/// A bearer token.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// The token.
    pub token: Secret,
    /// When it stops working.
    pub expires_on: OffsetDateTime,
}

/// Something that fetches tokens. It should fetch a new one every time: keeping them is done elsewhere.
pub trait TokenSource: fmt::Debug + Send + Sync {
    /// Fetches a token.
    fn token<'a>(&'a self, request: &'a TokenRequest) -> BoxFuture<'a, Result<AccessToken, TokenError>>;
}
