//! `echo_write`: an action that writes a file. What is to be written decides what goes wrong.

use foundryhub::framework::{
    Attr, Diagnostic, Diagnostics, Path, Type, Value,
    action::{Action, Progress},
    context::Context,
    schema::{Attribute, Block, Refusal},
};
use serde::Deserialize;
use tokio::{fs, net::TcpStream};

use crate::{Store, unconfigured};

pub(crate) struct Write;

#[derive(Debug, Deserialize)]
pub(crate) struct Config {
    name: Attr<String>,
    text: Attr<String>,
}

fn not_the_journal(value: &Value) -> Result<(), Refusal> {
    match value.as_str() {
        Some("journal") => Err(Refusal::new("Not this file", "The provider keeps its journal in it.")),
        _ => Ok(()),
    }
}

impl Action for Write {
    type Client = Store;
    type Config = Config;

    fn name(&self) -> &'static str {
        "echo_write"
    }

    fn schema(&self) -> Block {
        let attributes = vec![
            Attribute::required("name", Type::String, "The file's name.").check(not_the_journal),
            Attribute::optional("text", Type::String, "What to write."),
        ];
        Block { description: "Writes a file.", attributes, blocks: Vec::new() }
    }

    fn validate(&self, config: &Config) -> Diagnostics {
        match (config.name.text(), config.text.text()) {
            (Some(name), Some(text)) if name == text => {
                Diagnostic::error("Nothing to write", "The text is the file's name.").at(Path::root("text")).into()
            }
            _ => Diagnostics::default(),
        }
    }

    async fn plan(&self, _context: Context<Store>, config: Config) -> Diagnostics {
        match config.text.text() {
            Some("unplanned") => Diagnostic::error("Not planned", "As told.").at(Path::root("text")).into(),
            _ => Diagnostics::default(),
        }
    }

    async fn invoke(&self, context: Context<Store>, config: Config, progress: Progress) -> Diagnostics {
        let Some(store) = context.client else { return unconfigured().into() };
        let (name, text) = (config.name.text().expect("a name"), config.text.text().unwrap_or_default());
        store.note(&format!("write {name}"));
        progress.report(format!("writing {name}"));
        assert_ne!(text, "panic", "invoked");
        if let Some(address) = text.strip_prefix("wait for ") {
            let _open = TcpStream::connect(address).await.expect("a listener");
            context.cancel.cancelled().await;
            return Diagnostic::error("It was interrupted", "Nothing was written.").into();
        }
        if let Err(error) = fs::write(store.path(name), text).await {
            return Diagnostic::error("The file cannot be written", error.to_string()).at(Path::root("name")).into();
        }
        progress.report("done");
        Diagnostics::default()
    }
}
