//! Values in the JSON of state files, read and written by type without losing a digit.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json, value::RawValue};

use super::{Step, Type, Value, value::DecodeError};

/// Reads a value of type `ty`. Attributes that an object lacks become null and those that its type lacks are dropped: the
/// text may have been written by another release.
pub fn decode(text: &[u8], ty: &Type) -> Result<Value, DecodeError> {
    let raw: &RawValue = serde_json::from_slice(text).map_err(|error| DecodeError::new(error.to_string()))?;
    value(raw, ty)
}

fn value(raw: &RawValue, ty: &Type) -> Result<Value, DecodeError> {
    let text = raw.get();
    if text == "null" {
        return Ok(Value::Null);
    }
    match ty {
        Type::Bool => parse(text, "a bool").map(Value::Bool),
        Type::Number => {
            // Engines write infinities as strings.
            let digits = if text.starts_with('"') { parse(text, "a number")? } else { text.to_owned() };
            digits.parse().map(Value::Number).map_err(|_| DecodeError::new("a number was expected"))
        }
        Type::String => parse(text, "a string").map(Value::String),
        Type::List(element) => {
            let elements: Vec<&RawValue> = parse(text, "a list")?;
            let elements = elements.iter().enumerate();
            elements
                .map(|(index, raw)| value(raw, element).map_err(|error| error.under(Step::index(index))))
                .collect::<Result<_, _>>()
                .map(Value::List)
        }
        Type::Set(element) => {
            let elements: Vec<&RawValue> = parse(text, "a set")?;
            elements.iter().map(|raw| value(raw, element)).collect::<Result<_, _>>().map(Value::List)
        }
        Type::Map(element) => {
            let members: BTreeMap<String, &RawValue> = parse(text, "a map")?;
            let members = members.into_iter();
            members
                .map(|(key, raw)| match value(raw, element) {
                    Ok(element) => Ok((key.into(), element)),
                    Err(error) => Err(error.under(Step::Key(key))),
                })
                .collect::<Result<_, _>>()
                .map(Value::Map)
        }
        Type::Object(attributes) => {
            let members: BTreeMap<String, &RawValue> = parse(text, "an object")?;
            attributes
                .iter()
                .map(|(name, ty)| {
                    let member = members.get(name.as_ref()).map_or(Ok(Value::Null), |raw| value(raw, ty));
                    member
                        .map(|member| (name.clone(), member))
                        .map_err(|error| error.under(Step::Attribute(name.to_string())))
                })
                .collect::<Result<_, _>>()
                .map(Value::Map)
        }
    }
}

fn parse<'a, T: serde::Deserialize<'a>>(text: &'a str, expected: &str) -> Result<T, DecodeError> {
    serde_json::from_str(text).map_err(|_| DecodeError::new(format!("{expected} was expected")))
}

/// Writes a value as JSON. Unknown values, which JSON cannot express, become null.
pub fn encode(value: &Value) -> Json {
    match value {
        Value::Null | Value::Unknown => Json::Null,
        Value::Bool(bool) => json!(bool),
        // Any text of digits is a JSON number, but serde_json's own would round it; infinities are no JSON number at all.
        Value::Number(number) => match number.as_i64() {
            Some(integer) => json!(integer),
            None => json!(number.as_str()),
        },
        Value::String(text) => json!(text),
        Value::List(elements) => elements.iter().map(encode).collect(),
        Value::Map(members) => {
            Json::Object(members.iter().map(|(name, value)| (name.to_string(), encode(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ty() -> Type {
        Type::object([
            ("name", Type::String),
            ("size", Type::Number),
            ("tags", Type::map(Type::Bool)),
            ("new", Type::list(Type::String)),
        ])
    }

    #[test]
    fn state_text_keeps_every_digit_and_gains_what_is_new() {
        let text = br#"{
          "name": "n", "size": 0.10000000000000000000000000001, "gone": [1],
          "tags": {"a": true}
        }"#;
        let value = decode(text, &ty()).expect("the text fits");
        assert_eq!(value.get("size"), &Value::Number("0.10000000000000000000000000001".parse().expect("a number")));
        assert_eq!(value.get("new"), &Value::Null);
        assert_eq!(value.get("gone"), &Value::Null);
        assert_eq!(decode(encode(&value).to_string().as_bytes(), &ty()), Ok(value));
    }

    #[test]
    fn an_error_names_the_path() {
        let error = decode(br#"{"tags": {"a": 1}}"#, &ty()).expect_err("1 is no bool");
        assert_eq!(error.to_string(), r#"tags["a"]: a bool was expected"#);
        // It ends at a set.
        let error = decode(br#"["a", 1]"#, &Type::set(Type::String)).expect_err("1 is no string");
        assert_eq!(error.to_string(), "a string was expected");
        assert!(decode(b"{", &ty()).is_err());
    }
}
