//! Values in msgpack: bytes that stand for a type, then the value.

use crate::typed::{is_of, leads_into, type_of};
use foundryhub::{
    framework::{Number, Value},
    wire::msgpack::{decode, encode},
};

pub(crate) fn check(input: &[u8]) {
    let (ty, bytes) = type_of(input);
    match decode(bytes, &ty) {
        Ok(value) => {
            assert!(is_of(&value, &ty), "{value:?} is no {ty:?}");
            assert!(weight(&value) <= 8192 * bytes.len(), "{} bytes became {}", bytes.len(), weight(&value));
            let written = encode(&value, &ty);
            let again = decode(&written, &ty).expect("what was written can be read");
            assert_eq!(again, value);
            assert_eq!(encode(&again, &ty), written);
        }
        Err(error) => {
            assert!(leads_into(&error.path, &ty), "{error} is nowhere in {ty:?}");
            assert!(error.to_string().len() <= 1024 + 8 * bytes.len(), "the error is longer than the value");
        }
    }
}

/// How much memory a value takes, about.
fn weight(value: &Value) -> usize {
    let inside = match value {
        Value::String(text) => text.len(),
        Value::Number(number) => {
            assert_eq!(number.as_str().parse::<Number>().as_ref(), Ok(number));
            number.as_str().len()
        }
        Value::List(elements) => elements.iter().map(weight).sum(),
        Value::Map(members) => members.iter().map(|(name, member)| name.len() + weight(member)).sum(),
        Value::Null | Value::Unknown | Value::Bool(_) => 0,
    };
    size_of::<Value>() + inside
}
