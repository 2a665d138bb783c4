//! Schemas, from which validation, planning and the documentation are made.

use std::{fmt, str::FromStr};

use super::{Diagnostic, Summary, Type, Value};

/// The schema of a resource, data source or provider.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// The version of stored states; a higher one has an upgrade.
    pub version: i64,
    /// The root block.
    pub block: Block,
}

/// Attributes and nested blocks.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// What it is, in Markdown.
    pub description: &'static str,
    /// In the order of the documentation.
    pub attributes: Vec<Attribute>,
    /// In the order of the documentation.
    pub blocks: Vec<NestedBlock>,
}

/// Who sets an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The user must.
    Required,
    /// The user may.
    Optional,
    /// Only the provider.
    Computed,
    /// The user may; otherwise the provider does.
    OptionalComputed,
}

/// One attribute.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Its name in HCL.
    pub name: &'static str,
    /// Whether there are attributes in it.
    pub kind: Kind,
    /// Its type, nested attributes included.
    ty: Type,
    /// Who sets it.
    pub presence: Presence,
    /// What it is, in Markdown.
    pub description: &'static str,
    /// Hidden in the engine's output.
    pub sensitive: bool,
    /// Planned when the configuration leaves it out.
    pub default: Option<Value>,
    /// Whether only the provider keeps it, so that an object that was imported, moved or stored before the attribute existed
    /// gets the default.
    pub is_setting: bool,
    /// A change of it replaces the object.
    pub requires_replace: bool,
    /// Whether two strings are spellings of one value, such as ids in another case: plan and state keep the first one. In a
    /// collection it compares each string, and the first spelling is that of the whole collection.
    pub same: Option<fn(&str, &str) -> bool>,
    /// Refuses known values.
    pub check: Option<Check>,
}

/// Accepts a known value or says why not.
pub type Check = fn(&Value) -> Result<(), Refusal>;

/// Why a value is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The summary of the diagnostic; `Invalid value` where there is none.
    pub summary: Option<&'static str>,
    /// What is wrong with the value and what would be right.
    pub detail: String,
}

impl Refusal {
    /// A refusal with a summary of its own.
    pub fn new(summary: &'static str, detail: impl Into<String>) -> Self {
        Self { summary: Some(summary), detail: detail.into() }
    }

    /// The refusal of a value that the attribute cannot have.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self { summary: None, detail: detail.into() }
    }

    /// The refusal of a text that is none of these words.
    pub fn not_one_of(text: &str, words: &[&str]) -> Self {
        Self::invalid(format!("{text:?} is not one of {}.", words.join(", ")))
    }

    /// The error for what has this name or path.
    pub fn error(self, name: impl fmt::Display) -> Diagnostic {
        match self.summary {
            Some(summary) => Summary(summary).error(self.detail),
            None => Diagnostic::error("Invalid value", format!("{name}: {}", self.detail)),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

/// Whether an attribute has attributes in it.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Its type alone says what it can be.
    Plain,
    /// It has.
    Nested(Nesting, Vec<Attribute>),
}

/// How nested attributes are nested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// One or none.
    Single,
    /// In order.
    List,
    /// By key.
    Map,
}

/// A block within a block, which may stand once.
#[derive(Clone, Debug)]
pub struct NestedBlock {
    /// Its name in HCL.
    pub name: &'static str,
    /// Its attributes and blocks.
    pub block: Block,
}

impl Attribute {
    fn new(name: &'static str, kind: Kind, ty: Type, presence: Presence, description: &'static str) -> Self {
        Self {
            name,
            kind,
            ty,
            presence,
            description,
            sensitive: false,
            default: None,
            is_setting: false,
            requires_replace: false,
            same: None,
            check: None,
        }
    }

    /// The user must set it.
    pub fn required(name: &'static str, ty: Type, description: &'static str) -> Self {
        Self::new(name, Kind::Plain, ty, Presence::Required, description)
    }

    /// The user may set it.
    pub fn optional(name: &'static str, ty: Type, description: &'static str) -> Self {
        Self::new(name, Kind::Plain, ty, Presence::Optional, description)
    }

    /// The provider sets it.
    pub fn computed(name: &'static str, ty: Type, description: &'static str) -> Self {
        Self::new(name, Kind::Plain, ty, Presence::Computed, description)
    }

    /// The user may set attributes in it.
    pub fn nested(
        name: &'static str,
        nesting: Nesting,
        presence: Presence,
        attributes: Vec<Attribute>,
        description: &'static str,
    ) -> Self {
        let ty = nesting.of(Type::object(attributes.iter().map(Attribute::member)));
        Self::new(name, Kind::Nested(nesting, attributes), ty, presence, description)
    }

    /// The provider fills in what the user leaves out.
    pub fn or_computed(mut self) -> Self {
        self.presence = Presence::OptionalComputed;
        self
    }

    /// Planned when the user leaves it out.
    pub fn default(mut self, value: impl Into<Value>) -> Self {
        self.default = Some(value.into());
        self.or_computed()
    }

    /// A default of a value that only the provider keeps; the service does not have it.
    pub fn setting(mut self, value: impl Into<Value>) -> Self {
        self.is_setting = true;
        self.default(value)
    }

    /// A change replaces the object.
    pub fn replaces(mut self) -> Self {
        self.requires_replace = true;
        self
    }

    /// Hidden in the engine's output.
    pub fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// Its text, or each text of a collection, is parsed as a `T`: other texts are refused, and texts that parse as equal are
    /// spellings of one value.
    pub fn parsed<T: FromStr<Err: Into<Refusal>> + PartialEq>(self) -> Self {
        self.same(|a, b| matches!((a.parse::<T>(), b.parse::<T>()), (Ok(a), Ok(b)) if a == b)).check(parse_all::<T>)
    }

    /// A text of nothing but spaces is refused.
    pub fn not_blank(self) -> Self {
        self.check(|value| match value.as_str() {
            Some(text) if text.trim().is_empty() => Err(Refusal::invalid("The text is blank.")),
            _ => Ok(()),
        })
    }

    /// Compares spellings of one value.
    pub fn same(mut self, same: fn(&str, &str) -> bool) -> Self {
        self.same = Some(same);
        self
    }

    /// Refuses values before anything is sent.
    pub fn check(mut self, check: Check) -> Self {
        self.check = Some(check);
        self
    }

    /// Whether the provider may fill it in.
    pub fn is_computed(&self) -> bool {
        matches!(self.presence, Presence::Computed | Presence::OptionalComputed)
    }

    /// Its type, nested attributes included.
    pub fn ty(&self) -> &Type {
        &self.ty
    }

    /// Its name and type.
    fn member(&self) -> (&'static str, Type) {
        (self.name, self.ty.clone())
    }
}

fn parse_all<T: FromStr<Err: Into<Refusal>>>(value: &Value) -> Result<(), Refusal> {
    match value {
        Value::String(text) => text.parse::<T>().map(drop).map_err(Into::into),
        Value::List(elements) => elements.iter().try_for_each(parse_all::<T>),
        Value::Map(members) => members.values().try_for_each(parse_all::<T>),
        _ => Ok(()),
    }
}

impl Nesting {
    fn of(self, element: Type) -> Type {
        match self {
            Self::Single => element,
            Self::List => Type::list(element),
            Self::Map => Type::map(element),
        }
    }
}

impl Block {
    /// The type of the object that the block is.
    pub fn ty(&self) -> Type {
        let attributes = self.attributes.iter().map(Attribute::member);
        Type::object(attributes.chain(self.blocks.iter().map(|nested| (nested.name, nested.block.ty()))))
    }

    /// The object of a block in which nothing is set.
    pub fn null_object(&self) -> Value {
        let attributes = self.attributes.iter().map(|attribute| attribute.name);
        Value::object(attributes.chain(self.blocks.iter().map(|nested| nested.name)).map(|name| (name, Value::Null)))
    }
}

/// The attributes that identify an object among all of its type.
#[derive(Clone, Debug)]
pub struct IdentitySchema {
    /// The version of stored identities.
    pub version: i64,
    /// In the order of the documentation.
    pub attributes: Vec<IdentityAttribute>,
    ty: Type,
}

/// That of types without identities.
impl Default for IdentitySchema {
    fn default() -> Self {
        Self::new(0, Vec::new())
    }
}

/// One attribute of an identity.
#[derive(Clone, Debug)]
pub struct IdentityAttribute {
    /// Its name.
    pub name: &'static str,
    /// Its type: a primitive or a list of one, as the protocol demands.
    pub ty: Type,
    /// Whether an import must give it.
    pub required_for_import: bool,
    /// What it is.
    pub description: &'static str,
}

impl IdentitySchema {
    /// A schema of these attributes.
    pub fn new(version: i64, attributes: Vec<IdentityAttribute>) -> Self {
        let ty = Type::object(attributes.iter().map(|attribute| (attribute.name, attribute.ty.clone())));
        Self { version, attributes, ty }
    }

    /// The type of the identity object.
    pub fn ty(&self) -> &Type {
        &self.ty
    }
}
