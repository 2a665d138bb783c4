//! The proposed new state: core's merge of what is there and what the configuration wants, which a provider's plan
//! starts from.

use std::collections::BTreeMap;

use foundryhub::framework::{Name, Value};

use super::schema::{Attribute, Attributes, Block, Nesting};

/// Merges a configuration into the prior state, which is null for a create.
pub(crate) fn proposed_new_state(block: &Block, prior: &Value, config: &Value) -> Value {
    if config.is_null() && prior.is_null() {
        return Value::Null;
    }
    if prior.is_null() {
        return merge_block(block, &empty(block), config);
    }
    merge_block(block, prior, config)
}

/// A block in which nothing is set.
fn empty(block: &Block) -> Value {
    Value::object(block.attributes.keys().chain(block.blocks.keys()).map(|name| (name.clone(), Value::Null)))
}

fn merge_block(block: &Block, prior: &Value, config: &Value) -> Value {
    let Value::Map(_) = config else { return prior.clone() };
    let mut members = merge_attributes(&block.attributes, prior, config);
    for (name, nested) in &block.blocks {
        let value = match config.get(name) {
            unset @ (Value::Unknown | Value::Null) => unset.clone(),
            config => proposed_new_state(nested, prior.get(name), config),
        };
        members.insert(name.clone().into(), value);
    }
    Value::Map(members)
}

fn merge_attributes(attributes: &Attributes, prior: &Value, config: &Value) -> BTreeMap<Name, Value> {
    attributes
        .iter()
        .map(|(name, attribute)| (name.clone().into(), merge_attribute(attribute, prior.get(name), config.get(name))))
        .collect()
}

fn merge_attribute(attribute: &Attribute, prior: &Value, config: &Value) -> Value {
    if attribute.computed && config.is_null() {
        // An attribute that is not computed can only come from an earlier configuration, and is no longer in it.
        let was_configured = attribute.optional
            && attribute.nested.as_ref().is_some_and(|(nesting, members)| holds_configured(*nesting, members, prior));
        return if was_configured { Value::Null } else { prior.clone() };
    }
    let Some((nesting, members)) = &attribute.nested else {
        return config.clone();
    };
    let merge = |prior: &Value, config: &Value| match config {
        Value::Map(_) => Value::Map(merge_attributes(members, prior, config)),
        unset => unset.clone(),
    };
    match (nesting, config) {
        (_, Value::Unknown | Value::Null) => config.clone(),
        (Nesting::Single, config) => merge(prior, config),
        (Nesting::List, Value::List(elements)) => {
            let priors = elements_of(prior);
            let merged = elements.iter().enumerate().map(|(index, config)| match priors.get(index) {
                Some(prior) => merge(prior, config),
                None => config.clone(),
            });
            Value::List(merged.collect())
        }
        (Nesting::Map, Value::Map(elements)) => {
            let merged = elements.iter().map(|(key, config)| {
                let value = match prior.get(key) {
                    Value::Null => config.clone(),
                    prior => merge(prior, config),
                };
                (key.clone(), value)
            });
            Value::Map(merged.collect())
        }
        (_, config) => config.clone(),
    }
}

/// The elements of a list or set; none if it is unset.
pub(super) fn elements_of(value: &Value) -> &[Value] {
    match value {
        Value::List(elements) => elements,
        _ => &[],
    }
}

/// Whether a nested attribute holds something no provider may put there.
fn holds_configured(nesting: Nesting, members: &Attributes, value: &Value) -> bool {
    let in_object = |object: &Value| {
        members.iter().any(|(name, member)| match object.get(name) {
            Value::Null => false,
            value => {
                !member.computed
                    || member
                        .nested
                        .as_ref()
                        .is_some_and(|(nesting, members)| holds_configured(*nesting, members, value))
            }
        })
    };
    match (nesting, value) {
        (Nesting::List, Value::List(elements)) => elements.iter().any(in_object),
        (Nesting::Map, Value::Map(elements)) => elements.values().any(in_object),
        (Nesting::Single, object) => in_object(object),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use foundryhub::framework::Type;

    use super::*;

    fn attribute(optional: bool, computed: bool) -> Attribute {
        Attribute { ty: Type::String, nested: None, required: false, optional, computed }
    }

    fn block() -> Block {
        let members = || Attributes::from([("k".into(), attribute(true, false)), ("c".into(), attribute(false, true))]);
        let nested = |nesting, optional, computed| Attribute {
            nested: Some((nesting, members())),
            ..attribute(optional, computed)
        };
        Block {
            attributes: Attributes::from([
                ("set_by_user".into(), attribute(true, false)),
                ("set_by_either".into(), attribute(true, true)),
                ("list".into(), nested(Nesting::List, true, false)),
                ("either".into(), nested(Nesting::Single, true, true)),
            ]),
            blocks: BTreeMap::new(),
        }
    }

    fn object(members: &[(&'static str, Value)]) -> Value {
        Value::object(members.iter().map(|(name, value)| (*name, value.clone())))
    }

    fn element(k: &str, c: Option<&str>) -> Value {
        object(&[("k", k.into()), ("c", c.map_or(Value::Null, Value::from))])
    }

    /// The proposal's member `name` for a prior and a configured value of it.
    fn proposed(name: &'static str, prior: Value, config: Value) -> Value {
        let proposed = proposed_new_state(&block(), &object(&[(name, prior)]), &object(&[(name, config)]));
        proposed.get(name).clone()
    }

    #[test]
    fn computed_attributes_keep_their_prior_value_and_optional_ones_become_null() {
        assert_eq!(proposed("set_by_either", "prior".into(), Value::Null), "prior".into());
        assert_eq!(proposed("set_by_either", "prior".into(), Value::Unknown), Value::Unknown);
        assert_eq!(proposed("set_by_user", "prior".into(), Value::Null), Value::Null);
        assert_eq!(proposed_new_state(&block(), &Value::Null, &Value::Null), Value::Null);
    }

    #[test]
    fn elements_keep_computed_values() {
        let prior = Value::List(vec![element("a", Some("1")), element("b", Some("2"))]);
        let config = Value::List(vec![element("b", None), element("new", None), element("more", None)]);
        let by_position = Value::List(vec![element("b", Some("1")), element("new", Some("2")), element("more", None)]);
        assert_eq!(proposed("list", prior, config), by_position);
    }

    #[test]
    fn a_nested_object_becomes_null_with_its_configuration() {
        assert_eq!(proposed("either", element("configured", None), Value::Null), Value::Null);
        let computed = object(&[("k", Value::Null), ("c", "1".into())]);
        assert_eq!(proposed("either", computed.clone(), Value::Null), computed);
    }
}
