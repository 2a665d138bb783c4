//! The trait of resource types: a struct for the state, a schema and one method per step of an object's life.

use std::{collections::BTreeMap, future::Future};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value as Json;

use super::{
    Diagnostics, Path, Private, Type,
    context::Context,
    schema::{IdentitySchema, Schema},
    walk::{Key, Overlap, Succession},
};

/// A managed resource type.
///
/// The state struct serves as configuration, plan and state; its fields are [`super::Attr`] where they may be unset or
/// unknown. Methods return what exists together with what went wrong, never one instead of the other: an object that was
/// created must reach the state even when a later step failed.
pub trait Resource: Send + Sync + 'static {
    /// The client that configuring the provider creates.
    type Client: Send + Sync + 'static;
    /// The object as the schema describes it.
    type State: Clone + Serialize + DeserializeOwned + Send + Sync + 'static;
    /// What tells the object apart, as the identity schema describes it.
    type Identity: Serialize + DeserializeOwned + PartialEq + Send + 'static;

    /// The type's name in HCL.
    fn name(&self) -> &'static str;

    /// Its attributes and blocks.
    fn schema(&self) -> Schema;

    /// Its identity's attributes.
    fn identity_schema(&self) -> IdentitySchema;

    /// The identity of an object; `None` while a part of it is unknown.
    fn identity(&self, state: &Self::State) -> Option<Self::Identity>;

    /// The keys of an object: what it manages in the service, as far as that is known. Objects of one walk are compared by
    /// their keys, never by identity or address.
    fn keys(&self, _state: &Self::State) -> Vec<Key> {
        Vec::new()
    }

    /// Diagnostics for the plan of `state` about other objects of the walk with the same keys.
    fn overlaps(&self, _state: &Self::State, _overlaps: &[Overlap]) -> Diagnostics {
        Diagnostics::default()
    }

    /// Whether a change may give an object another identity instead of replacing it.
    fn identity_may_change(&self) -> bool {
        false
    }

    /// Refuses configurations that the schema alone cannot. Nothing is sent; values may be unknown.
    fn validate(&self, _config: &Self::State) -> Diagnostics {
        Diagnostics::default()
    }

    /// Completes a plan of creation or change that the schema has prepared.
    fn plan(
        &self,
        context: Context<Self::Client>,
        request: PlanRequest<Self::State>,
    ) -> impl Future<Output = Planned<Self::State>> + Send;

    /// Warns before the object is destroyed.
    fn plan_destroy(
        &self,
        _context: Context<Self::Client>,
        _request: DestroyPlanRequest<'_, Self::State>,
    ) -> impl Future<Output = Diagnostics> + Send {
        async { Diagnostics::default() }
    }

    /// Creates the object. `state: None` when nothing exists.
    fn create(
        &self,
        context: Context<Self::Client>,
        request: CreateRequest<Self::State>,
    ) -> impl Future<Output = Outcome<Self::State>> + Send;

    /// Reads the object. `state: None` without an error when it does not exist any more.
    fn read(
        &self,
        context: Context<Self::Client>,
        state: Self::State,
        private: Private,
    ) -> impl Future<Output = Outcome<Self::State>> + Send;

    /// Changes the object. `state` is what it is now, also when only a part of the change was made. Nothing differs where the
    /// user has only replaced null by an empty string, or the other way round.
    fn update(
        &self,
        context: Context<Self::Client>,
        request: UpdateRequest<Self::State>,
    ) -> impl Future<Output = Outcome<Self::State>> + Send;

    /// Deletes the object. `state: None` without an error when it does not exist any more.
    fn delete(
        &self,
        context: Context<Self::Client>,
        request: DeleteRequest<Self::State>,
    ) -> impl Future<Output = Outcome<Self::State>> + Send;

    /// Finds an object that the user wants to manage. The engine reads it next, so that a partial state is enough.
    fn import(
        &self,
        context: Context<Self::Client>,
        target: ImportTarget<Self::Identity>,
    ) -> impl Future<Output = Outcome<Self::State>> + Send;

    /// The type of the state that an older schema version stored, and its upgrade. `None` for a version that never was.
    fn upgrade(&self, _version: i64) -> Option<Upgrade> {
        None
    }

    /// Nulls the attributes that a configuration of the object would not have, where engines generate one. The framework
    /// itself leaves out computed attributes and defaults.
    fn configuration(&self, state: Self::State) -> Self::State {
        state
    }

    /// Moves the state of another type here (`moved` block). `None` when that type cannot be moved here. It runs unconfigured.
    fn move_state(&self, _source: &MoveSource) -> Option<Outcome<Self::State>> {
        None
    }
}

/// The upgrade of states of an older schema version: their type, and the change of the values.
pub type Upgrade = (Type, fn(super::Value) -> super::Value);

/// A plan to complete.
#[derive(Debug)]
pub struct PlanRequest<S> {
    /// The object as it is; `None` at creation.
    pub prior: Option<S>,
    /// The configuration, which may hold unknowns.
    pub config: S,
    /// What the schema has prepared.
    pub planned: S,
    /// Whether the schema has the object replaced for what changes.
    pub replaces: bool,
    /// What the resource keeps for itself.
    pub private: Private,
    /// The keys of the object that this creation replaces; none where it replaces none.
    pub replaced: Vec<Key>,
}

/// A deletion to plan.
#[derive(Debug)]
pub struct DestroyPlanRequest<'r, S> {
    /// The object as it is.
    pub prior: S,
    /// The subjects that the deletion leaves in place for others.
    pub kept: &'r [String],
    /// What the resource keeps for itself.
    pub private: &'r Private,
}

/// A completed plan.
#[derive(Debug)]
pub struct Planned<S> {
    /// What the object will be.
    pub state: S,
    /// Its keys; `None` while they are not known. May contain values that `state` leaves unknown.
    pub keys: Option<Vec<Key>>,
    /// What the resource keeps for the apply.
    pub private: Private,
    /// Attributes whose change replaces the object, beside those that the schema names.
    pub requires_replace: Vec<Path>,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

/// A creation.
#[derive(Debug)]
pub struct CreateRequest<S> {
    /// The configuration.
    pub config: S,
    /// What was planned.
    pub planned: S,
    /// What the plan kept.
    pub private: Private,
}

/// A change.
#[derive(Debug)]
pub struct UpdateRequest<S> {
    /// The object as it is.
    pub prior: S,
    /// The configuration.
    pub config: S,
    /// What was planned.
    pub planned: S,
    /// What the plan kept.
    pub private: Private,
    /// What becomes of what the object releases.
    pub succession: Succession,
}

/// A deletion.
#[derive(Debug)]
pub struct DeleteRequest<S> {
    /// The object as it is.
    pub prior: S,
    /// What the resource kept.
    pub private: Private,
    /// What becomes of what the object wrote.
    pub succession: Succession,
}

/// The result of an operation.
#[derive(Debug)]
pub struct Outcome<S> {
    /// The object as it is now; `None` when there is none.
    pub state: Option<S>,
    /// What the resource keeps for itself.
    pub private: Private,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

impl<S> Outcome<S> {
    /// An object without anything to say about it.
    pub fn of(state: S, private: Private) -> Self {
        Self { state: Some(state), private, diagnostics: Diagnostics::default() }
    }

    /// No object.
    pub fn none(diagnostics: impl Into<Diagnostics>) -> Self {
        Self { state: None, private: Private::default(), diagnostics: diagnostics.into() }
    }

    /// An object that stays, and what there is to say about it.
    pub fn kept(state: S, private: Private, diagnostics: impl Into<Diagnostics>) -> Self {
        Self { state: Some(state), private, diagnostics: diagnostics.into() }
    }
}

/// The object that an import names.
#[derive(Debug)]
pub enum ImportTarget<I> {
    /// A text, as in `terraform import ADDRESS ID`.
    Id(String),
    /// An identity, as in `import { identity = { … } }`.
    Identity(I),
}

impl ImportTarget<super::Value> {
    /// What an engine sends: an identity, or null and then an id.
    pub fn new(id: String, identity: super::Value) -> Self {
        if identity.is_null() { Self::Id(id) } else { Self::Identity(identity) }
    }
}

/// An object of another provider or type.
#[derive(Debug)]
pub struct MoveSource {
    /// As in `registry.terraform.io/azure/azapi`.
    pub provider_address: String,
    /// The type's name.
    pub type_name: String,
    /// The version of the schema that stored it.
    pub schema_version: i64,
    /// The stored object.
    pub state: BTreeMap<String, Json>,
}
