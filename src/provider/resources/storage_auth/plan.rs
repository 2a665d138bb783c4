//! Planning: what an apply will change, and warnings and errors beforehand.
//!
//! No planned value comes from what is read here; it serves diagnostics, and tells the account by which objects are compared.

use super::{
    apply::wanted,
    explain,
    own_values::{self, OwnValues},
    schema::{READING, State, TYPE},
};
use crate::{
    arm::{Call, Read, StorageAccountId, WorkspaceId, storage_accounts::WholeAccount},
    framework::{
        Attr, Diagnostic, Diagnostics, Private,
        context::Context,
        resource::{DestroyPlanRequest, PlanRequest, Planned},
    },
    provider::{
        Session,
        access::{Access, AccessCheck},
        claims,
        hub::{self, HubError},
        properties::Properties,
        report,
        walk_keys::{account_key, hub_key},
    },
};

pub(super) async fn plan(context: Context<Session>, request: PlanRequest<State>) -> Planned<State> {
    let PlanRequest { prior, config, mut planned, private, replaced, .. } = request;
    let mut diagnostics = Diagnostics::default();
    let hub = planned.hub_id.known().cloned();
    planned.id = hub.as_ref().map_or(Attr::Unknown, |hub| hub.to_string().into());
    let same_hub = |prior: &State| hub.is_some() && prior.hub_id.known() == hub.as_ref();
    let prior = match prior {
        // Engines plan no deletion for a replacement, so that what it does to the other hub is said here.
        Some(prior) if !same_hub(&prior) => {
            diagnostics.extend(will_restore(&prior, &private));
            None
        }
        prior => prior,
    };
    let mut account = prior.as_ref().and_then(|prior| prior.storage_account_id.known().cloned());
    if let Some(prior) = &prior {
        let shared_keys = &config.shared_access_key_enabled;
        planned.original =
            own_values::plan_original(&prior.original, &prior.properties(), &planned, shared_keys).into();
        // An update of a missing hub can only succeed if it was recreated.
        if prior.system_datastores_auth_mode.is_null() {
            planned.storage_account_id = Attr::Unknown;
            planned.hub_principal_id = Attr::Unknown;
            planned.hub_user_assigned_principal_ids = Attr::Unknown;
        }
    }
    if let Some(hub) = &hub {
        let target = wanted(&config, &planned);
        let mode = target.mode.as_ref();
        diagnostics.extend(claims::conflicts(&context.walk, TYPE, hub, account.as_ref(), mode, target.shared_keys));
    }
    if let (Some(session), Some(hub)) = (context.client.as_deref(), &hub) {
        // After a first write this is the second plan of an apply, which reads everything itself.
        if session.arm.remembers_reads() {
            let call = Call::new(context.cancel, planned.timeout(|timeouts| &timeouts.read, READING));
            let target = wanted(&config, &planned);
            if target.uses_identity() {
                session.switches.plan(hub.arm());
            }
            let properties = prior.as_ref().map(State::properties);
            let is_new = prior.is_none() && replaced.is_empty() && !context.walk.is_in_state(&hub_key(hub));
            // What a hub is now does not matter where this plan creates it.
            let checked = match claims::will_be_created(&context.walk, hub) {
                true => Checked::default(),
                false => check(session, &call, hub, properties, &target, &planned, is_new).await,
            };
            diagnostics.extend(checked.diagnostics);
            account = account.or(checked.account);
            if call.cancel.is_cancelled() {
                diagnostics.push(report::interrupted());
            }
        }
    }
    let account = account.filter(|_| config.shared_access_key_enabled.known().is_some());
    let keys = hub.map(|hub| [hub_key(&hub)].into_iter().chain(account.map(|id| account_key(&id))).collect());
    Planned { state: planned, keys, private, requires_replace: Vec::new(), diagnostics }
}

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

/// A warning about what destroying restores.
fn will_restore(prior: &State, private: &Private) -> Diagnostics {
    let now = prior.properties();
    let changes = OwnValues::load(private).to_restore(&prior.restores(), &now);
    if changes == Properties::default() {
        return Diagnostics::default();
    }
    let leaves =
        Properties { mode: changes.mode.clone().or(now.mode), shared_keys: changes.shared_keys.or(now.shared_keys) };
    let hub = prior.hub_id.text().unwrap_or_default();
    let account = prior.storage_account_id.text().unwrap_or_default();
    explain::will_restore(hub, account, &changes, &leaves).into()
}

#[derive(Default)]
struct Checked {
    diagnostics: Diagnostics,
    /// The hub's account, where the hub was read.
    account: Option<StorageAccountId>,
}

impl From<Diagnostic> for Checked {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { diagnostics: diagnostic.into(), account: None }
    }
}

/// Reads hub and account, and warns of what an apply would find.
async fn check(
    session: &Session,
    call: &Call,
    hub_id: &WorkspaceId,
    prior: Option<Properties>,
    target: &Properties,
    planned: &State,
    is_new: bool,
) -> Checked {
    if prior.as_ref().is_some_and(|prior| !target.removes_key_access(prior) && !target.switches_to_keys(prior)) {
        return Checked::default();
    }
    // After a refresh this is its answer.
    let hub = match hub::read(session, hub_id, Read::Remembered, call).await {
        Ok(hub) => hub,
        // The refresh has warned of the missing hub.
        Err(HubError::Missing(_)) if prior.is_some_and(|prior| prior.mode.is_none()) => return Checked::default(),
        Err(error) => return error.while_planning(hub_id).into(),
    };
    if let Some(error) = hub::refused_kind(hub_id, &hub) {
        return error.into();
    }
    let mut now = prior.unwrap_or_else(|| Properties {
        mode: Some(hub.properties.system_datastores_auth_mode.clone()),
        shared_keys: None,
    });
    let Ok(account) = hub::account_of(hub_id, &hub) else { return Checked::default() };
    let shared_keys = async || {
        let found = session.arm.get::<WholeAccount>(&account, Read::Remembered, call).await;
        found.ok().map(|found| found.account.shared_key_enabled())
    };
    let mut diagnostics = Diagnostics::default();
    if is_new {
        let shared_keys = if target.shared_keys.is_some() { shared_keys().await } else { None };
        let found = Properties { mode: now.mode.clone(), shared_keys };
        diagnostics.0.extend(explain::as_wanted_already(hub_id, &account, target, &found, planned));
    }
    if target.switches_to_keys(&now) {
        let off = target.shared_keys.is_none()
            && (now.shared_keys == Some(false) || (now.shared_keys.is_none() && shared_keys().await == Some(false)));
        diagnostics.0.extend(off.then(|| explain::keys_will_be_disabled(hub_id, &account)));
        return Checked { diagnostics, account: Some(account) };
    }
    let requirements = planned.requirements();
    // Keys that are disabled already are taken from nobody.
    if target.shared_keys == Some(false) && now.shared_keys.is_none() && requirements.check != AccessCheck::Off {
        now.shared_keys = shared_keys().await;
    }
    let access =
        Access { session, call, hub_id, hub: Some(&hub), account: &account, found_account: None, requirements };
    if access.requirements.check != AccessCheck::Off && target.removes_key_access(&now) {
        let findings = access.check_at_plan(target.shared_keys == Some(false) && now.shared_keys != Some(false)).await;
        diagnostics.extend(access.plan_messages(&findings));
    }
    Checked { diagnostics, account: Some(account) }
}
