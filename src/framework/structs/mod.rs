//! Values as structs and back, by serde.
//!
//! A field that may be null or unknown is an [`Attr`](super::Attr); a field of any other type must be known, and `Option` may
//! be null. An error names the attribute.

mod mismatch;
mod reader;
mod writer;

pub use mismatch::Mismatch;
pub use reader::from_value;
pub use writer::to_value;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Serialize};

    use super::{
        super::{Attr, Value},
        *,
    };

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Inner {
        name: String,
        size: Option<i64>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Outer {
        unset: Attr<String>,
        later: Attr<bool>,
        inner: Attr<Vec<Inner>>,
        tags: BTreeMap<String, Attr<String>>,
    }

    fn sample() -> (Outer, Value) {
        let inner = Inner { name: "n".to_owned(), size: None };
        let tags = BTreeMap::from([("k".to_owned(), Attr::Unknown)]);
        let outer = Outer { unset: Attr::Null, later: Attr::Unknown, inner: vec![inner].into(), tags };
        let value = Value::object([
            ("unset", Value::Null),
            ("later", Value::Unknown),
            ("inner", Value::List(vec![Value::object([("name", "n".into()), ("size", Value::Null)])])),
            ("tags", Value::object([("k", Value::Unknown)])),
        ]);
        (outer, value)
    }

    #[test]
    fn a_struct_and_its_value_are_two_forms_of_one_thing() {
        let (outer, value) = sample();
        assert_eq!(to_value(&outer), Ok(value.clone()));
        assert_eq!(from_value(value), Ok(outer));
    }

    #[test]
    fn an_unknown_where_a_struct_wants_a_value_is_named() {
        let value = Value::object([("name", Value::Unknown), ("size", 1.into())]);
        let list = Value::object([("inner", Value::List(vec![value]))]);
        let error = from_value::<BTreeMap<String, Vec<Inner>>>(list).expect_err("the name is unknown");
        assert_eq!(error.to_string(), r#"["inner"][0].name: the value is not known yet"#);
    }

    #[test]
    fn a_struct_has_a_field_for_every_member_and_no_other() {
        let read = |members: &[(&'static str, Value)]| {
            from_value::<Inner>(Value::object(members.to_vec())).map_err(|error| error.reason)
        };
        let (name, size) = (("name", "n".into()), ("size", Value::Null));
        assert!(read(&[name.clone(), size.clone()]).is_ok());
        assert_eq!(read(std::slice::from_ref(&size)), Err("missing field `name`".to_owned()));
        assert_eq!(read(&[name, size, ("sise", 1.into())]), Err("there is no field for sise".to_owned()));
    }
}
