//! Creates the role assignments that are wanted and missing, and deletes those that are no longer wanted.

use std::time::Duration;

use uuid::Uuid;

use super::{
    assignment::{StateAssignment, WantedAssignment, condition_differs, lock_id},
    explain, platform,
    schema::State,
    write_times::WriteTimes,
};
use crate::{
    arm::{
        self, ArmId, Call, Dated, ErrorCode, Read, RoleAssignmentId, RoleDefinitionId,
        role_assignments::{Deleted, NewRoleAssignment, RoleAssignment},
        workspaces::Workspace,
    },
    framework::{
        Attr, Diagnostic, Diagnostics,
        timeouts::Period,
        walk::{Fate, Succession, Walk},
    },
    provider::{Session, principal::PrincipalType},
};

/// A change of the assignments of one object.
#[derive(Debug)]
pub(super) struct AssignmentChange<'t> {
    pub(super) session: &'t Session,
    pub(super) walk: &'t Walk,
    pub(super) call: &'t Call,
    /// The planned object.
    pub(super) state: &'t State,
    pub(super) creating: bool,
    /// Why it is not known which of the assignments are the platform's, where it has to be.
    pub(super) unchecked: Option<arm::Error>,
}

/// The result of a change.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// The assignments that exist now.
    pub(super) entries: Vec<StateAssignment>,
    pub(super) principal_type: Option<PrincipalType>,
    /// Whether all wanted assignments exist.
    pub(super) complete: bool,
    /// Whether an assignment turned out to be one that the platform creates.
    pub(super) made_by_platform: bool,
    pub(super) diagnostics: Diagnostics,
    /// The hub whose system-assigned identity the principal is, once that was read.
    own_hub: Option<Option<Workspace>>,
}

/// The result of a deletion.
#[derive(Debug)]
enum Removed {
    /// It is deleted, or stays as the plan said.
    AsPlanned,
    /// It stays for another object, which the plan did not say.
    Kept,
    /// It was somebody else's by now, and was recreated.
    Recreated(Diagnostic),
}

/// An assignment that could not be created.
#[derive(Debug)]
struct Failed {
    diagnostic: Diagnostic,
    /// The assignment that may exist all the same.
    maybe: Option<StateAssignment>,
}

impl From<Diagnostic> for Box<Failed> {
    fn from(diagnostic: Diagnostic) -> Self {
        Box::new(Failed { diagnostic, maybe: None })
    }
}

impl AssignmentChange<'_> {
    /// Creates what is missing, updates the rest if `rewrite`, and only then deletes what is no longer wanted. It stops at
    /// the first failure, before anything is deleted.
    pub(super) async fn change(
        &self,
        mut before: Vec<StateAssignment>,
        wanted: &[WantedAssignment],
        rewrite: bool,
        write_times: &mut WriteTimes,
        succession: Option<&Succession>,
    ) -> Done {
        let mut done = Done::default();
        for wanted in wanted {
            let known = before.iter().position(|entry| wanted.same_role_and_scope(entry)).map(|at| before.remove(at));
            match self.ensure(wanted, known.as_ref(), rewrite, write_times, &mut done).await {
                Ok(entry) => done.entries.push(entry),
                Err(failed) => {
                    if let Some(assignment) = wanted.noted(self.state, None) {
                        self.session.forget_assignment(&assignment);
                    }
                    done.entries.extend(known.or(failed.maybe));
                    done.entries.extend(before);
                    done.diagnostics.push(failed.diagnostic);
                    return done;
                }
            }
        }
        done.complete = true;
        let (not_deleted, diagnostics) = self.remove(before, succession).await;
        done.entries.extend(not_deleted);
        done.diagnostics.extend(diagnostics);
        done
    }

    fn principal(&self) -> &str {
        self.state.principal_id.text().unwrap_or_default()
    }

    /// Deletes assignments that are not adopted and that no other object has, and returns those that could not be deleted.
    pub(super) async fn remove(
        &self,
        entries: Vec<StateAssignment>,
        succession: Option<&Succession>,
    ) -> (Vec<StateAssignment>, Diagnostics) {
        let (mut not_deleted, mut kept, mut diagnostics) = (Vec::new(), Vec::new(), Diagnostics::default());
        for entry in entries.into_iter().filter(|entry| !entry.adopted) {
            match self.remove_one(&entry, succession).await {
                Ok(Removed::AsPlanned) => {}
                Ok(Removed::Kept) => kept.push(entry),
                Ok(Removed::Recreated(warning)) => diagnostics.push(warning),
                Err(failed) => {
                    not_deleted.push(entry);
                    diagnostics.push(failed);
                }
            }
        }
        if !kept.is_empty() {
            diagnostics.push(explain::kept_for_another(self.principal(), &kept));
        }
        (not_deleted, diagnostics)
    }

    async fn remove_one(
        &self,
        entry: &StateAssignment,
        succession: Option<&Succession>,
    ) -> Result<Removed, Diagnostic> {
        let principal = self.principal();
        if let Some(error) = &self.unchecked
            && platform::may_have_assigned(self.state, entry)
        {
            return Err(explain::may_be_made_by_platform(entry, error));
        }
        let failed = |error| explain::not_removed(entry, principal, &error);
        let key = entry.key(principal);
        let _lock = self.session.lock(&lock_id(&entry.id), self.call).await.map_err(failed)?;
        if let Some(succession) = succession {
            match succession.fate(&key) {
                Fate::Undo => {}
                Fate::Keep if !succession.is_expected(&key) => return Ok(Removed::Kept),
                Fate::Keep | Fate::Succeeded | Fate::HandOver => return Ok(Removed::AsPlanned),
            }
        }
        let deleted = self.session.arm.delete_role_assignment(&entry.id, self.call).await.map_err(failed)?;
        if let Deleted::Was(found) = deleted
            && !found.properties.principal_id.is_empty()
            && !entry.same_scope_principal_and_role(&found, principal)
        {
            return Ok(Removed::Recreated(self.recreate(entry, &found).await));
        }
        self.walk.note_deleted(&key);
        let deleted = WantedAssignment { role: entry.role.clone(), id: entry.id.clone() };
        if let Some(assignment) = deleted.noted(self.state, None) {
            self.session.forget_assignment(&assignment);
        }
        Ok(Removed::AsPlanned)
    }

    /// Recreates an assignment that was somebody else's: ours had been deleted, and its name used for another one.
    async fn recreate(&self, entry: &StateAssignment, found: &RoleAssignment) -> Diagnostic {
        let properties = found.properties.clone();
        let theirs = NewRoleAssignment {
            role_definition_id: properties.role_definition_id,
            principal_id: properties.principal_id,
            principal_type: properties.principal_type.filter(|kind| PrincipalType::from(kind.as_str()).may_be_sent()),
            description: properties.description,
            condition: properties.condition,
            condition_version: properties.condition_version,
            delegated_managed_identity_resource_id: properties.delegated_managed_identity_resource_id,
        };
        let again = self.session.arm.put_role_assignment(&entry.id, &theirs, Duration::from_secs(120), self.call).await;
        explain::recreated(entry, &theirs.principal_id, again.err().as_ref())
    }

    async fn ensure(
        &self,
        wanted: &WantedAssignment,
        known: Option<&StateAssignment>,
        rewrite: bool,
        write_times: &mut WriteTimes,
        done: &mut Done,
    ) -> Result<StateAssignment, Box<Failed>> {
        let id = known.map_or(&wanted.id, |entry| &entry.id);
        let failed = |error| Box::<Failed>::from(explain::not_granted(self.state, wanted, &error));
        let _lock = self.session.lock(&lock_id(id), self.call).await.map_err(failed)?;
        // A created object has the entry that was planned, even where the replaced object has handed over the assignment.
        let entry = |known: Option<&StateAssignment>| {
            let known = known.filter(|_| !self.creating);
            StateAssignment::existing(wanted, id.clone(), self.state, known)
        };
        if let Some(known) = known
            && (known.adopted || !rewrite)
        {
            self.walk.note_written(&known.key(self.principal()));
            return Ok(StateAssignment { adopted: known.adopted, ..entry(Some(known)) });
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
                self.walk.note_written(&entry(known).key(self.principal()));
                write_times.note(&made.value, id);
                self.note_created(wanted, &made.value, done).await;
                Ok(entry(known))
            }
            Err(error) => {
                let maybe = error.may_have_had_effect().then(|| entry(known));
                if maybe.is_some() {
                    write_times.forget(id);
                }
                Err(Box::new(Failed { diagnostic: explain::not_granted(self.state, wanted, &error), maybe }))
            }
        }
    }

    async fn put(&self, id: &RoleAssignmentId, wanted: &WantedAssignment) -> Result<Dated<RoleAssignment>, arm::Error> {
        let patience = self.state.principal_propagation_timeout.known().map_or(Duration::ZERO, Period::length);
        self.session.arm.put_role_assignment(id, &self.new_assignment(wanted), patience, self.call).await
    }

    /// Notes an assignment that was created.
    async fn note_created(&self, wanted: &WantedAssignment, made: &RoleAssignment, done: &mut Done) {
        if let Some(assignment) = wanted.noted(self.state, made.properties.created_on) {
            self.session.note_assignment(assignment);
        }
        let told = made.properties.principal_type.as_deref().map(PrincipalType::from);
        if self.may_be_assigned_by_platform(wanted, told.as_ref())
            && let Some(hub) = self.own_hub(wanted, done).await
        {
            done.diagnostics.push(explain::left_to_the_platform(&hub, wanted));
            done.made_by_platform = true;
        }
        done.principal_type = told.or(done.principal_type.take());
    }

    /// Whether the platform may create this assignment. Where the principal's type was known, or the hub had to be read, the
    /// plan has checked it; otherwise Azure's answer is the first to tell the type.
    fn may_be_assigned_by_platform(&self, wanted: &WantedAssignment, told: Option<&PrincipalType>) -> bool {
        let State { principal_type, hub_id, .. } = self.state;
        let checked_by_plan = principal_type.known().is_some() || (self.creating && !hub_id.is_null());
        !checked_by_plan && platform::may_assign(told, &wanted.id.scope, std::slice::from_ref(&wanted.role))
    }

    /// The hub whose system-assigned identity the principal is, if that can be read.
    async fn own_hub(&self, wanted: &WantedAssignment, done: &mut Done) -> Option<Workspace> {
        if done.own_hub.is_none() {
            let (session, principal) = (self.session, self.state.principal_id.text().unwrap_or_default());
            let (hub_id, scope) = (self.state.hub_id.known(), &wanted.id.scope);
            let hub = platform::hub_of(session, hub_id, scope, principal, Read::Fresh, self.call).await;
            done.own_hub = Some(hub.ok().flatten());
        }
        done.own_hub.clone().flatten()
    }

    fn new_assignment(&self, wanted: &WantedAssignment) -> NewRoleAssignment {
        let text = |attr: &Attr<String>| attr.text().map(str::to_owned);
        let state = self.state;
        let principal_type = state.principal_type.known().filter(|kind| kind.may_be_sent());
        NewRoleAssignment {
            role_definition_id: RoleDefinitionId::within(&wanted.id.scope, wanted.role.guid).into(),
            principal_id: self.principal().to_owned(),
            // Azure answers other types and does not accept them.
            principal_type: principal_type.map(ToString::to_string),
            description: text(&state.description),
            condition: text(&state.condition),
            condition_version: text(&state.condition_version),
            delegated_managed_identity_resource_id: state
                .delegated_managed_identity_resource_id
                .known()
                .map(ArmId::to_string),
        }
    }

    /// Adopts an assignment that exists under another name, or fails. `None` if this run has deleted it meanwhile.
    async fn adopt(
        &self,
        wanted: &WantedAssignment,
        error: &arm::Error,
        done: &mut Done,
    ) -> Result<Option<StateAssignment>, Box<Failed>> {
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
        // Another object of this run may be deleting it.
        let _lock = self.session.lock(&lock_id(&id), self.call).await.map_err(interrupted)?;
        let adopted = StateAssignment { adopted: true, ..StateAssignment::existing(wanted, id, self.state, None) };
        let key = adopted.key(self.principal());
        if self.walk.has_deleted(&key) {
            return Ok(None);
        }
        self.walk.note_written(&key);
        let told = existing.properties.principal_type.as_deref().map(PrincipalType::from);
        done.principal_type = told.or(done.principal_type.take());
        Ok(Some(adopted))
    }

    /// The assignment that exists: the one that Azure names, or else the one in the scope's list. `None` if it cannot be read.
    ///
    /// # Errors
    /// The call has ended.
    async fn existing(
        &self,
        wanted: &WantedAssignment,
        error: &arm::Error,
    ) -> Result<Option<RoleAssignment>, arm::Error> {
        let principal = self.principal();
        let seen = |result: Result<RoleAssignment, arm::Error>| match result {
            Ok(found) => Ok(Some(found).filter(|found| wanted.same_scope_principal_and_role(found, principal))),
            Err(error) if error.is_interruption() => Err(error),
            Err(_) => Ok(None),
        };
        let arm = &self.session.arm;
        if let Some(name) = error.service().and_then(arm::ServiceError::existing_role_assignment) {
            let id = RoleAssignmentId::new(wanted.id.scope.clone(), name);
            let found = arm.get::<RoleAssignment>(&id, Read::Fresh, self.call).await;
            if let Some(found) = seen(found)? {
                return Ok(Some(found));
            }
        }
        let Ok(guid) = Uuid::try_parse(principal) else { return Ok(None) };
        let list = RoleAssignment::of_principal(&wanted.id.scope, guid);
        match arm.list(list, Read::Fresh, self.call).await {
            Ok(list) => Ok(list.held(&wanted.id.scope, principal, wanted.role.guid).cloned()),
            Err(error) if error.is_interruption() => Err(error),
            Err(_) => Ok(None),
        }
    }
}
