//! Planning: what a creation gets where the configuration does not say, what cannot change, and warnings and errors
//! beforehand.
//!
//! No planned value comes from what is read here; it serves diagnostics.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    explain,
    members::Changes,
    one_way::{self, NEVER_CLEARED},
    schema::{ManagedIdentity, ManagedNetwork, READING, State, TYPE},
    validate::primary_identity,
    words::{IdentityType, IsolationMode},
};
use crate::{
    arm::{
        Call, Read, SubscriptionId, WorkspaceId,
        storage_accounts::WholeAccount,
        workspaces::{AuthMode, Workspace},
    },
    framework::{
        Attr, Diagnostic, Diagnostics, Path, Private,
        context::Context,
        resource::{DestroyPlanRequest, PlanRequest, Planned},
    },
    provider::{
        Session,
        access::{Access, AccessCheck},
        claims,
        properties::Properties,
        report,
        state_advice::DESTROY_ALL,
        walk_keys::hub_key,
    },
};

/// The attributes of [`NEVER_CLEARED`] that the configuration has set, in the private data.
const DECLARED: &str = "declared";

/// The names of the tags that it has set.
const DECLARED_TAGS: &str = "declared_tags";

/// Whether it sets shared_access_key_enabled.
const SETS_KEYS: &str = "sets_keys";

pub(super) async fn plan(context: Context<Session>, request: PlanRequest<State>) -> Planned<State> {
    let PlanRequest { mut prior, config, mut planned, replaces, private, replaced } = request;
    let session = context.client.as_deref();
    let call = Call::new(context.cancel, planned.timeout(|timeouts| &timeouts.read, READING));
    let mut requires_replace = Vec::new();
    if let Some(prior) = &mut prior {
        requires_replace.extend(set_subscription(prior, &mut planned, &config));
    }
    let mut diagnostics = set_id(session, &call, prior.as_ref(), &mut planned).await;
    if prior.as_ref().is_some_and(|prior| prior.storage_account_id.is_null()) {
        diagnostics.push(not_read_yet());
    }
    if let Some(prior) = &prior {
        expect_identity(prior, &mut planned);
        if prior.encryption.presence() != planned.encryption.presence() && !planned.encryption.is_unknown() {
            requires_replace.push(Path::root("encryption"));
        }
    } else {
        set_defaults(&mut planned);
    }
    diagnostics.0.extend(primary_identity(&planned));
    let id = planned.id.known().cloned();
    let is_replaced = match &prior {
        Some(_) => replaces || !requires_replace.is_empty(),
        None => {
            let key = id.as_ref().map(hub_key);
            let is_replacement = replaced.iter().any(|old| key.as_ref().is_some_and(|key| old.subject == key.subject));
            // An object that is in the state and not gone is tainted.
            let is_gone = id.as_ref().is_some_and(|id| claims::is_gone(&context.walk, id));
            is_replacement || (!is_gone && key.is_some_and(|key| context.walk.may_be_tainted(&key)))
        }
    };
    let same_name = prior.as_ref().is_none_or(|prior| prior.id.known() == id.as_ref());
    if let Some(id) = id.as_ref().filter(|_| is_replaced && same_name)
        && planned.purge_on_destroy.known() == Some(&false)
    {
        diagnostics.push(explain::name_would_be_taken(id));
    }
    if let Some(prior) = &prior {
        if is_replaced {
            diagnostics.extend(projects_of(prior));
        } else {
            let stay = Changes::between(prior, &planned).keep_tags_of_others(&declared_tags(&private));
            diagnostics.0.extend((!stay.is_empty()).then(|| explain::tags_stay(&stay)));
            let declared: Vec<String> = private.get(DECLARED).unwrap_or_default();
            let hub = match (session, &id) {
                (Some(session), Some(id)) if one_way::needs_hub(prior, &planned) => {
                    remembered(session, &call, id).await
                }
                _ => None,
            };
            diagnostics.extend(one_way::errors(prior, &config, &planned, &declared, hub.as_ref()));
        }
    }
    if let Some(id) = &id {
        let is_new = prior.is_none() || is_replaced;
        if is_new {
            claims::note_creation(&context.walk, id);
        }
        let mode = if is_new { planned.properties().mode } else { config.properties().mode };
        let keys = config.properties().shared_keys;
        let account = planned.storage_account_id.known();
        diagnostics.extend(claims::conflicts(&context.walk, TYPE, id, account, mode.as_ref(), keys));
        // After a first write this is the second plan of an apply, which checks everything itself.
        if let Some(session) = session.filter(|session| session.arm.remembers_reads()) {
            let prior = prior.as_ref().filter(|_| !is_replaced);
            diagnostics.extend(check_access(session, &call, id, prior, &config, &planned).await);
        }
    }
    if call.cancel.is_cancelled() {
        diagnostics.push(report::interrupted());
    }
    let keys = id.map(|id| vec![hub_key(&id)]);
    Planned { state: planned, keys, private, requires_replace, diagnostics }
}

pub(super) fn plan_destroy(request: &DestroyPlanRequest<'_, State>) -> Diagnostics {
    let prior = &request.prior;
    let subject = prior.id.known().map(|id| hub_key(id).subject);
    if subject.is_some_and(|subject| request.kept.contains(&subject)) {
        return Diagnostics::default();
    }
    let mut diagnostics = projects_of(prior);
    if request.private.get(SETS_KEYS) == Some(true)
        && let (Some(false), Some(account)) = (prior.shared_access_key_enabled.known(), prior.storage_account_id.text())
    {
        diagnostics.push(explain::keys_stay_off(account));
    }
    diagnostics
}

/// Notes what the configuration sets, in place of what an earlier one has set.
pub(super) fn note_declared(private: &mut Private, config: &State) {
    let declared = NEVER_CLEARED.iter().filter(|(_, _, of)| of(config).known().is_some()).map(|(name, ..)| *name);
    private.set(DECLARED, &declared.collect::<Vec<_>>());
    private.set(DECLARED_TAGS, &tags(config));
    private.set(SETS_KEYS, &config.shared_access_key_enabled.known().is_some());
}

/// Notes what a configuration sets whose change was not completed, beside what an earlier one has set.
pub(super) fn note_attempted(private: &mut Private, config: &State) {
    let earlier = [DECLARED, DECLARED_TAGS].map(|name| (name, private.get::<Vec<String>>(name).unwrap_or_default()));
    note_declared(private, config);
    for (name, earlier) in earlier {
        let now: Vec<String> = private.get(name).unwrap_or_default();
        let both: BTreeSet<String> = earlier.into_iter().chain(now).collect();
        private.set(name, &both);
    }
}

/// Notes the attributes of [`NEVER_CLEARED`] that another provider's configuration has set; `is_set` is asked with the names of
/// attribute and member.
pub(super) fn note_moved(private: &mut Private, is_set: impl Fn(&str, &str) -> bool) {
    let declared = NEVER_CLEARED.iter().filter(|(name, member, _)| is_set(name, member)).map(|(name, ..)| *name);
    private.set(DECLARED, &declared.collect::<Vec<_>>());
}

/// The names of the tags that the configuration has set; others may have set the rest of what an import brought.
pub(super) fn declared_tags(private: &Private) -> Vec<String> {
    private.get(DECLARED_TAGS).unwrap_or_default()
}

fn tags(config: &State) -> Vec<&String> {
    config.tags.known().into_iter().flat_map(BTreeMap::keys).collect()
}

/// Sets the subscription of an object whose configuration leaves it empty (`""`): that of its id. Returns the path where another
/// one is configured now, which the schema does not see.
fn set_subscription(prior: &mut State, planned: &mut State, config: &State) -> Option<Path> {
    if !prior.subscription_id.is_unknown() {
        return None;
    }
    prior.subscription_id = prior.id.known()?.subscription().parse().ok().into();
    if config.subscription_id.is_null() {
        planned.subscription_id = prior.subscription_id.clone();
    }
    (planned.subscription_id != prior.subscription_id).then(|| Path::root("subscription_id"))
}

/// Sets subscription and id, as far as they are known.
async fn set_id(session: Option<&Session>, call: &Call, prior: Option<&State>, planned: &mut State) -> Diagnostics {
    planned.id = Attr::Unknown;
    if planned.subscription_id.is_unknown()
        && prior.is_none()
        && let Some(session) = session
    {
        match session.subscription(call).await {
            Ok(Some(subscription)) => match SubscriptionId::parse(subscription) {
                Ok(subscription) => planned.subscription_id = subscription.into(),
                Err(error) => return explain::no_subscription(&error).into(),
            },
            Ok(None) => {}
            Err(error) => return error.into(),
        }
    }
    let parts = (planned.subscription_id.text(), planned.resource_group_name.text(), planned.name.text());
    planned.id = match parts {
        (Some(subscription), Some(group), Some(name)) => {
            let id = WorkspaceId::new(subscription, group, name).ok();
            let known = prior.and_then(|prior| prior.id.known()).filter(|known| Some(*known) == id.as_ref());
            known.cloned().or(id).map_or(Attr::Unknown, Attr::Known)
        }
        _ => Attr::Unknown,
    };
    Diagnostics::default()
}

/// What a new hub gets, as the product's template has it.
pub(super) fn set_defaults(planned: &mut State) {
    if planned.system_datastores_auth_mode.is_unknown() {
        planned.system_datastores_auth_mode = AuthMode::identity().into();
    }
    if planned.identity.is_unknown() {
        let identity = ManagedIdentity {
            kind: IdentityType::System.into(),
            identity_ids: Attr::Null,
            principal_id: Attr::Unknown,
            tenant_id: Attr::Unknown,
        };
        planned.identity = identity.into();
    }
    if planned.managed_network.is_unknown() {
        planned.managed_network = ManagedNetwork { isolation_mode: IsolationMode::from("Disabled").into() }.into();
    }
    if !planned.encryption.is_unknown() && !planned.is_encrypted() && planned.high_business_impact_enabled.is_unknown()
    {
        planned.high_business_impact_enabled = false.into();
    }
    if let Attr::Known(identity) = &mut planned.identity
        && identity.kind.known() == Some(&IdentityType::User)
    {
        identity.principal_id = Attr::Null;
        identity.tenant_id = Attr::Null;
    }
}

/// A system-assigned identity that the hub gets or loses.
fn expect_identity(prior: &State, planned: &mut State) {
    let has_system =
        |state: &State| state.identity.known().and_then(|identity| identity.kind.known()).map(|kind| kind.has_system());
    let (had, has) = (has_system(prior).unwrap_or_default(), has_system(planned));
    if let (Attr::Known(identity), Some(has)) = (&mut planned.identity, has)
        && had != has
    {
        identity.principal_id = if has { Attr::Unknown } else { Attr::Null };
        identity.tenant_id = if has { Attr::Unknown } else { Attr::Null };
    }
}

/// What deleting the hub means for its projects.
fn projects_of(prior: &State) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    let hub = prior.id.text().unwrap_or_default();
    let projects: Vec<&str> = prior.project_ids.elements().map(String::as_str).collect();
    if !projects.is_empty() {
        diagnostics.push(match prior.force_destroy.known() {
            Some(true) => explain::projects_will_go(hub, &projects),
            _ => explain::projects_will_stop(hub, &projects),
        });
    }
    diagnostics
}

/// The hub as the refresh found it, if it was read.
async fn remembered(session: &Session, call: &Call, id: &WorkspaceId) -> Option<Workspace> {
    session.arm.get::<Workspace>(id, Read::Remembered, call).await.ok()
}

/// Warnings about who would lose access, where keys are disabled or an existing hub stops using them.
async fn check_access(
    session: &Session,
    call: &Call,
    id: &WorkspaceId,
    prior: Option<&State>,
    config: &State,
    planned: &State,
) -> Diagnostics {
    let target = Properties { mode: planned.properties().mode, shared_keys: config.properties().shared_keys };
    let Some(account) = planned.storage_account_id.known() else { return Diagnostics::default() };
    let mut diagnostics = Diagnostics::default();
    let requirements = planned.requirements();
    let is_checked = requirements.check != AccessCheck::Off;
    let keys_now = match prior {
        Some(prior) => prior.properties().shared_keys,
        None if (target.shared_keys == Some(false) && is_checked) || target.uses_keys() => {
            let found = session.arm.get::<WholeAccount>(account, Read::Remembered, call).await;
            found.ok().map(|found| found.account.shared_key_enabled())
        }
        None => None,
    };
    let now = match prior {
        Some(prior) => prior.properties(),
        // A hub that does not exist yet takes nothing from anybody by its mode.
        None => Properties { mode: target.mode.clone(), shared_keys: keys_now },
    };
    let switches_to_keys = prior.is_none() || target.switches_to_keys(&now);
    if target.uses_keys() && target.shared_keys.is_none() && keys_now == Some(false) && switches_to_keys {
        diagnostics.push(explain::locks_the_hub_out());
    }
    // Validation has warned of a mode that is configured.
    if target.locks_the_hub_out() && config.properties().mode.is_none() && keys_now != Some(false) {
        diagnostics.push(explain::locks_the_hub_out());
    }
    if prior.is_some() && target.uses_identity() && !now.uses_identity() {
        session.switches.plan(id.arm());
    }
    if !is_checked || !target.removes_key_access(&now) {
        return diagnostics;
    }
    let hub = match prior {
        Some(_) => remembered(session, call, id).await,
        None => None,
    };
    let access = Access { session, call, hub_id: id, hub: hub.as_ref(), account, found_account: None, requirements };
    let findings = access.check_at_plan(target.shared_keys == Some(false) && now.shared_keys != Some(false)).await;
    diagnostics.extend(access.plan_messages(&findings));
    diagnostics
}

fn not_read_yet() -> Diagnostic {
    let detail = "The object was moved here and has not been read yet, so that what would change is not known. Plan without \
                  -refresh=false.";
    Diagnostic::error("The hub has to be read first", format!("{detail}\n\n{DESTROY_ALL}"))
}
