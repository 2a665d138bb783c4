//! Creating and updating: from what is planned to the role assignments that are there, and what a replacement hands over.

use super::{
    change::{AssignmentChange, Done},
    choice::{Choice, Role},
    explain,
    grant::{self, Entry, Wanted},
    marks::{DIFFER, TAKEN_OVER},
    plan::LookedUp,
    platform, role_lookup,
    schema::{self, State, WRITING},
    target::{self, Target},
    unresolved::Unresolved,
    written::Written,
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

/// An assignment that the removal half of a replacement leaves to the creation half.
struct HandedOver {
    entry: Entry,
    /// The replaced object.
    from: State,
}

/// Leaves to the successor, instead of removing it, what the creation half of a replacement is going to make again, so
/// that nobody is without it in between and assignments keep their names.
pub(super) fn hand_over(prior: &State, succession: &Succession, entries: &mut Vec<Entry>) {
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
pub(super) async fn mark_the_platforms(
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
    let mut before = prior.as_ref().map(grant::entries).unwrap_or_default();
    let known = LookedUp::take(&mut private, &planned);
    let wanted = match settle(session, &call, config, &known, &mut planned, &before, &context.walk).await {
        Ok(wanted) => wanted,
        Err(unresolved) => {
            let is_replaced = |left: &HandedOver| {
                let State { hub_id, scope, .. } = &left.from;
                let same_hub = hub_id.known().is_some() && hub_id.known() == planned.hub_id.known();
                let same_scope = scope.known().is_some() && scope.known() == planned.scope.known();
                (same_hub || same_scope) && schema::same_principal(&left.from, &planned)
            };
            let left = context.walk.take_over_all(is_replaced);
            let entries: Vec<_> = left.iter().map(|left| left.entry.clone()).collect();
            // What is planned is not all known yet: the replaced object is, and its assignments are still there.
            let replaced = left.into_iter().next();
            let replaced = replaced.map(|left| State { role_assignments: grant::record(&entries), ..left.from });
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
) -> Result<Vec<Wanted>, Unresolved> {
    let read = Read::Fresh;
    let Target { scope, hub } = target::resolve(config, Some(known), Some(session), read, call).await?;
    let scope = scope.ok_or_else(|| Unresolved::Failed(report::unsettled("the target")))?;
    target::fill(planned, config, Some(&scope));
    let choice = Choice::of(config);
    let roles = role_lookup::resolve(&choice, Some(known), Some(&scope), Some(session), read, call).await?;
    let roles = roles.ok_or_else(|| Unresolved::Failed(report::unsettled("the roles")))?;
    role_lookup::fill(planned, config, Some(&roles), Some(&scope));
    planned.condition_version = planned.language();
    planned.id = planned.import_id();
    let planned = &*planned;
    let principal = planned.principal_id.text().unwrap_or_default();
    let wanted = Wanted::all(&scope, &roles, planned);
    let mut wanted = wanted.ok_or_else(|| Unresolved::Failed(report::unsettled("the principal")))?;
    let is_there =
        |wanted: &&Wanted| before.iter().any(|entry| wanted.is(entry)) || walk.is_handed_over(&wanted.key(principal));
    let new = wanted.iter().filter(|wanted| !is_there(wanted));
    let roles: Vec<Role> = new.map(|wanted| wanted.role.clone()).collect();
    if let Some(hub) = &hub
        && let Some(role) = platform::role_of(hub, &scope, principal, &roles)
    {
        return Err(Unresolved::Failed(explain::refuse_to_make_the_platforms(hub, role)));
    }
    if !planned.delegated_managed_identity_resource_id.is_null() {
        let tenant = target::tenant_of(session, &scope, call).await.map_err(Unresolved::Failed)?;
        wanted.iter_mut().for_each(|wanted| wanted.id.tenant.clone_from(&tenant));
    }
    Ok(wanted)
}
