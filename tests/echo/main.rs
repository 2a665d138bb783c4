//! A provider for tests of `plugin`, `wire` and `framework`, and the worked examples of docs/internals/adding-a-thing.md. It
//! needs nothing but a directory, in which it keeps a journal of its calls beside its files.
//!
//! - `echo_value` has attributes of every type and a block, and returns them as they come.
//! - `echo_thing` is a file with a text in it, and has a mode for everything that can go wrong.
//! - Of every other kind there is one: the data source `echo_text`, the function `join`, the list of all `echo_thing`s and
//!   the action `echo_write`.

mod join;
mod text;
mod thing;
mod things;
mod value;
mod write;

use std::{fs, io::Write as _, path::PathBuf, process::ExitCode};

use foundryhub::{
    framework::{
        Diagnostic, Diagnostics, Path, Type, Value,
        action::AnyAction,
        any_resource::AnyResource,
        contain,
        data_source::AnyDataSource,
        erased::Erased,
        function::AnyFunction,
        list_resource::AnyListResource,
        schema::{Attribute, Block, Schema},
        server::Provider,
    },
    plugin, wire,
};

const PLUGIN: plugin::Config = plugin::Config {
    magic_cookie: ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"),
    protocol_version: 6,
    provider_addresses: &["registry.terraform.io/foundryhub/echo", "registry.opentofu.org/foundryhub/echo"],
    reattach_variable: "TF_REATTACH_PROVIDERS",
};

struct Echo;

/// The directory with the files that the provider manages.
#[derive(Debug, Clone)]
struct Store {
    directory: PathBuf,
}

impl Store {
    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Adds a line to the journal, which tests read.
    fn note(&self, line: &str) {
        let mut journal =
            fs::OpenOptions::new().append(true).create(true).open(self.path("journal")).expect("a journal to write");
        writeln!(journal, "{line}").expect("a line to be written");
    }
}

/// The error of a call that needs the store while the provider's configuration has unknown values.
fn unconfigured() -> Diagnostic {
    Diagnostic::error(
        "The provider is not configured yet",
        "Its directory is not known yet. Apply what it comes from first, with -target.",
    )
}

impl Provider for Echo {
    type Client = Store;

    fn troubleshooting(&self) -> &'static str {
        "https://example.com/echo"
    }

    fn schema(&self) -> Schema {
        let directory = Attribute::optional("directory", Type::String, "Where things are kept, as files.");
        let attributes = vec![directory];
        Schema { block: Block { description: "Echoes.", attributes, ..Block::default() }, ..Schema::default() }
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        match config.get("directory").as_str() {
            Some(directory) if !directory.starts_with('/') => {
                Diagnostic::error("No directory", "Name one in full.").at(Path::root("directory")).into()
            }
            _ => Diagnostics::default(),
        }
    }

    async fn configure(&self, config: &Value, _engine_version: &str) -> (Option<Store>, Diagnostics) {
        let store = config.get("directory").as_str().map(|directory| Store { directory: directory.into() });
        if let Some(store) = &store {
            store.note("configure");
        }
        (store, Diagnostics::default())
    }

    fn resources(&self) -> Vec<Box<dyn AnyResource<Store>>> {
        vec![Box::new(value::EchoValue::new()), Box::new(Erased::resource(thing::Thing))]
    }

    fn data_sources(&self) -> Vec<Box<dyn AnyDataSource<Store>>> {
        vec![Box::new(Erased::data_source(text::Text))]
    }

    fn functions(&self) -> Vec<Box<dyn AnyFunction>> {
        vec![Box::new(join::Join)]
    }

    fn list_resources(&self) -> Vec<Box<dyn AnyListResource<Store>>> {
        vec![Box::new(Erased::list_resource(things::Things))]
    }

    fn actions(&self) -> Vec<Box<dyn AnyAction<Store>>> {
        vec![Box::new(Erased::action(write::Write))]
    }

    fn begin_writing(&self, store: &Store) {
        store.note("begin writing");
    }
}

fn main() -> ExitCode {
    plugin::log::init(&["TF_LOG_PROVIDER", "TF_LOG"], &["foundryhub", "echo"]);
    plugin::log::install_panic_hook(contain::is_contained);
    let runtime = plugin::runtime().expect("a runtime");
    let debug = std::env::args().any(|argument| argument == "--debug");
    let served = runtime.block_on(async {
        let routes = wire::routes(Echo);
        if debug { plugin::serve_debug(&PLUGIN, routes).await } else { plugin::serve(&PLUGIN, routes).await }
    });
    runtime.shutdown_background();
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
