//! Values in the msgpack dialect of Terraform's type system (go-cty), read and written by type.
//!
//! Numbers travel as integers where they fit 64 bits, as floats where a float is exactly the number, and as decimal text
//! otherwise. Unknown values are extensions, whose refinements are dropped, which the protocol allows.

use std::{borrow::Cow, collections::BTreeMap};

use rmp::{Marker, decode, encode};
use unicode_normalization::UnicodeNormalization as _;

use crate::framework::{Name, Number, Step, Type, Value, value::DecodeError};

/// Reads a value of type `ty` that fills all of `bytes`.
pub fn decode(bytes: &[u8], ty: &Type) -> Result<Value, DecodeError> {
    let mut reader = Reader { rest: bytes };
    let value = reader.value(ty)?;
    if !reader.rest.is_empty() {
        return fail(format!("{} bytes follow the value", reader.rest.len()));
    }
    Ok(value)
}

/// Writes `value`, which must be of type `ty`. A member that an object lacks is written as null.
pub fn encode(value: &Value, ty: &Type) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes, value, ty);
    bytes
}

struct Reader<'a> {
    rest: &'a [u8],
}

fn fail<T>(reason: impl Into<String>) -> Result<T, DecodeError> {
    Err(DecodeError::new(reason))
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        match self.rest.split_at_checked(length) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => fail("the value ends early"),
        }
    }

    fn marker(&self) -> Result<Marker, DecodeError> {
        match self.rest.first() {
            Some(byte) => Ok(Marker::from_u8(*byte)),
            None => fail("the value ends early"),
        }
    }

    /// Consumes an extension if one is next, and tells whether: every extension is an unknown value.
    fn unknown(&mut self) -> Result<bool, DecodeError> {
        let is_extension = matches!(
            self.marker()?,
            Marker::FixExt1
                | Marker::FixExt2
                | Marker::FixExt4
                | Marker::FixExt8
                | Marker::FixExt16
                | Marker::Ext8
                | Marker::Ext16
                | Marker::Ext32
        );
        if is_extension {
            let Ok(meta) = decode::read_ext_meta(&mut self.rest) else {
                return fail("the value ends early");
            };
            self.take(meta.size as usize)?;
        }
        Ok(is_extension)
    }

    fn value(&mut self, ty: &Type) -> Result<Value, DecodeError> {
        if self.marker()? == Marker::Null {
            self.take(1)?;
            return Ok(Value::Null);
        }
        if self.unknown()? {
            return Ok(Value::Unknown);
        }
        match ty {
            Type::Bool => match decode::read_bool(&mut self.rest) {
                Ok(bool) => Ok(Value::Bool(bool)),
                Err(_) => fail("a bool was expected"),
            },
            Type::Number => self.number(),
            Type::String => Ok(Value::String(normal_form(self.text()?).into_owned())),
            Type::List(element) | Type::Set(element) => {
                let Ok(length) = decode::read_array_len(&mut self.rest) else {
                    return fail("a list was expected");
                };
                // The length is not verified, so memory is allocated as elements arrive.
                let mut elements = Vec::new();
                for index in 0..length as usize {
                    elements.push(match ty {
                        // Elements of sets cannot be addressed, so the path ends at the set.
                        Type::Set(_) => self.value(element)?,
                        _ => self.value(element).map_err(|error| error.under(Step::index(index)))?,
                    });
                }
                Ok(Value::List(elements))
            }
            Type::Map(element) => {
                let key = |text: &str| Some((Name::from(text.to_owned()), &**element));
                self.members(key, Step::Key).map(Value::Map)
            }
            Type::Object(attributes) => {
                let attribute = |name: &str| attributes.get_key_value(name).map(|(name, ty)| (name.clone(), ty));
                let object = self.members(attribute, Step::Attribute)?;
                if object.len() < attributes.len()
                    && let Some(name) = attributes.keys().find(|name| !object.contains_key(*name))
                {
                    return fail(format!("the attribute {name} is missing"));
                }
                Ok(Value::Map(object))
            }
        }
    }

    fn members<'t>(
        &mut self,
        member: impl Fn(&str) -> Option<(Name, &'t Type)>,
        step: fn(String) -> Step,
    ) -> Result<BTreeMap<Name, Value>, DecodeError> {
        let Ok(length) = decode::read_map_len(&mut self.rest) else {
            return fail("an object or map was expected");
        };
        let mut members = BTreeMap::new();
        for _ in 0..length {
            let text = normal_form(self.text()?);
            let Some((name, ty)) = member(&text) else {
                return fail(format!("there is no attribute {text:?}"));
            };
            let value = self.value(ty).map_err(|error| error.under(step(text.into_owned())))?;
            members.insert(name, value);
        }
        Ok(members)
    }

    fn text(&mut self) -> Result<&'a str, DecodeError> {
        let Ok(length) = decode::read_str_len(&mut self.rest) else {
            return fail("a string was expected");
        };
        match std::str::from_utf8(self.take(length as usize)?) {
            Ok(text) => Ok(text),
            Err(_) => fail("a string is not UTF-8"),
        }
    }

    fn number(&mut self) -> Result<Value, DecodeError> {
        let number = match self.marker()? {
            Marker::F32 => decode::read_f32(&mut self.rest).ok().and_then(|float| Number::from_f64(float.into())),
            Marker::F64 => decode::read_f64(&mut self.rest).ok().and_then(Number::from_f64),
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => self.text()?.parse().ok(),
            // An integer that only u64 can hold has the unsigned marker.
            Marker::U64 => decode::read_u64(&mut self.rest).ok().map(Number::from),
            _ => decode::read_int::<i64, _>(&mut self.rest).ok().map(Number::from),
        };
        match number {
            Some(number) => Ok(Value::Number(number)),
            None => fail("a number was expected"),
        }
    }
}

/// The text in the normal form in which engines compare. Most text is ASCII, which is in that form as it stands; going
/// through it character by character takes a second for a few megabytes where the build is not optimized.
fn normal_form(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { text.into() } else { text.nfc().collect() }
}

/// Drops a writer's result: writing to memory cannot fail.
fn infallible<T, E: std::fmt::Debug>(result: Result<T, E>) {
    result.map(drop).expect("writing to memory cannot fail");
}

fn write(bytes: &mut Vec<u8>, value: &Value, ty: &Type) {
    match (value, ty) {
        (Value::Null, _) => infallible(encode::write_nil(bytes)),
        (Value::Unknown, _) => {
            infallible(encode::write_ext_meta(bytes, 1, 0));
            bytes.push(0);
        }
        (Value::Bool(bool), _) => infallible(encode::write_bool(bytes, *bool)),
        (Value::Number(number), _) => write_number(bytes, number),
        (Value::String(text), _) => infallible(encode::write_str(bytes, text)),
        (Value::List(elements), _) => {
            infallible(encode::write_array_len(bytes, length(elements.len())));
            elements.iter().for_each(|element| write(bytes, element, element_type(ty)));
        }
        (Value::Map(_), Type::Object(attributes)) => {
            infallible(encode::write_map_len(bytes, length(attributes.len())));
            for (name, ty) in attributes {
                infallible(encode::write_str(bytes, name));
                write(bytes, value.get(name), ty);
            }
        }
        (Value::Map(members), _) => {
            infallible(encode::write_map_len(bytes, length(members.len())));
            for (key, element) in members {
                infallible(encode::write_str(bytes, key));
                write(bytes, element, element_type(ty));
            }
        }
    }
}

fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn element_type(ty: &Type) -> &Type {
    match ty {
        Type::List(element) | Type::Set(element) | Type::Map(element) => element,
        other => other,
    }
}

fn write_number(bytes: &mut Vec<u8>, number: &Number) {
    if let Some(integer) = number.as_i64() {
        infallible(encode::write_sint(bytes, integer));
    } else if let Some(float) = number.as_exact_f64().filter(|float| float.is_infinite() || float.fract() != 0.0) {
        infallible(encode::write_f64(bytes, float));
    } else {
        infallible(encode::write_str(bytes, number.as_str()));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::framework::Path;

    fn number(text: &str) -> Value {
        Value::Number(text.parse().expect("the case is a number"))
    }

    #[test]
    fn numbers_take_the_form_that_loses_nothing() {
        let third = format!("0.{}", "3".repeat(154));
        for (text, first_byte) in [
            ("0.5", 0xcb),
            ("0.1", 0xa3),
            ("18446744073709551615", 0xb4),
            ("1000000000000000000000000000000", 0xbf),
            (third.as_str(), 0xd9),
            ("-1", 0xff),
            ("9223372036854775807", 0xcf),
            ("-Inf", 0xcb),
        ] {
            let bytes = encode(&number(text), &Type::Number);
            assert_eq!(bytes[0], first_byte, "{text}");
            assert_eq!(decode(&bytes, &Type::Number), Ok(number(text)), "{text}");
        }
    }

    #[test]
    fn every_extension_is_an_unknown_value() {
        let refined = [0xc7, 0x0b, 12, 0x82, 1, 0xc2, 2, 0xa5, b'p', b'r', b'e', b'-', b'x', 0];
        for bytes in [&[0xd4, 0, 0][..], &[0xc7, 0, 0], &refined] {
            assert_eq!(decode(bytes, &Type::String), Ok(Value::Unknown), "{bytes:x?}");
        }
        assert_eq!(encode(&Value::Unknown, &Type::String), [0xd4, 0, 0]);
    }

    #[test]
    fn an_object_needs_every_attribute_and_no_other() {
        let ty = Type::object([("a", Type::Bool), ("b", Type::Bool)]);
        let missing = encode(&Value::object([("a", true.into())]), &Type::map(Type::Bool));
        assert_eq!(
            decode(&missing, &ty).map_err(|error| error.to_string()),
            Err("the attribute b is missing".to_owned())
        );
        let surplus = encode(&Value::object([("c", true.into())]), &Type::map(Type::Bool));
        assert_eq!(
            decode(&surplus, &ty).map_err(|error| error.to_string()),
            Err("there is no attribute \"c\"".to_owned())
        );
    }

    #[test]
    fn an_error_names_the_path() {
        let ty = Type::object([("a", Type::list(Type::map(Type::Bool)))]);
        let wrong = Type::object([("a", Type::list(Type::map(Type::String)))]);
        let value = Value::object([("a", Value::List(vec![Value::object([("k", "text".into())])]))]);
        let error = decode(&encode(&value, &wrong), &ty).expect_err("a string is no bool");
        assert_eq!(error.to_string(), r#"a[0]["k"]: a bool was expected"#);
        let [ty, wrong] = [Type::Bool, Type::String].map(|element| Type::list(Type::set(element)));
        let value = Value::List(vec![Value::List(vec!["text".into()])]);
        let error = decode(&encode(&value, &wrong), &ty).expect_err("a string is no bool");
        assert_eq!(error.path, Path::default().index(0), "elements of sets have no names");
    }

    fn any_type() -> impl Strategy<Value = Type> {
        let leaf = prop_oneof![Just(Type::Bool), Just(Type::Number), Just(Type::String)];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                inner.clone().prop_map(Type::list),
                inner.clone().prop_map(Type::set),
                inner.clone().prop_map(Type::map),
                prop::collection::btree_map("[a-z]{1,3}", inner, 0..4).prop_map(Type::object),
            ]
        })
    }

    fn value_of(ty: Type) -> BoxedStrategy<Value> {
        let known = match ty {
            Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
            Type::Number => "-?[0-9]{1,40}(\\.[0-9]{1,40})?".prop_map(|text| number(&text)).boxed(),
            Type::String => "\\PC{0,40}".prop_map(|text| Value::String(text.nfc().collect())).boxed(),
            Type::List(element) | Type::Set(element) => {
                prop::collection::vec(value_of(*element), 0..4).prop_map(Value::List).boxed()
            }
            Type::Map(element) => {
                prop::collection::btree_map("[a-z]{1,3}", value_of(*element), 0..4).prop_map(Value::object).boxed()
            }
            Type::Object(attributes) => attributes
                .into_iter()
                .map(|(name, ty)| (Just(name), value_of(ty)))
                .collect::<Vec<_>>()
                .prop_map(|members| Value::Map(members.into_iter().collect()))
                .boxed(),
        };
        prop_oneof![8 => known, 1 => Just(Value::Null), 1 => Just(Value::Unknown)].boxed()
    }

    proptest! {
        #[test]
        fn values_of_every_type_round_trip(
            (ty, value) in any_type().prop_flat_map(|ty| (Just(ty.clone()), value_of(ty)))
        ) {
            prop_assert_eq!(decode(&encode(&value, &ty), &ty), Ok(value));
        }

        #[test]
        fn no_bytes_cause_a_panic(ty in any_type(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes, &ty);
        }
    }
}
