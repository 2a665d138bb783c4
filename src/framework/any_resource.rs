//! Resources as the server holds them, with values in place of structs.

use super::{
    Diagnostic, Diagnostics, Path, Private, Severity, Type, Value,
    context::Context,
    erased::{Answer, Described, Erased, validated},
    json, plan,
    resource::{
        CreateRequest, DeleteRequest, DestroyPlanRequest, ImportTarget, MoveSource, Outcome, PlanRequest, Planned,
        Resource, UpdateRequest,
    },
    schema::IdentitySchema,
    structs::{Mismatch, from_value, to_value},
    walk::{Key, Overlap, Relation, Succession},
};

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

/// A creation, change or deletion to plan or to apply.
#[derive(Debug)]
pub struct Change {
    /// The object as it is; null for a creation.
    pub prior: Value,
    /// The configuration; null for a deletion.
    pub config: Value,
    /// The private bytes: of the object when planning, of the plan when applying.
    pub private: Vec<u8>,
}

/// A [`Resource`] without its types.
pub trait AnyResource<C>: Described {
    /// Its identity's attributes.
    fn identity_schema(&self) -> &IdentitySchema;
    /// Whether a change may give an object another identity.
    fn identity_may_change(&self) -> bool;
    /// The keys of an object of the state.
    fn keys(&self, state: Value) -> Vec<Key>;
    /// Brings a stored state to today's schema.
    fn upgrade(&self, version: i64, json: &[u8]) -> (Value, Diagnostics);
    /// Plans a creation, change or deletion. What the engine proposes follows from prior object and configuration, and is
    /// not looked at.
    fn plan(&self, context: Context<C>, change: Change) -> Answer<'_, PlannedChange>;
    /// Creates, changes or deletes the object. `planned` is null for a deletion.
    fn apply(&self, context: Context<C>, change: Change, planned: Value) -> Answer<'_, ErasedOutcome>;
    /// Reads the object.
    fn read(&self, context: Context<C>, state: Value, private: Vec<u8>) -> Answer<'_, ErasedOutcome>;
    /// Finds an object to manage.
    fn import(&self, context: Context<C>, target: ImportTarget<Value>) -> Answer<'_, ErasedOutcome>;
    /// The configuration of an object.
    fn configuration(&self, state: Value) -> (Value, Diagnostics);
    /// Moves the state of another type here.
    fn move_state(&self, source: &MoveSource) -> ErasedOutcome;
}

impl<R: Resource> Erased<R> {
    /// Wraps a resource.
    pub fn resource(resource: R) -> Self {
        let (name, schema, identity_schema) = (resource.name(), resource.schema(), resource.identity_schema());
        let validate = |resource: &R, config| validated(config, |config| resource.validate(config));
        let mut erased = Self::new(name, schema, validate, resource);
        erased.identity_schema = identity_schema;
        erased
    }

    /// An outcome by value. An object that cannot be made a value is `fallback` instead, so that it is not lost.
    pub(super) fn erase(&self, outcome: Outcome<R::State>, fallback: &Value) -> ErasedOutcome {
        let value = outcome.state.as_ref().map(to_value);
        self.erase_with(value, outcome, fallback)
    }

    /// The same where the value of the object is made already.
    fn erase_with(
        &self,
        value_of_state: Option<Result<Value, Mismatch>>,
        outcome: Outcome<R::State>,
        fallback: &Value,
    ) -> ErasedOutcome {
        let Outcome { state, private, mut diagnostics } = outcome;
        let identity = state.as_ref().and_then(|state| self.implementation.identity(state));
        let mut value = |result: Option<Result<Value, Mismatch>>, fallback: &Value| match result {
            Some(Ok(value)) => value,
            Some(Err(mismatch)) => {
                diagnostics.push(mismatch.into());
                fallback.clone()
            }
            None => Value::Null,
        };
        let state = value(value_of_state, fallback);
        let identity = value(identity.as_ref().map(to_value), &Value::Null);
        ErasedOutcome { state, identity, private: private.encode(), diagnostics }
    }

    async fn plan_deletion(&self, context: Context<R::Client>, change: Change) -> Result<PlannedChange, Diagnostic> {
        let walk = context.walk.clone();
        let private = Private::decode(&change.private);
        let seen_with_others: Option<Vec<String>> = private.get(SEEN_WITH_OTHERS);
        let mut private = private.without_reserved();
        let id = label(&change.prior).to_owned();
        let prior = read_state(change.prior)?;
        let (mut overlaps, mut kept) = walk.plan((&id, &self.implementation.keys(&prior)), ("", &[])).await;
        keep_only_if_seen_together(&mut overlaps, &mut kept, seen_with_others.as_deref().unwrap_or_default());
        let mut diagnostics = self.implementation.overlaps(&prior, &overlaps);
        let request = DestroyPlanRequest { prior, kept: &kept, private: &private };
        diagnostics.extend(self.implementation.plan_destroy(context, request).await);
        keep(&mut private, &kept);
        private.set(PLANNED_BY, &walk.id());
        if let Some(seen) = seen_with_others {
            private.set(SEEN_WITH_OTHERS, &seen);
        }
        Ok(PlannedChange { private: private.encode(), ..unplanned(diagnostics) })
    }

    async fn plan_creation_or_update(
        &self,
        context: Context<R::Client>,
        change: Change,
    ) -> Result<PlannedChange, Diagnostic> {
        let walk = context.walk.clone();
        let private = Private::decode(&change.private);
        let replaced: Option<Vec<Key>> = private.get(REPLACES).filter(|_| change.prior.is_null());
        let block = &self.schema.block;
        let planned = plan::prepare(block, &change.prior, &change.config);
        let prior = match &change.prior {
            Value::Null => None,
            prior => Some(read_state(prior.clone())?),
        };
        let prior_keys = match &prior {
            Some(prior) => self.implementation.keys(prior),
            None => replaced.clone().unwrap_or_default(),
        };
        let replaces = prior.is_some() && !plan::replacements(block, &change.prior, &planned).is_empty();
        let config = from_value(change.config)?;
        let planned = match &prior {
            Some(prior) if planned == change.prior => prior.clone(),
            _ => from_value(planned)?,
        };
        let request = PlanRequest {
            prior,
            config,
            planned,
            replaces,
            private: private.without_reserved(),
            replaced: replaced.clone().unwrap_or_default(),
        };
        let Planned { state, keys, mut private, mut requires_replace, mut diagnostics } =
            self.implementation.plan(context, request).await;
        let value = to_value(&state);
        // The creation of a replacement must come to the apply, which keeps what was handed over and says the same.
        let must_be_applied = change.prior.is_null() && walk.has_something_handed_over();
        if must_be_applied {
            diagnostics.0.retain(|found| found.severity != Severity::Error);
        }
        if let Some(keys) = &keys {
            let kept = if replaced.is_some() {
                walk.kept(&prior_keys, keys)
            } else {
                let id = value.as_ref().map_or(self.name(), label);
                let (overlaps, kept) = walk.plan((label(&change.prior), &prior_keys), (id, keys)).await;
                let mut found = self.implementation.overlaps(&state, &overlaps);
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
        let outcome = Outcome { state: Some(state), private, diagnostics };
        let planned = self.erase_with(Some(value), outcome, &Value::Null);
        if !change.prior.is_null() {
            requires_replace.extend(plan::replacements(block, &change.prior, &planned.state));
        }
        let ErasedOutcome { state, identity, private, diagnostics } = planned;
        Ok(PlannedChange { state, identity, private, requires_replace, diagnostics })
    }

    /// The outcome of creating, changing or deleting the object.
    async fn applied(
        &self,
        context: Context<R::Client>,
        change: Change,
        planned: Value,
    ) -> Result<Outcome<R::State>, Diagnostic> {
        let private = Private::decode(&change.private);
        let succession = Succession {
            walk: context.walk.clone(),
            replaced_by: private.get(CREATES),
            kept: private.get(KEEPS).unwrap_or_default(),
            seen_with_others: private.get(SEEN_WITH_OTHERS).unwrap_or_default(),
            is_deposed: private.get(PLANNED_BY) == Some(context.walk.id()),
        };
        let private = private.without_reserved();
        if planned.is_null() {
            let prior = read_state(change.prior)?;
            return Ok(self.implementation.delete(context, DeleteRequest { prior, private, succession }).await);
        }
        let (config, planned) = (from_value(change.config)?, from_value(planned)?);
        Ok(match change.prior {
            Value::Null => self.implementation.create(context, CreateRequest { config, planned, private }).await,
            prior => {
                let prior = read_state(prior)?;
                self.implementation.update(context, UpdateRequest { prior, config, planned, private, succession }).await
            }
        })
    }

    /// An object that was imported, moved here or listed, with the default of each setting.
    pub(super) fn found(&self, outcome: Outcome<R::State>) -> ErasedOutcome {
        let found = self.erase(outcome, &Value::Null);
        ErasedOutcome { state: plan::with_settings(&self.schema.block, found.state), ..found }
    }
}

impl<R: Resource> AnyResource<R::Client> for Erased<R> {
    fn identity_schema(&self) -> &IdentitySchema {
        &self.identity_schema
    }

    fn identity_may_change(&self) -> bool {
        self.implementation.identity_may_change()
    }

    fn keys(&self, state: Value) -> Vec<Key> {
        from_value(state).map(|state| self.implementation.keys(&state)).unwrap_or_default()
    }

    fn upgrade(&self, version: i64, text: &[u8]) -> (Value, Diagnostics) {
        let (ty, change): (Type, fn(Value) -> Value) = if version == self.schema.version {
            (self.ty.clone(), |value| value)
        } else if let Some(upgrade) = self.implementation.upgrade(version) {
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
                let detail =
                    format!("The stored state of this {} does not fit its schema: {error}.\n\n{EDITED}", self.name());
                (Value::Null, Diagnostic::error("The state cannot be read", detail).at(error.path).into())
            }
        }
    }

    fn plan(&self, context: Context<R::Client>, change: Change) -> Answer<'_, PlannedChange> {
        Box::pin(async move {
            let planned = if change.config.is_null() {
                self.plan_deletion(context, change).await
            } else {
                self.plan_creation_or_update(context, change).await
            };
            planned.unwrap_or_else(unplanned)
        })
    }

    fn apply(&self, context: Context<R::Client>, change: Change, planned: Value) -> Answer<'_, ErasedOutcome> {
        Box::pin(async move {
            let fallback = if planned.is_null() { change.prior.clone() } else { planned.clone() };
            let outcome = match self.applied(context, change, planned).await {
                Ok(outcome) => outcome,
                Err(error) => return failed(error),
            };
            let mut outcome = self.erase(outcome, &fallback);
            // Engines refuse what is still unknown after an interrupted creation, and would lose the object.
            if outcome.diagnostics.has_errors() {
                outcome.state = outcome.state.nulled_unknowns();
                outcome.identity = outcome.identity.nulled_unknowns();
            }
            outcome
        })
    }

    fn read(&self, context: Context<R::Client>, state: Value, private: Vec<u8>) -> Answer<'_, ErasedOutcome> {
        Box::pin(async move {
            let read: R::State = match read_state(state.clone()) {
                Ok(read) => read,
                Err(error) => return failed(error),
            };
            let walk = context.walk.clone();
            let mut outcome = self.implementation.read(context, read, Private::decode(&private)).await;
            let shared = outcome.state.as_ref().map(|state| walk.seen_with_others(&self.implementation.keys(state)));
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
                ImportTarget::Identity(identity) => match from_value(identity) {
                    Ok(identity) => ImportTarget::Identity(identity),
                    Err(mismatch) => return failed(mismatch),
                },
            };
            self.found(self.implementation.import(context, target).await)
        })
    }

    fn configuration(&self, state: Value) -> (Value, Diagnostics) {
        let configuration = || Ok(to_value(&self.implementation.configuration(read_state(state)?))?);
        match configuration() {
            Ok(value) => (plan::configurable(&self.schema.block, value), Diagnostics::default()),
            Err(error) => (Value::Null, Diagnostic::into(error)),
        }
    }

    fn move_state(&self, source: &MoveSource) -> ErasedOutcome {
        match self.implementation.move_state(source) {
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

/// An object in diagnostics: its `id`.
fn label(object: &Value) -> &str {
    object.get("id").as_str().unwrap_or("an object whose id is not known yet")
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

/// What to do about an object whose state cannot be right.
pub(super) const EDITED: &str = "If the state was edited, restore it from a backup, or take the object out of it with state rm and \
                                 import it again. Otherwise this is a mistake of the provider; please report it with its version.";

/// The error of an object whose state cannot be right at this path, which somebody may have changed by hand.
pub fn unreadable_state(path: Path, reason: &str) -> Diagnostic {
    Diagnostic::error("The state cannot be read", format!("{path}: {reason}\n\n{EDITED}")).at(path)
}

/// Reads a struct from what a state holds.
fn read_state<S: serde::de::DeserializeOwned>(value: Value) -> Result<S, Diagnostic> {
    from_value(value).map_err(|Mismatch { path, reason }| unreadable_state(path, &reason))
}
