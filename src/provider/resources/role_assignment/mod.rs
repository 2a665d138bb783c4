//! `foundryhub_role_assignment`: the roles that one principal needs on a hub's storage account.
//!
//! One object manages one or two role assignments in Azure, all of one principal at one scope. Which ones are wanted
//! follows from the configuration ([`choice`], [`scope`]); which ones exist is in the state's `role_assignments`.
//!
//! In the order of an object's life: [`validate`], [`plan`], [`apply`], [`read`], [`delete`], [`import`].
//! Creating, updating and deleting go through [`change`], which creates what is missing before it deletes what is no longer
//! wanted, so that nobody loses access in between.

mod apply;
mod assignment;
mod change;
mod choice;
mod configuration;
mod delete;
mod explain;
mod identity;
mod import;
mod listed;
mod marks;
mod plan;
mod platform;
mod read;
mod role_lookup;
mod schema;
mod scope;
mod unresolved;
mod validate;
mod write_times;

use crate::{
    arm::Call,
    framework::{
        Diagnostics, Private,
        context::Context,
        resource::{
            CreateRequest, DeleteRequest, ImportTarget, MoveSource, Outcome, PlanRequest, Planned, Resource,
            UpdateRequest,
        },
        schema::{IdentitySchema, Schema},
        walk::{Key, Overlap},
    },
    provider::{Session, report},
};
use apply::apply;
pub(crate) use listed::{Group, Pairs};
use marks::PLATFORM_UNCHECKED;
use plan::Plan;
pub(crate) use platform::PlatformAssignments;
use schema::{Identity, READING, State, WRITING};

#[derive(Debug)]
pub(crate) struct RoleAssignment;

impl Resource for RoleAssignment {
    type Client = Session;
    type State = State;
    type Identity = Identity;

    fn name(&self) -> &'static str {
        "foundryhub_role_assignment"
    }

    fn schema(&self) -> Schema {
        schema::schema()
    }

    fn identity_schema(&self) -> IdentitySchema {
        schema::identity_schema()
    }

    fn identity(&self, state: &State) -> Option<Identity> {
        state.identity()
    }

    /// Roles and target change in place, and both are part of the identity.
    fn identity_may_change(&self) -> bool {
        true
    }

    fn keys(&self, state: &State) -> Vec<Key> {
        let principal = state.principal_id.text().unwrap_or_default();
        assignment::of_state(state).iter().map(|entry| entry.key(principal)).collect()
    }

    fn overlaps(&self, state: &State, overlaps: &[Overlap]) -> Diagnostics {
        explain::overlaps(state, overlaps)
    }

    fn validate(&self, config: &State) -> Diagnostics {
        validate::validate(config)
    }

    async fn plan(&self, context: Context<Session>, request: PlanRequest<State>) -> Planned<State> {
        let PlanRequest { prior, config, planned, private, replaced, .. } = request;
        let call = Call::new(context.cancel, planned.timeout(|timeouts| &timeouts.read, READING));
        let (diagnostics, keys) = (Diagnostics::default(), None);
        let (session, walk) = (context.client.as_deref(), context.walk);
        let mut plan = Plan { session, walk, call, prior, config, planned, private, replaced, diagnostics, keys };
        if let Err(failed) = plan.complete().await {
            plan.diagnostics.push(failed);
        }
        let Plan { planned: state, private, diagnostics, keys, .. } = plan;
        Planned { state, keys, private, requires_replace: Vec::new(), diagnostics }
    }

    async fn create(&self, context: Context<Session>, request: CreateRequest<State>) -> Outcome<State> {
        let CreateRequest { config, planned, private } = request;
        apply(context, |timeouts| &timeouts.create, None, &config, planned, private, None).await
    }

    async fn read(&self, context: Context<Session>, state: State, private: Private) -> Outcome<State> {
        let Some(session) = context.client.as_deref() else {
            return Outcome::kept(state, private, report::unconfigured());
        };
        let call = Call::new(context.cancel, state.timeout(|timeouts| &timeouts.read, READING));
        read::read(session, &call, state, private).await
    }

    async fn update(&self, context: Context<Session>, request: UpdateRequest<State>) -> Outcome<State> {
        let UpdateRequest { prior, config, planned, private, succession } = request;
        apply(context, |timeouts| &timeouts.update, Some(prior), &config, planned, private, Some(succession)).await
    }

    async fn delete(&self, context: Context<Session>, request: DeleteRequest<State>) -> Outcome<State> {
        let DeleteRequest { prior, private, succession } = request;
        let Some(session) = context.client.as_deref() else {
            return Outcome::kept(prior, private, report::unconfigured());
        };
        let call = Call::new(context.cancel, prior.timeout(|timeouts| &timeouts.delete, WRITING));
        delete::delete(session, &context.walk, &call, prior, private, &succession).await
    }

    async fn import(&self, context: Context<Session>, target: ImportTarget<Identity>) -> Outcome<State> {
        let Some(session) = context.client.as_deref() else {
            return Outcome::none(report::unconfigured());
        };
        let call = Call::new(context.cancel, READING);
        match import::import(session, &call, target).await {
            Ok(state) => from_elsewhere(state),
            Err(error) => Outcome::none(error),
        }
    }

    fn configuration(&self, state: State) -> State {
        configuration::of(state)
    }

    fn move_state(&self, source: &MoveSource) -> Option<Outcome<State>> {
        import::move_state(source).map(from_elsewhere)
    }
}

/// An object that was imported or moved here. The read that follows checks which assignments are the platform's.
fn from_elsewhere(state: State) -> Outcome<State> {
    let mut private = Private::default();
    private.set(PLATFORM_UNCHECKED, &true);
    Outcome::of(state, private)
}
