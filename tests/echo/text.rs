//! `echo_text`: the data source of a file's text.

use std::{future, io, time::Duration};

use foundryhub::framework::{
    Attr, Diagnostic, Diagnostics, Path, Type, Value,
    context::Context,
    data_source::{DataSource, Read},
    schema::{Attribute, Block, Refusal},
    timeouts::{self, ReadTimeout},
};
use serde::{Deserialize, Serialize};
use tokio::{fs, time};

use crate::{Store, unconfigured};

pub(crate) struct Text;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct State {
    name: Attr<String>,
    text: Attr<String>,
    note: Attr<String>,
    timeouts: Attr<ReadTimeout>,
}

fn without_slash(value: &Value) -> Result<(), Refusal> {
    match value.as_str() {
        Some(name) if name.contains('/') => Err(Refusal::invalid(format!("{name:?} has a slash; name a file alone."))),
        _ => Ok(()),
    }
}

/// The text of a file. The file's name or text decides what goes wrong.
async fn text_of(store: &Store, name: &str) -> io::Result<Attr<String>> {
    assert_ne!(name, "panic", "read");
    match fs::read_to_string(store.path(name)).await?.as_str() {
        "wait" => future::pending().await,
        "unknown" => Ok(Attr::Unknown),
        text => Ok(text.to_owned().into()),
    }
}

impl DataSource for Text {
    type Client = Store;
    type State = State;

    fn name(&self) -> &'static str {
        "echo_text"
    }

    fn schema(&self) -> Block {
        let attributes = vec![
            Attribute::required("name", Type::String, "The file's name.").check(without_slash),
            Attribute::computed("text", Type::String, "What stands in the file."),
            Attribute::optional("note", Type::String, "Anything."),
        ];
        let blocks = vec![timeouts::block_of(&[("read", "For reading; 5 seconds if not set.")])];
        Block { description: "The text of a file.", attributes, blocks }
    }

    fn validate(&self, config: &State) -> Diagnostics {
        match (config.name.text(), config.note.text()) {
            (Some(name), Some(note)) if name == note => {
                Diagnostic::error("The note says nothing", "It is the file's name.").at(Path::root("note")).into()
            }
            _ => Diagnostics::default(),
        }
    }

    async fn read(&self, context: Context<Store>, mut config: State) -> Read<State> {
        let store = context.client.ok_or_else(unconfigured)?;
        let name = config.name.text().expect("required attributes are set");
        store.note(&format!("read {name}"));
        let allowed = timeouts::allowed(&config.timeouts, |timeouts| &timeouts.read, Duration::from_secs(5));
        config.text = time::timeout(allowed, text_of(&store, name))
            .await
            .map_err(|_| Diagnostic::error("The file was not read in time", format!("It took more than {allowed:?}.")))?
            .map_err(|error| Diagnostic::error("No such file", error.to_string()).at(Path::root("name")))?;
        let is_empty = config.text.text().is_some_and(str::is_empty);
        let warnings = is_empty.then(|| Diagnostic::warning("An empty file", "Nothing stands in it."));
        Ok((config, warnings.into_iter().collect()))
    }
}
