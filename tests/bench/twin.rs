//! The twin of the provider: its schemas, and of one kind of resource the objects that a run of the provider left in a state
//! file (`TWIN_STATE`), with the same values, identities and private data. It works nothing out and asks nobody, so that
//! what an engine takes with it is what this schema and these bytes cost whatever a provider does. An object is found by its
//! `principal_id`.

use std::{collections::HashMap, fs, process::ExitCode, sync::OnceLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use foundryhub::{
    framework::{
        Diagnostic, Diagnostics, Type, Value,
        any_resource::{AnyResource, Change, ErasedOutcome, PlannedChange},
        context::Context,
        erased::{Answer, Described},
        json,
        resource::{ImportTarget, MoveSource},
        schema::{IdentitySchema, Schema},
        server::Provider,
        walk::Key,
    },
    plugin, provider, wire,
};
use serde_json::Value as Json;

const PLUGIN: plugin::Config = plugin::Config {
    magic_cookie: ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"),
    protocol_version: 6,
    provider_addresses: &["registry.terraform.io/foundryhub/foundryhub", "registry.opentofu.org/foundryhub/foundryhub"],
    reattach_variable: "TF_REATTACH_PROVIDERS",
};

/// What stands for the role in an identity.
const ROLE: &str = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1";

/// An object of the state file.
struct Recorded {
    state: Value,
    identity: Value,
    private: Vec<u8>,
}

struct Twin(provider::Provider);

impl Provider for Twin {
    type Client = ();

    fn troubleshooting(&self) -> &'static str {
        self.0.troubleshooting()
    }

    fn schema(&self) -> Schema {
        self.0.schema()
    }

    fn validate(&self, _config: &Value) -> Diagnostics {
        Diagnostics::default()
    }

    async fn configure(&self, _config: &Value, _engine_version: &str) -> (Option<()>, Diagnostics) {
        (Some(()), Diagnostics::default())
    }

    fn resources(&self) -> Vec<Box<dyn AnyResource<()>>> {
        let resources = self.0.resources().into_iter();
        resources.map(|original| Box::new(Objects { original, recorded: OnceLock::new() }) as _).collect()
    }
}

/// A type of resource whose objects are those of the state file.
struct Objects {
    original: Box<dyn AnyResource<provider::Session>>,
    recorded: OnceLock<HashMap<String, Recorded>>,
}

impl Objects {
    fn recorded(&self, config: &Value) -> &Recorded {
        let recorded = self.recorded.get_or_init(|| self.read());
        &recorded[config.get("principal_id").as_str().expect("a principal_id that is known")]
    }

    fn read(&self) -> HashMap<String, Recorded> {
        let file = std::env::var("TWIN_STATE").expect("TWIN_STATE names the state of a run of the provider");
        let state: Json = serde_json::from_slice(&fs::read(file).expect("a state")).expect("JSON");
        let resources = state["resources"].as_array().into_iter().flatten().filter(|each| each["type"] == self.name());
        let object = |object: &Json| {
            let (state, _) = self.upgrade(0, object["attributes"].to_string().as_bytes());
            let private = STANDARD.decode(object["private"].as_str().unwrap_or_default()).expect("base64");
            let recorded = Recorded { identity: self.identity_of(&state), state, private };
            (recorded.state.get("principal_id").as_str().unwrap_or_default().to_owned(), recorded)
        };
        resources.flat_map(|resource| resource["instances"].as_array().into_iter().flatten()).map(object).collect()
    }

    /// An identity of the schema's shape. Engines before 1.12 keep none in the state.
    fn identity_of(&self, state: &Value) -> Value {
        let member = |name: &'static str| match state.get(name) {
            Value::Null => (name, ROLE.into()),
            value => (name, value.clone()),
        };
        Value::object(self.identity_schema().attributes.iter().map(|attribute| member(attribute.name)))
    }
}

impl Described for Objects {
    fn name(&self) -> &'static str {
        self.original.name()
    }

    fn schema(&self) -> &Schema {
        self.original.schema()
    }

    fn ty(&self) -> &Type {
        self.original.ty()
    }

    fn validate(&self, _config: Value) -> Diagnostics {
        Diagnostics::default()
    }
}

impl AnyResource<()> for Objects {
    fn identity_schema(&self) -> &IdentitySchema {
        self.original.identity_schema()
    }

    fn identity_may_change(&self) -> bool {
        true
    }

    fn keys(&self, _state: Value) -> Vec<Key> {
        Vec::new()
    }

    fn upgrade(&self, _version: i64, text: &[u8]) -> (Value, Diagnostics) {
        (json::decode(text, self.ty()).expect("a state of this schema"), Diagnostics::default())
    }

    fn plan(&self, _context: Context<()>, change: Change) -> Answer<'_, PlannedChange> {
        Box::pin(async move {
            let (state, identity, private) = match &change.config {
                Value::Null => (Value::Null, Value::Null, Vec::new()),
                config => {
                    let Recorded { state, identity, private } = self.recorded(config);
                    (state.clone(), identity.clone(), private.clone())
                }
            };
            PlannedChange {
                state,
                identity,
                private,
                requires_replace: Vec::new(),
                diagnostics: Diagnostics::default(),
            }
        })
    }

    fn apply(&self, _context: Context<()>, change: Change, planned: Value) -> Answer<'_, ErasedOutcome> {
        Box::pin(async move {
            let identity = match &planned {
                Value::Null => Value::Null,
                planned => self.recorded(planned).identity.clone(),
            };
            let private = change.private;
            ErasedOutcome { state: planned, identity, private, diagnostics: Diagnostics::default() }
        })
    }

    fn read(&self, _context: Context<()>, state: Value, private: Vec<u8>) -> Answer<'_, ErasedOutcome> {
        Box::pin(async move {
            let identity = self.recorded(&state).identity.clone();
            ErasedOutcome { state, identity, private, diagnostics: Diagnostics::default() }
        })
    }

    fn import(&self, _context: Context<()>, _target: ImportTarget<Value>) -> Answer<'_, ErasedOutcome> {
        Box::pin(async { nothing("The twin imports nothing") })
    }

    fn configuration(&self, state: Value) -> (Value, Diagnostics) {
        (state, Diagnostics::default())
    }

    fn move_state(&self, _source: &MoveSource) -> ErasedOutcome {
        nothing("Nothing becomes an object of the twin")
    }
}

fn nothing(summary: &'static str) -> ErasedOutcome {
    let diagnostics = Diagnostic::error(summary, "It is there to be measured.").into();
    ErasedOutcome { state: Value::Null, identity: Value::Null, private: Vec::new(), diagnostics }
}

fn main() -> ExitCode {
    let runtime = plugin::runtime().expect("a runtime");
    let twin = Twin(provider::Provider::new(|_| None));
    let served = runtime.block_on(plugin::serve(&PLUGIN, wire::routes(twin)));
    runtime.shutdown_background();
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
