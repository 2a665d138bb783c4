//! What an attribute holds.

use serde::{Deserialize, Serialize};

/// The name by which the serializer and deserializer of values recognise an [`Attr`].
pub(super) const ATTR: &str = "$foundryhub::Attr";

/// What an attribute holds in a configuration, plan or state.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename = "$foundryhub::Attr")]
pub enum Attr<T> {
    /// Nothing set.
    #[default]
    Null,
    /// Known only after apply.
    Unknown,
    /// A value.
    Known(T),
}

impl<T> Attr<T> {
    /// The value, when it is known and set.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Null | Self::Unknown => None,
        }
    }

    /// Whether it is set, without its value.
    pub fn presence(&self) -> Attr<()> {
        match self {
            Self::Null => Attr::Null,
            Self::Unknown => Attr::Unknown,
            Self::Known(_) => Attr::Known(()),
        }
    }

    /// Whether it is unknown.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// Whether nothing is set.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl<T> Attr<Vec<Attr<T>>> {
    /// The elements that are known and set; none while the list or set itself is not known.
    pub fn elements(&self) -> impl Iterator<Item = &T> {
        self.known().into_iter().flatten().filter_map(Attr::known)
    }
}

impl<T: AsRef<str>> Attr<T> {
    /// The text, when it is known and set.
    pub fn text(&self) -> Option<&str> {
        self.known().map(AsRef::as_ref)
    }
}

impl<T> From<T> for Attr<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl<T> From<Option<T>> for Attr<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Known)
    }
}
