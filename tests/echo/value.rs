//! `echo_value`: attributes of every type and a block, returned as they come. It is written on values, without a state
//! struct, so that a test sees what the wire layer decodes and encodes.

use foundryhub::framework::{
    Diagnostic, Diagnostics, Number, Type, Value,
    any_resource::{AnyResource, Change, ErasedOutcome, PlannedChange},
    context::Context,
    erased::{Answer, Described},
    json, plan,
    resource::{ImportTarget, MoveSource},
    schema::{Attribute, Block, IdentityAttribute, IdentitySchema, NestedBlock, Nesting, Presence, Refusal, Schema},
    walk::Key,
};

use crate::Store;

pub(crate) struct EchoValue {
    schema: Schema,
    identity: IdentitySchema,
    ty: Type,
}

impl EchoValue {
    pub(crate) fn new() -> Self {
        let schema = schema();
        let id = IdentityAttribute { name: "id", ty: Type::String, required_for_import: true, description: "The id." };
        Self { ty: schema.block.ty(), identity: IdentitySchema::new(0, vec![id]), schema }
    }

    fn identity_of(&self, state: &Value) -> Value {
        match state.get("id") {
            Value::String(id) => Value::object([("id", id.as_str().into())]),
            _ => Value::Null,
        }
    }
}

/// What stands in each nested attribute and in the block.
fn inner() -> Vec<Attribute> {
    vec![
        Attribute::optional("text", Type::String, "A text."),
        Attribute::optional("number", Type::Number, "A number."),
        Attribute::computed("made", Type::String, "Made by the provider."),
        Attribute::computed("none", Type::String, "What the provider may make, and does not."),
        Attribute::optional("either", Type::String, "Given, or made.").or_computed(),
        Attribute::optional("mode", Type::String, "A mode in lower case.").default("plain").check(lower_case),
        Attribute::optional("kind", Type::String, "Of which kind it is.").replaces(),
    ]
}

fn lower_case(value: &Value) -> Result<(), Refusal> {
    match value.as_str() {
        Some(text) if text != text.to_lowercase() => Err(Refusal::new("Not lower case", format!("{text:?} is not."))),
        _ => Ok(()),
    }
}

fn schema() -> Schema {
    let nested = |name, nesting| Attribute::nested(name, nesting, Presence::Optional, inner(), "Nested attributes.");
    let object = Type::object([("text", Type::String), ("number", Type::Number)]);
    let attributes = vec![
        Attribute::computed("id", Type::String, "The id."),
        Attribute::optional("string", Type::String, "A string."),
        Attribute::optional("number", Type::Number, "A number."),
        Attribute::optional("bool", Type::Bool, "A bool."),
        Attribute::optional("list", Type::list(Type::Number), "A list."),
        Attribute::optional("set", Type::set(Type::String), "A set."),
        Attribute::optional("map", Type::map(Type::Number), "A map."),
        Attribute::optional("object", object, "An object."),
        Attribute::optional("name_set", Type::set(Type::String), "Names in any case.").same(str::eq_ignore_ascii_case),
        Attribute::optional("name_list", Type::list(Type::String), "Names in any case.")
            .same(str::eq_ignore_ascii_case),
        Attribute::optional("name_map", Type::map(Type::String), "Names in any case.").same(str::eq_ignore_ascii_case),
        Attribute::optional("sensitive", Type::String, "Hidden in output.").sensitive(),
        Attribute::optional("either", Type::String, "Given, or made.").or_computed(),
        Attribute::optional("kind", Type::String, "Of which kind it is.").default("plain").replaces(),
        nested("single", Nesting::Single),
        nested("nested_list", Nesting::List),
        nested("nested_map", Nesting::Map),
    ];
    let block = Block { description: "A block.", attributes: inner(), blocks: Vec::new() };
    let blocks = vec![NestedBlock { name: "single_block", block }];
    Schema { version: 0, block: Block { description: "Values of every type.", attributes, blocks } }
}

/// The value with something known wherever it was unknown.
fn made(value: Value, ty: &Type) -> Value {
    match (value, ty) {
        (Value::Unknown, Type::Bool) => true.into(),
        (Value::Unknown, Type::Number) => Value::Number(Number::from(1_i64)),
        (Value::Unknown, Type::String) => "made".into(),
        (Value::Unknown, Type::List(_) | Type::Set(_)) => Value::List(Vec::new()),
        (Value::Unknown, Type::Map(_)) => Value::Map(Default::default()),
        (Value::Unknown, Type::Object(members)) => {
            Value::object(members.iter().map(|(name, ty)| (name.clone(), member_of(name, Value::Unknown, ty))))
        }
        (Value::List(elements), Type::List(ty) | Type::Set(ty)) => {
            Value::List(elements.into_iter().map(|element| made(element, ty)).collect())
        }
        (Value::Map(members), Type::Map(ty)) => {
            Value::object(members.into_iter().map(|(key, member)| (key, made(member, ty))))
        }
        (Value::Map(members), Type::Object(types)) => Value::object(members.into_iter().map(|(name, member)| {
            let member = member_of(&name, member, &types[&name]);
            (name, member)
        })),
        (known, _) => known,
    }
}

fn member_of(name: &str, value: Value, ty: &Type) -> Value {
    if name == "none" && value.is_unknown() { Value::Null } else { made(value, ty) }
}

impl Described for EchoValue {
    fn name(&self) -> &'static str {
        "echo_value"
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn ty(&self) -> &Type {
        &self.ty
    }

    fn validate(&self, config: Value) -> Diagnostics {
        plan::check(&self.schema.block, &config)
    }
}

impl AnyResource<Store> for EchoValue {
    fn identity_schema(&self) -> &IdentitySchema {
        &self.identity
    }

    fn identity_may_change(&self) -> bool {
        false
    }

    fn keys(&self, _state: Value) -> Vec<Key> {
        Vec::new()
    }

    fn upgrade(&self, _version: i64, text: &[u8]) -> (Value, Diagnostics) {
        match json::decode(text, &self.ty) {
            Ok(value) => (value, Diagnostics::default()),
            Err(error) => (Value::Null, Diagnostic::error("The state cannot be read", error.to_string()).into()),
        }
    }

    fn plan(&self, _context: Context<Store>, change: Change) -> Answer<'_, PlannedChange> {
        Box::pin(async move {
            let block = &self.schema.block;
            let state = match &change.config {
                Value::Null => Value::Null,
                config => plan::prepare(block, &change.prior, config),
            };
            let requires_replace =
                if change.prior.is_null() { Vec::new() } else { plan::replacements(block, &change.prior, &state) };
            PlannedChange {
                identity: self.identity_of(&state),
                state,
                private: change.private,
                requires_replace,
                diagnostics: Diagnostics::default(),
            }
        })
    }

    fn apply(&self, _context: Context<Store>, _change: Change, planned: Value) -> Answer<'_, ErasedOutcome> {
        Box::pin(async move {
            let state = made(planned, &self.ty);
            ErasedOutcome {
                identity: self.identity_of(&state),
                state,
                private: b"kept".to_vec(),
                diagnostics: Diagnostics::default(),
            }
        })
    }

    fn read(&self, _context: Context<Store>, state: Value, private: Vec<u8>) -> Answer<'_, ErasedOutcome> {
        Box::pin(async move {
            ErasedOutcome { identity: self.identity_of(&state), state, private, diagnostics: Diagnostics::default() }
        })
    }

    fn import(&self, _context: Context<Store>, target: ImportTarget<Value>) -> Answer<'_, ErasedOutcome> {
        Box::pin(async move {
            let id = match target {
                ImportTarget::Id(id) => Value::from(id),
                ImportTarget::Identity(identity) => identity.get("id").clone(),
            };
            let Value::Map(mut members) = self.schema.block.null_object() else { unreachable!("a block is an object") };
            members.insert("id".into(), id);
            let state = Value::Map(members);
            let identity = self.identity_of(&state);
            ErasedOutcome { state, identity, private: Vec::new(), diagnostics: Diagnostics::default() }
        })
    }

    fn configuration(&self, state: Value) -> (Value, Diagnostics) {
        (plan::configurable(&self.schema.block, state), Diagnostics::default())
    }

    fn move_state(&self, _source: &MoveSource) -> ErasedOutcome {
        let diagnostics = Diagnostic::error("Nothing becomes an echo", "Import it.").into();
        ErasedOutcome { state: Value::Null, identity: Value::Null, private: Vec::new(), diagnostics }
    }
}
