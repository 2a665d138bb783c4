//! Planning: what an apply will change, and what there is to warn of beforehand. Nothing that is found here decides
//! anything: it is looked at again at the apply.

use super::{
    apply::wanted,
    explain,
    keys::{account_key, hub_key},
    record::{self, Record},
    schema::{READING, State},
    settings::Settings,
};
use crate::{
    arm::{Call, Read, StorageAccountId, WorkspaceId, storage_accounts::StorageAccount},
    framework::{
        Attr, Diagnostic, Diagnostics, Private,
        context::Context,
        resource::{DestroyPlanRequest, PlanRequest, Planned},
    },
    provider::{
        Session,
        access::{Access, AccessCheck},
        hub::{self, Unread},
    },
};

/// Completes the plan of a creation or a change.
pub(super) async fn plan(context: Context<Session>, request: PlanRequest<State>) -> Planned<State> {
    let PlanRequest { prior, config, mut planned, private, replaced } = request;
    let mut diagnostics = Diagnostics::default();
    let hub = planned.hub_id.known().cloned();
    planned.id = hub.as_ref().map_or(Attr::Unknown, |hub| hub.to_string().into());
    let same_hub = |prior: &State| hub.is_some() && prior.hub_id.known() == hub.as_ref();
    let prior = match prior {
        // Engines plan no removal for a replacement: this is the place to say what it does to the other hub.
        Some(prior) if !same_hub(&prior) => {
            diagnostics.extend(will_restore(&prior, &private));
            None
        }
        prior => prior,
    };
    let mut account = prior.as_ref().and_then(|prior| prior.storage_account_id.known().cloned());
    if let Some(prior) = &prior {
        let keys = &config.shared_access_key_enabled;
        planned.original = record::plan_original(&prior.original, &prior.settings(), &planned, keys).into();
        // An update of a hub that is gone can only find one that was made anew.
        if prior.system_datastores_auth_mode.is_null() {
            planned.storage_account_id = Attr::Unknown;
            planned.hub_principal_id = Attr::Unknown;
            planned.hub_user_assigned_principal_ids = Attr::Unknown;
        }
    }
    if let (Some(session), Some(hub)) = (context.client.as_deref(), &hub) {
        // Once somebody has written, this is the second plan of an apply, which is about to look for itself.
        if session.arm.remembers_reads() {
            let call = Call::new(context.cancel, planned.timeout(|timeouts| &timeouts.read, READING));
            let settings = prior.as_ref().map(State::settings);
            let is_new = prior.is_none() && replaced.is_empty() && !context.walk.is_in_state(&hub_key(hub));
            let foreseen = foresee(session, &call, hub, settings, &config, &planned, is_new).await;
            diagnostics.extend(foreseen.found);
            account = account.or(foreseen.account);
            if call.cancel.is_cancelled() {
                diagnostics.push(explain::interrupted());
            }
        }
    }
    let account = account.filter(|_| config.shared_access_key_enabled.known().is_some());
    let keys = hub.map(|hub| [hub_key(&hub)].into_iter().chain(account.map(|id| account_key(&id))).collect());
    Planned { state: planned, keys, private, requires_replace: Vec::new(), diagnostics }
}

/// Warns of what destroying does.
pub(super) fn plan_destroy(request: &DestroyPlanRequest<'_, State>) -> Diagnostics {
    let prior = &request.prior;
    let is_kept = |subject: &str| request.kept.iter().any(|kept| kept == subject);
    if prior.hub_id.known().is_some_and(|hub| is_kept(&hub_key(hub).subject)) {
        return Diagnostics::default();
    }
    let mut prior = prior.clone();
    if prior.storage_account_id.known().is_some_and(|account| is_kept(&account_key(account).subject)) {
        prior.keep_keys();
    }
    will_restore(&prior, request.private)
}

/// What destroying puts back, as a warning.
fn will_restore(prior: &State, private: &Private) -> Diagnostics {
    let now = prior.settings();
    let changes = Record::load(private).put_back(&prior.restores(), &now);
    if changes == Settings::default() {
        return Diagnostics::default();
    }
    let leaves = Settings { mode: changes.mode.clone().or(now.mode), keys: changes.keys.or(now.keys) };
    let hub = prior.hub_id.text().unwrap_or_default();
    let account = prior.storage_account_id.text().unwrap_or_default();
    explain::will_restore(hub, account, &changes, &leaves).into()
}

/// What a plan has found out.
#[derive(Default)]
struct Foreseen {
    /// What is in its way.
    found: Diagnostics,
    /// The hub's account, where it was looked up.
    account: Option<StorageAccountId>,
}

impl From<Diagnostic> for Foreseen {
    fn from(found: Diagnostic) -> Self {
        Self { found: found.into(), account: None }
    }
}

/// Looks at what is planned, and warns of what is in its way.
async fn foresee(
    session: &Session,
    call: &Call,
    hub_id: &WorkspaceId,
    prior: Option<Settings>,
    config: &State,
    planned: &State,
    is_new: bool,
) -> Foreseen {
    let target = wanted(config, planned);
    if target.leaves_keys() {
        session.switches.plan(hub_id.arm());
    }
    if prior.as_ref().is_some_and(|prior| !target.takes_keys_away(prior) && !target.comes_to_need_keys(prior)) {
        return Foreseen::default();
    }
    // After a refresh this is what it was told.
    let hub = match hub::read(session, hub_id, Read::Remembered, call).await {
        Ok(hub) => hub,
        // The refresh has said that the hub is gone, and why its object is not.
        Err(Unread::Missing(_)) if prior.is_some_and(|prior| prior.mode.is_none()) => return Foreseen::default(),
        Err(unread) => return unread.while_planning(hub_id).into(),
    };
    if let Some(error) = hub::refused_kind(hub_id, &hub) {
        return error.into();
    }
    let now = prior
        .unwrap_or_else(|| Settings { mode: Some(hub.properties.system_datastores_auth_mode.clone()), keys: None });
    let Ok(account) = hub::account_of(hub_id, &hub) else { return Foreseen::default() };
    let keys = async || {
        let found = session.arm.get::<StorageAccount>(&account, Read::Remembered, call).await;
        found.ok().map(|found| found.shared_key_enabled())
    };
    let mut found = Diagnostics::default();
    if is_new && now.mode == target.mode {
        let keys = if target.keys.is_some() { keys().await } else { None };
        let now = Settings { mode: now.mode.clone(), keys };
        found.0.extend(explain::as_wanted_already(hub_id, &account, &target, &now, planned));
    }
    if target.comes_to_need_keys(&now) {
        let off =
            target.keys.is_none() && (now.keys == Some(false) || (now.keys.is_none() && keys().await == Some(false)));
        found.0.extend(off.then(|| explain::keys_will_be_off(hub_id, &account)));
        return Foreseen { found, account: Some(account) };
    }
    let access = Access { session, call, hub_id, hub: &hub, account: &account, requirements: planned.requirements() };
    // Only where nothing else is going to change does it matter whether keys are off already.
    let is_done = async || now.keys.is_none() && now.mode == target.mode && keys().await == Some(false);
    if access.requirements.check != AccessCheck::Off && target.takes_keys_away(&now) && !is_done().await {
        let findings = access.foresee(target.keys == Some(false) && now.keys != Some(false)).await;
        found.extend(access.plan_messages(&findings));
    }
    Foreseen { found, account: Some(account) }
}
