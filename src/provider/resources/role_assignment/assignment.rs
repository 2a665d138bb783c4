//! Single role assignments: those that are wanted, with their names, and those in the state.

use std::collections::BTreeMap;

use time::OffsetDateTime;
use uuid::{Uuid, uuid};

use super::{
    choice::{Choice, Role},
    schema::{AssignmentAttributes, State},
};
use crate::{
    arm::{ArmId, RoleAssignmentId, RoleDefinitionId, StorageAccountId, role_assignments::RoleAssignment},
    framework::{Attr, walk::Key},
    provider::SessionAssignment,
};

/// The namespace of assignment names. It must never change: names made with another one would not be found again.
const NAMESPACE: Uuid = uuid!("6f1d0e0c-5f0b-4b3a-9c57-2b8c4f1a7d35");

/// A role assignment that a configuration wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WantedAssignment {
    pub(super) role: Role,
    /// The id that it is created with, unless it exists already.
    pub(super) id: RoleAssignmentId,
}

impl WantedAssignment {
    /// The assignments of these roles.
    ///
    /// Their names are UUIDs of version 5 of `scope|target|principal|choice|role` in lower case, where target and choice
    /// are what the configuration says. Creating one again therefore changes nothing, and objects that differ never share
    /// an assignment, so that none deletes another's.
    pub(super) fn all(scope: &ArmId, roles: &[Role], state: &State) -> Option<Vec<Self>> {
        let principal = state.principal_id.text()?.to_lowercase();
        let target = state.configured_target(Some(scope));
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

    pub(super) fn key(&self, principal: &str) -> Key {
        subject(&self.id.scope, principal, &self.role).named(self.id.name)
    }

    /// Whether the entry has the same role and scope, whatever its name.
    pub(super) fn same_role_and_scope(&self, entry: &StateAssignment) -> bool {
        entry.role.guid == self.role.guid && entry.id.scope == self.id.scope
    }

    /// What other resources of this process learn of it; `None` with a condition.
    pub(super) fn noted(&self, state: &State, created_on: Option<OffsetDateTime>) -> Option<SessionAssignment> {
        let principal_id = state.principal_id.text()?.to_owned();
        let scope = self.id.scope.clone();
        state.condition.is_null().then_some(SessionAssignment { scope, principal_id, role: self.role.guid, created_on })
    }

    /// Whether the assignment has the same scope, principal and role, whatever its name.
    pub(super) fn same_scope_principal_and_role(&self, found: &RoleAssignment, principal: &str) -> bool {
        has_scope_principal_and_role(found, &self.id.scope, principal, &self.role)
    }
}

/// Whether an assignment has this scope, principal and role. Its name is no proof, since Azure allows to use one again.
fn has_scope_principal_and_role(found: &RoleAssignment, scope: &ArmId, principal: &str, role: &Role) -> bool {
    found.is_held_by(principal)
        && found.role_guid() == Some(role.guid)
        && found.assignment_id().is_ok_and(|id| id.scope == *scope)
}

/// The key of an assignment, of which Azure allows only one.
pub(super) fn subject(scope: &ArmId, principal: &str, role: &Role) -> Key {
    Key::new(format!("{}|{}|{}", scope.key(), principal.to_lowercase(), role.guid))
}

/// A role assignment in the state.
#[derive(Clone, Debug)]
pub(super) struct StateAssignment {
    /// The role, by the name that it has in the state.
    pub(super) role: Role,
    pub(super) id: RoleAssignmentId,
    /// In the form that it has in the state.
    pub(super) role_definition_id: RoleDefinitionId,
    /// Whether somebody else made it.
    pub(super) adopted: bool,
}

impl StateAssignment {
    /// An assignment that an import finds.
    pub(super) fn found(role: &Role, id: RoleAssignmentId, found: &RoleAssignment) -> Self {
        let role_definition_id = RoleDefinitionId::parse(&found.properties.role_definition_id)
            .unwrap_or_else(|_| RoleDefinitionId::within(&id.scope, role.guid));
        Self { role: role.clone(), id, role_definition_id, adopted: false }
    }

    /// An assignment that exists now. It keeps the role's name and id that it has in the state.
    pub(super) fn existing(
        wanted: &WantedAssignment,
        id: RoleAssignmentId,
        state: &State,
        known: Option<&Self>,
    ) -> Self {
        let (role, role_definition_id) = match known {
            Some(known) => (known.role.clone(), known.role_definition_id.clone()),
            None => {
                let target = state.configured_target(Some(&wanted.id.scope));
                let target = target.as_ref().unwrap_or(&wanted.id.scope);
                (wanted.role.clone(), RoleDefinitionId::within(target, wanted.role.guid))
            }
        };
        Self { role, id, role_definition_id, adopted: false }
    }

    pub(super) fn key(&self, principal: &str) -> Key {
        subject(&self.id.scope, principal, &self.role).named(self.id.name)
    }

    /// Whether the assignment that has this name in Azure still has the same scope, principal and role.
    pub(super) fn same_scope_principal_and_role(&self, found: &RoleAssignment, principal: &str) -> bool {
        has_scope_principal_and_role(found, &self.id.scope, principal, &self.role)
    }
}

pub(super) fn of_state(state: &State) -> Vec<StateAssignment> {
    let entry = |(name, assigned): (&String, &Attr<AssignmentAttributes>)| {
        let AssignmentAttributes { id, role_definition_id, adopted } = assigned.known()?;
        let role_definition_id = role_definition_id.known()?.clone();
        Some(StateAssignment {
            role: Role { name: name.clone(), guid: role_definition_id.guid() },
            id: id.known()?.clone(),
            role_definition_id,
            adopted: adopted.known() == Some(&true),
        })
    };
    state.role_assignments.known().into_iter().flatten().filter_map(entry).collect()
}

impl State {
    /// The scope of the assignments, as far as it is known. A scope that the user has left empty is not in the state.
    pub(super) fn assigned_at(&self) -> Option<ArmId> {
        let named = self.scope.known().or(self.storage_account_id.known().map(StorageAccountId::arm));
        named.cloned().or_else(|| Some(of_state(self).first()?.id.scope.clone()))
    }
}

/// The attribute `role_assignments`, by the role's name. Where an interrupted change of the scope has left one role twice,
/// the later one's scope is added.
pub(super) fn to_attribute(entries: &[StateAssignment]) -> Attr<BTreeMap<String, Attr<AssignmentAttributes>>> {
    let mut map = BTreeMap::new();
    for entry in entries {
        let mut name = entry.role.name.clone();
        if map.contains_key(&name) {
            name = format!("{name} at {}", entry.id.scope);
        }
        let assigned = AssignmentAttributes {
            id: entry.id.clone().into(),
            role_definition_id: entry.role_definition_id.clone().into(),
            adopted: entry.adopted.into(),
        };
        map.insert(name, Attr::Known(assigned));
    }
    Attr::Known(map)
}

/// The id by which writes and deletes of an assignment are serialized, whatever its tenant.
pub(super) fn lock_id(id: &RoleAssignmentId) -> ArmId {
    ArmId::parse(&id.path()).unwrap_or_else(|_| id.scope.clone())
}

/// How the condition of an assignment differs from that of the configuration.
pub(super) fn condition_differs(state: &State, existing: &RoleAssignment) -> Option<String> {
    let theirs = existing.properties.condition.as_deref().filter(|text| !text.is_empty());
    let ours = state.condition.text();
    let shown = |text: Option<&str>| text.map_or_else(|| "none".to_owned(), |text| format!("{text:?}"));
    (theirs != ours).then(|| format!("its condition is {}, and the configured one is {}", shown(theirs), shown(ours)))
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
        let wanted = WantedAssignment::all(&scope, &[roles::BLOB_READER.into()], &state).unwrap();
        wanted[0].id.name.to_string()
    }

    #[test]
    fn a_name_depends_on_the_configuration_and_not_on_its_case() {
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
            let wanted = WantedAssignment::all(&scope, &[roles::BLOB_READER.into()], &state).unwrap().remove(0);
            StateAssignment::existing(&wanted, wanted.id.clone(), &state, None)
        };
        let both = [entry(ACCOUNT), entry("/subscriptions/s")];
        let state = State { role_assignments: to_attribute(&both), ..State::default() };
        let again = of_state(&state);
        assert_eq!(again.len(), 2);
        for (found, expected) in again.iter().zip(&both) {
            assert_eq!((&found.id, found.role.guid), (&expected.id, expected.role.guid));
        }
    }
}
