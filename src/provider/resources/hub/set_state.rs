//! What the service has of a hub, as an object of the state.

use std::collections::BTreeMap;

use super::{
    schema::{Encryption, ManagedIdentity, ManagedNetwork, NetworkAcls, ServerlessCompute, State, WorkspaceHubConfig},
    words::{DefaultAction, IsolationMode, Location, PublicNetworkAccess},
};
use crate::{
    arm::{
        ArmId, StorageAccountId, WorkspaceId,
        workspaces::{self, Workspace, WorkspaceProperties},
    },
    framework::Attr,
    provider::principal::PrincipalId,
};

impl State {
    /// The object of a hub that is not in a state yet, with everything that the service has of it.
    pub(crate) fn of(id: &WorkspaceId, hub: &Workspace) -> Self {
        let tags = hub.tags.keys().map(|name| (name.clone(), Attr::Null)).collect::<BTreeMap<_, _>>();
        let mut state = Self { tags: Attr::Known(tags), ..Self::default() };
        state.set_service(id, hub);
        if hub.tags.is_empty() {
            state.tags = Attr::Null;
        }
        state
    }

    /// Sets everything that the service has of a hub, as it is now.
    pub(super) fn set_service(&mut self, id: &WorkspaceId, hub: &Workspace) {
        let has = &hub.properties;
        self.set_id(id);
        self.location = Location::from(hub.location.as_str()).into();
        self.storage_account_id = StorageAccountId::parse(&has.storage_account).ok().into();
        self.key_vault_id = id_of(&has.key_vault);
        self.application_insights_id = id_of(&has.application_insights);
        self.container_registry_id = id_of(&has.container_registry);
        self.system_datastores_auth_mode = has.system_datastores_auth_mode.clone().into();
        // Azure shows the hub's name where nobody has set another one.
        let default_name = has.friendly_name.as_deref() == Some(&hub.name) && self.friendly_name.is_null();
        self.friendly_name = if default_name { Attr::Null } else { text(&has.friendly_name) };
        self.description = text(&has.description);
        self.identity = identity(&self.identity, &hub.identity);
        self.primary_user_assigned_identity = id_of(&has.primary_user_assigned_identity);
        let access = has.public_network_access.as_deref().unwrap_or("Enabled");
        self.public_network_access = PublicNetworkAccess::from(access).into();
        self.network_acls = network_acls(&self.network_acls, has);
        let mode = has.managed_network.isolation_mode.as_deref().unwrap_or("Disabled");
        self.managed_network = ManagedNetwork { isolation_mode: IsolationMode::from(mode).into() }.into();
        self.serverless_compute = serverless_compute(has);
        self.image_build_compute = text(&has.image_build_compute);
        self.encryption = encryption(has);
        let hbi = has.hbi_workspace.unwrap_or_default();
        // Azure turns it on with encryption, whatever was asked for.
        let is_azures = hbi && self.is_encrypted() && self.high_business_impact_enabled.known().is_some();
        if !is_azures {
            self.high_business_impact_enabled = hbi.into();
        }
        // An api-version that does not show it tells nothing.
        if has.enable_data_isolation.is_some() || self.data_isolation_enabled.is_unknown() {
            self.data_isolation_enabled = has.enable_data_isolation.into();
        }
        let group = has.workspace_hub_config.as_ref().map(|config| id_of(&config.default_workspace_resource_group));
        let group = group.filter(|group| !group.is_null());
        self.workspace_hub_config =
            group.map(|group| WorkspaceHubConfig { default_workspace_resource_group: group }).into();
        self.tags = declared_tags(&self.tags, hub);
        self.set_computed(hub);
    }

    /// Whether the service has nothing else than this.
    pub(super) fn is_as(&self, id: &WorkspaceId, hub: &Workspace) -> bool {
        let mut now = self.clone();
        now.set_service(id, hub);
        now == *self
    }

    /// Sets the id and its parts.
    pub(super) fn set_id(&mut self, id: &WorkspaceId) {
        self.id = id.clone().into();
        self.name = id.name().parse().ok().into();
        self.resource_group_name = id.resource_group().parse().ok().into();
        self.subscription_id = id.subscription().parse().ok().into();
    }

    /// Sets what only the service has.
    fn set_computed(&mut self, hub: &Workspace) {
        self.workspace_id = text(&hub.properties.workspace_id);
        self.discovery_url = text(&hub.properties.discovery_url);
        let mut projects: Vec<_> = hub.properties.associated_workspaces.iter().map(|id| id.clone().into()).collect();
        // The order of a set in a state.
        projects.sort();
        self.project_ids = Attr::Known(projects);
    }

    /// The planned object of an update with the prior value of what the configuration leaves empty (`""`), which a plan
    /// brings as unknown.
    pub(super) fn with_left_out(mut self, prior: &Self) -> Self {
        macro_rules! keep {
            ($($name:ident),+) => {
                $(if self.$name.is_unknown() {
                    self.$name = prior.$name.clone();
                })+
            };
        }
        keep!(subscription_id, application_insights_id, container_registry_id, system_datastores_auth_mode);
        self
    }

    /// Whether a value is only known from the hub, as the configuration had an empty text for it.
    pub(super) fn lacks_what_was_left_empty(&self) -> bool {
        self.application_insights_id.is_unknown()
            || self.container_registry_id.is_unknown()
            || self.system_datastores_auth_mode.is_unknown()
    }

    /// The planned object with what was left unknown in it, from the hub as it is.
    pub(super) fn completed(mut self, id: &WorkspaceId, hub: &Workspace) -> Self {
        let mut now = self.clone();
        now.set_service(id, hub);
        macro_rules! complete {
            ($($name:ident),+) => {
                $(if self.$name.is_unknown() {
                    self.$name = now.$name;
                })+
            };
        }
        if let (Attr::Known(planned), Attr::Known(now)) = (&mut self.identity, &now.identity) {
            if planned.principal_id.is_unknown() {
                planned.principal_id = now.principal_id.clone();
            }
            if planned.tenant_id.is_unknown() {
                planned.tenant_id = now.tenant_id.clone();
            }
        }
        complete!(
            subscription_id,
            system_datastores_auth_mode,
            application_insights_id,
            container_registry_id,
            high_business_impact_enabled,
            data_isolation_enabled,
            workspace_hub_config,
            workspace_id,
            discovery_url,
            project_ids
        );
        self
    }
}

fn text(text: &Option<String>) -> Attr<String> {
    text.clone().filter(|text| !text.is_empty()).into()
}

fn id_of(text: &Option<String>) -> Attr<ArmId> {
    text.as_deref().and_then(|text| ArmId::parse(text).ok()).into()
}

/// The tags that the state declares, with their values now. One that is gone, or has no value, is left out.
fn declared_tags(
    declared: &Attr<BTreeMap<String, Attr<String>>>,
    hub: &Workspace,
) -> Attr<BTreeMap<String, Attr<String>>> {
    let Some(declared) = declared.known() else { return Attr::Null };
    let now: BTreeMap<String, &Option<String>> =
        hub.tags.iter().map(|(name, value)| (name.to_lowercase(), value)).collect();
    let value = |name: &String| Some((*now.get(&name.to_lowercase())?).clone()?.into());
    let tags = declared.keys().filter_map(|name| Some((name.clone(), value(name)?)));
    Attr::Known(tags.collect())
}

fn identity(before: &Attr<ManagedIdentity>, now: &workspaces::Identity) -> Attr<ManagedIdentity> {
    let Ok(kind) = now.identity_type.parse() else { return Attr::Null };
    let ids: Vec<Attr<ArmId>> =
        now.user_assigned_identities.keys().filter_map(|id| ArmId::parse(id).ok()).map(Attr::Known).collect();
    let was_empty = before.known().and_then(|before| before.identity_ids.known()).is_some_and(Vec::is_empty);
    let principal_id = now.principal_id.as_deref().filter(|id| !id.is_empty());
    let identity = ManagedIdentity {
        kind: Attr::Known(kind),
        identity_ids: if ids.is_empty() && !was_empty { Attr::Null } else { Attr::Known(ids) },
        principal_id: principal_id.map(PrincipalId::from).into(),
        tenant_id: text(&now.tenant_id),
    };
    identity.into()
}

/// The rules, unless they allow everything and nobody has set any. An api-version that does not show them tells nothing.
fn network_acls(before: &Attr<NetworkAcls>, has: &WorkspaceProperties) -> Attr<NetworkAcls> {
    let Some(acls) = &has.network_acls else { return before.clone() };
    let action = DefaultAction::from(acls.default_action.as_deref().unwrap_or("Allow"));
    if before.is_null() && acls.ip_rules.is_empty() && action.is("Allow") {
        return Attr::Null;
    }
    let was_null = before.known().is_none_or(|before| before.ip_rules.is_null());
    let rules: Vec<_> = acls.ip_rules.iter().map(|rule| rule.value.clone().into()).collect();
    let ip_rules = if rules.is_empty() && was_null { Attr::Null } else { Attr::Known(rules) };
    NetworkAcls { default_action: action.into(), ip_rules }.into()
}

fn serverless_compute(has: &WorkspaceProperties) -> Attr<ServerlessCompute> {
    let Some(settings) = &has.serverless_compute_settings else { return Attr::Null };
    let public_ip_enabled = !settings.no_public_ip.unwrap_or_default();
    let subnet_id = id_of(&settings.serverless_compute_custom_subnet);
    ServerlessCompute { subnet_id, public_ip_enabled: public_ip_enabled.into() }.into()
}

fn encryption(has: &WorkspaceProperties) -> Attr<Encryption> {
    let enabled = |found: &&workspaces::Encryption| {
        found.status.as_deref().is_some_and(|status| status.eq_ignore_ascii_case("Enabled"))
    };
    let Some(found) = has.encryption.as_ref().filter(enabled) else { return Attr::Null };
    Encryption {
        key_vault_id: id_of(&found.key_vault_properties.key_vault_arm_id),
        key_id: text(&found.key_vault_properties.key_identifier),
        user_assigned_identity_id: id_of(&found.identity.user_assigned_identity),
    }
    .into()
}
