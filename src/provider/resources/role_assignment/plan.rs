//! Planning: which assignments there will be, and warnings and errors beforehand.
//!
//! A plan shows only what follows from the configuration and the prior object. Engines ask for it again at the apply, do
//! not pass the first answer, and refuse an apply in which a known value has changed, as one read from Azure may have. What
//! is read from Azure serves warnings and errors.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    assignment::{self, StateAssignment, WantedAssignment},
    choice::{Choice, Role},
    explain,
    marks::{DIFFER, PLATFORM_UNCHECKED},
    platform, role_lookup,
    schema::{self, AssignmentAttributes, State},
    scope::{self, ResolvedScope},
    unresolved::Unresolved,
};
use crate::{
    arm::{ArmId, Call, Read, RoleDefinitionId, role_assignments::RoleAssignment, workspaces::Workspace},
    framework::{
        Attr, Diagnostic, Diagnostics, Private, Severity, Summary,
        walk::{Key, Walk},
    },
    provider::{Session, report},
};

/// What a plan has read from Azure and does not show. Only that of the second plan, which the engine asks for right before the
/// apply and in the same process, reaches the apply.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct LookedUp {
    scope: Option<ArmId>,
    role: Option<(String, RoleDefinitionId)>,
}

impl LookedUp {
    const NAME: &str = "looked_up";

    fn new(scope: Option<&ArmId>, roles: Option<&[Role]>) -> Self {
        let role = roles.and_then(<[Role]>::first);
        Self { scope: scope.cloned(), role: role.map(|role| (role.name.clone(), role.guid.into())) }
    }

    fn save(&self, private: &mut Private) {
        private.set(Self::NAME, self);
    }

    /// Takes it out of the private data, and returns the plan with it filled in.
    pub(super) fn take(private: &mut Private, planned: &State) -> State {
        let Self { scope, role } = private.get(Self::NAME).unwrap_or_default();
        private.remove(Self::NAME);
        let mut known = planned.clone();
        if let Some(scope) = scope.filter(|_| known.scope.is_unknown()) {
            known.scope = scope.into();
        }
        let (name, id) = (&mut known.role_definition_name, &mut known.role_definition_id);
        if let Some((role_name, role_id)) = role.filter(|_| name.is_unknown() || id.is_unknown()) {
            *name = role_name.into();
            *id = role_id.into();
        }
        known
    }
}

/// A plan in the making.
pub(super) struct Plan<'p> {
    pub(super) session: Option<&'p Session>,
    pub(super) walk: Walk,
    pub(super) call: Call,
    pub(super) prior: Option<State>,
    pub(super) config: State,
    pub(super) planned: State,
    pub(super) private: Private,
    /// The keys of the object that a planned creation replaces.
    pub(super) replaced: Vec<Key>,
    pub(super) diagnostics: Diagnostics,
    /// The keys of the object, if they are known.
    pub(super) keys: Option<Vec<Key>>,
}

impl Plan<'_> {
    pub(super) async fn complete(&mut self) -> Result<(), Diagnostic> {
        let mut had = self.prior.as_ref().map(assignment::of_state).unwrap_or_default();
        // With another principal nothing is kept.
        had.retain(|_| self.prior.as_ref().is_some_and(|prior| schema::same_principal(prior, &self.planned)));
        let shown_scope = scope::shown(&self.config, self.prior.as_ref());
        scope::fill(&mut self.planned, &self.config, shown_scope.as_ref());
        let shown_roles = role_lookup::shown(&self.config, self.prior.as_ref(), &had);
        role_lookup::fill(&mut self.planned, &self.config, shown_roles.as_deref(), shown_scope.as_ref());
        if self.config.condition_version.is_null() {
            self.planned.condition_version = Attr::Unknown;
            self.planned.condition_version = self.planned.effective_condition_version();
        }
        self.planned.id = self.planned.import_id();
        self.planned.role_assignments = self.assignments(shown_roles.as_deref(), shown_scope.as_ref(), &had);
        self.warn_of_unknown_principal();

        let (session, read) = (self.session, Read::Remembered);
        let resolved = scope::resolve(&self.config, self.prior.as_ref(), session, read, &self.call).await;
        let ResolvedScope { scope, hub } = self.or_warn(resolved)?;
        let choice = Choice::of(&self.config);
        let roles = role_lookup::resolve(&choice, self.prior.as_ref(), scope.as_ref(), session, read, &self.call).await;
        let roles = self.or_warn(roles)?;
        let wanted = match (&scope, &roles) {
            (Some(scope), Some(roles)) => WantedAssignment::all(scope, roles, &self.planned),
            _ => None,
        };
        LookedUp::new(scope.as_ref(), roles.as_deref()).save(&mut self.private);
        let Some(wanted) = wanted else { return Ok(()) };
        self.keys = Some(self.keys_of(&wanted, &had));
        let new: Vec<_> =
            wanted.iter().filter(|wanted| !had.iter().any(|had| wanted.same_role_and_scope(had))).collect();
        self.refuse_platform_assignments(&new, hub).await?;
        self.note_planned_assignments(&wanted);
        if self.has_known_names() && !self.planned.on_existing.is_unknown() {
            self.check_existing(&new).await?;
        }
        Ok(())
    }

    /// Turns the error about something missing into a warning.
    fn or_warn<T: Default>(&mut self, result: Result<T, Unresolved>) -> Result<T, Diagnostic> {
        match result {
            Ok(value) => Ok(value),
            Err(Unresolved::Failed(error)) => Err(error),
            Err(Unresolved::Missing(error)) => {
                let detail = format!("{}\n\n{}", error.detail, report::MAY_BE_CREATED);
                self.diagnostics.push(Diagnostic { severity: Severity::Warning, detail, ..error });
                Ok(T::default())
            }
        }
    }

    /// `role_assignments` as far as it follows from the configuration and the prior object. An entry stays the same as long
    /// as its role does.
    fn assignments(
        &self,
        roles: Option<&[Role]>,
        scope: Option<&ArmId>,
        had: &[StateAssignment],
    ) -> Attr<BTreeMap<String, Attr<AssignmentAttributes>>> {
        let Some(roles) = roles else { return Attr::Unknown };
        if let Some(prior) = &self.prior {
            let differ = self.private.get(DIFFER) == Some(true)
                && prior.mutable_properties() == self.planned.mutable_properties();
            // If there is an apply, it finds out which of them are the platform's.
            let platform_unchecked = self.private.get(PLATFORM_UNCHECKED) == Some(true)
                && (State { role_assignments: Attr::Null, ..prior.clone() })
                    != State { role_assignments: Attr::Null, ..self.planned.clone() };
            if differ || platform_unchecked {
                return Attr::Unknown;
            }
        }
        let target = self.planned.configured_target(scope);
        let wanted = scope.and_then(|scope| WantedAssignment::all(scope, roles, &self.planned));
        let principal = self.planned.principal_id.text().unwrap_or_default();
        let assigned = roles.iter().enumerate().map(|(at, role)| {
            let wanted = wanted.as_ref().map(|wanted| &wanted[at]);
            if let Some(entry) = wanted.and_then(|wanted| had.iter().find(|entry| wanted.same_role_and_scope(entry))) {
                let known = self.prior.as_ref().and_then(|prior| prior.role_assignments.known()?.get(&entry.role.name));
                return (entry.role.name.clone(), known.cloned().unwrap_or(Attr::Unknown));
            }
            // A replacement keeps the assignments of the replaced object, whatever their names and whoever created them.
            let is_new = wanted.is_none_or(|wanted| self.walk.has_no_other_name_in_state(&wanted.key(principal)));
            let is_made = is_new && !self.may_adopt();
            let has_known_id =
                is_made && self.has_known_names() && self.planned.delegated_managed_identity_resource_id.is_null();
            let assigned = AssignmentAttributes {
                id: wanted.filter(|_| has_known_id).map_or(Attr::Unknown, |wanted| wanted.id.clone().into()),
                role_definition_id: target
                    .as_ref()
                    .map_or(Attr::Unknown, |target| RoleDefinitionId::within(target, role.guid).into()),
                adopted: if is_made { false.into() } else { Attr::Unknown },
            };
            (role.name.clone(), Attr::Known(assigned))
        });
        Attr::Known(assigned.collect())
    }

    /// The keys of the object, with the names of assignments that it has or creates. The name of one that it adopts is not
    /// known.
    fn keys_of(&self, wanted: &[WantedAssignment], had: &[StateAssignment]) -> Vec<Key> {
        let principal = self.planned.principal_id.text().unwrap_or_default();
        let key = |wanted: &WantedAssignment| match had.iter().find(|entry| wanted.same_role_and_scope(entry)) {
            Some(entry) => entry.key(principal),
            None if self.may_adopt() || !self.has_known_names() => {
                assignment::subject(&wanted.id.scope, principal, &wanted.role)
            }
            None => wanted.key(principal),
        };
        wanted.iter().map(key).collect()
    }

    fn may_adopt(&self) -> bool {
        self.planned.adopts() || self.planned.on_existing.is_unknown()
    }

    /// Whether the target is known from which the names of assignments follow.
    fn has_known_names(&self) -> bool {
        !self.planned.hub_id.is_unknown()
    }

    /// A replacement whose principal is not known yet cannot keep the assignments.
    fn warn_of_unknown_principal(&mut self) {
        if self.prior.is_some() && self.planned.principal_id.is_unknown() {
            self.diagnostics.push(explain::principal_not_known());
        }
    }

    /// Refuses to create what only the platform creates.
    async fn refuse_platform_assignments(
        &self,
        new: &[&WantedAssignment],
        hub: Option<Workspace>,
    ) -> Result<(), Diagnostic> {
        let (Some(session), Some(principal)) = (self.session, self.planned.principal_id.text()) else { return Ok(()) };
        let Some(WantedAssignment { id, .. }) = new.first() else { return Ok(()) };
        let roles: Vec<_> = new.iter().map(|wanted| wanted.role.clone()).collect();
        let hub = match hub {
            Some(hub) => Some(hub),
            // Only for a known service principal does a request make sense.
            None if platform::may_assign(self.planned.principal_type.known(), &id.scope, &roles) => {
                let (hub_id, read) = (self.planned.hub_id.known(), Read::Remembered);
                platform::hub_of(session, hub_id, &id.scope, principal, read, &self.call).await.ok().flatten()
            }
            None => None,
        };
        match hub.as_ref().and_then(|hub| Some((hub, platform::role_of(hub, &id.scope, principal, &roles)?))) {
            Some((hub, role)) => Err(explain::platform_assigns_role(hub, role)),
            None => Ok(()),
        }
    }

    /// Tells the access check of this process what is planned.
    fn note_planned_assignments(&self, wanted: &[WantedAssignment]) {
        let Some(session) = self.session else { return };
        let planned = wanted.iter().filter_map(|wanted| wanted.noted(&self.planned, None));
        planned.for_each(|assignment| session.note_planned_assignment(assignment));
    }

    /// Finds assignments that exist already and would be created.
    async fn check_existing(&mut self, new: &[&WantedAssignment]) -> Result<(), Diagnostic> {
        let principal = self.planned.principal_id.text().unwrap_or_default();
        let is_replaced = |wanted: &&WantedAssignment| {
            self.replaced.iter().any(|replaced| replaced.subject == wanted.key(principal).subject)
        };
        let new: Vec<&WantedAssignment> = new.iter().copied().filter(|wanted| !is_replaced(wanted)).collect();
        let (Some(session), Some(first)) = (self.session, new.first()) else { return Ok(()) };
        // After a first write a list would be one request per object, and Azure says the same at the PUT.
        if !session.arm.remembers_reads() {
            return Ok(());
        }
        // A caller who may not list, or lists too early, gets Azure's answer at the apply.
        let scope = &first.id.scope;
        let list = session.arm.list(RoleAssignment::at_scope(scope), Read::Remembered, &self.call).await;
        let list = match list {
            Ok(list) => list,
            Err(error) if error.is_forbidden() || error.is_not_found() => return Ok(()),
            Err(error) => return Err(report::failure(Summary("Cannot list the role assignments"), &error, "")),
        };
        let mut own = Vec::new();
        for wanted in new {
            let Some(found) = list.held(&wanted.id.scope, principal, wanted.role.guid) else { continue };
            let Ok(id) = found.assignment_id() else { continue };
            let is_in_state = self.walk.is_in_state(&wanted.key(principal));
            if id.name == wanted.id.name {
                if !is_in_state {
                    own.push((wanted, found));
                }
            } else if self.prior.is_none() && self.walk.may_be_tainted(&wanted.key(principal)) {
                // The object that is being replaced has it.
            } else if !self.planned.adopts() {
                return Err(match is_in_state {
                    true => explain::held_by_this_state(&self.planned, wanted, found),
                    false => explain::exists(&self.planned, wanted, Some(found), None),
                });
            } else if let Some(difference) = assignment::condition_differs(&self.planned, found) {
                return Err(explain::cannot_adopt(wanted, found, &difference));
            }
        }
        if !own.is_empty() {
            self.diagnostics.push(explain::taken_over(&self.planned, &own));
        }
        Ok(())
    }
}
