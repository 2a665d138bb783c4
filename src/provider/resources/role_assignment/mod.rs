//! `foundryhub_role_assignment`: the roles that one principal needs on a hub's storage account.
//!
//! One object stands for one or two role assignments in Azure, all of one principal at one scope. Which ones are wanted
//! follows from the configuration ([`choice`], [`target`]); which ones are there stands in the state's
//! `role_assignments`; making the second equal the first is [`change`]. Wanted grants come first and unwanted ones go
//! last, so that nobody is without access in between.

mod change;
mod choice;
mod explain;
mod grant;
mod import;
mod look;
mod plan;
mod platform;
mod schema;
mod target;
mod written;

use std::time::Duration;

use crate::{
    arm::{self, ArmId, Call, Read, RoleAssignmentId},
    framework::{
        Attr, Diagnostic, Diagnostics, Private,
        resource::{
            Context, CreateRequest, DeleteRequest, ImportTarget, MoveSource, Outcome, PlanRequest, Planned, Resource,
            UpdateRequest,
        },
        schema::{IdentitySchema, Schema},
        timeouts::Timeouts,
    },
    provider::{Session, report, session::Objects},
};
use change::{Done, Terms};
use choice::{Choice, Role};
use grant::{Bequest, Entry, Wanted};
use look::DIFFER;
use plan::Plan;
use schema::{Identity, State};
use target::Target;
use written::Written;

/// How long operations may take where the configuration does not say.
const READING: Duration = Duration::from_secs(5 * 60);
const WRITING: Duration = Duration::from_secs(30 * 60);

/// The grants that a planned creation will make, for the removal that precedes it in a replacement.
const MAKES: &str = "makes";

/// The assignments of the object that a planned change is about, for the plan of its successor if it is replaced.
const HAS: &str = "has";

/// The assignments that a planned removal leaves in place, because another object has them too.
const LEAVES: &str = "leaves";

/// Set on an object that came from elsewhere, until it could be told which of its grants are the platform's.
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
        let CreateRequest { config, planned, private } = request;
        apply(context, |timeouts| &timeouts.create, None, &config, planned, private).await
    }

    async fn read(&self, context: Context<'_, Session>, state: State, private: Private) -> Outcome<State> {
        let Some(session) = context.client else {
            return Outcome { state: Some(state), private, diagnostics: report::unconfigured().into() };
        };
        let call = Call::new(context.cancel, state.timeout(|timeouts| &timeouts.read, READING));
        look::read(session, &call, state, private).await
    }

    async fn update(&self, context: Context<'_, Session>, request: UpdateRequest<State>) -> Outcome<State> {
        let UpdateRequest { prior, config, planned, private } = request;
        apply(context, |timeouts| &timeouts.update, Some(prior), &config, planned, private).await
    }

    /// Warns when another object that stays has the same assignments, and sees to it that they stay too.
    async fn plan_destroy(&self, context: Context<'_, Session>, prior: State, private: &mut Private) -> Diagnostics {
        private.remove(HAS);
        let Some(session) = context.client else { return Diagnostics::default() };
        let held_by_others = |entry: &Entry| {
            let key = Wanted::of(entry, &prior)?.key();
            let all = session.note_object(&key, |all: &mut Objects| all.destroyed += 1);
            (all.staying() > 0 && !entry.adopted).then_some(())
        };
        let mut entries = grant::entries(&prior);
        entries.retain(|entry| held_by_others(entry).is_some());
        private.remove(LEAVES);
        if entries.is_empty() {
            return Diagnostics::default();
        }
        private.set(LEAVES, &entries.iter().map(|entry| entry.id.to_string()).collect::<Vec<_>>());
        explain::held_by_another(&entries).into()
    }

    async fn delete(&self, context: Context<'_, Session>, request: DeleteRequest<State>) -> Outcome<State> {
        let DeleteRequest { prior, mut private, replacing } = request;
        let Some(session) = context.client else {
            return Outcome { state: Some(prior), private, diagnostics: report::unconfigured().into() };
        };
        session.arm.stop_remembering();
        let call = Call::new(context.cancel, prior.timeout(|timeouts| &timeouts.delete, WRITING));
        let mut entries = grant::entries(&prior);
        if replacing {
            bequeath(session, &prior, &private, &mut entries);
        }
        let unseen = tell_the_platforms(session, &call, &prior, &mut entries, &mut private).await;
        let terms = Terms { session, call: &call, state: &prior, creating: false, unseen };
        let mut diagnostics = terms.leave_what_others_hold(&mut entries, &private).await;
        let (left, more) = terms.remove(entries).await;
        diagnostics.extend(more);
        let state = (!left.is_empty()).then(|| State { role_assignments: grant::record(&left), ..prior.clone() });
        Outcome { state, private, diagnostics }
    }

    async fn import(&self, context: Context<'_, Session>, target: ImportTarget<Identity>) -> Outcome<State> {
        let Some(session) = context.client else {
            return Outcome { state: None, private: Private::default(), diagnostics: report::unconfigured().into() };
        };
        let call = Call::new(context.cancel, READING);
        match import::import(session, &call, target).await {
            Ok(state) => came_from_elsewhere(state),
            Err(error) => Outcome { state: None, private: Private::default(), diagnostics: error.into() },
        }
    }

    fn take_over(&self, source: &MoveSource) -> Option<Outcome<State>> {
        import::take_over(source).map(came_from_elsewhere)
    }
}

/// An object that the read that follows looks at more closely.
fn came_from_elsewhere(state: State) -> Outcome<State> {
    let mut private = Private::default();
    private.set(TAKEN_OVER, &true);
    Outcome { state: Some(state), private, diagnostics: Diagnostics::default() }
}

/// Hands on, instead of removing, what the creation half of a replacement is going to make again, so that nobody is without
/// it in between and assignments keep their names.
fn bequeath(session: &Session, prior: &State, private: &Private, entries: &mut Vec<Entry>) {
    let makes: Vec<String> = private.get(MAKES).unwrap_or_default();
    entries.retain(|entry| match Wanted::of(entry, prior) {
        Some(wanted) if makes.contains(&wanted.id.to_string()) => {
            let principal_type = prior.principal_type.text().map(str::to_owned);
            session.bequeath(&wanted.key(), Bequest { entry: entry.clone(), principal_type });
            false
        }
        _ => true,
    });
}

/// What the removal half of a replacement has handed on.
fn inherit(session: &Session, private: &Private) -> Vec<Bequest> {
    let makes: Vec<String> = private.get(MAKES).unwrap_or_default();
    let ids = makes.iter().filter_map(|id| RoleAssignmentId::parse(id).ok());
    ids.filter_map(|id| session.inherit(&grant::key(&id))).collect()
}

/// Marks those of the entries that are the platform's, where that could not be told so far. Gives why it still cannot be
/// told.
async fn tell_the_platforms(
    session: &Session,
    call: &Call,
    state: &State,
    entries: &mut [Entry],
    private: &mut Private,
) -> Option<arm::Error> {
    if private.get(TAKEN_OVER) != Some(true) {
        return None;
    }
    let unseen = platform::mark(session, call, state, entries).await.err();
    if unseen.is_none() {
        private.remove(TAKEN_OVER);
    }
    unseen
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
    let failed = |state, private, error: Diagnostic| Outcome { state, private, diagnostics: error.into() };
    let Some(session) = context.client else { return failed(prior, private, report::unconfigured()) };
    session.arm.stop_remembering();
    let call = Call::new(context.cancel, planned.timeout(timeout, WRITING));
    let creating = prior.is_none();
    let inherited = if creating { inherit(session, &private) } else { Vec::new() };
    let known_type = inherited.iter().find_map(|bequest| bequest.principal_type.clone());
    let mut before: Vec<Entry> = match &prior {
        Some(prior) => grant::entries(prior),
        None => inherited.into_iter().map(|bequest| bequest.entry).collect(),
    };
    let rewrite = match &prior {
        Some(prior) => terms_differ(prior, &planned) || private.get(DIFFER) == Some(true),
        None => true,
    };
    private.remove(MAKES);
    private.remove(HAS);
    let wanted = match settle(session, &call, config, &mut planned, &before).await {
        Ok(wanted) => wanted,
        Err(Fault::Missing(error) | Fault::Failed(error)) => {
            let state = prior.or_else(|| {
                (!before.is_empty()).then(|| State { role_assignments: grant::record(&before), ..planned })
            });
            return failed(state, private, error);
        }
    };
    let unseen = tell_the_platforms(session, &call, &planned, &mut before, &mut private).await;
    let mut written = Written::load(&private);
    let terms = Terms { session, call: &call, state: &planned, creating, unseen };
    let Done { entries, principal_type, complete, diagnostics, .. } =
        terms.change(before, &wanted, rewrite, &mut written).await;

    written.save(&entries, &mut private);
    if complete {
        private.remove(DIFFER);
    }
    // What was planned is only true once all of it is there.
    let mut state = if complete { planned } else { prior.unwrap_or(planned) };
    if state.principal_type.text().is_none_or(str::is_empty) {
        state.principal_type = principal_type.or(known_type).into();
    }
    state.role_assignments = grant::record(&entries);
    let nothing = entries.is_empty() && !complete;
    Outcome { state: (!nothing).then_some(state), private, diagnostics }
}

/// Finds out, before anything is changed, what planning could not know, and gives all grants that are wanted.
async fn settle(
    session: &Session,
    call: &Call,
    config: &State,
    planned: &mut State,
    before: &[Entry],
) -> Result<Vec<Wanted>, Fault> {
    let read = Read::Fresh;
    let Target { scope, hub } = target::resolve(config, Some(planned), Some(session), read, call).await?;
    let scope = scope.ok_or_else(|| Fault::Failed(report::unsettled("the target")))?;
    target::fill(planned, config, Some(&scope));
    let choice = Choice::of(config);
    let roles = choice::resolve(&choice, Some(planned), Some(&scope), Some(session), read, call).await?;
    let roles = roles.ok_or_else(|| Fault::Failed(report::unsettled("the roles")))?;
    choice::fill(planned, config, Some(&roles), Some(&scope));
    planned.condition_version = planned.language();
    planned.id = planned.import_id();
    let principal = planned.principal_id.text().unwrap_or_default();
    let mut wanted = wanted(&scope, &roles, principal);
    let new = wanted.iter().filter(|wanted| !before.iter().any(|entry| wanted.is(entry)));
    let roles: Vec<Role> = new.map(|wanted| wanted.role.clone()).collect();
    if let Some(hub) = &hub
        && let Some(role) = platform::role_of(hub, &scope, principal, &roles)
    {
        return Err(Fault::Failed(explain::refuse_to_make_the_platforms(hub, role)));
    }
    if !planned.delegated_managed_identity_resource_id.is_null() {
        let tenant = target::tenant_of(session, &scope, call).await.map_err(Fault::Failed)?;
        wanted.iter_mut().for_each(|wanted| wanted.id.tenant.clone_from(&tenant));
    }
    Ok(wanted)
}

/// Whether assignments have to be written again to be as planned.
fn terms_differ(prior: &State, planned: &State) -> bool {
    let terms = |state: &State| [state.description.clone(), state.condition.clone(), state.language()];
    terms(prior) != terms(planned)
}

/// The grants of these roles.
fn wanted(scope: &ArmId, roles: &[Role], principal: &str) -> Vec<Wanted> {
    roles.iter().map(|role| Wanted::new(scope, role.clone(), principal)).collect()
}

/// Whether the state has just these grants, whatever their names.
fn are_there(wanted: &[Wanted], state: &State) -> bool {
    let entries = grant::entries(state);
    entries.len() == wanted.len() && wanted.iter().all(|wanted| entries.iter().any(|entry| wanted.is(entry)))
}
