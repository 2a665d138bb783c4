//! The blob containers and file shares of a storage account, as Azure Resource Manager lists them: without their data, and
//! whatever the account's keys and network rules are (facts: azure.md §13.4).

use super::body::or_default;
use super::id::ArmId;
use super::resource::Resource;
use super::storage_accounts::StorageAccount;
use serde::Deserialize;

/// A container of blobs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Container {
    #[serde(deserialize_with = "or_default")]
    pub(crate) name: String,
}

/// A file share.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Share {
    #[serde(deserialize_with = "or_default")]
    pub(crate) name: String,
    #[serde(deserialize_with = "or_default")]
    properties: ShareProperties,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ShareProperties {
    /// `SMB` or `NFS`; absent means SMB.
    #[serde(deserialize_with = "or_default")]
    enabled_protocols: String,
}

impl Share {
    /// Whether it is mounted by NFS, which knows no keys.
    pub(crate) fn is_nfs(&self) -> bool {
        self.properties.enabled_protocols.eq_ignore_ascii_case("NFS")
    }
}

impl Resource for Container {
    type Id = ArmId;
    const API_VERSION: &'static str = StorageAccount::API_VERSION;
    const COLLECTION: &'static str = "/blobServices/default/containers";
}

impl Resource for Share {
    type Id = ArmId;
    const API_VERSION: &'static str = StorageAccount::API_VERSION;
    const COLLECTION: &'static str = "/fileServices/default/shares";
}
