//! Creating and updating. What gives access is done first and what takes it last: an account accepts keys before the hub
//! uses them, and refuses them only when an existing hub has stopped using them.

use std::{collections::BTreeMap, time::Duration};

use super::{
    account::{self, Apply},
    explain,
    members::{Changes, patch_after_put, put_body},
    plan::{declared_tags, note_attempted, note_declared, set_defaults},
    read::read_keys,
    schema::State,
};
use crate::{
    arm::{
        Error, ErrorCode, Read, StorageAccountId, WorkspaceId, storage_accounts::StorageAccount, workspaces::Workspace,
    },
    framework::{Attr, Diagnostic, Diagnostics, Path, Private, any_resource::unreadable_state, resource::Outcome},
    provider::{
        access::{Access, AccessCheck, Requirements},
        hub, hub_refusal,
        properties::Properties,
        report,
        shared_keys::{self, REREAD_PAUSES},
        walk_keys::hub_key,
    },
};

/// The pauses before a hub is created for which a deleted one was purged: the name can be taken for some seconds longer.
const PURGE_PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_secs(10), Duration::from_secs(20)];

// Creating.

pub(super) async fn create(
    apply: Apply<'_>,
    config: &State,
    mut planned: State,
    mut private: Private,
) -> Outcome<State> {
    set_defaults(&mut planned);
    let Apply { session, walk, call } = apply;
    let (Some(id), Some(account)) = (planned.id.known().cloned(), planned.storage_account_id.known().cloned()) else {
        return Outcome::none(report::still_unknown("The hub's id"));
    };
    let _lock = match session.lock(id.arm(), call).await {
        Ok(lock) => lock,
        Err(error) => return Outcome::none(explain::not_locked(&error)),
    };
    if let Err(error) = is_free(apply, &id).await {
        return Outcome::none(error);
    }
    let mut diagnostics = Diagnostics::default();
    let keys = config.properties().shared_keys;
    let prepared = match account::prepare(apply, &id, &account, keys, &planned, &mut diagnostics).await {
        Ok(prepared) => prepared,
        Err(error) => {
            diagnostics.push(error);
            return Outcome::none(diagnostics);
        }
    };
    note_declared(&mut private, config);
    let is_purged = planned.purge_on_destroy.known() == Some(&true);
    let put = put(apply, &id, &planned, &mut diagnostics).await;
    let (found, error) = match put {
        Ok(hub) => (hub, None),
        Err(NotPut::Purge(error)) => {
            diagnostics.push(account::put_back(apply, prepared, explain::not_purged(&id, &error)).await);
            return Outcome::none(diagnostics);
        }
        Err(NotPut::Put(error)) => match what_is_there(apply, &id, &error).await {
            There::Nothing => {
                diagnostics
                    .push(account::put_back(apply, prepared, explain::not_created(&id, &error, is_purged)).await);
                return Outcome::none(diagnostics);
            }
            There::Unknown => {
                let told = explain::unknown_result(&id, &error);
                diagnostics.push(match prepared.filter(|prepared| prepared.is_changed) {
                    Some(prepared) => explain::account_stays(told, prepared.account, prepared.keys),
                    None => told,
                });
                return Outcome { state: Some(planned), private, diagnostics };
            }
            There::Hub(hub) => {
                let error = explain::created_badly(&id, &hub, &error);
                (*hub, Some(error))
            }
        },
    };
    walk.note_written(&hub_key(&id));
    let (found, error) = match (error, patch_after_put(&planned)) {
        (None, Some(body)) => match session.arm.patch_workspace(&id, &body, call).await {
            Ok(patched) => (patched, None),
            Err(error) => (found, Some(explain::open_network(&id, &error))),
        },
        (error, _) => (found, error),
    };
    let mut state = planned.completed(&id, &found);
    if keys.is_none() {
        diagnostics.extend(read_keys(session, call, &mut state, Read::Fresh).await);
    }
    match error {
        Some(error) => diagnostics.push(error),
        None => {
            let sent = Changes::between(&State::default(), &state);
            let hub = settled(apply, &id, &sent, &state, found).await;
            let rest = sent.not_kept(&state, &id, &hub);
            if !rest.is_empty() {
                diagnostics.push(explain::not_kept_at_creation(&id, &rest.names()));
            }
            diagnostics.extend(check_identities(apply, &id, &account, &state, &hub).await);
        }
    }
    Outcome { state: Some(state), private, diagnostics }
}

/// Refuses a name that is taken, and a group that does not exist, before anything is changed.
async fn is_free(Apply { session, call, .. }: Apply<'_>, id: &WorkspaceId) -> Result<(), Diagnostic> {
    match session.arm.get::<Workspace>(id, Read::Fresh, call).await {
        Ok(found) => Err(explain::exists(id, &found)),
        Err(error) if error.code() == Some(&ErrorCode::ResourceGroupNotFound) => Err(explain::no_group(id, &error)),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(hub::not_readable(id, &error)),
    }
}

/// What refused a hub.
enum NotPut {
    Put(Error),
    /// The deleted hub of its name could not be purged.
    Purge(Error),
}

/// Sends the PUT; once more where a deleted hub stands in the way that may be purged.
async fn put(
    Apply { session, call, .. }: Apply<'_>,
    id: &WorkspaceId,
    planned: &State,
    diagnostics: &mut Diagnostics,
) -> Result<Workspace, NotPut> {
    let body = put_body(planned);
    let send = || session.arm.put::<Workspace>(id, &body, call);
    let mut result = send().await;
    let is_in_the_way = |result: &Result<_, Error>| result.as_ref().is_err_and(hub_refusal::is_soft_deleted);
    if !is_in_the_way(&result) || planned.purge_on_destroy.known() != Some(&true) {
        return result.map_err(NotPut::Put);
    }
    let is_known = session.arm.delete_workspace(id, None, true, call).await.map_err(NotPut::Purge)?;
    // Where Azure knows of no deleted hub, time does not help.
    let pauses = if is_known { &PURGE_PAUSES[..] } else { &PURGE_PAUSES[..1] };
    for pause in pauses {
        session.arm.pause(*pause, "waiting for the name of a purged hub", call).await.map_err(NotPut::Put)?;
        result = send().await;
        if !is_in_the_way(&result) {
            break;
        }
    }
    if result.is_ok() {
        diagnostics.push(explain::purged(id));
    }
    result.map_err(NotPut::Put)
}

/// What is there after a PUT that failed.
enum There {
    Nothing,
    Hub(Box<Workspace>),
    Unknown,
}

async fn what_is_there(Apply { session, call, .. }: Apply<'_>, id: &WorkspaceId, error: &Error) -> There {
    if !error.may_have_had_effect() {
        return There::Nothing;
    }
    if error.is_interruption() {
        return There::Unknown;
    }
    // An operation that has ended leaves nothing behind. A request that no operation was accepted for may still come through,
    // and one whose operation was lost will.
    let (mut pauses, is_accepted) = match error {
        Error::Operation(_) => (Default::default(), false),
        Error::Service(_) | Error::Transport { .. } | Error::Uncertain { accepted: false, .. } => {
            (&REREAD_PAUSES[..], false)
        }
        _ => (Default::default(), true),
    };
    loop {
        match session.arm.get::<Workspace>(id, Read::Fresh, call).await {
            Ok(hub) => return There::Hub(Box::new(hub)),
            Err(gone) if gone.is_not_found() && !is_accepted => {}
            Err(_) => return There::Unknown,
        }
        let Some((pause, rest)) = pauses.split_first() else { return There::Nothing };
        pauses = rest;
        if session.arm.pause(*pause, "waiting for Azure to show a hub", call).await.is_err() {
            return There::Unknown;
        }
    }
}

/// Warnings about the identity that a new hub without a system-assigned one uses, whose roles are the user's to assign. It is
/// known only once the hub is there.
async fn check_identities(
    Apply { session, call, .. }: Apply<'_>,
    id: &WorkspaceId,
    account: &StorageAccountId,
    state: &State,
    hub: &Workspace,
) -> Diagnostics {
    let requirements = state.requirements();
    let needs_roles = state.properties().uses_identity() && hub.system_principal_id().is_none();
    if !needs_roles || requirements.check == AccessCheck::Off {
        return Diagnostics::default();
    }
    // Nothing is left to stop.
    let requirements = Requirements { check: AccessCheck::Warn, ..requirements };
    let access = Access { session, call, hub_id: id, hub: Some(hub), account, found_account: None, requirements };
    access.apply_messages(&access.check_new_hub().await)
}

// Updating.

pub(super) async fn update(
    apply: Apply<'_>,
    prior: State,
    config: &State,
    planned: State,
    mut private: Private,
) -> Outcome<State> {
    let Apply { session, walk, call } = apply;
    let mut diagnostics = Diagnostics::default();
    let unchanged = |private, diagnostics| Outcome { state: Some(prior.clone()), private, diagnostics };
    let missing = |name| unreadable_state(Path::root(name), "it is missing").into();
    let Some(id) = prior.id.known().cloned() else { return unchanged(private, missing("id")) };
    let Some(account) = prior.storage_account_id.known().cloned() else {
        return unchanged(private, missing("storage_account_id"));
    };
    let planned = planned.with_left_out(&prior);
    let mut changes = Changes::between(&prior, &planned);
    changes.keep_tags_of_others(&declared_tags(&private));
    let mut now = prior.properties();
    let keys = config.properties().shared_keys.filter(|keys| now.shared_keys != Some(*keys));
    let mut target = Properties { mode: planned.properties().mode, shared_keys: keys };
    if changes.is_empty() && keys.is_none() {
        let planned = if planned.lacks_what_was_left_empty() {
            match session.arm.get::<Workspace>(&id, Read::Fresh, call).await {
                Ok(hub) => planned.completed(&id, &hub),
                Err(error) => return unchanged(private, hub::not_readable(&id, &error).into()),
            }
        } else {
            planned
        };
        walk.note_written(&hub_key(&id));
        note_declared(&mut private, config);
        return Outcome { state: Some(planned), private, diagnostics };
    }
    let switches = target.uses_identity() && !now.uses_identity();
    // Other hubs on the account wait a few seconds for this to begin.
    let _switch = switches.then(|| session.switches.begin(id.arm()));
    let _lock = match session.lock(id.arm(), call).await {
        Ok(lock) => lock,
        Err(error) => return unchanged(private, explain::not_locked(&error).into()),
    };
    let hub = match session.arm.get::<Workspace>(&id, Read::Fresh, call).await {
        Ok(hub) => hub,
        Err(error) => {
            let missing = error.is_not_found();
            let told = if missing { explain::missing_at_update(&id, &error) } else { hub::not_readable(&id, &error) };
            return unchanged(private, told.into());
        }
    };
    // Somebody else may have changed since the plan what must not go together with what it changes.
    let found = Properties { mode: Some(hub.properties.system_datastores_auth_mode.clone()), ..target.clone() };
    if found.locks_the_hub_out() && target.uses_identity() && target.mode == now.mode {
        return unchanged(private, explain::on_keys_since_the_plan(&id).into());
    }
    if target.switches_to_keys(&now)
        && let Ok(found) = session.arm.get::<StorageAccount>(&account, Read::Fresh, call).await
    {
        let enabled = found.shared_key_enabled();
        now.shared_keys = Some(enabled);
        target.shared_keys = config.properties().shared_keys.filter(|keys| *keys != enabled);
    }
    let mut change = Change { apply, id: &id, account: &account, hub, keys: now.shared_keys, is_touched: false };
    match change.run(&now, &target, &changes, &planned, &mut diagnostics).await {
        Ok(()) => {
            walk.note_written(&hub_key(&id));
            note_declared(&mut private, config);
            let mut state = planned.completed(&id, &change.hub);
            if state.shared_access_key_enabled.is_unknown() {
                state.shared_access_key_enabled = change.keys.into();
            }
            Outcome { state: Some(state), private, diagnostics }
        }
        Err(error) => {
            diagnostics.push(error);
            // The prior settings stay in the state with what the service has now, so that the next plan shows the rest.
            let mut state = prior;
            if change.is_touched {
                note_attempted(&mut private, config);
                state.tags = with_planned_tags(&state, &planned);
                state.set_service(&id, &change.hub);
                state.shared_access_key_enabled = change.keys.map_or(state.shared_access_key_enabled, Attr::Known);
            }
            Outcome { state: Some(state), private, diagnostics }
        }
    }
}

/// The tags of both objects: after a change that was not completed either may be there.
fn with_planned_tags(prior: &State, planned: &State) -> Attr<BTreeMap<String, Attr<String>>> {
    match (prior.tags.known(), planned.tags.known()) {
        (None, None) => Attr::Null,
        (prior, planned) => {
            let all = prior.into_iter().chain(planned).flatten();
            Attr::Known(all.map(|(name, value)| (name.clone(), value.clone())).collect())
        }
    }
}

/// A change of a hub, with what is known after each step.
struct Change<'a> {
    apply: Apply<'a>,
    id: &'a WorkspaceId,
    account: &'a StorageAccountId,
    hub: Workspace,
    keys: Option<bool>,
    /// Whether anything may have changed.
    is_touched: bool,
}

impl Change<'_> {
    async fn run(
        &mut self,
        now: &Properties,
        target: &Properties,
        changes: &Changes,
        planned: &State,
        diagnostics: &mut Diagnostics,
    ) -> Result<(), Diagnostic> {
        let Apply { session, call, .. } = self.apply;
        let requirements = planned.requirements();
        let is_checked = requirements.check != AccessCheck::Off && target.removes_key_access(now);
        let mut others = Vec::new();
        if is_checked {
            let access = self.access(planned);
            let (findings, hubs) = access.check_before_changes(target.shared_keys == Some(false)).await;
            diagnostics.extend(access.apply_messages(&findings));
            diagnostics.take_error().map_or(Ok(()), Err)?;
            others = hubs;
        }
        if target.shared_keys == Some(true) {
            self.set_keys(true).await?;
        }
        if !changes.is_empty() {
            self.patch(changes, planned, diagnostics).await?;
        }
        if target.uses_identity() {
            session.switches.done(self.id.arm());
        }
        if target.shared_keys == Some(false) {
            if is_checked {
                let access = self.access(planned);
                let findings = access.check_before_disabling_keys(!now.uses_identity(), &others).await?;
                diagnostics.extend(access.apply_messages(&findings));
                diagnostics.take_error().map_or(Ok(()), Err)?;
            }
            self.set_keys(false).await?;
        }
        let uses_keys_anew = target.uses_keys() && (!now.uses_keys() || target.shared_keys == Some(true));
        if uses_keys_anew && self.keys == Some(false) {
            diagnostics.push(explain::locks_the_hub_out());
        } else if uses_keys_anew && let Err(error) = session.arm.resync_keys(self.id, call).await {
            diagnostics.push(shared_keys::not_resynced(self.id, &error));
        }
        Ok(())
    }

    fn access(&self, planned: &State) -> Access<'_> {
        let Apply { session, call, .. } = self.apply;
        let requirements = planned.requirements();
        let (hub_id, hub, account) = (self.id, Some(&self.hub), self.account);
        Access { session, call, hub_id, hub, account, found_account: None, requirements }
    }

    async fn set_keys(&mut self, keys: bool) -> Result<(), Diagnostic> {
        let Apply { session, walk, call } = self.apply;
        let change = shared_keys::set_locked(session, walk, call, self.account, keys).await;
        self.is_touched |= change.sent;
        self.keys = change.found.or(self.keys);
        change.result
    }

    /// Sends what changes, and reads it back: with a policy Azure may answer with success and keep the old values.
    async fn patch(
        &mut self,
        changes: &Changes,
        planned: &State,
        diagnostics: &mut Diagnostics,
    ) -> Result<(), Diagnostic> {
        let Apply { session, call, .. } = self.apply;
        let body = changes.body(&self.hub);
        let (found, problem) = match session.arm.patch_workspace(self.id, &body, call).await {
            Ok(answer) => (settled(self.apply, self.id, changes, planned, answer).await, None),
            Err(error) if !error.may_have_had_effect() => {
                return Err(explain::not_updated(self.id, &changes.names(), &error));
            }
            Err(error) => {
                self.is_touched = true;
                let told = explain::not_updated(self.id, &changes.names(), &error);
                if error.is_interruption() {
                    return Err(told);
                }
                match session.arm.get::<Workspace>(self.id, Read::Fresh, call).await {
                    Ok(found) => (found, Some((error, told))),
                    Err(_) => return Err(told),
                }
            }
        };
        self.is_touched = true;
        self.hub = found;
        let rest = changes.not_kept(planned, self.id, &self.hub);
        match problem {
            Some((error, _)) if rest.is_empty() && self.hub.has_settled() && !matches!(error, Error::Operation(_)) => {
                diagnostics.push(explain::not_followed(self.id, &error));
                Ok(())
            }
            Some((_, told)) => Err(told),
            None if rest.is_empty() => Ok(()),
            None => Err(explain::not_kept(self.id, &rest.names())),
        }
    }
}

/// The hub, read until it has what was sent. Azure's answers may be stale for some seconds.
async fn settled(
    Apply { session, call, .. }: Apply<'_>,
    id: &WorkspaceId,
    sent: &Changes,
    planned: &State,
    mut hub: Workspace,
) -> Workspace {
    for pause in REREAD_PAUSES {
        if sent.not_kept(planned, id, &hub).is_empty()
            || session.arm.pause(pause, "waiting for Azure to show a change", call).await.is_err()
        {
            break;
        }
        match session.arm.get::<Workspace>(id, Read::Fresh, call).await {
            Ok(found) => hub = found,
            Err(_) => break,
        }
    }
    hub
}
