//! What an object stands for in the service.

use serde::{Deserialize, Serialize};

/// What an object stands for in the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// What the object writes, in a form that compares exactly, such as a hub's id or a principal's role at a scope.
    pub(crate) subject: String,
    /// The name under which the service stores what is written, where a subject can have several; `None` also while the
    /// name is unknown.
    pub(crate) name: Option<String>,
    /// Whether several objects may stand for the subject.
    pub(crate) shared: bool,
}

impl Key {
    /// A subject for which only one object may stand.
    pub(crate) fn new(subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), name: None, shared: false }
    }

    /// The same subject, written under this name.
    pub(crate) fn named(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// The same subject, for which several objects may stand.
    pub(crate) fn shared(self) -> Self {
        Self { shared: true, ..self }
    }

    /// Whether what has this name may be what this key is about: the names are equal, or one is unknown.
    pub(super) fn may_be_named(&self, name: Option<&str>) -> bool {
        self.name.as_deref().zip(name).is_none_or(|(own, other)| own == other)
    }

    /// Whether one of `keys` has the same subject.
    pub(super) fn is_among(&self, keys: &[Key]) -> bool {
        keys.iter().any(|other| other.subject == self.subject)
    }
}

/// What an object releases that stands for `prior` and will stand for `planned`.
pub(super) fn released<'k>(prior: &'k [Key], planned: &[Key]) -> Vec<&'k Key> {
    prior.iter().filter(|key| !key.is_among(planned)).collect()
}
