//! Workspaces (Microsoft.MachineLearningServices/workspaces): hubs, projects and classic workspaces.

use super::body::or_default;
use super::call::Call;
use super::client::Client;
use super::error::{Error, ErrorCode};
use super::id::{ArmId, WorkspaceId};
use super::reads::Read;
use super::request::{Repeat, Request};
use super::resource::{Item, List, Resource};
use http::Method;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// For clouds that do not offer the default version. Its schema lacks the auth mode, which the service accepts all the same.
pub const FALLBACK_API_VERSION: &str = "2024-04-01";

/// How a workspace's system datastores authenticate to its storage account.
///
/// It keeps the spelling it was read in and compares case-insensitively; absent or empty means `accesskey`.
#[derive(Clone, Default, Deserialize)]
#[serde(from = "Option<String>")]
pub struct AuthMode(String);

/// The kind of an [`AuthMode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthModeKind {
    /// With the account's shared key.
    AccessKey,
    /// With Microsoft Entra identities.
    Identity,
    /// With a user-delegation SAS; undocumented.
    UserDelegationSas,
    /// A mode this client does not know.
    Other,
}

impl AuthMode {
    /// A mode of any spelling.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// `accesskey`.
    pub fn access_key() -> Self {
        Self::new("accesskey")
    }

    /// `identity`.
    pub fn identity() -> Self {
        Self::new("identity")
    }

    /// Which of the known modes it is; case does not matter.
    pub fn kind(&self) -> AuthModeKind {
        match self.0.to_ascii_lowercase().as_str() {
            "" | "accesskey" => AuthModeKind::AccessKey,
            "identity" => AuthModeKind::Identity,
            "userdelegationsas" => AuthModeKind::UserDelegationSas,
            _ => AuthModeKind::Other,
        }
    }

    /// The spelling it was read in; `accesskey` when it was empty.
    pub fn as_str(&self) -> &str {
        if self.0.is_empty() { "accesskey" } else { &self.0 }
    }

    /// The spelling that is sent: that of the product documentation for known modes.
    pub(crate) fn wire(&self) -> &str {
        match self.kind() {
            AuthModeKind::AccessKey => "accesskey",
            AuthModeKind::Identity => "identity",
            AuthModeKind::UserDelegationSas => "userdelegationsas",
            AuthModeKind::Other => &self.0,
        }
    }
}

/// A text that names no mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of identity, accesskey and userdelegationsas")]
pub struct UnknownAuthMode(String);

impl FromStr for AuthMode {
    type Err = UnknownAuthMode;

    fn from_str(text: &str) -> Result<Self, UnknownAuthMode> {
        let mode = Self::new(text);
        if text.is_empty() || mode.kind() == AuthModeKind::Other { Err(UnknownAuthMode(mode.0)) } else { Ok(mode) }
    }
}

impl Serialize for AuthMode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl From<Option<String>> for AuthMode {
    fn from(text: Option<String>) -> Self {
        Self(text.unwrap_or_default())
    }
}

impl PartialEq for AuthMode {
    fn eq(&self, other: &Self) -> bool {
        self.as_str().eq_ignore_ascii_case(other.as_str())
    }
}

impl Eq for AuthMode {}

impl Hash for AuthMode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().to_ascii_lowercase().hash(state);
    }
}

impl fmt::Display for AuthMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for AuthMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthMode({:?})", self.0)
    }
}

/// The kind of a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkspaceKind {
    /// A classic workspace; also when Azure names no kind.
    Default,
    /// A hub.
    Hub,
    /// A project of a hub, whose storage is the hub's.
    Project,
    /// A feature store.
    FeatureStore,
    /// A kind this client does not know.
    Other,
}

impl WorkspaceKind {
    const KNOWN: [Self; 4] = [Self::Default, Self::Hub, Self::Project, Self::FeatureStore];

    /// Its word in requests.
    fn word(self) -> Option<&'static str> {
        match self {
            Self::Default => Some("default"),
            Self::Hub => Some("hub"),
            Self::Project => Some("project"),
            Self::FeatureStore => Some("featurestore"),
            Self::Other => None,
        }
    }
}

/// A workspace, with the members that the provider needs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Workspace {
    /// The id, as Azure writes it.
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    /// The last segment of the id.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) location: String,
    /// The kind, as Azure writes it.
    #[serde(rename = "kind", deserialize_with = "or_default")]
    pub(crate) kind_text: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) identity: Identity,
    #[serde(deserialize_with = "or_default")]
    pub(crate) tags: BTreeMap<String, Option<String>>,
    /// The members under `properties`.
    #[serde(deserialize_with = "or_default")]
    pub properties: WorkspaceProperties,
}

/// The managed identities of a workspace.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Identity {
    /// `None`, `SystemAssigned`, `UserAssigned` or both with a comma.
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub(crate) identity_type: String,
    /// The object id of the system-assigned identity.
    pub(crate) principal_id: Option<String>,
    pub(crate) tenant_id: Option<String>,
    /// The user-assigned identities, by id.
    #[serde(deserialize_with = "or_default")]
    pub(crate) user_assigned_identities: BTreeMap<String, UserAssignedIdentity>,
}

/// A user-assigned identity of a workspace.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct UserAssignedIdentity {
    /// Its object id, which role assignments name.
    pub(crate) principal_id: Option<String>,
    /// Its client id, which sign-ins name.
    pub(crate) client_id: Option<String>,
}

/// The properties of a workspace that the provider needs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct WorkspaceProperties {
    /// The id of the default storage account.
    #[serde(deserialize_with = "or_default")]
    pub storage_account: String,
    /// How the system datastores authenticate.
    pub system_datastores_auth_mode: AuthMode,
    /// The id of the user-assigned identity that is used when there are several.
    pub(crate) primary_user_assigned_identity: Option<String>,
    /// A project's hub.
    pub(crate) hub_resource_id: Option<String>,
    /// A hub's projects.
    #[serde(deserialize_with = "or_default")]
    pub(crate) associated_workspaces: Vec<String>,
    /// Where the last change stands.
    #[serde(deserialize_with = "or_default")]
    pub provisioning_state: String,
}

impl Workspace {
    /// Which of the known kinds it is; case does not matter.
    pub fn kind(&self) -> WorkspaceKind {
        let text = if self.kind_text.is_empty() { "default" } else { &self.kind_text };
        let is = |kind: &WorkspaceKind| kind.word().is_some_and(|word| word.eq_ignore_ascii_case(text));
        WorkspaceKind::KNOWN.into_iter().find(is).unwrap_or(WorkspaceKind::Other)
    }

    /// A list of workspaces of these kinds only. The fallback api-version does not know the parameter and lists all.
    pub(crate) fn of_kinds(list: List<Item<Self>>, kinds: &[WorkspaceKind]) -> List<Item<Self>> {
        let words: Vec<_> = kinds.iter().filter_map(|kind| kind.word()).collect();
        list.query("kind", words.join(","))
    }

    /// Whether its provisioning state is a terminal one.
    pub(crate) fn has_settled(&self) -> bool {
        let state = self.properties.provisioning_state.to_ascii_lowercase();
        ["", "succeeded", "failed", "canceled"].contains(&state.as_str())
    }

    /// Whether `account` is its storage account.
    pub(crate) fn is_on(&self, account: &ArmId) -> bool {
        ArmId::parse(&self.properties.storage_account).is_ok_and(|own| own == *account)
    }

    /// The object id of the system-assigned identity, if there is one.
    pub(crate) fn system_principal_id(&self) -> Option<&str> {
        self.identity.principal_id.as_deref().filter(|id| !id.is_empty())
    }

    /// The object ids of the user-assigned identities.
    pub(crate) fn user_assigned_principal_ids(&self) -> impl Iterator<Item = &str> {
        self.identity.user_assigned_identities.values().filter_map(|identity| identity.principal_id.as_deref())
    }

    /// The object id of the primary user-assigned identity, if one is named and known.
    pub(crate) fn primary_user_assigned_principal_id(&self) -> Option<&str> {
        let primary = self.properties.primary_user_assigned_identity.as_deref()?;
        let (_, identity) =
            self.identity.user_assigned_identities.iter().find(|(id, _)| id.eq_ignore_ascii_case(primary))?;
        identity.principal_id.as_deref()
    }
}

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
    /// `AzureBlob`, `AzureFile` and others.
    #[serde(deserialize_with = "or_default")]
    pub(crate) datastore_type: String,
    /// The storage account's name.
    pub(crate) account_name: Option<String>,
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
}

impl Resource for Workspace {
    type Id = WorkspaceId;
    /// The first stable version whose PATCH documents `systemDatastoresAuthMode`.
    const API_VERSION: &'static str = "2025-06-01";
    const FALLBACK_API_VERSION: Option<&'static str> = Some(FALLBACK_API_VERSION);
    const COLLECTION: &'static str = "/providers/Microsoft.MachineLearningServices/workspaces";

    fn request(method: Method, id: &WorkspaceId, api_version: &str) -> Request {
        Request::new(method, id.as_str(), api_version).retry_on(BUSY, None)
    }
}

impl Resource for Datastore {
    type Id = ArmId;
    const API_VERSION: &'static str = "2024-10-01";
    const COLLECTION: &'static str = "/datastores";
}

/// Another operation on the workspace is in progress. The service has no code of its own for that.
const BUSY: &[ErrorCode] = &[ErrorCode::Conflict];

impl Client {
    /// Sets how the system datastores authenticate, and waits for the operation.
    ///
    /// # Errors
    /// See [`Error`]; [`Error::NotKept`] when the fallback api-version accepts the request and the mode does not change.
    pub async fn set_auth_mode(&self, id: &WorkspaceId, mode: &AuthMode, call: &Call) -> Result<Workspace, Error> {
        let body = json!({ "properties": { "systemDatastoresAuthMode": mode.wire() } });
        let patched = self.patch::<Workspace>(id, &body, call).await?;
        if self.api_version::<Workspace>() != FALLBACK_API_VERSION {
            return Ok(patched);
        }
        // That version does not document the mode, so that only reading it again tells.
        let kept = self.get::<Workspace>(id, Read::Fresh, call).await?;
        let got = &kept.properties.system_datastores_auth_mode;
        if got == mode {
            return Ok(kept);
        }
        Err(Error::NotKept {
            path: id.to_string(),
            property: "systemDatastoresAuthMode",
            asked: mode.wire().to_owned(),
            got: got.to_string(),
        })
    }

    /// Makes the workspace fetch the keys of its storage account, and waits for the operation.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn resync_keys(&self, id: &WorkspaceId, call: &Call) -> Result<(), Error> {
        let resync = |version| async move {
            let path = id.arm().below("/resyncKeys");
            let request = Request::new(Method::POST, path, version).repeat(Repeat::Idempotent).retry_on(BUSY, None);
            self.operate(&request, call).await
        };
        self.at_version::<Workspace, _, _>(resync).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_read_in_every_spelling_and_keeps_it() {
        for (text, kind, shown, wire) in [
            ("identity", AuthModeKind::Identity, "identity", "identity"),
            ("Identity", AuthModeKind::Identity, "Identity", "identity"),
            ("accessKey", AuthModeKind::AccessKey, "accessKey", "accesskey"),
            ("AccessKey", AuthModeKind::AccessKey, "AccessKey", "accesskey"),
            ("", AuthModeKind::AccessKey, "accesskey", "accesskey"),
            ("UserDelegationSAS", AuthModeKind::UserDelegationSas, "UserDelegationSAS", "userdelegationsas"),
            ("Quantum", AuthModeKind::Other, "Quantum", "Quantum"),
        ] {
            let mode = AuthMode::new(text);
            assert_eq!((mode.kind(), mode.as_str(), mode.wire()), (kind, shown, wire));
        }
        assert_eq!(AuthMode::new("IDENTITY"), AuthMode::identity());
        assert_eq!(AuthMode::default(), AuthMode::access_key());
        assert_ne!(AuthMode::identity(), AuthMode::access_key());
    }

    #[test]
    fn a_workspace_is_read_with_all_that_matters() {
        let hub: Workspace = serde_json::from_str(
            r#"{"id":"/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg1/providers/Microsoft.MachineLearningServices/workspaces/hub1",
            "name":"hub1","location":"eastus","kind":"hub","tags":{},"identity":{"type":"SystemAssigned,UserAssigned",
            "principalId":"p0","tenantId":"t","userAssignedIdentities":{"/U1":{"principalId":"p1","clientId":"c1"}}},
            "properties":{"storageAccount":"/sa","primaryUserAssignedIdentity":"/u1","systemDatastoresAuthMode":"Identity",
            "associatedWorkspaces":["/p"],"provisioningState":"Succeeded","hubResourceId":null}}"#,
        )
        .unwrap();
        assert_eq!(hub.kind(), WorkspaceKind::Hub);
        assert_eq!(WorkspaceId::parse(&hub.id).unwrap().name(), "hub1");
        assert_eq!(hub.system_principal_id(), Some("p0"));
        assert_eq!(hub.primary_user_assigned_principal_id(), Some("p1"));
        assert_eq!(hub.user_assigned_principal_ids().collect::<Vec<_>>(), ["p1"]);
        assert_eq!(hub.properties.system_datastores_auth_mode, AuthMode::identity());
    }

    #[test]
    fn members_that_are_missing_or_null_are_no_error() {
        for body in [
            "{}",
            r#"{"id":null,"kind":null,"identity":null,"properties":null}"#,
            r#"{"identity":{"userAssignedIdentities":null},"properties":{"systemDatastoresAuthMode":null,"associatedWorkspaces":null,"storageAccount":null}}"#,
        ] {
            let workspace: Workspace = serde_json::from_str(body).unwrap();
            assert_eq!(workspace.kind(), WorkspaceKind::Default);
            assert_eq!(workspace.properties.system_datastores_auth_mode, AuthMode::access_key());
            assert_eq!(workspace.system_principal_id(), None);
        }
        let store: Datastore = serde_json::from_str(
            r#"{"name":"workspaceblobstore","properties":{"datastoreType":"AzureBlob","credentials":{"credentialsType":"AccountKey"}}}"#,
        )
        .unwrap();
        assert!(store.is_system() && store.uses_account_key());
    }
}
