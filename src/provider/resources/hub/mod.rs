//! `foundryhub_hub`: a hub with all that its owner decides about it, and whether its storage account accepts shared keys.
//!
//! The hub belongs to this resource, the account does not: whether it accepts keys is set where the configuration says so, and
//! never changed back by a deletion.
//!
//! In the order of an object's life: [`validate`], [`plan`] (with [`one_way`]), [`apply`], [`read`], [`delete`], [`import`].
//! [`schema`] is the hub in HCL, [`members`] the hub in requests, and [`set_state`] leads from answers to HCL.

mod account;
mod apply;
mod configuration;
mod delete;
mod explain;
mod import;
mod members;
mod one_way;
mod plan;
mod read;
mod schema;
mod set_state;
mod validate;
mod words;

use crate::{
    arm::Call,
    framework::{
        Diagnostics, Path, Private,
        any_resource::unreadable_state,
        context::Context,
        resource::{
            CreateRequest, DeleteRequest, DestroyPlanRequest, ImportTarget, MoveSource, Outcome, PlanRequest, Planned,
            Resource, UpdateRequest,
        },
        schema::{IdentitySchema, Schema},
        walk::{Key, Overlap},
    },
    provider::{Session, report, walk_keys::hub_key},
};
use account::Apply;
use schema::{Identity, READING, TYPE, WRITING};

pub(crate) use schema::{
    Encryption, ManagedIdentity, ManagedNetwork, NetworkAcls, ServerlessCompute, State, WorkspaceHubConfig,
};
pub(crate) use words::{Location, PublicNetworkAccess};

#[derive(Debug)]
pub(crate) struct Hub;

impl Resource for Hub {
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

    fn identity(&self, state: &State) -> Option<Identity> {
        Some(Identity { id: state.id.known()?.clone().into() })
    }

    fn keys(&self, state: &State) -> Vec<Key> {
        state.id.known().map(hub_key).into_iter().collect()
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
        let CreateRequest { config, planned, private } = request;
        let Some(session) = context.client.as_deref() else {
            return Outcome::none(report::unconfigured());
        };
        let call = Call::new(context.cancel, planned.timeout(|timeouts| &timeouts.create, WRITING));
        let apply = Apply { session, walk: &context.walk, call: &call };
        apply::create(apply, &config, planned, private).await
    }

    async fn read(&self, context: Context<Session>, state: State, private: Private) -> Outcome<State> {
        let Some(session) = context.client.as_deref() else {
            return Outcome::kept(state, private, report::unconfigured());
        };
        let Some(id) = state.id.known().cloned() else {
            return Outcome::kept(state, private, unreadable_state(Path::root("id"), "it is missing"));
        };
        let call = Call::new(context.cancel, state.timeout(|timeouts| &timeouts.read, READING));
        read::read(session, &context.walk, &call, &id, state, private).await
    }

    async fn update(&self, context: Context<Session>, request: UpdateRequest<State>) -> Outcome<State> {
        let UpdateRequest { prior, config, planned, private, .. } = request;
        let Some(session) = context.client.as_deref() else {
            return Outcome::kept(prior, private, report::unconfigured());
        };
        let call = Call::new(context.cancel, planned.timeout(|timeouts| &timeouts.update, WRITING));
        let apply = Apply { session, walk: &context.walk, call: &call };
        apply::update(apply, prior, &config, planned, private).await
    }

    async fn delete(&self, context: Context<Session>, request: DeleteRequest<State>) -> Outcome<State> {
        let DeleteRequest { prior, private, succession } = request;
        let Some(session) = context.client.as_deref() else {
            return Outcome::kept(prior, private, report::unconfigured());
        };
        let Some(id) = prior.id.known().cloned() else {
            return Outcome::kept(prior, private, unreadable_state(Path::root("id"), "it is missing"));
        };
        let call = Call::new(context.cancel, prior.timeout(|timeouts| &timeouts.delete, WRITING));
        delete::delete(session, &call, &id, prior, private, &succession).await
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

    fn configuration(&self, state: State) -> State {
        configuration::of(state)
    }

    fn move_state(&self, source: &MoveSource) -> Option<Outcome<State>> {
        import::move_state(source).map(|(state, private)| Outcome::of(state, private))
    }
}
