//! The objects that a value consists of by its schema: the elements of nested attributes and blocks, one by one and side
//! by side.

use super::{
    Path, Step, Value,
    schema::{Attribute, Block, Kind, NestedBlock, Nesting},
};

/// What stands in an object: the attributes and blocks of a block, or nested attributes, among which there are no blocks.
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
    /// The nested attributes and the blocks: name, how they are collected and what stands in each of them.
    pub(super) fn nested(self) -> impl Iterator<Item = (&'static str, Nesting, Members<'s>)> {
        let attributes = self.attributes.iter().filter_map(|attribute| {
            let (nesting, members) = attribute.nested_members()?;
            Some((attribute.name, nesting, members))
        });
        attributes.chain(self.blocks.iter().map(|block| (block.name, block.nesting, Members::from(&block.block))))
    }

    /// Whether an element of a set that is there may be what became of a configured one: they differ only in what the
    /// configuration leaves to the provider, and in spelling. Engines go by this when they propose what to plan.
    pub(super) fn derive(self, prior: &Value, config: &Value) -> bool {
        let attributes = self.attributes.iter().all(|attribute| {
            let (prior, config) = (prior.get(attribute.name), config.get(attribute.name));
            attribute.write_only
                || attribute.is_same(prior, config)
                || (attribute.is_computed() && config.is_null())
                || attribute
                    .nested_members()
                    .is_some_and(|(nesting, members)| members.all_derive(nesting, prior, config))
        });
        attributes
            && self.blocks.iter().all(|block| {
                let (prior, config) = (prior.get(block.name), config.get(block.name));
                prior.same_as(config, &block.ty())
                    || Members::from(&block.block).all_derive(block.nesting, prior, config)
            })
    }

    /// The same for all objects of a nested attribute or block: nothing that is there may be missing, and there may be
    /// more.
    fn all_derive(self, nesting: Nesting, prior: &Value, config: &Value) -> bool {
        let pairs = pairs(nesting, prior, config, &|prior, config| self.derive(prior, config));
        let derived = pairs.iter().filter(|(_, prior, config)| !prior.is_null() && self.derive(prior, config)).count();
        prior.is_null() || derived == count(nesting, prior)
    }
}

impl Attribute {
    /// How nested attributes are collected, and what they are; `None` for an attribute without any.
    pub(super) fn nested_members(&self) -> Option<(Nesting, Members<'_>)> {
        match &self.kind {
            Kind::Plain(_) => None,
            Kind::Nested(nesting, attributes) => Some((*nesting, Members { attributes, blocks: &[] })),
        }
    }

    /// Whether two values are one to the engine, or two spellings of one.
    pub(super) fn is_same(&self, left: &Value, right: &Value) -> bool {
        match self.same {
            Some(same) => left.same_by(right, &self.ty(), &same),
            None => left.same_as(right, &self.ty()),
        }
    }
}

/// One object beside its counterpart, which is null where there is none. The step leads to it, and is `None` where there
/// is none to take: to an only object, and to an element of a set.
pub(super) type Pair<'p, 'w> = (Option<Step>, &'p Value, &'w Value);

/// The objects of `wanted`, each with its counterpart in `prior`: that at the same index or key, and for an element of a
/// set the first not yet taken one that `matches`.
pub(super) fn pairs<'p, 'w>(
    nesting: Nesting,
    prior: &'p Value,
    wanted: &'w Value,
    matches: &dyn Fn(&Value, &Value) -> bool,
) -> Vec<Pair<'p, 'w>> {
    let (prior, wanted) = (bare(prior), bare(wanted));
    match (nesting, wanted) {
        (Nesting::Single | Nesting::Group, Value::Map(_)) => vec![(None, prior, wanted)],
        (Nesting::List, Value::List(elements)) => elements
            .iter()
            .enumerate()
            .map(|(index, wanted)| (Some(Step::index(index)), nth(prior, index), wanted))
            .collect(),
        (Nesting::Set, Value::List(elements)) => {
            let mut left: Vec<_> = if let Value::List(prior) = prior { prior.iter().collect() } else { Vec::new() };
            let mut take = |wanted| left.iter().position(|prior| matches(prior, wanted)).map(|at| left.remove(at));
            elements.iter().map(|wanted| (None, take(wanted).unwrap_or(&Value::Null), wanted)).collect()
        }
        (Nesting::Map, Value::Map(members)) => {
            members.iter().map(|(key, wanted)| (Some(Step::Key(key.clone())), prior.get(key), wanted)).collect()
        }
        _ => Vec::new(),
    }
}

/// A value without the type that it may bring: blocks with dynamic attributes in them are dynamic as a whole.
fn bare(value: &Value) -> &Value {
    match value {
        Value::Dynamic(inner) => &inner.1,
        other => other,
    }
}

fn nth(list: &Value, index: usize) -> &Value {
    match list {
        Value::List(elements) => elements.get(index).unwrap_or(&Value::Null),
        _ => &Value::Null,
    }
}

fn count(nesting: Nesting, value: &Value) -> usize {
    match (nesting, bare(value)) {
        (Nesting::Single | Nesting::Group, _) => 1,
        (_, Value::List(elements)) => elements.len(),
        (_, Value::Map(members)) => members.len(),
        _ => 0,
    }
}

/// Changes the value of an attribute.
type Change<'f> = &'f dyn Fn(&Attribute, Value) -> Value;

/// The same, beside the counterparts of the value in two other objects.
type ChangeBeside<'f> = &'f dyn Fn(&Attribute, Value, &Value, &Value) -> Value;

/// The object with each attribute changed, nested ones and those in blocks included.
pub(super) fn each(block: &Block, object: Value, change: Change<'_>) -> Value {
    let change_beside = |attribute: &Attribute, value: Value, _: &Value, _: &Value| change(attribute, value);
    each_member(block.into(), object, [&Value::Null; 2], change, &change_beside)
}

/// The same, where each value is changed beside its counterparts in `said` and `kept`. Elements of a set have that of
/// `said` which leaves them open or says the same, once it `means` what it says.
pub(super) fn each_beside(
    block: &Block,
    object: Value,
    said: &Value,
    kept: &Value,
    means: Change<'_>,
    change: ChangeBeside<'_>,
) -> Value {
    each_member(block.into(), object, [said, kept], means, change)
}

fn each_member(
    members: Members<'_>,
    object: Value,
    beside: [&Value; 2],
    means: Change<'_>,
    change: ChangeBeside<'_>,
) -> Value {
    let Value::Map(mut object) = object else { return object };
    for attribute in members.attributes {
        if let Some(value) = object.get_mut(attribute.name) {
            let [said, kept] = beside.map(|other| other.get(attribute.name));
            *value = change(attribute, std::mem::replace(value, Value::Null), said, kept);
        }
    }
    for (name, nesting, members) in members.nested() {
        let Some(value) = object.get_mut(name) else { continue };
        let is = |said: &Value, value: &Value| {
            let meant = |attribute: &Attribute, value: Value, _: &Value, _: &Value| means(attribute, value);
            let said = each_member(members, said.clone().nulled_unknowns(), [&Value::Null; 2], means, &meant);
            members.derive(value, &said)
        };
        let [said, kept] = beside.map(|other| {
            let pairs = pairs(nesting, other.get(name), value, &is);
            pairs.into_iter().map(|(_, counterpart, _)| counterpart).collect::<Vec<_>>()
        });
        let mut counterparts = said.into_iter().zip(kept);
        *value = map_elements(nesting, std::mem::replace(value, Value::Null), &mut |element| {
            let (said, kept) = counterparts.next().unwrap_or((&Value::Null, &Value::Null));
            each_member(members, element, [said, kept], means, change)
        });
    }
    for block in members.blocks {
        let value = object.entry(block.name.to_owned()).or_insert(Value::Null);
        if value.is_null() {
            *value = block.empty();
        }
    }
    Value::Map(object)
}

/// The value with each of the objects collected in it changed, in their order.
pub(super) fn map_elements(nesting: Nesting, value: Value, change: &mut dyn FnMut(Value) -> Value) -> Value {
    match (nesting, value) {
        (Nesting::Single | Nesting::Group, value) => change(value),
        (Nesting::List | Nesting::Set, Value::List(elements)) => {
            Value::List(elements.into_iter().map(change).collect())
        }
        (Nesting::Map, Value::Map(members)) => {
            Value::Map(members.into_iter().map(|(key, element)| (key, change(element))).collect())
        }
        (nesting, Value::Dynamic(inner)) => {
            let (ty, value) = *inner;
            Value::Dynamic(Box::new((ty, map_elements(nesting, value, change))))
        }
        (_, other) => other,
    }
}

/// Calls `visit` with every attribute that stands in `value`, nested ones and those in blocks included, outermost first,
/// and with its counterpart in `prior`. Elements of sets have theirs by `matches`.
pub(super) fn walk(
    members: Members<'_>,
    prior: &Value,
    value: &Value,
    matches: Matches<'_>,
    visit: &mut dyn FnMut(&Path, &Attribute, &Value, &Value),
) {
    walk_at(&Place::default(), members, prior, value, matches, visit);
}

type Matches<'f> = &'f dyn Fn(Members<'_>, &Value, &Value) -> bool;

fn walk_at(
    place: &Place,
    members: Members<'_>,
    prior: &Value,
    value: &Value,
    matches: Matches<'_>,
    visit: &mut dyn FnMut(&Path, &Attribute, &Value, &Value),
) {
    for attribute in members.attributes {
        let path = place.attribute(attribute.name).path;
        visit(&path, attribute, prior.get(attribute.name), value.get(attribute.name));
    }
    for (name, nesting, members) in members.nested() {
        let place = place.attribute(name);
        let matching = |prior: &Value, value: &Value| matches(members, prior, value);
        for (step, prior, value) in pairs(nesting, prior.get(name), value.get(name), &matching) {
            walk_at(&place.element(nesting, step), members, prior, value, matches, visit);
        }
    }
}

/// A path as far as it can be said: elements of sets cannot be named, so that it goes no further than the set.
#[derive(Clone, Default)]
struct Place {
    path: Path,
    within_set: bool,
}

impl Place {
    fn attribute(&self, name: &str) -> Self {
        self.step(Step::Attribute(name.to_owned()))
    }

    /// The place of one of the objects collected here, to which [`pairs`] gives the step.
    fn element(&self, nesting: Nesting, step: Option<Step>) -> Self {
        match step {
            Some(step) => self.step(step),
            None => Self { path: self.path.clone(), within_set: self.within_set || nesting == Nesting::Set },
        }
    }

    fn step(&self, step: Step) -> Self {
        let mut place = self.clone();
        if !place.within_set {
            place.path.0.push(step);
        }
        place
    }
}
