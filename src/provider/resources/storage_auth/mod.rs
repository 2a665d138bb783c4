//! `foundryhub_storage_auth`: how a hub signs in to its storage account, and whether that account accepts shared keys.
//!
//! The two properties belong to two Azure resources that this one does not own. `original` has the value of each before this
//! resource first changed it, and the private data ([`own_values`]) the values that it has set since, so that destroying
//! restores its own changes and nothing else.
//!
//! In the order of an object's life: [`validate`], [`plan`], [`apply`], [`read`], [`delete`], [`import`].
//! Creating, updating and deleting go through [`change`].

mod apply;
mod change;
mod delete;
mod explain;
mod import;
mod listed;
mod missing_hub;
mod own_values;
mod plan;
mod read;
mod schema;
mod set_state;
mod validate;

use crate::{
    arm::{Call, workspaces::AuthMode},
    framework::{
        Attr, Diagnostics, Path, Private,
        any_resource::unreadable_state,
        context::Context,
        resource::{
            CreateRequest, DeleteRequest, DestroyPlanRequest, ImportTarget, MoveSource, Outcome, PlanRequest, Planned,
            Resource, UpdateRequest, Upgrade,
        },
        schema::{IdentitySchema, Schema},
        walk::{Key, Overlap},
    },
    provider::{
        Session, report,
        walk_keys::{account_key, hub_key, note_written},
    },
};
use apply::{Before, Replaced};
pub(crate) use listed::{listed, unread};
use schema::{Identity, READING, State, TYPE, WRITING};

#[derive(Debug)]
pub(crate) struct StorageAuth;

impl Resource for StorageAuth {
    type Client = Session;
    type State = State;
    type Identity = Identity;

    fn name(&self) -> &'static str {
        TYPE
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
        let account = state.storage_account_id.known().filter(|_| state.restores().shared_keys.is_some());
        state.hub_id.known().map(hub_key).into_iter().chain(account.map(account_key)).collect()
    }

    fn overlaps(&self, state: &State, overlaps: &[Overlap]) -> Diagnostics {
        explain::overlaps(state, overlaps)
    }

    fn validate(&self, config: &State) -> Diagnostics {
        validate::validate(config)
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
            return Outcome::none(report::unconfigured());
        };
        let replaced = planned.hub_id.known().and_then(|hub| context.walk.take_handed_over::<Replaced>(&hub_key(hub)));
        let before = replaced.map_or(Before::Nothing, Before::Replaced);
        let call = Call::new(context.cancel, planned.timeout(|timeouts| &timeouts.create, WRITING));
        apply::apply(session, &context.walk, &call, before, &config, planned, Private::default()).await
    }

    async fn read(&self, context: Context<Session>, state: State, private: Private) -> Outcome<State> {
        let Some(session) = context.client.as_deref() else {
            return Outcome::kept(state, private, report::unconfigured());
        };
        let Some(hub) = state.hub_id.known().cloned() else {
            return Outcome::kept(state, private, unreadable_state(Path::root("hub_id"), "it is missing"));
        };
        let call = Call::new(context.cancel, state.timeout(|timeouts| &timeouts.read, READING));
        read::read(session, &call, &hub, state, private).await
    }

    async fn update(&self, context: Context<Session>, request: UpdateRequest<State>) -> Outcome<State> {
        let UpdateRequest { prior, config, planned, private, .. } = request;
        let Some(session) = context.client.as_deref() else {
            return Outcome::kept(prior, private, report::unconfigured());
        };
        let call = Call::new(context.cancel, planned.timeout(|timeouts| &timeouts.update, WRITING));
        let target = apply::wanted(&config, &planned);
        if target.is_met_by(&prior.properties()) {
            if let Some(hub) = planned.hub_id.known() {
                note_written(&context.walk, hub, prior.storage_account_id.known(), &target);
            }
            return Outcome::of(planned, private);
        }
        apply::apply(session, &context.walk, &call, Before::Updated(prior), &config, planned, private).await
    }

    async fn delete(&self, context: Context<Session>, request: DeleteRequest<State>) -> Outcome<State> {
        let DeleteRequest { prior, private, succession } = request;
        let Some(session) = context.client.as_deref() else {
            return Outcome::kept(prior, private, report::unconfigured());
        };
        let Some(hub) = prior.hub_id.known().cloned() else {
            return Outcome::kept(prior, private, unreadable_state(Path::root("hub_id"), "it is missing"));
        };
        let call = Call::new(context.cancel, prior.timeout(|timeouts| &timeouts.delete, WRITING));
        delete::delete(session, &call, &hub, prior, private, &succession).await
    }

    async fn import(&self, context: Context<Session>, target: ImportTarget<Identity>) -> Outcome<State> {
        let Some(session) = context.client.as_deref() else {
            return Outcome::none(report::unconfigured());
        };
        match import::import(session, &Call::new(context.cancel, READING), target).await {
            Ok(state) => Outcome::of(state, Private::default()),
            Err(error) => Outcome::none(error),
        }
    }

    /// Whether the account accepts keys has only been observed, and is not to be enforced by itself.
    fn configuration(&self, state: State) -> State {
        let mode = state.system_datastores_auth_mode.known().map(AuthMode::documented).into();
        State { shared_access_key_enabled: Attr::Null, system_datastores_auth_mode: mode, ..state }
    }

    fn move_state(&self, source: &MoveSource) -> Option<Outcome<State>> {
        import::move_state(source).map(|state| Outcome::of(state, Private::default()))
    }
}
