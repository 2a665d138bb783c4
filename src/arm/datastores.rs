//! Datastores of workspaces (facts: azure.md §1.6, §13.1).

use super::body::or_default;
use super::id::ArmId;
use super::resource::Resource;
use serde::Deserialize;

/// A datastore of a workspace.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Datastore {
    /// The name; the four system ones are `SYSTEM_DATASTORES`.
    #[serde(deserialize_with = "or_default")]
    pub(crate) name: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) properties: DatastoreProperties,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct DatastoreProperties {
    /// The storage account's name.
    #[serde(deserialize_with = "or_default")]
    pub(crate) account_name: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) container_name: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) file_share_name: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) filesystem: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) credentials: DatastoreCredentials,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct DatastoreCredentials {
    /// `AccountKey`, `None`, `Sas`, `ServicePrincipal` and others.
    #[serde(deserialize_with = "or_default")]
    pub(crate) credentials_type: String,
}

/// The datastores that every workspace has and that follow its mode.
pub(crate) const SYSTEM_DATASTORES: [&str; 4] =
    ["workspaceblobstore", "workspaceartifactstore", "workspacefilestore", "workspaceworkingdirectory"];

impl Datastore {
    /// Whether it is one of `SYSTEM_DATASTORES`.
    pub fn is_system(&self) -> bool {
        SYSTEM_DATASTORES.iter().any(|name| name.eq_ignore_ascii_case(&self.name))
    }

    /// Whether it authenticates with the account's shared key.
    pub fn uses_account_key(&self) -> bool {
        self.properties.credentials.credentials_type.eq_ignore_ascii_case("AccountKey")
    }

    /// Whether it authenticates with a shared access signature.
    pub(crate) fn uses_sas(&self) -> bool {
        self.properties.credentials.credentials_type.eq_ignore_ascii_case("Sas")
    }

    /// The container, file share or file system that it is.
    pub(crate) fn place(&self) -> &str {
        let DatastoreProperties { container_name, file_share_name, filesystem, .. } = &self.properties;
        [container_name, file_share_name, filesystem]
            .into_iter()
            .find(|name| !name.is_empty())
            .map_or("", String::as_str)
    }

    /// Whether its data are on the storage account of this name. Such names are unique in a cloud.
    pub(crate) fn is_on(&self, account: &str) -> bool {
        self.properties.account_name.eq_ignore_ascii_case(account)
    }
}

impl Resource for Datastore {
    type Id = ArmId;
    const API_VERSION: &'static str = "2024-10-01";
    const COLLECTION: &'static str = "/datastores";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datastore_is_read_with_its_account_and_credentials() {
        let read = |body: &str| serde_json::from_str::<Datastore>(body).unwrap();
        let store = read(
            r#"{"name":"workspaceblobstore","properties":{"datastoreType":"AzureBlob","accountName":"SA1","credentials":{"credentialsType":"AccountKey"}}}"#,
        );
        assert!(store.is_system() && store.uses_account_key() && store.is_on("sa1"));
        let store =
            read(r#"{"name":"mine","properties":{"accountName":null,"credentials":{"credentialsType":"Sas"}}}"#);
        assert!(!store.is_system() && !store.uses_account_key() && store.uses_sas() && !store.is_on("sa1"));
        assert!(!read(r#"{"name":"mine","properties":{"credentials":null}}"#).uses_sas());
    }
}
