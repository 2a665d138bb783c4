//! The types of Terraform's type system.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

/// A type of Terraform's type system (cty).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// A decimal number of any size.
    Number,
    /// Unicode text.
    String,
    /// A value that carries its own type.
    Dynamic,
    /// Elements in order, all of one type.
    List(Box<Type>),
    /// Elements without order or repetition, all of one type.
    Set(Box<Type>),
    /// Elements by key, all of one type.
    Map(Box<Type>),
    /// Named attributes, each of its own type.
    Object(BTreeMap<String, Type>),
    /// Elements in order, each of its own type.
    Tuple(Vec<Type>),
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
    pub fn object<N: Into<String>>(attributes: impl IntoIterator<Item = (N, Type)>) -> Self {
        Self::Object(attributes.into_iter().map(|(name, ty)| (name.into(), ty)).collect())
    }

    /// The type in the JSON notation of the protocol, as in `["list","string"]`.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Bool => json!("bool"),
            Self::Number => json!("number"),
            Self::String => json!("string"),
            Self::Dynamic => json!("dynamic"),
            Self::List(element) => json!(["list", element.to_json()]),
            Self::Set(element) => json!(["set", element.to_json()]),
            Self::Map(element) => json!(["map", element.to_json()]),
            Self::Object(attributes) => {
                let attributes: BTreeMap<_, _> = attributes.iter().map(|(name, ty)| (name, ty.to_json())).collect();
                json!(["object", attributes])
            }
            Self::Tuple(elements) => json!(["tuple", elements.iter().map(Self::to_json).collect::<Vec<_>>()]),
        }
    }

    /// Reads the JSON notation; `None` when it is not a type. The optional attribute names of a type constraint are ignored:
    /// values have no optional attributes.
    pub fn from_json(json: &Json) -> Option<Self> {
        match json {
            Json::String(name) => Some(match name.as_str() {
                "bool" => Self::Bool,
                "number" => Self::Number,
                "string" => Self::String,
                "dynamic" => Self::Dynamic,
                _ => return None,
            }),
            Json::Array(parts) => match (parts.first()?.as_str()?, parts.get(1)?) {
                ("list", element) => Some(Self::list(Self::from_json(element)?)),
                ("set", element) => Some(Self::set(Self::from_json(element)?)),
                ("map", element) => Some(Self::map(Self::from_json(element)?)),
                ("object", Json::Object(attributes)) => attributes
                    .iter()
                    .map(|(name, ty)| Some((name.clone(), Self::from_json(ty)?)))
                    .collect::<Option<_>>()
                    .map(Self::Object),
                ("tuple", Json::Array(elements)) => {
                    elements.iter().map(Self::from_json).collect::<Option<_>>().map(Self::Tuple)
                }
                _ => None,
            },
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_survives_its_json_notation() {
        let ty = Type::object([
            ("a", Type::list(Type::String)),
            ("b", Type::set(Type::Number)),
            ("c", Type::map(Type::Bool)),
            ("d", Type::Tuple(vec![Type::Dynamic, Type::String])),
        ]);
        assert_eq!(Type::from_json(&ty.to_json()), Some(ty));
    }

    #[test]
    fn what_is_no_type_is_refused() {
        for text in [r#""text""#, "1", "[]", r#"["list"]"#, r#"["object","string"]"#, r#"["tuple",{"a":"bool"}]"#] {
            let json = serde_json::from_str(text).expect("the cases are JSON");
            assert_eq!(Type::from_json(&json), None, "{text}");
        }
    }
}
