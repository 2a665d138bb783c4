//! Subscriptions.

use super::body::or_default;
use super::id::ArmId;
use super::resource::Resource;
use serde::Deserialize;

/// A subscription, as far as this provider needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Subscription {
    #[serde(deserialize_with = "or_default")]
    pub(crate) subscription_id: String,
    /// The tenant it belongs to, which for a delegated subscription (Azure Lighthouse) is not the caller's.
    #[serde(deserialize_with = "or_default")]
    pub(crate) tenant_id: String,
}

impl Resource for Subscription {
    type Id = ArmId;
    const API_VERSION: &'static str = "2022-12-01";
    const COLLECTION: &'static str = "/subscriptions";
}
