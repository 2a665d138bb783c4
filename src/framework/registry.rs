//! The types of one kind by their names.

use std::{collections::BTreeMap, sync::Arc};

use super::Diagnostic;

/// The types of one kind, such as all data sources, by name.
#[derive(Debug)]
pub(crate) struct Registry<T: ?Sized> {
    kind: &'static str,
    types: BTreeMap<&'static str, Arc<T>>,
}

impl<T: ?Sized> Registry<T> {
    /// Diagnostics call the kind of these types `kind`.
    pub(crate) fn new(kind: &'static str, types: Vec<Box<T>>, name: fn(&T) -> &'static str) -> Self {
        Self { kind, types: types.into_iter().map(|each| (name(&each), Arc::from(each))).collect() }
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        self.types.keys().map(|name| (*name).to_owned())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (String, &T)> {
        self.names().zip(self.types.values().map(AsRef::as_ref))
    }

    /// The type of this name, or an error that names those that there are.
    pub(crate) fn get(&self, name: &str) -> Result<&T, Diagnostic> {
        self.find(name).map(AsRef::as_ref)
    }

    /// The same, for work that outlives the call.
    pub(crate) fn share(&self, name: &str) -> Result<Arc<T>, Diagnostic> {
        self.find(name).cloned()
    }

    fn find(&self, name: &str) -> Result<&Arc<T>, Diagnostic> {
        self.types.get(name).ok_or_else(|| {
            let known = self.names().collect::<Vec<_>>().join(", ");
            let others = if known.is_empty() { String::new() } else { format!("; it has {known}") };
            let kind = self.kind;
            Diagnostic::error("The provider has no such type", format!("It has no {kind} {name:?}{others}."))
        })
    }
}
