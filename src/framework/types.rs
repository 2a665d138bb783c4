//! The types of Terraform's type system.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::{Value as Json, json};

/// The name of an attribute, or the key of an element. Names that a schema has are borrowed from it, so that values of its type
/// are read and copied without copies of them.
pub type Name = Cow<'static, str>;

/// A type of Terraform's type system (cty).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// A decimal number of any size.
    Number,
    /// Unicode text.
    String,
    /// Elements in order, all of one type.
    List(Box<Type>),
    /// Elements without order or repetition, all of one primitive type.
    Set(Box<Type>),
    /// Elements by key, all of one type.
    Map(Box<Type>),
    /// Named attributes, each of its own type.
    Object(BTreeMap<Name, Type>),
}

impl Type {
    /// A list of `element`s.
    pub fn list(element: Type) -> Self {
        Self::List(Box::new(element))
    }

    /// A set of `element`s.
    pub fn set(element: Type) -> Self {
        Self::Set(Box::new(element))
    }

    /// A map of `element`s.
    pub fn map(element: Type) -> Self {
        Self::Map(Box::new(element))
    }

    /// An object with these attributes.
    pub fn object<N: Into<Name>>(attributes: impl IntoIterator<Item = (N, Type)>) -> Self {
        Self::Object(attributes.into_iter().map(|(name, ty)| (name.into(), ty)).collect())
    }

    /// The type in the JSON notation of the protocol, as in `["list","string"]`.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Bool => json!("bool"),
            Self::Number => json!("number"),
            Self::String => json!("string"),
            Self::List(element) => json!(["list", element.to_json()]),
            Self::Set(element) => json!(["set", element.to_json()]),
            Self::Map(element) => json!(["map", element.to_json()]),
            Self::Object(attributes) => {
                let attributes: BTreeMap<_, _> = attributes.iter().map(|(name, ty)| (name, ty.to_json())).collect();
                json!(["object", attributes])
            }
        }
    }
}
