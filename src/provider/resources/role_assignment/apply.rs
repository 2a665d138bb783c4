//! Creating and updating, and the assignments that a replacement hands over.

use super::{
    assignment::{self, StateAssignment, WantedAssignment},
    change::{AssignmentChange, Done},
    choice::{Choice, Role},
    explain,
    marks::{DIFFER, PLATFORM_UNCHECKED},
    plan::LookedUp,
    platform, role_lookup,
    schema::{self, State, WRITING},
    scope::{self, ResolvedScope},
    unresolved::Unresolved,
    write_times::WriteTimes,
};
use crate::{
    arm::{self, Call, Read},
    framework::{
        Attr, Diagnostic, Private,
        context::Context,
        resource::Outcome,
        timeouts::{Period, Timeouts},
        walk::{Fate, Succession, Walk},
    },
    provider::{Session, report},
};

/// An assignment that the deletion of a replacement hands over to the creation.
struct HandedOver {
    entry: StateAssignment,
    from: State,
}

/// Hands over the assignments that the creation of a replacement needs, instead of deleting them, so that nobody loses
/// access in between and assignments keep their names.
pub(super) fn hand_over(prior: &State, succession: &Succession, entries: &mut Vec<StateAssignment>) {
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

/// What the deletion of a replacement has handed over for these assignments.
fn take_over(walk: &Walk, wanted: &[WantedAssignment], principal: &str) -> Vec<HandedOver> {
    wanted.iter().filter_map(|wanted| walk.take_handed_over(&wanted.key(principal))).collect()
}

/// Marks the platform's assignments where that is still open. Returns why it stays open.
pub(super) async fn mark_platform_assignments(
    session: &Session,
    call: &Call,
    state: &State,
    entries: &mut [StateAssignment],
    private: &mut Private,
) -> Option<arm::Error> {
    if private.get(PLATFORM_UNCHECKED) != Some(true) {
        return None;
    }
    let unchecked = platform::mark(session, call, state, entries).await.err();
    if unchecked.is_none() {
        private.remove(PLATFORM_UNCHECKED);
    }
    unchecked
}

/// Creates or updates an object.
pub(super) async fn apply(
    context: Context<Session>,
    timeout: impl Fn(&Timeouts) -> &Attr<Period>,
    prior: Option<State>,
    config: &State,
    mut planned: State,
    mut private: Private,
    succession: Option<Succession>,
) -> Outcome<State> {
    let failed = |state, private, error: Diagnostic| Outcome { state, private, diagnostics: error.into() };
    let Some(session) = context.client.as_deref() else { return failed(prior, private, report::unconfigured()) };
    let call = Call::new(context.cancel, planned.timeout(timeout, WRITING));
    let mut before = prior.as_ref().map(assignment::of_state).unwrap_or_default();
    let known = LookedUp::take(&mut private, &planned);
    let wanted = match resolve(session, &call, config, &known, &mut planned, &before, &context.walk).await {
        Ok(wanted) => wanted,
        Err(unresolved) => {
            let is_replaced = |handed_over: &HandedOver| {
                let State { hub_id, scope, .. } = &handed_over.from;
                let same_hub = hub_id.known().is_some() && hub_id.known() == planned.hub_id.known();
                let same_scope = scope.known().is_some() && scope.known() == planned.scope.known();
                (same_hub || same_scope) && schema::same_principal(&handed_over.from, &planned)
            };
            let handed_over = context.walk.take_all_handed_over(is_replaced);
            let entries: Vec<_> = handed_over.iter().map(|handed_over| handed_over.entry.clone()).collect();
            // Not all of the plan is known yet, so that the replaced object stays, whose assignments still exist.
            let replaced = handed_over.into_iter().next();
            let replaced = replaced
                .map(|handed_over| State { role_assignments: assignment::to_attribute(&entries), ..handed_over.from });
            return failed(prior.or(replaced), private, unresolved.into());
        }
    };
    let replaced = match prior {
        Some(_) => Vec::new(),
        None => take_over(&context.walk, &wanted, planned.principal_id.text().unwrap_or_default()),
    };
    let known_type = replaced.iter().find_map(|replaced| replaced.from.principal_type.known().cloned());
    before.extend(replaced.into_iter().map(|replaced| replaced.entry));
    let rewrite = match &prior {
        Some(prior) => prior.mutable_properties() != planned.mutable_properties() || private.get(DIFFER) == Some(true),
        None => true,
    };
    let unchecked = mark_platform_assignments(session, &call, &planned, &mut before, &mut private).await;
    let mut write_times = WriteTimes::load(&private);
    let creating = prior.is_none();
    let change = AssignmentChange { session, walk: &context.walk, call: &call, state: &planned, creating, unchecked };
    let Done { entries, principal_type, complete, made_by_platform, diagnostics, .. } =
        change.change(before, &wanted, rewrite, &mut write_times, succession.as_ref()).await;

    write_times.save(&entries, &mut private);
    if complete {
        private.remove(DIFFER);
    }
    if made_by_platform {
        private.set(PLATFORM_UNCHECKED, &true);
    }
    // The plan is true only once all assignments exist.
    let mut state = if complete { planned } else { prior.unwrap_or(planned) };
    if state.principal_type.is_unknown() {
        state.principal_type = principal_type.or(known_type).into();
    }
    state.role_assignments = assignment::to_attribute(&entries);
    let nothing = entries.is_empty() && !complete;
    Outcome { state: (!nothing).then_some(state), private, diagnostics }
}

/// Reads, before anything is changed, what the plan could not know, and returns all wanted assignments.
async fn resolve(
    session: &Session,
    call: &Call,
    config: &State,
    known: &State,
    planned: &mut State,
    before: &[StateAssignment],
    walk: &Walk,
) -> Result<Vec<WantedAssignment>, Unresolved> {
    let read = Read::Fresh;
    let ResolvedScope { scope, hub } = scope::resolve(config, Some(known), Some(session), read, call).await?;
    let scope = scope.ok_or_else(|| Unresolved::Failed(report::still_unknown("The scope")))?;
    scope::fill(planned, config, Some(&scope));
    let choice = Choice::of(config);
    let roles = role_lookup::resolve(&choice, Some(known), Some(&scope), Some(session), read, call).await?;
    let roles = roles.ok_or_else(|| Unresolved::Failed(report::still_unknown("The roles")))?;
    role_lookup::fill(planned, config, Some(&roles), Some(&scope));
    planned.condition_version = planned.effective_condition_version();
    planned.id = planned.import_id();
    let planned = &*planned;
    let principal = planned.principal_id.text().unwrap_or_default();
    let wanted = WantedAssignment::all(&scope, &roles, planned);
    let mut wanted = wanted.ok_or_else(|| Unresolved::Failed(report::still_unknown("The principal")))?;
    let is_there = |wanted: &&WantedAssignment| {
        before.iter().any(|entry| wanted.same_role_and_scope(entry)) || walk.is_handed_over(&wanted.key(principal))
    };
    let new = wanted.iter().filter(|wanted| !is_there(wanted));
    let roles: Vec<Role> = new.map(|wanted| wanted.role.clone()).collect();
    if let Some(hub) = &hub
        && let Some(role) = platform::role_of(hub, &scope, principal, &roles)
    {
        return Err(Unresolved::Failed(explain::platform_assigns_role(hub, role)));
    }
    if !planned.delegated_managed_identity_resource_id.is_null() {
        let tenant = scope::tenant_of(session, &scope, call).await.map_err(Unresolved::Failed)?;
        wanted.iter_mut().for_each(|wanted| wanted.id.tenant = tenant);
    }
    Ok(wanted)
}
