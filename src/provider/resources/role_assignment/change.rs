//! Making the assignments that are there equal those that are wanted, one by one.

use std::time::Duration;

use uuid::Uuid;

use super::{
    LEAVES,
    choice::definition_id,
    explain,
    grant::{Entry, Wanted, condition_differs, key},
    platform,
    schema::{self, State},
    written::Written,
};
use crate::{
    arm::{
        self, Call, ErrorCode, Read, RoleAssignmentId,
        request::Dated,
        role_assignments::{Filter, NewRoleAssignment, RoleAssignment},
        workspaces::Workspace,
    },
    framework::{Attr, Diagnostic, Diagnostics, Private, timeouts},
    provider::{Session, session::Objects},
};

/// What is claimed of an assignment in [`Session`] by whoever has made it its own in this run.
const GRANT: &str = "grant";

/// What is claimed of one that was removed in this run.
const GONE: &str = "gone";

/// What all grants of one object are made with.
#[derive(Debug)]
pub(super) struct Terms<'t> {
    /// Azure.
    pub(super) session: &'t Session,
    /// Limits.
    pub(super) call: &'t Call,
    /// The object as it is to be.
    pub(super) state: &'t State,
    /// Whether the object is new.
    pub(super) creating: bool,
    /// Why it could not be told which of the grants are the platform's, if that has to be told.
    pub(super) unseen: Option<arm::Error>,
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
    /// The hub whose own identity the principal is, once that was looked at.
    own_hub: Option<Option<Workspace>>,
}

/// A grant that could not be made.
#[derive(Debug)]
struct Failed {
    diagnostic: Diagnostic,
    /// The assignment that may be there all the same.
    maybe: Option<Entry>,
}

impl From<Diagnostic> for Box<Failed> {
    fn from(diagnostic: Diagnostic) -> Self {
        Box::new(Failed { diagnostic, maybe: None })
    }
}

impl Terms<'_> {
    /// Grants what is wanted and not there, brings the rest up to date if `rewrite`, and only then removes what is no
    /// longer wanted. It stops at the first grant that fails, before anything is removed.
    pub(super) async fn change(
        &self,
        mut before: Vec<Entry>,
        wanted: &[Wanted],
        rewrite: bool,
        written: &mut Written,
    ) -> Done {
        let mut done = Done::default();
        for wanted in wanted {
            let known = before.iter().position(|entry| wanted.is(entry)).map(|at| before.remove(at));
            match self.ensure(wanted, known.as_ref(), rewrite, written, &mut done).await {
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
        let (left, diagnostics) = self.remove(before).await;
        done.entries.extend(left);
        done.diagnostics.extend(diagnostics);
        done
    }

    /// Removes assignments that are ours, and gives back those that could not be removed.
    pub(super) async fn remove(&self, entries: Vec<Entry>) -> (Vec<Entry>, Diagnostics) {
        let (mut left, mut diagnostics) = (Vec::new(), Diagnostics::default());
        for entry in entries.into_iter().filter(|entry| !entry.adopted) {
            let told = match self.remove_one(&entry).await {
                Ok(None) => continue,
                Ok(Some(kept)) => kept,
                Err(failed) => {
                    left.push(entry);
                    failed
                }
            };
            diagnostics.push(told);
        }
        (left, diagnostics)
    }

    /// Removes one assignment. Gives a warning if it stays because it is somebody else's now.
    async fn remove_one(&self, entry: &Entry) -> Result<Option<Diagnostic>, Diagnostic> {
        if let Some(error) = &self.unseen
            && platform::may_be(self.state.principal_type.text(), &entry.id.scope, std::slice::from_ref(&entry.role))
        {
            return Err(explain::may_be_the_platforms(entry, error));
        }
        let failed = |error| explain::not_removed(entry, &error);
        let key = key(&entry.id);
        let _turn = self.session.turn(&key, self.call).await.map_err(failed)?;
        if self.session.has_claimed(&key, GRANT) {
            return Ok(Some(explain::claimed(entry)));
        }
        self.session.arm.role_assignments().delete(&entry.id, self.call).await.map_err(failed)?;
        self.session.claim(&key, GONE);
        let gone = Wanted { role: entry.role.clone(), id: entry.id.clone() };
        if let Some(grant) = gone.noted(self.state, None) {
            self.session.forget_grant(&grant);
        }
        Ok(None)
    }

    /// Lets go of assignments that another object has made its own since, as far as that can be told: the plan has seen the
    /// other object, or the object is removed late, after its successor was made in an earlier run.
    pub(super) async fn leave_what_others_hold(&self, entries: &mut Vec<Entry>, private: &Private) -> Diagnostics {
        let mut diagnostics = Diagnostics::default();
        let leaves: Vec<String> = private.get(LEAVES).unwrap_or_default();
        let written = Written::load(private);
        for entry in std::mem::take(entries) {
            if leaves.contains(&entry.id.to_string()) {
                diagnostics.push(explain::claimed(&entry));
            } else if self.is_removed_late(&entry) && self.may_have_a_successor(&entry, &written).await {
                diagnostics.push(explain::has_a_successor(&entry));
            } else {
                entries.push(entry);
            }
        }
        diagnostics
    }

    /// Whether this is about an object that was replaced and could not be removed then: its removal is the only one that
    /// engines plan in the process that also applies it.
    fn is_removed_late(&self, entry: &Entry) -> bool {
        let planned = |wanted: Wanted| self.session.note_object(&wanted.key(), |_: &mut Objects| ()).destroyed > 0;
        let claimed = self.session.has_claimed(&key(&entry.id), GRANT);
        !entry.adopted && !claimed && Wanted::of(entry, self.state).is_some_and(planned)
    }

    /// Whether a successor of this object may stand for the assignment now: it was written since, or was never written from
    /// here, so that a successor may have adopted it. What cannot be seen has not been written.
    async fn may_have_a_successor(&self, entry: &Entry, written: &Written) -> bool {
        if !written.has(&entry.id) {
            return true;
        }
        let found = self.session.arm.role_assignments().get(&entry.id, Read::Fresh, self.call).await;
        found.is_ok_and(|found| written.is_overwritten(&entry.id, &found.value))
    }

    async fn ensure(
        &self,
        wanted: &Wanted,
        known: Option<&Entry>,
        rewrite: bool,
        written: &mut Written,
        done: &mut Done,
    ) -> Result<Entry, Box<Failed>> {
        let id = known.map_or(&wanted.id, |entry| &entry.id);
        let key = key(id);
        let failed = |error| Box::<Failed>::from(explain::not_granted(self.state, wanted, &error));
        let _turn = self.session.turn(&key, self.call).await.map_err(failed)?;
        if let Some(entry) = known
            && (entry.adopted || !rewrite)
        {
            self.session.claim(&key, GRANT);
            return Ok(Entry { role: wanted.role.clone(), ..entry.clone() });
        }
        let mut made = self.put(id, wanted).await;
        if let Err(error) = &made
            && error.code() == Some(&ErrorCode::RoleAssignmentExists)
        {
            match self.adopt(wanted, error, done).await? {
                Some(adopted) => return Ok(adopted),
                None => made = self.put(id, wanted).await,
            }
        }
        match made {
            Ok(made) => {
                self.session.claim(&key, GRANT);
                written.note(&made.value, id);
                Ok(self.granted(wanted, id, &made.value, done).await)
            }
            Err(error) => {
                let maybe = error.may_have_had_effect().then(|| Entry::assumed(wanted));
                if maybe.is_some() {
                    written.forget(id);
                }
                Err(Box::new(Failed { diagnostic: explain::not_granted(self.state, wanted, &error), maybe }))
            }
        }
    }

    async fn put(&self, id: &RoleAssignmentId, wanted: &Wanted) -> Result<Dated<RoleAssignment>, arm::Error> {
        let patience = self.state.principal_propagation_timeout.text().and_then(timeouts::parse);
        let patience = patience.unwrap_or(Duration::from_secs(120));
        self.session.arm.role_assignments().put(id, &self.new_assignment(wanted), patience, self.call).await
    }

    /// Takes note of a grant that was made.
    async fn granted(&self, wanted: &Wanted, id: &RoleAssignmentId, made: &RoleAssignment, done: &mut Done) -> Entry {
        if let Some(grant) = wanted.noted(self.state, made.properties.created_on) {
            self.session.note_grant(grant);
        }
        let told = made.properties.principal_type.clone();
        let platform = match self.may_turn_out_to_be_the_platforms(wanted, told.as_deref()) {
            true => self.own_hub(wanted, done).await,
            false => None,
        };
        if let Some(hub) = &platform {
            done.diagnostics.push(explain::leaves_to_the_platform(hub, wanted));
        }
        done.principal_type = told.or(done.principal_type.take());
        Entry::of(&wanted.role, id.clone(), made, platform.is_some())
    }

    /// Whether a hub's own identity may just have been given a role that is the platform's to give. Where the type of the
    /// principal was known, or the hub had to be looked at, planning has seen to it; otherwise Azure's answer is the first to
    /// say that the principal may be such an identity.
    fn may_turn_out_to_be_the_platforms(&self, wanted: &Wanted, told: Option<&str>) -> bool {
        let State { principal_type, hub_id, .. } = self.state;
        let seen_to = principal_type.text().is_some() || (self.creating && !hub_id.is_null());
        !seen_to && platform::may_be(told, &wanted.id.scope, std::slice::from_ref(&wanted.role))
    }

    /// The hub whose own identity the principal is, as far as that can be seen.
    async fn own_hub(&self, wanted: &Wanted, done: &mut Done) -> Option<Workspace> {
        if done.own_hub.is_none() {
            let (session, principal) = (self.session, self.state.principal_id.text().unwrap_or_default());
            let (hub_id, scope) = (&self.state.hub_id, &wanted.id.scope);
            let hub = platform::hub_of(session, hub_id, scope, principal, Read::Fresh, self.call).await;
            done.own_hub = Some(hub.ok().flatten());
        }
        done.own_hub.clone().flatten()
    }

    fn new_assignment(&self, wanted: &Wanted) -> NewRoleAssignment {
        let text = |attr: &Attr<String>| attr.text().map(str::to_owned);
        let state = self.state;
        NewRoleAssignment {
            role_definition_id: definition_id(&wanted.id.scope, wanted.role.guid),
            principal_id: text(&state.principal_id).unwrap_or_default(),
            // Other types are told by Azure and not to it.
            principal_type: text(&state.principal_type).filter(|kind| schema::may_be_sent(kind)),
            description: text(&state.description),
            condition: text(&state.condition),
            condition_version: text(&state.condition_version),
            delegated_managed_identity_resource_id: text(&state.delegated_managed_identity_resource_id),
        }
    }

    /// Deals with a grant that is there under another name. Nothing if it was removed meanwhile by this run.
    async fn adopt(&self, wanted: &Wanted, error: &arm::Error, done: &mut Done) -> Result<Option<Entry>, Box<Failed>> {
        let interrupted = |error: arm::Error| explain::not_granted(self.state, wanted, &error);
        let existing = self.existing(wanted, error).await.map_err(interrupted)?;
        if !self.state.adopts() {
            return Err(explain::exists(self.state, wanted, existing.as_ref(), Some(error)).into());
        }
        let Some(existing) = existing else { return Err(explain::cannot_find_existing(wanted, error).into()) };
        if let Some(difference) = condition_differs(self.state, &existing) {
            return Err(explain::cannot_adopt(wanted, &existing, &difference).into());
        }
        let id = existing.assignment_id().unwrap_or_else(|_| wanted.id.clone());
        let key = key(&id);
        // Another object of this run may be removing it, or be about to.
        let _turn = self.session.turn(&key, self.call).await.map_err(interrupted)?;
        if self.session.has_claimed(&key, GONE) {
            return Ok(None);
        }
        self.session.claim(&key, GRANT);
        done.principal_type = existing.properties.principal_type.clone().or(done.principal_type.take());
        Ok(Some(Entry::of(&wanted.role, id, &existing, true)))
    }

    /// The assignment that stands in the way: the one that Azure names, or else the one in the scope's list. Nothing if it
    /// cannot be seen.
    ///
    /// # Errors
    /// When the call has ended.
    async fn existing(&self, wanted: &Wanted, error: &arm::Error) -> Result<Option<RoleAssignment>, arm::Error> {
        let seen = |result: Result<RoleAssignment, arm::Error>| match result {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is_interruption() => Err(error),
            Err(_) => Ok(None),
        };
        let assignments = self.session.arm.role_assignments();
        if let Some(name) = error.service().and_then(arm::ServiceError::existing_role_assignment) {
            let id = RoleAssignmentId::new(wanted.id.scope.clone(), name);
            let found = assignments.get(&id, Read::Fresh, self.call).await.map(|found| found.value);
            if let Some(found) = seen(found)? {
                return Ok(Some(found));
            }
        }
        let principal = self.state.principal_id.text().unwrap_or_default();
        let Ok(guid) = Uuid::try_parse(principal) else { return Ok(None) };
        let list = assignments.list(&wanted.id.scope, &Filter::Principal(guid), Read::Fresh, self.call).await;
        match list {
            Ok(list) => Ok(list.value.into_iter().find(|found| wanted.matches(found, principal))),
            Err(error) if error.is_interruption() => Err(error),
            Err(_) => Ok(None),
        }
    }
}
