//! Converts between values and the structs of resources, by serde.
//!
//! A field that may be null or unknown is an [`Attr`]; a field of any other type must be known, and `Option` may be null. An
//! error names the attribute.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, DeserializeOwned, IntoDeserializer, value::StringDeserializer},
    forward_to_deserialize_any,
    ser::{self, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple, SerializeTupleStruct},
};

use super::{Number, Path, Step, Value};

/// The name by which the serializer and deserializer of values recognise an [`Attr`].
const ATTR: &str = "$foundryhub::Attr";

/// What an attribute holds in a configuration, plan or state.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename = "$foundryhub::Attr")]
pub enum Attr<T> {
    /// Nothing set.
    #[default]
    Null,
    /// Known only after apply.
    Unknown,
    /// A value.
    Known(T),
}

impl<T> Attr<T> {
    /// The value, when it is known and set.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Null | Self::Unknown => None,
        }
    }

    /// Whether it is set, without its value.
    pub fn presence(&self) -> Attr<()> {
        match self {
            Self::Null => Attr::Null,
            Self::Unknown => Attr::Unknown,
            Self::Known(_) => Attr::Known(()),
        }
    }

    /// Whether it is unknown.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// Whether nothing is set.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl<T: AsRef<str>> Attr<T> {
    /// The text, when it is known and set.
    pub fn text(&self) -> Option<&str> {
        self.known().map(AsRef::as_ref)
    }
}

impl<T> From<T> for Attr<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl<T> From<Option<T>> for Attr<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Known)
    }
}

/// A value and a struct do not fit, which is a mistake of the provider, as the value fits the schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct Mismatch {
    /// Where in the value.
    pub path: Path,
    /// What does not fit.
    pub reason: String,
}

/// Reads a struct from a value.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, Mismatch> {
    T::deserialize(Reader(value)).map_err(|Unfit { mut steps, reason }| {
        steps.reverse();
        Mismatch { path: Path(steps), reason }
    })
}

/// Makes a value of a struct.
pub fn to_value<T: Serialize>(value: &T) -> Result<Value, Mismatch> {
    value.serialize(Writer).map_err(|Unfit { mut steps, reason }| {
        steps.reverse();
        Mismatch { path: Path(steps), reason }
    })
}

/// A mismatch on its way out, collecting the steps from the innermost.
#[derive(Debug)]
struct Unfit {
    steps: Vec<Step>,
    reason: String,
}

impl Unfit {
    fn under(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Unfit {}

impl de::Error for Unfit {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self { steps: Vec::new(), reason: reason.to_string() }
    }
}

impl ser::Error for Unfit {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self { steps: Vec::new(), reason: reason.to_string() }
    }
}

/// Reads structs from a value.
struct Reader(Value);

impl<'de> Deserializer<'de> for Reader {
    type Error = Unfit;

    fn deserialize_any<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Unknown => Err(de::Error::custom("the value is not known yet")),
            Value::Bool(bool) => visitor.visit_bool(bool),
            Value::Number(number) => match number.as_i64() {
                Some(integer) => visitor.visit_i64(integer),
                None => visitor.visit_string(number.to_string()),
            },
            Value::String(text) => visitor.visit_string(text),
            Value::List(elements) => visitor.visit_seq(Elements { rest: elements.into_iter(), index: 0 }),
            Value::Map(members) => visitor.visit_map(Members::of(members, Step::Key)),
        }
    }

    fn deserialize_option<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: de::Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: de::Visitor<'de>>(
        self,
        name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        if name == ATTR {
            return visitor.visit_enum(AttrAccess(self.0));
        }
        match self.0 {
            Value::String(text) => visitor.visit_enum(text.into_deserializer()),
            other => Reader(other).deserialize_any(visitor),
        }
    }

    /// A struct is the whole object: what it has no field for would be lost when it is written back.
    fn deserialize_struct<V: de::Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        if let Value::Map(members) = &self.0
            && let Some(name) = members.keys().find(|name| !fields.contains(&name.as_str()))
        {
            return Err(de::Error::custom(format!("there is no field for {name}")));
        }
        match self.0 {
            Value::Map(members) => visitor.visit_map(Members::of(members, Step::Attribute)),
            other => Reader(other).deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

struct Elements {
    rest: std::vec::IntoIter<Value>,
    index: usize,
}

impl<'de> de::SeqAccess<'de> for Elements {
    type Error = Unfit;

    fn next_element_seed<T: de::DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unfit> {
        let Some(value) = self.rest.next() else { return Ok(None) };
        let step = Step::index(self.index);
        self.index += 1;
        seed.deserialize(Reader(value)).map(Some).map_err(|unfit| unfit.under(step))
    }
}

struct Members {
    rest: std::collections::btree_map::IntoIter<String, Value>,
    next: Option<(String, Value)>,
    /// The step to a member: an attribute of an object, or a key of a map.
    step: fn(String) -> Step,
}

impl Members {
    fn of(members: BTreeMap<String, Value>, step: fn(String) -> Step) -> Self {
        Self { rest: members.into_iter(), next: None, step }
    }
}

impl<'de> de::MapAccess<'de> for Members {
    type Error = Unfit;

    fn next_key_seed<K: de::DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unfit> {
        self.next = self.rest.next();
        let Some((name, _)) = &self.next else { return Ok(None) };
        let name: StringDeserializer<Unfit> = name.clone().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: de::DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unfit> {
        let Some((name, value)) = self.next.take() else {
            return Err(de::Error::custom("a member was asked for before its name"));
        };
        seed.deserialize(Reader(value)).map_err(|unfit| unfit.under((self.step)(name)))
    }
}

/// Presents a value as the variants of [`Attr`].
struct AttrAccess(Value);

impl<'de> de::EnumAccess<'de> for AttrAccess {
    type Error = Unfit;
    type Variant = Self;

    fn variant_seed<V: de::DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Unfit> {
        let variant = match self.0 {
            Value::Null => "Null",
            Value::Unknown => "Unknown",
            _ => "Known",
        };
        let variant: de::value::StrDeserializer<'_, Unfit> = variant.into_deserializer();
        Ok((seed.deserialize(variant)?, self))
    }
}

impl<'de> de::VariantAccess<'de> for AttrAccess {
    type Error = Unfit;

    fn unit_variant(self) -> Result<(), Unfit> {
        Ok(())
    }

    fn newtype_variant_seed<T: de::DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Unfit> {
        seed.deserialize(Reader(self.0))
    }

    fn tuple_variant<V: de::Visitor<'de>>(self, _length: usize, _visitor: V) -> Result<V::Value, Unfit> {
        Err(de::Error::custom("an attribute holds one value"))
    }

    fn struct_variant<V: de::Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Unfit> {
        Err(de::Error::custom("an attribute holds one value"))
    }
}

struct Writer;

impl Writer {
    fn refuse<T>(what: &str) -> Result<T, Unfit> {
        Err(ser::Error::custom(format!("{what} has no counterpart in Terraform's type system")))
    }
}

impl Serializer for Writer {
    type Ok = Value;
    type Error = Unfit;
    type SerializeSeq = ListWriter;
    type SerializeTuple = ListWriter;
    type SerializeTupleStruct = ListWriter;
    type SerializeTupleVariant = ser::Impossible<Value, Unfit>;
    type SerializeMap = MapWriter;
    type SerializeStruct = MapWriter;
    type SerializeStructVariant = ser::Impossible<Value, Unfit>;

    fn serialize_bool(self, bool: bool) -> Result<Value, Unfit> {
        Ok(Value::Bool(bool))
    }

    fn serialize_i8(self, integer: i8) -> Result<Value, Unfit> {
        self.serialize_i64(integer.into())
    }

    fn serialize_i16(self, integer: i16) -> Result<Value, Unfit> {
        self.serialize_i64(integer.into())
    }

    fn serialize_i32(self, integer: i32) -> Result<Value, Unfit> {
        self.serialize_i64(integer.into())
    }

    fn serialize_i64(self, integer: i64) -> Result<Value, Unfit> {
        Ok(Value::Number(integer.into()))
    }

    fn serialize_u8(self, integer: u8) -> Result<Value, Unfit> {
        self.serialize_u64(integer.into())
    }

    fn serialize_u16(self, integer: u16) -> Result<Value, Unfit> {
        self.serialize_u64(integer.into())
    }

    fn serialize_u32(self, integer: u32) -> Result<Value, Unfit> {
        self.serialize_u64(integer.into())
    }

    fn serialize_u64(self, integer: u64) -> Result<Value, Unfit> {
        Ok(Value::Number(integer.into()))
    }

    fn serialize_f32(self, float: f32) -> Result<Value, Unfit> {
        self.serialize_f64(float.into())
    }

    fn serialize_f64(self, float: f64) -> Result<Value, Unfit> {
        Number::from_f64(float).map(Value::Number).ok_or_else(|| ser::Error::custom("NaN is no number"))
    }

    fn serialize_char(self, char: char) -> Result<Value, Unfit> {
        Ok(Value::String(char.to_string()))
    }

    fn serialize_str(self, text: &str) -> Result<Value, Unfit> {
        Ok(Value::String(text.to_owned()))
    }

    fn serialize_bytes(self, _bytes: &[u8]) -> Result<Value, Unfit> {
        Self::refuse("a run of bytes")
    }

    fn serialize_none(self) -> Result<Value, Unfit> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Unfit> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, Unfit> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Value, Unfit> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(self, name: &'static str, _index: u32, variant: &'static str) -> Result<Value, Unfit> {
        Ok(match (name, variant) {
            (ATTR, "Null") => Value::Null,
            (ATTR, _) => Value::Unknown,
            _ => Value::String(variant.to_owned()),
        })
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _name: &'static str, value: &T) -> Result<Value, Unfit> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _index: u32,
        _variant: &'static str,
        value: &T,
    ) -> Result<Value, Unfit> {
        if name == ATTR { value.serialize(self) } else { Self::refuse("an enum with content") }
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<ListWriter, Unfit> {
        Ok(ListWriter(Vec::new()))
    }

    fn serialize_tuple(self, _length: usize) -> Result<ListWriter, Unfit> {
        Ok(ListWriter(Vec::new()))
    }

    fn serialize_tuple_struct(self, _name: &'static str, _length: usize) -> Result<ListWriter, Unfit> {
        Ok(ListWriter(Vec::new()))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeTupleVariant, Unfit> {
        Self::refuse("an enum with content")
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<MapWriter, Unfit> {
        Ok(MapWriter::default())
    }

    fn serialize_struct(self, _name: &'static str, _length: usize) -> Result<MapWriter, Unfit> {
        Ok(MapWriter::default())
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeStructVariant, Unfit> {
        Self::refuse("an enum with content")
    }
}

struct ListWriter(Vec<Value>);

impl ListWriter {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        let step = Step::index(self.0.len());
        self.0.push(value.serialize(Writer).map_err(|unfit| unfit.under(step))?);
        Ok(())
    }
}

impl SerializeSeq for ListWriter {
    type Ok = Value;
    type Error = Unfit;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Unfit> {
        Ok(Value::List(self.0))
    }
}

impl SerializeTuple for ListWriter {
    type Ok = Value;
    type Error = Unfit;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Unfit> {
        Ok(Value::List(self.0))
    }
}

impl SerializeTupleStruct for ListWriter {
    type Ok = Value;
    type Error = Unfit;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Unfit> {
        Ok(Value::List(self.0))
    }
}

#[derive(Default)]
struct MapWriter {
    members: BTreeMap<String, Value>,
    key: String,
}

impl SerializeMap for MapWriter {
    type Ok = Value;
    type Error = Unfit;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unfit> {
        let Value::String(key) = key.serialize(Writer)? else {
            return Err(ser::Error::custom("a key must be a string"));
        };
        self.key = key;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        let key = std::mem::take(&mut self.key);
        let value = value.serialize(Writer).map_err(|unfit| unfit.under(Step::Key(key.clone())))?;
        self.members.insert(key, value);
        Ok(())
    }

    fn end(self) -> Result<Value, Unfit> {
        Ok(Value::Map(self.members))
    }
}

impl SerializeStruct for MapWriter {
    type Ok = Value;
    type Error = Unfit;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Unfit> {
        let value = value.serialize(Writer).map_err(|unfit| unfit.under(Step::Attribute(name.to_owned())))?;
        self.members.insert(name.to_owned(), value);
        Ok(())
    }

    fn end(self) -> Result<Value, Unfit> {
        Ok(Value::Map(self.members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
