//! One process of the provider, called as core calls it: every answer is decoded, and refused where core would refuse
//! it.

use foundryhub::{
    framework::{Name, Path, Step, Type, Value},
    wire::msgpack,
};
use tonic::{Response, Status, transport::Channel};

use super::{
    check,
    report::{Diagnostic, Diagnostics},
    schema::{Block, Catalog, ResourceType},
    value::canonical,
};
use crate::docs::troubleshooting;
use crate::support::{
    plugin::{Launch, Plugin, within},
    tfplugin6::{
        self as proto, ClientCapabilities, DynamicValue, RawState, ResourceIdentityData, apply_resource_change,
        attribute_path::step::Selector, call_function, configure_provider, diagnostic::Severity, get_provider_schema,
        get_resource_identity_schemas, import_resource_state, move_resource_state, plan_resource_change,
        provider_client::ProviderClient, read_data_source, read_resource, stop_provider, upgrade_resource_identity,
        upgrade_resource_state, validate_data_resource_config, validate_provider_config, validate_resource_config,
    },
};

/// The version that core gives for itself.
pub(crate) const VERSION: &str = "1.15.5";

/// What core keeps of a managed object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Object {
    pub(crate) value: Value,
    pub(crate) private: Vec<u8>,
    pub(crate) identity: Option<Value>,
    pub(crate) tainted: bool,
}

/// What a plan starts from.
pub(crate) struct Question<'v> {
    /// Null for a create.
    pub(crate) prior: &'v Value,
    /// Null for a destroy.
    pub(crate) proposed: &'v Value,
    pub(crate) config: &'v Value,
    /// The prior object's; in the second plan of a replacement what the first one planned.
    pub(crate) private: &'v [u8],
    pub(crate) identity: Option<&'v Value>,
}

/// A provider's answer to PlanResourceChange.
#[derive(Debug, Clone)]
pub(crate) struct PlannedChange {
    pub(crate) value: Value,
    pub(crate) private: Vec<u8>,
    pub(crate) identity: Option<Value>,
    pub(crate) requires_replace: Vec<Path>,
}

/// A stored object as UpgradeResourceState receives it.
#[derive(Debug, Clone)]
pub(crate) struct Raw {
    pub(crate) version: i64,
    pub(crate) json: String,
    pub(crate) identity: Option<(i64, String)>,
    pub(crate) private: Vec<u8>,
    pub(crate) tainted: bool,
}

/// Where an import finds its object.
#[derive(Debug, Clone)]
pub(crate) enum ImportFrom {
    Id(String),
    Identity(serde_json::Value),
}

/// An object of another resource type, to be moved.
#[derive(Debug, Clone)]
pub(crate) struct MoveFrom {
    pub(crate) provider_address: String,
    pub(crate) type_name: String,
    pub(crate) schema_version: i64,
    pub(crate) state: serde_json::Value,
    pub(crate) private: Vec<u8>,
    pub(crate) identity: Option<serde_json::Value>,
}

pub(crate) struct Session {
    plugin: Plugin,
    channel: Channel,
    client: ProviderClient<Channel>,
    /// The engine's version, as the provider hears it.
    pub(crate) engine_version: String,
}

impl Session {
    pub(crate) async fn start(launch: Launch) -> Self {
        let plugin = launch.start().await;
        let channel = plugin.connect().await;
        let client = ProviderClient::new(channel.clone())
            .max_decoding_message_size(usize::MAX)
            .max_encoding_message_size(usize::MAX);
        Self { plugin, channel, client, engine_version: VERSION.to_owned() }
    }

    /// Ends the process as core does. Returns what it wrote to standard error.
    pub(crate) async fn end(mut self) -> String {
        let status = self.plugin.shut_down().await;
        let log = self.plugin.stderr().to_end().await.join("\n");
        assert!(status.success(), "the provider ended with {status}\n{log}");
        log
    }

    /// Kills the process, which learns nothing of it.
    pub(crate) async fn kill(mut self) {
        self.plugin.signal("KILL").await;
        self.plugin.exited().await;
    }

    /// The most memory that the process has taken so far, in MiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.plugin.pid())).expect("a process");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak of resident memory");
        peak.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
    }

    /// The connection, for messages that core would not send.
    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// The client, for calls that core would not make.
    pub(crate) fn client(&self) -> ProviderClient<Channel> {
        self.client.clone()
    }

    // What the provider is.

    pub(crate) async fn catalog(&self) -> Catalog {
        let schemas = self.client().get_provider_schema(get_provider_schema::Request {}).await;
        let mut schemas = self.answer("GetProviderSchema", schemas);
        let diagnostics = self.diagnostics("GetProviderSchema", &mut schemas.diagnostics, None);
        assert!(!diagnostics.has_errors(), "the provider has no schema:\n{diagnostics}");
        let identities = self.client().get_resource_identity_schemas(get_resource_identity_schemas::Request {}).await;
        let identities = match identities {
            Err(status) if status.code() == tonic::Code::Unimplemented => Default::default(),
            identities => self.answer("GetResourceIdentitySchemas", identities),
        };
        Catalog::load(schemas, identities)
    }

    // The provider's configuration.

    pub(crate) async fn validate_provider(&self, catalog: &Catalog, config: &Value) -> Diagnostics {
        let config = encode(config, &catalog.provider.ty());
        let answer = self.client().validate_provider_config(validate_provider_config::Request { config }).await;
        let mut answer = self.answer("ValidateProviderConfig", answer);
        self.diagnostics("ValidateProviderConfig", &mut answer.diagnostics, Some(&catalog.provider))
    }

    /// Configures the provider for one walk. Terraform says during an apply that it could defer, though it cannot.
    pub(crate) async fn configure(&self, catalog: &Catalog, config: &Value, applying: bool) -> Diagnostics {
        let mut diagnostics = self.validate_provider(catalog, config).await;
        if diagnostics.has_errors() {
            return diagnostics;
        }
        let request = configure_provider::Request {
            terraform_version: self.engine_version.clone(),
            config: encode(config, &catalog.provider.ty()),
            client_capabilities: Some(ClientCapabilities {
                deferral_allowed: applying,
                ..ClientCapabilities::default()
            }),
        };
        let answer = within("ConfigureProvider", self.client().configure_provider(request)).await;
        let mut answer = self.answer("ConfigureProvider", answer);
        diagnostics.0.extend(self.diagnostics("ConfigureProvider", &mut answer.diagnostics, Some(&catalog.provider)).0);
        diagnostics
    }

    // Managed resources.

    pub(crate) async fn validate_resource(&self, name: &str, ty: &ResourceType, config: &Value) -> Diagnostics {
        let request = validate_resource_config::Request {
            type_name: name.to_owned(),
            config: encode(config, &ty.block.ty()),
            client_capabilities: Some(ClientCapabilities::default()),
        };
        let answer = within("ValidateResourceConfig", self.client().validate_resource_config(request)).await;
        let mut answer = self.answer("ValidateResourceConfig", answer);
        self.diagnostics(&format!("ValidateResourceConfig {name}"), &mut answer.diagnostics, Some(&ty.block))
    }

    /// Reads a stored object. `None` when the provider refuses it.
    pub(crate) async fn upgrade(&self, name: &str, ty: &ResourceType, raw: &Raw) -> (Option<Object>, Diagnostics) {
        assert!(raw.version <= ty.version, "{name}: the state was written by a newer provider");
        let rpc = format!("UpgradeResourceState {name}");
        let request = upgrade_resource_state::Request {
            type_name: name.to_owned(),
            version: raw.version,
            raw_state: Some(RawState { json: raw.json.clone().into_bytes(), ..RawState::default() }),
        };
        let answer = within(&rpc, self.client().upgrade_resource_state(request)).await;
        let mut answer = self.answer(&rpc, answer);
        let mut diagnostics = self.diagnostics(&rpc, &mut answer.diagnostics, None);
        if diagnostics.has_errors() {
            return (None, diagnostics);
        }
        let value = self.decode(&rpc, answer.upgraded_state, &ty.block.ty());
        self.refuse_if(&rpc, "the upgraded state is null", value.is_null());
        self.refuse_if(&rpc, "the upgraded state has unknown values", !value.is_wholly_known());
        let (identity, more) = self.upgrade_identity(name, ty, raw).await;
        diagnostics.0.extend(more.0);
        let object = Object { value, private: raw.private.clone(), identity, tainted: raw.tainted };
        (Some(object), diagnostics)
    }

    async fn upgrade_identity(&self, name: &str, ty: &ResourceType, raw: &Raw) -> (Option<Value>, Diagnostics) {
        let Some(identity) = &ty.identity else { return (None, Diagnostics::default()) };
        let (version, json) = raw.identity.clone().unwrap_or_default();
        if version == identity.version {
            let read = (!json.is_empty()).then(|| read_json(&json, &identity.ty));
            return (read, Diagnostics::default());
        }
        let rpc = format!("UpgradeResourceIdentity {name}");
        let request = upgrade_resource_identity::Request {
            type_name: name.to_owned(),
            version,
            // Terraform asks even when it has nothing stored.
            raw_identity: Some(RawState { json: json.into_bytes(), ..RawState::default() }),
        };
        let answer = within(&rpc, self.client().upgrade_resource_identity(request)).await;
        let mut answer = self.answer(&rpc, answer);
        let diagnostics = self.diagnostics(&rpc, &mut answer.diagnostics, None);
        (self.identity(&rpc, ty, answer.upgraded_identity), diagnostics)
    }

    /// Refreshes an object: `None` when it is gone. With errors the object stays what it was.
    pub(crate) async fn read(&self, name: &str, ty: &ResourceType, object: Object) -> (Option<Object>, Diagnostics) {
        let rpc = format!("ReadResource {name}");
        let request = read_resource::Request {
            type_name: name.to_owned(),
            current_state: encode(&object.value, &ty.block.ty()),
            private: object.private.clone(),
            provider_meta: None,
            client_capabilities: Some(ClientCapabilities::default()),
            current_identity: encode_identity(ty, object.identity.as_ref()),
        };
        let answer = within(&rpc, self.client().read_resource(request)).await;
        let mut answer = self.answer(&rpc, answer);
        let diagnostics = self.diagnostics(&rpc, &mut answer.diagnostics, Some(&ty.block));
        self.refuse_if(&rpc, "nothing was deferrable", answer.deferred.is_some());
        if diagnostics.has_errors() {
            return (Some(object), diagnostics);
        }
        let value = self.decode(&rpc, answer.new_state, &ty.block.ty());
        self.refuse_if(&rpc, "the refreshed state has unknown values", !value.is_wholly_known());
        if value.is_null() {
            return (None, diagnostics);
        }
        let identity = self.identity(&rpc, ty, answer.new_identity);
        self.refuse_missing_identity(&rpc, ty, identity.as_ref());
        (Some(Object { value, private: answer.private, identity, tainted: object.tainted }), diagnostics)
    }

    /// Plans. `None` when the provider refuses to.
    pub(crate) async fn plan(
        &self,
        name: &str,
        ty: &ResourceType,
        question: Question<'_>,
    ) -> (Option<PlannedChange>, Diagnostics) {
        let rpc = format!("PlanResourceChange {name}");
        let block = ty.block.ty();
        let request = plan_resource_change::Request {
            type_name: name.to_owned(),
            prior_state: encode(question.prior, &block),
            proposed_new_state: encode(question.proposed, &block),
            config: encode(question.config, &block),
            prior_private: question.private.to_vec(),
            client_capabilities: Some(ClientCapabilities::default()),
            prior_identity: encode_identity(ty, question.identity),
            ..plan_resource_change::Request::default()
        };
        let answer = within(&rpc, self.client().plan_resource_change(request)).await;
        let mut answer = self.answer(&rpc, answer);
        let diagnostics = self.diagnostics(&rpc, &mut answer.diagnostics, Some(&ty.block));
        self.refuse_if(&rpc, "legacy_type_system must stay false", answer.legacy_type_system);
        self.refuse_if(&rpc, "nothing was deferrable", answer.deferred.is_some());
        if diagnostics.has_errors() {
            return (None, diagnostics);
        }
        let value = self.decode(&rpc, answer.planned_state, &block);
        let requires_replace: Vec<Path> = answer.requires_replace.into_iter().map(path).collect();
        for path in &requires_replace {
            self.refuse_if(&rpc, &format!("requires_replace names {path}, which is nowhere"), !ty.block.has(path));
        }
        let identity = self.identity(&rpc, ty, answer.planned_identity);
        (Some(PlannedChange { value, private: answer.planned_private, identity, requires_replace }), diagnostics)
    }

    /// Applies. Returns what exists then; `None` for nothing.
    pub(crate) async fn apply(
        &self,
        name: &str,
        ty: &ResourceType,
        prior: &Value,
        planned: &PlannedChange,
        config: &Value,
    ) -> (Option<Object>, Diagnostics) {
        let rpc = format!("ApplyResourceChange {name}");
        let block = ty.block.ty();
        let request = apply_resource_change::Request {
            type_name: name.to_owned(),
            prior_state: encode(prior, &block),
            planned_state: encode(&planned.value, &block),
            config: encode(config, &block),
            planned_private: planned.private.clone(),
            provider_meta: None,
            planned_identity: encode_identity(ty, planned.identity.as_ref()),
        };
        let answer = within(&rpc, self.client().apply_resource_change(request)).await;
        let mut answer = self.answer(&rpc, answer);
        let diagnostics = self.diagnostics(&rpc, &mut answer.diagnostics, Some(&ty.block));
        self.refuse_if(&rpc, "legacy_type_system must stay false", answer.legacy_type_system);
        let value = self.decode(&rpc, answer.new_state, &block);
        let invalid = format!("{rpc}: provider returned invalid result object after apply");
        self.refuse_if(&invalid, "values are still unknown", !value.is_wholly_known());
        let failed = diagnostics.has_errors();
        if planned.value.is_null() {
            self.refuse_if(&invalid, "the object is still there after a delete", !failed && !value.is_null());
        } else if !failed {
            self.refuse_if(&invalid, "there is no object", value.is_null());
            let problems = check::result_problems(&ty.block, &planned.value, &value);
            self.refuse_all(&format!("{rpc}: provider produced inconsistent result after apply"), problems);
        }
        if value.is_null() {
            return (None, diagnostics);
        }
        let identity = self.identity(&rpc, ty, answer.new_identity);
        if !failed {
            self.refuse_missing_identity(&rpc, ty, identity.as_ref());
        }
        (Some(Object { value, private: answer.private, identity, tainted: false }), diagnostics)
    }

    /// Imports, without the read that follows.
    pub(crate) async fn import(
        &self,
        name: &str,
        ty: &ResourceType,
        from: &ImportFrom,
    ) -> (Option<Object>, Diagnostics) {
        let rpc = format!("ImportResourceState {name}");
        let identity = match from {
            ImportFrom::Id(_) => None,
            ImportFrom::Identity(json) => {
                let identity = ty.identity.as_ref().unwrap_or_else(|| panic!("{name} has no identity"));
                let missing = identity.required_for_import.iter().find(|required| json[required.as_str()].is_null());
                assert!(missing.is_none(), "core refuses this identity: {missing:?} is required");
                Some(read_json(&json.to_string(), &identity.ty))
            }
        };
        let request = import_resource_state::Request {
            type_name: name.to_owned(),
            id: if let ImportFrom::Id(id) = from { id.clone() } else { String::new() },
            client_capabilities: Some(ClientCapabilities::default()),
            identity: encode_identity(ty, identity.as_ref()),
        };
        let answer = within(&rpc, self.client().import_resource_state(request)).await;
        let mut answer = self.answer(&rpc, answer);
        let diagnostics = self.diagnostics(&rpc, &mut answer.diagnostics, None);
        self.refuse_if(&rpc, "nothing was deferrable", answer.deferred.is_some());
        if diagnostics.has_errors() {
            return (None, diagnostics);
        }
        let count = answer.imported_resources.len();
        self.refuse_if(&rpc, &format!("import returned {count} resources"), count != 1);
        let imported = answer.imported_resources.swap_remove(0);
        self.refuse_if(&rpc, &format!("import returned a {}", imported.type_name), imported.type_name != name);
        let value = self.decode(&rpc, imported.state, &ty.block.ty());
        self.refuse_if(&rpc, "the imported state is null", value.is_null());
        self.refuse_if(&rpc, "the imported state has unknown values", !value.is_wholly_known());
        let identity = self.identity(&rpc, ty, imported.identity);
        if matches!(from, ImportFrom::Identity(_)) {
            self.refuse_if(&rpc, "an import by identity returned none", identity.is_none());
        }
        (Some(Object { value, private: imported.private, identity, tainted: false }), diagnostics)
    }

    /// Moves an object of another type.
    pub(crate) async fn move_state(
        &self,
        name: &str,
        ty: &ResourceType,
        from: &MoveFrom,
    ) -> (Option<Object>, Diagnostics) {
        let rpc = format!("MoveResourceState {name}");
        let raw = |json: &serde_json::Value| RawState {
            json: serde_json::to_vec_pretty(json).unwrap(),
            ..RawState::default()
        };
        let request = move_resource_state::Request {
            source_provider_address: from.provider_address.clone(),
            source_type_name: from.type_name.clone(),
            source_schema_version: from.schema_version,
            source_state: Some(raw(&from.state)),
            target_type_name: name.to_owned(),
            source_private: from.private.clone(),
            source_identity: from.identity.as_ref().map(raw),
            source_identity_schema_version: 0,
        };
        let answer = within(&rpc, self.client().move_resource_state(request)).await;
        let mut answer = self.answer(&rpc, answer);
        let diagnostics = self.diagnostics(&rpc, &mut answer.diagnostics, None);
        if diagnostics.has_errors() {
            return (None, diagnostics);
        }
        let value = self.decode(&rpc, answer.target_state, &ty.block.ty());
        self.refuse_if(&rpc, "the moved state is null", value.is_null());
        self.refuse_if(&rpc, "the moved state has unknown values", !value.is_wholly_known());
        let identity = self.identity(&rpc, ty, answer.target_identity);
        (Some(Object { value, private: answer.target_private, identity, tainted: false }), diagnostics)
    }

    // Data sources and functions.

    pub(crate) async fn read_data(&self, name: &str, block: &Block, config: &Value) -> (Value, Diagnostics) {
        let config = encode(config, &block.ty());
        let request = validate_data_resource_config::Request { type_name: name.to_owned(), config: config.clone() };
        let answer = within("ValidateDataResourceConfig", self.client().validate_data_resource_config(request)).await;
        let mut answer = self.answer("ValidateDataResourceConfig", answer);
        let rpc = format!("ValidateDataResourceConfig {name}");
        let mut diagnostics = self.diagnostics(&rpc, &mut answer.diagnostics, Some(block));
        if diagnostics.has_errors() {
            return (Value::Null, diagnostics);
        }
        let rpc = format!("ReadDataSource {name}");
        let request = read_data_source::Request {
            type_name: name.to_owned(),
            config,
            provider_meta: None,
            client_capabilities: Some(ClientCapabilities::default()),
        };
        let answer = within(&rpc, self.client().read_data_source(request)).await;
        let mut answer = self.answer(&rpc, answer);
        diagnostics.0.extend(self.diagnostics(&rpc, &mut answer.diagnostics, Some(block)).0);
        if diagnostics.has_errors() {
            return (Value::Null, diagnostics);
        }
        let value = self.decode(&rpc, answer.state, &block.ty());
        self.refuse_if(&rpc, "the data is null", value.is_null());
        self.refuse_if(&rpc, "the data has unknown values", !value.is_wholly_known());
        (value, diagnostics)
    }

    pub(crate) async fn call(
        &self,
        name: &str,
        arguments: Vec<Option<DynamicValue>>,
        returns: &Type,
    ) -> Result<Value, proto::FunctionError> {
        let rpc = format!("CallFunction {name}");
        let arguments = arguments.into_iter().map(Option::unwrap_or_default).collect();
        let request = call_function::Request { name: name.to_owned(), arguments };
        let answer = within(&rpc, self.client().call_function(request)).await;
        let answer = self.answer(&rpc, answer);
        match answer.error {
            Some(error) => Err(error),
            None => Ok(self.decode(&rpc, answer.result, returns)),
        }
    }

    /// Asks for what is running to end soon.
    pub(crate) async fn stop(&self) {
        let answer = within("StopProvider", self.client().stop_provider(stop_provider::Request {})).await;
        self.answer("StopProvider", answer);
    }

    /// Does the work, and asks for its end where the event comes first.
    pub(super) async fn interruptible<T>(
        &self,
        interrupt: Option<impl Future<Output = ()>>,
        work: impl Future<Output = T>,
    ) -> T {
        let Some(event) = interrupt else { return work.await };
        tokio::pin!(work);
        tokio::select! {
            done = &mut work => done,
            () = event => {
                self.stop().await;
                work.await
            }
        }
    }

    // Answers.

    #[track_caller]
    pub(super) fn answer<T>(&self, rpc: &str, answer: Result<Response<T>, Status>) -> T {
        self.message(rpc, answer).into_inner()
    }

    /// A message of a stream, or of an answer.
    #[track_caller]
    pub(super) fn message<T>(&self, rpc: &str, message: Result<T, Status>) -> T {
        match message {
            Ok(message) => message,
            Err(status) => self.refuse(rpc, &format!("plugin error: {:?} {}", status.code(), status.message())),
        }
    }

    #[track_caller]
    fn refuse(&self, what: &str, why: &str) -> ! {
        panic!("{what}: {why}\nThe provider's log:\n{}", self.plugin.stderr().text())
    }

    #[track_caller]
    pub(super) fn refuse_if(&self, what: &str, why: &str, wrong: bool) {
        if wrong {
            self.refuse(what, why);
        }
    }

    /// Fails the test if there are problems.
    #[track_caller]
    pub(crate) fn refuse_all(&self, what: &str, problems: Vec<String>) {
        self.refuse_if(what, &format!("\n  {}", problems.join("\n  ")), !problems.is_empty());
    }

    #[track_caller]
    pub(super) fn decode(&self, rpc: &str, value: Option<DynamicValue>, ty: &Type) -> Value {
        let bytes = value.unwrap_or_default();
        self.refuse_if(rpc, "an answer in JSON", !bytes.json.is_empty());
        if bytes.msgpack.is_empty() {
            return Value::Null;
        }
        match msgpack::decode(&bytes.msgpack, ty) {
            Ok(value) => canonical(value, ty),
            Err(error) => self.refuse(rpc, &format!("the answer does not conform to the schema: {error}")),
        }
    }

    #[track_caller]
    pub(super) fn identity(
        &self,
        rpc: &str,
        ty: &ResourceType,
        identity: Option<ResourceIdentityData>,
    ) -> Option<Value> {
        let data = identity?;
        let Some(identity) = &ty.identity else { self.refuse(rpc, "an identity for a type that has none") };
        let value = self.decode(rpc, data.identity_data, &identity.ty);
        (!value.is_null()).then_some(value)
    }

    #[track_caller]
    pub(super) fn refuse_missing_identity(&self, rpc: &str, ty: &ResourceType, identity: Option<&Value>) {
        if ty.identity.is_some() {
            self.refuse_if(rpc, "missing resource identity", identity.is_none());
            let known = identity.is_some_and(Value::is_wholly_known);
            self.refuse_if(rpc, "the identity has unknown values", !known);
        }
    }

    #[track_caller]
    pub(super) fn diagnostics(
        &self,
        from: &str,
        answered: &mut Vec<proto::Diagnostic>,
        block: Option<&Block>,
    ) -> Diagnostics {
        let read = |diagnostic: proto::Diagnostic| {
            let severity = diagnostic.severity();
            let path = diagnostic.attribute.map(path).unwrap_or_default();
            self.refuse_if(from, "a diagnostic is neither error nor warning", severity == Severity::Invalid);
            self.refuse_if(from, "a diagnostic has no summary", diagnostic.summary.is_empty());
            let detail = troubleshooting::without_link(&diagnostic.summary, &diagnostic.detail);
            let detail = detail.unwrap_or_else(|why| self.refuse(from, &why)).to_owned();
            if let Some(block) = block {
                self.refuse_if(from, &format!("a diagnostic is about {path}, which is nowhere"), !block.has(&path));
            }
            Diagnostic {
                is_error: severity == Severity::Error,
                summary: diagnostic.summary,
                detail,
                path: path.to_string(),
                from: from.to_owned(),
            }
        };
        Diagnostics(answered.drain(..).map(read).collect())
    }
}

pub(crate) fn encode(value: &Value, ty: &Type) -> Option<DynamicValue> {
    Some(DynamicValue { msgpack: msgpack::encode(value, ty), json: Vec::new() })
}

fn encode_identity(ty: &ResourceType, identity: Option<&Value>) -> Option<ResourceIdentityData> {
    Some(ResourceIdentityData { identity_data: encode(identity?, &ty.identity.as_ref()?.ty) })
}

/// An identity from its JSON; members left out are null.
fn read_json(json: &str, ty: &Type) -> Value {
    let Type::Object(members) = ty else { panic!("an identity is an object") };
    let json: serde_json::Value = serde_json::from_str(json).expect("an identity in JSON");
    let member = |(name, ty): (&Name, &Type)| {
        let value = super::value::value_of(ty, &json[name.as_ref()], &Path::root(name.as_ref()));
        (name.clone(), value.unwrap_or_else(|problem| panic!("core refuses this identity: {problem}")))
    };
    Value::Map(members.iter().map(member).collect())
}

fn path(path: proto::AttributePath) -> Path {
    let step = |step: proto::attribute_path::Step| match step.selector.expect("a step that selects something") {
        Selector::AttributeName(name) => Step::Attribute(name),
        Selector::ElementKeyString(key) => Step::Key(key),
        Selector::ElementKeyInt(index) => Step::Index(index),
    };
    Path(path.steps.into_iter().map(step).collect())
}
