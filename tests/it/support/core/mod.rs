//! A small Terraform core: does to a provider over gRPC what `terraform plan` and `terraform apply` do, and fails the
//! test wherever they would call the provider wrong.
//!
//! ```ignore
//! let mut core = Core::new().env("ARM_TENANT_ID", tenant);
//! let applied = core.apply("foundryhub_storage_auth", "a", json!({ "hub_id": id })).await.ok();
//! assert_eq!(applied.action(), Action::Create);
//! core.plan("foundryhub_storage_auth", "a", json!({ "hub_id": id })).await.assert_empty();
//! core.destroy("foundryhub_storage_auth", "a").await.ok();
//! ```
//!
//! Every walk (validate, plan, apply, import) has a process of its own, as it has under the real one, so that nothing a
//! provider remembers in memory can carry over by accident. Several resources go into one walk with
//! [`Core::apply_all`]; `"${type.name.attribute}"` in a configuration refers to another one of them.

mod check;
mod kinds;
mod propose;
mod report;
mod schema;
mod session;
mod state;
mod value;
mod walk;

use std::{future::Future, path::PathBuf, pin::Pin, sync::Arc};

use foundryhub::framework::{Path, Value};
use serde_json::{Value as Json, json};

pub(crate) use kinds::Listed;
pub(crate) use report::{Action, Address, Diagnostics, Report};
pub(crate) use schema::Catalog;
pub(crate) use session::{ImportFrom, MoveFrom, Session};
pub(crate) use state::Stored;
pub(crate) use value::UNKNOWN;
pub(crate) use walk::Event as Trigger;

use super::{
    plugin::{Launch, Plugin},
    tfplugin6::{DynamicValue, FunctionError},
};
use session::encode;
use state::State;
use walk::Planned;

/// One resource block of a configuration.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    address: Address,
    config: Json,
    create_before_destroy: bool,
    depends_on: Vec<Address>,
    import: Option<ImportFrom>,
    replaced: bool,
}

/// A resource block. Attributes left out are null; [`UNKNOWN`] stands for a value that is not known yet.
pub(crate) fn resource(type_name: &str, name: &str, config: Json) -> Resource {
    Resource {
        address: Address::new(type_name, name),
        config,
        create_before_destroy: false,
        depends_on: Vec::new(),
        import: None,
        replaced: false,
    }
}

impl Resource {
    /// `lifecycle { create_before_destroy = true }`.
    pub(crate) fn create_before_destroy(mut self) -> Self {
        self.create_before_destroy = true;
        self
    }

    /// `depends_on`, beside what the configuration refers to.
    pub(crate) fn depends_on(mut self, type_name: &str, name: &str) -> Self {
        self.depends_on.push(Address::new(type_name, name));
        self
    }

    /// `-replace` of it.
    pub(crate) fn replaced(mut self) -> Self {
        self.replaced = true;
        self
    }

    /// The same without `-replace`.
    pub(crate) fn not_replaced(mut self) -> Self {
        self.replaced = false;
        self
    }

    /// The same with one attribute set.
    pub(crate) fn setting(mut self, name: &str, value: Json) -> Self {
        self.config[name] = value;
        self
    }

    /// An `import` block for it: the object is imported by the plan unless it is in the state.
    pub(crate) fn import(mut self, from: ImportFrom) -> Self {
        self.import = Some(from);
        self
    }
}

/// A saved plan.
pub(crate) struct Plan {
    /// What it would do.
    pub(crate) report: Report,
    resources: Vec<Resource>,
    planned: Vec<Planned>,
    /// The state after the plan's refresh.
    state: State,
}

impl std::ops::Deref for Plan {
    type Target = Report;

    fn deref(&self) -> &Report {
        &self.report
    }
}

impl Plan {
    /// The plan, if it has no errors.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert!(!self.report.diagnostics.has_errors(), "the plan failed:\n{}", self.report.diagnostics);
        self
    }

    /// The same plan with other private data in it, as an editor of the file might leave it.
    pub(crate) fn with_private(mut self, change: impl Fn(&[u8]) -> Vec<u8>) -> Self {
        self.planned.iter_mut().for_each(|planned| planned.change_private(&change));
        self
    }

    /// The plan of one resource, what was unknown in its configuration being known by the time it is applied.
    pub(crate) fn knowing(self, config: Json) -> Self {
        assert_eq!(self.resources.len(), 1, "a plan of one resource");
        let name = self.resources[0].address.name.clone();
        self.knowing_of(&name, config)
    }

    /// The same for the resource of this name, of whatever type.
    pub(crate) fn knowing_of(mut self, name: &str, config: Json) -> Self {
        let resource = self.resources.iter_mut().find(|resource| resource.address.name == name);
        resource.unwrap_or_else(|| panic!("{name} is not in the plan")).config = config;
        self
    }
}

type Event = Pin<Box<dyn Future<Output = ()>>>;

/// A working directory: a provider's configuration, and the state.
pub(crate) struct Core {
    program: Option<PathBuf>,
    environment: Vec<(String, String)>,
    provider: Json,
    catalog: Option<Arc<Catalog>>,
    state: State,
    /// The actions that objects trigger.
    triggers: Vec<walk::Trigger>,
    /// When to interrupt the next apply or action.
    interrupt: Option<Event>,
    /// When to kill the next apply.
    kill: Option<Event>,
    /// What other providers do in the next apply, each before one of our resources.
    others: Vec<(Address, Event)>,
    one_process: bool,
    process: Option<Session>,
    engine_version: String,
    deletes_last: bool,
    plans_deletes_first: bool,
    refreshes: bool,
    /// Everything that was logged, said, planned and stored.
    transcript: String,
}

impl Core {
    /// A working directory with an empty provider block and no state.
    pub(crate) fn new() -> Self {
        Self {
            program: None,
            environment: Vec::new(),
            provider: json!({}),
            catalog: None,
            state: State::default(),
            triggers: Vec::new(),
            interrupt: None,
            kill: None,
            others: Vec::new(),
            one_process: false,
            process: None,
            engine_version: session::VERSION.to_owned(),
            deletes_last: false,
            plans_deletes_first: false,
            refreshes: true,
            transcript: String::new(),
        }
    }

    /// Runs this provider instead of our own.
    pub(crate) fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = Some(program.into());
        self
    }

    /// Runs this executable from now on.
    pub(crate) fn run(&mut self, program: impl Into<PathBuf>) {
        self.program = Some(program.into());
    }

    /// Sets an environment variable of the provider's processes.
    pub(crate) fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Tells the provider that the engine has this version.
    pub(crate) fn engine_version(mut self, version: &str) -> Self {
        self.engine_version = version.to_owned();
        self
    }

    /// The provider block from now on.
    pub(crate) fn configure(&mut self, config: Json) {
        self.provider = config;
    }

    /// Keeps one process for all walks, as an engine does that attaches to a running provider.
    pub(crate) fn in_one_process(mut self) -> Self {
        self.one_process = true;
        self
    }

    /// Whether objects that are no longer configured are planned before everything else instead of after it, from now
    /// on. Nothing orders the two.
    pub(crate) fn plan_deletes_first(&mut self, first: bool) {
        self.plans_deletes_first = first;
    }

    /// Whether objects that are no longer configured are destroyed after everything else instead of before it, from now
    /// on. Nothing orders the two.
    pub(crate) fn apply_deletes_last(&mut self, last: bool) {
        self.deletes_last = last;
    }

    /// Whether plans refresh, from now on.
    pub(crate) fn refresh_in_plans(&mut self, refreshes: bool) {
        self.refreshes = refreshes;
    }

    /// Adds an `action_trigger` to a resource, whose configuration may refer to `${caller.NAME}`.
    pub(crate) fn trigger(&mut self, event: Trigger, type_name: &str, name: &str, action: &str, config: Json) {
        let (address, action) = (Address::new(type_name, name), action.to_owned());
        self.triggers.push(walk::Trigger { address, event, action, config });
    }

    /// Interrupts the next apply, action or read of a data source, as Ctrl-C does, as soon as `event` has happened; or, where
    /// they come next, a plan by itself, a refresh, import or list.
    pub(crate) fn interrupt_when(&mut self, event: impl Future<Output = ()> + 'static) {
        self.interrupt = Some(Box::pin(event));
    }

    /// Kills core and provider in the next apply as soon as `event` has happened: what is under way is in no state.
    pub(crate) fn kill_when(&mut self, event: impl Future<Output = ()> + 'static) {
        self.kill = Some(Box::pin(event));
    }

    /// Lets another provider do something in the next apply, by a resource that this one depends on.
    pub(crate) fn apply_before(&mut self, type_name: &str, name: &str, work: impl Future<Output = ()> + 'static) {
        self.others.push((Address::new(type_name, name), Box::pin(work)));
    }

    // Commands about one resource. Others in the state are left alone.

    /// Validates one resource's configuration.
    pub(crate) async fn validate(&mut self, type_name: &str, name: &str, config: Json) -> Diagnostics {
        self.validate_all(&[resource(type_name, name, config)]).await
    }

    /// Plans one resource.
    pub(crate) async fn plan(&mut self, type_name: &str, name: &str, config: Json) -> Plan {
        let interrupt = self.interrupt.take();
        self.plan_these(vec![resource(type_name, name, config)], Vec::new(), interrupt).await
    }

    /// Plans one resource and applies the plan.
    pub(crate) async fn apply(&mut self, type_name: &str, name: &str, config: Json) -> Report {
        self.apply_one(resource(type_name, name, config)).await
    }

    /// Plans one resource and applies the plan.
    pub(crate) async fn apply_one(&mut self, resource: Resource) -> Report {
        let resources = vec![resource];
        let diagnostics = self.validate_all(&resources).await;
        if diagnostics.has_errors() {
            return Report { diagnostics, changes: Vec::new() };
        }
        let plan = self.plan_these(resources, Vec::new(), None).await;
        self.apply_saved(plan).await
    }

    /// Destroys one resource: refreshes it in one process, plans in another and applies in a third.
    pub(crate) async fn destroy(&mut self, type_name: &str, name: &str) -> Report {
        let address = Address::new(type_name, name);
        assert!(self.state.has(&address), "{address} is not in the state");
        self.destroy_these(vec![address]).await
    }

    // Commands about everything.

    /// Validates a whole configuration.
    pub(crate) async fn validate_all(&mut self, resources: &[Resource]) -> Diagnostics {
        let session = self.session().await;
        let diagnostics = self.walk_validate(&session, resources).await;
        self.leave(session).await;
        diagnostics
    }

    /// Plans a whole configuration: what is in the state and not in it is to be destroyed.
    pub(crate) async fn plan_all(&mut self, resources: Vec<Resource>) -> Plan {
        let interrupt = self.interrupt.take();
        self.plan_everything(resources, interrupt).await
    }

    /// Plans a whole configuration and applies the plan.
    pub(crate) async fn apply_all(&mut self, resources: Vec<Resource>) -> Report {
        let diagnostics = self.validate_all(&resources).await;
        if diagnostics.has_errors() {
            return Report { diagnostics, changes: Vec::new() };
        }
        let plan = self.plan_everything(resources, None).await;
        self.apply_saved(plan).await
    }

    /// Destroys everything in the state.
    pub(crate) async fn destroy_all(&mut self) -> Report {
        let addresses = self.state.addresses();
        self.destroy_these(addresses).await
    }

    /// Refreshes everything in the state and stores what was found.
    pub(crate) async fn refresh(&mut self) -> Report {
        let addresses = self.state.addresses();
        let (interrupt, session) = (self.interrupt.take(), self.session().await);
        let (report, state) = session.interruptible(interrupt, self.walk_refresh(&session, addresses)).await;
        self.leave(session).await;
        self.state = state;
        self.note_report(&report);
        report
    }

    /// Applies a saved plan, in a process of its own. A plan with errors is not applied. What was killed reports nothing.
    pub(crate) async fn apply_saved(&mut self, plan: Plan) -> Report {
        if plan.report.diagnostics.has_errors() {
            return plan.report;
        }
        self.state = plan.state;
        let session = self.session().await;
        match self.walk_apply(&session, plan.resources, plan.planned, plan.report).await {
            Some(report) => {
                self.leave(session).await;
                self.note_report(&report);
                report
            }
            None => {
                session.kill().await;
                Report { diagnostics: Diagnostics::default(), changes: Vec::new() }
            }
        }
    }

    // The state.

    /// A resource's object as JSON, null if there is none.
    pub(crate) fn state(&self, type_name: &str, name: &str) -> Json {
        self.state.json(&Address::new(type_name, name))
    }

    /// A resource's identity as JSON, null if there is none.
    pub(crate) fn identity(&self, type_name: &str, name: &str) -> Json {
        self.state.identity_json(&Address::new(type_name, name))
    }

    /// A resource's object as the state file has it.
    #[track_caller]
    pub(crate) fn stored(&mut self, type_name: &str, name: &str) -> &mut Stored {
        self.state.current_mut(&Address::new(type_name, name))
    }

    /// Writes an object into the state as an older version of the provider might have left it.
    pub(crate) fn store(&mut self, type_name: &str, name: &str, stored: Stored) {
        self.state.set(Address::new(type_name, name), Some(stored));
    }

    /// Forgets a resource: `removed { lifecycle { destroy = false } }`, which does not call the provider.
    pub(crate) fn forget(&mut self, type_name: &str, name: &str) {
        self.state.set(Address::new(type_name, name), None);
    }

    /// Adds a deposed object: one that was replaced under `create_before_destroy` and is still to be destroyed.
    pub(crate) fn add_deposed(&mut self, type_name: &str, name: &str, stored: Stored) {
        self.state.set_deposed(Address::new(type_name, name), vec![stored]);
    }

    /// Moves a resource to another name: a `moved` block within a type.
    pub(crate) fn rename(&mut self, type_name: &str, from: &str, to: &str) {
        self.state.rename(&Address::new(type_name, from), Address::new(type_name, to));
    }

    /// Marks a resource's object as in need of replacement.
    pub(crate) fn taint(&mut self, type_name: &str, name: &str) {
        self.stored(type_name, name).tainted = true;
    }

    /// `terraform import`: imports an object, reads it and stores it.
    pub(crate) async fn import(&mut self, type_name: &str, name: &str, from: ImportFrom) -> Report {
        let (interrupt, session) = (self.interrupt.take(), self.session().await);
        let address = Address::new(type_name, name);
        let report = session.interruptible(interrupt, self.walk_import(&session, address, from)).await;
        self.leave(session).await;
        self.note_report(&report);
        report
    }

    /// A `moved` block from another resource type, as Terraform does it: the provider is not configured.
    pub(crate) async fn move_from(&mut self, type_name: &str, name: &str, from: MoveFrom) -> Diagnostics {
        let session = self.session().await;
        let catalog = self.catalog(&session).await;
        assert!(catalog.capabilities.move_resource_state, "the provider does not move states");
        let ty = catalog.resource(type_name);
        let (object, diagnostics) = session.move_state(type_name, ty, &from).await;
        self.leave(session).await;
        if let Some(object) = object {
            self.state.set(Address::new(type_name, name), Some(Stored::new(ty, &object, Vec::new())));
        }
        self.note(&diagnostics);
        diagnostics
    }

    // Data sources and functions.

    /// Reads a data source. The data is null if there are errors.
    pub(crate) async fn read_data(&mut self, type_name: &str, config: Json) -> (Json, Diagnostics) {
        let session = self.session().await;
        let catalog = self.catalog(&session).await;
        let block =
            catalog.data_sources.get(type_name).unwrap_or_else(|| panic!("there is no data source {type_name}"));
        let config = value::config_of(block, &config).unwrap_or_else(|why| panic!("core refuses {type_name}: {why}"));
        let mut diagnostics = self.configure_session(&session, false).await;
        let mut data = Json::Null;
        if !diagnostics.has_errors() {
            let work = session.read_data(type_name, block, &config);
            let (value, more) = session.interruptible(self.interrupt.take(), work).await;
            diagnostics.0.extend(more.0);
            data = value::to_json(&value);
        }
        self.leave(session).await;
        self.note(&diagnostics);
        self.transcript.push_str(&format!("{data}\n"));
        (data, diagnostics)
    }

    /// Calls a function, in an unconfigured process as Terraform does.
    pub(crate) async fn call(&mut self, name: &str, arguments: &[Json]) -> Result<Json, FunctionError> {
        let session = self.session().await;
        let catalog = self.catalog(&session).await;
        let function = catalog.functions.get(name).unwrap_or_else(|| panic!("there is no function {name}"));
        let fixed = function.parameters.len();
        let count_fits = if function.variadic.is_some() { arguments.len() >= fixed } else { arguments.len() == fixed };
        assert!(count_fits, "core refuses to call {name} with {} arguments", arguments.len());
        let encoded = arguments.iter().enumerate().map(|(index, json)| {
            let parameter = function.parameters.get(index).or(function.variadic.as_ref()).expect("a parameter");
            let value = value::value_of(&parameter.ty, json, &Path::default())
                .unwrap_or_else(|why| panic!("core refuses argument {index} of {name}: {why}"));
            assert!(parameter.allow_null || !value.is_null(), "core refuses null for argument {index} of {name}");
            assert!(parameter.allow_unknown || value.is_wholly_known(), "core does not call {name} yet");
            encode(&value::canonical(value, &parameter.ty), &parameter.ty)
        });
        let encoded: Vec<Option<DynamicValue>> = encoded.collect();
        let first = session.call(name, encoded.clone(), &function.returns).await;
        let second = session.call(name, encoded, &function.returns).await;
        assert_eq!(first, second, "function {name} returned an inconsistent result");
        self.leave(session).await;
        first.map(|value| value::to_json(&value))
    }

    /// The most memory that the one process of this directory has taken so far, in MiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.process.as_ref().expect("one process for all walks").peak_memory()
    }

    /// Everything that was logged, said, planned and stored so far, for tests that look for what must not be there.
    pub(crate) fn transcript(&self) -> String {
        format!("{}\n{:#?}", self.transcript, self.state)
    }

    // Processes.

    fn launch(&self) -> Launch {
        let launch = match &self.program {
            Some(program) => Plugin::launch().program(program),
            None => Plugin::launch(),
        };
        self.environment.iter().fold(launch, |launch, (name, value)| launch.env(name, value))
    }

    /// A process for one walk. The schema is asked for in the first one only, in a process of its own.
    async fn session(&mut self) -> Session {
        if let Some(session) = self.process.take() {
            return session;
        }
        if self.catalog.is_none() && !self.one_process {
            let session = Session::start(self.launch()).await;
            self.catalog(&session).await;
            self.end(session).await;
        }
        let mut session = Session::start(self.launch()).await;
        session.engine_version.clone_from(&self.engine_version);
        let catalog = self.catalog(&session).await;
        if !catalog.capabilities.get_provider_schema_optional {
            session.catalog().await;
        }
        session
    }

    async fn catalog(&mut self, session: &Session) -> Arc<Catalog> {
        if self.catalog.is_none() {
            self.catalog = Some(Arc::new(session.catalog().await));
        }
        self.catalog.clone().expect("a catalog that was just read")
    }

    async fn leave(&mut self, session: Session) {
        if self.one_process {
            self.process = Some(session);
        } else {
            self.end(session).await;
        }
    }

    async fn end(&mut self, session: Session) {
        let log = session.end().await;
        self.transcript.push_str(&log);
        self.transcript.push('\n');
    }

    async fn configure_session(&mut self, session: &Session, applying: bool) -> Diagnostics {
        let catalog = self.catalog(session).await;
        let config = match value::config_of(&catalog.provider, &self.provider) {
            Ok(config) => config,
            Err(why) => panic!("core refuses the provider's configuration: {why}"),
        };
        assert!(!applying || config.is_wholly_known(), "an apply needs to know the provider's configuration");
        session.configure(&catalog, &config, applying).await
    }

    // Walks over parts of the configuration and the state.

    async fn plan_everything(&mut self, resources: Vec<Resource>, interrupt: Option<Event>) -> Plan {
        let configured: Vec<_> = resources.iter().map(|resource| resource.address.clone()).collect();
        let gone = self.state.addresses().into_iter().filter(|address| !configured.contains(address)).collect();
        self.plan_these(resources, gone, interrupt).await
    }

    async fn plan_these(&mut self, resources: Vec<Resource>, gone: Vec<Address>, interrupt: Option<Event>) -> Plan {
        let (session, refreshes) = (self.session().await, self.refreshes);
        let plan = session.interruptible(interrupt, self.walk_plan(&session, resources, gone, refreshes)).await;
        self.leave(session).await;
        self.note_report(&plan.report);
        plan
    }

    async fn destroy_these(&mut self, addresses: Vec<Address>) -> Report {
        let session = self.session().await;
        let (report, state) = self.walk_refresh(&session, addresses.clone()).await;
        self.leave(session).await;
        if report.diagnostics.has_errors() {
            return report;
        }
        self.state = state;
        let gone = addresses.into_iter().filter(|address| self.state.has(address)).collect();
        let session = self.session().await;
        let plan = self.walk_plan(&session, Vec::new(), gone, false).await;
        self.leave(session).await;
        self.note_report(&plan.report);
        self.apply_saved(plan).await
    }

    fn note(&mut self, diagnostics: &Diagnostics) {
        self.transcript.push_str(&format!("{diagnostics}\n"));
    }

    fn note_report(&mut self, report: &Report) {
        self.transcript.push_str(&format!("{report:#?}\n"));
    }
}

/// The configuration of a resource as core sees it, or the test fails.
#[track_caller]
fn decode_config(catalog: &Catalog, address: &Address, config: &Json) -> Value {
    let block = &catalog.resource(&address.type_name).block;
    value::config_of(block, config).unwrap_or_else(|why| panic!("core refuses the configuration of {address}: {why}"))
}
