//! Values of Terraform's type system.

use std::collections::BTreeMap;

use super::{Name, Number, Path, Step, Type};

/// A value of a [`Type`] that a schema supplies: lists and sets are represented alike, and so are maps and objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing set.
    Null,
    /// Known only after apply. Refinements are dropped, which the protocol allows.
    Unknown,
    /// A bool.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(String),
    /// A list or set.
    List(Vec<Value>),
    /// A map or object.
    Map(BTreeMap<Name, Value>),
}

/// Why bytes, in JSON or msgpack, are not a value of the type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", if path.0.is_empty() { String::new() } else { format!("{path}: ") })]
pub struct DecodeError {
    /// Where in the value it is, as far as paths lead.
    pub path: Path,
    pub(crate) reason: String,
}

impl DecodeError {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { path: Path::default(), reason: reason.into() }
    }

    /// The error of a value that this step leads to.
    pub(crate) fn under(mut self, step: Step) -> Self {
        self.path.0.insert(0, step);
        self
    }
}

impl Value {
    /// An object or map with these members.
    pub fn object<N: Into<Name>>(members: impl IntoIterator<Item = (N, Value)>) -> Self {
        Self::Map(members.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether it is unknown as a whole.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// Whether nothing in it is unknown.
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Self::Unknown => false,
            Self::List(elements) => elements.iter().all(Self::is_wholly_known),
            Self::Map(members) => members.values().all(Self::is_wholly_known),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => true,
        }
    }

    /// The same value with null for unknowns: what the state can keep of an object whose creation did not finish.
    pub(crate) fn nulled_unknowns(self) -> Self {
        match self {
            Self::Unknown => Self::Null,
            Self::List(elements) => Self::List(elements.into_iter().map(Self::nulled_unknowns).collect()),
            Self::Map(members) => {
                Self::Map(members.into_iter().map(|(name, value)| (name, value.nulled_unknowns())).collect())
            }
            known => known,
        }
    }

    /// The string, when it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The member of an object or map; null when it has none.
    pub fn get(&self, name: &str) -> &Value {
        match self {
            Self::Map(members) => members.get(name).unwrap_or(&Value::Null),
            _ => &Value::Null,
        }
    }

    /// Equality as engines define it: elements of sets have no order.
    pub(crate) fn same_as(&self, other: &Value, ty: &Type) -> bool {
        self.same_by(other, ty, &|left, right| left == right)
    }

    /// The same, with strings that are equal by `same`.
    pub(crate) fn same_by(&self, other: &Value, ty: &Type, same: &dyn Fn(&str, &str) -> bool) -> bool {
        match (self, other, ty) {
            (Self::String(left), Self::String(right), _) => left == right || same(left, right),
            (Self::List(left), Self::List(right), Type::Set(element)) => {
                left.len() == right.len() && {
                    let mut unmatched: Vec<_> = right.iter().collect();
                    left.iter().all(|value| {
                        unmatched
                            .iter()
                            .position(|candidate| value.same_by(candidate, element, same))
                            .map(|position| unmatched.swap_remove(position))
                            .is_some()
                    })
                }
            }
            (Self::List(left), Self::List(right), Type::List(element)) => {
                left.len() == right.len()
                    && left.iter().zip(right).all(|(left, right)| left.same_by(right, element, same))
            }
            (Self::Map(left), Self::Map(right), Type::Map(element)) => {
                left.len() == right.len()
                    && left
                        .iter()
                        .all(|(key, value)| right.get(key).is_some_and(|other| value.same_by(other, element, same)))
            }
            (Self::Map(_), Self::Map(_), Type::Object(attributes)) => {
                attributes.iter().all(|(name, ty)| self.get(name).same_by(other.get(name), ty, same))
            }
            _ => self == other,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<bool> for Value {
    fn from(bool: bool) -> Self {
        Self::Bool(bool)
    }
}

impl From<i64> for Value {
    fn from(integer: i64) -> Self {
        Self::Number(integer.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_equal_in_any_order_and_lists_are_not() {
        let forth = Value::List(vec!["a".into(), "b".into()]);
        let back = Value::List(vec!["b".into(), "a".into()]);
        assert!(forth.same_as(&back, &Type::set(Type::String)));
        assert!(!forth.same_as(&back, &Type::list(Type::String)));
        let twice = Value::List(vec!["a".into(), "a".into()]);
        assert!(!twice.same_as(&forth, &Type::set(Type::String)));
    }

    #[test]
    fn an_unknown_deep_inside_is_found_and_can_be_nulled() {
        let value = Value::object([("a", Value::List(vec![Value::Unknown])), ("b", true.into())]);
        assert!(!value.is_wholly_known());
        let nulled = value.nulled_unknowns();
        assert_eq!(nulled.get("a"), &Value::List(vec![Value::Null]));
        assert!(nulled.is_wholly_known());
    }
}
