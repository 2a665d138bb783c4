//! `foundryhub_hub`: a hub by its id, or by its name and resource group.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::kind::Kind;
use crate::{
    arm::{
        self, ArmId, Call, ErrorCode, Read as Recency, ResourceGroupName, StorageAccountId, SubscriptionId,
        WorkspaceId, WorkspaceName,
        workspaces::{AuthMode, Workspace, WorkspaceKind},
    },
    framework::{
        Attr, Diagnostic, Diagnostics, Path, Type,
        context::Context,
        data_source::{DataSource, Read},
        resource::Resource as _,
        schema::{self, Attribute, Block, Presence},
        timeouts::{self, ReadTimeout},
    },
    provider::{
        Session, hub,
        key_states::KeyStates,
        report,
        resources::hub::{
            self as resource, Encryption, Location, ManagedIdentity, ManagedNetwork, NetworkAcls, PublicNetworkAccess,
            ServerlessCompute, WorkspaceHubConfig,
        },
    },
};

#[derive(Debug)]
pub(crate) struct Hub;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct State {
    id: Attr<WorkspaceId>,
    name: Attr<WorkspaceName>,
    resource_group_name: Attr<ResourceGroupName>,
    subscription_id: Attr<SubscriptionId>,
    location: Attr<Location>,
    kind: Attr<Kind>,
    storage_account_id: Attr<StorageAccountId>,
    system_datastores_auth_mode: Attr<AuthMode>,
    shared_access_key_enabled: Attr<bool>,
    key_vault_id: Attr<ArmId>,
    application_insights_id: Attr<ArmId>,
    container_registry_id: Attr<ArmId>,
    friendly_name: Attr<String>,
    description: Attr<String>,
    identity: Attr<ManagedIdentity>,
    primary_user_assigned_identity: Attr<ArmId>,
    public_network_access: Attr<PublicNetworkAccess>,
    network_acls: Attr<NetworkAcls>,
    managed_network: Attr<ManagedNetwork>,
    serverless_compute: Attr<ServerlessCompute>,
    image_build_compute: Attr<String>,
    high_business_impact_enabled: Attr<bool>,
    data_isolation_enabled: Attr<bool>,
    encryption: Attr<Encryption>,
    workspace_hub_config: Attr<WorkspaceHubConfig>,
    tags: Attr<BTreeMap<String, Attr<String>>>,
    workspace_id: Attr<String>,
    discovery_url: Attr<String>,
    project_ids: Attr<Vec<Attr<String>>>,
    timeouts: Attr<ReadTimeout>,
}

/// How long the read may take where the configuration does not say.
const READING: Duration = Duration::from_secs(5 * 60);

const DESCRIPTION: &str = "A hub, with the mode of its system datastores and whether its storage account accepts shared keys.

It is named by its id, or by its name and resource group. A workspace of kind `Default` can be read, too; a project cannot, \
and the error names its hub.

A storage account that does not exist, or that the caller may not read, is no failure: `shared_access_key_enabled` is null \
then, and a warning names the account.";

impl DataSource for Hub {
    type Client = Session;
    type State = State;

    fn name(&self) -> &'static str {
        "foundryhub_hub"
    }

    fn schema(&self) -> Block {
        let argument = |name, description| Attribute::optional(name, Type::String, description).or_computed();
        let mut attributes = vec![
            argument("id", "ARM id of the hub.").parsed::<WorkspaceId>(),
            argument("name", "Name of the hub, with `resource_group_name`.").parsed::<WorkspaceName>(),
            argument("resource_group_name", "Name of its resource group.").parsed::<ResourceGroupName>(),
            argument(
                "subscription_id",
                "GUID of its subscription. That of the provider block if the hub is named by its name.",
            )
            .parsed::<SubscriptionId>(),
            Attribute::computed("kind", Type::String, "`Hub` or `Default`.").parsed::<Kind>(),
        ];
        let of_resource = resource::Hub.schema().block.attributes;
        let shown = SHOWN.iter().map(|(name, description)| {
            let like = of_resource.iter().find(|attribute| attribute.name == *name);
            let mut shown = like.expect("the resource has it, too").clone();
            read_only(&mut shown);
            shown.description = description;
            shown
        });
        attributes.extend(shown);
        let blocks =
            vec![timeouts::block_of(&[("read", "For reading hub and storage account; 5 minutes if not set.")])];
        Block { description: DESCRIPTION, attributes, blocks }
    }

    fn validate(&self, config: &State) -> Diagnostics {
        let parts = [
            ("name", config.name.presence()),
            ("resource_group_name", config.resource_group_name.presence()),
            ("subscription_id", config.subscription_id.presence()),
        ];
        if config.id.is_null() {
            let [name, group, _] = parts;
            let missing = [name, group].into_iter().filter(|(_, presence)| presence.is_null());
            let error = |(missing, _)| {
                let detail = "Set id, or name and resource_group_name.";
                Diagnostic::error("The hub is not named", detail).at(Path::root(missing))
            };
            return missing.map(error).next().map(Diagnostics::from).unwrap_or_default();
        }
        let set = parts.into_iter().filter(|(_, presence)| !presence.is_null());
        let error = |(part, _)| {
            let detail = format!("id has all that names a hub. Remove {part}, or remove id.");
            Diagnostic::error("The hub is named twice", detail).at(Path::root(part))
        };
        set.map(error).collect()
    }

    async fn read(&self, context: Context<Session>, config: State) -> Read<State> {
        let session = context.client.ok_or_else(report::unconfigured)?;
        let allowed = timeouts::allowed(&config.timeouts, |timeouts| &timeouts.read, READING);
        let call = Call::new(context.cancel, allowed);
        let (id, named_by) = named(&config, &session, &call).await?;
        let found = session.arm.get::<Workspace>(&id, Recency::Fresh, &call).await;
        let hub = found.map_err(|error| not_read(&id, &error).at(Path::root(named_by)))?;
        let Some(kind) = Kind::of(hub.kind()) else { return Err(not_a_hub(&id, &hub).at(Path::root(named_by)).into()) };
        let mut key_states = KeyStates::new(session, call).fresh();
        let account = StorageAccountId::parse(&hub.properties.storage_account).ok();
        if account.is_none() {
            key_states.without_account(&id, &hub);
        }
        let mut data = data_of(&id, hub, kind);
        key_states.read(&account).await?;
        data.shared_access_key_enabled = account.and_then(|account| key_states.of(&account)).into();
        data.timeouts = config.timeouts;
        Ok((data, key_states.warning().map(Diagnostics::from).unwrap_or_default()))
    }
}

/// The attributes that the resource has, too, with what they are here.
const SHOWN: [(&str, &str); 24] = [
    ("location", "Its region, such as `eastus`."),
    ("storage_account_id", "ARM id of its default storage account."),
    (
        "system_datastores_auth_mode",
        "How its system datastores sign in to the storage account: `identity`, `accesskey` or `userdelegationsas`.",
    ),
    (
        "shared_access_key_enabled",
        "Whether the storage account accepts shared keys. Null where the account cannot be read.",
    ),
    ("key_vault_id", "ARM id of its key vault; null where Microsoft keeps the credentials."),
    ("application_insights_id", "ARM id of its Application Insights component."),
    ("container_registry_id", "ARM id of its container registry."),
    ("friendly_name", "The name that the portal shows."),
    ("description", "What it is for."),
    ("identity", "Its managed identities."),
    (
        "primary_user_assigned_identity",
        "ARM id of the user-assigned identity that it uses, where it has several identities.",
    ),
    ("public_network_access", "Whether public networks reach it: `Enabled` or `Disabled`."),
    ("network_acls", "Which addresses may reach it while public network access is enabled."),
    ("managed_network", "The network that Azure manages for its computes."),
    ("serverless_compute", "Where serverless computes run."),
    ("image_build_compute", "Name of the compute that builds images."),
    ("high_business_impact_enabled", "Whether Azure collects less data about it."),
    ("data_isolation_enabled", "Whether the data of its projects are kept apart on the storage account."),
    ("encryption", "The customer's key for what Azure stores about it; null with a key of Microsoft."),
    ("workspace_hub_config", "What it gives its projects."),
    ("tags", "All its tags."),
    ("workspace_id", "Azure's GUID of it."),
    ("discovery_url", "The address at which clients look up its services."),
    ("project_ids", "ARM ids of its projects."),
];

/// Makes it an attribute of which nothing can be configured.
fn read_only(attribute: &mut Attribute) {
    if let schema::Kind::Nested(_, inner) = &mut attribute.kind {
        inner.iter_mut().for_each(read_only);
    }
    attribute.presence = Presence::Computed;
    attribute.default = None;
    attribute.is_setting = false;
    attribute.requires_replace = false;
}

/// The id of the hub, and the argument that it is known by.
async fn named(config: &State, session: &Session, call: &Call) -> Result<(WorkspaceId, &'static str), Diagnostic> {
    if let Some(id) = config.id.known() {
        return Ok((id.clone(), "id"));
    }
    let subscription = session.subscription_to_read(&config.subscription_id, call).await?;
    let part = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let (group, name) = (part(config.resource_group_name.text()), part(config.name.text()));
    let id = WorkspaceId::new(subscription.as_str(), &group, &name);
    Ok((id.map_err(|error| schema::Refusal::from(error).error("name"))?, "name"))
}

fn data_of(id: &WorkspaceId, hub: Workspace, kind: Kind) -> State {
    // As Azure writes it, whatever the hub was named by.
    let id = WorkspaceId::parse(&hub.id).unwrap_or_else(|_| id.clone());
    let resource::State {
        id,
        name,
        resource_group_name,
        subscription_id,
        location,
        storage_account_id,
        key_vault_id,
        application_insights_id,
        container_registry_id,
        description,
        identity,
        primary_user_assigned_identity,
        public_network_access,
        network_acls,
        managed_network,
        serverless_compute,
        image_build_compute,
        high_business_impact_enabled,
        data_isolation_enabled,
        encryption,
        workspace_hub_config,
        workspace_id,
        discovery_url,
        project_ids,
        ..
    } = resource::State::of(&id, &hub);
    State {
        id,
        name,
        resource_group_name,
        subscription_id,
        location,
        kind: kind.into(),
        storage_account_id,
        // In the words of the documentation, since HCL compares with regard to case.
        system_datastores_auth_mode: hub.properties.system_datastores_auth_mode.documented().into(),
        shared_access_key_enabled: Attr::Null,
        key_vault_id,
        application_insights_id,
        container_registry_id,
        friendly_name: hub.properties.friendly_name.filter(|name| !name.is_empty()).into(),
        description,
        identity,
        primary_user_assigned_identity,
        public_network_access,
        network_acls,
        managed_network,
        serverless_compute,
        image_build_compute,
        high_business_impact_enabled,
        data_isolation_enabled,
        encryption,
        workspace_hub_config,
        tags: hub.tags.into_iter().map(|(name, value)| (name, value.into())).collect::<BTreeMap<_, _>>().into(),
        workspace_id,
        discovery_url,
        project_ids,
        timeouts: Attr::Null,
    }
}

fn not_read(id: &WorkspaceId, error: &arm::Error) -> Diagnostic {
    if error.is_not_found() || error.code() == Some(&ErrorCode::SubscriptionNotFound) {
        let next = "Check how the hub is named; the data source foundryhub_hubs has those that the caller may read.";
        return Diagnostic::error(
            "The hub does not exist",
            format!("There is no {id}.\n\n{}", report::explain(error, next)),
        );
    }
    hub::not_readable(id, error)
}

fn not_a_hub(id: &WorkspaceId, found: &Workspace) -> Diagnostic {
    let of = found.properties.hub_resource_id.as_deref().filter(|id| !id.is_empty());
    let detail = match (found.kind(), of) {
        (WorkspaceKind::Project, Some(of)) => format!("{id} is a project. Name its hub instead:\n{of}"),
        _ => {
            format!("{id} is a workspace of kind {:?}, which has no storage authorization of its own.", found.kind_text)
        }
    };
    Diagnostic::error("Not a hub", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_the_resource_has_of_azure_is_shown() {
        let settings = [
            "access_check",
            "access_check_principal_ids",
            "access_check_stop_on",
            "access_check_ignore_ids",
            "force_destroy",
            "purge_on_destroy",
        ];
        let own = Hub.schema().attributes;
        for attribute in resource::Hub.schema().block.attributes.iter().filter(|it| !settings.contains(&it.name)) {
            assert!(own.iter().any(|own| own.name == attribute.name), "{} is missing", attribute.name);
        }
    }
}
