//! What core keeps of a provider's schema, and what it refuses when it loads one.

use std::collections::BTreeMap;

use foundryhub::framework::{Path, Step, Type};

use crate::support::tfplugin6::{
    self as proto, ServerCapabilities, get_provider_schema, get_resource_identity_schemas, schema::nested_block,
    schema::object,
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
    pub(crate) blocks: BTreeMap<String, NestedBlock>,
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
    pub(crate) write_only: bool,
}

/// A block type within a block.
#[derive(Debug)]
pub(crate) struct NestedBlock {
    pub(crate) nesting: Nesting,
    pub(crate) block: Block,
    pub(crate) min_items: i64,
    pub(crate) max_items: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nesting {
    Single,
    Group,
    List,
    Set,
    Map,
}

impl Nesting {
    fn of(self, element: Type) -> Type {
        match self {
            Self::Single | Self::Group => element,
            Self::List => Type::list(element),
            Self::Set => Type::set(element),
            Self::Map => Type::map(element),
        }
    }
}

impl Block {
    /// The type of the block's object.
    pub(crate) fn ty(&self) -> Type {
        let attributes = self.attributes.iter().map(|(name, attribute)| (name.clone(), attribute.ty.clone()));
        let blocks = self.blocks.iter().map(|(name, nested)| (name.clone(), nested.nesting.of(nested.block.ty())));
        Type::object(attributes.chain(blocks))
    }

    /// The attribute a path leads to, if it ends at one.
    pub(crate) fn attribute(&self, path: &Path) -> Option<&Attribute> {
        let mut steps = path.0.iter().filter_map(|step| match step {
            Step::Attribute(name) => Some(name.as_str()),
            _ => None,
        });
        let mut block = self;
        let mut name = steps.next()?;
        while let Some(nested) = block.blocks.get(name) {
            block = &nested.block;
            name = steps.next()?;
        }
        let mut attribute = block.attributes.get(name)?;
        for name in steps {
            attribute = attribute.nested.as_ref()?.1.get(name)?;
        }
        Some(attribute)
    }

    /// Whether a path leads somewhere in this block.
    pub(crate) fn has(&self, path: &Path) -> bool {
        let mut ty = self.ty();
        for step in &path.0 {
            ty = match (step, ty) {
                (Step::Attribute(name), Type::Object(mut members)) => match members.remove(name) {
                    Some(ty) => ty,
                    None => return false,
                },
                (Step::Index(_), Type::List(element)) | (Step::Key(_), Type::Map(element)) => *element,
                (Step::Index(index), Type::Tuple(mut elements)) if (*index as usize) < elements.len() => {
                    elements.swap_remove(*index as usize)
                }
                (_, Type::Dynamic) => return true,
                _ => return false,
            };
        }
        true
    }
}

/// What core refuses in a schema; each is a sentence.
type Problems = Vec<String>;

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
        refuse_reserved("provider", &provider, &["alias", "version"], loading);
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

/// Names that mean something else to core in a resource or data block.
const RESERVED_IN_RESOURCES: [&str; 7] =
    ["connection", "count", "depends_on", "for_each", "lifecycle", "provider", "provisioner"];

fn refuse_reserved(scope: &str, block: &Block, reserved: &[&str], problems: &mut Problems) {
    let names = block.attributes.keys().chain(block.blocks.keys());
    for name in names.filter(|name| reserved.contains(&name.as_str())) {
        problems.push(format!("{scope}.{name}: the name is core's own"));
    }
}

fn read_root(name: &str, schema: Option<proto::Schema>, problems: &mut Problems) -> Block {
    match schema.and_then(|schema| schema.block) {
        Some(block) => read_block(name, block, false, problems),
        None => {
            problems.push(format!("{name}: the schema has no block, which would end core's process"));
            Block::default()
        }
    }
}

fn read_block(scope: &str, block: proto::schema::Block, in_set: bool, problems: &mut Problems) -> Block {
    let attributes = read_attributes(scope, block.attributes, in_set, problems);
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
        let nesting = match nested.nesting() {
            nested_block::NestingMode::Single => Nesting::Single,
            nested_block::NestingMode::Group => Nesting::Group,
            nested_block::NestingMode::List => Nesting::List,
            nested_block::NestingMode::Set => Nesting::Set,
            nested_block::NestingMode::Map => Nesting::Map,
            nested_block::NestingMode::Invalid => {
                problems.push(format!("{scope}: the nesting is invalid"));
                Nesting::Single
            }
        };
        let (min, max) = (nested.min_items, nested.max_items);
        let fits = match nesting {
            Nesting::Single => min == max && (min == 0 || min == 1),
            Nesting::Group | Nesting::Map => (min, max) == (0, 0),
            Nesting::List | Nesting::Set => min >= 0 && max >= 0 && (max == 0 || min <= max),
        };
        if !fits {
            problems.push(format!("{scope}: {nesting:?} cannot have {min} to {max} items"));
        }
        let Some(content) = nested.block else {
            problems.push(format!("{scope}: there is no content, which would end core's process"));
            continue;
        };
        let block = read_block(&scope, content, in_set || nesting == Nesting::Set, problems);
        if nesting != Nesting::Single && nesting != Nesting::Group && has_dynamic(&block.ty()) {
            // Core knows lists and maps of such blocks; this one does not.
            problems.push(format!("{scope}: a repeated block has a dynamic attribute"));
        }
        let name = nested.type_name;
        if blocks.insert(name, NestedBlock { nesting, block, min_items: min, max_items: max }).is_some() {
            problems.push(format!("{scope}: there are two of it"));
        }
    }
    Block { attributes, blocks }
}

fn read_attributes(
    scope: &str,
    attributes: Vec<proto::schema::Attribute>,
    in_set: bool,
    problems: &mut Problems,
) -> Attributes {
    let mut read = Attributes::new();
    for attribute in attributes {
        let scope = format!("{scope}.{}", attribute.name);
        let mut refuse = |what: &str| problems.push(format!("{scope}: {what}"));
        let (required, optional, computed) = (attribute.required, attribute.optional, attribute.computed);
        match (required, optional, computed) {
            (true, false, false) | (false, true, _) | (false, false, true) => {}
            _ => refuse("an attribute is required, optional, computed, or optional and computed"),
        }
        if attribute.write_only && (computed || in_set) {
            refuse("a write-only attribute can neither be computed nor within a set");
        }
        if !attribute.deprecation_message.is_empty() && !attribute.deprecated {
            refuse("it has a deprecation message and is not deprecated");
        }
        let (ty, nested) = match attribute.nested_type {
            Some(nested) => {
                if !attribute.r#type.is_empty() {
                    refuse("type and nested type cannot both be set");
                }
                let nesting = match nested.nesting() {
                    object::NestingMode::Single => Nesting::Single,
                    object::NestingMode::List => Nesting::List,
                    object::NestingMode::Set => Nesting::Set,
                    object::NestingMode::Map => Nesting::Map,
                    object::NestingMode::Invalid => {
                        refuse("the nesting is invalid");
                        Nesting::Single
                    }
                };
                let members = read_attributes(&scope, nested.attributes, in_set || nesting == Nesting::Set, problems);
                let element = Type::object(members.iter().map(|(name, member)| (name.clone(), member.ty.clone())));
                (nesting.of(element), Some((nesting, members)))
            }
            None => (read_type(&scope, &attribute.r#type, problems), None),
        };
        if has_dynamic_in_set(&ty) || in_set && has_dynamic(&ty) {
            problems.push(format!("{scope}: a set cannot hold dynamic values"));
        }
        let write_only = attribute.write_only;
        let name = attribute.name;
        if read.insert(name, Attribute { ty, nested, required, optional, computed, write_only }).is_some() {
            problems.push(format!("{scope}: there are two of it"));
        }
    }
    read
}

fn read_type(scope: &str, notation: &[u8], problems: &mut Problems) -> Type {
    let json = serde_json::from_slice(notation).ok();
    json.as_ref().and_then(Type::from_json).unwrap_or_else(|| {
        let notation = String::from_utf8_lossy(notation);
        problems.push(format!("{scope}: {notation:?} is no type, which would end core's process"));
        Type::Dynamic
    })
}

fn read_identity(name: &str, identity: proto::ResourceIdentitySchema, problems: &mut Problems) -> IdentityType {
    let mut members = Vec::new();
    let mut required_for_import = Vec::new();
    for attribute in identity.identity_attributes {
        let scope = format!("identity of {name}.{}", attribute.name);
        let ty = read_type(&scope, &attribute.r#type, problems);
        let is_primitive = |ty: &Type| matches!(ty, Type::Bool | Type::Number | Type::String);
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
            Type::Dynamic
        }
    };
    Function { parameters, variadic, returns }
}

fn has_dynamic(ty: &Type) -> bool {
    match ty {
        Type::Dynamic => true,
        Type::Bool | Type::Number | Type::String => false,
        Type::List(element) | Type::Set(element) | Type::Map(element) => has_dynamic(element),
        Type::Object(members) => members.values().any(has_dynamic),
        Type::Tuple(elements) => elements.iter().any(has_dynamic),
    }
}

fn has_dynamic_in_set(ty: &Type) -> bool {
    match ty {
        Type::Set(element) => has_dynamic(element),
        Type::List(element) | Type::Map(element) => has_dynamic_in_set(element),
        Type::Object(members) => members.values().any(has_dynamic_in_set),
        Type::Tuple(elements) => elements.iter().any(has_dynamic_in_set),
        _ => false,
    }
}
