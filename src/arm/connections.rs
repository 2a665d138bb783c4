//! Connections of workspaces to other services (facts: azure.md §13.2).

use super::body::or_default;
use super::id::ArmId;
use super::resource::Resource;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A connection of a workspace. Its credentials are in no answer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Connection {
    #[serde(deserialize_with = "or_default")]
    pub(crate) name: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) properties: ConnectionProperties,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ConnectionProperties {
    /// `AzureBlob`, `ADLSGen2` and many others.
    #[serde(deserialize_with = "or_default")]
    category: String,
    /// How it signs in: `AccountKey`, `SAS`, `AAD` and others.
    #[serde(deserialize_with = "or_default")]
    auth_type: String,
    /// The address that it leads to.
    #[serde(deserialize_with = "or_default")]
    pub(crate) target: String,
    #[serde(deserialize_with = "or_default")]
    metadata: BTreeMap<String, Value>,
}

impl Connection {
    /// Whether it signs in with a key.
    pub(crate) fn uses_key(&self) -> bool {
        ["AccountKey", "AccessKey"].iter().any(|kind| kind.eq_ignore_ascii_case(&self.properties.auth_type))
    }

    /// Whether it signs in with a shared access signature.
    pub(crate) fn uses_sas(&self) -> bool {
        self.properties.auth_type.eq_ignore_ascii_case("SAS")
    }

    /// Whether it leads to the storage account of this name, which is unique in a cloud: by the account's id beside the address, by
    /// its name there, or by the address itself. Other services have accounts of the same names.
    pub(crate) fn is_to(&self, account: &str) -> bool {
        let ConnectionProperties { category, target, metadata, .. } = &self.properties;
        let metadata = |wanted: &str| {
            let named = metadata.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            named.and_then(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
        };
        let is_of_storage = CATEGORIES.iter().any(|of_storage| of_storage.eq_ignore_ascii_case(category));
        let id = metadata("resourceId").or_else(|| target.starts_with('/').then_some(target));
        let name = match (id, metadata("accountName")) {
            (Some(id), _) => account_in_id(id),
            (None, Some(name)) if is_of_storage => Some(name),
            (None, _) => account_in_url(target),
        };
        name.is_some_and(|name| name.eq_ignore_ascii_case(account))
    }
}

/// The categories of storage accounts.
const CATEGORIES: [&str; 4] = ["AzureBlob", "ADLSGen2", "AzureTableStorage", "AzureStorageAccount"];

/// The services of a storage account, as its hosts name them.
const SERVICES: [&str; 5] = ["blob", "dfs", "file", "queue", "table"];

/// The name of the account in the id of an account or of something in it.
fn account_in_id(id: &str) -> Option<&str> {
    let mut segments = id.split('/');
    segments.find(|segment| segment.eq_ignore_ascii_case("storageAccounts"))?;
    segments.next()
}

/// The name of the account in a URL of one of its services.
fn account_in_url(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // An abfss address has the file system before the host.
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let mut labels = host.split('.');
    let name = labels.next()?;
    let service = labels.next()?;
    SERVICES.iter().any(|known| known.eq_ignore_ascii_case(service)).then_some(name)
}

impl Resource for Connection {
    type Id = ArmId;
    const API_VERSION: &'static str = "2024-10-01";
    const COLLECTION: &'static str = "/connections";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_of_a_connection_is_found_in_every_form() {
        let is_to = |category: &str, target: &str, metadata: &str| {
            let body = format!(
                r#"{{"properties":{{"category":"{category}","authType":"accountkey","target":"{target}","metadata":{metadata}}}}}"#
            );
            let connection: Connection = serde_json::from_str(&body).unwrap();
            assert!(connection.uses_key() && !connection.uses_sas());
            connection.is_to("sa1")
        };
        let id = "/subscriptions/s/resourceGroups/r/providers/Microsoft.Storage/storageAccounts/SA1";
        for (category, target, metadata) in [
            ("AzureBlob", "https://SA1.blob.core.windows.net/data", "null"),
            ("ADLSGen2", "https://sa1.dfs.core.windows.net", "{}"),
            ("", "https://sa1.blob.core.windows.net?sv=1", "{}"),
            ("Other", "abfss://data@sa1.dfs.core.windows.net/x", "{}"),
            ("", "sa1.table.core.windows.net", r#"{"retries":3,"tags":{},"accountName":null}"#),
            ("", id, "{}"),
            ("", &format!("{id}/blobServices/default/containers/data"), "{}"),
            ("azureblob", "https://custom.example.com", r#"{"AccountName":"sa1"}"#),
            ("", "https://custom.example.com", &format!(r#"{{"ResourceId":"{id}","accountName":"x"}}"#)),
        ] {
            assert!(is_to(category, target, metadata), "{category} {target} {metadata}");
        }
        for (category, target, metadata) in [
            ("AzureBlob", "https://sa10.blob.core.windows.net/sa1", "{}"),
            ("AzureBlob", "https://sa1.blob.core.windows.net", r#"{"accountName":"other"}"#),
            ("CosmosDb", "https://sa1.documents.azure.com", r#"{"accountName":"sa1"}"#),
            ("CosmosDb", "https://sa1.documents.azure.com", r#"{"ResourceId":"/x/databaseAccounts/sa1"}"#),
            ("S3", "https://sa1.s3.amazonaws.com", "{}"),
            ("", "", "{}"),
        ] {
            assert!(!is_to(category, target, metadata), "{category} {target} {metadata}");
        }
    }
}
