//! Single grants: their names, and the state's record of them.

use std::collections::BTreeMap;

use time::OffsetDateTime;
use uuid::{Uuid, uuid};

use super::{
    choice::{Choice, Role},
    schema::{Assigned, State},
};
use crate::{
    arm::{ArmId, RoleAssignmentId, RoleDefinitionId, StorageAccountId, role_assignments::RoleAssignment},
    framework::{Attr, walk::Key},
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
    /// The grants of these roles that an object stands for.
    ///
    /// Their names are UUIDs of version 5 of `scope|target|principal|choice|role` in lower case, where target and choice
    /// are what the configuration says. Repeating a grant therefore changes nothing, and objects that differ never share
    /// an assignment, so that none removes another's.
    pub(super) fn all(scope: &ArmId, roles: &[Role], state: &State) -> Option<Vec<Self>> {
        let principal = state.principal_id.text()?.to_lowercase();
        let target = state.named_target(Some(scope));
        let target = target.as_ref().unwrap_or(scope).key();
        let choice = Choice::of(state);
        let wanted = |role: &Role| {
            let choice = if choice.preset().is_some() { choice.key() } else { None };
            let choice = choice.unwrap_or_else(|| role.guid.to_string());
            let text = format!("{}|{target}|{principal}|{choice}|{}", scope.key(), role.guid);
            let id = RoleAssignmentId::new(scope.clone(), Uuid::new_v5(&NAMESPACE, text.as_bytes()));
            Self { role: role.clone(), id }
        };
        Some(roles.iter().map(wanted).collect())
    }

    /// What an object that has this grant stands for.
    pub(super) fn key(&self, principal: &str) -> Key {
        subject(&self.id.scope, principal, &self.role).named(self.id.name)
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
        is_about(found, &self.id.scope, principal, &self.role)
    }
}

/// Whether an assignment gives this principal this role at this scope. A name proves nothing: Azure lets others use one
/// again.
pub(super) fn is_about(found: &RoleAssignment, scope: &ArmId, principal: &str, role: &Role) -> bool {
    found.is_held_by(principal)
        && found.role_guid() == Some(role.guid)
        && found.assignment_id().is_ok_and(|id| id.scope == *scope)
}

/// What a grant is about, of which there can be one only.
pub(super) fn subject(scope: &ArmId, principal: &str, role: &Role) -> Key {
    Key::new(format!("{}|{}|{}", scope.key(), principal.to_lowercase(), role.guid))
}

/// An assignment that the state knows.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The role, by the name that the state has for it.
    pub(super) role: Role,
    /// Its id.
    pub(super) id: RoleAssignmentId,
    /// The role's id, in the form that the state has.
    pub(super) role_definition_id: RoleDefinitionId,
    /// Whether somebody else made it.
    pub(super) adopted: bool,
}

impl Entry {
    /// What an import finds.
    pub(super) fn found(role: &Role, id: RoleAssignmentId, found: &RoleAssignment) -> Self {
        let role_definition_id = RoleDefinitionId::parse(&found.properties.role_definition_id)
            .unwrap_or_else(|_| RoleDefinitionId::within(&id.scope, role.guid));
        Self { role: role.clone(), id, role_definition_id, adopted: false }
    }

    /// A grant that is there now. An entry keeps what the state calls it as long as it is about the same role.
    pub(super) fn granted(wanted: &Wanted, id: RoleAssignmentId, state: &State, known: Option<&Self>) -> Self {
        let (role, role_definition_id) = match known {
            Some(known) => (known.role.clone(), known.role_definition_id.clone()),
            None => {
                let target = state.named_target(Some(&wanted.id.scope));
                let target = target.as_ref().unwrap_or(&wanted.id.scope);
                (wanted.role.clone(), RoleDefinitionId::within(target, wanted.role.guid))
            }
        };
        Self { role, id, role_definition_id, adopted: false }
    }

    /// What an object that has this entry stands for.
    pub(super) fn key(&self, principal: &str) -> Key {
        subject(&self.id.scope, principal, &self.role).named(self.id.name)
    }

    /// Whether an assignment that Azure has by this entry's name is still the one that the entry is about.
    pub(super) fn is(&self, found: &RoleAssignment, principal: &str) -> bool {
        is_about(found, &self.id.scope, principal, &self.role)
    }
}

/// The entries of a state.
pub(super) fn entries(state: &State) -> Vec<Entry> {
    let entry = |(name, assigned): (&String, &Attr<Assigned>)| {
        let Assigned { id, role_definition_id, adopted } = assigned.known()?;
        let role_definition_id = role_definition_id.known()?.clone();
        Some(Entry {
            role: Role { name: name.clone(), guid: role_definition_id.guid() },
            id: id.known()?.clone(),
            role_definition_id,
            adopted: adopted.known() == Some(&true),
        })
    };
    state.role_assignments.known().into_iter().flatten().filter_map(entry).collect()
}

impl State {
    /// Where the roles are held, as far as anything says so. A scope that the user has left empty is not in the state.
    pub(super) fn held_on(&self) -> Option<ArmId> {
        let named = self.scope.known().or(self.storage_account_id.known().map(StorageAccountId::arm));
        named.cloned().or_else(|| Some(entries(self).first()?.id.scope.clone()))
    }
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
            id: entry.id.clone().into(),
            role_definition_id: entry.role_definition_id.clone().into(),
            adopted: entry.adopted.into(),
        };
        map.insert(name, Attr::Known(assigned));
    }
    Attr::Known(map)
}

/// The id by which writes and deletes of an assignment are serialised, whatever its tenant.
pub(super) fn lock_id(id: &RoleAssignmentId) -> ArmId {
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
    use crate::provider::{principal::PrincipalId, roles};

    const ACCOUNT: &str = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/sa";
    const HUB: &str = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/hub";
    const ALICE: &str = "aaaaaaaa-0000-0000-0000-000000000001";

    fn name(scope: &str, hub: &str, principal: &str, access: &str, scenario: &str) -> String {
        let state = State {
            hub_id: hub.parse().ok().into(),
            principal_id: PrincipalId::from(principal).into(),
            access: access.parse().ok().into(),
            scenario: scenario.parse().ok().into(),
            ..State::default()
        };
        let scope = ArmId::parse(scope).unwrap();
        let wanted = Wanted::all(&scope, &[roles::BLOB_READER.into()], &state).unwrap();
        wanted[0].id.name.to_string()
    }

    #[test]
    fn a_name_depends_on_what_the_object_says_and_not_on_its_case() {
        let by_hub = name(ACCOUNT, HUB, ALICE, "reader", "");
        // Written down, because other releases have to find what this one made.
        assert_eq!(by_hub, "c5a0ffb3-181b-51bf-8a3f-a3db596deea7");
        assert_eq!(name(&ACCOUNT.to_uppercase(), &HUB.to_uppercase(), &ALICE.to_uppercase(), "READER", ""), by_hub);
        let others = [
            name(ACCOUNT, "", ALICE, "reader", ""),
            name(ACCOUNT, &HUB.replace("/hub", "/hub2"), ALICE, "reader", ""),
            name("/subscriptions/s", HUB, ALICE, "reader", ""),
            name(ACCOUNT, HUB, &ALICE.replace('1', "2"), "reader", ""),
            name(ACCOUNT, HUB, ALICE, "", "own_data"),
            name(ACCOUNT, HUB, ALICE, "", ""),
        ];
        let all: std::collections::BTreeSet<_> = others.iter().chain([&by_hub]).collect();
        assert_eq!(all.len(), 7);
    }

    #[test]
    fn entries_survive_the_state_also_when_one_role_is_there_twice() {
        let entry = |scope: &str| {
            let scope = ArmId::parse(scope).unwrap();
            let state = State { principal_id: PrincipalId::from(ALICE).into(), ..State::default() };
            let wanted = Wanted::all(&scope, &[roles::BLOB_READER.into()], &state).unwrap().remove(0);
            Entry::granted(&wanted, wanted.id.clone(), &state, None)
        };
        let both = [entry(ACCOUNT), entry("/subscriptions/s")];
        let state = State { role_assignments: record(&both), ..State::default() };
        let again = entries(&state);
        assert_eq!(again.len(), 2);
        for (found, expected) in again.iter().zip(&both) {
            assert_eq!((&found.id, found.role.guid), (&expected.id, expected.role.guid));
        }
    }
}
