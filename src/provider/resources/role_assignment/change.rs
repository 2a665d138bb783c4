//! Making the assignments that are there equal those that are wanted, one by one.

use std::time::Duration;

use uuid::Uuid;

use super::{
    explain,
    grant::{Entry, Wanted, condition_differs, lock_id},
    platform,
    schema::State,
    written::Written,
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

/// A change of the assignments of one object: what it is made with.
#[derive(Debug)]
pub(super) struct AssignmentChange<'t> {
    /// Azure.
    pub(super) session: &'t Session,
    /// The other objects of this run.
    pub(super) walk: &'t Walk,
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
    pub(super) principal_type: Option<PrincipalType>,
    /// Whether all that is wanted is there.
    pub(super) complete: bool,
    /// Whether a grant turned out to be one that the platform makes.
    pub(super) is_the_platforms: bool,
    /// What went wrong, and what there is to say.
    pub(super) diagnostics: Diagnostics,
    /// The hub whose own identity the principal is, once that was looked at.
    own_hub: Option<Option<Workspace>>,
}

/// What became of an assignment that was to be removed.
#[derive(Debug)]
enum Removed {
    /// It is gone, or stays as it was to be expected.
    AsExpected,
    /// It stays for another object, which only the apply has found out.
    Kept,
    /// It was somebody else's by now, and is there again.
    PutBack(Diagnostic),
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

impl AssignmentChange<'_> {
    /// Grants what is wanted and not there, brings the rest up to date if `rewrite`, and only then removes what is no
    /// longer wanted. It stops at the first grant that fails, before anything is removed.
    pub(super) async fn change(
        &self,
        mut before: Vec<Entry>,
        wanted: &[Wanted],
        rewrite: bool,
        written: &mut Written,
        succession: Option<&Succession>,
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
        let (left, diagnostics) = self.remove(before, succession).await;
        done.entries.extend(left);
        done.diagnostics.extend(diagnostics);
        done
    }

    fn principal(&self) -> &str {
        self.state.principal_id.text().unwrap_or_default()
    }

    /// Removes assignments that are ours and that no other object has, and gives back those that could not be removed.
    pub(super) async fn remove(
        &self,
        entries: Vec<Entry>,
        succession: Option<&Succession>,
    ) -> (Vec<Entry>, Diagnostics) {
        let (mut left, mut kept, mut diagnostics) = (Vec::new(), Vec::new(), Diagnostics::default());
        for entry in entries.into_iter().filter(|entry| !entry.adopted) {
            match self.remove_one(&entry, succession).await {
                Ok(Removed::AsExpected) => {}
                Ok(Removed::Kept) => kept.push(entry),
                Ok(Removed::PutBack(warning)) => diagnostics.push(warning),
                Err(failed) => {
                    left.push(entry);
                    diagnostics.push(failed);
                }
            }
        }
        if !kept.is_empty() {
            diagnostics.push(explain::kept_for_another(self.principal(), &kept));
        }
        (left, diagnostics)
    }

    async fn remove_one(&self, entry: &Entry, succession: Option<&Succession>) -> Result<Removed, Diagnostic> {
        let principal = self.principal();
        if let Some(error) = &self.unseen
            && platform::may_own(self.state, entry)
        {
            return Err(explain::may_be_the_platforms(entry, error));
        }
        let failed = |error| explain::not_removed(entry, principal, &error);
        let key = entry.key(principal);
        let _lock = self.session.lock(&lock_id(&entry.id), self.call).await.map_err(failed)?;
        if let Some(succession) = succession {
            match succession.fate(&key) {
                Fate::Undo => {}
                Fate::Keep if !succession.is_expected(&key) => return Ok(Removed::Kept),
                Fate::Keep | Fate::Succeeded | Fate::HandOver => return Ok(Removed::AsExpected),
            }
        }
        let deleted = self.session.arm.delete_role_assignment(&entry.id, self.call).await.map_err(failed)?;
        if let Deleted::Was(found) = deleted
            && !found.properties.principal_id.is_empty()
            && !entry.is(&found, principal)
        {
            return Ok(Removed::PutBack(self.put_back(entry, &found).await));
        }
        self.walk.deleted(&key);
        let gone = Wanted { role: entry.role.clone(), id: entry.id.clone() };
        if let Some(grant) = gone.noted(self.state, None) {
            self.session.forget_grant(&grant);
        }
        Ok(Removed::AsExpected)
    }

    /// Makes an assignment again that was somebody else's: ours had gone, and the name had been given to another one.
    async fn put_back(&self, entry: &Entry, found: &RoleAssignment) -> Diagnostic {
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
        explain::put_back(entry, &theirs.principal_id, again.err().as_ref())
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
        let failed = |error| Box::<Failed>::from(explain::not_granted(self.state, wanted, &error));
        let _lock = self.session.lock(&lock_id(id), self.call).await.map_err(failed)?;
        // What was created has the entry that was planned for it, also where a replaced object has left the assignment.
        let entry = |known: Option<&Entry>| {
            let known = known.filter(|_| !self.creating);
            Entry::granted(wanted, id.clone(), self.state, known)
        };
        if let Some(known) = known
            && (known.adopted || !rewrite)
        {
            self.walk.wrote(&known.key(self.principal()));
            return Ok(Entry { adopted: known.adopted, ..entry(Some(known)) });
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
                self.walk.wrote(&entry(known).key(self.principal()));
                written.note(&made.value, id);
                self.granted(wanted, &made.value, done).await;
                Ok(entry(known))
            }
            Err(error) => {
                let maybe = error.may_have_had_effect().then(|| entry(known));
                if maybe.is_some() {
                    written.forget(id);
                }
                Err(Box::new(Failed { diagnostic: explain::not_granted(self.state, wanted, &error), maybe }))
            }
        }
    }

    async fn put(&self, id: &RoleAssignmentId, wanted: &Wanted) -> Result<Dated<RoleAssignment>, arm::Error> {
        let patience = self.state.principal_propagation_timeout.known().map_or(Duration::ZERO, Period::length);
        self.session.arm.put_role_assignment(id, &self.new_assignment(wanted), patience, self.call).await
    }

    /// Takes note of a grant that was made.
    async fn granted(&self, wanted: &Wanted, made: &RoleAssignment, done: &mut Done) {
        if let Some(grant) = wanted.noted(self.state, made.properties.created_on) {
            self.session.note_grant(grant);
        }
        let told = made.properties.principal_type.as_deref().map(PrincipalType::from);
        if self.may_turn_out_to_be_the_platforms(wanted, told.as_ref())
            && let Some(hub) = self.own_hub(wanted, done).await
        {
            done.diagnostics.push(explain::leaves_to_the_platform(&hub, wanted));
            done.is_the_platforms = true;
        }
        done.principal_type = told.or(done.principal_type.take());
    }

    /// Whether a hub's own identity may just have been given a role that is the platform's to give. Where the type of the
    /// principal was known, or the hub had to be looked at, planning has seen to it; otherwise Azure's answer is the first to
    /// say that the principal may be such an identity.
    fn may_turn_out_to_be_the_platforms(&self, wanted: &Wanted, told: Option<&PrincipalType>) -> bool {
        let State { principal_type, hub_id, .. } = self.state;
        let seen_to = principal_type.known().is_some() || (self.creating && !hub_id.is_null());
        !seen_to && platform::may_be(told, &wanted.id.scope, std::slice::from_ref(&wanted.role))
    }

    /// The hub whose own identity the principal is, as far as that can be seen.
    async fn own_hub(&self, wanted: &Wanted, done: &mut Done) -> Option<Workspace> {
        if done.own_hub.is_none() {
            let (session, principal) = (self.session, self.state.principal_id.text().unwrap_or_default());
            let (hub_id, scope) = (self.state.hub_id.known(), &wanted.id.scope);
            let hub = platform::hub_of(session, hub_id, scope, principal, Read::Fresh, self.call).await;
            done.own_hub = Some(hub.ok().flatten());
        }
        done.own_hub.clone().flatten()
    }

    fn new_assignment(&self, wanted: &Wanted) -> NewRoleAssignment {
        let text = |attr: &Attr<String>| attr.text().map(str::to_owned);
        let state = self.state;
        let principal_type = state.principal_type.known().filter(|kind| kind.may_be_sent());
        NewRoleAssignment {
            role_definition_id: RoleDefinitionId::within(&wanted.id.scope, wanted.role.guid).into(),
            principal_id: self.principal().to_owned(),
            // Other types are told by Azure and not to it.
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
        // Another object of this run may be removing it, or be about to.
        let _lock = self.session.lock(&lock_id(&id), self.call).await.map_err(interrupted)?;
        let adopted = Entry { adopted: true, ..Entry::granted(wanted, id, self.state, None) };
        let key = adopted.key(self.principal());
        if self.walk.has_deleted(&key) {
            return Ok(None);
        }
        self.walk.wrote(&key);
        let told = existing.properties.principal_type.as_deref().map(PrincipalType::from);
        done.principal_type = told.or(done.principal_type.take());
        Ok(Some(adopted))
    }

    /// The assignment that stands in the way: the one that Azure names, or else the one in the scope's list. Nothing if it
    /// cannot be seen.
    ///
    /// # Errors
    /// When the call has ended.
    async fn existing(&self, wanted: &Wanted, error: &arm::Error) -> Result<Option<RoleAssignment>, arm::Error> {
        let principal = self.principal();
        let seen = |result: Result<RoleAssignment, arm::Error>| match result {
            Ok(found) => Ok(Some(found).filter(|found| wanted.matches(found, principal))),
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
            Ok(list) => Ok(list.value.iter().find(|found| wanted.matches(found, principal)).cloned()),
            Err(error) if error.is_interruption() => Err(error),
            Err(_) => Ok(None),
        }
    }
}
