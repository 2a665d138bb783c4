//! The part of a plan that follows from the schema. The resource's own plan comes after it.

use super::{
    Diagnostics, Path, Value,
    members::{Members, counterpart, each, map_elements, walk},
    schema::{Attribute, Block, Nesting, Presence, Refusal},
    timeouts,
};

/// The planned object, from the configuration and the prior object, which is null at creation.
///
/// What the configuration leaves out becomes its default or, at creation, unknown where the provider will fill it in; on
/// an update such attributes keep their value, so that nothing that depends on them is planned again without need. Another
/// spelling of the prior value plans as the prior one.
pub fn prepare(block: &Block, prior: &Value, config: &Value) -> Value {
    prepare_members(block.into(), prior, config)
}

fn prepare_members(members: Members<'_>, prior: &Value, config: &Value) -> Value {
    let of = |name| [prior, config].map(|value| value.get(name));
    let attributes = members.attributes.iter().map(|attribute| {
        let [kept, config] = of(attribute.name);
        let prior = if prior.is_null() { Prior::Created } else { Prior::Is(kept) };
        (attribute.name, prepare_attribute(attribute, prior, config))
    });
    let blocks = members.blocks.iter().map(|nested| {
        let [prior, config] = of(nested.name);
        (nested.name, prepare_nested(Nesting::Single, (&nested.block).into(), prior, config))
    });
    Value::object(attributes.chain(blocks))
}

/// A prior value, or that the object around it is only being created.
#[derive(Clone, Copy)]
enum Prior<'v> {
    Is(&'v Value),
    Created,
}

impl<'v> Prior<'v> {
    fn value(self) -> &'v Value {
        match self {
            Self::Is(value) => value,
            Self::Created => &Value::Null,
        }
    }
}

fn prepare_attribute(attribute: &Attribute, prior: Prior<'_>, config: &Value) -> Value {
    if config.is_null() {
        return match (&attribute.default, prior) {
            (Some(default), prior) => first_spelling(attribute, prior, default),
            (None, Prior::Created) if attribute.is_computed() => Value::Unknown,
            (None, Prior::Is(prior)) if attribute.is_computed() => prior.clone(),
            (None, _) => config.clone(),
        };
    }
    match attribute.nested_members() {
        Some((nesting, members)) => prepare_nested(nesting, members, prior.value(), config),
        None => first_spelling(attribute, prior, config),
    }
}

/// The wanted value, or the prior one where that is another spelling of it.
fn first_spelling(attribute: &Attribute, prior: Prior<'_>, wanted: &Value) -> Value {
    let prior = prior.value();
    if attribute.is_same(prior, wanted) { prior.clone() } else { wanted.clone() }
}

/// Prepares each object of the configuration with its counterpart. One that is null or unknown as a whole has no members
/// to decide about.
fn prepare_nested(nesting: Nesting, members: Members<'_>, prior: &Value, config: &Value) -> Value {
    map_elements(nesting, config.clone(), |step, config| match config {
        Value::Map(_) => prepare_members(members, counterpart(prior, step), &config),
        whole => whole,
    })
}

/// The configuration of this object, without computed attributes, defaults and timeouts.
pub fn configurable(block: &Block, object: Value) -> Value {
    let mut config = each(block.into(), object, [], &|attribute, value, []| {
        let is_default = attribute.default.as_ref().is_some_and(|default| attribute.is_same(&value, default));
        let is_left_out = attribute.presence == Presence::Computed || is_default;
        if is_left_out { Value::Null } else { value }
    });
    if let Value::Map(members) = &mut config
        && let Some(timeouts) = members.get_mut(timeouts::NAME)
    {
        *timeouts = Value::Null;
    }
    config
}

/// The object with the default of each setting that it does not have.
pub fn with_settings(block: &Block, object: Value) -> Value {
    each(block.into(), object, [], &|attribute, value, []| match &attribute.default {
        Some(default) if attribute.is_setting && value.is_null() => default.clone(),
        _ => value,
    })
}

/// The configuration with each value unknown that [`check`] refuses.
pub fn without_refused(block: &Block, config: Value) -> Value {
    each(block.into(), config, [], &|attribute, value, []| match refusal(attribute, &value) {
        Some(_) => Value::Unknown,
        None => value,
    })
}

/// The attributes whose planned change replaces the object.
pub fn replacements(block: &Block, prior: &Value, planned: &Value) -> Vec<Path> {
    if prior == planned {
        return Vec::new();
    }
    let mut paths = Vec::new();
    walk(block.into(), &Path::default, prior, planned, &mut |path, attribute, prior, planned| {
        if attribute.requires_replace {
            let [before, after] = [prior, planned].map(|object| object.get(attribute.name));
            // Whether an unknown value has changed cannot be known.
            if !before.is_unknown() && !before.same_as(after, attribute.ty()) {
                paths.push(path());
            }
        }
    });
    paths
}

/// The errors of a configuration that follow from the schema.
pub fn check(block: &Block, config: &Value) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    walk(block.into(), &Path::default, &Value::Null, config, &mut |path, attribute, _, object| {
        let refusal = refusal(attribute, object.get(attribute.name));
        diagnostics.0.extend(refusal.map(|refusal| refusal.error(path()).at(path())));
    });
    diagnostics
}

fn refusal(attribute: &Attribute, value: &Value) -> Option<Refusal> {
    if attribute.presence == Presence::Required && value.as_str() == Some("") {
        let detail = format!("Set {}; an empty string is the same as no value.", attribute.name);
        return Some(Refusal::new("A required value is empty", detail));
    }
    if value.is_null() || !value.is_wholly_known() {
        return None;
    }
    attribute.check.and_then(|check| check(value).err())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::{
        Diagnostic, Type,
        schema::{Presence, Refusal},
    };

    fn lower(value: &Value) -> Result<(), Refusal> {
        match value.as_str() {
            Some(text) if text != text.to_lowercase() => Err(Refusal::new("Upper case", "Write it in lower case.")),
            _ => Ok(()),
        }
    }

    fn block() -> Block {
        let inner = vec![
            Attribute::required("key", Type::String, "A key.").check(lower),
            Attribute::computed("made", Type::String, "Made by the provider."),
        ];
        Block {
            description: "A sample.",
            attributes: vec![
                Attribute::computed("id", Type::String, "An id."),
                Attribute::required("name", Type::String, "A name.").same(str::eq_ignore_ascii_case).replaces(),
                Attribute::optional("mode", Type::String, "A mode.")
                    .default("identity")
                    .same(str::eq_ignore_ascii_case),
                Attribute::optional("note", Type::String, "A note."),
                Attribute::nested("items", Nesting::List, Presence::Optional, inner, "Items."),
            ],
            blocks: Vec::new(),
        }
    }

    fn object(members: &[(&'static str, Value)]) -> Value {
        let Value::Map(mut all) = block().null_object() else { panic!("a block is an object") };
        all.extend(members.iter().map(|(name, value)| ((*name).into(), value.clone())));
        Value::Map(all)
    }

    fn items(elements: &[(&str, Value)]) -> Value {
        Value::List(
            elements
                .iter()
                .map(|(key, made)| Value::object([("key", (*key).into()), ("made", made.clone())]))
                .collect(),
        )
    }

    #[test]
    fn a_new_object_has_its_defaults_and_unknowns() {
        let config = object(&[("name", "n".into()), ("items", items(&[("a", Value::Null)]))]);
        let planned = prepare(&block(), &Value::Null, &config);
        let expected = object(&[
            ("id", Value::Unknown),
            ("name", "n".into()),
            ("mode", "identity".into()),
            ("items", items(&[("a", Value::Unknown)])),
        ]);
        assert_eq!(planned, expected);
    }

    #[test]
    fn an_update_keeps_what_is_computed_and_the_first_spelling() {
        let prior = object(&[
            ("id", "1".into()),
            ("name", "Name".into()),
            ("mode", "accesskey".into()),
            ("items", items(&[("a", "x".into())])),
        ]);
        let config = object(&[("name", "nAME".into()), ("items", items(&[("a", Value::Null), ("b", Value::Null)]))]);
        let planned = prepare(&block(), &prior, &config);
        let expected = object(&[
            ("id", "1".into()),
            ("name", "Name".into()),
            ("mode", "identity".into()),
            ("items", items(&[("a", "x".into()), ("b", Value::Unknown)])),
        ]);
        assert_eq!(planned, expected);
        assert_eq!(replacements(&block(), &prior, &planned), []);
    }

    #[test]
    fn an_element_that_is_unknown_as_a_whole_stays_so() {
        let config = object(&[("items", Value::List(vec![Value::Unknown]))]);
        assert_eq!(prepare(&block(), &Value::Null, &config).get("items"), config.get("items"));
    }

    #[test]
    fn a_default_keeps_the_first_spelling_too() {
        let prior = object(&[("name", "n".into()), ("mode", "Identity".into())]);
        let config = object(&[("name", "n".into())]);
        assert_eq!(prepare(&block(), &prior, &config).get("mode"), &Value::from("Identity"));
    }

    #[test]
    fn a_configuration_has_neither_defaults_nor_computed_values() {
        let object = object(&[
            ("id", "1".into()),
            ("name", "n".into()),
            ("mode", "Identity".into()),
            ("note", "a note".into()),
            ("items", items(&[("a", "x".into())])),
        ]);
        let expected =
            self::object(&[("name", "n".into()), ("note", "a note".into()), ("items", items(&[("a", Value::Null)]))]);
        assert_eq!(configurable(&block(), object), expected);
    }

    #[test]
    fn only_a_real_change_replaces() {
        let prior = object(&[("name", "a".into())]);
        assert_eq!(replacements(&block(), &prior, &object(&[("name", "b".into())])), [Path::root("name")]);
        assert_eq!(replacements(&block(), &prior, &object(&[("name", Value::Unknown)])), [Path::root("name")]);
    }

    #[test]
    fn a_refused_value_is_named_and_an_unknown_one_is_not_judged() {
        let config = object(&[("items", items(&[("a", Value::Null), ("B", Value::Null)]))]);
        let found = check(&block(), &config);
        let path = Path::root("items").index(1).attribute("key");
        assert_eq!(found.0, [Diagnostic::error("Upper case", "Write it in lower case.").at(path)]);
        let unknown = Value::List(vec![Value::object([("key", Value::Unknown), ("made", Value::Null)])]);
        assert_eq!(check(&block(), &object(&[("items", unknown)])), Diagnostics::default());
    }
}
