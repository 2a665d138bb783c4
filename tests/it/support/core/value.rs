//! Values as core holds them: read from a configuration, written to a state file, shown to a test.

use std::{cmp::Ordering, collections::BTreeMap};

use foundryhub::framework::{Name, Number, Path, Step, Type, Value};
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
        let value = match given {
            None => Value::Null,
            Some(Json::String(text)) if text == UNKNOWN => Value::Unknown,
            Some(json) => read_block(nested, json, &path)?,
        };
        members.insert(name.clone().into(), value);
    }
    Ok(canonical(Value::Map(members), &block.ty()))
}

fn read_attributes(
    attributes: &Attributes,
    given: &serde_json::Map<String, Json>,
    path: &Path,
) -> Result<BTreeMap<Name, Value>, Refused> {
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
            Ok((name.clone().into(), value))
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
        (Nesting::Single, json) => object(json, path),
        (Nesting::List, Json::Array(items)) => items
            .iter()
            .enumerate()
            .map(|(index, json)| object(json, &path.clone().index(index)))
            .collect::<Result<_, _>>()
            .map(Value::List),
        (Nesting::Map, Json::Object(items)) => items
            .iter()
            .map(|(key, json)| Ok((key.clone().into(), object(json, &path.clone().key(key))?)))
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
        (Type::List(element) | Type::Set(element), Json::Array(items)) => Value::List(
            items
                .iter()
                .enumerate()
                .map(|(index, json)| value_of(element, json, &path.clone().index(index)))
                .collect::<Result<_, _>>()?,
        ),
        (Type::Map(element), Json::Object(items)) => Value::Map(
            items
                .iter()
                .map(|(key, json)| Ok((key.clone().into(), value_of(element, json, &path.clone().key(key))?)))
                .collect::<Result<_, Refused>>()?,
        ),
        (Type::Object(members), Json::Object(given)) => {
            if members.keys().any(|name| !given.contains_key(name.as_ref())) {
                return Err(format!("{path}: attributes {:?} are required", members.keys()));
            }
            Value::Map(
                members
                    .iter()
                    .map(|(name, ty)| {
                        let place = path.clone().attribute(name.as_ref());
                        Ok((name.clone(), value_of(ty, &given[name.as_ref()], &place)?))
                    })
                    .collect::<Result<_, Refused>>()?,
            )
        }
        _ => return wrong(),
    })
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
        (Value::Map(members), Step::Attribute(name) | Step::Key(name)) => members.get(name.as_str()),
        (Value::List(elements), Step::Index(index)) => elements.get(usize::try_from(*index).ok()?),
        _ => None,
    })
}

/// The value as a test writes it: [`UNKNOWN`] where it is unknown.
pub(crate) fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Unknown => json!(UNKNOWN),
        Value::Bool(bool) => json!(bool),
        Value::Number(number) => number_to_json(number),
        Value::String(text) => json!(text),
        Value::List(elements) => elements.iter().map(to_json).collect(),
        Value::Map(members) => {
            Json::Object(members.iter().map(|(name, value)| (name.to_string(), to_json(value))).collect())
        }
    }
}

/// A JSON number where that keeps every digit, else text.
fn number_to_json(number: &Number) -> Json {
    let text = number.as_str();
    let read = serde_json::from_str::<Json>(text).ok();
    let exact = |json: &Json| json.to_string().parse::<Number>().is_ok_and(|read| read == *number);
    read.filter(exact).unwrap_or_else(|| json!(text))
}

/// The text of a wholly known value in a state file: indented, numbers in full.
pub(crate) fn state_text(value: &Value) -> String {
    let mut text = String::new();
    write_state(&mut text, value, 0);
    text
}

fn write_state(text: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Unknown => panic!("an unknown value cannot be stored"),
        Value::Null => text.push_str("null"),
        Value::Bool(bool) => text.push_str(if *bool { "true" } else { "false" }),
        Value::Number(number) => text.push_str(number.as_str()),
        Value::String(string) => text.push_str(&Json::from(string.as_str()).to_string()),
        Value::List(elements) => write_sequence(text, ('[', ']'), elements.iter(), indent, |text, element| {
            write_state(text, element, indent + 1);
        }),
        Value::Map(members) => write_sequence(text, ('{', '}'), members.iter(), indent, |text, (name, member)| {
            text.push_str(&format!("{}: ", Json::from(name.as_ref())));
            write_state(text, member, indent + 1);
        }),
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
