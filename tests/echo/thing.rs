//! `echo_thing`: a file in the provider's directory. What it does is written to the journal, and its mode makes it
//! fail.

use std::io;

use foundryhub::framework::{
    Attr, Diagnostic, Diagnostics, Path, Private, Type, Value,
    context::Context,
    resource::{
        CreateRequest, DeleteRequest, DestroyPlanRequest, ImportTarget, MoveSource, Outcome, PlanRequest, Planned,
        Resource, UpdateRequest, Upgrade,
    },
    schema::{Attribute, Block, IdentityAttribute, IdentitySchema, Refusal, Schema},
};
use serde::{Deserialize, Serialize};
use tokio::{fs, net::TcpStream};

use crate::{Store, unconfigured};

/// The modes, beside the one in which everything works.
const MODES: [&str; 11] = [
    "calm",
    "panic in validate",
    "panic in plan",
    "panic in create",
    "crash in create",
    "panic in read",
    "fail before create",
    "fail after create",
    "no value after create",
    "fail in update",
    "wait in create",
];

/// Set in the private data of every object that this provider created or imported. Where it is missing, private data
/// was lost on the way.
const MADE: &str = "made";

pub(crate) struct Thing;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct State {
    id: Attr<String>,
    name: Attr<String>,
    text: Attr<String>,
    mode: Attr<String>,
    /// The address that a waiting create connects to.
    notify: Attr<String>,
    blob_length: Attr<i64>,
    blob: Attr<String>,
    /// A float, so that an object can have a value that cannot be encoded: NaN.
    revision: Attr<f64>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Identity {
    name: String,
}

impl State {
    /// A thing as a list finds it.
    pub(crate) fn found(name: String, text: Attr<String>) -> Self {
        let mut state = Self { name: name.into(), text, mode: "calm".to_owned().into(), ..Self::default() };
        state.complete(1.0);
        state
    }

    fn name(&self) -> &str {
        self.name.text().expect("a name that is known")
    }

    fn mode(&self) -> &str {
        self.mode.text().unwrap_or_default()
    }

    async fn write(&self, store: &Store) -> io::Result<()> {
        fs::write(store.path(self.name()), self.text.text().unwrap_or_default()).await
    }

    /// Fills in what the provider decides.
    fn complete(&mut self, revision: f64) {
        self.id = Attr::Known(format!("thing-{}", self.name()));
        self.blob = self.blob_length.known().map(|length| "x".repeat(*length as usize)).into();
        self.revision = Attr::Known(revision);
    }
}

fn one_of_the_modes(value: &Value) -> Result<(), Refusal> {
    match value.as_str() {
        Some(mode) if !MODES.contains(&mode) => {
            Err(Refusal::new("Unknown mode", format!("There is {}.", MODES.join(", "))))
        }
        _ => Ok(()),
    }
}

fn failed(state: Option<State>, private: Private, summary: &'static str) -> Outcome<State> {
    Outcome { state, private, diagnostics: Diagnostic::error(summary, "As it was told to.").into() }
}

impl Resource for Thing {
    type Client = Store;
    type State = State;
    type Identity = Identity;

    fn name(&self) -> &'static str {
        "echo_thing"
    }

    fn schema(&self) -> Schema {
        let attributes = vec![
            Attribute::computed("id", Type::String, "The id."),
            Attribute::required("name", Type::String, "The file's name.").same(str::eq_ignore_ascii_case).replaces(),
            Attribute::optional("text", Type::String, "What stands in the file."),
            Attribute::optional("mode", Type::String, "What goes wrong.").default("calm").check(one_of_the_modes),
            Attribute::optional("notify", Type::String, "An address that a create which waits connects to."),
            Attribute::optional("blob_length", Type::Number, "How long the blob is."),
            Attribute::computed("blob", Type::String, "Much of the same."),
            Attribute::computed("revision", Type::Number, "How often it was changed."),
        ];
        Schema { version: 2, block: Block { description: "A file.", attributes, blocks: Vec::new() } }
    }

    fn identity_schema(&self) -> IdentitySchema {
        let name =
            IdentityAttribute { name: "name", ty: Type::String, required_for_import: true, description: "Its name." };
        // The first version stored none, so that engines ask for an upgrade of nothing.
        IdentitySchema::new(1, vec![name])
    }

    fn identity(&self, state: &State) -> Option<Identity> {
        Some(Identity { name: state.name.text()?.to_owned() })
    }

    fn validate(&self, config: &State) -> Diagnostics {
        assert_ne!(config.mode(), "panic in validate", "validated");
        Diagnostics::default()
    }

    async fn plan(&self, _context: Context<Store>, request: PlanRequest<State>) -> Planned<State> {
        let mut state = request.planned;
        assert_ne!(state.mode(), "panic in plan", "planned");
        if let Some(prior) = &request.prior {
            if prior.blob_length != state.blob_length {
                state.blob = Attr::Unknown;
            }
            if prior.text != state.text || prior.mode != state.mode || prior.blob_length != state.blob_length {
                state.revision = Attr::Unknown;
            }
        }
        Planned {
            state,
            keys: None,
            private: request.private,
            requires_replace: Vec::new(),
            diagnostics: Diagnostics::default(),
        }
    }

    async fn plan_destroy(
        &self,
        context: Context<Store>,
        DestroyPlanRequest { prior, .. }: DestroyPlanRequest<'_, State>,
    ) -> Diagnostics {
        if let Some(store) = context.client.as_deref() {
            store.note(&format!("plan to delete {}", prior.name()));
        }
        Diagnostic::warning("A thing goes", format!("{} is going to be deleted.", prior.name())).into()
    }

    async fn create(&self, context: Context<Store>, request: CreateRequest<State>) -> Outcome<State> {
        let CreateRequest { planned: mut state, mut private, .. } = request;
        let Some(store) = context.client.as_deref() else {
            return Outcome { state: None, private, diagnostics: unconfigured().into() };
        };
        store.note(&format!("create {}", state.name()));
        if state.mode() == "fail before create" {
            return failed(None, private, "It was not created");
        }
        state.complete(1.0);
        private.set(MADE, &true);
        if let Err(error) = state.write(store).await {
            let path = Path::root("name");
            let diagnostics = Diagnostic::error("The file cannot be written", error.to_string()).at(path).into();
            return Outcome { state: None, private, diagnostics };
        }
        match state.mode() {
            "panic in create" => panic!("created"),
            "crash in create" => {
                // On a thread that no call waits for, nothing contains a panic.
                let crashed = std::thread::spawn(|| panic!("out of control")).join();
                std::process::exit(if crashed.is_err() { 101 } else { 0 });
            }
            "fail after create" => failed(Some(state), private, "It was created badly"),
            "no value after create" => {
                state.revision = Attr::Known(f64::NAN);
                Outcome { state: Some(state), private, diagnostics: Diagnostics::default() }
            }
            "wait in create" => {
                if let Some(address) = state.notify.text() {
                    TcpStream::connect(address).await.expect("a listener");
                }
                context.cancel.cancelled().await;
                failed(Some(state), private, "It was interrupted")
            }
            _ => Outcome { state: Some(state), private, diagnostics: Diagnostics::default() },
        }
    }

    async fn read(&self, context: Context<Store>, mut state: State, private: Private) -> Outcome<State> {
        assert_ne!(state.mode(), "panic in read", "read");
        let Some(store) = context.client.as_deref() else {
            return Outcome { state: Some(state), private, diagnostics: unconfigured().into() };
        };
        store.note(&format!("read {}", state.name()));
        if private.get::<bool>(MADE) != Some(true) {
            return failed(Some(state), private, "The private data were lost");
        }
        let diagnostics = Diagnostics::default();
        match fs::read_to_string(store.path(state.name())).await {
            Ok(text) => {
                state.id = Attr::Known(format!("thing-{}", state.name()));
                if state.text.text().unwrap_or_default() != text {
                    state.text = Attr::Known(text);
                }
                Outcome { state: Some(state), private, diagnostics }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Outcome { state: None, private, diagnostics },
            Err(error) => {
                let diagnostics = Diagnostic::error("The file cannot be read", error.to_string()).into();
                Outcome { state: Some(state), private, diagnostics }
            }
        }
    }

    async fn update(&self, context: Context<Store>, request: UpdateRequest<State>) -> Outcome<State> {
        let UpdateRequest { prior, planned: mut state, private, .. } = request;
        let Some(store) = context.client.as_deref() else {
            return Outcome { state: Some(prior), private, diagnostics: unconfigured().into() };
        };
        store.note(&format!("update {}", state.name()));
        if state.mode() == "fail in update" {
            return failed(Some(prior), private, "It was not updated");
        }
        // A change between null and an empty string is no new revision.
        let step = if state.revision.is_unknown() { 1.0 } else { 0.0 };
        state.complete(prior.revision.known().copied().unwrap_or_default() + step);
        match state.write(store).await {
            Ok(()) => Outcome { state: Some(state), private, diagnostics: Diagnostics::default() },
            Err(error) => {
                let error = Diagnostic::error("The file cannot be written", error.to_string());
                Outcome { state: Some(prior), private, diagnostics: error.into() }
            }
        }
    }

    async fn delete(&self, context: Context<Store>, request: DeleteRequest<State>) -> Outcome<State> {
        let Some(store) = context.client.as_deref() else {
            return Outcome {
                state: Some(request.prior),
                private: request.private,
                diagnostics: unconfigured().into(),
            };
        };
        let name = request.prior.name();
        let why = if request.succession.is_replacement() { " to replace it" } else { "" };
        store.note(&format!("delete {name}{why}"));
        match fs::remove_file(store.path(name)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                failed(Some(request.prior), request.private, "The file cannot be removed")
            }
            _ => Outcome { state: None, private: request.private, diagnostics: Diagnostics::default() },
        }
    }

    async fn import(&self, _context: Context<Store>, target: ImportTarget<Identity>) -> Outcome<State> {
        let name = match target {
            ImportTarget::Id(id) => id,
            ImportTarget::Identity(identity) => identity.name,
        };
        let mut private = Private::default();
        private.set(MADE, &true);
        let state = State {
            name: Attr::Known(name),
            mode: Attr::Known("calm".to_owned()),
            revision: Attr::Known(1.0),
            ..State::default()
        };
        Outcome { state: Some(state), private, diagnostics: Diagnostics::default() }
    }

    /// Version 0 had `title` instead of `text`. Version 1 lacked attributes that version 2 has.
    fn upgrade(&self, version: i64) -> Option<Upgrade> {
        match version {
            0 => Some((
                Type::object([("id", Type::String), ("name", Type::String), ("title", Type::String)]),
                from_title,
            )),
            1 => Some((self.schema().block.ty(), |state| state)),
            _ => None,
        }
    }

    fn move_state(&self, source: &MoveSource) -> Option<Outcome<State>> {
        let label = source.state.get("label")?.as_str()?;
        if source.type_name != "old_thing" {
            return None;
        }
        let mut private = Private::default();
        private.set(MADE, &true);
        Some(Outcome {
            state: Some(State::found(label.to_owned(), Attr::Null)),
            private,
            diagnostics: Diagnostics::default(),
        })
    }
}

fn from_title(old: Value) -> Value {
    let Value::Map(mut members) = Thing.schema().block.null_object() else { unreachable!("a block is an object") };
    for (new, name) in [("id", "id"), ("name", "name"), ("text", "title")] {
        members.insert(new.into(), old.get(name).clone());
    }
    members.insert("mode".into(), "calm".into());
    members.insert("revision".into(), 1.into());
    Value::Map(members)
}
