//! The part of planning that the schema alone decides; a resource's own plan comes after it.

use super::{
    Diagnostic, Diagnostics, Path, Value,
    members::{Members, each, map_elements, pairs, walk},
    schema::{Attribute, Block, Nesting, Presence, Refusal},
};

/// What an object is planned to be, from the configuration and the prior object, which is null at creation.
///
/// Write-only attributes are null. What the configuration leaves out becomes its default or, at creation, unknown where
/// the provider will fill it in; on an update such attributes keep their value, so that nothing that depends on them is
/// planned again without need. Another spelling of the prior value plans as the prior one.
pub fn prepare(block: &Block, prior: &Value, config: &Value) -> Value {
    prepare_members(block.into(), prior, config)
}

fn prepare_members(members: Members<'_>, prior: &Value, config: &Value) -> Value {
    let of = |name| [prior, config].map(|value| value.get(name));
    let attributes = members.attributes.iter().map(|attribute| {
        let [kept, config] = of(attribute.name);
        let prior = if prior.is_null() { Prior::Created } else { Prior::Is(kept) };
        (attribute.name.to_owned(), prepare_attribute(attribute, prior, config))
    });
    let blocks = members.blocks.iter().map(|nested| {
        let [prior, config] = of(nested.name);
        (nested.name.to_owned(), prepare_nested(nested.nesting, (&nested.block).into(), prior, config))
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
    if attribute.write_only {
        return Value::Null;
    }
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

/// Prepares each object of the configuration with its counterparts.
fn prepare_nested(nesting: Nesting, members: Members<'_>, prior: &Value, config: &Value) -> Value {
    // An element that is unknown or null as a whole has no members to decide about.
    let element = |prior: &Value, config: &Value| match config {
        Value::Map(_) => prepare_members(members, prior, config),
        whole => whole.clone(),
    };
    match config {
        Value::List(_) | Value::Map(_) => {
            let pairs = pairs(nesting, prior, config, &|prior, config| members.derive(prior, config));
            let mut priors = pairs.into_iter().map(|(_, prior, _)| prior);
            map_elements(nesting, config.clone(), &mut |config| element(priors.next().unwrap_or(&Value::Null), &config))
        }
        // Null, unknown, or dynamic as a whole: nothing within it is ours to decide.
        _ => config.clone(),
    }
}

/// The object as a plan or state may hold it: write-only attributes are null, as their values must never be stored.
pub fn storable(block: &Block, object: Value) -> Value {
    each(block, object, &|attribute, value| if attribute.write_only { Value::Null } else { value })
}

/// What a configuration has to say to get this object: nothing that only the provider fills in, and nothing that goes
/// without saying.
pub fn configurable(block: &Block, object: Value) -> Value {
    each(block, object, &|attribute, value| {
        let is_default = attribute.default.as_ref().is_some_and(|default| attribute.is_same(&value, default));
        let goes_without_saying = attribute.write_only || attribute.presence == Presence::Computed || is_default;
        if goes_without_saying { Value::Null } else { value }
    })
}

/// The object with the default of each setting that it does not have.
pub fn with_settings(block: &Block, object: Value) -> Value {
    each(block, object, &|attribute, value| match &attribute.default {
        Some(default) if attribute.is_setting && value.is_null() => default.clone(),
        _ => value,
    })
}

/// The configuration with each value unknown that [`check`] refuses, since nothing can be concluded from it.
pub fn without_refused(block: &Block, config: Value) -> Value {
    each(block, config, &|attribute, value| if refusal(attribute, &value).is_some() { Value::Unknown } else { value })
}

/// The attributes whose planned change replaces the object. An element of a set has changed when none is there with the
/// same values of such attributes.
pub fn replacements(block: &Block, prior: &Value, planned: &Value) -> Vec<Path> {
    replaced(block.into(), prior, planned)
}

fn replaced(members: Members<'_>, prior: &Value, planned: &Value) -> Vec<Path> {
    let mut paths = Vec::new();
    let unchanged = |members: Members<'_>, prior: &Value, planned: &Value| replaced(members, prior, planned).is_empty();
    walk(members, prior, planned, &unchanged, &mut |path, attribute, prior, planned| {
        // Whether what was left to the provider has changed cannot be known.
        let changed = !prior.is_unknown() && !prior.same_as(planned, &attribute.ty());
        if attribute.requires_replace && changed && !paths.contains(path) {
            paths.push(path.clone());
        }
    });
    paths
}

/// What the schema itself can say against a configuration.
pub fn check(block: &Block, config: &Value) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    walk(block.into(), &Value::Null, config, &|_, _, _| false, &mut |path, attribute, _, value| {
        diagnostics.0.extend(refusal(attribute, value).map(|refusal| refusal.error(path).at(path.clone())));
    });
    diagnostics
}

fn refusal(attribute: &Attribute, value: &Value) -> Option<Refusal> {
    if attribute.presence == Presence::Required && value.as_str() == Some("") {
        let detail = format!("{} has to be set, and an empty string is as good as nothing.", attribute.name);
        return Some(Refusal::new(format!("{} is empty", attribute.name), detail));
    }
    if value.is_null() || !value.is_wholly_known() {
        return None;
    }
    attribute.check.and_then(|check| check(value).err())
}

/// What to say to an engine that would keep the write-only attributes that are set.
pub fn refuse_write_only(block: &Block, config: &Value) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    walk(block.into(), &Value::Null, config, &|_, _, _| false, &mut |path, attribute, _, value| {
        if attribute.write_only && !value.is_null() {
            let detail = format!(
                "{} must never be kept, and this engine keeps what it is given. Use Terraform 1.11 or OpenTofu 1.11, or a \
                 newer one, or leave the attribute out.",
                attribute.name
            );
            diagnostics.push(Diagnostic::error("Write-only attributes need a newer engine", detail).at(path.clone()));
        }
    });
    diagnostics
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::{
        Type,
        schema::{NestedBlock, Presence, Refusal},
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
                Attribute::optional("secret", Type::String, "A secret.").write_only(),
                Attribute::optional("note", Type::String, "A note."),
                Attribute::nested("items", Nesting::List, Presence::Optional, inner, "Items."),
            ],
            blocks: Vec::new(),
        }
    }

    fn object(members: &[(&'static str, Value)]) -> Value {
        let Value::Map(mut all) = block().null_object() else { panic!("a block is an object") };
        all.extend(members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
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
    fn a_new_object_has_its_defaults_and_unknowns_and_no_secret() {
        let config = object(&[("name", "n".into()), ("secret", "s".into()), ("items", items(&[("a", Value::Null)]))]);
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
    fn a_configuration_says_what_does_not_go_without_saying() {
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
    fn a_write_only_value_leaves_no_trace() {
        let object = object(&[("name", "n".into()), ("secret", "s".into())]);
        assert_eq!(storable(&block(), object.clone()).get("secret"), &Value::Null);
        assert_eq!(storable(&block(), object).get("name"), &Value::from("n"));
    }

    #[test]
    fn blocks_that_are_not_there_are_empty_and_not_null() {
        let nested = |name, nesting, ty| {
            let attributes = vec![
                Attribute::optional("any", ty, "Anything."),
                Attribute::optional("secret", Type::String, "A secret.").write_only(),
            ];
            let inner = NestedBlock::single("inner", Block { attributes, ..Block::default() });
            NestedBlock { nesting, ..NestedBlock::single(name, Block { blocks: vec![inner], ..Block::default() }) }
        };
        let blocks = vec![
            nested("single", Nesting::Single, Type::String),
            nested("group", Nesting::Group, Type::String),
            nested("list", Nesting::List, Type::String),
            nested("set", Nesting::Set, Type::String),
            nested("map", Nesting::Map, Type::String),
            nested("lists", Nesting::List, Type::Dynamic),
            nested("maps", Nesting::Map, Type::Dynamic),
        ];
        let block = Block { blocks, ..Block::default() };
        let dynamic = |ty, value| Value::Dynamic(Box::new((ty, value)));
        let no_elements = dynamic(Type::Tuple(Vec::new()), Value::List(Vec::new()));
        let no_members = dynamic(Type::Object(Default::default()), Value::Map(Default::default()));
        let empty = Value::object([
            ("single", Value::Null),
            ("group", Value::object([("inner", Value::Null)])),
            ("list", Value::List(Vec::new())),
            ("set", Value::List(Vec::new())),
            ("map", Value::Map(Default::default())),
            ("lists", no_elements),
            ("maps", no_members),
        ]);
        assert_eq!(storable(&block, Value::Map(Default::default())), empty);
        let nulls = Value::object(block.blocks.iter().map(|nested| (nested.name, Value::Null)));
        assert_eq!(storable(&block, nulls), empty);
        assert_eq!(storable(&block, Value::Null), Value::Null, "an object that is gone");

        // Secrets within blocks are found wherever blocks are.
        let with = |secret: Value| {
            let inner = Value::object([("any", 1.into()), ("secret", secret)]);
            Value::List(vec![Value::object([("inner", inner)])])
        };
        let ty = Type::Tuple(vec![block.blocks[5].block.ty()]);
        let given = Value::object([("list", with("s".into())), ("lists", dynamic(ty.clone(), with("s".into())))]);
        let stored = storable(&block, given);
        assert_eq!(stored.get("list"), &with(Value::Null));
        assert_eq!(stored.get("lists"), &dynamic(ty, with(Value::Null)));
    }

    #[test]
    fn only_a_real_change_replaces() {
        let prior = object(&[("name", "a".into())]);
        assert_eq!(replacements(&block(), &prior, &object(&[("name", "b".into())])), [Path::root("name")]);
        assert_eq!(replacements(&block(), &prior, &object(&[("name", Value::Unknown)])), [Path::root("name")]);
    }

    /// A block with a set of objects, once as an attribute and once as blocks.
    fn with_sets() -> Block {
        let inner = || {
            vec![
                Attribute::required("key", Type::String, "A key.").check(lower).replaces(),
                Attribute::optional("mode", Type::String, "A mode.").default("plain"),
                Attribute::optional("size", Type::String, "A size.").same(str::eq_ignore_ascii_case),
                Attribute::computed("made", Type::String, "Made by the provider, or nothing."),
            ]
        };
        let of = Block { attributes: inner(), ..Block::default() };
        Block {
            attributes: vec![Attribute::nested("set", Nesting::Set, Presence::Optional, inner(), "A set.")],
            blocks: vec![NestedBlock { nesting: Nesting::Set, ..NestedBlock::single("sets", of) }],
            ..Block::default()
        }
    }

    /// The same elements in both sets: key, mode, size and what was made.
    fn sets(elements: &[[Value; 4]]) -> Value {
        let names = ["key", "mode", "size", "made"];
        let elements = elements.iter().map(|values| Value::object(names.into_iter().zip(values.clone())));
        let set = Value::List(elements.collect());
        Value::object([("set", set.clone()), ("sets", set)])
    }

    #[test]
    fn an_element_of_a_set_is_planned_from_what_it_was() {
        use Value::{Null, Unknown};
        let block = with_sets();
        let prior = sets(&[
            ["b".into(), "own".into(), Null, Null],
            ["a".into(), "plain".into(), "XL".into(), "x".into()],
            ["c".into(), "own".into(), Null, "z".into()],
        ]);
        let config = sets(&[
            ["a".into(), Null, "xl".into(), Null],
            ["b".into(), Null, Null, Null],
            ["c".into(), "other".into(), Null, Null],
        ]);
        let planned = sets(&[
            ["a".into(), "plain".into(), "XL".into(), "x".into()],
            ["b".into(), "plain".into(), Null, Null],
            ["c".into(), "other".into(), Null, Unknown],
        ]);
        assert_eq!(prepare(&block, &prior, &config), planned);
        assert_eq!(replacements(&block, &prior, &planned), [], "every key was there before");

        let again = prepare(&block, &planned.clone().nulled_unknowns(), &config);
        assert_eq!(again, planned.nulled_unknowns(), "what is made may be nothing and stay so");
    }

    #[test]
    fn an_element_of_a_set_is_known_by_what_nests_in_it() {
        let part = vec![
            Attribute::required("key", Type::String, "A key."),
            Attribute::computed("made", Type::String, "Made by the provider."),
        ];
        let inner = vec![
            Attribute::nested("parts", Nesting::Set, Presence::Optional, part.clone(), "Parts."),
            Attribute::nested("one", Nesting::Single, Presence::Optional, part, "One."),
            Attribute::computed("made", Type::String, "Made by the provider."),
        ];
        let attributes = vec![Attribute::nested("set", Nesting::Set, Presence::Optional, inner, "A set.")];
        let block = Block { attributes, ..Block::default() };
        let part = |key: &str, made: Value| Value::object([("key", key.into()), ("made", made)]);
        let parts =
            |keys: &[(&str, Value)]| Value::List(keys.iter().map(|(key, made)| part(key, made.clone())).collect());
        let element = |parts, one, made| Value::object([("parts", parts), ("one", one), ("made", made)]);
        let set = |elements: &[Value]| Value::object([("set", Value::List(elements.to_vec()))]);

        use Value::{Null, Unknown};
        let prior = set(&[
            element(parts(&[("a", "1".into()), ("b", "2".into())]), Null, "x".into()),
            element(Null, part("c", "3".into()), "y".into()),
        ]);
        let config = set(&[
            element(Null, part("other", Null), Null),
            element(Null, part("c", Null), Null),
            element(parts(&[("new", Null), ("b", Null), ("a", Null)]), part("d", Null), Null),
        ]);
        let planned = set(&[
            element(Null, part("other", Unknown), Unknown),
            element(Null, part("c", "3".into()), "y".into()),
            element(parts(&[("new", Unknown), ("b", "2".into()), ("a", "1".into())]), part("d", Unknown), "x".into()),
        ]);
        assert_eq!(prepare(&block, &prior, &config), planned);
    }

    #[test]
    fn what_replaces_within_a_set_is_said_of_the_set() {
        let block = with_sets();
        let [prior, planned] = [["a", "b"], ["c", "a"]]
            .map(|keys| sets(&keys.map(|key| [key.into(), "plain".into(), Value::Null, "x".into()])));
        assert_eq!(replacements(&block, &prior, &planned), [Path::root("set"), Path::root("sets")]);
        let fewer = sets(&[["b".into(), "other".into(), Value::Null, Value::Unknown]]);
        assert_eq!(replacements(&block, &prior, &fewer), []);
    }

    #[test]
    fn what_is_refused_within_a_set_is_said_of_the_set() {
        let config = sets(&[["A".into(), Value::Null, Value::Null, Value::Null]]);
        let paths: Vec<_> = check(&with_sets(), &config).0.into_iter().map(|found| found.path).collect();
        assert_eq!(paths, [Some(Path::root("set")), Some(Path::root("sets"))]);
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
