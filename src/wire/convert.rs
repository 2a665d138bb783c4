//! Conversion between the protocol's messages and the framework's types.

use std::collections::BTreeMap;

use super::{
    generated::{
        self as proto, AttributePath, DynamicValue, RawState, ResourceIdentityData, ResourceIdentitySchema,
        ServerCapabilities, StringKind, attribute_path, attribute_path::step::Selector, call_function, diagnostic,
        function, invoke_action, list_resource, move_resource_state, plan_resource_change, resource_identity_schema,
        schema,
    },
    msgpack,
};
use crate::framework::{
    Diagnostic, Diagnostics, Path, Severity, Step, Type, Value,
    action::ActionEvent,
    anchor,
    any_resource::{AnyResource, Change, ErasedOutcome, PlannedChange},
    function::{FunctionError, Parameter, Signature},
    json,
    list_resource::ListedValue,
    resource::MoveSource,
    schema::{Attribute, Block, IdentitySchema, Kind, NestedBlock, Nesting, Presence, Schema},
    shown,
    value::DecodeError,
};

pub(super) const CAPABILITIES: ServerCapabilities = ServerCapabilities {
    plan_destroy: true,
    // No call depends on whether the schema was requested before.
    get_provider_schema_optional: true,
    move_resource_state: true,
    generate_resource_config: true,
};

/// The value of a field. One that is absent or empty is null: OpenTofu sends null arguments of functions like that.
pub(super) fn value(field: Option<DynamicValue>, ty: &Type) -> Result<Value, Diagnostic> {
    match field.unwrap_or_default() {
        DynamicValue { msgpack, .. } if !msgpack.is_empty() => msgpack::decode(&msgpack, ty).map_err(unreadable),
        DynamicValue { json, .. } if !json.is_empty() => json::decode(&json, ty).map_err(unreadable),
        _ => Ok(Value::Null),
    }
}

fn unreadable(error: DecodeError) -> Diagnostic {
    let detail = format!(
        "A value that Terraform or OpenTofu sent does not fit the schema: {error}. Run init again, so \
         that the installed provider is the one that the lock file names."
    );
    Diagnostic::error("The provider cannot read a value", detail).at(error.path)
}

pub(super) fn field(value: &Value, ty: &Type) -> Option<DynamicValue> {
    Some(DynamicValue { msgpack: msgpack::encode(value, ty), json: Vec::new() })
}

pub(super) fn identity(field: Option<ResourceIdentityData>, schema: &IdentitySchema) -> Result<Value, Diagnostic> {
    value(field.and_then(|data| data.identity_data), schema.ty())
}

/// The field for an identity; `None` for a null one.
pub(super) fn identity_field(identity: &Value, schema: &IdentitySchema) -> Option<ResourceIdentityData> {
    (!identity.is_null()).then(|| ResourceIdentityData { identity_data: field(identity, schema.ty()) })
}

pub(super) struct Fields {
    pub(super) state: Option<DynamicValue>,
    pub(super) identity: Option<ResourceIdentityData>,
    pub(super) private: Vec<u8>,
    pub(super) diagnostics: Vec<proto::Diagnostic>,
}

pub(super) fn outcome<C>(resource: &dyn AnyResource<C>, outcome: ErasedOutcome) -> Fields {
    Fields {
        state: field(&outcome.state, resource.ty()),
        identity: identity_field(&outcome.identity, resource.identity_schema()),
        private: outcome.private,
        diagnostics: diagnostics(outcome.diagnostics),
    }
}

pub(super) fn change(
    ty: &Type,
    prior: Option<DynamicValue>,
    config: Option<DynamicValue>,
    private: Vec<u8>,
) -> Result<Change, Diagnostic> {
    Ok(Change { prior: value(prior, ty)?, config: value(config, ty)?, private })
}

pub(super) fn planned<C>(resource: &dyn AnyResource<C>, planned: PlannedChange) -> plan_resource_change::Response {
    plan_resource_change::Response {
        planned_state: field(&planned.state, resource.ty()),
        requires_replace: planned.requires_replace.into_iter().map(path).collect(),
        planned_private: planned.private,
        diagnostics: diagnostics(planned.diagnostics),
        planned_identity: identity_field(&planned.identity, resource.identity_schema()),
        ..plan_resource_change::Response::default()
    }
}

pub(super) fn source(request: move_resource_state::Request) -> Result<MoveSource, Diagnostic> {
    Ok(MoveSource {
        provider_address: request.source_provider_address,
        type_name: request.source_type_name,
        schema_version: request.source_schema_version,
        state: stored_object(request.source_state)?,
    })
}

pub(super) fn listed<C>(
    resource: &dyn AnyResource<C>,
    listed: ListedValue,
    include_object: bool,
) -> list_resource::Event {
    let Fields { state, identity, diagnostics, .. } = outcome(resource, listed.object);
    list_resource::Event {
        identity,
        display_name: listed.display_name,
        resource_object: state.filter(|_| include_object),
        diagnostic: diagnostics,
    }
}

pub(super) fn action_event(event: ActionEvent) -> invoke_action::Event {
    use invoke_action::event::{Completed, Progress, Type};
    let event = match event {
        ActionEvent::Progress(message) => Type::Progress(Progress { message: shown(&message) }),
        ActionEvent::Completed(result) => Type::Completed(Completed { diagnostics: diagnostics(result) }),
    };
    invoke_action::Event { r#type: Some(event) }
}

pub(super) fn arguments(signature: &Signature, fields: Vec<DynamicValue>) -> Result<Vec<Value>, FunctionError> {
    let argument = |(index, field)| {
        let parameter = signature.parameter(index)?;
        value(Some(field), &parameter.ty).map_err(|error| FunctionError::from(error).at(index))
    };
    fields.into_iter().enumerate().map(argument).collect()
}

pub(super) fn called(result: Result<Value, FunctionError>, returns: &Type) -> call_function::Response {
    match result {
        Ok(value) => call_function::Response { result: field(&value, returns), error: None },
        Err(error) => call_failed(error),
    }
}

pub(super) fn call_failed(FunctionError { text, argument }: FunctionError) -> call_function::Response {
    let function_argument = argument.and_then(|index| index.try_into().ok());
    let error = proto::FunctionError { text: shown(&text), function_argument };
    call_function::Response { result: None, error: Some(error) }
}

pub(super) fn function(signature: &Signature) -> proto::Function {
    proto::Function {
        parameters: signature.parameters.iter().map(parameter).collect(),
        variadic_parameter: signature.variadic.as_ref().map(parameter),
        r#return: Some(function::Return { r#type: notation(&signature.returns) }),
        summary: signature.summary.to_owned(),
        description: signature.description.to_owned(),
        description_kind: StringKind::Markdown.into(),
        deprecation_message: String::new(),
    }
}

fn parameter(parameter: &Parameter) -> function::Parameter {
    function::Parameter {
        name: parameter.name.to_owned(),
        r#type: notation(&parameter.ty),
        allow_null_value: parameter.allow_null,
        allow_unknown_values: parameter.allow_unknown,
        description: parameter.description.to_owned(),
        description_kind: StringKind::Markdown.into(),
    }
}

/// The JSON text of a stored object.
pub(super) fn stored(raw: Option<RawState>) -> Result<Vec<u8>, Diagnostic> {
    let raw = raw.unwrap_or_default();
    if raw.flatmap.is_empty() {
        return Ok(raw.json);
    }
    let detail =
        "It was written by Terraform 0.11 or older, in which this provider never ran. Import the object instead.";
    Err(Diagnostic::error("The state is too old", detail))
}

/// A stored object of any type, member by member.
fn stored_object(raw: Option<RawState>) -> Result<BTreeMap<String, serde_json::Value>, Diagnostic> {
    serde_json::from_slice(&stored(raw)?).map_err(|error| {
        Diagnostic::error(
            "The state cannot be read",
            format!("The stored object is no JSON object: {error}. Import it instead."),
        )
    })
}

pub(super) fn diagnostics(diagnostics: Diagnostics) -> Vec<proto::Diagnostic> {
    diagnostics.0.into_iter().map(message).collect()
}

/// Ends each with a link to its entry in a guide.
pub(super) fn link(diagnostics: &mut [proto::Diagnostic], guide: &str) {
    for proto::Diagnostic { summary, detail, .. } in diagnostics {
        detail.push_str(&format!("\n\nMore: {guide}#{}", anchor(summary)));
    }
}

fn message(diagnostic: Diagnostic) -> proto::Diagnostic {
    let severity = match diagnostic.severity {
        Severity::Error => diagnostic::Severity::Error,
        Severity::Warning => diagnostic::Severity::Warning,
    };
    proto::Diagnostic {
        severity: severity.into(),
        summary: diagnostic.summary.to_owned(),
        detail: shown(&diagnostic.detail),
        attribute: diagnostic.path.map(path),
    }
}

fn path(path: Path) -> AttributePath {
    let steps = path.0.into_iter().map(|step| {
        let selector = match step {
            Step::Attribute(name) => Selector::AttributeName(name),
            Step::Index(index) => Selector::ElementKeyInt(index),
            Step::Key(key) => Selector::ElementKeyString(key),
        };
        attribute_path::Step { selector: Some(selector) }
    });
    AttributePath { steps: steps.collect() }
}

pub(super) fn schema(schema: &Schema) -> proto::Schema {
    proto::Schema { version: schema.version, block: Some(block(&schema.block, schema.version)) }
}

fn block(block: &Block, version: i64) -> schema::Block {
    schema::Block {
        version,
        attributes: block.attributes.iter().map(attribute).collect(),
        block_types: block.blocks.iter().map(nested_block).collect(),
        description: block.description.to_owned(),
        description_kind: StringKind::Markdown.into(),
        ..schema::Block::default()
    }
}

fn attribute(attribute: &Attribute) -> schema::Attribute {
    let (r#type, nested_type) = match &attribute.kind {
        Kind::Plain => (notation(attribute.ty()), None),
        Kind::Nested(nesting, attributes) => (Vec::new(), Some(nested_type(*nesting, attributes))),
    };
    schema::Attribute {
        name: attribute.name.to_owned(),
        r#type,
        nested_type,
        description: attribute.description.to_owned(),
        description_kind: StringKind::Markdown.into(),
        required: attribute.presence == Presence::Required,
        optional: matches!(attribute.presence, Presence::Optional | Presence::OptionalComputed),
        computed: attribute.is_computed(),
        sensitive: attribute.sensitive,
        ..schema::Attribute::default()
    }
}

/// A type in cty's JSON notation.
fn notation(ty: &Type) -> Vec<u8> {
    ty.to_json().to_string().into_bytes()
}

fn nested_type(nesting: Nesting, attributes: &[Attribute]) -> schema::Object {
    use schema::object::NestingMode;
    let nesting = match nesting {
        Nesting::Single => NestingMode::Single,
        Nesting::List => NestingMode::List,
        Nesting::Map => NestingMode::Map,
    };
    schema::Object {
        nesting: nesting.into(),
        attributes: attributes.iter().map(attribute).collect(),
        ..schema::Object::default()
    }
}

fn nested_block(nested: &NestedBlock) -> schema::NestedBlock {
    schema::NestedBlock {
        type_name: nested.name.to_owned(),
        block: Some(block(&nested.block, 0)),
        nesting: schema::nested_block::NestingMode::Single.into(),
        ..schema::NestedBlock::default()
    }
}

/// The schema of an identity; `None` for a type without one.
pub(super) fn identity_schema(schema: &IdentitySchema) -> Option<ResourceIdentitySchema> {
    let attributes = schema.attributes.iter().map(|attribute| resource_identity_schema::IdentityAttribute {
        name: attribute.name.to_owned(),
        r#type: notation(&attribute.ty),
        required_for_import: attribute.required_for_import,
        optional_for_import: !attribute.required_for_import,
        description: attribute.description.to_owned(),
    });
    let identity_attributes: Vec<_> = attributes.collect();
    (!identity_attributes.is_empty()).then_some(ResourceIdentitySchema { version: schema.version, identity_attributes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_or_empty_value_is_null_and_json_is_read() {
        assert_eq!(value(None, &Type::String), Ok(Value::Null));
        assert_eq!(value(Some(DynamicValue::default()), &Type::String), Ok(Value::Null));
        let json = DynamicValue { json: br#" "text" "#.to_vec(), msgpack: Vec::new() };
        assert_eq!(value(Some(json), &Type::String), Ok("text".into()));
        let nil = DynamicValue { msgpack: vec![0xc0], json: b"1".to_vec() };
        assert_eq!(value(Some(nil), &Type::String), Ok(Value::Null));
    }

    #[test]
    fn an_unreadable_value_is_an_error_at_its_path() {
        let ty = Type::object([("a", Type::Bool)]);
        let wrong = msgpack::encode(&Value::object([("a", "text".into())]), &Type::map(Type::String));
        let error = value(Some(DynamicValue { msgpack: wrong, json: Vec::new() }), &ty).expect_err("it is no bool");
        assert_eq!(error.path, Some(Path::root("a")));
    }

    #[test]
    fn a_nested_attribute_has_no_type_beside_its_nested_one() {
        let inner = vec![Attribute::required("k", Type::String, "A key.")];
        let converted = attribute(&Attribute::nested("a", Nesting::Map, Presence::OptionalComputed, inner, "A map."));
        assert!(converted.r#type.is_empty() && converted.optional && converted.computed && !converted.required);
        assert_eq!(
            converted.nested_type.map(|nested| nested.attributes[0].r#type.clone()),
            Some(b"\"string\"".to_vec())
        );
    }

    #[test]
    fn a_path_keeps_its_steps() {
        let converted = path(Path::root("a").index(1).key("k").attribute("b"));
        let selectors: Vec<_> = converted.steps.into_iter().filter_map(|step| step.selector).collect();
        let expected = [
            Selector::AttributeName("a".into()),
            Selector::ElementKeyInt(1),
            Selector::ElementKeyString("k".into()),
            Selector::AttributeName("b".into()),
        ];
        assert_eq!(selectors, expected);
    }
}
