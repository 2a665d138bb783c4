//! Workspaces (Microsoft.MachineLearningServices/workspaces): hubs, projects and classic workspaces.

pub use super::auth_mode::{AuthMode, AuthModeKind, UnknownAuthMode};
use super::body::{or_default, or_default_inside, without_nulls};
use super::call::Call;
use super::client::Client;
use super::error::{Error, ErrorCode};
use super::id::{ArmId, WorkspaceId};
use super::listed::Listed;
use super::reads::Read;
use super::request::{Repeat, Request};
use super::resource::{List, Resource};
use super::sparing::Spared;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// For clouds that do not offer the default version. Its schema lacks the auth mode, which the service accepts all the same.
pub const FALLBACK_API_VERSION: &str = "2024-04-01";

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
    #[serde(deserialize_with = "or_default_inside")]
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
    #[serde(deserialize_with = "without_nulls")]
    pub(crate) associated_workspaces: Vec<String>,
    /// Where the last change stands.
    #[serde(deserialize_with = "or_default")]
    pub provisioning_state: String,
    /// A GUID of the service's own.
    pub(crate) workspace_id: Option<String>,
    pub(crate) discovery_url: Option<String>,
    pub(crate) friendly_name: Option<String>,
    pub(crate) description: Option<String>,
    /// None where Microsoft keeps the credentials.
    pub(crate) key_vault: Option<String>,
    pub(crate) application_insights: Option<String>,
    pub(crate) container_registry: Option<String>,
    pub(crate) hbi_workspace: Option<bool>,
    pub(crate) enable_data_isolation: Option<bool>,
    /// `Enabled` or `Disabled`.
    pub(crate) public_network_access: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) managed_network: ManagedNetwork,
    pub(crate) network_acls: Option<NetworkAcls>,
    pub(crate) serverless_compute_settings: Option<ServerlessComputeSettings>,
    /// The name of the compute that builds images.
    pub(crate) image_build_compute: Option<String>,
    pub(crate) encryption: Option<Encryption>,
    pub(crate) workspace_hub_config: Option<WorkspaceHubConfig>,
}

/// The network that the service manages for a hub.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ManagedNetwork {
    /// `Disabled`, `AllowInternetOutbound` or `AllowOnlyApprovedOutbound`.
    pub(crate) isolation_mode: Option<String>,
    /// The modes that it can change to from here, where the service says so.
    pub(crate) changeable_isolation_modes: Option<Vec<String>>,
}

/// Which addresses may reach a workspace.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct NetworkAcls {
    /// `Allow` or `Deny`.
    pub(crate) default_action: Option<String>,
    #[serde(deserialize_with = "without_nulls")]
    pub(crate) ip_rules: Vec<IpRule>,
}

/// An address, or a range in CIDR notation.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct IpRule {
    #[serde(deserialize_with = "or_default")]
    pub(crate) value: String,
}

/// Where serverless computes run.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ServerlessComputeSettings {
    /// The id of a subnet.
    pub(crate) serverless_compute_custom_subnet: Option<String>,
    #[serde(rename = "serverlessComputeNoPublicIP")]
    pub(crate) no_public_ip: Option<bool>,
}

/// The encryption of the service's own data of a workspace.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Encryption {
    /// `Enabled` with a key of the customer.
    pub(crate) status: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) identity: EncryptionIdentity,
    #[serde(deserialize_with = "or_default")]
    pub(crate) key_vault_properties: KeyVaultProperties,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct EncryptionIdentity {
    pub(crate) user_assigned_identity: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct KeyVaultProperties {
    pub(crate) key_vault_arm_id: Option<String>,
    /// The URL of the key, with its version.
    pub(crate) key_identifier: Option<String>,
}

/// What a hub gives its projects.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct WorkspaceHubConfig {
    /// The id of the resource group in which projects are made.
    pub(crate) default_workspace_resource_group: Option<String>,
}

/// Where the workspaces of each storage account are in a list.
struct ByAccount(HashMap<ArmId, Vec<usize>>);

impl From<&[Workspace]> for ByAccount {
    fn from(list: &[Workspace]) -> Self {
        let mut places: HashMap<ArmId, Vec<usize>> = HashMap::new();
        for (at, workspace) in list.iter().enumerate() {
            if let Ok(account) = ArmId::parse(&workspace.properties.storage_account) {
                places.entry(account).or_default().push(at);
            }
        }
        Self(places)
    }
}

impl Listed<Workspace> {
    /// The workspaces whose default storage account this is, projects among them.
    pub(crate) fn on_account(&self, account: &ArmId) -> impl Iterator<Item = &Workspace> {
        let places = self.index::<ByAccount>().0.get(account).cloned().unwrap_or_default();
        places.into_iter().map(|at| &self.value[at])
    }
}

impl Workspace {
    /// Which of the known kinds it is; case does not matter.
    pub fn kind(&self) -> WorkspaceKind {
        let text = if self.kind_text.is_empty() { "default" } else { &self.kind_text };
        let is = |kind: &WorkspaceKind| kind.word().is_some_and(|word| word.eq_ignore_ascii_case(text));
        WorkspaceKind::KNOWN.into_iter().find(is).unwrap_or(WorkspaceKind::Other)
    }

    /// A list of workspaces of these kinds only. The fallback api-version does not know the parameter and lists all.
    pub(crate) fn of_kinds<I: Resource>(list: List<I>, kinds: &[WorkspaceKind]) -> List<I> {
        let words: Vec<_> = kinds.iter().filter_map(|kind| kind.word()).collect();
        list.query("kind", words.join(","))
    }

    /// Whether its provisioning state is a terminal one.
    pub(crate) fn has_settled(&self) -> bool {
        let state = self.properties.provisioning_state.to_ascii_lowercase();
        ["", "succeeded", "failed", "canceled"].contains(&state.as_str())
    }

    /// Whether it has what a GET always shows, and a short item of a list lacks (facts: azure.md §1.4).
    pub(crate) fn is_whole(&self) -> bool {
        self.properties.workspace_id.is_some()
    }

    /// Whether `account` is its storage account.
    pub(crate) fn is_on(&self, account: &ArmId) -> bool {
        ArmId::parse(&self.properties.storage_account).is_ok_and(|own| own == *account)
    }

    /// Whether its system datastores sign in with a key.
    pub(crate) fn is_on_keys(&self) -> bool {
        self.properties.system_datastores_auth_mode.kind() == AuthModeKind::AccessKey
    }

    /// Whether it keeps a key of `account`. A project follows its hub.
    pub(crate) fn uses_key_of(&self, account: &ArmId) -> bool {
        self.kind() != WorkspaceKind::Project && self.is_on_keys() && self.is_on(account)
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

/// Projects, of which a hub may have many, are not read by themselves.
impl Spared for Workspace {
    fn narrowed<I: Resource>(list: List<I>) -> List<I> {
        Self::of_kinds(list, &[WorkspaceKind::Hub, WorkspaceKind::Default])
    }
}

/// Members that the PATCH of the default api-version lacks, with a version whose PATCH has them (facts: azure.md §1.5, §9.6).
const OF_OTHER_VERSIONS: [(&str, &str); 2] =
    [("applicationInsights", FALLBACK_API_VERSION), ("networkAcls", "2024-10-01-preview")];

/// The pauses before a workspace is read again that should be gone.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

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
        let kept = self.reread(id, call).await?;
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

    /// Patches a workspace, and waits for the operations. Members that the PATCH of the default api-version lacks are sent each
    /// on its own, by a version that has it.
    ///
    /// # Errors
    /// See [`Error`].
    pub(crate) async fn patch_workspace(
        &self,
        id: &WorkspaceId,
        body: &Value,
        call: &Call,
    ) -> Result<Workspace, Error> {
        if self.api_version::<Workspace>() != Workspace::API_VERSION {
            return self.patch(id, body, call).await;
        }
        let mut rest = body.clone();
        let mut requests = Vec::new();
        for (member, version) in OF_OTHER_VERSIONS {
            let properties = rest.get_mut("properties").and_then(Value::as_object_mut);
            if let Some(value) = properties.and_then(|properties| properties.remove(member)) {
                let body = json!({ "properties": { member: value } });
                requests.push(Workspace::request(Method::PATCH, id, version).json(&body));
            }
        }
        if requests.is_empty() {
            return self.patch(id, body, call).await;
        }
        if let Some(members) = rest.as_object_mut() {
            members.retain(|_, value| value.as_object().is_none_or(|value| !value.is_empty()));
        }
        let mut has_changed = rest.as_object().is_some_and(|rest| !rest.is_empty());
        if has_changed {
            self.patch::<Workspace>(id, &rest, call).await?;
        }
        for request in requests {
            match self.operate(&request, call).await {
                Ok(_) => has_changed = true,
                // What was sent before has had its effect.
                Err(error) if has_changed && !error.may_have_had_effect() => return Err(request.uncertain(true, error)),
                Err(error) => return Err(error),
            }
        }
        self.reread(id, call).await
    }

    /// Reads a workspace after a PATCH that had its effect, which a failure must not hide.
    async fn reread(&self, id: &WorkspaceId, call: &Call) -> Result<Workspace, Error> {
        let read = self.get(id, Read::Fresh, call).await;
        read.map_err(|error| Workspace::request(Method::PATCH, id, Workspace::API_VERSION).accepted(error))
    }

    /// Deletes a workspace, for good if `purge`, and waits until it is not found any more, or is another one than `was` by its
    /// workspaceId. A purge also ends what an earlier deletion has kept of a workspace. False where Azure does not know of any.
    ///
    /// # Errors
    /// See [`Error`].
    pub(crate) async fn delete_workspace(
        &self,
        id: &WorkspaceId,
        was: Option<&str>,
        purge: bool,
        call: &Call,
    ) -> Result<bool, Error> {
        let delete = |version| async move {
            let request = Workspace::request(Method::DELETE, id, version);
            let request = if purge { request.query("forceToPurge", "true") } else { request };
            self.operate(&request, call).await
        };
        match self.at_version::<Workspace, _, _>(delete).await {
            Ok(_) => {}
            Err(error) if error.is_not_found() => return Ok(false),
            Err(error) => return Err(error),
        }
        // The end of the operation does not prove that the workspace is gone.
        let mut pause = FIRST_PAUSE;
        loop {
            match self.get::<Workspace>(id, Read::Fresh, call).await {
                Ok(found) if was.is_some() && found.properties.workspace_id.as_deref() != was => return Ok(true),
                Ok(_) => {}
                Err(error) if error.is_not_found() => return Ok(true),
                Err(error) => return Err(error),
            }
            self.pause(pause, "waiting for the workspace to be gone", call).await?;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Makes the workspace fetch the keys of its storage account, and waits for the operation.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn resync_keys(&self, id: &WorkspaceId, call: &Call) -> Result<(), Error> {
        let resync = |version| async move {
            let path = id.arm().path_below("/resyncKeys");
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
            r#"{"identity":{"userAssignedIdentities":{"/i":null}},"properties":{"associatedWorkspaces":[null],"networkAcls":{"ipRules":[null]}}}"#,
        ] {
            let workspace: Workspace = serde_json::from_str(body).unwrap();
            assert_eq!(workspace.kind(), WorkspaceKind::Default);
            assert_eq!(workspace.properties.system_datastores_auth_mode, AuthMode::access_key());
            assert_eq!(workspace.system_principal_id(), None);
        }
    }
}
