//! The keys by which objects are compared.

use serde::{Deserialize, Serialize};

/// One thing in the service that an object manages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// What the object writes, in a form that compares exactly, such as a hub's id or a principal's role at a scope.
    pub(crate) subject: String,
    /// The name under which the service stores it, where a subject can have several; `None` also while the name is unknown.
    pub(crate) name: Option<String>,
    /// Whether several objects may manage the subject.
    pub(crate) shared: bool,
}

impl Key {
    /// A subject that only one object may manage.
    pub(crate) fn new(subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), name: None, shared: false }
    }

    /// The same subject, stored under this name.
    pub(crate) fn named(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// The same subject, which several objects may manage.
    pub(crate) fn shared(self) -> Self {
        Self { shared: true, ..self }
    }

    /// Whether the subject may be stored under this name: the names are equal, or one is unknown.
    pub(super) fn may_be_named(&self, name: Option<&str>) -> bool {
        self.name.as_deref().zip(name).is_none_or(|(own, other)| own == other)
    }

    /// Whether one of `keys` has the same subject.
    pub(super) fn is_among(&self, keys: &[Key]) -> bool {
        keys.iter().any(|other| other.subject == self.subject)
    }
}

/// The `prior` keys that an object releases when it gets those of `planned`.
pub(super) fn released<'k>(prior: &'k [Key], planned: &[Key]) -> Vec<&'k Key> {
    prior.iter().filter(|key| !key.is_among(planned)).collect()
}
