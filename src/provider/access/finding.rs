//! What an access check has found, as data.

use super::{
    holdings::Doubt,
    key_user::{KeyUser, Maker, StoredCredential},
};
use crate::{
    arm::{ArmId, Error, StorageAccountId, WorkspaceId, policy_restrictions::Policy, vaults::Lacking},
    framework::one_of,
    provider::roles::Role,
};

/// A reason why something loses access to data, or may lose it, once shared keys are disabled.
#[derive(Clone, Debug)]
pub(crate) enum Finding {
    /// Somebody lacks roles on the account.
    Lacks { principal: Principal, roles: Vec<Role> },
    /// Somebody may lack roles on the account; `doubts` says why they may hold them all the same.
    NotVerifiable { principal: Principal, roles: Vec<Role>, doubts: Vec<Doubt> },
    /// No user and no group can work with the data, which may be intended.
    NobodyHoldsRoles,
    /// The hub has no system-assigned identity, and which of its other identities it uses is not known. With their object
    /// ids.
    HubIdentityUnknown { candidates: Vec<String> },
    /// Other workspaces use the account's keys, and this run is not known to switch them. `hubs` counts this hub and all
    /// others on the account.
    OthersUseKeys { others: Vec<ArmId>, hubs: usize },
    /// Other workspaces use the account's keys: this run failed to switch them.
    OthersNotSwitched { others: Vec<ArmId> },
    /// Other workspaces use the account's keys: this run is still switching them.
    OthersBeingSwitched { others: Vec<ArmId> },
    /// System datastores of the hub still use the account's key although the hub does not.
    SystemDatastoresUseKeys { names: Vec<String> },
    /// Something else that needs the account's keys, or may.
    UsesKeys(KeyUser),
    /// The user-assigned identity of the hub lacks roles elsewhere, or may lack them where there are doubts.
    IdentityRoles { identity: String, scope: ArmId, roles: Vec<Role>, doubts: Vec<Doubt> },
    /// It lacks permissions in a vault that uses access policies, by the kind of what they are for, unless it is a member of
    /// groups that have them.
    VaultPermissions { identity: String, vault: ArmId, lacking: Vec<Lacking>, perhaps_by_groups: bool },
    /// The account has no public network access, and an identity of the hub cannot read this private endpoint, or perhaps
    /// cannot where there are doubts.
    PrivateEndpoint { identity: Principal, endpoint: ArmId, doubts: Vec<Doubt> },
    /// Policies would refuse to enable shared keys again.
    PolicyRefusesKeys { policies: Vec<Policy> },
    /// A list that the check needs could not be read at this scope.
    NotReadable { list: List, scope: String, error: Error },
}

/// Somebody who needs roles on the account, by their object id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Principal {
    /// One of those that the configuration names.
    Required(String),
    /// The hub's system-assigned identity, whose role the platform assigns.
    SystemIdentity(String),
    /// The user-assigned identity that a hub without a system-assigned one uses.
    AssignedIdentity(String),
    /// The primary user-assigned identity of a hub that has a system-assigned one too. Which of the two reaches the storage
    /// is not established.
    PrimaryIdentity(String),
}

impl Principal {
    pub(crate) fn id(&self) -> &str {
        let (Self::Required(id) | Self::SystemIdentity(id) | Self::AssignedIdentity(id) | Self::PrimaryIdentity(id)) =
            self;
        id
    }
}

/// What is read to find something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    /// No list, but the account itself.
    Account,
    /// The role assignments in force on the account.
    RoleAssignments,
    Workspaces,
    /// The four datastores that follow the hub.
    SystemDatastores,
    /// All other datastores of a hub or project.
    Datastores,
    Connections,
    Computes,
    Containers,
    Shares,
    /// The roles of an identity in a subscription.
    IdentityRoles,
    Vault,
    PrivateEndpoints,
    PolicyRestrictions,
}

one_of! {
    /// The stable name of a kind of finding.
    pub(crate) enum FindingCode {
        PrincipalLacksRoles = "principal_lacks_roles",
        PrincipalNotVerifiable = "principal_not_verifiable",
        HubIdentityLacksRoles = "hub_identity_lacks_roles",
        HubIdentityNotVerifiable = "hub_identity_not_verifiable",
        PrimaryIdentityLacksRoles = "primary_identity_lacks_roles",
        PrimaryIdentityNotVerifiable = "primary_identity_not_verifiable",
        HubIdentityUnknown = "hub_identity_unknown",
        NobodyHoldsRoles = "nobody_holds_roles",
        OtherWorkspacesUseKeys = "other_workspaces_use_keys",
        OtherWorkspacesNotSwitched = "other_workspaces_not_switched",
        OtherWorkspacesBeingSwitched = "other_workspaces_being_switched",
        SystemDatastoresUseKeys = "system_datastores_use_keys",
        DatastoreHoldsKey = "datastore_holds_key",
        DatastoreHoldsSas = "datastore_holds_sas",
        ConnectionHoldsKey = "connection_holds_key",
        ConnectionHoldsSas = "connection_holds_sas",
        TerraformState = "terraform_state",
        Functions = "functions",
        DeploymentScripts = "deployment_scripts",
        CloudShell = "cloud_shell",
        DiagnosticSettings = "diagnostic_settings",
        ComputeMountsWithKey = "compute_mounts_with_key",
        AssignedIdentityLacksRoles = "assigned_identity_lacks_roles",
        AssignedIdentityNotVerifiable = "assigned_identity_not_verifiable",
        PrivateEndpointLacksReader = "private_endpoint_lacks_reader",
        PrivateEndpointNotVerifiable = "private_endpoint_not_verifiable",
        PolicyRefusesKeys = "policy_refuses_keys",
        RoleAssignmentsNotReadable = "role_assignments_not_readable",
        WorkspacesNotReadable = "workspaces_not_readable",
        SystemDatastoresNotReadable = "system_datastores_not_readable",
        DatastoresNotReadable = "datastores_not_readable",
        ConnectionsNotReadable = "connections_not_readable",
        ComputesNotReadable = "computes_not_readable",
        ContainersNotReadable = "containers_not_readable",
        SharesNotReadable = "shares_not_readable",
        AccountNotReadable = "account_not_readable",
        IdentityRolesNotReadable = "identity_roles_not_readable",
        VaultNotReadable = "vault_not_readable",
        PrivateEndpointsNotReadable = "private_endpoints_not_readable",
        PolicyRestrictionsNotReadable = "policy_restrictions_not_readable",
    }
}

one_of! {
    /// How much is known of a finding, and how much it matters.
    pub(crate) enum FindingSeverity {
        /// It is certain to break work without shared keys.
        Error = "error",
        /// It may break work.
        Warning = "warning",
        /// Whether it breaks work could not be seen.
        Unverified = "unverified",
    }
}

impl FindingCode {
    pub(super) fn of_key_user(user: &KeyUser) -> Self {
        match user {
            KeyUser::Datastore { credential: StoredCredential::Key, .. } => Self::DatastoreHoldsKey,
            KeyUser::Datastore { credential: StoredCredential::Sas, .. } => Self::DatastoreHoldsSas,
            KeyUser::Connection { credential: StoredCredential::Key, .. } => Self::ConnectionHoldsKey,
            KeyUser::Connection { credential: StoredCredential::Sas, .. } => Self::ConnectionHoldsSas,
            KeyUser::Compute { .. } => Self::ComputeMountsWithKey,
            KeyUser::Container { made_by, .. } => match made_by {
                Maker::TerraformState => Self::TerraformState,
                Maker::Functions => Self::Functions,
                Maker::DeploymentScripts => Self::DeploymentScripts,
                Maker::CloudShell => Self::CloudShell,
                Maker::DiagnosticSettings => Self::DiagnosticSettings,
            },
        }
    }
}

impl Finding {
    pub(crate) fn code(&self) -> FindingCode {
        use FindingCode as Code;
        match self {
            Self::Lacks { principal, .. } => match principal {
                Principal::Required(_) => Code::PrincipalLacksRoles,
                Principal::SystemIdentity(_) | Principal::AssignedIdentity(_) => Code::HubIdentityLacksRoles,
                Principal::PrimaryIdentity(_) => Code::PrimaryIdentityLacksRoles,
            },
            Self::NotVerifiable { principal, .. } => match principal {
                Principal::Required(_) => Code::PrincipalNotVerifiable,
                Principal::SystemIdentity(_) | Principal::AssignedIdentity(_) => Code::HubIdentityNotVerifiable,
                Principal::PrimaryIdentity(_) => Code::PrimaryIdentityNotVerifiable,
            },
            Self::NobodyHoldsRoles => Code::NobodyHoldsRoles,
            Self::HubIdentityUnknown { .. } => Code::HubIdentityUnknown,
            Self::OthersUseKeys { .. } => Code::OtherWorkspacesUseKeys,
            Self::OthersNotSwitched { .. } => Code::OtherWorkspacesNotSwitched,
            Self::OthersBeingSwitched { .. } => Code::OtherWorkspacesBeingSwitched,
            Self::SystemDatastoresUseKeys { .. } => Code::SystemDatastoresUseKeys,
            Self::UsesKeys(user) => Code::of_key_user(user),
            Self::IdentityRoles { doubts, .. } if !doubts.is_empty() => Code::AssignedIdentityNotVerifiable,
            Self::VaultPermissions { perhaps_by_groups: true, .. } => Code::AssignedIdentityNotVerifiable,
            Self::IdentityRoles { .. } | Self::VaultPermissions { .. } => Code::AssignedIdentityLacksRoles,
            Self::PrivateEndpoint { doubts, .. } if !doubts.is_empty() => Code::PrivateEndpointNotVerifiable,
            Self::PrivateEndpoint { .. } => Code::PrivateEndpointLacksReader,
            Self::PolicyRefusesKeys { .. } => Code::PolicyRefusesKeys,
            Self::NotReadable { list, .. } => match list {
                List::Account => Code::AccountNotReadable,
                List::RoleAssignments => Code::RoleAssignmentsNotReadable,
                List::Workspaces => Code::WorkspacesNotReadable,
                List::SystemDatastores => Code::SystemDatastoresNotReadable,
                List::Datastores => Code::DatastoresNotReadable,
                List::Connections => Code::ConnectionsNotReadable,
                List::Computes => Code::ComputesNotReadable,
                List::Containers => Code::ContainersNotReadable,
                List::Shares => Code::SharesNotReadable,
                List::IdentityRoles => Code::IdentityRolesNotReadable,
                List::Vault => Code::VaultNotReadable,
                List::PrivateEndpoints => Code::PrivateEndpointsNotReadable,
                List::PolicyRestrictions => Code::PolicyRestrictionsNotReadable,
            },
        }
    }

    /// Whether it is certain to break the work of the hub itself, of another one or of a principal that must have access, or
    /// hides whether something does. It stops a change that enforces the check.
    pub(crate) fn breaks_work(&self) -> bool {
        match self {
            Self::Lacks { principal, .. } | Self::NotVerifiable { principal, .. } => {
                !matches!(principal, Principal::PrimaryIdentity(_))
            }
            Self::HubIdentityUnknown { .. }
            | Self::OthersUseKeys { .. }
            | Self::OthersNotSwitched { .. }
            | Self::OthersBeingSwitched { .. }
            | Self::SystemDatastoresUseKeys { .. } => true,
            Self::NotReadable { list, .. } => {
                matches!(list, List::RoleAssignments | List::Workspaces | List::SystemDatastores)
            }
            Self::NobodyHoldsRoles
            | Self::UsesKeys(_)
            | Self::IdentityRoles { .. }
            | Self::VaultPermissions { .. }
            | Self::PrivateEndpoint { .. }
            | Self::PolicyRefusesKeys { .. } => false,
        }
    }

    /// Whether it is about what the account itself has, whichever hub looked.
    pub(super) fn is_about_account(&self) -> bool {
        match self {
            Self::UsesKeys(KeyUser::Container { .. }) | Self::PolicyRefusesKeys { .. } => true,
            Self::NotReadable { list, .. } => {
                matches!(list, List::Containers | List::Shares | List::Account | List::PolicyRestrictions)
            }
            _ => false,
        }
    }

    /// Whether it says that something is not known, rather than that it is so.
    pub(crate) fn is_unverified(&self) -> bool {
        match self {
            Self::NotVerifiable { .. } | Self::NotReadable { .. } => true,
            Self::VaultPermissions { perhaps_by_groups, .. } => *perhaps_by_groups,
            Self::HubIdentityUnknown { candidates } => !candidates.is_empty(),
            Self::IdentityRoles { doubts, .. } | Self::PrivateEndpoint { doubts, .. } => !doubts.is_empty(),
            _ => false,
        }
    }

    /// Whether somebody has certainly no access without shared keys, or has lost it already.
    fn is_certain(&self) -> bool {
        let holds_key = matches!(
            self,
            Self::UsesKeys(
                KeyUser::Datastore { credential: StoredCredential::Key, .. }
                    | KeyUser::Connection { credential: StoredCredential::Key, .. }
            )
        );
        self.breaks_work() || holds_key
    }

    pub(crate) fn severity(&self) -> FindingSeverity {
        match (self.is_unverified(), self.is_certain()) {
            (true, _) => FindingSeverity::Unverified,
            (false, true) => FindingSeverity::Error,
            (false, false) => FindingSeverity::Warning,
        }
    }

    /// Whether both say that the same could not be read.
    pub(super) fn hides_the_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::NotReadable { list, scope, .. }, Self::NotReadable { list: other, scope: at, .. }) => {
                list == other && scope.eq_ignore_ascii_case(at)
            }
            _ => false,
        }
    }

    /// The id of what it is about: a principal, or a resource in Azure.
    pub(crate) fn subject<'f>(&'f self, hub: &'f WorkspaceId, account: &'f StorageAccountId) -> &'f str {
        match self {
            Self::Lacks { principal, .. } | Self::NotVerifiable { principal, .. } => principal.id(),
            Self::HubIdentityUnknown { .. } | Self::SystemDatastoresUseKeys { .. } => hub.as_str(),
            Self::NobodyHoldsRoles
            | Self::OthersUseKeys { .. }
            | Self::OthersNotSwitched { .. }
            | Self::OthersBeingSwitched { .. }
            | Self::PolicyRefusesKeys { .. } => account.as_str(),
            Self::IdentityRoles { scope, .. }
            | Self::VaultPermissions { vault: scope, .. }
            | Self::PrivateEndpoint { endpoint: scope, .. } => scope.as_str(),
            Self::UsesKeys(user) => user.id(),
            Self::NotReadable { scope, .. } => scope,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_lacks_roles_decides_what_stops_a_change() {
        let id = || "aaaaaaaa-0000-0000-0000-000000000001".to_owned();
        for (principal, stops) in [
            (Principal::Required(id()), true),
            (Principal::SystemIdentity(id()), true),
            (Principal::AssignedIdentity(id()), true),
            (Principal::PrimaryIdentity(id()), false),
        ] {
            let lacks = Finding::Lacks { principal: principal.clone(), roles: Vec::new() };
            let unsure = Finding::NotVerifiable { principal, roles: Vec::new(), doubts: vec![Doubt::Group] };
            assert_eq!((lacks.breaks_work(), unsure.breaks_work()), (stops, stops), "{lacks:?}");
            assert_ne!(lacks.code(), unsure.code());
        }
        assert!(!Finding::NobodyHoldsRoles.breaks_work());
    }
}
