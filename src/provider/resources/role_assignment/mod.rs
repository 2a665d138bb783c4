//! `foundryhub_role_assignment`: the roles that one principal needs on a hub's storage account.
//!
//! One object stands for one or two role assignments in Azure, all of one principal at one scope. Which ones are wanted
//! follows from the configuration ([`choice`], [`target`]); which ones are there stands in the state's
//! `role_assignments`; making the second equal the first is [`grant`]. Wanted grants come first and unwanted ones go
//! last, so that nobody is without access in between.

mod choice;
mod explain;
mod grant;
mod import;
mod schema;
mod target;

use std::time::Duration;

use futures_util::future::join_all;

use crate::{
    arm::{self, ArmId, Call, ErrorCode, Read, role_assignments::Filter},
    framework::{
        Attr, Diagnostic, Diagnostics, Private,
        resource::{
            Context, CreateRequest, DeleteRequest, ImportTarget, MoveSource, Outcome, PlanRequest, Planned, Resource,
            UpdateRequest,
        },
        schema::{IdentitySchema, Schema},
        timeouts::Timeouts,
    },
    provider::{Grant, Session},
};
use choice::{Choice, Role};
use grant::{Done, Terms, Wanted, Written};
use schema::{Identity, State};
use target::Target;

/// How long operations may take where the configuration does not say.
const READING: Duration = Duration::from_secs(5 * 60);
const WRITING: Duration = Duration::from_secs(30 * 60);

/// The names of the assignments that a planned creation will make, for the removal that precedes it in a replacement.
const MAKES: &str = "makes";

/// Set on an object that was taken over from elsewhere and has not been looked at yet.
const TAKEN_OVER: &str = "taken_over";

/// The resource type.
#[derive(Debug)]
pub struct RoleAssignment;

/// Why something cannot be told yet or at all.
#[derive(Debug)]
pub(crate) enum Fault {
    /// What is referred to does not exist, at least not yet: a warning while planning, an error when applying.
    Missing(Diagnostic),
    /// It could not be found out, or makes no sense.
    Failed(Diagnostic),
}

impl Resource for RoleAssignment {
    type Client = Session;
    type State = State;
    type Identity = Identity;

    fn name(&self) -> &'static str {
        "foundryhub_role_assignment"
    }

    fn schema(&self) -> Schema {
        schema::schema()
    }

    fn identity_schema(&self) -> IdentitySchema {
        schema::identity_schema()
    }

    fn identity(&self, state: &State) -> Option<Identity> {
        state.identity()
    }

    /// Roles and target change in place, and both are part of the identity.
    fn identity_may_change(&self) -> bool {
        true
    }

    fn validate(&self, config: &State) -> Diagnostics {
        schema::validate(config)
    }

    async fn plan(&self, context: Context<'_, Session>, request: PlanRequest<State>) -> Planned<State> {
        let PlanRequest { prior, config, planned, private } = request;
        let call = Call::new(context.cancel, planned.timeout(|timeouts| &timeouts.read, READING));
        let mut plan =
            Plan { session: context.client, call, prior, config, planned, private, found: Diagnostics::default() };
        if let Err(failed) = plan.complete().await {
            plan.found.push(failed);
        }
        Planned { state: plan.planned, private: plan.private, requires_replace: Vec::new(), diagnostics: plan.found }
    }

    async fn create(&self, context: Context<'_, Session>, request: CreateRequest<State>) -> Outcome<State> {
        let CreateRequest { config, planned, .. } = request;
        apply(context, |timeouts| &timeouts.create, None, &config, planned, Private::default()).await
    }

    async fn read(&self, context: Context<'_, Session>, state: State, private: Private) -> Outcome<State> {
        let Some(session) = context.client else {
            return Outcome { state: Some(state), private, diagnostics: unconfigured().into() };
        };
        let call = Call::new(context.cancel, state.timeout(|timeouts| &timeouts.read, READING));
        read(session, &call, state, private).await
    }

    async fn update(&self, context: Context<'_, Session>, request: UpdateRequest<State>) -> Outcome<State> {
        let UpdateRequest { prior, config, planned, private } = request;
        apply(context, |timeouts| &timeouts.update, Some(prior), &config, planned, private).await
    }

    async fn delete(&self, context: Context<'_, Session>, request: DeleteRequest<State>) -> Outcome<State> {
        let DeleteRequest { prior, private, replacing } = request;
        let entries = grant::entries(&prior);
        let Some(session) = context.client else {
            return Outcome { state: Some(prior), private, diagnostics: unconfigured().into() };
        };
        session.arm.stop_remembering();
        let call = Call::new(context.cancel, prior.timeout(|timeouts| &timeouts.delete, WRITING));
        // What the creation half makes again under the same name stays, so that nobody is without it in between.
        let kept: Vec<String> = if replacing { private.get(MAKES).unwrap_or_default() } else { Vec::new() };
        let terms = Terms { session, call: &call, state: &prior };
        let (left, diagnostics) = terms.remove(entries, &kept).await;
        let state = (!left.is_empty()).then(|| State { role_assignments: grant::record(&left), ..prior.clone() });
        Outcome { state, private, diagnostics }
    }

    async fn import(&self, context: Context<'_, Session>, target: ImportTarget<Identity>) -> Outcome<State> {
        let Some(session) = context.client else {
            return Outcome { state: None, private: Private::default(), diagnostics: unconfigured().into() };
        };
        let call = Call::new(context.cancel, READING);
        match import::import(session, &call, target).await {
            Ok(state) => {
                Outcome { state: Some(state), private: Private::default(), diagnostics: Diagnostics::default() }
            }
            Err(error) => Outcome { state: None, private: Private::default(), diagnostics: error.into() },
        }
    }

    fn take_over(&self, source: &MoveSource) -> Option<Outcome<State>> {
        import::take_over(source).map(|state| {
            let mut private = Private::default();
            private.set(TAKEN_OVER, &true);
            Outcome { state: Some(state), private, diagnostics: Diagnostics::default() }
        })
    }
}

/// A plan in the making.
struct Plan<'p> {
    session: Option<&'p Session>,
    call: Call,
    prior: Option<State>,
    config: State,
    planned: State,
    private: Private,
    found: Diagnostics,
}

impl Plan<'_> {
    async fn complete(&mut self) -> Result<(), Diagnostic> {
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
            self.planned.condition_version = match &self.config.condition {
                Attr::Null => Attr::Null,
                Attr::Unknown => Attr::Unknown,
                Attr::Known(_) => "2.0".to_owned().into(),
            };
        }
        self.planned.id = self.planned.import_id();

        let wanted = match (&scope, &roles, self.planned.principal_id.text()) {
            (Some(scope), Some(roles), Some(principal)) => Some(wanted(scope, roles, principal)),
            _ => None,
        };
        if let (Some(hub), Some(scope), Some(roles)) = (&hub, &scope, &roles)
            && let Some(principal) = self.planned.principal_id.text()
            && let Some(role) = target::of_the_platform(hub, scope, principal, roles)
            && !self.has_already(wanted.as_deref().unwrap_or_default())
        {
            return Err(target::refuse_platform_grant(hub, role));
        }
        match &self.prior {
            None => self.creation(wanted.as_deref(), roles.as_deref()).await?,
            Some(prior) => {
                self.private.remove(MAKES);
                if !wanted.as_deref().is_some_and(|wanted| are_there(wanted, prior)) {
                    self.planned.role_assignments = Attr::Unknown;
                }
            }
        }
        if let Some(session) = self.session {
            let planned = wanted.iter().flatten().filter_map(|wanted| wanted.noted(&self.planned, None));
            let unknown =
                |grant: &Grant| !session.grants_at(&grant.scope).iter().any(|known| known.is_about_the_same(grant));
            planned.filter(unknown).for_each(|grant| session.note_grant(grant));
        }
        Ok(())
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
                self.found.push(Diagnostic { severity: crate::framework::Severity::Warning, detail, ..error });
                Ok(T::default())
            }
        }
    }

    /// Whether all of these grants are in the state, as after an import.
    fn has_already(&self, wanted: &[Wanted]) -> bool {
        self.prior.as_ref().is_some_and(|prior| are_there(wanted, prior))
    }

    /// What only a creation has to look at: the platform's grants, and those that are there already.
    async fn creation(&mut self, wanted: Option<&[Wanted]>, roles: Option<&[Role]>) -> Result<(), Diagnostic> {
        // In the second plan of a replacement the private data are those of the first, and the old object is still there.
        let own: Vec<String> = self.private.get(MAKES).unwrap_or_default();
        self.private = Private::default();
        let (Some(wanted), Some(roles), Some(session)) = (wanted, roles, self.session) else { return Ok(()) };
        let names: Vec<_> = wanted.iter().map(|wanted| wanted.id.name.to_string()).collect();
        self.private.set(MAKES, &names);
        // Once somebody has written, a list would be a request for each object, and Azure says the same at the PUT.
        if !session.arm.remembers_reads() {
            return Ok(());
        }
        let principal = self.planned.principal_id.text().unwrap_or_default();
        let Some(scope) = wanted.first().map(|wanted| &wanted.id.scope) else { return Ok(()) };
        if self.config.hub_id.is_null()
            && grant::may_be_of_the_platform(self.planned.principal_type.text(), roles)
            && let Some(hub) = target::hub_of(session, scope, principal, Read::Remembered, &self.call).await
            && let Some(role) = target::of_the_platform(&hub, scope, principal, roles)
        {
            return Err(target::refuse_platform_grant(&hub, role));
        }
        // Whoever may not list, or lists too early, will be told at the apply.
        let list = session.arm.role_assignments().list(scope, &Filter::AtScope, Read::Remembered, &self.call).await;
        let list = match list {
            Ok(list) => list.value,
            Err(error) if error.is_forbidden() || error.is_not_found() => return Ok(()),
            Err(error) => {
                return Err(crate::provider::report::failure("Cannot list the role assignments", &error, ""));
            }
        };
        let mut taken_over = Vec::new();
        for wanted in wanted {
            let Some(found) = list.iter().find(|found| wanted.matches(found, principal)) else { continue };
            if found.assignment_id().is_ok_and(|id| id.name == wanted.id.name) {
                if !own.contains(&wanted.id.name.to_string()) {
                    taken_over.push(wanted);
                }
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

fn wanted(scope: &ArmId, roles: &[Role], principal: &str) -> Vec<Wanted> {
    roles.iter().map(|role| Wanted::new(scope, role.clone(), principal)).collect()
}

/// Whether the state has just these grants, whatever their names.
fn are_there(wanted: &[Wanted], state: &State) -> bool {
    let entries = grant::entries(state);
    entries.len() == wanted.len() && wanted.iter().all(|wanted| entries.iter().any(|entry| wanted.is(entry)))
}

/// Makes an object, or makes it what is planned.
async fn apply(
    context: Context<'_, Session>,
    timeout: impl Fn(&Timeouts) -> &Attr<String>,
    prior: Option<State>,
    config: &State,
    mut planned: State,
    mut private: Private,
) -> Outcome<State> {
    let failed =
        |prior: Option<State>, private, error: Diagnostic| Outcome { state: prior, private, diagnostics: error.into() };
    let Some(session) = context.client else { return failed(prior, private, unconfigured()) };
    session.arm.stop_remembering();
    let call = Call::new(context.cancel, planned.timeout(timeout, WRITING));
    let wanted = match settle(session, &call, config, &mut planned).await {
        Ok(wanted) => wanted,
        Err(Fault::Missing(error) | Fault::Failed(error)) => return failed(prior, private, error),
    };
    let before = prior.as_ref().map(grant::entries).unwrap_or_default();
    let rewrite = prior.as_ref().is_some_and(|prior| terms_differ(prior, &planned));
    let mut written = Written::load(&private);
    let terms = Terms { session, call: &call, state: &planned };
    let Done { entries, principal_type, complete, diagnostics } =
        terms.change(before, &wanted, rewrite, &mut written).await;

    written.save(&entries, &mut private);
    // What was planned is only true once all of it is there.
    let mut state = if complete { planned } else { prior.unwrap_or(planned) };
    if state.principal_type.text().is_none_or(str::is_empty) {
        state.principal_type = principal_type.into();
    }
    state.role_assignments = grant::record(&entries);
    let nothing = entries.is_empty() && !complete;
    Outcome { state: (!nothing).then_some(state), private, diagnostics }
}

/// Finds out, before anything is changed, what planning could not know, and gives all grants that are wanted.
async fn settle(session: &Session, call: &Call, config: &State, planned: &mut State) -> Result<Vec<Wanted>, Fault> {
    let read = Read::Fresh;
    let Target { scope, hub } = target::resolve(config, Some(planned), Some(session), read, call).await?;
    let scope = scope.ok_or_else(|| Fault::Failed(unsettled("the target")))?;
    target::fill(planned, config, Some(&scope));
    let choice = Choice::of(config);
    let roles = choice::resolve(&choice, Some(planned), Some(&scope), Some(session), read, call).await?;
    let roles = roles.ok_or_else(|| Fault::Failed(unsettled("the roles")))?;
    choice::fill(planned, config, Some(&roles), Some(&scope));
    planned.id = planned.import_id();
    let principal = planned.principal_id.text().unwrap_or_default();
    if let Some(hub) = &hub
        && let Some(role) = target::of_the_platform(hub, &scope, principal, &roles)
    {
        return Err(Fault::Failed(target::refuse_platform_grant(hub, role)));
    }
    let mut wanted = wanted(&scope, &roles, principal);
    if !planned.delegated_managed_identity_resource_id.is_null() {
        let tenant = target::tenant_of(session, &scope, call).await.map_err(Fault::Failed)?;
        wanted.iter_mut().for_each(|wanted| wanted.id.tenant.clone_from(&tenant));
    }
    Ok(wanted)
}

/// Whether assignments have to be written again to be as planned.
fn terms_differ(prior: &State, planned: &State) -> bool {
    let terms = |state: &State| [state.description.clone(), state.condition.clone(), state.condition_version.clone()];
    terms(prior) != terms(planned)
}

/// Looks at all assignments of an object at once.
async fn read(session: &Session, call: &Call, mut state: State, mut private: Private) -> Outcome<State> {
    let entries = grant::entries(&state);
    let written = Written::load(&private);
    let assignments = session.arm.role_assignments();
    let looks = entries.iter().map(|entry| assignments.get_batched(&entry.id, Read::Remembered, call));
    let mut diagnostics = Diagnostics::default();
    let (mut there, mut seen) = (Vec::new(), Vec::new());
    let looks = join_all(looks).await;
    for (entry, look) in entries.into_iter().zip(looks) {
        match look {
            Ok(found) if found.value.role_guid().is_none_or(|guid| guid == entry.role.guid) => {
                if !entry.adopted && !written.is_stale(&entry.id, &found.value) {
                    seen.push(found.value.properties);
                }
                there.push(entry);
            }
            // The name now belongs to another role.
            Ok(_) => diagnostics.push(explain::lost(&entry)),
            Err(error) if error.is_not_found() => {
                let answered = error.service().and_then(|error| error.date);
                let denied = error.code() == Some(&ErrorCode::RoleAssignmentNotFound);
                if denied && written.is_settling(&entry.id, answered) {
                    diagnostics.push(explain::settling(&entry));
                    there.push(entry);
                } else {
                    diagnostics.push(explain::lost(&entry));
                }
            }
            Err(error) => {
                diagnostics.push(explain::not_read(&entry, &error));
                return Outcome { state: Some(state), private, diagnostics };
            }
        }
    }
    if there.is_empty() {
        return Outcome { state: None, private, diagnostics };
    }
    if private.get(TAKEN_OVER) == Some(true) {
        import::mark_platform_grants(session, call, &state, &mut there).await;
        private.remove(TAKEN_OVER);
    }
    observe(&mut state, &seen);
    state.role_assignments = grant::record(&there);
    written.save(&there, &mut private);
    Outcome { state: Some(state), private, diagnostics }
}

/// Takes into the state what assignments have that a configuration can set. Where two differ, the one that differs from
/// the state is what there is to tell.
fn observe(state: &mut State, seen: &[arm::role_assignments::RoleAssignmentProperties]) {
    for properties in seen {
        let text = |value: &Option<String>| Attr::from(value.clone().filter(|text| !text.is_empty()));
        let differing = |place: &mut Attr<String>, value: Attr<String>, prior: &Attr<String>| {
            if value != *prior {
                *place = value;
            }
        };
        let prior = state.clone();
        differing(&mut state.description, text(&properties.description), &prior.description);
        differing(&mut state.condition, text(&properties.condition), &prior.condition);
        differing(&mut state.condition_version, text(&properties.condition_version), &prior.condition_version);
        // What a principal is never changes, and a more exact word of Azure's, such as ForeignGroup, must not replace it.
        if state.principal_type.is_null() {
            state.principal_type = text(&properties.principal_type);
        }
    }
}

fn unconfigured() -> Diagnostic {
    Diagnostic::error(
        "The provider is not configured yet",
        "Its configuration depends on values that are not known yet, and without it nothing can be asked of Azure. Apply \
         what those values come from first, for instance with -target.",
    )
}

fn unsettled(what: &str) -> Diagnostic {
    Diagnostic::error(
        "Something is still unknown",
        format!(
            "When this was applied {what} could not be told. This is a mistake of the foundryhub provider; please report it."
        ),
    )
}
