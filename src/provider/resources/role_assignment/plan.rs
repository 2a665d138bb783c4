//! Planning: what will be there, and what is in its way.

use super::{
    Fault, HAS, MAKES, are_there,
    choice::{self, Choice},
    explain,
    grant::{self, Entry, Wanted},
    look::DIFFER,
    platform,
    schema::State,
    target::{self, Target},
    wanted,
};
use crate::{
    arm::{Call, Read, role_assignments::Filter, workspaces::Workspace},
    framework::{Attr, Diagnostic, Diagnostics, Private, Severity},
    provider::{Grant, Session, report, session::Objects},
};

/// A plan in the making.
pub(super) struct Plan<'p> {
    pub(super) session: Option<&'p Session>,
    pub(super) call: Call,
    pub(super) prior: Option<State>,
    pub(super) config: State,
    pub(super) planned: State,
    pub(super) private: Private,
    pub(super) found: Diagnostics,
}

impl Plan<'_> {
    /// Completes the plan as far as things are known.
    pub(super) async fn complete(&mut self) -> Result<(), Diagnostic> {
        let Self { session, call, prior, config, .. } = &*self;
        let (session, read) = (*session, Read::Remembered);
        let target = target::resolve(config, prior.as_ref(), session, read, call).await;
        let Target { scope, hub } = self.or_warn(target)?;
        target::fill(&mut self.planned, &self.config, scope.as_ref());

        let choice = Choice::of(&self.config);
        let roles = choice::resolve(&choice, self.prior.as_ref(), scope.as_ref(), session, read, &self.call).await;
        let roles = self.or_warn(roles)?;
        choice::fill(&mut self.planned, &self.config, roles.as_deref(), scope.as_ref());

        if self.config.condition_version.is_null() {
            self.planned.condition_version = Attr::Unknown;
            self.planned.condition_version = self.planned.language();
        }
        self.planned.id = self.planned.import_id();

        let wanted = match (&scope, &roles, self.planned.principal_id.text()) {
            (Some(scope), Some(roles), Some(principal)) => Some(wanted(scope, roles, principal)),
            _ => None,
        };
        let had = self.had();
        if let Some(wanted) = &wanted {
            let new: Vec<_> = wanted.iter().filter(|wanted| !had.iter().any(|had| wanted.is(had))).collect();
            self.refuse_the_platforms(&new, hub).await?;
            self.note(wanted, &new);
        }
        match &self.prior {
            None => self.creation(wanted.as_deref(), &had).await,
            Some(prior) => {
                let same = wanted.as_deref().is_some_and(|wanted| are_there(wanted, prior));
                if !same || self.private.get(DIFFER) == Some(true) {
                    self.planned.role_assignments = Attr::Unknown;
                }
                self.private.remove(MAKES);
                // If this becomes a replacement, its second plan gets to know in this way what the object has.
                self.private.set(HAS, &prior.role_assignments);
                Ok(())
            }
        }
    }

    /// Turns what does not exist yet into a warning: it may be made before this is applied.
    fn or_warn<T: Default>(&mut self, result: Result<T, Fault>) -> Result<T, Diagnostic> {
        match result {
            Ok(value) => Ok(value),
            Err(Fault::Failed(error)) => Err(error),
            Err(Fault::Missing(error)) => {
                let detail = format!(
                    "{}\n\nIf it is made before this is applied, all is well; otherwise the apply will fail.",
                    error.detail
                );
                self.found.push(Diagnostic { severity: Severity::Warning, detail, ..error });
                Ok(T::default())
            }
        }
    }

    /// The assignments that the object has, also when this is the plan of its successor.
    fn had(&self) -> Vec<Entry> {
        match &self.prior {
            Some(prior) => grant::entries(prior),
            None => grant::entries(&State {
                role_assignments: self.private.get(HAS).unwrap_or_default(),
                ..State::default()
            }),
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
            None if platform::may_be(self.planned.principal_type.text(), &id.scope, &roles) => {
                let (hub_id, read) = (&self.planned.hub_id, Read::Remembered);
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

    /// Lets others in this process know what is planned, and warns when they plan the same.
    fn note(&mut self, wanted: &[Wanted], new: &[&Wanted]) {
        let Some(session) = self.session else { return };
        // The second plan of a replacement says what the first one said.
        let again = self.prior.is_none() && self.private.get::<serde_json::Value>(HAS).is_some();
        let counted = new.iter().filter(|_| !again);
        let twice: Vec<&Wanted> = counted
            .filter(|wanted| session.note_object(&wanted.key(), |all: &mut Objects| all.created += 1).created > 1)
            .copied()
            .collect();
        if !twice.is_empty() && session.arm.remembers_reads() {
            self.found.push(explain::made_twice(&twice));
        }
        for grant in wanted.iter().filter_map(|wanted| wanted.noted(&self.planned, None)) {
            let known = |known: &Grant| known.is_about_the_same(&grant);
            if !session.grants_at(&grant.scope).iter().any(known) {
                session.note_grant(grant);
            }
        }
    }

    /// What only a creation has to look at: grants that are there already.
    async fn creation(&mut self, wanted: Option<&[Wanted]>, had: &[Entry]) -> Result<(), Diagnostic> {
        self.private = Private::default();
        let (Some(wanted), Some(session)) = (wanted, self.session) else { return Ok(()) };
        let makes: Vec<_> = wanted.iter().map(|wanted| wanted.id.to_string()).collect();
        self.private.set(MAKES, &makes);
        // Once somebody has written, a list would be a request for each object, and Azure says the same at the PUT.
        if !session.arm.remembers_reads() {
            return Ok(());
        }
        let principal = self.planned.principal_id.text().unwrap_or_default();
        let Some(scope) = wanted.first().map(|wanted| &wanted.id.scope) else { return Ok(()) };
        // Whoever may not list, or lists too early, will be told at the apply.
        let list = session.arm.role_assignments().list(scope, &Filter::AtScope, Read::Remembered, &self.call).await;
        let list = match list {
            Ok(list) => list.value,
            Err(error) if error.is_forbidden() || error.is_not_found() => return Ok(()),
            Err(error) => return Err(report::failure("Cannot list the role assignments", &error, "")),
        };
        let mut taken_over = Vec::new();
        for wanted in wanted {
            let Some(found) = list.iter().find(|found| wanted.matches(found, principal)) else { continue };
            let Ok(id) = found.assignment_id() else { continue };
            if had.iter().any(|had| had.id.name == id.name) {
                continue;
            }
            if id.name == wanted.id.name {
                taken_over.push(wanted);
            } else if !self.planned.adopts() {
                return Err(explain::exists(&self.planned, wanted, Some(found), None));
            } else if let Some(difference) = grant::condition_differs(&self.planned, found) {
                return Err(explain::cannot_adopt(wanted, found, &difference));
            }
        }
        if !taken_over.is_empty() {
            self.found.push(explain::taken_over(&taken_over));
        }
        Ok(())
    }
}
