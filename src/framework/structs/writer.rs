//! Makes values of structs.

use std::collections::BTreeMap;

use serde::{
    Serialize, Serializer,
    ser::{self, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple, SerializeTupleStruct},
};

use super::{
    super::{Name, Number, Step, Value, attr::ATTR},
    mismatch::Mismatch,
};

/// Makes a value of a struct.
///
/// # Errors
/// The struct holds what no value can be, such as NaN.
pub fn to_value<T: Serialize>(value: &T) -> Result<Value, Mismatch> {
    value.serialize(Writer)
}

struct Writer;

impl Writer {
    fn refuse<T>(what: &str) -> Result<T, Mismatch> {
        Err(ser::Error::custom(format!("{what} has no counterpart in Terraform's type system")))
    }
}

impl Serializer for Writer {
    type Ok = Value;
    type Error = Mismatch;
    type SerializeSeq = ListWriter;
    type SerializeTuple = ListWriter;
    type SerializeTupleStruct = ListWriter;
    type SerializeTupleVariant = ser::Impossible<Value, Mismatch>;
    type SerializeMap = MapWriter;
    type SerializeStruct = MapWriter;
    type SerializeStructVariant = ser::Impossible<Value, Mismatch>;

    fn serialize_bool(self, bool: bool) -> Result<Value, Mismatch> {
        Ok(Value::Bool(bool))
    }

    fn serialize_i8(self, integer: i8) -> Result<Value, Mismatch> {
        self.serialize_i64(integer.into())
    }

    fn serialize_i16(self, integer: i16) -> Result<Value, Mismatch> {
        self.serialize_i64(integer.into())
    }

    fn serialize_i32(self, integer: i32) -> Result<Value, Mismatch> {
        self.serialize_i64(integer.into())
    }

    fn serialize_i64(self, integer: i64) -> Result<Value, Mismatch> {
        Ok(Value::Number(integer.into()))
    }

    fn serialize_u8(self, integer: u8) -> Result<Value, Mismatch> {
        self.serialize_u64(integer.into())
    }

    fn serialize_u16(self, integer: u16) -> Result<Value, Mismatch> {
        self.serialize_u64(integer.into())
    }

    fn serialize_u32(self, integer: u32) -> Result<Value, Mismatch> {
        self.serialize_u64(integer.into())
    }

    fn serialize_u64(self, integer: u64) -> Result<Value, Mismatch> {
        Ok(Value::Number(integer.into()))
    }

    fn serialize_f32(self, float: f32) -> Result<Value, Mismatch> {
        self.serialize_f64(float.into())
    }

    fn serialize_f64(self, float: f64) -> Result<Value, Mismatch> {
        Number::from_f64(float).map(Value::Number).ok_or_else(|| ser::Error::custom("NaN is no number"))
    }

    fn serialize_char(self, char: char) -> Result<Value, Mismatch> {
        Ok(Value::String(char.to_string()))
    }

    fn serialize_str(self, text: &str) -> Result<Value, Mismatch> {
        Ok(Value::String(text.to_owned()))
    }

    fn serialize_bytes(self, _bytes: &[u8]) -> Result<Value, Mismatch> {
        Self::refuse("a run of bytes")
    }

    fn serialize_none(self) -> Result<Value, Mismatch> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Mismatch> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, Mismatch> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Value, Mismatch> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(self, name: &'static str, _index: u32, variant: &'static str) -> Result<Value, Mismatch> {
        Ok(match (name, variant) {
            (ATTR, "Null") => Value::Null,
            (ATTR, _) => Value::Unknown,
            _ => Value::String(variant.to_owned()),
        })
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<Value, Mismatch> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _index: u32,
        _variant: &'static str,
        value: &T,
    ) -> Result<Value, Mismatch> {
        if name == ATTR { value.serialize(self) } else { Self::refuse("an enum with content") }
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<ListWriter, Mismatch> {
        Ok(ListWriter(Vec::new()))
    }

    fn serialize_tuple(self, _length: usize) -> Result<ListWriter, Mismatch> {
        Ok(ListWriter(Vec::new()))
    }

    fn serialize_tuple_struct(self, _name: &'static str, _length: usize) -> Result<ListWriter, Mismatch> {
        Ok(ListWriter(Vec::new()))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeTupleVariant, Mismatch> {
        Self::refuse("an enum with content")
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<MapWriter, Mismatch> {
        Ok(MapWriter::default())
    }

    fn serialize_struct(self, _name: &'static str, _length: usize) -> Result<MapWriter, Mismatch> {
        Ok(MapWriter::default())
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeStructVariant, Mismatch> {
        Self::refuse("an enum with content")
    }
}

struct ListWriter(Vec<Value>);

impl ListWriter {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Mismatch> {
        let step = Step::index(self.0.len());
        self.0.push(value.serialize(Writer).map_err(|mismatch| mismatch.under(step))?);
        Ok(())
    }
}

impl SerializeSeq for ListWriter {
    type Ok = Value;
    type Error = Mismatch;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Mismatch> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Mismatch> {
        Ok(Value::List(self.0))
    }
}

impl SerializeTuple for ListWriter {
    type Ok = Value;
    type Error = Mismatch;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Mismatch> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Mismatch> {
        Ok(Value::List(self.0))
    }
}

impl SerializeTupleStruct for ListWriter {
    type Ok = Value;
    type Error = Mismatch;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Mismatch> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Mismatch> {
        Ok(Value::List(self.0))
    }
}

#[derive(Default)]
struct MapWriter {
    members: BTreeMap<Name, Value>,
    key: String,
}

impl SerializeMap for MapWriter {
    type Ok = Value;
    type Error = Mismatch;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Mismatch> {
        let Value::String(key) = key.serialize(Writer)? else {
            return Err(ser::Error::custom("a key must be a string"));
        };
        self.key = key;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Mismatch> {
        let key = std::mem::take(&mut self.key);
        let value = value.serialize(Writer).map_err(|mismatch| mismatch.under(Step::Key(key.clone())))?;
        self.members.insert(key.into(), value);
        Ok(())
    }

    fn end(self) -> Result<Value, Mismatch> {
        Ok(Value::Map(self.members))
    }
}

impl SerializeStruct for MapWriter {
    type Ok = Value;
    type Error = Mismatch;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Mismatch> {
        let value = value.serialize(Writer).map_err(|mismatch| mismatch.under(Step::Attribute(name.to_owned())))?;
        self.members.insert(name.into(), value);
        Ok(())
    }

    fn end(self) -> Result<Value, Mismatch> {
        Ok(Value::Map(self.members))
    }
}
