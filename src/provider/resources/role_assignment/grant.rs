//! Single grants: their names, and the state's record of them.

use std::collections::BTreeMap;

use time::OffsetDateTime;
use uuid::{Uuid, uuid};

use super::{
    choice::{Role, definition_id},
    schema::{Assigned, State},
};
use crate::{
    arm::{ArmId, RoleAssignmentId, id::role_definition_guid, role_assignments::RoleAssignment},
    framework::Attr,
    provider::Grant,
};

/// The namespace of assignment names. It must never change: names made with another one would not be found again.
const NAMESPACE: Uuid = uuid!("6f1d0e0c-5f0b-4b3a-9c57-2b8c4f1a7d35");

/// A grant that shall be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The role.
    pub(super) role: Role,
    /// The assignment's id, if it is ours to make.
    pub(super) id: RoleAssignmentId,
}

impl Wanted {
    /// The grant of a role to a principal.
    ///
    /// Its name is the UUID of version 5 of `scope|role|principal` in lower case, so that the same grant always has the
    /// same name and repeating it changes nothing.
    pub(super) fn new(scope: &ArmId, role: Role, principal: &str) -> Self {
        let text = format!("{}|{}|{}", scope.key(), role.guid, principal.to_lowercase());
        let id = RoleAssignmentId::new(scope.clone(), Uuid::new_v5(&NAMESPACE, text.as_bytes()));
        Self { role, id }
    }

    /// The grant that an entry of a state is about.
    pub(super) fn of(entry: &Entry, state: &State) -> Option<Self> {
        Some(Self::new(&entry.id.scope, entry.role.clone(), state.principal_id.text()?))
    }

    /// What tells the grant from others, whatever the name of its assignment.
    pub(super) fn key(&self) -> ArmId {
        key(&self.id)
    }

    /// Whether this grant is what the entry is about, whatever its name.
    pub(super) fn is(&self, entry: &Entry) -> bool {
        entry.role.guid == self.role.guid && entry.id.scope == self.id.scope
    }

    /// What others in this process get to know of it; nothing of one that a condition narrows.
    pub(super) fn noted(&self, state: &State, created_on: Option<OffsetDateTime>) -> Option<Grant> {
        let principal_id = state.principal_id.text()?.to_owned();
        let scope = self.id.scope.clone();
        state.condition.is_null().then_some(Grant { scope, principal_id, role: self.role.guid, created_on })
    }

    /// Whether the assignment is this very grant, whatever its name.
    pub(super) fn matches(&self, found: &RoleAssignment, principal: &str) -> bool {
        found.is_held_by(principal)
            && found.role_guid() == Some(self.role.guid)
            && found.assignment_id().is_ok_and(|id| id.scope == self.id.scope)
    }
}

/// An assignment that the state knows.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The role, by the name that the state has for it.
    pub(super) role: Role,
    /// Its id.
    pub(super) id: RoleAssignmentId,
    /// The role's id as Azure writes it.
    pub(super) role_definition_id: String,
    /// Whether somebody else made it.
    pub(super) adopted: bool,
}

impl Entry {
    /// What an answer of Azure says.
    pub(super) fn of(role: &Role, id: RoleAssignmentId, found: &RoleAssignment, adopted: bool) -> Self {
        let definition = &found.properties.role_definition_id;
        let role_definition_id =
            if definition.is_empty() { definition_id(&id.scope, role.guid) } else { definition.clone() };
        Self { role: role.clone(), id, role_definition_id, adopted }
    }

    /// What is assumed of an assignment whose making was cut short.
    pub(super) fn assumed(wanted: &Wanted) -> Self {
        let role_definition_id = definition_id(&wanted.id.scope, wanted.role.guid);
        Self { role: wanted.role.clone(), id: wanted.id.clone(), role_definition_id, adopted: false }
    }
}

/// The entries of a state.
pub(super) fn entries(state: &State) -> Vec<Entry> {
    let Some(map) = state.role_assignments.known() else { return Vec::new() };
    map.iter()
        .filter_map(|(name, assigned)| {
            let assigned = assigned.known()?;
            let role_definition_id = assigned.role_definition_id.text().unwrap_or_default().to_owned();
            Some(Entry {
                role: Role { name: name.clone(), guid: role_definition_guid(&role_definition_id)? },
                id: RoleAssignmentId::parse(assigned.id.text()?).ok()?,
                role_definition_id,
                adopted: assigned.adopted.known() == Some(&true),
            })
        })
        .collect()
}

/// The entries as the state has them, by the role's name. Where a move to another scope was left half done and one role
/// is there twice, the later one's scope is added.
pub(super) fn record(entries: &[Entry]) -> Attr<BTreeMap<String, Attr<Assigned>>> {
    let mut map = BTreeMap::new();
    for entry in entries {
        let mut name = entry.role.name.clone();
        if map.contains_key(&name) {
            name = format!("{name} at {}", entry.id.scope);
        }
        let assigned = Assigned {
            id: entry.id.to_string().into(),
            role_definition_id: entry.role_definition_id.clone().into(),
            adopted: entry.adopted.into(),
        };
        map.insert(name, Attr::Known(assigned));
    }
    Attr::Known(map)
}

/// An assignment that the removal half of a replacement leaves to the creation half.
#[derive(Debug)]
pub(super) struct Bequest {
    /// The assignment.
    pub(super) entry: Entry,
    /// What its principal is.
    pub(super) principal_type: Option<String>,
}

/// The id by which others in this process know an assignment, whatever its tenant.
pub(super) fn key(id: &RoleAssignmentId) -> ArmId {
    ArmId::parse(&id.path()).unwrap_or_else(|_| id.scope.clone())
}

/// How the condition of an assignment differs from that of the configuration.
pub(super) fn condition_differs(state: &State, existing: &RoleAssignment) -> Option<String> {
    let theirs = existing.properties.condition.as_deref().filter(|text| !text.is_empty());
    let ours = state.condition.text();
    let shown = |text: Option<&str>| text.map_or_else(|| "none".to_owned(), |text| format!("{text:?}"));
    (theirs != ours).then(|| format!("its condition is {}, and {} is configured", shown(theirs), shown(ours)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::roles;

    fn account() -> ArmId {
        ArmId::parse("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/sa").unwrap()
    }

    #[test]
    fn a_name_depends_on_scope_role_and_principal_and_not_on_their_case() {
        let wanted = |scope: &str, principal: &str| {
            Wanted::new(&ArmId::parse(scope).unwrap(), roles::BLOB_READER.into(), principal).id.name
        };
        let principal = "aaaaaaaa-0000-0000-0000-000000000001";
        let name = wanted(account().as_str(), principal);
        // Written down, because other releases have to find what this one made.
        assert_eq!(name.to_string(), "caf2fd0f-462d-57a0-b8e6-28adccd44168");
        assert_eq!(wanted(&account().as_str().to_uppercase(), &principal.to_uppercase()), name);
        assert_ne!(wanted("/subscriptions/s", principal), name);
        assert_ne!(wanted(account().as_str(), "aaaaaaaa-0000-0000-0000-000000000002"), name);
    }

    #[test]
    fn entries_survive_the_state_also_when_one_role_is_there_twice() {
        let entry = |scope: &ArmId| {
            let wanted = Wanted::new(scope, roles::BLOB_READER.into(), "p");
            Entry::assumed(&wanted)
        };
        let both = [entry(&account()), entry(&ArmId::parse("/subscriptions/s").unwrap())];
        let state = State { role_assignments: record(&both), ..State::default() };
        let again = entries(&state);
        assert_eq!(again.len(), 2);
        for (found, expected) in again.iter().zip(&both) {
            assert_eq!((&found.id, found.role.guid), (&expected.id, expected.role.guid));
        }
    }
}
