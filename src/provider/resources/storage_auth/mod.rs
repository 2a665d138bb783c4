//! `foundryhub_storage_auth`: how a hub signs in to its storage account, and whether that account accepts shared keys.
//!
//! The two properties belong to two Azure resources that this one does not own. `original` has the value of each before this
//! resource first changed it, and the private data ([`own_values`]) the values that it has set since, so that destroying
//! restores its own changes and nothing else.
//!
//! In the order of an object's life: [`plan`], [`apply`], [`restore`]. All three use [`HubAndAccount`] and [`change`].

mod apply;
mod change;
mod explain;
mod keys;
mod missing_hub;
mod observe;
mod own_values;
mod plan;
mod restore;
mod schema;
mod settings;

use crate::{
    arm::{Call, Read, WorkspaceId},
    framework::{
        Diagnostic, Diagnostics, Private,
        context::Context,
        resource::{
            CreateRequest, DeleteRequest, DestroyPlanRequest, ImportTarget, MoveSource, Outcome, PlanRequest, Planned,
            Resource, UpdateRequest, Upgrade,
        },
        schema::{IdentitySchema, Schema},
        walk::{Key, Overlap},
    },
    provider::{
        Session,
        hub::{self, Account, HubAndAccount, HubError, ReadError},
        report,
    },
};
use apply::{Before, Replaced};
use keys::{account_key, hub_key, note_written};
use observe::{is_recreated, observe};
use own_values::OwnValues;
use schema::{Identity, READING, State, WRITING};
use settings::SettingAttributes;

#[derive(Debug)]
pub(crate) struct StorageAuth;

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
        Some(Identity { hub_id: state.hub_id.known()?.clone().into() })
    }

    fn keys(&self, state: &State) -> Vec<Key> {
        let account = state.storage_account_id.known().filter(|_| state.restores().keys.is_some());
        state.hub_id.known().map(hub_key).into_iter().chain(account.map(account_key)).collect()
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
        let replaced = planned.hub_id.known().and_then(|hub| context.walk.take_handed_over::<Replaced>(&hub_key(hub)));
        let before = replaced.map_or(Before::Nothing, Before::Replaced);
        let call = Call::new(context.cancel, planned.timeout(|timeouts| &timeouts.create, WRITING));
        apply::apply(session, &context.walk, &call, before, &config, planned, Private::default()).await
    }

    async fn read(&self, context: Context<Session>, mut state: State, mut private: Private) -> Outcome<State> {
        let Some(session) = context.client.as_deref() else {
            return kept(Some(state), private, report::unconfigured());
        };
        let Some(hub) = state.hub_id.known().cloned() else {
            return kept(Some(state), private, report::still_unknown("The hub's id"));
        };
        let call = Call::new(context.cancel, state.timeout(|timeouts| &timeouts.read, READING));
        let known = state.storage_account_id.known().cloned();
        let mut diagnostics = Diagnostics::default();
        let current = match HubAndAccount::read(session, &hub, known.clone(), Read::Remembered, &call).await {
            Ok(current) => current,
            Err(ReadError::Hub(HubError::Missing(_), _)) => {
                return missing_hub::read(session, &call, &hub, state, private).await;
            }
            Err(ReadError::Hub(error, _)) => return kept(Some(state), private, error.error(&hub)),
            Err(ReadError::Account(error)) => return kept(Some(state), private, error),
        };
        if let Some(known) = known.filter(|known| *known != current.account_id) {
            diagnostics.push(explain::another_account(&hub, &known, &current.account_id));
            state.original = SettingAttributes::default().into();
            OwnValues::default().save(&mut private);
        } else if is_recreated(&state, &current) {
            diagnostics.extend(missing_hub::forget_original_mode(&mut state, &mut private, &hub));
        }
        match &current.account {
            Account::Found(_) => {}
            Account::Missing(_) => diagnostics.push(explain::account_missing(&current.account_id)),
            Account::NotReadable(error) => diagnostics.push(explain::account_not_readable(&current.account_id, error)),
        }
        observe(&mut state, &current);
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
            if let Some(hub) = planned.hub_id.known() {
                note_written(&context.walk, hub, prior.storage_account_id.known(), &target);
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
        let Some(hub) = prior.hub_id.known().cloned() else {
            return kept(Some(prior), private, report::still_unknown("The hub's id"));
        };
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
        // The engine reads the object next, from this same answer.
        match hub::read(session, &hub, Read::Remembered, &call).await {
            Ok(found) => match hub::refused_kind(&hub, &found) {
                Some(error) => failed(error),
                None => Outcome {
                    state: Some(State::unread(&hub)),
                    private: Private::default(),
                    diagnostics: Diagnostics::default(),
                },
            },
            Err(error) => failed(error.error(&hub)),
        }
    }

    fn move_state(&self, source: &MoveSource) -> Option<Outcome<State>> {
        let state = Some(State::unread(&moved_hub(source)?));
        Some(Outcome { state, private: Private::default(), diagnostics: Diagnostics::default() })
    }
}

/// The workspace of an azapi_update_resource. The read that follows fills in what it has set; nothing tells what was there
/// before.
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

fn kept(state: Option<State>, private: Private, error: Diagnostic) -> Outcome<State> {
    Outcome { state, private, diagnostics: error.into() }
}
