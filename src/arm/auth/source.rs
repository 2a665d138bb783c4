//! What every sign-in method is: something that gives tokens.

use super::TokenError;
use crate::arm::call::Clock;
use crate::arm::secret::Secret;
use futures_util::future::BoxFuture;
use std::{fmt, sync::Arc};
use time::OffsetDateTime;
use url::{Host, Url};

/// What a token is wanted for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenRequest {
    /// The scope, `{audience}/.default`.
    pub scope: String,
    /// Another tenant than the method's own, for auxiliary tokens.
    pub tenant: Option<String>,
    /// Properties the token has to have, as JSON: what a claims challenge asked for.
    pub claims: Option<String>,
}

/// A bearer token.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// The token.
    pub token: Secret,
    /// When it stops working, by the client's clock.
    pub expires_on: OffsetDateTime,
}

/// What a method has to reach others with.
#[derive(Debug, Clone)]
pub struct Network {
    /// Microsoft Entra: scheme, host and port.
    pub(crate) authority: Url,
    /// For the world, by way of a proxy where the environment names one.
    pub(crate) http: reqwest::Client,
    /// For this machine and its host.
    pub(crate) direct: reqwest::Client,
    /// What time it is.
    pub(crate) clock: Arc<dyn Clock>,
}

impl Network {
    /// The client for an address. No proxy reaches this machine or what gives it its identity.
    pub(super) fn client(&self, url: &Url) -> &reqwest::Client {
        let near = match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback() || address.is_link_local(),
            Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unicast_link_local(),
            Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
            None => false,
        };
        if near { &self.direct } else { &self.http }
    }
}

/// A sign-in method. It should fetch a new token every time: keeping them is done elsewhere.
pub trait TokenSource: fmt::Debug + Send + Sync {
    /// Fetches a token for this scope, in this tenant.
    fn token<'a>(
        &'a self,
        request: &'a TokenRequest,
        network: &'a Network,
    ) -> BoxFuture<'a, Result<AccessToken, TokenError>>;
}
