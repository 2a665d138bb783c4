//! A resource's private data, which engines store beside the state and users do not see.

use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value as Json;

/// Entries by name, stored by the engine as bytes. Names that begin with a dot are the framework's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Private(BTreeMap<String, Json>);

impl Private {
    /// Reads what an engine stored. Bytes of another provider, as after a move, count as none.
    pub(crate) fn decode(bytes: &[u8]) -> Self {
        Self(serde_json::from_slice(bytes).unwrap_or_default())
    }

    /// The bytes for the engine to store.
    pub(crate) fn encode(&self) -> Vec<u8> {
        if self.0.is_empty() { Vec::new() } else { serde_json::to_vec(&self.0).expect("entries are JSON") }
    }

    /// The entry of this name and type.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        self.0.get(name).and_then(|json| T::deserialize(json).ok())
    }

    /// Sets an entry.
    pub fn set<T: Serialize>(&mut self, name: &str, entry: &T) {
        if let Ok(json) = serde_json::to_value(entry) {
            self.0.insert(name.to_owned(), json);
        }
    }

    /// The entries of the resource itself.
    pub(crate) fn without_reserved(mut self) -> Self {
        self.0.retain(|name, _| !name.starts_with('.'));
        self
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_survive_the_engine_and_foreign_bytes_count_as_none() {
        let mut private = Private::default();
        assert_eq!(private.encode(), b"");
        private.set("mode", &"identity");
        let restored = Private::decode(&private.encode());
        assert_eq!(restored.get::<String>("mode").as_deref(), Some("identity"));
        assert_eq!(restored.get::<u8>("mode"), None);
        assert_eq!(Private::decode(b"\xffnot json"), Private::default());
    }
}
