//! Spellings: what an empty string means, and which of several ways to write one value stays.
//!
//! An empty string in an optional attribute means that nothing is set. Resources never see one: their values come through
//! [`configured`] and [`stored`], and what they return goes through [`written`], which puts the user's spelling back.

use super::{
    Type, Value,
    members::{Members, pairs},
    plan::map_elements,
    schema::{Attribute, Block, Kind, Presence},
};

/// What a configuration means: null for each empty string in an optional attribute.
pub(super) fn configured(block: &Block, config: Value) -> Value {
    each(block.into(), config, &Value::Null, &Value::Null, &in_configuration)
}

/// What a state or plan means: for each empty string in an optional attribute its default. What the provider decides is
/// unknown, since the empty string stands in its place, and anything else null.
pub(super) fn stored(block: &Block, object: Value) -> Value {
    let in_object = |attribute: &Attribute, value: Value, _: &Value, _: &Value| match &attribute.default {
        _ if !attribute.is_left_empty(&value) => value,
        Some(default) => default.clone(),
        None if attribute.is_computed() => Value::Unknown,
        None => Value::Null,
    };
    each(block.into(), object, &Value::Null, &Value::Null, &in_object)
}

/// The object as engines get it: with an empty string where `said` has one and the value does not contradict it, and in
/// the spelling of `kept` where that is the same value.
///
/// For a plan, `said` is the configuration and `kept` the prior state, whose values engines take for a configured one. A
/// default that the service does not follow, and a value that is set though the configuration has none, remain to be seen.
pub(super) fn written(block: &Block, object: Value, said: &Value, kept: &Value) -> Value {
    let as_said = |attribute: &Attribute, value: Value, said: &Value, kept: &Value| {
        let value = if attribute.is_left_empty(&value) { Value::Null } else { value };
        if !kept.is_null() && attribute.is_same(kept, &value) {
            return kept.clone();
        }
        let stands = match &attribute.default {
            Some(default) => attribute.is_same(default, &value),
            None => attribute.is_computed() || value.is_null(),
        };
        if stands && attribute.is_left_empty(said) { said.clone() } else { value }
    };
    each(block.into(), object, said, kept, &as_said)
}

impl Attribute {
    /// Whether this is the empty string of an attribute that may be left out.
    fn is_left_empty(&self, value: &Value) -> bool {
        let optional = matches!(self.presence, Presence::Optional | Presence::OptionalComputed);
        optional && matches!(self.kind, Kind::Plain(Type::String)) && value.as_str() == Some("")
    }
}

fn in_configuration(attribute: &Attribute, value: Value, _: &Value, _: &Value) -> Value {
    if attribute.is_left_empty(&value) { Value::Null } else { value }
}

/// Changes an attribute's value, which has counterparts in what was said and in what is kept.
type Change<'f> = &'f dyn Fn(&Attribute, Value, &Value, &Value) -> Value;

/// The object with each attribute changed, nested ones and those in blocks included.
fn each(members: Members<'_>, object: Value, said: &Value, kept: &Value, change: Change<'_>) -> Value {
    let Value::Map(mut object) = object else { return object };
    for attribute in members.attributes {
        if let Some(value) = object.get_mut(attribute.name) {
            let old = std::mem::replace(value, Value::Null);
            *value = change(attribute, old, said.get(attribute.name), kept.get(attribute.name));
        }
    }
    for (name, nesting, members) in members.nested() {
        let Some(value) = object.get_mut(name) else { continue };
        // An element of a set was said by one that leaves it open or says the same.
        let is = |said: &Value, value: &Value| {
            let said = said.clone().nulled_unknowns();
            members.derive(value, &each(members, said, &Value::Null, &Value::Null, &in_configuration))
        };
        let counterparts = |of| pairs(nesting, of, value, &is).into_iter().map(|(_, counterpart, _)| counterpart);
        let counterparts: Vec<_> = counterparts(said.get(name)).zip(counterparts(kept.get(name))).collect();
        let mut counterparts = counterparts.into_iter();
        *value = map_elements(nesting, std::mem::replace(value, Value::Null), &mut |element| {
            let (said, kept) = counterparts.next().unwrap_or((&Value::Null, &Value::Null));
            each(members, element, said, kept, change)
        });
    }
    Value::Map(object)
}
