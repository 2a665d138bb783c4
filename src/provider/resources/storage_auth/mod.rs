//! `foundryhub_storage_auth`: how a hub signs in to its storage account, and whether that account takes shared keys.
//!
//! The two properties belong to two Azure resources that this one does not own. It remembers in `original` what each was
//! before it first wrote it, and in its private data ([`record`]) which values are its own doing, so that destroying puts
//! back its own changes and nothing else.
//!
//! In the order of an object's life: [`plan`], [`apply`], [`restore`]. All three stand on [`look`] and [`change`].

mod apply;
mod change;
mod explain;
mod look;
mod plan;
mod record;
mod restore;
mod schema;

use std::time::Duration;

use crate::{
    arm::{Call, Read, StorageAccountId, WorkspaceId},
    framework::{
        Attr, Diagnostic, Diagnostics, Private,
        resource::{
            Context, CreateRequest, DeleteRequest, ImportTarget, MoveSource, Outcome, PlanRequest, Planned, Resource,
            UpdateRequest, Upgrade,
        },
        schema::{IdentitySchema, Schema},
    },
    provider::{Session, report},
};
use apply::{Before, Bequest};
use look::{Account, Look, Unseen};
use record::Record;
use schema::{Identity, Pair, Settings, State};

/// How long operations may take where the configuration does not say.
const READING: Duration = Duration::from_secs(5 * 60);
const WRITING: Duration = Duration::from_secs(30 * 60);

/// Private, in the plan of a creation: the hub that it is about, for the removal that precedes it in a replacement.
const CREATES: &str = "creates";
/// Private: how many other objects of the state stood for the same hub at the last refresh. An engine that removes what a
/// replacement has left over tells no more of the object that took its place.
const OTHERS: &str = "others";

/// Private: another object for the same hub was planned to be removed, and knew nothing of this one, before this one was
/// read. That is the order of an engine that does one thing at a time, and it tells nobody when the removal comes: this one
/// has to be written again in the same apply.
const UNDONE: &str = "undone";

/// What a session's claims on hubs and accounts are about.
const MODE: &str = "systemDatastoresAuthMode";
const KEYS: &str = "allowSharedKeyAccess";

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

    fn validate(&self, config: &State) -> Diagnostics {
        schema::validate(config)
    }

    async fn plan(&self, context: Context<'_, Session>, request: PlanRequest<State>) -> Planned<State> {
        plan::plan(context, request).await
    }

    async fn plan_destroy(&self, context: Context<'_, Session>, prior: State, private: &mut Private) -> Diagnostics {
        plan::plan_destroy(context, &prior, private)
    }

    async fn create(&self, context: Context<'_, Session>, request: CreateRequest<State>) -> Outcome<State> {
        let CreateRequest { config, planned, .. } = request;
        let Some(session) = context.client else { return kept(None, Private::default(), report::unconfigured()) };
        let inherited = planned.hub().and_then(|hub| session.inherit::<Bequest>(hub.arm()));
        let before = inherited.map_or(Before::Nothing, Before::Inherited);
        let call = Call::new(context.cancel, planned.timeout(|timeouts| &timeouts.create, WRITING));
        apply::apply(session, &call, before, &config, planned, Private::default()).await
    }

    async fn read(&self, context: Context<'_, Session>, mut state: State, mut private: Private) -> Outcome<State> {
        let Some(session) = context.client else { return kept(Some(state), private, report::unconfigured()) };
        let Some(hub) = state.hub() else { return kept(Some(state), private, report::unsettled("the hub's id")) };
        session.note_object(hub.arm(), |all| all.seen += 1);
        let call = Call::new(context.cancel, state.timeout(|timeouts| &timeouts.read, READING));
        let known = account_of(&state);
        match Look::at(session, &hub, known.clone(), Read::Remembered, &call).await {
            Ok(look) => {
                let mut diagnostics = Diagnostics::default();
                if let Some(known) = known.filter(|known| *known != look.account_id) {
                    diagnostics.push(explain::another_account(&hub, &known, &look.account_id));
                    state.original = Pair::default().into();
                    Record::default().save(&mut private);
                }
                match &look.account {
                    Account::Seen(_) => {}
                    Account::Gone(_) => diagnostics.push(explain::account_gone(&look.account_id)),
                    Account::Hidden(error) => diagnostics.push(explain::account_hidden(&look.account_id, error)),
                }
                observe(&mut state, &look);
                // By now the engine has begun to read the others, too.
                note_others(session, &hub, &mut private);
                Outcome { state: Some(state), private, diagnostics }
            }
            Err(Unseen::NoHub(_)) => Outcome { state: None, private, diagnostics: Diagnostics::default() },
            Err(Unseen::Failed(error)) => kept(Some(state), private, error),
        }
    }

    async fn update(&self, context: Context<'_, Session>, request: UpdateRequest<State>) -> Outcome<State> {
        let UpdateRequest { prior, config, planned, private } = request;
        let Some(session) = context.client else { return kept(Some(prior), private, report::unconfigured()) };
        let call = Call::new(context.cancel, planned.timeout(|timeouts| &timeouts.update, WRITING));
        let target = apply::wanted(&config, &planned);
        if target.is_met_by(&prior.settings()) && !planned.original.is_unknown() {
            if let Some(hub) = planned.hub() {
                claim(session, &hub, account_of(&prior).as_ref(), &target);
            }
            return Outcome { state: Some(planned), private, diagnostics: Diagnostics::default() };
        }
        apply::apply(session, &call, Before::Updated(prior), &config, planned, private).await
    }

    async fn delete(&self, context: Context<'_, Session>, request: DeleteRequest<State>) -> Outcome<State> {
        let DeleteRequest { prior, private, replacing } = request;
        let Some(session) = context.client else { return kept(Some(prior), private, report::unconfigured()) };
        let Some(hub) = prior.hub() else { return kept(Some(prior), private, report::unsettled("the hub's id")) };
        session.arm.stop_remembering();
        let call = Call::new(context.cancel, prior.timeout(|timeouts| &timeouts.delete, WRITING));
        restore::destroy(session, &call, &hub, prior, private, replacing).await
    }

    async fn import(&self, context: Context<'_, Session>, target: ImportTarget<Identity>) -> Outcome<State> {
        let failed = |error| kept(None, Private::default(), error);
        let Some(session) = context.client else { return failed(report::unconfigured()) };
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
        match session.arm.workspaces().get(&hub, Read::Remembered, &call).await {
            Ok(found) => match explain::refused_kind(&hub, &found) {
                Some(error) => failed(error),
                None => Outcome {
                    state: Some(State::named(&hub)),
                    private: Private::default(),
                    diagnostics: Diagnostics::default(),
                },
            },
            Err(error) if error.is_not_found() => failed(explain::no_hub(&hub, &error)),
            Err(error) => failed(explain::hub_not_read(&hub, &error)),
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
fn observe(state: &mut State, look: &Look) {
    fill(state, look);
    note(state, &look.settings());
}

/// Fills in what only Azure knows of the hub.
fn fill(state: &mut State, look: &Look) {
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

/// Keeps in mind that other objects stand for the same hub.
fn note_others(session: &Session, hub: &WorkspaceId, private: &mut Private) {
    let all = session.note_object(hub.arm(), |_| {});
    match all.seen {
        0 | 1 => private.remove(OTHERS),
        seen => private.set(OTHERS, &(seen - 1)),
    }
    match all.undo_each_other() {
        true => private.set(UNDONE, &true),
        false => private.remove(UNDONE),
    }
}

/// Notes what of hub and account this run has made its own.
fn claim(session: &Session, hub: &WorkspaceId, account: Option<&StorageAccountId>, target: &Settings) {
    session.claim(hub.arm(), MODE);
    if let (Some(account), Some(_)) = (account, target.keys) {
        session.claim(account.arm(), KEYS);
    }
}

fn kept(state: Option<State>, private: Private, error: Diagnostic) -> Outcome<State> {
    Outcome { state, private, diagnostics: error.into() }
}
