//! Reads structs from values.

use std::collections::BTreeMap;

use serde::{
    Deserializer,
    de::{self, DeserializeOwned, IntoDeserializer, value::CowStrDeserializer},
    forward_to_deserialize_any,
};

use super::{
    super::{Name, Step, Value, attr::ATTR},
    mismatch::Mismatch,
};

/// Reads a struct from a value.
///
/// # Errors
/// The struct has other fields, or fields of other types.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, Mismatch> {
    T::deserialize(Reader(value))
}

struct Reader(Value);

impl<'de> Deserializer<'de> for Reader {
    type Error = Mismatch;

    fn deserialize_any<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
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

    fn deserialize_option<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: de::Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: de::Visitor<'de>>(
        self,
        name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
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
    ) -> Result<V::Value, Mismatch> {
        if let Value::Map(members) = &self.0
            && let Some(name) = members.keys().find(|name| !fields.contains(&name.as_ref()))
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
    type Error = Mismatch;

    fn next_element_seed<T: de::DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Mismatch> {
        let Some(value) = self.rest.next() else { return Ok(None) };
        let step = Step::index(self.index);
        self.index += 1;
        seed.deserialize(Reader(value)).map(Some).map_err(|mismatch| mismatch.under(step))
    }
}

struct Members {
    rest: std::collections::btree_map::IntoIter<Name, Value>,
    next: Option<(Name, Value)>,
    /// The step to a member: an attribute of an object, or a key of a map.
    step: fn(String) -> Step,
}

impl Members {
    fn of(members: BTreeMap<Name, Value>, step: fn(String) -> Step) -> Self {
        Self { rest: members.into_iter(), next: None, step }
    }
}

impl<'de> de::MapAccess<'de> for Members {
    type Error = Mismatch;

    fn next_key_seed<K: de::DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Mismatch> {
        self.next = self.rest.next();
        let Some((name, _)) = &self.next else { return Ok(None) };
        let name: CowStrDeserializer<'_, Mismatch> = name.clone().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: de::DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mismatch> {
        let Some((name, value)) = self.next.take() else {
            return Err(de::Error::custom("a member was asked for before its name"));
        };
        seed.deserialize(Reader(value)).map_err(|mismatch| mismatch.under((self.step)(name.into_owned())))
    }
}

/// Presents a value as the variants of [`Attr`].
struct AttrAccess(Value);

impl<'de> de::EnumAccess<'de> for AttrAccess {
    type Error = Mismatch;
    type Variant = Self;

    fn variant_seed<V: de::DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Mismatch> {
        let variant = match self.0 {
            Value::Null => "Null",
            Value::Unknown => "Unknown",
            _ => "Known",
        };
        let variant: de::value::StrDeserializer<'_, Mismatch> = variant.into_deserializer();
        Ok((seed.deserialize(variant)?, self))
    }
}

impl<'de> de::VariantAccess<'de> for AttrAccess {
    type Error = Mismatch;

    fn unit_variant(self) -> Result<(), Mismatch> {
        Ok(())
    }

    fn newtype_variant_seed<T: de::DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Mismatch> {
        seed.deserialize(Reader(self.0))
    }

    fn tuple_variant<V: de::Visitor<'de>>(self, _length: usize, _visitor: V) -> Result<V::Value, Mismatch> {
        Err(de::Error::custom("an attribute holds one value"))
    }

    fn struct_variant<V: de::Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Mismatch> {
        Err(de::Error::custom("an attribute holds one value"))
    }
}
