//! Creating and updating: changes hub and account as planned.

use super::{
    change::Change,
    explain,
    own_values::{self, OwnValues},
    schema::State,
    set_state::{set_computed, set_properties},
};
use crate::{
    arm::{Call, Read, WorkspaceId},
    framework::{Diagnostic, Diagnostics, Private, resource::Outcome, walk::Walk},
    provider::{
        Session,
        access::Access,
        hub::{self, Account, HubAndAccount, ReadError},
        properties::Properties,
        report,
        walk_keys::{account_key, note_written},
    },
};

/// What there was before an apply.
pub(super) enum Before {
    Nothing,
    /// The object that is being updated.
    Updated(State),
    /// The object that is being replaced. Its deletion restored nothing.
    Replaced(Replaced),
}

/// What the deletion of a replacement hands over to the creation.
pub(super) struct Replaced {
    pub(super) state: State,
    pub(super) own_values: OwnValues,
}

impl Before {
    fn state(&self) -> Option<&State> {
        match self {
            Self::Nothing => None,
            Self::Updated(state) | Self::Replaced(Replaced { state, .. }) => Some(state),
        }
    }

    fn own_values(&self, private: &Private) -> OwnValues {
        match self {
            Self::Replaced(replaced) => replaced.own_values.clone(),
            _ => OwnValues::load(private),
        }
    }

    /// The object with what the plan says about restoring. It counts even where the hub is missing and nothing else can be
    /// changed, so that the user can leave the account as it is.
    fn with_restore_settings_of(mut self, planned: &State) -> Self {
        if let Self::Updated(state) = &mut self {
            state.restore_on_destroy = planned.restore_on_destroy.clone();
            state.restore_to = planned.restore_to.clone();
        }
        self
    }

    /// The outcome of an apply that has changed nothing.
    fn untouched(self, mut private: Private, diagnostics: Diagnostics) -> Outcome<State> {
        if let Self::Replaced(replaced) = &self {
            replaced.own_values.save(&mut private);
        }
        Outcome { state: self.state().cloned(), private, diagnostics }
    }
}

/// What a configuration wants of hub and account. It leaves shared keys alone where it does not set them.
pub(super) fn wanted(config: &State, planned: &State) -> Properties {
    Properties { mode: planned.properties().mode, shared_keys: config.shared_access_key_enabled.known().copied() }
}

pub(super) async fn apply(
    session: &Session,
    walk: &Walk,
    call: &Call,
    before: Before,
    config: &State,
    planned: State,
    private: Private,
) -> Outcome<State> {
    let Some(hub) = planned.hub_id.known().cloned() else {
        return before.untouched(private, report::still_unknown("The hub's id").into());
    };
    let target = wanted(config, &planned);
    // Other hubs on the account wait a few seconds for this to begin.
    let _switch = target.uses_identity().then(|| session.switches.begin(hub.arm()));
    let lock = session.lock(hub.arm(), call).await;
    let _hub_lock = match lock {
        Ok(lock) => lock,
        Err(error) => return before.untouched(private, explain::not_locked(&error).into()),
    };
    let known = before.state().and_then(|state| state.storage_account_id.known().cloned());
    let current = match HubAndAccount::read(session, &hub, known, Read::Fresh, call).await {
        Ok(current) => current,
        Err(ReadError::Hub(error, _)) => {
            return before.with_restore_settings_of(&planned).untouched(private, error.diagnostic(&hub).into());
        }
        Err(ReadError::Account(error)) => return before.untouched(private, error.into()),
    };
    let unchanged = |warnings| changed_since_the_plan(walk, &before, &current, &target).map(|()| warnings);
    let diagnostics = match obstacle(&hub, &current, &target).and_then(unchanged) {
        Ok(warnings) => warnings,
        Err(error) => return before.untouched(private, error.into()),
    };

    let mut change = Change {
        session,
        walk,
        call,
        hub: &hub,
        account: &current.account_id,
        now: Properties::in_azure(&current),
        sent: Properties::default(),
        own_values: before.own_values(&private),
        completed_by: "apply",
        diagnostics,
    };
    let access = Access {
        session,
        call,
        hub_id: &hub,
        hub: Some(&current.hub),
        account: &current.account_id,
        found_account: current.account.found(),
        requirements: planned.requirements(),
    };
    let result = change.run(&target, Some(&access)).await;
    if result.is_ok() || change.sent != Properties::default() {
        note_written(walk, &hub, Some(&current.account_id), &target);
    }
    outcome(change, result, &current, before, planned, private)
}

/// The error that prevents `target`, or else warnings.
fn obstacle(hub_id: &WorkspaceId, current: &HubAndAccount, target: &Properties) -> Result<Diagnostics, Diagnostic> {
    if let Some(error) = hub::refused_kind(hub_id, &current.hub) {
        return Err(error);
    }
    match (&current.account, target.shared_keys) {
        (Account::Found(_), _) => Ok(Diagnostics::default()),
        (Account::Missing(error), _) => Err(explain::no_account(&current.account_id, error)),
        (Account::NotReadable(error), Some(_)) => Err(hub::account_not_readable(&current.account_id, error)),
        (Account::NotReadable(error), None) => Ok(hub::account_unobserved(&current.account_id, error).into()),
    }
}

/// Refuses to change a property for the first time that is no longer what it was in the plan, which has said what `original`
/// will be. A change of the account's shared keys by another object of this run is expected.
fn changed_since_the_plan(
    walk: &Walk,
    before: &Before,
    current: &HubAndAccount,
    target: &Properties,
) -> Result<(), Diagnostic> {
    let Before::Updated(prior) = before else { return Ok(()) };
    let (original, planned, now) = (Properties::of(&prior.original), prior.properties(), Properties::in_azure(current));
    let mode = |mode: &Option<_>| mode.as_ref().map_or("unknown".to_owned(), own_values::as_sent);
    if target.mode.is_some() && original.mode.is_none() && planned.mode.is_some() && now.mode != planned.mode {
        let property = format!("systemDatastoresAuthMode of {}", current.hub.id);
        return Err(explain::changed_since_the_plan(&property, &mode(&planned.mode), &mode(&now.mode)));
    }
    let shown = |enabled: Option<bool>| enabled.map_or("unknown".to_owned(), |enabled| enabled.to_string());
    let is_ours = walk.has_changed(&account_key(&current.account_id));
    if target.shared_keys.is_some()
        && original.shared_keys.is_none()
        && planned.shared_keys.is_some()
        && now.shared_keys != planned.shared_keys
        && !is_ours
    {
        let property = format!("allowSharedKeyAccess of {}", current.account_id);
        return Err(explain::changed_since_the_plan(&property, &shown(planned.shared_keys), &shown(now.shared_keys)));
    }
    Ok(())
}

/// The outcome of a change, whether it was completed or not.
fn outcome(
    change: Change<'_>,
    result: Result<(), Diagnostic>,
    current: &HubAndAccount,
    before: Before,
    mut planned: State,
    mut private: Private,
) -> Outcome<State> {
    let Change { now, sent, own_values, mut diagnostics, .. } = change;
    let error = match result {
        Ok(()) => None,
        Err(error) if sent == Properties::default() => {
            diagnostics.push(error);
            return before.untouched(private, diagnostics);
        }
        Err(error) => Some(error),
    };
    own_values.save(&mut private);
    let mut original = before.state().map(|state| Properties::of(&state.original)).unwrap_or_default();
    own_values::note_original(&mut original, &sent, &Properties::in_azure(current));

    // After a failure the prior settings stay in the state, so that the next plan shows the change again.
    let mut state = match (&error, before) {
        (Some(_), Before::Updated(prior)) => prior,
        // Computed attributes were planned to stay the same; a refresh shows their changes.
        (None, Before::Updated(_)) if !planned.hub_principal_id.is_unknown() => planned,
        _ => {
            set_computed(&mut planned, &current.hub, &current.account_id);
            planned
        }
    };
    if error.is_some() {
        set_properties(&mut state, &now);
    } else if state.shared_access_key_enabled.is_unknown() {
        state.shared_access_key_enabled = now.shared_keys.into();
    }
    state.original = own_values::as_planned(&state.original, original, error.is_none());
    diagnostics.0.extend(error);
    Outcome { state: Some(state), private, diagnostics }
}
