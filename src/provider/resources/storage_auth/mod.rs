//! `foundryhub_storage_auth`: how a hub signs in to its storage account, and whether that account takes shared keys.
//!
//! The two properties belong to two Azure resources that this one does not own. It remembers in `original` what each was
//! before it first wrote it, and in its private data ([`record`]) which values are its own doing, so that destroying puts
//! back its own changes and nothing else.
//!
//! In the order of an object's life: [`plan`], [`apply`], [`restore`]. All three stand on [`HubAndAccount`] and [`change`].

mod apply;
mod change;
mod debt;
mod explain;
mod plan;
mod record;
mod restore;
mod schema;

use std::time::Duration;

use crate::{
    arm::{Call, Read, StorageAccountId, WorkspaceId},
    framework::{
        Attr, Diagnostic, Diagnostics, Private,
        context::Context,
        resource::{
            CreateRequest, DeleteRequest, DestroyPlanRequest, ImportTarget, MoveSource, Outcome, PlanRequest, Planned,
            Resource, UpdateRequest, Upgrade,
        },
        schema::{IdentitySchema, Schema},
        walk::{Key, Overlap, Walk},
    },
    provider::{
        Session,
        hub::{self, Account, HubAndAccount, Unread, Unseen},
        report,
    },
};
use apply::{Before, Replaced};
use record::Record;
use schema::{Identity, Pair, Settings, State};

/// How long operations may take where the configuration does not say.
const READING: Duration = Duration::from_secs(5 * 60);
const WRITING: Duration = Duration::from_secs(30 * 60);

/// The resource type.
#[derive(Debug)]
pub struct StorageAuth;

impl Resource for StorageAuth {
    type Client = Session;
    type State = State;
    type Identity = Identity;

    fn name(&self) -> &'static str {
        "foundryhub_storage_auth"
    }

    fn schema(&self) -> Schema {
        schema::schema()
    }

    fn identity_schema(&self) -> IdentitySchema {
        schema::identity_schema()
    }

    fn upgrade(&self, version: i64) -> Option<Upgrade> {
        schema::upgrade(version)
    }

    fn identity(&self, state: &State) -> Option<Identity> {
        Some(Identity { hub_id: state.hub_id.text()?.to_owned() })
    }

    fn keys(&self, state: &State) -> Vec<Key> {
        let hub = state.hub().map(|hub| hub_key(&hub));
        let account = account_of(state).filter(|_| state.restores().keys.is_some());
        hub.into_iter().chain(account.map(|account| account_key(&account))).collect()
    }

    fn overlaps(&self, state: &State, overlaps: &[Overlap]) -> Diagnostics {
        explain::overlaps(state, overlaps)
    }

    fn validate(&self, config: &State) -> Diagnostics {
        schema::validate(config)
    }

    async fn plan(&self, context: Context<Session>, request: PlanRequest<State>) -> Planned<State> {
        plan::plan(context, request).await
    }

    async fn plan_destroy(&self, _context: Context<Session>, request: DestroyPlanRequest<'_, State>) -> Diagnostics {
        plan::plan_destroy(&request)
    }

    async fn create(&self, context: Context<Session>, request: CreateRequest<State>) -> Outcome<State> {
        let CreateRequest { config, planned, .. } = request;
        let Some(session) = context.client.as_deref() else {
            return kept(None, Private::default(), report::unconfigured());
        };
        let replaced = planned.hub().and_then(|hub| context.walk.take_over::<Replaced>(&hub_key(&hub)));
        let before = replaced.map_or(Before::Nothing, Before::Replaced);
        let call = Call::new(context.cancel, planned.timeout(|timeouts| &timeouts.create, WRITING));
        apply::apply(session, &context.walk, &call, before, &config, planned, Private::default()).await
    }

    async fn read(&self, context: Context<Session>, mut state: State, mut private: Private) -> Outcome<State> {
        let Some(session) = context.client.as_deref() else {
            return kept(Some(state), private, report::unconfigured());
        };
        let Some(hub) = state.hub() else { return kept(Some(state), private, report::unsettled("the hub's id")) };
        let call = Call::new(context.cancel, state.timeout(|timeouts| &timeouts.read, READING));
        let known = account_of(&state);
        let mut diagnostics = Diagnostics::default();
        let look = match HubAndAccount::read(session, &hub, known.clone(), Read::Remembered, &call).await {
            Ok(look) => look,
            Err(Unseen::Hub(Unread::Missing(_), _)) => {
                return debt::of_a_hub_that_is_gone(session, &call, &hub, state, private).await;
            }
            Err(Unseen::Hub(unread, _)) => return kept(Some(state), private, unread.error(&hub)),
            Err(Unseen::Account(error)) => return kept(Some(state), private, error),
        };
        if let Some(known) = known.filter(|known| *known != look.account_id) {
            diagnostics.push(explain::another_account(&hub, &known, &look.account_id));
            state.original = Pair::default().into();
            Record::default().save(&mut private);
        } else if made_anew(&state, &look) {
            diagnostics.extend(debt::forget_the_hub(&mut state, &mut private, &hub));
        }
        match &look.account {
            Account::Seen(_) => {}
            Account::Gone(_) => diagnostics.push(explain::account_gone(&look.account_id)),
            Account::Hidden(error) => diagnostics.push(explain::account_hidden(&look.account_id, error)),
        }
        observe(&mut state, &look);
        Outcome { state: Some(state), private, diagnostics }
    }

    async fn update(&self, context: Context<Session>, request: UpdateRequest<State>) -> Outcome<State> {
        let UpdateRequest { prior, config, planned, private, .. } = request;
        let Some(session) = context.client.as_deref() else {
            return kept(Some(prior), private, report::unconfigured());
        };
        let call = Call::new(context.cancel, planned.timeout(|timeouts| &timeouts.update, WRITING));
        let target = apply::wanted(&config, &planned);
        if target.is_met_by(&prior.settings()) {
            if let Some(hub) = planned.hub() {
                wrote(&context.walk, &hub, account_of(&prior).as_ref(), &target);
            }
            return Outcome { state: Some(planned), private, diagnostics: Diagnostics::default() };
        }
        apply::apply(session, &context.walk, &call, Before::Updated(prior), &config, planned, private).await
    }

    async fn delete(&self, context: Context<Session>, request: DeleteRequest<State>) -> Outcome<State> {
        let DeleteRequest { prior, private, succession } = request;
        let Some(session) = context.client.as_deref() else {
            return kept(Some(prior), private, report::unconfigured());
        };
        let Some(hub) = prior.hub() else { return kept(Some(prior), private, report::unsettled("the hub's id")) };
        let call = Call::new(context.cancel, prior.timeout(|timeouts| &timeouts.delete, WRITING));
        restore::destroy(session, &call, &hub, prior, private, &succession).await
    }

    async fn import(&self, context: Context<Session>, target: ImportTarget<Identity>) -> Outcome<State> {
        let failed = |error| kept(None, Private::default(), error);
        let Some(session) = context.client.as_deref() else { return failed(report::unconfigured()) };
        let text = match target {
            ImportTarget::Id(text) => text,
            ImportTarget::Identity(identity) => identity.hub_id,
        };
        let hub = match WorkspaceId::parse(&text) {
            Ok(hub) => hub,
            Err(error) => return failed(Diagnostic::error("Nothing can be imported by this id", format!("{error}."))),
        };
        let call = Call::new(context.cancel, READING);
        // The engine reads the object next, and gets this same answer.
        match hub::read(session, &hub, Read::Remembered, &call).await {
            Ok(found) => match hub::refused_kind(&hub, &found) {
                Some(error) => failed(error),
                None => Outcome {
                    state: Some(State::named(&hub)),
                    private: Private::default(),
                    diagnostics: Diagnostics::default(),
                },
            },
            Err(unread) => failed(unread.error(&hub)),
        }
    }

    fn take_over(&self, source: &MoveSource) -> Option<Outcome<State>> {
        let state = Some(State::named(&moved_hub(source)?));
        Some(Outcome { state, private: Private::default(), diagnostics: Diagnostics::default() })
    }
}

/// The workspace of an azapi_update_resource. What it sets, and what was there before, its state does not tell; the read
/// that follows tells the first.
fn moved_hub(source: &MoveSource) -> Option<WorkspaceId> {
    let text = |name: &str| source.state.get(name).and_then(serde_json::Value::as_str);
    let (resource_type, _) = text("type")?.split_once('@')?;
    let is_azapi = source.provider_address.to_lowercase().ends_with("/azure/azapi");
    let is_hub = resource_type.eq_ignore_ascii_case(WorkspaceId::RESOURCE_TYPE);
    if !is_azapi || source.type_name != "azapi_update_resource" || !is_hub {
        return None;
    }
    text("resource_id").or_else(|| text("id")).and_then(|id| WorkspaceId::parse(id).ok())
}

/// Takes what was seen into the state. Spellings that mean the same stay.
fn observe(state: &mut State, look: &HubAndAccount) {
    fill(state, look);
    note(state, &settings_of(look));
}

/// Fills in what only Azure knows of the hub.
fn fill(state: &mut State, look: &HubAndAccount) {
    state.id = state.hub().map(|hub| hub.as_str().to_owned()).into();
    if account_of(state).as_ref() != Some(&look.account_id) {
        state.storage_account_id = look.account_id.as_str().to_owned().into();
    }
    state.hub_principal_id = look.hub.system_principal_id().map(str::to_owned).into();
    let assigned = look.hub.user_assigned_principal_ids().map(|id| id.to_owned().into());
    state.hub_user_assigned_principal_ids = Attr::Known(assigned.collect());
    if state.original.is_null() {
        state.original = Pair::default().into();
    }
}

/// Takes the two properties into the state.
fn note(state: &mut State, now: &Settings) {
    if let Some(mode) = &now.mode
        && state.settings().mode.as_ref() != Some(mode)
    {
        state.system_datastores_auth_mode = mode.as_str().to_owned().into();
    }
    match now.keys {
        Some(keys) => state.shared_access_key_enabled = keys.into(),
        None if state.shared_access_key_enabled.is_unknown() => state.shared_access_key_enabled = Attr::Null,
        None => {}
    }
}

fn account_of(state: &State) -> Option<StorageAccountId> {
    StorageAccountId::parse(state.storage_account_id.text()?).ok()
}

/// The two properties as they were read.
fn settings_of(look: &HubAndAccount) -> Settings {
    Settings { mode: Some(look.hub.properties.system_datastores_auth_mode.clone()), keys: look.account.keys() }
}

/// Whether another hub has the name now: a hub's system-assigned identity stays the same as long as the hub is there.
fn made_anew(state: &State, look: &HubAndAccount) -> bool {
    let known = state.hub_principal_id.text().zip(look.hub.system_principal_id());
    known.is_some_and(|(known, now)| !known.eq_ignore_ascii_case(now))
}

/// A hub has one object.
fn hub_key(hub: &WorkspaceId) -> Key {
    Key::new(hub.arm().key())
}

/// The keys of an account may be set by the objects of several hubs.
fn account_key(account: &StorageAccountId) -> Key {
    Key::new(account.arm().key()).shared()
}

/// Notes what of hub and account this run wants as it is now.
fn wrote(walk: &Walk, hub: &WorkspaceId, account: Option<&StorageAccountId>, target: &Settings) {
    walk.wrote(&hub_key(hub));
    if let (Some(account), Some(_)) = (account, target.keys) {
        walk.wrote(&account_key(account));
    }
}

fn kept(state: Option<State>, private: Private, error: Diagnostic) -> Outcome<State> {
    Outcome { state, private, diagnostics: error.into() }
}
