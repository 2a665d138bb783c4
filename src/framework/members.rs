//! Walks through the nested attributes and blocks of one value, or of several values side by side.

use super::{
    Path, Step, Value,
    schema::{Attribute, Block, Kind, NestedBlock, Nesting},
};

/// The attributes and blocks of an object; nested attributes have no blocks.
#[derive(Clone, Copy)]
pub(super) struct Members<'s> {
    pub(super) attributes: &'s [Attribute],
    pub(super) blocks: &'s [NestedBlock],
}

impl<'s> From<&'s Block> for Members<'s> {
    fn from(block: &'s Block) -> Self {
        Self { attributes: &block.attributes, blocks: &block.blocks }
    }
}

impl<'s> Members<'s> {
    /// The nested attributes and blocks, each with its name, nesting and members.
    pub(super) fn nested(self) -> impl Iterator<Item = (&'static str, Nesting, Members<'s>)> {
        let attributes = self.attributes.iter().filter_map(|attribute| {
            let (nesting, members) = attribute.nested_members()?;
            Some((attribute.name, nesting, members))
        });
        attributes.chain(self.blocks.iter().map(|nested| (nested.name, Nesting::Single, Members::from(&nested.block))))
    }
}

impl Attribute {
    /// The nesting and members of nested attributes; `None` for a plain attribute.
    pub(super) fn nested_members(&self) -> Option<(Nesting, Members<'_>)> {
        match &self.kind {
            Kind::Plain => None,
            Kind::Nested(nesting, attributes) => Some((*nesting, Members { attributes, blocks: &[] })),
        }
    }

    /// Whether two values are equal to the engine, or spellings of one value.
    pub(super) fn is_same(&self, left: &Value, right: &Value) -> bool {
        match self.same {
            Some(same) => left.same_by(right, self.ty(), &same),
            None => left.same_as(right, self.ty()),
        }
    }
}

/// The objects collected in a value, each with the step that leads to it; none to an only one.
fn elements(nesting: Nesting, value: &Value) -> Vec<(Option<Step>, &Value)> {
    match (nesting, value) {
        (Nesting::Single, Value::Map(_)) => vec![(None, value)],
        (Nesting::List, Value::List(elements)) => {
            elements.iter().enumerate().map(|(index, element)| (Some(Step::index(index)), element)).collect()
        }
        (Nesting::Map, Value::Map(members)) => {
            members.iter().map(|(key, element)| (Some(Step::Key(key.to_string())), element)).collect()
        }
        _ => Vec::new(),
    }
}

/// The object in `value` to which the step leads; null where there is none.
pub(super) fn counterpart<'v>(value: &'v Value, step: Option<&Step>) -> &'v Value {
    match (step, value) {
        (None, only) => only,
        (Some(Step::Index(index)), Value::List(elements)) => {
            usize::try_from(*index).ok().and_then(|index| elements.get(index)).unwrap_or(&Value::Null)
        }
        (Some(Step::Key(key)), members) => members.get(key),
        _ => &Value::Null,
    }
}

/// The value with each of the objects collected in it changed.
pub(super) fn map_elements(nesting: Nesting, value: Value, change: impl Fn(Option<&Step>, Value) -> Value) -> Value {
    match (nesting, value) {
        (Nesting::Single, only) => change(None, only),
        (Nesting::List, Value::List(elements)) => {
            let elements = elements.into_iter().enumerate();
            Value::List(elements.map(|(index, element)| change(Some(&Step::index(index)), element)).collect())
        }
        (Nesting::Map, Value::Map(members)) => Value::object(members.into_iter().map(|(key, element)| {
            let element = change(Some(&Step::Key(key.to_string())), element);
            (key, element)
        })),
        (_, other) => other,
    }
}

/// Changes the value of an attribute, which has counterparts in other objects.
type Change<'f, const N: usize> = &'f dyn Fn(&Attribute, Value, [&Value; N]) -> Value;

/// The object with each attribute changed, nested ones and those in blocks included, beside its counterparts in the
/// `others`.
pub(super) fn each<const N: usize>(
    members: Members<'_>,
    object: Value,
    others: [&Value; N],
    change: Change<'_, N>,
) -> Value {
    let Value::Map(mut object) = object else { return object };
    for attribute in members.attributes {
        if let Some(value) = object.get_mut(attribute.name) {
            let others = others.map(|other| other.get(attribute.name));
            *value = change(attribute, std::mem::replace(value, Value::Null), others);
        }
    }
    for (name, nesting, members) in members.nested() {
        let Some(value) = object.get_mut(name) else { continue };
        let others = others.map(|other| other.get(name));
        *value = map_elements(nesting, std::mem::replace(value, Value::Null), |step, element| {
            each(members, element, others.map(|other| counterpart(other, step)), change)
        });
    }
    Value::Map(object)
}

/// Makes the path of an attribute or object, where it is needed.
type PathOf<'p> = &'p dyn Fn() -> Path;

/// Calls `visit` with every attribute that stands in `object`, nested ones and those in blocks included, outermost first, and with
/// the counterpart in `prior` of the object that has it, and that object.
pub(super) fn walk(
    members: Members<'_>,
    path: PathOf<'_>,
    prior: &Value,
    object: &Value,
    visit: &mut dyn FnMut(PathOf<'_>, &Attribute, &Value, &Value),
) {
    for attribute in members.attributes {
        let path = || path().attribute(attribute.name);
        visit(&path, attribute, prior, object);
    }
    for (name, nesting, members) in members.nested() {
        let prior = prior.get(name);
        for (step, object) in elements(nesting, object.get(name)) {
            let prior = counterpart(prior, step.as_ref());
            let path = || {
                let mut path = path().attribute(name);
                path.0.extend(step.clone());
                path
            };
            walk(members, &path, prior, object, visit);
        }
    }
}
