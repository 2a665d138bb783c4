//! Single grants: their names, the state's record of them, and making and removing them one by one.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::{Uuid, uuid};

use super::{
    choice::{Role, definition_id},
    explain,
    schema::{Assigned, State},
    target,
};
use crate::{
    arm::{
        self, ArmId, Call, ErrorCode, Read, RoleAssignmentId,
        id::role_definition_guid,
        role_assignments::{Filter, NewRoleAssignment, RoleAssignment},
        workspaces::Workspace,
    },
    framework::{Attr, Diagnostic, Diagnostics, Private, timeouts},
    provider::{Grant, Session, roles},
};

/// The namespace of assignment names. It must never change: names made with another one would not be found again.
const NAMESPACE: Uuid = uuid!("6f1d0e0c-5f0b-4b3a-9c57-2b8c4f1a7d35");

/// How long Azure may deny an assignment that it has just made.
const SETTLES_WITHIN: time::Duration = time::Duration::minutes(5);

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
    fn assumed(wanted: &Wanted) -> Self {
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

/// When our last write of each assignment was, by its name: what tells an answer that lags behind from one that is true.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Written(BTreeMap<String, Times>);

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Times {
    #[serde(with = "time::serde::rfc3339::option")]
    created: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    updated: Option<OffsetDateTime>,
}

const WRITTEN: &str = "written";

impl Written {
    /// What the private data have of it.
    pub(super) fn load(private: &Private) -> Self {
        private.get(WRITTEN).unwrap_or_default()
    }

    /// Keeps it in the private data, as far as it is about these entries.
    pub(super) fn save(mut self, entries: &[Entry], private: &mut Private) {
        self.0.retain(|name, _| entries.iter().any(|entry| entry.id.name.to_string() == *name));
        private.set(WRITTEN, &self);
    }

    /// Notes an answer to a write.
    pub(super) fn note(&mut self, found: &RoleAssignment, id: &RoleAssignmentId) {
        let properties = &found.properties;
        self.0.insert(id.name.to_string(), Times { created: properties.created_on, updated: properties.updated_on });
    }

    /// Whether an answer of this time, which denies the assignment, is only too early.
    pub(super) fn is_settling(&self, id: &RoleAssignmentId, answered: Option<OffsetDateTime>) -> bool {
        let created = self.0.get(&id.name.to_string()).and_then(|times| times.created);
        created.zip(answered).is_some_and(|(created, answered)| answered - created < SETTLES_WITHIN)
    }

    /// Whether an answer shows the assignment as it was before our last write.
    pub(super) fn is_stale(&self, id: &RoleAssignmentId, found: &RoleAssignment) -> bool {
        let ours = self.0.get(&id.name.to_string()).and_then(|times| times.updated);
        ours.zip(found.properties.updated_on).is_some_and(|(ours, theirs)| theirs < ours)
    }
}

/// What all grants of one object are made with.
#[derive(Debug)]
pub(super) struct Terms<'t> {
    /// Azure.
    pub(super) session: &'t Session,
    /// Limits.
    pub(super) call: &'t Call,
    /// The object as it is to be.
    pub(super) state: &'t State,
}

/// What became of a change.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// The assignments that are there now.
    pub(super) entries: Vec<Entry>,
    /// The principal's type, as Azure told it.
    pub(super) principal_type: Option<String>,
    /// Whether all that is wanted is there.
    pub(super) complete: bool,
    /// What went wrong, and what there is to say.
    pub(super) diagnostics: Diagnostics,
}

impl Terms<'_> {
    /// Grants what is wanted and not there, brings the rest up to date if `rewrite`, and only then removes what is no
    /// longer wanted. It stops at the first grant that fails, before anything is removed.
    pub(super) async fn change(
        &self,
        before: Vec<Entry>,
        wanted: &[Wanted],
        rewrite: bool,
        written: &mut Written,
    ) -> Done {
        let mut done = Done::default();
        let mut before = before;
        for wanted in wanted {
            let known = before.iter().position(|entry| wanted.is(entry)).map(|at| before.remove(at));
            let Done { principal_type, diagnostics, .. } = &mut done;
            match self.ensure(wanted, known.as_ref(), rewrite, written, principal_type, diagnostics).await {
                Ok(entry) => done.entries.push(entry),
                Err(failed) => {
                    if let Some(grant) = wanted.noted(self.state, None) {
                        self.session.forget_grant(&grant);
                    }
                    done.entries.extend(known.or(failed.maybe));
                    done.entries.extend(before);
                    done.diagnostics.push(failed.diagnostic);
                    return done;
                }
            }
        }
        done.complete = true;
        let (left, diagnostics) = self.remove(before, &[]).await;
        done.entries.extend(left);
        done.diagnostics.extend(diagnostics);
        done
    }

    /// Removes assignments that are ours, except those `kept`, and gives back those that could not be removed.
    pub(super) async fn remove(&self, entries: Vec<Entry>, kept: &[String]) -> (Vec<Entry>, Diagnostics) {
        let (mut left, mut diagnostics) = (Vec::new(), Diagnostics::default());
        for entry in entries.into_iter().filter(|entry| !entry.adopted && !kept.contains(&entry.id.name.to_string())) {
            let key = claim(&entry.id);
            let _turn = match self.session.turn(&key, self.call).await {
                Ok(turn) => turn,
                Err(error) => {
                    diagnostics.push(explain::not_removed(&entry, &error));
                    left.push(entry);
                    continue;
                }
            };
            if self.session.has_claimed(&key, GRANT) {
                diagnostics.push(explain::claimed(&entry));
                continue;
            }
            match self.session.arm.role_assignments().delete(&entry.id, self.call).await {
                Ok(_) => {
                    let gone = Wanted { role: entry.role, id: entry.id };
                    if let Some(grant) = gone.noted(self.state, None) {
                        self.session.forget_grant(&grant);
                    }
                }
                Err(error) => {
                    diagnostics.push(explain::not_removed(&entry, &error));
                    left.push(entry);
                }
            }
        }
        (left, diagnostics)
    }

    async fn ensure(
        &self,
        wanted: &Wanted,
        known: Option<&Entry>,
        rewrite: bool,
        written: &mut Written,
        principal_type: &mut Option<String>,
        diagnostics: &mut Diagnostics,
    ) -> Result<Entry, Box<Failed>> {
        let id = known.map_or(&wanted.id, |entry| &entry.id);
        let key = claim(id);
        let refused =
            |error| Box::new(Failed { diagnostic: explain::not_granted(self.state, wanted, &error), maybe: None });
        let _turn = self.session.turn(&key, self.call).await.map_err(refused)?;
        if let Some(entry) = known
            && (entry.adopted || !rewrite)
        {
            self.session.claim(&key, GRANT);
            return Ok(Entry { role: wanted.role.clone(), ..entry.clone() });
        }
        let new = self.new_assignment(wanted);
        let patience = self.state.principal_propagation_timeout.text().and_then(timeouts::parse);
        let patience = patience.unwrap_or(Duration::from_secs(120));
        match self.session.arm.role_assignments().put(id, &new, patience, self.call).await {
            Ok(made) => {
                self.session.claim(&key, GRANT);
                if let Some(grant) = wanted.noted(self.state, made.value.properties.created_on) {
                    self.session.note_grant(grant);
                }
                written.note(&made.value, id);
                let told = made.value.properties.principal_type.clone();
                let platform = self.turns_out_to_be_the_platforms(wanted, told.as_deref()).await;
                if let Some(hub) = &platform {
                    diagnostics.push(explain::leaves_to_the_platform(hub, wanted));
                }
                *principal_type = told.or(principal_type.take());
                Ok(Entry::of(&wanted.role, id.clone(), &made.value, platform.is_some()))
            }
            Err(error) if error.code() == Some(&ErrorCode::RoleAssignmentExists) => {
                self.adopt(wanted, &error, principal_type).await
            }
            Err(error) => {
                let maybe = error.may_have_had_effect().then(|| Entry::assumed(wanted));
                Err(Box::new(Failed { diagnostic: explain::not_granted(self.state, wanted, &error), maybe }))
            }
        }
    }

    /// The hub whose own identity has just been given a role that is the platform's to give. Where the target is a hub or
    /// the type of the principal is configured, planning has seen to it; otherwise Azure's answer is the first to say that
    /// the principal may be such an identity.
    async fn turns_out_to_be_the_platforms(&self, wanted: &Wanted, told: Option<&str>) -> Option<Workspace> {
        let seen_to = !self.state.hub_id.is_null() || !self.state.principal_type.is_unknown();
        if seen_to || !may_be_of_the_platform(told, std::slice::from_ref(&wanted.role)) {
            return None;
        }
        let principal = self.state.principal_id.text()?;
        target::hub_of(self.session, &wanted.id.scope, principal, Read::Fresh, self.call).await
    }

    fn new_assignment(&self, wanted: &Wanted) -> NewRoleAssignment {
        let text = |attr: &Attr<String>| attr.text().map(str::to_owned);
        let state = self.state;
        NewRoleAssignment {
            role_definition_id: definition_id(&wanted.id.scope, wanted.role.guid),
            principal_id: text(&state.principal_id).unwrap_or_default(),
            principal_type: text(&state.principal_type),
            description: text(&state.description),
            condition: text(&state.condition),
            condition_version: text(&state.condition_version),
            delegated_managed_identity_resource_id: text(&state.delegated_managed_identity_resource_id),
        }
    }

    /// Deals with a grant that is there under another name.
    async fn adopt(
        &self,
        wanted: &Wanted,
        error: &arm::Error,
        principal_type: &mut Option<String>,
    ) -> Result<Entry, Box<Failed>> {
        let existing = self.existing(wanted, error).await;
        let failed = |diagnostic| Box::new(Failed { diagnostic, maybe: None });
        if !self.state.adopts() {
            return Err(failed(explain::exists(self.state, wanted, existing.as_ref(), Some(error))));
        }
        let Some(existing) = existing else { return Err(failed(explain::cannot_find_existing(wanted, error))) };
        if let Some(difference) = condition_differs(self.state, &existing) {
            return Err(failed(explain::cannot_adopt(wanted, &existing, &difference)));
        }
        *principal_type = existing.properties.principal_type.clone().or(principal_type.take());
        let id = existing.assignment_id().unwrap_or_else(|_| wanted.id.clone());
        Ok(Entry::of(&wanted.role, id, &existing, true))
    }

    /// The assignment that stands in the way: the one that Azure names, or else the one in the scope's list.
    async fn existing(&self, wanted: &Wanted, error: &arm::Error) -> Option<RoleAssignment> {
        let assignments = self.session.arm.role_assignments();
        if let Some(name) = error.service().and_then(arm::ServiceError::existing_role_assignment) {
            let id = RoleAssignmentId::new(wanted.id.scope.clone(), name);
            if let Ok(found) = assignments.get(&id, Read::Fresh, self.call).await {
                return Some(found.value);
            }
        }
        let principal = self.state.principal_id.text()?;
        let filter = Filter::Principal(Uuid::try_parse(principal).ok()?);
        let list = assignments.list(&wanted.id.scope, &filter, Read::Fresh, self.call).await.ok()?;
        list.value.into_iter().find(|found| wanted.matches(found, principal))
    }
}

/// A grant that could not be made.
#[derive(Debug)]
struct Failed {
    diagnostic: Diagnostic,
    /// The assignment that may be there all the same.
    maybe: Option<Entry>,
}

/// What is claimed of an assignment in [`Session`].
const GRANT: &str = "grant";

fn claim(id: &RoleAssignmentId) -> ArmId {
    ArmId::parse(&id.path()).unwrap_or_else(|_| id.scope.clone())
}

/// How the condition of an assignment differs from that of the configuration.
pub(super) fn condition_differs(state: &State, existing: &RoleAssignment) -> Option<String> {
    let theirs = existing.properties.condition.as_deref().filter(|text| !text.is_empty());
    let ours = state.condition.text();
    let shown = |text: Option<&str>| text.map_or_else(|| "none".to_owned(), |text| format!("{text:?}"));
    (theirs != ours).then(|| format!("its condition is {}, and {} is configured", shown(theirs), shown(ours)))
}

/// Whether a principal of this kind and these roles may be a hub's own identity with the platform's own grant.
pub(super) fn may_be_of_the_platform(principal_type: Option<&str>, roles: &[Role]) -> bool {
    principal_type.is_some_and(|kind| kind.eq_ignore_ascii_case("ServicePrincipal"))
        && roles.iter().any(|role| roles::OF_THE_PLATFORM.iter().any(|platform| platform.guid == role.guid))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

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

    #[test]
    fn an_answer_is_too_early_for_five_minutes() {
        let wanted = Wanted::new(&account(), roles::BLOB_READER.into(), "p");
        let made = datetime!(2026-01-01 00:00:00 UTC);
        let mut found = RoleAssignment::default();
        found.properties.created_on = Some(made);
        found.properties.updated_on = Some(made);
        let mut written = Written::default();
        written.note(&found, &wanted.id);
        let at = |minutes| Some(made + time::Duration::minutes(minutes));
        assert!(written.is_settling(&wanted.id, at(4)));
        assert!(!written.is_settling(&wanted.id, at(5)));
        assert!(!written.is_settling(&wanted.id, None));
        assert!(!Written::default().is_settling(&wanted.id, at(1)));
        assert!(!written.is_stale(&wanted.id, &found));
        found.properties.updated_on = Some(made - time::Duration::seconds(1));
        assert!(written.is_stale(&wanted.id, &found));
    }
}
