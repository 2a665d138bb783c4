//! What an access check has found, as data.

use super::holdings::Doubt;
use crate::{
    arm::{ArmId, Error, StorageAccountId, WorkspaceId},
    provider::roles::Role,
};

/// A reason why somebody loses access to their data, or may lose it, once shared keys are disabled.
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
    DatastoresUseKeys { names: Vec<String> },
    /// A list that the check needs could not be read.
    NotReadable { list: List, error: Error },
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    /// The role assignments in force on the account.
    RoleAssignments,
    Workspaces,
    Datastores,
}

impl Finding {
    /// The stable name of this kind of finding.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Lacks { principal, .. } => match principal {
                Principal::Required(_) => "principal_lacks_roles",
                Principal::SystemIdentity(_) | Principal::AssignedIdentity(_) => "hub_identity_lacks_roles",
                Principal::PrimaryIdentity(_) => "primary_identity_lacks_roles",
            },
            Self::NotVerifiable { principal, .. } => match principal {
                Principal::Required(_) => "principal_not_verifiable",
                Principal::SystemIdentity(_) | Principal::AssignedIdentity(_) => "hub_identity_not_verifiable",
                Principal::PrimaryIdentity(_) => "primary_identity_not_verifiable",
            },
            Self::NobodyHoldsRoles => "nobody_holds_roles",
            Self::HubIdentityUnknown { .. } => "hub_identity_unknown",
            Self::OthersUseKeys { .. } => "other_workspaces_use_keys",
            Self::OthersNotSwitched { .. } => "other_workspaces_not_switched",
            Self::OthersBeingSwitched { .. } => "other_workspaces_being_switched",
            Self::DatastoresUseKeys { .. } => "datastores_use_keys",
            Self::NotReadable { list, .. } => match list {
                List::RoleAssignments => "role_assignments_not_readable",
                List::Workspaces => "workspaces_not_readable",
                List::Datastores => "datastores_not_readable",
            },
        }
    }

    /// Whether it stops a change that enforces the check.
    pub(crate) fn stops(&self) -> bool {
        let primary = |principal: &Principal| matches!(principal, Principal::PrimaryIdentity(_));
        match self {
            Self::Lacks { principal, .. } | Self::NotVerifiable { principal, .. } => !primary(principal),
            Self::NobodyHoldsRoles => false,
            _ => true,
        }
    }

    /// The id of what it is about: a principal, the hub or its account.
    pub(crate) fn subject<'f>(&'f self, hub: &'f WorkspaceId, account: &'f StorageAccountId) -> &'f str {
        match self {
            Self::Lacks { principal, .. } | Self::NotVerifiable { principal, .. } => principal.id(),
            Self::HubIdentityUnknown { .. }
            | Self::DatastoresUseKeys { .. }
            | Self::NotReadable { list: List::Datastores, .. } => hub.as_str(),
            Self::NobodyHoldsRoles
            | Self::OthersUseKeys { .. }
            | Self::OthersNotSwitched { .. }
            | Self::OthersBeingSwitched { .. }
            | Self::NotReadable { list: List::RoleAssignments | List::Workspaces, .. } => account.as_str(),
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
            assert_eq!((lacks.stops(), unsure.stops()), (stops, stops), "{lacks:?}");
            assert_ne!(lacks.code(), unsure.code());
        }
        assert!(!Finding::NobodyHoldsRoles.stops());
    }
}
