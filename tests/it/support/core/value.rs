//! Values as core holds them: read from a configuration, written to a state file, shown to a test.

use std::{cmp::Ordering, collections::BTreeMap};

use foundryhub::framework::{Number, Path, Step, Type, Value};
use serde_json::{Value as Json, json};

use super::schema::{Attribute, Attributes, Block, Nesting};

/// Stands for a value that is not known yet, in configurations and in plans alike.
pub(crate) const UNKNOWN: &str = "(known after apply)";

/// Why core refuses a configuration before any provider sees it.
pub(crate) type Refused = String;

/// A block's configuration as core would decode it: everything there is has a value, and nothing else has one.
pub(crate) fn config_of(block: &Block, json: &Json) -> Result<Value, Refused> {
    read_block(block, json, &Path::default())
}

fn read_block(block: &Block, json: &Json, path: &Path) -> Result<Value, Refused> {
    let Json::Object(given) = json else {
        return Err(format!("{path}: a block was expected, this is {json}"));
    };
    let known = |name: &String| block.attributes.contains_key(name) || block.blocks.contains_key(name);
    if let Some(name) = given.keys().find(|name| !known(name)) {
        return Err(format!("{}: an argument of this name is not expected here", path.clone().attribute(name)));
    }
    let mut members = read_attributes(&block.attributes, given, path)?;
    for (name, nested) in &block.blocks {
        let path = path.clone().attribute(name);
        let given = given.get(name).filter(|given| !given.is_null());
        let item = |json: &Json, path: Path| read_block(&nested.block, json, &path);
        let value = match (nested.nesting, given) {
            (_, Some(Json::String(text))) if text == UNKNOWN => Value::Unknown,
            (Nesting::Single, None) if nested.min_items == 0 => Value::Null,
            (Nesting::Single, None) => return Err(format!("{path}: the block is required")),
            (Nesting::Group, None) => item(&json!({}), path)?,
            (Nesting::Single | Nesting::Group, Some(json)) => item(json, path)?,
            (Nesting::List | Nesting::Set, given) => {
                let items = match given {
                    None => &[],
                    Some(Json::Array(items)) => items.as_slice(),
                    Some(_) => return Err(format!("{path}: blocks are given in an array")),
                };
                let count = items.len() as i64;
                if count < nested.min_items || nested.max_items > 0 && count > nested.max_items {
                    return Err(format!("{path}: {count} blocks are too few or too many"));
                }
                let items = items.iter().enumerate().map(|(index, json)| item(json, path.clone().index(index)));
                Value::List(items.collect::<Result<_, _>>()?)
            }
            (Nesting::Map, None) => Value::Map(BTreeMap::new()),
            (Nesting::Map, Some(Json::Object(items))) => {
                let items = items.iter().map(|(key, json)| Ok((key.clone(), item(json, path.clone().key(key))?)));
                Value::Map(items.collect::<Result<_, Refused>>()?)
            }
            (Nesting::Map, Some(_)) => return Err(format!("{path}: labelled blocks are given in an object")),
        };
        members.insert(name.clone(), value);
    }
    Ok(canonical(Value::Map(members), &block.ty()))
}

fn read_attributes(
    attributes: &Attributes,
    given: &serde_json::Map<String, Json>,
    path: &Path,
) -> Result<BTreeMap<String, Value>, Refused> {
    attributes
        .iter()
        .map(|(name, attribute)| {
            let path = path.clone().attribute(name);
            let value = read_attribute(attribute, given.get(name).unwrap_or(&Json::Null), &path)?;
            if attribute.required && value.is_null() {
                return Err(format!("{path}: the argument is required"));
            }
            if !attribute.required && !attribute.optional && !value.is_null() {
                return Err(format!("{path}: the provider decides its value, a configuration cannot"));
            }
            Ok((name.clone(), value))
        })
        .collect()
}

fn read_attribute(attribute: &Attribute, json: &Json, path: &Path) -> Result<Value, Refused> {
    let Some((nesting, members)) = &attribute.nested else {
        return value_of(&attribute.ty, json, path);
    };
    let object = |json: &Json, path: &Path| match json {
        Json::Null => Ok(Value::Null),
        Json::String(text) if text == UNKNOWN => Ok(Value::Unknown),
        Json::Object(given) => {
            if let Some(name) = given.keys().find(|name| !members.contains_key(*name)) {
                return Err(format!(
                    "{}: an attribute of this name is not expected here",
                    path.clone().attribute(name)
                ));
            }
            Ok(Value::Map(read_attributes(members, given, path)?))
        }
        _ => Err(format!("{path}: an object was expected, this is {json}")),
    };
    match (nesting, json) {
        (_, Json::Null) => Ok(Value::Null),
        (_, Json::String(text)) if text == UNKNOWN => Ok(Value::Unknown),
        (Nesting::Single | Nesting::Group, json) => object(json, path),
        (Nesting::List | Nesting::Set, Json::Array(items)) => items
            .iter()
            .enumerate()
            .map(|(index, json)| object(json, &path.clone().index(index)))
            .collect::<Result<_, _>>()
            .map(Value::List),
        (Nesting::Map, Json::Object(items)) => items
            .iter()
            .map(|(key, json)| Ok((key.clone(), object(json, &path.clone().key(key))?)))
            .collect::<Result<_, _>>()
            .map(Value::Map),
        _ => Err(format!("{path}: {nesting:?} of objects was expected, this is {json}")),
    }
}

/// A value of a type, with the conversions that core makes by itself: text to number and bool, and back. Numbers that
/// JSON's readers would round are given as text.
pub(crate) fn value_of(ty: &Type, json: &Json, path: &Path) -> Result<Value, Refused> {
    let wrong = || Err(format!("{path}: {} was expected, this is {json}", ty.to_json()));
    Ok(match (ty, json) {
        (_, Json::Null) => Value::Null,
        (_, Json::String(text)) if text == UNKNOWN => Value::Unknown,
        (Type::Bool, Json::Bool(bool)) => Value::Bool(*bool),
        (Type::Bool, Json::String(text)) if text == "true" || text == "false" => Value::Bool(text == "true"),
        (Type::Number, Json::Number(number)) => match number.to_string().parse() {
            Ok(number) => Value::Number(number),
            Err(_) => return wrong(),
        },
        (Type::Number, Json::String(text)) => match text.parse() {
            Ok(number) => Value::Number(number),
            Err(_) => return wrong(),
        },
        (Type::String, Json::String(text)) => Value::String(text.clone()),
        (Type::String, Json::Bool(bool)) => Value::String(bool.to_string()),
        (Type::String, Json::Number(number)) => Value::String(number.to_string()),
        (Type::Dynamic, json) => {
            let ty = literal_type(json);
            match value_of(&ty, json, path)? {
                unset @ (Value::Null | Value::Unknown) => unset,
                value => Value::Dynamic(Box::new((ty, value))),
            }
        }
        (Type::List(element) | Type::Set(element), Json::Array(items)) => Value::List(
            items
                .iter()
                .enumerate()
                .map(|(index, json)| value_of(element, json, &path.clone().index(index)))
                .collect::<Result<_, _>>()?,
        ),
        (Type::Tuple(elements), Json::Array(items)) if elements.len() == items.len() => Value::List(
            elements
                .iter()
                .zip(items)
                .enumerate()
                .map(|(index, (element, json))| value_of(element, json, &path.clone().index(index)))
                .collect::<Result<_, _>>()?,
        ),
        (Type::Map(element), Json::Object(items)) => Value::Map(
            items
                .iter()
                .map(|(key, json)| Ok((key.clone(), value_of(element, json, &path.clone().key(key))?)))
                .collect::<Result<_, Refused>>()?,
        ),
        (Type::Object(members), Json::Object(given)) => {
            if members.keys().any(|name| !given.contains_key(name)) {
                return Err(format!("{path}: attributes {:?} are required", members.keys()));
            }
            Value::Map(
                members
                    .iter()
                    .map(|(name, ty)| Ok((name.clone(), value_of(ty, &given[name], &path.clone().attribute(name))?)))
                    .collect::<Result<_, Refused>>()?,
            )
        }
        _ => return wrong(),
    })
}

/// The type a literal has when nothing else says so.
fn literal_type(json: &Json) -> Type {
    match json {
        Json::Null => Type::Dynamic,
        Json::Bool(_) => Type::Bool,
        Json::Number(_) => Type::Number,
        Json::String(text) if text == UNKNOWN => Type::Dynamic,
        Json::String(_) => Type::String,
        Json::Array(items) => Type::Tuple(items.iter().map(literal_type).collect()),
        Json::Object(members) => Type::object(members.iter().map(|(name, json)| (name, literal_type(json)))),
    }
}

/// The same value with the elements of each set in one order and without repetition, so that `==` is core's equality.
pub(crate) fn canonical(value: Value, ty: &Type) -> Value {
    match (value, ty) {
        (Value::List(elements), Type::Set(element)) => {
            let mut elements: Vec<_> = elements.into_iter().map(|value| canonical(value, element)).collect();
            elements.sort_by(compare);
            // Unknown elements may yet turn out to differ.
            elements.dedup_by(|left, right| left == right && left.is_wholly_known());
            Value::List(elements)
        }
        (Value::List(elements), Type::List(element)) => {
            Value::List(elements.into_iter().map(|value| canonical(value, element)).collect())
        }
        (Value::List(elements), Type::Tuple(types)) => {
            Value::List(elements.into_iter().zip(types).map(|(value, ty)| canonical(value, ty)).collect())
        }
        (Value::Map(members), Type::Map(element)) => {
            Value::Map(members.into_iter().map(|(key, value)| (key, canonical(value, element))).collect())
        }
        (Value::Map(members), Type::Object(types)) => Value::Map(
            members
                .into_iter()
                .map(|(name, value)| {
                    let value = match types.get(&name) {
                        Some(ty) => canonical(value, ty),
                        None => value,
                    };
                    (name, value)
                })
                .collect(),
        ),
        (Value::Dynamic(inner), _) => {
            let (ty, value) = *inner;
            let value = canonical(value, &ty);
            Value::Dynamic(Box::new((ty, value)))
        }
        (value, _) => value,
    }
}

fn compare(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::String(left), Value::String(right)) => left.cmp(right),
        _ => format!("{left:?}").cmp(&format!("{right:?}")),
    }
}

/// What a path leads to. `None` when there is no such place: the path runs into null, or past an end.
pub(crate) fn at<'v>(value: &'v Value, path: &Path) -> Option<&'v Value> {
    path.0.iter().try_fold(value, |value, step| match (value, step) {
        (Value::Unknown, _) => Some(value),
        (Value::Dynamic(inner), step) => at_step(&inner.1, step),
        (value, step) => at_step(value, step),
    })
}

fn at_step<'v>(value: &'v Value, step: &Step) -> Option<&'v Value> {
    match (value, step) {
        (Value::Map(members), Step::Attribute(name) | Step::Key(name)) => members.get(name),
        (Value::List(elements), Step::Index(index)) => elements.get(usize::try_from(*index).ok()?),
        _ => None,
    }
}

/// The value as a test writes it: [`UNKNOWN`] where it is unknown, without the types of dynamic values.
pub(crate) fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Unknown => json!(UNKNOWN),
        Value::Bool(bool) => json!(bool),
        Value::Number(number) => number_to_json(number),
        Value::String(text) => json!(text),
        Value::List(elements) => elements.iter().map(to_json).collect(),
        Value::Map(members) => {
            Json::Object(members.iter().map(|(name, value)| (name.clone(), to_json(value))).collect())
        }
        Value::Dynamic(inner) => to_json(&inner.1),
    }
}

/// A JSON number where that keeps every digit, else text.
fn number_to_json(number: &Number) -> Json {
    let text = number.as_str();
    let read = serde_json::from_str::<Json>(text).ok();
    let exact = |json: &Json| json.to_string().parse::<Number>().is_ok_and(|read| read == *number);
    read.filter(exact).unwrap_or_else(|| json!(text))
}

/// The text of a wholly known value in a state file: indented, dynamic values with their types, numbers in full.
pub(crate) fn state_text(value: &Value, ty: &Type) -> String {
    let mut text = String::new();
    write_state(&mut text, value, ty, 0);
    text
}

fn write_state(text: &mut String, value: &Value, ty: &Type, indent: usize) {
    match (value, ty) {
        (Value::Unknown, _) => panic!("an unknown value cannot be stored"),
        (Value::Null, _) => text.push_str("null"),
        (Value::Bool(bool), _) => text.push_str(if *bool { "true" } else { "false" }),
        (Value::Number(number), _) => text.push_str(number.as_str()),
        (Value::String(string), _) => text.push_str(&Json::from(string.as_str()).to_string()),
        (Value::Dynamic(inner), _) => {
            let (ty, value) = &**inner;
            let parts = [("value", None), ("type", Some(ty.to_json().to_string()))];
            write_sequence(text, ('{', '}'), parts.into_iter(), indent, |text, (name, notation)| {
                text.push_str(&format!("\"{name}\": "));
                match notation {
                    Some(notation) => text.push_str(&notation),
                    None => write_state(text, value, ty, indent + 1),
                }
            });
        }
        (Value::List(elements), ty) => {
            let elements = elements.iter().enumerate();
            write_sequence(text, ('[', ']'), elements, indent, |text, (index, element)| {
                let ty = match ty {
                    Type::Tuple(types) => &types[index],
                    Type::List(element) | Type::Set(element) => element,
                    other => other,
                };
                write_state(text, element, ty, indent + 1);
            });
        }
        (Value::Map(members), ty) => {
            write_sequence(text, ('{', '}'), members.iter(), indent, |text, (name, member)| {
                let ty = match ty {
                    Type::Object(types) => &types[name],
                    Type::Map(element) => element,
                    other => other,
                };
                text.push_str(&format!("{}: ", Json::from(name.as_str())));
                write_state(text, member, ty, indent + 1);
            });
        }
    }
}

fn write_sequence<T>(
    text: &mut String,
    (open, close): (char, char),
    items: impl Iterator<Item = T>,
    indent: usize,
    mut write: impl FnMut(&mut String, T),
) {
    text.push(open);
    let mut empty = true;
    for item in items {
        text.push_str(if empty { "\n" } else { ",\n" });
        text.push_str(&"  ".repeat(indent + 1));
        write(text, item);
        empty = false;
    }
    if !empty {
        text.push('\n');
        text.push_str(&"  ".repeat(indent));
    }
    text.push(close);
}
