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
    arm::{self, Call, Read},
    framework::{
        Attr, Diagnostic, Diagnostics, Private,
        context::Context,
        resource::{
            CreateRequest, DeleteRequest, ImportTarget, MoveSource, Outcome, PlanRequest, Planned, Resource,
            UpdateRequest,
        },
        schema::{IdentitySchema, Schema},
        timeouts::Timeouts,
        walk::{Fate, Key, Overlap, Succession, Walk},
    },
    provider::{Session, checks::same_id_attr, report},
};
use change::{AssignmentChange, Done};
use choice::{Choice, Role};
use grant::{Entry, Wanted};
use look::DIFFER;
use plan::{LookedUp, Plan};
use schema::{Identity, State};
use target::Target;
use written::Written;

/// How long operations may take where the configuration does not say.
const READING: Duration = Duration::from_secs(5 * 60);
const WRITING: Duration = Duration::from_secs(30 * 60);

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

    fn keys(&self, state: &State) -> Vec<Key> {
        let principal = state.principal_id.text().unwrap_or_default();
        // A damaged entry is an error as soon as the object is looked at.
        grant::entries(state).unwrap_or_default().iter().map(|entry| entry.key(principal)).collect()
    }

    fn overlaps(&self, state: &State, overlaps: &[Overlap]) -> Diagnostics {
        explain::overlaps(state, overlaps)
    }

    fn validate(&self, config: &State) -> Diagnostics {
        schema::validate(config)
    }

    async fn plan(&self, context: Context<Session>, request: PlanRequest<State>) -> Planned<State> {
        let PlanRequest { prior, config, planned, private, replaced } = request;
        let call = Call::new(context.cancel, planned.timeout(|timeouts| &timeouts.read, READING));
        let (found, keys) = (Diagnostics::default(), None);
        let (session, walk) = (context.client.as_deref(), context.walk);
        let mut plan = Plan { session, walk, call, prior, config, planned, private, replaced, found, keys };
        // The creation half of a replacement must come to the apply, which says the same and keeps what the removal half has
        // left to it.
        if let Err(failed) = plan.complete().await
            && !(plan.prior.is_none() && plan.walk.has_something_handed_over())
        {
            plan.found.push(failed);
        }
        let Plan { planned: state, private, found: diagnostics, keys, .. } = plan;
        Planned { state, keys, private, requires_replace: Vec::new(), diagnostics }
    }

    async fn create(&self, context: Context<Session>, request: CreateRequest<State>) -> Outcome<State> {
        let CreateRequest { config, planned, private } = request;
        apply(context, |timeouts| &timeouts.create, None, &config, planned, private, None).await
    }

    async fn read(&self, context: Context<Session>, state: State, private: Private) -> Outcome<State> {
        let Some(session) = context.client.as_deref() else {
            return Outcome { state: Some(state), private, diagnostics: report::unconfigured().into() };
        };
        let call = Call::new(context.cancel, state.timeout(|timeouts| &timeouts.read, READING));
        look::read(session, &call, state, private).await
    }

    async fn update(&self, context: Context<Session>, request: UpdateRequest<State>) -> Outcome<State> {
        let UpdateRequest { prior, config, planned, private, succession } = request;
        apply(context, |timeouts| &timeouts.update, Some(prior), &config, planned, private, Some(succession)).await
    }

    async fn delete(&self, context: Context<Session>, request: DeleteRequest<State>) -> Outcome<State> {
        let DeleteRequest { prior, mut private, succession } = request;
        let failed =
            |prior, private, error: Diagnostic| Outcome { state: Some(prior), private, diagnostics: error.into() };
        let Some(session) = context.client.as_deref() else { return failed(prior, private, report::unconfigured()) };
        let call = Call::new(context.cancel, prior.timeout(|timeouts| &timeouts.delete, WRITING));
        let mut entries = match grant::entries(&prior) {
            Ok(entries) => entries,
            Err(error) => return failed(prior, private, error),
        };
        hand_over(&prior, &succession, &mut entries);
        let unseen = mark_the_platforms(session, &call, &prior, &mut entries, &mut private).await;
        let change =
            AssignmentChange { session, walk: &context.walk, call: &call, state: &prior, creating: false, unseen };
        let (left, diagnostics) = change.remove(entries, Some(&succession)).await;
        let state = (!left.is_empty()).then(|| State { role_assignments: grant::record(&left), ..prior.clone() });
        Outcome { state, private, diagnostics }
    }

    async fn import(&self, context: Context<Session>, target: ImportTarget<Identity>) -> Outcome<State> {
        let Some(session) = context.client.as_deref() else {
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

/// An assignment that the removal half of a replacement leaves to the creation half.
struct HandedOver {
    entry: Entry,
    /// The replaced object.
    from: State,
}

/// Leaves to the successor, instead of removing it, what the creation half of a replacement is going to make again, so
/// that nobody is without it in between and assignments keep their names.
fn hand_over(prior: &State, succession: &Succession, entries: &mut Vec<Entry>) {
    let principal = prior.principal_id.text().unwrap_or_default();
    entries.retain(|entry| match succession.fate(&entry.key(principal)) {
        Fate::HandOver => {
            succession.hand_over(&entry.key(principal), HandedOver { entry: entry.clone(), from: prior.clone() });
            false
        }
        Fate::Succeeded => false,
        Fate::Keep | Fate::Undo => true,
    });
}

/// What the removal half of a replacement has left for these grants.
fn take_over(walk: &Walk, wanted: &[Wanted], principal: &str) -> Vec<HandedOver> {
    wanted.iter().filter_map(|wanted| walk.take_over(&wanted.key(principal))).collect()
}

/// Marks those of the entries that are the platform's, where that could not be told so far. Gives why it still cannot be
/// told.
async fn mark_the_platforms(
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
    context: Context<Session>,
    timeout: impl Fn(&Timeouts) -> &Attr<String>,
    prior: Option<State>,
    config: &State,
    mut planned: State,
    mut private: Private,
    succession: Option<Succession>,
) -> Outcome<State> {
    let failed = |state, private, error: Diagnostic| Outcome { state, private, diagnostics: error.into() };
    let Some(session) = context.client.as_deref() else { return failed(prior, private, report::unconfigured()) };
    let call = Call::new(context.cancel, planned.timeout(timeout, WRITING));
    let mut before = match prior.as_ref().map(grant::entries).transpose() {
        Ok(entries) => entries.unwrap_or_default(),
        Err(error) => return failed(prior, private, error),
    };
    let known = LookedUp::take(&mut private, &planned);
    let wanted = match settle(session, &call, config, &known, &mut planned, &before, &context.walk).await {
        Ok(wanted) => wanted,
        Err(Fault::Missing(error) | Fault::Failed(error)) => {
            let is_replaced = |left: &HandedOver| {
                let same_target = [(&left.from.hub_id, &planned.hub_id), (&left.from.scope, &planned.scope)]
                    .into_iter()
                    .any(|(from, planned)| same_id_attr(from, planned));
                same_target && schema::same_principal(&left.from, &planned)
            };
            let left = context.walk.take_over_all(is_replaced);
            let entries: Vec<_> = left.iter().map(|left| left.entry.clone()).collect();
            // What is planned is not all known yet: the replaced object is, and its assignments are still there.
            let replaced = left.into_iter().next();
            let replaced = replaced.map(|left| State { role_assignments: grant::record(&entries), ..left.from });
            return failed(prior.or(replaced), private, error);
        }
    };
    let replaced = match prior {
        Some(_) => Vec::new(),
        None => take_over(&context.walk, &wanted, planned.principal_id.text().unwrap_or_default()),
    };
    let known_type = replaced.iter().find_map(|replaced| replaced.from.principal_type.text().map(str::to_owned));
    before.extend(replaced.into_iter().map(|replaced| replaced.entry));
    let rewrite = match &prior {
        Some(prior) => terms_differ(prior, &planned) || private.get(DIFFER) == Some(true),
        None => true,
    };
    let unseen = mark_the_platforms(session, &call, &planned, &mut before, &mut private).await;
    let mut written = Written::load(&private);
    let creating = prior.is_none();
    let change = AssignmentChange { session, walk: &context.walk, call: &call, state: &planned, creating, unseen };
    let Done { entries, principal_type, complete, is_the_platforms, diagnostics, .. } =
        change.change(before, &wanted, rewrite, &mut written, succession.as_ref()).await;

    written.save(&entries, &mut private);
    if complete {
        private.remove(DIFFER);
    }
    if is_the_platforms {
        private.set(TAKEN_OVER, &true);
    }
    // What was planned is only true once all of it is there.
    let mut state = if complete { planned } else { prior.unwrap_or(planned) };
    if state.principal_type.is_unknown() {
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
    known: &State,
    planned: &mut State,
    before: &[Entry],
    walk: &Walk,
) -> Result<Vec<Wanted>, Fault> {
    let read = Read::Fresh;
    let Target { scope, hub } = target::resolve(config, Some(known), Some(session), read, call).await?;
    let scope = scope.ok_or_else(|| Fault::Failed(report::unsettled("the target")))?;
    target::fill(planned, config, Some(&scope));
    let choice = Choice::of(config);
    let roles = choice::resolve(&choice, Some(known), Some(&scope), Some(session), read, call).await?;
    let roles = roles.ok_or_else(|| Fault::Failed(report::unsettled("the roles")))?;
    choice::fill(planned, config, Some(&roles), Some(&scope));
    planned.condition_version = planned.language();
    planned.id = planned.import_id();
    let planned = &*planned;
    let principal = planned.principal_id.text().unwrap_or_default();
    let wanted = Wanted::all(&scope, &roles, planned);
    let mut wanted = wanted.ok_or_else(|| Fault::Failed(report::unsettled("the principal")))?;
    let is_there =
        |wanted: &&Wanted| before.iter().any(|entry| wanted.is(entry)) || walk.is_handed_over(&wanted.key(principal));
    let new = wanted.iter().filter(|wanted| !is_there(wanted));
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
