//! Creating and updating: from what is planned to what is there.

use super::{
    change::Change,
    explain,
    keys::{account_key, wrote},
    observe::{fill, note, settings_of},
    record::{self, Record},
    schema::State,
    settings::Settings,
};
use crate::{
    arm::{Call, Read, WorkspaceId},
    framework::{Diagnostic, Diagnostics, Private, resource::Outcome, walk::Walk},
    provider::{
        Session,
        access::Access,
        hub::{self, Account, HubAndAccount, Unseen},
        report,
    },
};

/// What there was before an apply.
pub(super) enum Before {
    /// Nothing.
    Nothing,
    /// The object that is being updated.
    Updated(State),
    /// The object whose replacement is being created. Nothing of it was undone.
    Replaced(Replaced),
}

/// What the removal half of a replacement hands over to the creation half.
pub(super) struct Replaced {
    /// The object.
    pub(super) state: State,
    /// What of the hub and its account is its doing.
    pub(super) record: Record,
}

impl Before {
    fn state(&self) -> Option<&State> {
        match self {
            Self::Nothing => None,
            Self::Updated(state) | Self::Replaced(Replaced { state, .. }) => Some(state),
        }
    }

    fn record(&self, private: &Private) -> Record {
        match self {
            Self::Replaced(replaced) => replaced.record.clone(),
            _ => Record::load(private),
        }
    }

    /// The object with what the plan says of destroying it, which is how to let go of the account of a hub that is gone.
    fn with_what_is_restored_by(mut self, planned: &State) -> Self {
        if let Self::Updated(state) = &mut self {
            state.restore_on_destroy = planned.restore_on_destroy.clone();
            state.restore_to = planned.restore_to.clone();
        }
        self
    }

    /// The outcome of an apply that has changed nothing.
    fn untouched(self, mut private: Private, diagnostics: Diagnostics) -> Outcome<State> {
        if let Self::Replaced(replaced) = &self {
            replaced.record.save(&mut private);
        }
        Outcome { state: self.state().cloned(), private, diagnostics }
    }
}

/// What a configuration wants of hub and account. Keys that it does not speak of may be as they are.
pub(super) fn wanted(config: &State, planned: &State) -> Settings {
    Settings { mode: planned.settings().mode, keys: config.shared_access_key_enabled.known().copied() }
}

/// Brings hub and account to what is planned.
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
        return before.untouched(private, report::unsettled("the hub's id").into());
    };
    let target = wanted(config, &planned);
    // Others on the account wait a few seconds to learn of it.
    let _switch = target.leaves_keys().then(|| session.switches.begin(hub.arm()));
    let lock = session.lock(hub.arm(), call).await;
    let _hub_lock = match lock {
        Ok(lock) => lock,
        Err(error) => return before.untouched(private, explain::not_locked(&error).into()),
    };
    let known = before.state().and_then(|state| state.storage_account_id.known().cloned());
    let look = match HubAndAccount::read(session, &hub, known, Read::Fresh, call).await {
        Ok(look) => look,
        Err(Unseen::Hub(unread, _)) => {
            return before.with_what_is_restored_by(&planned).untouched(private, unread.error(&hub).into());
        }
        Err(Unseen::Account(error)) => return before.untouched(private, error.into()),
    };
    let unchanged = |found| changed_since_the_plan(walk, &before, &look, &target).map(|()| found);
    let found = match obstacle(&hub, &look, &target).and_then(unchanged) {
        Ok(warnings) => warnings,
        Err(error) => return before.untouched(private, error.into()),
    };

    let mut change = Change {
        session,
        walk,
        call,
        hub: &hub,
        account: &look.account_id,
        now: settings_of(&look),
        wrote: Settings::default(),
        record: before.record(&private),
        found,
    };
    let access = Access {
        session,
        call,
        hub_id: &hub,
        hub: &look.hub,
        account: &look.account_id,
        requirements: planned.requirements(),
    };
    let result = change.run(&target, Some(&access)).await;
    if result.is_ok() || change.wrote != Settings::default() {
        wrote(walk, &hub, Some(&look.account_id), &target);
    }
    left(change, result, &look, before, planned, private)
}

/// What stands in the way of `target`, or else what there is to warn of.
fn obstacle(hub_id: &WorkspaceId, look: &HubAndAccount, target: &Settings) -> Result<Diagnostics, Diagnostic> {
    if let Some(error) = hub::refused_kind(hub_id, &look.hub) {
        return Err(error);
    }
    match (&look.account, target.keys) {
        (Account::Seen(_), _) => Ok(Diagnostics::default()),
        (Account::Gone(error), _) => Err(explain::no_account(&look.account_id, error)),
        (Account::Hidden(error), Some(_)) => Err(hub::account_not_read(&look.account_id, error)),
        (Account::Hidden(error), None) => Ok(explain::account_hidden(&look.account_id, error).into()),
    }
}

/// Refuses to write a property for the first time that is not what it was when that was planned: the plan has said what
/// `original` will be. Other objects of this run may have changed the account's keys; what these were before the run is
/// what the plan has seen.
fn changed_since_the_plan(
    walk: &Walk,
    before: &Before,
    look: &HubAndAccount,
    target: &Settings,
) -> Result<(), Diagnostic> {
    let Before::Updated(prior) = before else { return Ok(()) };
    let (original, planned, now) = (Settings::of(&prior.original), prior.settings(), settings_of(look));
    let mode = |mode: &Option<_>| mode.as_ref().map_or("unknown".to_owned(), record::wire);
    if target.mode.is_some() && original.mode.is_none() && planned.mode.is_some() && now.mode != planned.mode {
        let property = format!("systemDatastoresAuthMode of {}", look.hub.id);
        return Err(explain::changed_since_the_plan(&property, &mode(&planned.mode), &mode(&now.mode)));
    }
    let keys = |keys: Option<bool>| keys.map_or("unknown".to_owned(), |keys| keys.to_string());
    let is_ours = walk.has_changed(&account_key(&look.account_id));
    if target.keys.is_some()
        && original.keys.is_none()
        && planned.keys.is_some()
        && now.keys != planned.keys
        && !is_ours
    {
        let property = format!("allowSharedKeyAccess of {}", look.account_id);
        return Err(explain::changed_since_the_plan(&property, &keys(planned.keys), &keys(now.keys)));
    }
    Ok(())
}

/// The object after a change, whether it was completed or not.
fn left(
    change: Change<'_>,
    result: Result<(), Diagnostic>,
    look: &HubAndAccount,
    before: Before,
    mut planned: State,
    mut private: Private,
) -> Outcome<State> {
    let Change { now, wrote, record, found: mut diagnostics, .. } = change;
    let error = match result {
        Ok(()) => None,
        Err(error) if wrote == Settings::default() => {
            diagnostics.push(error);
            return before.untouched(private, diagnostics);
        }
        Err(error) => Some(error),
    };
    record.save(&mut private);
    let mut original = before.state().map(|state| Settings::of(&state.original)).unwrap_or_default();
    record::note_original(&mut original, &wrote, &settings_of(look));

    // After a failure the settings of the configuration are not in force yet, so that the next plan has them again.
    let mut state = match (&error, before) {
        (Some(_), Before::Updated(prior)) => prior,
        // What the hub is known by has been planned to stay; a refresh finds out about a change.
        (None, Before::Updated(_)) if !planned.hub_principal_id.is_unknown() => planned,
        _ => {
            fill(&mut planned, look);
            planned
        }
    };
    if error.is_some() {
        note(&mut state, &now);
    } else if state.shared_access_key_enabled.is_unknown() {
        state.shared_access_key_enabled = now.keys.into();
    }
    state.original = record::as_planned(&state.original, original, error.is_none());
    diagnostics.0.extend(error);
    Outcome { state: Some(state), private, diagnostics }
}
