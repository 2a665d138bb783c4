//! The list of all `echo_thing`s. The text of a file decides what goes wrong with it.

use std::{
    fs,
    future::{pending, ready},
};

use foundryhub::framework::{
    Attr, Diagnostic, Diagnostics, Type,
    context::Context,
    list_resource::{ListRequest, ListResource, Listed, Objects},
    schema::{Attribute, Block},
};
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use tokio::net::TcpStream;

use crate::{
    Store,
    thing::{State, Thing},
    unconfigured,
};

pub(crate) struct Things;

#[derive(Debug, Deserialize)]
pub(crate) struct Config {
    prefix: Attr<String>,
}

impl ListResource for Things {
    type Resource = Thing;
    type Config = Config;

    fn resource(&self) -> Thing {
        Thing
    }

    fn schema(&self) -> Block {
        let prefix = Attribute::optional("prefix", Type::String, "What the names begin with.");
        Block { description: "The files.", attributes: vec![prefix], blocks: Vec::new() }
    }

    fn list(
        &self,
        context: Context<Store>,
        ListRequest { config, include_object }: ListRequest<Config>,
    ) -> Objects<State> {
        let Some(store) = context.client else {
            return stream::once(ready(Err(unconfigured().into()))).boxed();
        };
        let names =
            fs::read_dir(&store.directory).expect("a directory").map(|entry| entry.expect("a file").file_name());
        let mut names: Vec<_> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        names.retain(|name| name != "journal" && name.starts_with(config.prefix.text().unwrap_or_default()));
        names.sort();
        let thing = move |name: String| {
            store.note(&format!("list {name}"));
            let text = fs::read_to_string(store.path(&name));
            async move {
                let text = text.map_err(|error| Diagnostic::error("The file cannot be read", error.to_string()))?;
                if let Some(address) = text.strip_prefix("wait for ") {
                    let _open = TcpStream::connect(address).await.expect("a listener");
                    pending().await
                }
                assert_ne!(text, "panic", "listed");
                if text == "error" {
                    return Err(Diagnostic::error("A bad thing", format!("{name} is bad.")).into());
                }
                if text == "warning" {
                    return Err(Diagnostic::warning("A strange thing", format!("{name} is left out.")).into());
                }
                let text = if include_object { text.into() } else { Attr::Null };
                let display_name = format!("the {name}");
                Ok(Listed { display_name, object: State::found(name, text), warnings: Diagnostics::default() })
            }
        };
        stream::iter(names).then(thing).boxed()
    }
}
