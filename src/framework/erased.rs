//! Types as the server holds them, with values in place of structs: what all kinds share, and resources.

use std::{future::Future, pin::Pin};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    Diagnostic, Diagnostics, Path, Private, Severity, Type, Value,
    context::Context,
    json, plan,
    resource::{
        CreateRequest, DeleteRequest, DestroyPlanRequest, ImportTarget, MoveSource, Outcome, PlanRequest, Planned,
        Resource, UpdateRequest,
    },
    schema::{IdentitySchema, Schema},
    state::{Mismatch, from_value, to_value},
    walk::{Key, Overlap, Relation, Succession},
};

/// A future that a trait object can return.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The keys of a planned creation. A deletion that is applied with them is the first half of a replacement: engines plan the
/// creation and give its private data to both halves (with `create_before_destroy` they plan the deletion by itself).
const CREATES: &str = ".creates";

/// The prior keys of a planned change. A creation that is planned with them is the second plan of a replacement: engines give
/// it the private data of the first.
const REPLACES: &str = ".replaces";

/// The subjects that the object releases and leaves in place for others.
const KEEPS: &str = ".keeps";

/// The subjects that had other objects in the state, too, when the object was last read.
const SEEN_WITH_OTHERS: &str = ".seen_with_others";

/// The walk that planned a deletion.
const PLANNED_BY: &str = ".planned_by";

/// An [`Outcome`] by value. `state` and `identity` are null where there is no object.
#[derive(Debug)]
pub struct ErasedOutcome {
    /// The object.
    pub state: Value,
    /// Its identity.
    pub identity: Value,
    /// Its private data.
    pub private: Vec<u8>,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

/// A plan, by value.
#[derive(Debug)]
pub struct PlannedChange {
    /// The planned object; null for a deletion.
    pub state: Value,
    /// Its identity; null while it is not known.
    pub identity: Value,
    /// The private data for the apply.
    pub private: Vec<u8>,
    /// Attributes whose change replaces the object.
    pub requires_replace: Vec<Path>,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

/// The values of a plan.
#[derive(Debug)]
pub struct Change {
    /// The object as it is; null for a creation.
    pub prior: Value,
    /// The configuration; null for a deletion.
    pub config: Value,
    /// When planning, what the engine proposes; when applying, what was planned. Null for a deletion.
    pub target: Value,
    /// The private bytes of the object or of its plan.
    pub private: Vec<u8>,
}

/// What every type has that users write configurations for: resources, data sources, list resources and actions.
pub trait Described: Send + Sync {
    /// The type's name in HCL.
    fn name(&self) -> &'static str;
    /// Its attributes and blocks.
    fn schema(&self) -> &Schema;
    /// The type of its configuration, and of its state where it has one.
    fn ty(&self) -> &Type;
    /// Checks a configuration.
    fn validate(&self, config: Value) -> Diagnostics;
}

/// A [`Resource`] without its types.
pub trait AnyResource<C>: Described {
    /// Its identity's attributes.
    fn identity_schema(&self) -> &IdentitySchema;
    /// Whether a change may give an object another identity.
    fn identity_may_change(&self) -> bool;
    /// The keys of an object of the state.
    fn keys(&self, state: &Value) -> Vec<Key>;
    /// Brings a stored state to today's schema.
    fn upgrade(&self, version: i64, json: &[u8]) -> (Value, Diagnostics);
    /// Plans a creation, change or deletion.
    fn plan(&self, context: Context<C>, change: Change) -> Answer<'_, PlannedChange>;
    /// Creates, changes or deletes the object.
    fn apply(&self, context: Context<C>, change: Change) -> Answer<'_, ErasedOutcome>;
    /// Reads the object.
    fn read(&self, context: Context<C>, state: Value, private: Vec<u8>) -> Answer<'_, ErasedOutcome>;
    /// Finds an object to manage.
    fn import(&self, context: Context<C>, target: ImportTarget<Value>) -> Answer<'_, ErasedOutcome>;
    /// The configuration of an object.
    fn configuration(&self, state: Value) -> (Value, Diagnostics);
    /// Moves the state of another type here.
    fn move_state(&self, source: &MoveSource) -> ErasedOutcome;
}

/// An author's type, with its schema.
#[derive(Debug)]
pub struct Erased<T> {
    pub(super) author: T,
    name: &'static str,
    schema: Schema,
    ty: Type,
    /// That of a resource.
    identity_schema: IdentitySchema,
    validate: fn(&T, Value) -> Diagnostics,
}

impl<T> Erased<T> {
    /// Wraps an author's type, whose own validation is `validate`.
    pub(super) fn new(name: &'static str, schema: Schema, validate: fn(&T, Value) -> Diagnostics, author: T) -> Self {
        let identity_schema = IdentitySchema::default();
        Self { author, name, ty: schema.block.ty(), schema, identity_schema, validate }
    }
}

/// What an author's own validation says of a configuration.
pub(super) fn validated<S: DeserializeOwned>(config: Value, validate: impl FnOnce(&S) -> Diagnostics) -> Diagnostics {
    read_struct(config).map_or_else(Diagnostics::from, |config| validate(&config))
}

impl<T: Send + Sync> Described for Erased<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn ty(&self) -> &Type {
        &self.ty
    }

    fn validate(&self, config: Value) -> Diagnostics {
        let mut diagnostics = plan::check(&self.schema.block, &config);
        let judged = plan::without_refused(&self.schema.block, config);
        diagnostics.extend((self.validate)(&self.author, judged));
        diagnostics
    }
}

impl<R: Resource> Erased<R> {
    /// Wraps a resource.
    pub fn resource(resource: R) -> Self {
        let (name, schema, identity_schema) = (resource.name(), resource.schema(), resource.identity_schema());
        let validate = |resource: &R, config| validated(config, |config| resource.validate(config));
        let erased = Self::new(name, schema, validate, resource);
        Self { identity_schema, ..erased }
    }

    /// An outcome by value. An object that cannot be made a value is `known` instead, so that it is not lost.
    pub(super) fn erase(&self, outcome: Outcome<R::State>, known: &Value) -> ErasedOutcome {
        let Outcome { state, private, mut diagnostics } = outcome;
        let identity = state.as_ref().and_then(|state| self.author.identity(state));
        let mut value = |result: Option<Result<Value, Mismatch>>, known: &Value| match result {
            Some(Ok(value)) => value,
            Some(Err(mismatch)) => {
                diagnostics.push(mistake(&mismatch));
                known.clone()
            }
            None => Value::Null,
        };
        let state = value(state.as_ref().map(to_value), known);
        let identity = value(identity.as_ref().map(to_value), &Value::Null);
        ErasedOutcome { state, identity, private: private.encode(), diagnostics }
    }

    /// An object that was imported or moved here, with the default of each setting.
    fn found(&self, outcome: Outcome<R::State>) -> ErasedOutcome {
        let found = self.erase(outcome, &Value::Null);
        ErasedOutcome { state: plan::with_settings(&self.schema.block, found.state), ..found }
    }
}

/// The summary where a value does not fit the provider's own structs.
pub const MISFIT: &str = "The provider cannot read its own values";

fn mistake(mismatch: &Mismatch) -> Diagnostic {
    Diagnostic::error(
        MISFIT,
        format!(
            "At {}: {}. This is a mistake of the foundryhub provider, not of the configuration; please report it with the \
             configuration and the version of the provider.",
            mismatch.path, mismatch.reason
        ),
    )
}

/// An object in diagnostics: its `id`.
fn label(object: &Value) -> String {
    object.get("id").as_str().unwrap_or("an object whose id is not known yet").to_owned()
}

/// Lets a deletion keep what an object that stays needs only where both were in the state at the last read. The deletion of a
/// deposed object is planned again in the apply, which knows only by that of an object that stays.
fn keep_only_if_seen_together(overlaps: &mut [Overlap], kept: &mut Vec<String>, seen_with_others: &[String]) {
    for overlap in overlaps.iter_mut().filter(|overlap| overlap.relation == Relation::Stays && !overlap.key.shared) {
        if !seen_with_others.contains(&overlap.key.subject) {
            overlap.relation = Relation::IsUndone;
            kept.retain(|kept| *kept != overlap.key.subject);
        }
    }
}

fn keep(private: &mut Private, kept: &[String]) {
    if !kept.is_empty() {
        private.set(KEEPS, &kept);
    }
}

/// The outcome of a failed operation.
pub(super) fn failed(diagnostics: impl Into<Diagnostics>) -> ErasedOutcome {
    ErasedOutcome { state: Value::Null, identity: Value::Null, private: Vec::new(), diagnostics: diagnostics.into() }
}

/// The plan of a change that cannot be planned.
pub(super) fn unplanned(diagnostics: impl Into<Diagnostics>) -> PlannedChange {
    PlannedChange {
        state: Value::Null,
        identity: Value::Null,
        private: Vec::new(),
        requires_replace: Vec::new(),
        diagnostics: diagnostics.into(),
    }
}

/// Reads a struct from a value that its schema has let pass.
pub(super) fn read_struct<S: DeserializeOwned>(value: Value) -> Result<S, Diagnostic> {
    from_value(value).map_err(|mismatch| mistake(&mismatch))
}

/// Makes a value of a struct.
pub(super) fn write_struct<S: Serialize>(value: &S) -> Result<Value, Diagnostic> {
    to_value(value).map_err(|mismatch| mistake(&mismatch))
}

/// Reads a struct from what a state holds, which somebody may have changed by hand.
fn read_state<S: DeserializeOwned>(value: Value) -> Result<S, Diagnostic> {
    from_value(value).map_err(|Mismatch { path, reason }| {
        let detail = format!(
            "{path}: {reason}\n\nIf the state was edited, restore it from a backup, or take the object out of it with state rm and \
             import it again. Otherwise this is a mistake of the foundryhub provider; please report it with its version.",
        );
        Diagnostic::error("The state cannot be read", detail).at(path)
    })
}

/// Unwraps a struct, or returns with what is wrong.
macro_rules! fit {
    ($read:expr, $failed:expr) => {
        match $read {
            Ok(fitting) => fitting,
            Err(error) => return $failed(error),
        }
    };
}

impl<R: Resource> AnyResource<R::Client> for Erased<R> {
    fn identity_schema(&self) -> &IdentitySchema {
        &self.identity_schema
    }

    fn identity_may_change(&self) -> bool {
        self.author.identity_may_change()
    }

    fn keys(&self, state: &Value) -> Vec<Key> {
        from_value(state.clone()).map(|state| self.author.keys(&state)).unwrap_or_default()
    }

    fn upgrade(&self, version: i64, text: &[u8]) -> (Value, Diagnostics) {
        let (ty, change): (Type, fn(Value) -> Value) = if version == self.schema.version {
            (self.ty.clone(), |value| value)
        } else if let Some(upgrade) = self.author.upgrade(version) {
            upgrade
        } else {
            let detail = format!(
                "The state of this {} was stored with schema version {version}, which this release of the provider does \
                 not know. Use the release that wrote it, or a newer one.",
                self.name()
            );
            return (Value::Null, Diagnostic::error("The state cannot be upgraded", detail).into());
        };
        match json::decode(text, &ty) {
            Ok(value) => (plan::with_settings(&self.schema.block, change(value)), Diagnostics::default()),
            Err(error) => {
                let detail = format!("The stored state of this {} does not fit its schema: {error}.", self.name());
                (Value::Null, Diagnostic::error("The state cannot be read", detail).into())
            }
        }
    }

    fn plan(&self, context: Context<R::Client>, change: Change) -> Answer<'_, PlannedChange> {
        Box::pin(async move {
            let walk = context.walk.clone();
            let private = Private::decode(&change.private);
            let replaced: Option<Vec<Key>> = private.get(REPLACES).filter(|_| change.prior.is_null());
            let seen_with_others: Option<Vec<String>> = private.get(SEEN_WITH_OTHERS);
            let mut private = private.without_reserved();
            if change.config.is_null() {
                let prior = fit!(read_state(change.prior.clone()), unplanned);
                let (mut overlaps, mut kept) =
                    walk.plan((&label(&change.prior), &self.author.keys(&prior)), ("", &[])).await;
                keep_only_if_seen_together(&mut overlaps, &mut kept, seen_with_others.as_deref().unwrap_or_default());
                let mut diagnostics = self.author.overlaps(&prior, &overlaps);
                let request = DestroyPlanRequest { prior, kept: &kept, private: &private };
                diagnostics.extend(self.author.plan_destroy(context, request).await);
                keep(&mut private, &kept);
                private.set(PLANNED_BY, &walk.id());
                if let Some(seen) = seen_with_others {
                    private.set(SEEN_WITH_OTHERS, &seen);
                }
                return PlannedChange { private: private.encode(), ..unplanned(diagnostics) };
            }
            let block = &self.schema.block;
            let planned = plan::prepare(block, &change.prior, &change.config);
            let prior = match &change.prior {
                Value::Null => None,
                prior => Some(fit!(read_state(prior.clone()), unplanned)),
            };
            let prior_keys = match &prior {
                Some(prior) => self.author.keys(prior),
                None => replaced.clone().unwrap_or_default(),
            };
            let request = PlanRequest {
                prior,
                config: fit!(read_struct(change.config), unplanned),
                planned: fit!(read_struct(planned), unplanned),
                private,
                replaced: replaced.clone().unwrap_or_default(),
            };
            let Planned { state, keys, mut private, mut requires_replace, mut diagnostics } =
                self.author.plan(context, request).await;
            // The creation of a replacement must come to the apply, which keeps what was handed over and says the same.
            let must_be_applied = change.prior.is_null() && walk.has_something_handed_over();
            if must_be_applied {
                diagnostics.0.retain(|found| found.severity != Severity::Error);
            }
            if let Some(keys) = &keys {
                let kept = if replaced.is_some() {
                    walk.kept(&prior_keys, keys)
                } else {
                    let id = to_value(&state).map_or_else(|_| self.name().to_owned(), |state| label(&state));
                    let (overlaps, kept) = walk.plan((&label(&change.prior), &prior_keys), (&id, keys)).await;
                    let mut found = self.author.overlaps(&state, &overlaps);
                    if must_be_applied && found.has_errors() {
                        found.0.iter_mut().for_each(|found| found.severity = Severity::Warning);
                    }
                    diagnostics.extend(found);
                    kept
                };
                keep(&mut private, &kept);
            }
            match change.prior.is_null() {
                true => private.set(CREATES, &keys.unwrap_or_default()),
                false => private.set(REPLACES, &prior_keys),
            }
            let left = self.erase(Outcome { state: Some(state), private, diagnostics }, &Value::Null);
            if !change.prior.is_null() {
                requires_replace.extend(plan::replacements(block, &change.prior, &left.state));
            }
            PlannedChange {
                state: left.state,
                identity: left.identity,
                private: left.private,
                requires_replace,
                diagnostics: left.diagnostics,
            }
        })
    }

    fn apply(&self, context: Context<R::Client>, change: Change) -> Answer<'_, ErasedOutcome> {
        Box::pin(async move {
            let private = Private::decode(&change.private);
            let succession = Succession {
                walk: context.walk.clone(),
                replaced_by: private.get(CREATES),
                kept: private.get(KEEPS).unwrap_or_default(),
                seen_with_others: private.get(SEEN_WITH_OTHERS).unwrap_or_default(),
                is_deposed: private.get(PLANNED_BY) == Some(context.walk.id()),
            };
            let private = private.without_reserved();
            let known = if change.target.is_null() { change.prior.clone() } else { change.target.clone() };
            let outcome = if change.target.is_null() {
                let prior = fit!(read_state(change.prior), failed);
                self.author.delete(context, DeleteRequest { prior, private, succession }).await
            } else {
                let config = fit!(read_struct(change.config), failed);
                let planned = fit!(read_struct(change.target), failed);
                match change.prior {
                    Value::Null => self.author.create(context, CreateRequest { config, planned, private }).await,
                    prior => {
                        let prior = fit!(read_state(prior), failed);
                        self.author.update(context, UpdateRequest { prior, config, planned, private, succession }).await
                    }
                }
            };
            let mut left = self.erase(outcome, &known);
            // Engines refuse what is still unknown after an interrupted creation, and would lose the object.
            if left.diagnostics.has_errors() {
                left.state = left.state.nulled_unknowns();
                left.identity = left.identity.nulled_unknowns();
            }
            left
        })
    }

    fn read(&self, context: Context<R::Client>, state: Value, private: Vec<u8>) -> Answer<'_, ErasedOutcome> {
        Box::pin(async move {
            let read: R::State = fit!(read_state(state.clone()), failed);
            let walk = context.walk.clone();
            let mut outcome = self.author.read(context, read, Private::decode(&private)).await;
            let shared = outcome.state.as_ref().map(|state| walk.seen_with_others(&self.author.keys(state)));
            if let Some(shared) = shared.filter(|shared| !shared.is_empty()) {
                outcome.private.set(SEEN_WITH_OTHERS, &shared);
            }
            self.erase(outcome, &state)
        })
    }

    fn import(&self, context: Context<R::Client>, target: ImportTarget<Value>) -> Answer<'_, ErasedOutcome> {
        Box::pin(async move {
            let target = match target {
                ImportTarget::Id(id) => ImportTarget::Id(id),
                ImportTarget::Identity(identity) => ImportTarget::Identity(fit!(read_struct(identity), failed)),
            };
            self.found(self.author.import(context, target).await)
        })
    }

    fn configuration(&self, state: Value) -> (Value, Diagnostics) {
        let failed = |error: Diagnostic| (Value::Null, Diagnostics::from(error));
        let configuration = self.author.configuration(fit!(read_state(state), failed));
        match write_struct(&configuration) {
            Ok(value) => (plan::configurable(&self.schema.block, value), Diagnostics::default()),
            Err(error) => failed(error),
        }
    }

    fn move_state(&self, source: &MoveSource) -> ErasedOutcome {
        match self.author.move_state(source) {
            Some(outcome) => self.found(outcome),
            None => failed(Diagnostic::error(
                "The object cannot be moved to this type",
                format!(
                    "The state of a {} of {} cannot become that of a {}. Import the object instead, and take the old one out \
                     of the state with a removed block that has destroy = false.",
                    source.type_name,
                    source.provider_address,
                    self.name()
                ),
            )),
        }
    }
}
