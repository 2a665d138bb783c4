//! The trait of all sign-in methods, with the request for a token and the token.

use super::{Network, TokenError};
use crate::arm::secret::Secret;
use futures_util::future::BoxFuture;
use std::fmt;
use time::OffsetDateTime;

/// Which token to get.
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
    /// The token, as it is sent after `Bearer`.
    pub token: Secret,
    /// When it expires, by the client's clock.
    pub expires_on: OffsetDateTime,
}

impl AccessToken {
    /// A token with its expiry by the client's clock rather than the system's; `None` where it is no text that a header may
    /// have.
    pub(super) fn by_clock(token: &azure_core::credentials::AccessToken, network: &Network) -> Option<Self> {
        let text = token.token.secret();
        let left = token.expires_on - OffsetDateTime::now_utc();
        let is_token = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_token.then(|| Self { token: text.into(), expires_on: network.clock.utc().saturating_add(left) })
    }
}

/// Gets tokens by one sign-in method. It fetches a new token every time: `cache` keeps them.
pub trait TokenSource: fmt::Debug + Send + Sync {
    /// Fetches a token for this scope, in this tenant.
    ///
    /// # Errors
    /// See [`TokenError`].
    fn token<'a>(
        &'a self,
        request: &'a TokenRequest,
        network: &'a Network,
    ) -> BoxFuture<'a, Result<AccessToken, TokenError>>;

    /// Whether others may replace what it signs in with while this runs, as they can a file. A request that has been refused
    /// may succeed then.
    fn may_change(&self) -> bool {
        false
    }

    /// The subscription that is in use where somebody signs in with this method, if the method knows one.
    fn subscription(&self) -> BoxFuture<'_, Option<String>> {
        Box::pin(async { None })
    }
}
