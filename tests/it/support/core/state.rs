//! The state file.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{
    report::Address,
    schema::ResourceType,
    session::{Object, Raw},
    value::{state_text, to_json},
};

/// All objects by resource.
#[derive(Debug, Clone, Default)]
pub(crate) struct State(BTreeMap<Address, Entry>);

#[derive(Debug, Clone, Default)]
struct Entry {
    current: Option<Stored>,
    /// Replaced by another object before it was destroyed, and still to be destroyed.
    deposed: Vec<Stored>,
}

/// One object as the state file has it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stored {
    /// The schema's version it was written by.
    pub(crate) version: i64,
    /// The text, with its whitespace.
    pub(crate) text: String,
    pub(crate) private: Vec<u8>,
    /// The identity schema's version it was written by, and the text.
    pub(crate) identity: Option<(i64, String)>,
    pub(crate) tainted: bool,
    /// What has to be destroyed after it.
    pub(crate) depends_on: Vec<Address>,
    /// What tests see of it.
    pub(crate) json: Json,
}

impl Stored {
    pub(crate) fn new(ty: &ResourceType, object: &Object, depends_on: Vec<Address>) -> Self {
        let identity = ty.identity.as_ref().zip(object.identity.as_ref());
        Self {
            version: ty.version,
            text: state_text(&object.value),
            private: object.private.clone(),
            identity: identity.map(|(identity, value)| (identity.version, state_text(value))),
            tainted: object.tainted,
            depends_on,
            json: to_json(&object.value),
        }
    }

    /// What an older provider might have written: the state's JSON at a version, and nothing else.
    pub(crate) fn written_by(version: i64, json: Json) -> Self {
        let text = serde_json::to_string_pretty(&json).expect("JSON has a text");
        Self { version, text, json, ..Self::default() }
    }

    pub(crate) fn raw(&self) -> Raw {
        Raw {
            version: self.version,
            json: self.text.clone(),
            identity: self.identity.clone(),
            private: self.private.clone(),
            tainted: self.tainted,
        }
    }
}

impl State {
    /// All resources that have an object.
    pub(crate) fn addresses(&self) -> Vec<Address> {
        self.0.keys().cloned().collect()
    }

    pub(crate) fn has(&self, address: &Address) -> bool {
        self.0.contains_key(address)
    }

    pub(crate) fn current(&self, address: &Address) -> Option<&Stored> {
        self.0.get(address)?.current.as_ref()
    }

    #[track_caller]
    pub(crate) fn current_mut(&mut self, address: &Address) -> &mut Stored {
        let entry = self.0.get_mut(address).and_then(|entry| entry.current.as_mut());
        entry.unwrap_or_else(|| panic!("{address} is not in the state"))
    }

    pub(crate) fn deposed(&self, address: &Address) -> &[Stored] {
        self.0.get(address).map_or(&[], |entry| &entry.deposed)
    }

    pub(crate) fn set(&mut self, address: Address, stored: Option<Stored>) {
        self.change(address, |entry| entry.current = stored);
    }

    pub(crate) fn set_deposed(&mut self, address: Address, deposed: Vec<Stored>) {
        self.change(address, |entry| entry.deposed = deposed);
    }

    /// Changes an entry, which goes when it has no object any more.
    fn change(&mut self, address: Address, change: impl FnOnce(&mut Entry)) {
        let mut entry = self.0.remove(&address).unwrap_or_default();
        change(&mut entry);
        if entry.current.is_some() || !entry.deposed.is_empty() {
            self.0.insert(address, entry);
        }
    }

    /// Makes the current object a deposed one, to be destroyed after its replacement was created.
    pub(crate) fn depose(&mut self, address: &Address) {
        let entry = self.0.entry(address.clone()).or_default();
        entry.deposed.extend(entry.current.take());
    }

    /// Makes the last deposed object the current one again, when its replacement was not created.
    pub(crate) fn restore(&mut self, address: &Address) {
        let entry = self.0.entry(address.clone()).or_default();
        if entry.current.is_none() {
            entry.current = entry.deposed.pop();
        }
    }

    #[track_caller]
    pub(crate) fn rename(&mut self, from: &Address, to: Address) {
        let entry = self.0.remove(from).unwrap_or_else(|| panic!("{from} is not in the state"));
        assert!(self.0.insert(to.clone(), entry).is_none(), "{to} is in the state already");
    }

    pub(crate) fn json(&self, address: &Address) -> Json {
        self.current(address).map_or(Json::Null, |stored| stored.json.clone())
    }

    pub(crate) fn identity_json(&self, address: &Address) -> Json {
        let identity = self.current(address).and_then(|stored| stored.identity.as_ref());
        identity.map_or(Json::Null, |(_, text)| serde_json::from_str(text).expect("an identity in JSON"))
    }
}
