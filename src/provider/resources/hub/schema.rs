//! The resource in HCL.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::words::{
    AddressRange, DefaultAction, IdentityType, IsolationMode, Location, PublicNetworkAccess, check_key,
};
use crate::{
    arm::{
        ArmId, ResourceGroupName, StorageAccountId, SubscriptionId, WorkspaceId, WorkspaceName, workspaces::AuthMode,
    },
    framework::{
        Attr, Type,
        schema::{Attribute, Block, IdentityAttribute, IdentitySchema, Nesting, Presence, Schema},
        timeouts::{self, Period, Timeouts},
    },
    provider::{
        access::{self, AccessCheck, FindingCode, Requirements},
        principal::PrincipalId,
        properties::Properties,
    },
};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    pub id: Attr<WorkspaceId>,
    pub name: Attr<WorkspaceName>,
    pub resource_group_name: Attr<ResourceGroupName>,
    pub subscription_id: Attr<SubscriptionId>,
    pub location: Attr<Location>,
    pub storage_account_id: Attr<StorageAccountId>,
    pub key_vault_id: Attr<ArmId>,
    pub application_insights_id: Attr<ArmId>,
    pub container_registry_id: Attr<ArmId>,
    pub system_datastores_auth_mode: Attr<AuthMode>,
    pub shared_access_key_enabled: Attr<bool>,
    pub access_check: Attr<AccessCheck>,
    pub access_check_principal_ids: Attr<Vec<Attr<PrincipalId>>>,
    pub access_check_stop_on: Attr<Vec<Attr<FindingCode>>>,
    pub access_check_ignore_ids: Attr<Vec<Attr<ArmId>>>,
    pub friendly_name: Attr<String>,
    pub description: Attr<String>,
    pub identity: Attr<ManagedIdentity>,
    pub primary_user_assigned_identity: Attr<ArmId>,
    pub public_network_access: Attr<PublicNetworkAccess>,
    pub network_acls: Attr<NetworkAcls>,
    pub managed_network: Attr<ManagedNetwork>,
    pub serverless_compute: Attr<ServerlessCompute>,
    pub image_build_compute: Attr<String>,
    pub high_business_impact_enabled: Attr<bool>,
    pub data_isolation_enabled: Attr<bool>,
    pub encryption: Attr<Encryption>,
    pub workspace_hub_config: Attr<WorkspaceHubConfig>,
    pub tags: Attr<BTreeMap<String, Attr<String>>>,
    pub force_destroy: Attr<bool>,
    pub purge_on_destroy: Attr<bool>,
    pub workspace_id: Attr<String>,
    pub discovery_url: Attr<String>,
    pub project_ids: Attr<Vec<Attr<String>>>,
    pub timeouts: Attr<Timeouts>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ManagedIdentity {
    #[serde(rename = "type")]
    pub kind: Attr<IdentityType>,
    pub identity_ids: Attr<Vec<Attr<ArmId>>>,
    pub principal_id: Attr<PrincipalId>,
    pub tenant_id: Attr<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct NetworkAcls {
    pub default_action: Attr<DefaultAction>,
    pub ip_rules: Attr<Vec<Attr<String>>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ManagedNetwork {
    pub isolation_mode: Attr<IsolationMode>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ServerlessCompute {
    pub subnet_id: Attr<ArmId>,
    pub public_ip_enabled: Attr<bool>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Encryption {
    pub key_vault_id: Attr<ArmId>,
    pub key_id: Attr<String>,
    pub user_assigned_identity_id: Attr<ArmId>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct WorkspaceHubConfig {
    pub default_workspace_resource_group: Attr<ArmId>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub id: String,
}

/// How long operations may take where the configuration does not say. A hub with a managed network takes more than half an
/// hour (facts: azure.md §9.8).
pub(super) const READING: Duration = Duration::from_secs(5 * 60);
pub(super) const WRITING: Duration = Duration::from_secs(60 * 60);

/// How long the access check waits for the platform once a hub is switched to identity.
const PLATFORM_GRANT_TIMEOUT: Duration = Duration::from_secs(5 * 60);

pub(super) const TYPE: &str = "foundryhub_hub";

const DESCRIPTION: &str = "Manages an Azure AI Foundry hub, which signs in to its storage account with Microsoft Entra identities from the start.

Attributes are called as in `azurerm_ai_foundry`; groups of them are nested attributes (`identity = { … }`). \
`system_datastores_auth_mode` and `shared_access_key_enabled` are what a hub without shared keys needs. With \
`shared_access_key_enabled = false` the storage account is changed before the hub is created, and put back if Azure refuses the \
hub. Destroying the hub never enables shared keys again. People who work with the hub's data need roles on the storage \
account: `foundryhub_role_assignment` with `storage_account_id` assigns them before the hub exists.

An update sends only what has changed, so that what others have set meanwhile stays. Some changes are one-way, and refused \
when they are planned. A container registry that Azure attaches by itself and tags that a policy adds are no changes.

Destroying a hub deletes its projects as well, without asking, so that it stops as long as there are any, unless \
`force_destroy` is set. A deleted hub keeps its name for 14 days, unless `purge_on_destroy` is set.

If a run is killed after Azure has made the hub and before the state has it, the next one says that it exists, and how to \
import it.

A `foundryhub_storage_auth` of the same hub may stand beside this resource, with the same mode; only one of the two may set \
`shared_access_key_enabled`.";

pub(super) fn schema() -> Schema {
    let flag = |name, description| Attribute::optional(name, Type::Bool, description);
    let text = |name, description| Attribute::optional(name, Type::String, description);
    let required = |name, description| Attribute::required(name, Type::String, description);
    let computed = |name, description| Attribute::computed(name, Type::String, description);
    let nested = |name, presence, attributes, description| {
        Attribute::nested(name, Nesting::Single, presence, attributes, description)
    };
    let attributes = vec![
        computed("id", "The ARM id of the hub.").parsed::<WorkspaceId>(),
        required("name", "The hub's name: 3 to 33 letters, digits, hyphens and underscores.")
            .parsed::<WorkspaceName>()
            .replaces(),
        required("resource_group_name", "The resource group of the hub.")
            .parsed::<ResourceGroupName>()
            .replaces(),
        text("subscription_id", "The subscription of the hub; that of the provider if not set.")
            .or_computed()
            .parsed::<SubscriptionId>()
            .replaces(),
        required("location", "The region, such as `eastus`.").parsed::<Location>().replaces(),
        required("storage_account_id", "ARM id of the hub's default storage account.").parsed::<StorageAccountId>().replaces(),
        text("key_vault_id", "ARM id of the key vault for the hub's credentials. Without one Microsoft keeps them.")
            .parsed::<ArmId>()
            .replaces(),
        text(
            "application_insights_id",
            "ARM id of the Application Insights component. It can be replaced by another one and not be removed; jobs that \
             have run already lose their connection to what they have logged.",
        )
        .or_computed()
        .parsed::<ArmId>(),
        text(
            "container_registry_id",
            "ARM id of the container registry. If not set, Azure attaches one when it first builds an image. It can be \
             replaced by another one and not be removed.",
        )
        .or_computed()
        .parsed::<ArmId>(),
        text(
            "system_datastores_auth_mode",
            "How the hub's system datastores sign in to the storage account: `identity` or `accesskey`. A new hub gets \
             `identity` if it is not set; an existing one, also when it is imported or moved here, keeps what it has. \
             `userdelegationsas` is accepted too; it is undocumented and has been seen to fail.",
        )
        .or_computed()
        .parsed::<AuthMode>(),
        flag(
            "shared_access_key_enabled",
            "Whether the storage account accepts shared keys (`allowSharedKeyAccess`). If not set it is only read; once set \
             it is enforced, and removing it stops that without changing the account, as does destroying the hub.",
        )
        .or_computed(),
        text(
            "access_check",
            "What to do when somebody would lose access because shared keys are disabled or the hub stops using them: `warn`, \
             `enforce` (a plan only warns; the apply stops before it changes anything, or with shared keys still enabled), or \
             `off` (no check).",
        )
        .setting("warn")
        .parsed::<AccessCheck>(),
        Attribute::optional(
            "access_check_principal_ids",
            Type::set(Type::String),
            access::PRINCIPAL_IDS,
        )
        .parsed::<PrincipalId>(),
        Attribute::optional(
            "access_check_stop_on",
            Type::set(Type::String),
            "Codes of findings that stop the change, too, where `access_check` is `enforce`, such as `terraform_state`. The guide \
             \"Before keys go off\" has all codes.",
        )
        .parsed::<FindingCode>(),
        Attribute::optional(
            "access_check_ignore_ids",
            Type::set(Type::String),
            access::IGNORE_IDS,
        )
        .parsed::<ArmId>(),
        text("friendly_name", "The name that the portal shows."),
        text("description", "What the hub is for."),
        nested(
            "identity",
            Presence::OptionalComputed,
            vec![
                required("type", "`SystemAssigned`, `UserAssigned` or `SystemAssigned, UserAssigned`. User-assigned identities cannot be given up again for a system-assigned one alone.")
                    .parsed::<IdentityType>(),
                Attribute::optional("identity_ids", Type::set(Type::String), "ARM ids of the user-assigned identities.")
                    .parsed::<ArmId>(),
                computed("principal_id", "Object id of the system-assigned identity, if the hub has one.")
                    .parsed::<PrincipalId>(),
                computed("tenant_id", "Tenant of the system-assigned identity."),
            ],
            "The managed identities of the hub; `SystemAssigned` if not set. Azure assigns a system-assigned one the roles \
             that it needs; those of user-assigned ones are yours to assign.",
        ),
        text(
            "primary_user_assigned_identity",
            "ARM id of the user-assigned identity that the hub uses, one of `identity.identity_ids`.",
        )
        .parsed::<ArmId>(),
        text("public_network_access", "Whether public networks reach the hub: `Enabled` or `Disabled`.")
            .default("Enabled")
            .parsed::<PublicNetworkAccess>(),
        nested(
            "network_acls",
            Presence::Optional,
            vec![
                required("default_action", "What happens to addresses that no rule has: `Allow` or `Deny`.")
                    .parsed::<DefaultAction>(),
                Attribute::optional(
                    "ip_rules",
                    Type::set(Type::String),
                    "IPv4 addresses, or ranges in CIDR notation, that may reach the hub.",
                )
                .parsed::<AddressRange>(),
            ],
            "Which addresses may reach the hub while public network access is enabled. It is in preview at Azure, and read only where Azure shows it.",
        ),
        nested(
            "managed_network",
            Presence::OptionalComputed,
            vec![
                required(
                    "isolation_mode",
                    "`Disabled`, `AllowInternetOutbound` or `AllowOnlyApprovedOutbound`. It can change in this order only, and \
                     never back.",
                )
                .parsed::<IsolationMode>(),
            ],
            "The network that Azure manages for the hub's computes; a new hub has none if not set.",
        ),
        nested(
            "serverless_compute",
            Presence::Optional,
            vec![
                text("subnet_id", "ARM id of the subnet of serverless computes.").parsed::<ArmId>(),
                flag("public_ip_enabled", "Whether serverless computes have public addresses.").default(false),
            ],
            "Where serverless computes run.",
        ),
        text("image_build_compute", "Name of the compute that builds images, which a hub with an isolated network needs."),
        flag(
            "high_business_impact_enabled",
            "Whether Azure collects less data about the hub. Azure turns it on by itself with `encryption`.",
        )
        .or_computed()
        .replaces(),
        flag(
            "data_isolation_enabled",
            "Whether the data of the hub's projects are kept apart on its storage account, which Azure does unless told \
             otherwise. It is fixed when the hub is created.",
        )
        .or_computed(),
        nested(
            "encryption",
            Presence::Optional,
            vec![
                required("key_vault_id", "ARM id of the key vault, in the hub's region, with purge protection.")
                    .parsed::<ArmId>()
                    .replaces(),
                required("key_id", "URL of the key with its version. Another version or key of the same vault changes in place.")
                    .check(check_key),
                text("user_assigned_identity_id", "ARM id of the user-assigned identity that reads the key.")
                    .parsed::<ArmId>()
                    .replaces(),
            ],
            "A key of yours for what Azure stores about the hub. Adding or removing it replaces the hub.",
        ),
        nested(
            "workspace_hub_config",
            Presence::OptionalComputed,
            vec![
                required("default_workspace_resource_group", "ARM id of the resource group in which projects are created.")
                    .parsed::<ArmId>()
                    .replaces(),
            ],
            "What the hub gives its projects; projects are created in the hub's resource group if not set.",
        ),
        Attribute::optional(
            "tags",
            Type::map(Type::String),
            "Tags. Only those that are set here are compared and changed, so that policies may add others.",
        ),
        flag(
            "force_destroy",
            "Whether destroying or replacing the hub may delete its projects, which goes without asking.",
        )
        .setting(false),
        flag(
            "purge_on_destroy",
            "Whether destroying the hub deletes it for good. Otherwise Azure keeps it for 14 days, in which no other hub \
             can have its name. If set, a creation also purges a deleted hub of this name that stands in the way.",
        )
        .setting(false),
        computed("workspace_id", "Azure's GUID of the hub."),
        computed("discovery_url", "The address at which clients look up the hub's services."),
        Attribute::computed("project_ids", Type::set(Type::String), "ARM ids of the hub's projects."),
    ];
    let blocks = vec![timeouts::block([
        "For creating the hub; 60 minutes if not set.",
        "For reading hub and storage account; 5 minutes if not set.",
        "For changes; 60 minutes if not set.",
        "For deleting the hub; 60 minutes if not set.",
    ])];
    Schema { version: 0, block: Block { description: DESCRIPTION, attributes, blocks } }
}

pub(super) fn identity_schema() -> IdentitySchema {
    let id = IdentityAttribute {
        name: "id",
        ty: Type::String,
        required_for_import: true,
        description: "ARM id of the hub.",
    };
    IdentitySchema::new(0, vec![id])
}

impl State {
    /// Mode and keys, as far as they are known.
    pub(super) fn properties(&self) -> Properties {
        Properties {
            mode: self.system_datastores_auth_mode.known().cloned(),
            shared_keys: self.shared_access_key_enabled.known().copied(),
        }
    }

    /// The requirements of the access check.
    pub(super) fn requirements(&self) -> Requirements {
        let requirements = Requirements::of(&self.access_check_principal_ids, &self.access_check_ignore_ids)
            .checked(&self.access_check, &self.access_check_stop_on);
        Requirements { platform_grant_timeout: PLATFORM_GRANT_TIMEOUT, ..requirements }
    }

    pub(super) fn timeout(&self, which: impl Fn(&Timeouts) -> &Attr<Period>, default: Duration) -> Duration {
        timeouts::allowed(&self.timeouts, which, default)
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.encryption.known().is_some()
    }
}
