//! What core keeps of a provider's schema, and what it refuses when it loads one.

use std::collections::BTreeMap;

use foundryhub::framework::{Path, Step, Type};
use serde_json::Value as Json;

use crate::support::tfplugin6::{
    self as proto, ServerCapabilities, get_provider_schema, get_resource_identity_schemas,
    schema::{nested_block::NestingMode, object},
};

/// Everything a provider offers.
#[derive(Debug)]
pub(crate) struct Catalog {
    pub(crate) provider: Block,
    pub(crate) resources: BTreeMap<String, ResourceType>,
    pub(crate) data_sources: BTreeMap<String, Block>,
    pub(crate) functions: BTreeMap<String, Function>,
    pub(crate) lists: BTreeMap<String, Block>,
    pub(crate) actions: BTreeMap<String, Block>,
    pub(crate) capabilities: ServerCapabilities,
}

/// A managed resource type.
#[derive(Debug)]
pub(crate) struct ResourceType {
    pub(crate) version: i64,
    pub(crate) block: Block,
    pub(crate) identity: Option<IdentityType>,
}

/// The identity of a managed resource type.
#[derive(Debug)]
pub(crate) struct IdentityType {
    pub(crate) version: i64,
    pub(crate) ty: Type,
    pub(crate) required_for_import: Vec<String>,
}

/// A function's signature.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) variadic: Option<Parameter>,
    pub(crate) returns: Type,
}

/// One parameter of a function.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) ty: Type,
    pub(crate) allow_null: bool,
    pub(crate) allow_unknown: bool,
}

/// A block's content.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) attributes: Attributes,
    /// By name; each may stand once.
    pub(crate) blocks: BTreeMap<String, Block>,
}

pub(crate) type Attributes = BTreeMap<String, Attribute>;

/// One attribute.
#[derive(Debug)]
pub(crate) struct Attribute {
    pub(crate) ty: Type,
    pub(crate) nested: Option<(Nesting, Attributes)>,
    pub(crate) required: bool,
    pub(crate) optional: bool,
    pub(crate) computed: bool,
}

/// How nested attributes are collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nesting {
    Single,
    List,
    Map,
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
    /// The type of the block's object.
    pub(crate) fn ty(&self) -> Type {
        let attributes = self.attributes.iter().map(|(name, attribute)| (name.clone(), attribute.ty.clone()));
        let blocks = self.blocks.iter().map(|(name, nested)| (name.clone(), nested.ty()));
        Type::object(attributes.chain(blocks))
    }

    /// Whether a path leads somewhere in this block.
    pub(crate) fn has(&self, path: &Path) -> bool {
        let mut ty = self.ty();
        for step in &path.0 {
            ty = match (step, ty) {
                (Step::Attribute(name), Type::Object(mut members)) => match members.remove(name.as_str()) {
                    Some(ty) => ty,
                    None => return false,
                },
                (Step::Index(_), Type::List(element)) | (Step::Key(_), Type::Map(element)) => *element,
                _ => return false,
            };
        }
        true
    }
}

/// What core refuses in a schema, and what this small one cannot judge; each is a sentence.
type Problems = Vec<String>;

const UNHANDLED: &str = "this small core does not handle";

impl Catalog {
    /// Reads the answers of `GetProviderSchema` and `GetResourceIdentitySchemas`; panics with everything that core
    /// would refuse, or not survive.
    pub(crate) fn load(
        schemas: get_provider_schema::Response,
        identities: get_resource_identity_schemas::Response,
    ) -> Self {
        let mut problems = Problems::new();
        let loading = &mut problems;
        let mut identities: BTreeMap<_, _> = identities.identity_schemas.into_iter().collect();
        let resources: BTreeMap<String, ResourceType> = schemas
            .resource_schemas
            .into_iter()
            .map(|(name, schema)| {
                if schema.version < 0 {
                    loading.push(format!("{name}: the version is negative"));
                }
                let identity = identities.remove(&name).map(|identity| read_identity(&name, identity, loading));
                let version = schema.version;
                let block = read_root(&name, Some(schema), loading);
                refuse_reserved(&name, &block, &RESERVED_IN_RESOURCES, loading);
                (name, ResourceType { version, block, identity })
            })
            .collect();
        for name in identities.into_keys() {
            loading.push(format!("{name} has an identity schema and is no resource"));
        }
        let data_sources = schemas
            .data_source_schemas
            .into_iter()
            .map(|(name, schema)| {
                let block = read_root(&name, Some(schema), loading);
                refuse_reserved(&name, &block, &RESERVED_IN_RESOURCES, loading);
                (name, block)
            })
            .collect();
        let provider = read_root("provider", schemas.provider, loading);
        refuse_reserved("provider", &provider, &RESERVED_IN_PROVIDERS, loading);
        let functions = schemas
            .functions
            .into_iter()
            .map(|(name, function)| {
                let function = read_function(&name, function, loading);
                (name, function)
            })
            .collect();
        let mut read = |name: String, schema| {
            let block = read_root(&name, schema, loading);
            (name, block)
        };
        let actions = schemas.action_schemas.into_iter().map(|(name, action)| read(name, action.schema)).collect();
        let lists: BTreeMap<_, _> =
            schemas.list_resource_schemas.into_iter().map(|(name, list)| read(name, Some(list))).collect();
        for name in lists.keys() {
            if resources.get(name).is_none_or(|resource| resource.identity.is_none()) {
                problems.push(format!("{name} is listed and is no resource with an identity"));
            }
        }
        let capabilities = schemas.server_capabilities.unwrap_or_default();
        assert!(problems.is_empty(), "core refuses the provider's schema:\n  {}", problems.join("\n  "));
        Self { provider, resources, data_sources, functions, lists, actions, capabilities }
    }

    /// The resource type of this name.
    pub(crate) fn resource(&self, type_name: &str) -> &ResourceType {
        self.resources.get(type_name).unwrap_or_else(|| {
            panic!("the provider has no resource type {type_name:?}, only {:?}", self.resources.keys())
        })
    }
}

/// What core has a meaning of its own for in the block of a resource or data source (protocol.md §3.5).
const RESERVED_IN_RESOURCES: [&str; 7] =
    ["connection", "count", "depends_on", "for_each", "lifecycle", "provider", "provisioner"];

/// The same in a provider's block.
const RESERVED_IN_PROVIDERS: [&str; 2] = ["alias", "version"];

fn refuse_reserved(scope: &str, block: &Block, reserved: &[&str], problems: &mut Problems) {
    let names = block.attributes.keys().chain(block.blocks.keys());
    for name in names.filter(|name| reserved.contains(&name.as_str())) {
        problems.push(format!("{scope}.{name}: Terraform and OpenTofu reserve this name"));
    }
}

fn read_root(name: &str, schema: Option<proto::Schema>, problems: &mut Problems) -> Block {
    match schema.and_then(|schema| schema.block) {
        Some(block) => read_block(name, block, problems),
        None => {
            problems.push(format!("{name}: the schema has no block, which would end core's process"));
            Block::default()
        }
    }
}

fn read_block(scope: &str, block: proto::schema::Block, problems: &mut Problems) -> Block {
    let attributes = read_attributes(scope, block.attributes, problems);
    let mut blocks = BTreeMap::new();
    for nested in block.block_types {
        let scope = format!("{scope}.{}", nested.type_name);
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if nested.type_name.is_empty() || !nested.type_name.bytes().all(is_name) {
            problems.push(format!("{scope}: the name of a block type may have a-z, 0-9 and _ only"));
        }
        if attributes.contains_key(&nested.type_name) {
            problems.push(format!("{scope}: an attribute has the same name"));
        }
        let limits = (nested.min_items, nested.max_items);
        if nested.nesting() != NestingMode::Single || limits != (0, 0) || nested.computed {
            problems.push(format!("{scope}: {UNHANDLED} a block that may not stand just once or not at all"));
        }
        let Some(content) = nested.block else {
            problems.push(format!("{scope}: there is no content, which would end core's process"));
            continue;
        };
        let block = read_block(&scope, content, problems);
        if blocks.insert(nested.type_name, block).is_some() {
            problems.push(format!("{scope}: there are two of it"));
        }
    }
    Block { attributes, blocks }
}

fn read_attributes(scope: &str, attributes: Vec<proto::schema::Attribute>, problems: &mut Problems) -> Attributes {
    let mut read = Attributes::new();
    for attribute in attributes {
        let scope = format!("{scope}.{}", attribute.name);
        let mut refuse = |what: &str| problems.push(format!("{scope}: {what}"));
        let (required, optional, computed) = (attribute.required, attribute.optional, attribute.computed);
        match (required, optional, computed) {
            (true, false, false) | (false, true, _) | (false, false, true) => {}
            _ => refuse("an attribute is required, optional, computed, or optional and computed"),
        }
        if attribute.write_only || attribute.deprecated || !attribute.deprecation_message.is_empty() {
            refuse(&format!("{UNHANDLED} write-only and deprecated attributes"));
        }
        let (ty, nested) = match attribute.nested_type {
            Some(nested) => {
                if !attribute.r#type.is_empty() {
                    refuse("type and nested type cannot both be set");
                }
                let nesting = match nested.nesting() {
                    object::NestingMode::Single => Nesting::Single,
                    object::NestingMode::List => Nesting::List,
                    object::NestingMode::Map => Nesting::Map,
                    object::NestingMode::Set | object::NestingMode::Invalid => {
                        refuse(&format!("{UNHANDLED} this nesting"));
                        Nesting::Single
                    }
                };
                let members = read_attributes(&scope, nested.attributes, problems);
                let element = Type::object(members.iter().map(|(name, member)| (name.clone(), member.ty.clone())));
                (nesting.of(element), Some((nesting, members)))
            }
            None => (read_type(&scope, &attribute.r#type, problems), None),
        };
        if read.insert(attribute.name, Attribute { ty, nested, required, optional, computed }).is_some() {
            problems.push(format!("{scope}: there are two of it"));
        }
    }
    read
}

fn read_type(scope: &str, notation: &[u8], problems: &mut Problems) -> Type {
    let json = serde_json::from_slice(notation).ok();
    json.as_ref().and_then(type_of).unwrap_or_else(|| {
        let notation = String::from_utf8_lossy(notation);
        problems.push(format!("{scope}: {notation:?} is no type, which would end core's process, or {UNHANDLED} it"));
        Type::Bool
    })
}

/// The type with this notation. Dynamic values, tuples and sets of anything but primitives are not handled here.
fn type_of(notation: &Json) -> Option<Type> {
    match notation {
        Json::String(name) => match name.as_str() {
            "bool" => Some(Type::Bool),
            "number" => Some(Type::Number),
            "string" => Some(Type::String),
            _ => None,
        },
        Json::Array(parts) => match parts.as_slice() {
            [Json::String(kind), Json::Object(members)] if kind == "object" => {
                let members = members.iter().map(|(name, ty)| Some((name.clone().into(), type_of(ty)?)));
                members.collect::<Option<_>>().map(Type::Object)
            }
            [Json::String(kind), element] => {
                let element = type_of(element)?;
                match kind.as_str() {
                    "list" => Some(Type::list(element)),
                    "map" => Some(Type::map(element)),
                    "set" if is_primitive(&element) => Some(Type::set(element)),
                    _ => None,
                }
            }
            _ => None,
        },
        _ => None,
    }
}

fn is_primitive(ty: &Type) -> bool {
    matches!(ty, Type::Bool | Type::Number | Type::String)
}

fn read_identity(name: &str, identity: proto::ResourceIdentitySchema, problems: &mut Problems) -> IdentityType {
    let mut members = Vec::new();
    let mut required_for_import = Vec::new();
    for attribute in identity.identity_attributes {
        let scope = format!("identity of {name}.{}", attribute.name);
        let ty = read_type(&scope, &attribute.r#type, problems);
        if !(is_primitive(&ty) || matches!(&ty, Type::List(element) if is_primitive(element))) {
            problems.push(format!("{scope}: only primitives and lists of them can identify"));
        }
        if attribute.required_for_import == attribute.optional_for_import {
            problems.push(format!("{scope}: it is either required or optional for import"));
        }
        if attribute.required_for_import {
            required_for_import.push(attribute.name.clone());
        }
        members.push((attribute.name, ty));
    }
    if identity.version < 0 {
        problems.push(format!("identity of {name}: the version is negative"));
    }
    IdentityType { version: identity.version, ty: Type::object(members), required_for_import }
}

fn read_function(name: &str, function: proto::Function, problems: &mut Problems) -> Function {
    let mut parameter = |parameter: proto::function::Parameter| {
        let identifier = parameter.name.chars().all(|char| char.is_alphanumeric() || char == '_' || char == '-');
        let first = parameter.name.chars().next();
        if !identifier || !first.is_some_and(|char| char.is_alphabetic() || char == '_') {
            problems.push(format!("{name}: {:?} is no name for a parameter", parameter.name));
        }
        Parameter {
            ty: read_type(&format!("{name}.{}", parameter.name), &parameter.r#type, problems),
            allow_null: parameter.allow_null_value,
            allow_unknown: parameter.allow_unknown_values,
        }
    };
    let parameters = function.parameters.into_iter().map(&mut parameter).collect();
    let variadic = function.variadic_parameter.map(parameter);
    let returns = match function.r#return {
        Some(returns) => read_type(&format!("what {name} returns"), &returns.r#type, problems),
        None => {
            problems.push(format!("{name} returns nothing, which would end core's process"));
            Type::Bool
        }
    };
    Function { parameters, variadic, returns }
}

#[cfg(test)]
mod tests {
    use crate::support::tfplugin6::schema;

    use super::*;

    /// What core could take and this one has no rules for must not pass unnoticed.
    #[test]
    fn what_is_not_handled_is_refused() {
        let attribute = |notation: &str| schema::Attribute {
            name: "a".to_owned(),
            r#type: notation.as_bytes().to_vec(),
            optional: true,
            ..Default::default()
        };
        let refused = |attribute: schema::Attribute| {
            let mut problems = Problems::new();
            read_attributes("it", vec![attribute], &mut problems);
            problems.len() == 1 && problems[0].contains(UNHANDLED)
        };
        assert!(!refused(attribute(r#"["list",["set","string"]]"#)));
        for notation in [
            r#""dynamic""#,
            r#"["tuple",["string"]]"#,
            r#"["map","dynamic"]"#,
            r#"["set",["list","string"]]"#,
            r#"["object",{"a":"dynamic"}]"#,
            r#"["list"]"#,
        ] {
            assert!(refused(attribute(notation)), "{notation}");
        }
        let object = schema::Object { nesting: object::NestingMode::Set.into(), ..Default::default() };
        assert!(refused(schema::Attribute { r#type: Vec::new(), nested_type: Some(object), ..attribute("") }));
        assert!(refused(schema::Attribute { write_only: true, ..attribute(r#""string""#) }));
        assert!(refused(schema::Attribute { deprecated: true, ..attribute(r#""string""#) }));

        let block = |nesting: NestingMode, max_items, computed| schema::NestedBlock {
            type_name: "b".to_owned(),
            block: Some(schema::Block::default()),
            nesting: nesting.into(),
            min_items: max_items,
            max_items,
            computed,
        };
        let problems = |nested| {
            let mut problems = Problems::new();
            read_block("it", schema::Block { block_types: vec![nested], ..Default::default() }, &mut problems);
            problems.len()
        };
        assert_eq!(problems(block(NestingMode::Single, 0, false)), 0);
        for nesting in [NestingMode::Invalid, NestingMode::Group, NestingMode::List, NestingMode::Set, NestingMode::Map]
        {
            assert_eq!(problems(block(nesting, 0, false)), 1, "{nesting:?}");
        }
        assert_eq!(problems(block(NestingMode::Single, 1, false)), 1);
        assert_eq!(problems(block(NestingMode::Single, 0, true)), 1);
    }
}
