//! Connections of workspaces to other services (facts: azure.md §13.2).

use super::body::or_default;
use super::id::ArmId;
use super::resource::Resource;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A connection of a workspace. Its credentials are in no answer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Connection {
    #[serde(deserialize_with = "or_default")]
    pub(crate) id: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) name: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) properties: ConnectionProperties,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ConnectionProperties {
    /// How it signs in: `AccountKey`, `SAS`, `AAD` and others.
    #[serde(deserialize_with = "or_default")]
    pub(crate) auth_type: String,
    /// The address that it leads to.
    #[serde(deserialize_with = "or_default")]
    pub(crate) target: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) metadata: BTreeMap<String, Option<String>>,
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

    /// Whether it leads to the storage account of this name: by the account's id or name beside the address, or by the address
    /// itself. Such names are unique in a cloud.
    pub(crate) fn is_to(&self, account: &str) -> bool {
        let metadata = |wanted: &str| {
            let named = self.properties.metadata.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            named.and_then(|(_, value)| value.as_deref()).filter(|value| !value.is_empty())
        };
        let target = &*self.properties.target;
        let name = match (metadata("resourceId"), metadata("accountName")) {
            (Some(id), _) => last_segment(id),
            (None, Some(name)) => name,
            (None, None) if target.starts_with('/') => last_segment(target),
            (None, None) => first_label(target),
        };
        name.eq_ignore_ascii_case(account)
    }
}

fn last_segment(id: &str) -> &str {
    id.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

/// The first label of the host in a URL, which is the account's name.
fn first_label(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // An abfss address has the file system before the host.
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    host.split('.').next().unwrap_or_default()
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
        let is_to = |target: &str, metadata: &str| {
            let body =
                format!(r#"{{"properties":{{"authType":"accountkey","target":"{target}","metadata":{metadata}}}}}"#);
            let connection: Connection = serde_json::from_str(&body).unwrap();
            assert!(connection.uses_key() && !connection.uses_sas());
            connection.is_to("sa1")
        };
        for (target, metadata) in [
            ("https://SA1.blob.core.windows.net/data", "null"),
            ("https://sa1.dfs.core.windows.net", "{}"),
            ("https://sa1.blob.core.windows.net?sv=1", "{}"),
            ("abfss://data@sa1.dfs.core.windows.net/x", "{}"),
            ("sa1.blob.core.windows.net", "{}"),
            ("/subscriptions/s/resourceGroups/r/providers/Microsoft.Storage/storageAccounts/sa1/", "{}"),
            ("https://custom.example.com", r#"{"AccountName":"sa1"}"#),
            ("https://custom.example.com", r#"{"ResourceId":"/x/storageAccounts/SA1","accountName":null}"#),
        ] {
            assert!(is_to(target, metadata), "{target} {metadata}");
        }
        for (target, metadata) in [
            ("https://sa10.blob.core.windows.net/sa1", "{}"),
            ("https://sa1.blob.core.windows.net", r#"{"accountName":"other"}"#),
            ("", "{}"),
        ] {
            assert!(!is_to(target, metadata), "{target} {metadata}");
        }
    }
}
