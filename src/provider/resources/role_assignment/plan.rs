//! Planning: what will be there, and what is in its way.
//!
//! A plan shows what follows from the configuration and the prior object alone. Engines ask for it again at the apply,
//! without a word of the first answer, and refuse an apply in which something known has changed; what was looked up in
//! Azure may have. Looked up it is all the same, for what there is to say beforehand.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    choice::{Choice, Role},
    explain,
    grant::{self, Entry, Wanted},
    marks::{DIFFER, TAKEN_OVER},
    platform, role_lookup,
    schema::{self, Assigned, State},
    target::{self, Target},
    unresolved::Unresolved,
};
use crate::{
    arm::{ArmId, Call, Read, RoleDefinitionId, role_assignments::RoleAssignment, workspaces::Workspace},
    framework::{
        Attr, Diagnostic, Diagnostics, Private, Severity,
        walk::{Key, Walk},
    },
    provider::{Grant, Session, report},
};

/// What a plan has looked up in Azure and does not show, for the apply that follows in the same process.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct LookedUp {
    scope: Option<ArmId>,
    /// Its name and its id.
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

    /// Takes it out of the private data of a plan, and fills in what it tells.
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
    /// What the object stands for that a planned creation replaces.
    pub(super) replaced: Vec<Key>,
    pub(super) found: Diagnostics,
    /// What the object will stand for, as far as that is known.
    pub(super) keys: Option<Vec<Key>>,
}

impl Plan<'_> {
    /// Completes the plan as far as things are known.
    pub(super) async fn complete(&mut self) -> Result<(), Diagnostic> {
        let mut had = self.prior.as_ref().map(grant::entries).unwrap_or_default();
        // Another principal takes over nothing.
        had.retain(|_| self.prior.as_ref().is_some_and(|prior| schema::same_principal(prior, &self.planned)));
        let shown_scope = target::shown(&self.config, self.prior.as_ref());
        target::fill(&mut self.planned, &self.config, shown_scope.as_ref());
        let shown_roles = role_lookup::shown(&self.config, self.prior.as_ref(), &had);
        role_lookup::fill(&mut self.planned, &self.config, shown_roles.as_deref(), shown_scope.as_ref());
        if self.config.condition_version.is_null() {
            self.planned.condition_version = Attr::Unknown;
            self.planned.condition_version = self.planned.language();
        }
        self.planned.id = self.planned.import_id();
        self.planned.role_assignments = self.assignments(shown_roles.as_deref(), shown_scope.as_ref(), &had);
        self.warn_of_a_principal_that_is_not_known();

        let (session, read) = (self.session, Read::Remembered);
        let target = target::resolve(&self.config, self.prior.as_ref(), session, read, &self.call).await;
        let Target { scope, hub } = self.or_warn(target)?;
        let choice = Choice::of(&self.config);
        let roles = role_lookup::resolve(&choice, self.prior.as_ref(), scope.as_ref(), session, read, &self.call).await;
        let roles = self.or_warn(roles)?;
        let wanted = match (&scope, &roles) {
            (Some(scope), Some(roles)) => Wanted::all(scope, roles, &self.planned),
            _ => None,
        };
        LookedUp::new(scope.as_ref(), roles.as_deref()).save(&mut self.private);
        let Some(wanted) = wanted else { return Ok(()) };
        self.keys = Some(self.keys_of(&wanted, &had));
        let new: Vec<_> = wanted.iter().filter(|wanted| !had.iter().any(|had| wanted.is(had))).collect();
        self.refuse_the_platforms(&new, hub).await?;
        self.note_grants(&wanted);
        if self.has_known_names() && !self.planned.on_existing.is_unknown() {
            self.look_for_existing(&new).await?;
        }
        Ok(())
    }

    /// Turns what does not exist yet into a warning: it may be made before this is applied.
    fn or_warn<T: Default>(&mut self, result: Result<T, Unresolved>) -> Result<T, Diagnostic> {
        match result {
            Ok(value) => Ok(value),
            Err(Unresolved::Failed(error)) => Err(error),
            Err(Unresolved::Missing(error)) => {
                let detail = format!(
                    "{}\n\nIf it is made before this is applied, all is well; otherwise the apply will fail.",
                    error.detail
                );
                self.found.push(Diagnostic { severity: Severity::Warning, detail, ..error });
                Ok(T::default())
            }
        }
    }

    /// What `role_assignments` will be, as far as that follows from the configuration and the prior object. An entry that
    /// is there stays as it is as long as it is about the same role.
    fn assignments(
        &self,
        roles: Option<&[Role]>,
        scope: Option<&ArmId>,
        had: &[Entry],
    ) -> Attr<BTreeMap<String, Attr<Assigned>>> {
        let Some(roles) = roles else { return Attr::Unknown };
        if let Some(prior) = &self.prior {
            let differ = self.private.get(DIFFER) == Some(true)
                && prior.mutable_properties() == self.planned.mutable_properties();
            // Which of them are the platform's is found out by the apply, if there is one.
            let open = self.private.get(TAKEN_OVER) == Some(true)
                && (State { role_assignments: Attr::Null, ..prior.clone() })
                    != State { role_assignments: Attr::Null, ..self.planned.clone() };
            if differ || open {
                return Attr::Unknown;
            }
        }
        let target = self.planned.named_target(scope);
        let wanted = scope.and_then(|scope| Wanted::all(scope, roles, &self.planned));
        let principal = self.planned.principal_id.text().unwrap_or_default();
        let assigned = roles.iter().enumerate().map(|(at, role)| {
            let wanted = wanted.as_ref().map(|wanted| &wanted[at]);
            if let Some(entry) = wanted.and_then(|wanted| had.iter().find(|entry| wanted.is(entry))) {
                let known = self.prior.as_ref().and_then(|prior| prior.role_assignments.known()?.get(&entry.role.name));
                return (entry.role.name.clone(), known.cloned().unwrap_or(Attr::Unknown));
            }
            // A replaced object leaves to its successor what it has, whatever the name and whoever made it.
            let is_new = wanted.is_none_or(|wanted| self.walk.has_no_other_name_in_state(&wanted.key(principal)));
            let is_made = is_new && !self.may_adopt();
            let is_ours = |_: &&Wanted| {
                is_made && self.has_known_names() && self.planned.delegated_managed_identity_resource_id.is_null()
            };
            let assigned = Assigned {
                id: wanted.filter(is_ours).map_or(Attr::Unknown, |wanted| wanted.id.clone().into()),
                role_definition_id: target
                    .as_ref()
                    .map_or(Attr::Unknown, |target| RoleDefinitionId::within(target, role.guid).into()),
                adopted: if is_made { false.into() } else { Attr::Unknown },
            };
            (role.name.clone(), Attr::Known(assigned))
        });
        Attr::Known(assigned.collect())
    }

    /// What the object will stand for, by the names of assignments that it has and those that it makes. What it adopts has
    /// a name that is not known.
    fn keys_of(&self, wanted: &[Wanted], had: &[Entry]) -> Vec<Key> {
        let principal = self.planned.principal_id.text().unwrap_or_default();
        let key = |wanted: &Wanted| match had.iter().find(|entry| wanted.is(entry)) {
            Some(entry) => entry.key(principal),
            None if self.may_adopt() || !self.has_known_names() => {
                grant::subject(&wanted.id.scope, principal, &wanted.role)
            }
            None => wanted.key(principal),
        };
        wanted.iter().map(key).collect()
    }

    /// Whether an assignment of another name may be taken as it is.
    fn may_adopt(&self) -> bool {
        self.planned.adopts() || self.planned.on_existing.is_unknown()
    }

    /// Whether it is known which target the names of assignments follow from.
    fn has_known_names(&self) -> bool {
        !self.planned.hub_id.is_unknown()
    }

    /// A replacement whose principal is not known yet cannot keep what both halves need.
    fn warn_of_a_principal_that_is_not_known(&mut self) {
        if self.prior.is_some() && self.planned.principal_id.is_unknown() {
            self.found.push(explain::principal_not_known());
        }
    }

    /// Refuses to make what the platform itself makes.
    async fn refuse_the_platforms(&self, new: &[&Wanted], hub: Option<Workspace>) -> Result<(), Diagnostic> {
        let (Some(session), Some(principal)) = (self.session, self.planned.principal_id.text()) else { return Ok(()) };
        let Some(Wanted { id, .. }) = new.first() else { return Ok(()) };
        let roles: Vec<_> = new.iter().map(|wanted| wanted.role.clone()).collect();
        let hub = match hub {
            Some(hub) => Some(hub),
            // Only a principal that is known to be a service principal is worth a request of its own.
            None if platform::may_be(self.planned.principal_type.known(), &id.scope, &roles) => {
                let (hub_id, read) = (self.planned.hub_id.known(), Read::Remembered);
                // What cannot be seen cannot be judged.
                platform::hub_of(session, hub_id, &id.scope, principal, read, &self.call).await.ok().flatten()
            }
            None => None,
        };
        match hub.as_ref().and_then(|hub| Some((hub, platform::role_of(hub, &id.scope, principal, &roles)?))) {
            Some((hub, role)) => Err(explain::refuse_to_make_the_platforms(hub, role)),
            None => Ok(()),
        }
    }

    /// Lets the access check of this process know what is planned.
    fn note_grants(&self, wanted: &[Wanted]) {
        let Some(session) = self.session else { return };
        for grant in wanted.iter().filter_map(|wanted| wanted.noted(&self.planned, None)) {
            let known = |known: &Grant| known.is_about_the_same(&grant);
            if !session.grants_at(&grant.scope).iter().any(known) {
                session.note_grant(grant);
            }
        }
    }

    /// Looks whether grants that are to be made are there already.
    async fn look_for_existing(&mut self, new: &[&Wanted]) -> Result<(), Diagnostic> {
        let principal = self.planned.principal_id.text().unwrap_or_default();
        let is_replaced =
            |wanted: &&Wanted| self.replaced.iter().any(|replaced| replaced.subject == wanted.key(principal).subject);
        let new: Vec<&Wanted> = new.iter().copied().filter(|wanted| !is_replaced(wanted)).collect();
        let (Some(session), Some(first)) = (self.session, new.first()) else { return Ok(()) };
        // Once somebody has written, a list would be a request for each object, and Azure says the same at the PUT.
        if !session.arm.remembers_reads() {
            return Ok(());
        }
        // Whoever may not list, or lists too early, will be told at the apply.
        let scope = &first.id.scope;
        let list = session.arm.list(RoleAssignment::at_scope(scope), Read::Remembered, &self.call).await;
        let list = match list {
            Ok(list) => list,
            Err(error) if error.is_forbidden() || error.is_not_found() => return Ok(()),
            Err(error) => return Err(report::failure("Cannot list the role assignments", &error, "")),
        };
        let mut continued = Vec::new();
        for wanted in new {
            let Some(found) = list.value.iter().find(|found| wanted.matches(found, principal)) else { continue };
            let Ok(id) = found.assignment_id() else { continue };
            let is_in_state = self.walk.is_in_state(&wanted.key(principal));
            if id.name == wanted.id.name {
                if !is_in_state {
                    continued.push((wanted, found));
                }
            } else if self.prior.is_none() && self.walk.may_be_tainted(&wanted.key(principal)) {
                // The object itself has it, and is replaced.
            } else if !self.planned.adopts() {
                return Err(match is_in_state {
                    true => explain::held_by_this_state(&self.planned, wanted, found),
                    false => explain::exists(&self.planned, wanted, Some(found), None),
                });
            } else if let Some(difference) = grant::condition_differs(&self.planned, found) {
                return Err(explain::cannot_adopt(wanted, found, &difference));
            }
        }
        if !continued.is_empty() {
            self.found.push(explain::continued(&self.planned, &continued));
        }
        Ok(())
    }
}
