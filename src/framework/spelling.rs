//! What an empty string means, and which spelling of a value stays.
//!
//! An empty string in an optional attribute means null. Resources never get one: their values come through [`configured`] and
//! [`stored`], and what they return goes through [`respelled`], which restores the user's spelling.

use super::{
    Type, Value,
    members::each,
    schema::{Attribute, Block, Presence},
};

/// The configuration with null for each empty string in an optional attribute.
pub(super) fn configured(block: &Block, config: Value) -> Value {
    each(block.into(), config, [], &|attribute, value, []| in_configuration(attribute, value))
}

/// The state or plan with the attribute's default for each empty string in an optional attribute; without a default unknown
/// if the attribute is computed, and else null.
pub(super) fn stored(block: &Block, object: Value) -> Value {
    each(block.into(), object, [], &|attribute, value, []| match &attribute.default {
        _ if !attribute.is_left_empty(&value) => value,
        Some(default) => default.clone(),
        None if attribute.is_computed() => Value::Unknown,
        None => Value::Null,
    })
}

/// The object as engines get it: with an empty string where `config` has one and the value does not contradict it, and in
/// the spelling of `prior` or else of `config` where that is the same value.
///
/// A plan has both, as engines accept the prior spelling of a configured value. Elsewhere both are the one object that the
/// engine sent. A value that differs from the default, and one that is set although `config` has none, stay visible.
pub(super) fn respelled(block: &Block, object: Value, config: &Value, prior: &Value) -> Value {
    each(block.into(), object, [config, prior], &|attribute, value, [config, prior]| {
        // Resources return no such string. This is what the engine sent, and stays where an operation failed without an object.
        if attribute.is_left_empty(&value) && [config, prior].contains(&&value) {
            return value;
        }
        let value = in_configuration(attribute, value);
        if let Some(spelling) =
            [prior, config].into_iter().find(|known| !known.is_null() && attribute.is_same(known, &value))
        {
            return spelling.clone();
        }
        let stands = match &attribute.default {
            Some(default) => attribute.is_same(default, &value),
            None => attribute.is_computed() || value.is_null(),
        };
        if stands && attribute.is_left_empty(config) { config.clone() } else { value }
    })
}

impl Attribute {
    /// Whether this is the empty string of an attribute that may be left out.
    fn is_left_empty(&self, value: &Value) -> bool {
        let optional = matches!(self.presence, Presence::Optional | Presence::OptionalComputed);
        optional && *self.ty() == Type::String && value.as_str() == Some("")
    }
}

fn in_configuration(attribute: &Attribute, value: Value) -> Value {
    if attribute.is_left_empty(&value) { Value::Null } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_in_its_own_spelling() {
        let text = |name| Attribute::optional(name, Type::String, "A text.");
        let attributes = vec![text("plain"), text("computed").or_computed(), text("with_default").default("x")];
        let block = Block { description: "Texts.", attributes, blocks: Vec::new() };
        for text in ["", "x", "y"] {
            let object = Value::object(["plain", "computed", "with_default"].map(|name| (name, text.into())));
            assert_eq!(respelled(&block, object.clone(), &object, &object), object);
        }
    }
}
