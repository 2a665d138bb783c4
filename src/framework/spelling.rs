//! Spellings: what an empty string means, and which of several ways to write one value stays.
//!
//! An empty string in an optional attribute means that nothing is set. Resources never see one: their values come through
//! [`configured`] and [`stored`], and what they return goes through [`written`], which puts the user's spelling back.

use super::{
    Type, Value,
    members::each,
    schema::{Attribute, Block, Kind, Presence},
};

/// What a configuration means: null for each empty string in an optional attribute.
pub(super) fn configured(block: &Block, config: Value) -> Value {
    each(block.into(), config, [], &|attribute, value, []| in_configuration(attribute, value))
}

/// What a state or plan means: for each empty string in an optional attribute its default. What the provider decides is
/// unknown, since the empty string stands in its place, and anything else null.
pub(super) fn stored(block: &Block, object: Value) -> Value {
    each(block.into(), object, [], &|attribute, value, []| match &attribute.default {
        _ if !attribute.is_left_empty(&value) => value,
        Some(default) => default.clone(),
        None if attribute.is_computed() => Value::Unknown,
        None => Value::Null,
    })
}

/// The object as engines get it: with an empty string where `said` has one and the value does not contradict it, and in
/// the spelling of `kept` or else of `said` where that is the same value.
///
/// For a plan, `said` is the configuration and `kept` the prior state, whose values engines take for a configured one. A
/// default that the service does not follow, and a value that is set though the configuration has none, remain to be seen.
pub(super) fn written(block: &Block, object: Value, said: &Value, kept: &Value) -> Value {
    each(block.into(), object, [said, kept], &|attribute, value, [said, kept]| {
        let value = in_configuration(attribute, value);
        if let Some(spelling) =
            [kept, said].into_iter().find(|known| !known.is_null() && attribute.is_same(known, &value))
        {
            return spelling.clone();
        }
        let stands = match &attribute.default {
            Some(default) => attribute.is_same(default, &value),
            None => attribute.is_computed() || value.is_null(),
        };
        if stands && attribute.is_left_empty(said) { said.clone() } else { value }
    })
}

impl Attribute {
    /// Whether this is the empty string of an attribute that may be left out.
    fn is_left_empty(&self, value: &Value) -> bool {
        let optional = matches!(self.presence, Presence::Optional | Presence::OptionalComputed);
        optional && matches!(self.kind, Kind::Plain(Type::String)) && value.as_str() == Some("")
    }
}

fn in_configuration(attribute: &Attribute, value: Value) -> Value {
    if attribute.is_left_empty(&value) { Value::Null } else { value }
}
