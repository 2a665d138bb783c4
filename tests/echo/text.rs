//! `echo_text`: the data source of a file's text.

use std::{fs, time::Duration};

use foundryhub::framework::{
    Attr, Diagnostic, Diagnostics, Path, Type,
    context::Context,
    data_source::{DataSource, Read},
    schema::{Attribute, Block},
    timeouts::{self, ReadTimeout},
};
use serde::{Deserialize, Serialize};

use crate::Store;

pub(crate) struct Text;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct State {
    name: Attr<String>,
    text: Attr<String>,
    note: Attr<String>,
    /// How long the read may take, in seconds.
    patience: Attr<u64>,
    timeouts: Attr<ReadTimeout>,
}

impl DataSource for Text {
    type Client = Store;
    type State = State;

    fn name(&self) -> &'static str {
        "echo_text"
    }

    fn schema(&self) -> Block {
        let attributes = vec![
            Attribute::required("name", Type::String, "The file's name."),
            Attribute::computed("text", Type::String, "What stands in the file."),
            Attribute::optional("note", Type::String, "Anything."),
            Attribute::computed("patience", Type::Number, "How many seconds the read may take."),
        ];
        let blocks = vec![timeouts::block_of(&[("read", "For reading; 5 seconds if not set.")])];
        Block { description: "The text of a file.", attributes, blocks }
    }

    fn validate(&self, config: &State) -> Diagnostics {
        match config.name.text() {
            Some(name) if name.contains('/') => {
                Diagnostic::error("No name", "It has a slash.").at(Path::root("name")).into()
            }
            _ => Diagnostics::default(),
        }
    }

    async fn read(&self, context: Context<Store>, mut config: State) -> Read<State> {
        let store = context.client.expect("a provider that is configured");
        let name = config.name.text().expect("a name that is known");
        store.note(&format!("read {name}"));
        assert_ne!(name, "panic", "read");
        let text = fs::read_to_string(store.path(name))
            .map_err(|error| Diagnostic::error("No such file", error.to_string()).at(Path::root("name")))?;
        let patience = timeouts::allowed(&config.timeouts, |timeouts| &timeouts.read, Duration::from_secs(5));
        config.patience = Attr::Known(patience.as_secs());
        config.text = if text == "unknown" { Attr::Unknown } else { Attr::Known(text) };
        let short = config.text.text().is_some_and(str::is_empty);
        let warnings = short.then(|| Diagnostic::warning("An empty file", "Nothing stands in it."));
        Ok((config, warnings.into_iter().collect()))
    }
}
