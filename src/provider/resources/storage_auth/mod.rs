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
mod keys;
mod observe;
mod plan;
mod record;
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
        hub::{self, Account, HubAndAccount, Unread, Unseen},
        report,
    },
};
use apply::{Before, Replaced};
use keys::{account_key, hub_key, wrote};
use observe::{is_another_hub, observe};
use record::Record;
use schema::{Identity, READING, State, WRITING};
use settings::SettingAttributes;

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
        let replaced = planned.hub_id.known().and_then(|hub| context.walk.take_over::<Replaced>(&hub_key(hub)));
        let before = replaced.map_or(Before::Nothing, Before::Replaced);
        let call = Call::new(context.cancel, planned.timeout(|timeouts| &timeouts.create, WRITING));
        apply::apply(session, &context.walk, &call, before, &config, planned, Private::default()).await
    }

    async fn read(&self, context: Context<Session>, mut state: State, mut private: Private) -> Outcome<State> {
        let Some(session) = context.client.as_deref() else {
            return kept(Some(state), private, report::unconfigured());
        };
        let Some(hub) = state.hub_id.known().cloned() else {
            return kept(Some(state), private, report::unsettled("the hub's id"));
        };
        let call = Call::new(context.cancel, state.timeout(|timeouts| &timeouts.read, READING));
        let known = state.storage_account_id.known().cloned();
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
            state.original = SettingAttributes::default().into();
            Record::default().save(&mut private);
        } else if is_another_hub(&state, &look) {
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
            if let Some(hub) = planned.hub_id.known() {
                wrote(&context.walk, hub, prior.storage_account_id.known(), &target);
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
            return kept(Some(prior), private, report::unsettled("the hub's id"));
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

fn kept(state: Option<State>, private: Private, error: Diagnostic) -> Outcome<State> {
    Outcome { state, private, diagnostics: error.into() }
}
