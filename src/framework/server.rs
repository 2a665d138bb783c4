//! What each remote procedure of the provider protocol means.

use std::{
    future::Future,
    sync::{Arc, Mutex},
};

use futures_util::{Stream, StreamExt as _, stream};
use tokio_util::sync::CancellationToken;

use super::{
    Diagnostic, Diagnostics, Private, Value,
    action::{self, ActionEvent, AnyAction},
    any_resource::{AnyResource, Change, EDITED, ErasedOutcome, PlannedChange, failed, unplanned},
    contain::contain,
    context::Context,
    data_source::AnyDataSource,
    erased::Described,
    function::{AnyFunction, FunctionError},
    json,
    list_resource::{AnyListResource, ListedValue},
    lock::lock,
    plan,
    registry::Registry,
    resource::{ImportTarget, MoveSource},
    schema::{Block, Schema},
    spelling::{configured, respelled, stored},
    walk::{Ledger, Walk},
};

/// A provider: its own configuration and its types.
pub trait Provider: Send + Sync + 'static {
    /// What the types work with, created from the configuration.
    type Client: Send + Sync + 'static;

    /// The address of the guide that has a heading for each summary of a diagnostic.
    fn troubleshooting(&self) -> &'static str;

    /// The provider block.
    fn schema(&self) -> Schema;

    /// Validates what the schema cannot.
    fn validate(&self, config: &Value) -> Diagnostics;

    /// Creates the client; `None` with errors, or where unknown values do not allow it yet.
    fn configure(
        &self,
        config: &Value,
        engine_version: &str,
    ) -> impl Future<Output = (Option<Self::Client>, Diagnostics)> + Send;

    /// All resource types, in the order of the documentation.
    fn resources(&self) -> Vec<Box<dyn AnyResource<Self::Client>>>;

    /// All data sources, in the order of the documentation.
    fn data_sources(&self) -> Vec<Box<dyn AnyDataSource<Self::Client>>> {
        Vec::new()
    }

    /// All functions, in the order of the documentation.
    fn functions(&self) -> Vec<Box<dyn AnyFunction>> {
        Vec::new()
    }

    /// All list resources, in the order of the documentation.
    fn list_resources(&self) -> Vec<Box<dyn AnyListResource<Self::Client>>> {
        Vec::new()
    }

    /// All actions, in the order of the documentation.
    fn actions(&self) -> Vec<Box<dyn AnyAction<Self::Client>>> {
        Vec::new()
    }

    /// Called before every apply and every invocation of an action: what was read before that may be out of date.
    fn begin_writing(&self, _client: &Self::Client) {}
}

/// Serves a [`Provider`].
pub(crate) struct Server<P: Provider> {
    provider: P,
    schema: Schema,
    pub(crate) resources: Registry<dyn AnyResource<P::Client>>,
    pub(crate) data_sources: Registry<dyn AnyDataSource<P::Client>>,
    pub(crate) functions: Registry<dyn AnyFunction>,
    pub(crate) list_resources: Registry<dyn AnyListResource<P::Client>>,
    pub(crate) actions: Registry<dyn AnyAction<P::Client>>,
    client: Mutex<Option<Arc<P::Client>>>,
    /// That of the walk that began when the provider was last configured.
    ledger: Mutex<Arc<Ledger>>,
    stop: Mutex<CancellationToken>,
}

/// Marks the private data of an imported object until the engine has read it: that read may complete its identity.
const IMPORTED: &str = ".imported";

impl<P: Provider> Server<P> {
    pub(crate) fn new(provider: P) -> Self {
        Self {
            schema: provider.schema(),
            resources: Registry::new("resource type", provider.resources(), |each| each.name()),
            data_sources: Registry::new("data source", provider.data_sources(), |each| each.name()),
            functions: Registry::new("function", provider.functions(), |each| each.name()),
            list_resources: Registry::new("list resource", provider.list_resources(), |each| each.name()),
            actions: Registry::new("action", provider.actions(), |each| each.name()),
            provider,
            client: Mutex::default(),
            ledger: Mutex::default(),
            stop: Mutex::default(),
        }
    }

    pub(crate) fn troubleshooting(&self) -> &'static str {
        self.provider.troubleshooting()
    }

    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }

    pub(crate) async fn validate_provider(&self, config: Value) -> Diagnostics {
        contained("ValidateProviderConfig", Diagnostics::from, async {
            let config = configured(&self.schema.block, config);
            let mut diagnostics = plan::check(&self.schema.block, &config);
            diagnostics.extend(self.provider.validate(&config));
            diagnostics
        })
        .await
    }

    /// Creates the client and begins a walk. A second call replaces both.
    pub(crate) async fn configure(&self, config: Value, engine_version: &str) -> Diagnostics {
        contained("ConfigureProvider", Diagnostics::from, async {
            let config = configured(&self.schema.block, config);
            let (client, diagnostics) = self.provider.configure(&config, engine_version).await;
            *lock(&self.client) = client.map(Arc::new);
            *lock(&self.ledger) = Arc::default();
            diagnostics
        })
        .await
    }

    /// Cancels the calls in flight, and no later ones.
    pub(crate) fn stop(&self) {
        std::mem::take(&mut *lock(&self.stop)).cancel();
    }

    /// Validates the configuration of anything but the provider, in the procedure `rpc`.
    pub(crate) async fn validate(&self, rpc: &str, of: &(impl Described + ?Sized), config: Value) -> Diagnostics {
        contained(rpc, Diagnostics::from, async { of.validate(configured(&of.schema().block, config)) }).await
    }

    /// Brings a stored state to today's schema.
    pub(crate) async fn upgrade_resource(
        &self,
        resource: &dyn AnyResource<P::Client>,
        version: i64,
        text: &[u8],
    ) -> (Value, Diagnostics) {
        contained("UpgradeResourceState", |error| (Value::Null, error.into()), async {
            let (state, diagnostics) = resource.upgrade(version, text);
            self.walk(resource.name()).note_in_state(&resource.keys(stored(&resource.schema().block, state.clone())));
            (state, diagnostics)
        })
        .await
    }

    /// Brings a stored identity to today's schema. Engines ask even where none is stored, with an empty text.
    pub(crate) async fn upgrade_identity(
        &self,
        resource: &dyn AnyResource<P::Client>,
        text: &[u8],
    ) -> (Value, Diagnostics) {
        contained("UpgradeResourceIdentity", |error| (Value::Null, error.into()), async {
            if text.trim_ascii().is_empty() {
                return (Value::Null, Diagnostics::default());
            }
            match json::decode(text, resource.identity_schema().ty()) {
                Ok(identity) => (identity, Diagnostics::default()),
                Err(error) => {
                    let detail =
                        format!(
                        "The stored identity of this {} does not fit its schema: {error}. Use the release of the provider that \
                         wrote it, or a newer one.",
                        resource.name()
                    );
                    (Value::Null, Diagnostic::error("The identity cannot be read", detail).into())
                }
            }
        })
        .await
    }

    /// Reads an object. With an error, what the engine had is returned unchanged.
    pub(crate) async fn read(
        &self,
        resource: &dyn AnyResource<P::Client>,
        state: Value,
        identity: Value,
        private: Vec<u8>,
    ) -> ErasedOutcome {
        let stored_private = Private::decode(&private);
        let imported = stored_private.get(IMPORTED) == Some(true);
        let own_private = stored_private.without_reserved().encode();
        let read = stored(&resource.schema().block, state.clone());
        if imported {
            self.walk(resource.name()).note_in_state(&resource.keys(read.clone()));
        }
        let work = resource.read(self.context(resource.name()), read, own_private);
        let mut outcome = contained("ReadResource", failed, work).await;
        if !outcome.diagnostics.has_errors() && !outcome.state.is_null() {
            let known = if imported { Value::Null } else { identity.clone() };
            // Identities keep their first spelling, too.
            if known.same_by(&outcome.identity, resource.identity_schema().ty(), &str::eq_ignore_ascii_case) {
                outcome.identity = known.clone();
            }
            if outcome.identity.is_null() && !imported {
                let detail = format!("It does not say which {} this is.\n\n{EDITED}", resource.name());
                outcome.diagnostics.push(Diagnostic::error("The state cannot be read", detail));
            } else {
                outcome.diagnostics.extend(identity_faults(resource, &known, &outcome.identity));
            }
        }
        if outcome.diagnostics.has_errors() {
            return ErasedOutcome { state, identity, private, diagnostics: outcome.diagnostics };
        }
        spelt_as_before(resource, outcome, &state)
    }

    /// Plans a creation, change or removal.
    pub(crate) async fn plan(&self, resource: &dyn AnyResource<P::Client>, change: Change) -> PlannedChange {
        let block = &resource.schema().block;
        let (config, prior) = (change.config.clone(), change.prior.clone());
        let work = resource.plan(self.context(resource.name()), for_resource(block, change));
        let mut planned = contained("PlanResourceChange", unplanned, work).await;
        planned.state = respelled(block, planned.state, &config, &prior);
        planned
    }

    /// Creates, changes or removes an object. What exists stays in the state with every error: after a change or removal that
    /// returned no object that is the prior object, and after a creation that panicked the planned one, which may exist.
    pub(crate) async fn apply(
        &self,
        resource: &dyn AnyResource<P::Client>,
        change: Change,
        planned: Value,
        identity: Value,
    ) -> ErasedOutcome {
        let creates = change.prior.is_null();
        let before = if creates { planned.clone().nulled_unknowns() } else { change.prior.clone() };
        let spelt = if planned.is_null() { before.clone() } else { planned.clone() };
        let private = change.private.clone();
        let fallback = |diagnostics: Diagnostics| ErasedOutcome {
            state: before.clone(),
            identity: identity.clone().nulled_unknowns(),
            private: Private::decode(&private).without_reserved().encode(),
            diagnostics,
        };
        let block = &resource.schema().block;
        let (change, planned) = (for_resource(block, change), stored(block, planned));
        let work = resource.apply(self.writing(resource.name()), change, planned);
        let mut outcome = contained("ApplyResourceChange", |error| fallback(error.into()), work).await;
        if outcome.diagnostics.has_errors() {
            if outcome.state.is_null() && !creates {
                outcome = fallback(outcome.diagnostics);
            }
        } else if !outcome.state.is_null() {
            let may_change = creates || resource.identity_may_change();
            let known = if may_change { Value::Null } else { identity.clone() };
            outcome.diagnostics.extend(identity_faults(resource, &known, &outcome.identity));
        }
        spelt_as_before(resource, outcome, &spelt)
    }

    pub(crate) async fn import(
        &self,
        resource: &dyn AnyResource<P::Client>,
        target: ImportTarget<Value>,
    ) -> ErasedOutcome {
        let work = resource.import(self.context(resource.name()), target);
        let mut outcome = contained("ImportResourceState", failed, work).await;
        let mut private = Private::decode(&outcome.private);
        private.set(IMPORTED, &true);
        outcome.private = private.encode();
        spelt_as_before(resource, outcome, &Value::Null)
    }

    /// The configuration of an object that exists.
    pub(crate) async fn configuration(
        &self,
        resource: &dyn AnyResource<P::Client>,
        state: Value,
    ) -> (Value, Diagnostics) {
        let work = async { resource.configuration(stored(&resource.schema().block, state)) };
        contained("GenerateResourceConfig", |error| (Value::Null, error.into()), work).await
    }

    /// Takes over another type's state. Engines call it in a process that is not configured.
    pub(crate) async fn move_state(&self, resource: &dyn AnyResource<P::Client>, source: &MoveSource) -> ErasedOutcome {
        let outcome = contained("MoveResourceState", failed, async { resource.move_state(source) }).await;
        // OpenTofu upgrades no state that it moves from another type.
        self.walk(resource.name()).note_in_state(&resource.keys(outcome.state.clone()));
        spelt_as_before(resource, outcome, &Value::Null)
    }

    pub(crate) async fn read_data(&self, source: &dyn AnyDataSource<P::Client>, config: Value) -> (Value, Diagnostics) {
        let block = &source.schema().block;
        let work = source.read(self.context(source.name()), configured(block, config.clone()));
        match contained("ReadDataSource", |error| Err(error.into()), work).await {
            Ok((data, mut diagnostics)) => {
                if !data.is_wholly_known() {
                    let detail = format!(
                        "The data source {} left values unknown: {}. This is a mistake of the provider; please \
                         report it.",
                        source.name(),
                        json::encode(&data)
                    );
                    diagnostics.push(Diagnostic::error("Unknown values in the data", detail));
                }
                (respelled(block, data, &config, &config), diagnostics)
            }
            Err(diagnostics) => (Value::Null, diagnostics),
        }
    }

    /// Lists objects, no more than `limit`. The state of each is null unless `include_object`. Warnings about an object that
    /// is left out do not count.
    pub(crate) fn list(
        &self,
        list: Arc<dyn AnyListResource<P::Client>>,
        config: Value,
        include_object: bool,
        limit: i64,
    ) -> impl Stream<Item = ListedValue> + use<P> {
        let (config, context) = (configured(&list.schema().block, config), self.context(list.name()));
        let objects = Arc::clone(&list).list(context, config, include_object);
        let checked = move |ListedValue { display_name, mut object }: ListedValue| {
            let is_left_out = object.identity.is_null() && !object.diagnostics.0.is_empty();
            if !is_left_out {
                let faults = identity_faults(list.resource(), &Value::Null, &object.identity);
                object.diagnostics.extend(faults);
            }
            if !include_object {
                object.state = Value::Null;
            }
            ListedValue { display_name, object }
        };
        // Nothing is requested for more objects than are wanted.
        stream::unfold((objects, limit), |(mut objects, left)| async move {
            let listed = if left > 0 { objects.next().await? } else { return None };
            let is_object = !listed.object.identity.is_null();
            Some((listed, (objects, left - i64::from(is_object))))
        })
        .map(checked)
    }

    /// Calls a function. Engines do so in a process that is not configured.
    pub(crate) async fn call(&self, function: &dyn AnyFunction, arguments: Vec<Value>) -> Result<Value, FunctionError> {
        contained("CallFunction", |error| Err(error.into()), async { function.call(arguments) }).await
    }

    /// Plans an action, whose configuration may have unknown values.
    pub(crate) async fn plan_action(&self, action: &dyn AnyAction<P::Client>, config: Value) -> Diagnostics {
        let work = action.plan(self.context(action.name()), configured(&action.schema().block, config));
        contained("PlanAction", Diagnostics::from, work).await
    }

    /// Performs an action. The last event is its completion.
    pub(crate) fn invoke(
        &self,
        action: Arc<dyn AnyAction<P::Client>>,
        config: Value,
    ) -> impl Stream<Item = ActionEvent> + use<P> {
        let (config, context) = (configured(&action.schema().block, config), self.writing(action.name()));
        action::events(|progress| {
            contained("InvokeAction", Diagnostics::from, action.invoke(context, config, progress))
        })
    }

    fn walk(&self, type_name: &'static str) -> Walk {
        Walk::new(Arc::clone(&lock(&self.ledger)), type_name)
    }

    fn context(&self, type_name: &'static str) -> Context<P::Client> {
        Context {
            client: lock(&self.client).clone(),
            cancel: lock(&self.stop).child_token(),
            walk: self.walk(type_name),
        }
    }

    /// The context of a call that writes.
    fn writing(&self, type_name: &'static str) -> Context<P::Client> {
        let context = self.context(type_name);
        if let Some(client) = &context.client {
            self.provider.begin_writing(client);
        }
        context
    }
}

/// A change with the values that resources get.
fn for_resource(block: &Block, change: Change) -> Change {
    let Change { prior, config, private } = change;
    Change { prior: stored(block, prior), config: configured(block, config), private }
}

/// Runs the work of one call; `crashed` turns the diagnostic of a panic in it into the call's answer.
async fn contained<T>(rpc: &str, crashed: impl FnOnce(Diagnostic) -> T, work: impl Future<Output = T>) -> T {
    contain(work).await.unwrap_or_else(|panic| crashed(crash(rpc, &panic)))
}

/// The diagnostic of a panic in a call.
pub(crate) fn crash(rpc: &str, panic: &str) -> Diagnostic {
    Diagnostic::error(
        "The provider panicked",
        format!(
            "{rpc} ended early: {panic}. This is a mistake of the provider, not of the configuration; please \
             report it with the log that TF_LOG=DEBUG gives."
        ),
    )
}

/// The object as engines get it: in the spelling of the state or plan so far.
fn spelt_as_before<C>(resource: &dyn AnyResource<C>, outcome: ErasedOutcome, before: &Value) -> ErasedOutcome {
    // Most reads find nothing changed.
    if outcome.state == *before {
        return outcome;
    }
    ErasedOutcome { state: respelled(&resource.schema().block, outcome.state, before, before), ..outcome }
}

/// What is wrong with the identity that an operation returned: engines require one that never changes.
fn identity_faults<C>(resource: &dyn AnyResource<C>, known: &Value, identity: &Value) -> Diagnostics {
    let name = resource.name();
    if identity.is_null() || !identity.is_wholly_known() {
        let detail = format!("This {name} has no identity. This is a mistake of the provider; please report it.");
        return Diagnostic::error("Unexpected resource identity", detail).into();
    }
    let ty = resource.identity_schema().ty();
    if known.is_null() || !known.is_wholly_known() || known.same_as(identity, ty) {
        return Diagnostics::default();
    }
    let detail = format!(
        "The state says that this {name} is {}, and it is {}.\n\n{EDITED}",
        json::encode(known),
        json::encode(identity)
    );
    Diagnostic::error("The state has another identity", detail).into()
}
