//! Planning: what an apply will change, and what there is to warn of beforehand. Nothing that is found here decides
//! anything: it is looked at again at the apply.

use super::{
    CREATES, OTHERS, READING, UNDONE,
    apply::wanted,
    explain,
    record::{self, Record},
    schema::{self, Settings, State},
};
use crate::{
    arm::{Call, Read, StorageAccountId, WorkspaceId},
    framework::{
        Attr, Diagnostic, Diagnostics, Private,
        resource::{Context, PlanRequest, Planned},
    },
    provider::{
        Session,
        access::{self, Access, Check},
    },
};

/// Completes the plan of a creation or a change.
pub(super) async fn plan(context: Context<'_, Session>, request: PlanRequest<State>) -> Planned<State> {
    let PlanRequest { prior, config, mut planned, mut private } = request;
    let mut diagnostics = Diagnostics::default();
    let hub = planned.hub();
    planned.id = hub.as_ref().map_or(Attr::Unknown, |hub| hub.as_str().to_owned().into());
    // In the second plan of a replacement the private data are the old object's, which its removal needs.
    private.remove(CREATES);
    let same_hub = |prior: &State| schema::same_id_attr(&prior.hub_id, &planned.hub_id);
    let prior = match prior {
        // Engines plan no removal for a replacement: this is the place to say what it does to the other hub.
        Some(prior) if !same_hub(&prior) => {
            diagnostics.extend(will_restore(&prior, &private));
            None
        }
        prior => prior,
    };
    if let Some(prior) = &prior {
        keep(prior, &config, &mut planned);
        if private.get(UNDONE) == Some(true) {
            // Something has to be open for the engine to call for an update.
            planned.original = Attr::Unknown;
            private.remove(UNDONE);
        }
    } else if let Some(hub) = &hub {
        private.set(CREATES, &hub.arm().key());
    }
    if let (Some(session), Some(hub)) = (context.client, &hub) {
        diagnostics.0.extend(other_objects(session, hub, prior.is_none()));
        // Once somebody has written, this is the second plan of an apply, which is about to look for itself.
        if session.arm.remembers_reads() {
            let call = Call::new(context.cancel, planned.timeout(|timeouts| &timeouts.read, READING));
            let prior = prior.as_ref().map(State::settings);
            diagnostics.extend(foresee(session, &call, hub, prior, &config, &planned).await);
            if call.cancel.is_cancelled() {
                diagnostics.push(explain::interrupted());
            }
        }
    }
    Planned { state: planned, private, requires_replace: Vec::new(), diagnostics }
}

/// Warns of what destroying does. Where another object stays that stands for the same hub, the removal gets to know that it
/// must not pull the ground from under it.
pub(super) fn plan_destroy(context: Context<'_, Session>, prior: &State, private: &mut Private) -> Diagnostics {
    if let (Some(session), Some(hub)) = (context.client, prior.hub()) {
        let all = session.note_object(hub.arm(), |all| all.destroyed += 1);
        if all.staying() > 0 {
            session.note_object(hub.arm(), |all| all.kept += 1);
            let known: usize = private.get(OTHERS).unwrap_or_default();
            private.set(OTHERS, &known.max(all.staying()));
            return explain::another_object_stays(&hub).into();
        }
        if all.created > 0 {
            let mut diagnostics = Diagnostics::from(explain::two_addresses(&hub));
            diagnostics.extend(will_restore(prior, private));
            return diagnostics;
        }
    }
    will_restore(prior, private)
}

/// What destroying puts back, as a warning.
fn will_restore(prior: &State, private: &Private) -> Diagnostics {
    let now = prior.settings();
    let changes = Record::load(private).put_back(&prior.restores(), &now);
    if changes == Settings::default() {
        return Diagnostics::default();
    }
    let leaves = Settings { mode: changes.mode.clone().or(now.mode), keys: changes.keys.or(now.keys) };
    let text = |attr: &Attr<String>| attr.text().unwrap_or_default().to_owned();
    let (hub, account) = (text(&prior.hub_id), text(&prior.storage_account_id));
    explain::will_restore(&hub, &account, &changes, &leaves).into()
}

/// Warns where this plan removes an object that stands for the same hub.
fn other_objects(session: &Session, hub: &WorkspaceId, creates: bool) -> Option<Diagnostic> {
    let all = session.note_object(hub.arm(), |all| if creates { all.created += 1 } else { all.stay += 1 });
    match creates {
        true => (all.destroyed > 0).then(|| explain::two_addresses(hub)),
        false => all.undo_each_other().then(|| explain::another_object_goes(hub)),
    }
}

/// What is computed keeps its value in an update, but for what the update is going to find out.
fn keep(prior: &State, config: &State, planned: &mut State) {
    let mut original = prior.original.known().cloned().unwrap_or_default();
    let keys = &config.shared_access_key_enabled;
    let changes_keys = !keys.is_null() && *keys != prior.shared_access_key_enabled;
    if planned.settings().mode != prior.settings().mode || changes_keys {
        record::leave_open(&mut original.system_datastores_auth_mode);
        if !keys.is_null() {
            record::leave_open(&mut original.shared_access_key_enabled);
        }
    }
    planned.original = original.into();
}

/// Looks at what is planned, and warns of what is in its way.
async fn foresee(
    session: &Session,
    call: &Call,
    hub_id: &WorkspaceId,
    prior: Option<Settings>,
    config: &State,
    planned: &State,
) -> Diagnostics {
    let target = wanted(config, planned);
    if target.leaves_keys() {
        session.switches.plan(hub_id.arm());
    }
    if prior.as_ref().is_some_and(|prior| !target.takes_keys_away(prior) && !target.comes_to_need_keys(prior)) {
        return Diagnostics::default();
    }
    // After a refresh this is what it was told.
    let hub = match session.arm.workspaces().get(hub_id, Read::Remembered, call).await {
        Ok(hub) => hub,
        Err(error) if error.is_not_found() => return explain::no_hub_yet(hub_id).into(),
        Err(error) if error.is_forbidden() => return explain::hub_hidden(hub_id, &error).into(),
        Err(error) => return explain::hub_not_read(hub_id, &error).into(),
    };
    if let Some(error) = explain::refused_kind(hub_id, &hub) {
        return error.into();
    }
    let now = prior
        .unwrap_or_else(|| Settings { mode: Some(hub.properties.system_datastores_auth_mode.clone()), keys: None });
    let Ok(account) = StorageAccountId::parse(&hub.properties.storage_account) else { return Diagnostics::default() };
    let keys_are_off = async || {
        let found = session.arm.storage_accounts().get(&account, Read::Remembered, call).await;
        found.is_ok_and(|found| !found.shared_key_enabled())
    };
    if target.comes_to_need_keys(&now) {
        let off = target.keys.is_none() && (now.keys == Some(false) || (now.keys.is_none() && keys_are_off().await));
        return if off { explain::keys_will_be_off(hub_id, &account).into() } else { Diagnostics::default() };
    }
    let access = Access { session, call, hub_id, hub: &hub, account: &account, terms: planned.access() };
    if access.terms.check == Check::Off || !target.takes_keys_away(&now) {
        return Diagnostics::default();
    }
    // Only where nothing else is going to change does it matter whether keys are off already.
    if now.keys.is_none() && now.mode == target.mode && keys_are_off().await {
        return Diagnostics::default();
    }
    let findings = access.foresee(target.keys == Some(false) && now.keys != Some(false)).await;
    access::foretell(&findings, access.terms.check)
}
