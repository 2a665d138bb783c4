//! Storage accounts (Microsoft.Storage/storageAccounts): shared key access, and the keys.

use super::body::{lenient_time, or_default, without_nulls};
use super::call::Call;
use super::client::Client;
use super::error::Error;
use super::id::{ArmId, StorageAccountId};
use super::request::{Repeat, Request};
use super::resource::Resource;
use super::secret::Secret;
use super::sparing::Spared;
use http::Method;
use serde::de::{self, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::{json, value::RawValue};
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// A storage account, as far as this provider needs it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct StorageAccount {
    #[serde(deserialize_with = "or_default")]
    pub(crate) id: String,
    /// The name, which is unique in a cloud.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// The members under `properties`.
    #[serde(deserialize_with = "or_default")]
    pub properties: StorageAccountProperties,
}

/// The properties of a storage account that matter here.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct StorageAccountProperties {
    /// Whether requests may be authorized with a shared key; `None` until it is first set.
    pub allow_shared_key_access: Option<bool>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) key_creation_time: KeyCreationTime,
    /// The addresses of its services, by `blob`, `file` and so on.
    #[serde(deserialize_with = "or_default")]
    pub(crate) primary_endpoints: BTreeMap<String, IgnoredAny>,
    /// `Enabled`, which is the default, `Disabled` or `SecuredByPerimeter`.
    #[serde(deserialize_with = "or_default")]
    public_network_access: String,
    #[serde(deserialize_with = "without_nulls")]
    private_endpoint_connections: Vec<PrivateEndpointConnection>,
}

/// A private endpoint that leads, or asks to lead, to the account.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct PrivateEndpointConnection {
    #[serde(deserialize_with = "or_default")]
    properties: PrivateEndpointConnectionProperties,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PrivateEndpointConnectionProperties {
    #[serde(deserialize_with = "or_default")]
    private_endpoint: Named,
    #[serde(deserialize_with = "or_default")]
    private_link_service_connection_state: ConnectionState,
}

/// A resource by its id.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Named {
    #[serde(deserialize_with = "or_default")]
    id: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct ConnectionState {
    /// `Pending`, `Approved` or `Rejected`.
    #[serde(deserialize_with = "or_default")]
    status: String,
}

/// When each key was made last.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct KeyCreationTime {
    #[serde(deserialize_with = "lenient_time")]
    pub(crate) key1: Option<OffsetDateTime>,
    #[serde(deserialize_with = "lenient_time")]
    pub(crate) key2: Option<OffsetDateTime>,
}

impl StorageAccount {
    /// Whether shared key access is on, which it is by default.
    pub fn shared_key_enabled(&self) -> bool {
        self.properties.allow_shared_key_access.unwrap_or(true)
    }

    /// Whether it has what a GET always shows: a short item of a list says nothing by what it lacks.
    pub(crate) fn is_whole(&self) -> bool {
        !self.properties.primary_endpoints.is_empty()
    }

    /// Whether it can be reached by private endpoints alone (facts: azure.md §13.8).
    pub(crate) fn refuses_public_network(&self) -> bool {
        self.properties.public_network_access.eq_ignore_ascii_case("Disabled")
    }

    /// The private endpoints that lead to it.
    pub(crate) fn private_endpoints(&self) -> impl Iterator<Item = ArmId> {
        let connections = self.properties.private_endpoint_connections.iter().map(|connection| &connection.properties);
        let approved = connections
            .filter(|found| found.private_link_service_connection_state.status.eq_ignore_ascii_case("Approved"));
        approved.filter_map(|found| ArmId::parse(&found.private_endpoint.id).ok())
    }
}

/// A storage account together with everything that Azure answers of it, by which policies judge it.
#[derive(Debug, Clone)]
pub(crate) struct WholeAccount {
    pub(crate) account: StorageAccount,
    pub(crate) document: Box<RawValue>,
}

impl<'de> Deserialize<'de> for WholeAccount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let document = Box::<RawValue>::deserialize(deserializer)?;
        let account = serde_json::from_str(document.get()).map_err(de::Error::custom)?;
        Ok(Self { account, document })
    }
}

impl Resource for WholeAccount {
    type Id = StorageAccountId;
    const API_VERSION: &'static str = StorageAccount::API_VERSION;
    const COLLECTION: &'static str = StorageAccount::COLLECTION;
}

/// A key of a storage account.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct StorageKey {
    /// `key1` or `key2`.
    #[serde(deserialize_with = "or_default")]
    pub key_name: String,
    /// The shared key, in base64.
    #[serde(deserialize_with = "or_default")]
    pub value: Secret,
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<StorageKey>,
}

impl Resource for StorageAccount {
    type Id = StorageAccountId;
    const API_VERSION: &'static str = "2023-05-01";
    const COLLECTION: &'static str = "/providers/Microsoft.Storage/storageAccounts";
}

impl Spared for StorageAccount {}

impl Client {
    /// Switches shared key access on or off and nothing else. With a policy the answer may be a success although the old value
    /// is kept, so that only reading the account again tells.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn set_shared_key_access(
        &self,
        id: &StorageAccountId,
        allowed: bool,
        call: &Call,
    ) -> Result<StorageAccount, Error> {
        self.patch(id, &json!({ "properties": { "allowSharedKeyAccess": allowed } }), call).await
    }

    /// The account's keys.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn list_storage_keys(&self, id: &StorageAccountId, call: &Call) -> Result<Vec<StorageKey>, Error> {
        // This POST changes nothing.
        let request = Request::new(Method::POST, id.arm().path_below("/listKeys"), StorageAccount::API_VERSION)
            .repeat(Repeat::Idempotent);
        self.keys(&request, call).await
    }

    /// Replaces one key, `key1` or `key2`, and gives all of them.
    ///
    /// # Errors
    /// See [`Error`]. After [`Error::Transport`] the key may or may not have been replaced: that is not retried, because it
    /// could replace the key twice.
    pub async fn regenerate_storage_key(
        &self,
        id: &StorageAccountId,
        key_name: &str,
        call: &Call,
    ) -> Result<Vec<StorageKey>, Error> {
        let request = Request::new(Method::POST, id.arm().path_below("/regenerateKey"), StorageAccount::API_VERSION)
            .json(&json!({ "keyName": key_name }));
        self.keys(&request, call).await
    }

    async fn keys(&self, request: &Request, call: &Call) -> Result<Vec<StorageKey>, Error> {
        let answer = self.send(request, call).await?;
        let keys = answer.secret_json::<Keys>(&self.0.sender.limits(call)).await;
        Ok(keys.map_err(|error| request.accepted(error))?.keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_work_until_they_are_switched_off() {
        for (body, stated, enabled) in [
            ("{}", None, true),
            (r#"{"properties":{}}"#, None, true),
            (r#"{"properties":{"allowSharedKeyAccess":null}}"#, None, true),
            (r#"{"properties":{"allowSharedKeyAccess":true}}"#, Some(true), true),
            (r#"{"properties":{"allowSharedKeyAccess":false}}"#, Some(false), false),
        ] {
            let account: StorageAccount = serde_json::from_str(body).unwrap();
            assert_eq!(account.properties.allow_shared_key_access, stated);
            assert_eq!(account.shared_key_enabled(), enabled);
        }
    }

    #[test]
    fn a_key_is_not_shown() {
        let keys: Keys = serde_json::from_str(
            r#"{"keys":[{"keyName":"key1","value":"hunter2","permissions":"FULL","creationTime":"2026-01-01T00:00:00Z"}]}"#,
        )
        .unwrap();
        assert_eq!(keys.keys[0].value.reveal(), "hunter2");
        assert!(!format!("{:?}", keys.keys).contains("hunter2"));
    }
}
