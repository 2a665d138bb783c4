//! Subscriptions: to which tenant one belongs.

use super::body::or_default;
use super::call::Call;
use super::client::Client;
use super::error::Error;
use super::id::ArmId;
use super::request::Request;
use super::share::Read;
use serde::Deserialize;

/// The api-version of all calls.
pub const API_VERSION: &str = "2022-12-01";

/// A subscription, as far as this provider needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Subscription {
    /// The GUID.
    #[serde(deserialize_with = "or_default")]
    pub subscription_id: String,
    /// The tenant it belongs to, which for one that is delegated to us is not ours.
    #[serde(deserialize_with = "or_default")]
    pub tenant_id: String,
}

/// The calls about subscriptions.
pub struct Subscriptions<'a>(pub(super) &'a Client);

impl Subscriptions<'_> {
    /// One subscription by its scope.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn get(&self, scope: &ArmId, read: Read, call: &Call) -> Result<Subscription, Error> {
        self.0.read(&Request::get(scope.as_str(), API_VERSION), read, call).await?.json()
    }
}
