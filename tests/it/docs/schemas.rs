//! The rules of all schemas and signatures.

use std::sync::Arc;

use foundryhub::{
    framework::{
        Diagnostics, Type, Value,
        any_resource::Change,
        context::Context,
        erased::Described,
        resource::ImportTarget,
        schema::{Attribute, Block, Kind, Nesting},
        server::Provider as _,
        structs::Mismatch,
        walk::Walk,
    },
    provider::Session,
};

use super::provider;

/// Looks at everything that has a configuration, besides the provider block.
fn for_each_described(mut look: impl FnMut(&dyn Described)) {
    let provider = provider();
    provider.resources().iter().for_each(|it| look(it.as_ref()));
    provider.data_sources().iter().for_each(|it| look(it.as_ref()));
    provider.list_resources().iter().for_each(|it| look(it.as_ref()));
    provider.actions().iter().for_each(|it| look(it.as_ref()));
}

#[test]
fn every_attribute_has_a_description() {
    let mut bare = undescribed(&provider().schema().block, "provider");
    for_each_described(|it| bare.extend(undescribed(&it.schema().block, it.name())));
    for resource in provider().resources() {
        let identity = &resource.identity_schema().attributes;
        assert!(!identity.is_empty(), "{} has no identity", resource.name());
        assert!(identity.iter().all(|attribute| attribute.description.ends_with('.')), "{}", resource.name());
    }
    assert!(bare.is_empty(), "{bare:#?}");
}

#[test]
fn every_function_and_parameter_has_a_description() {
    for function in provider().functions() {
        let signature = function.signature();
        let parameters = signature.parameters.iter().chain(&signature.variadic);
        let texts = parameters.map(|parameter| parameter.description).chain([signature.summary]);
        let described = texts.clone().all(|text| text.ends_with('.')) && !signature.description.is_empty();
        assert!(described, "{}: {:?}", function.name(), texts.collect::<Vec<_>>());
    }
}

fn undescribed(block: &Block, place: &str) -> Vec<String> {
    fn attributes(list: &[Attribute], place: &str) -> Vec<String> {
        let mut bare = Vec::new();
        for attribute in list {
            let place = format!("{place}.{}", attribute.name);
            if !attribute.description.trim_end().ends_with('.') {
                bare.push(place.clone());
            }
            if let Kind::Nested(_, inner) = &attribute.kind {
                bare.extend(attributes(inner, &place));
            }
        }
        bare
    }
    let mut bare = attributes(&block.attributes, place);
    if !block.description.ends_with('.') {
        bare.push(place.to_owned());
    }
    for nested in &block.blocks {
        bare.extend(undescribed(&nested.block, &format!("{place}.{}", nested.name)));
    }
    bare
}

#[tokio::test]
async fn every_state_struct_has_the_members_of_its_schema() {
    for resource in provider().resources() {
        let block = &resource.schema().block;
        for sample in [block.null_object(), filled(&block.ty(), &Value::Unknown), sample_block(block)] {
            let change = Change { prior: Value::Null, config: sample, private: Vec::new() };
            let planned = resource.plan(unconfigured(), change).await;
            assert_fits(resource.name(), &planned.diagnostics);
            assert_same_members(resource.name(), &planned.state, &block.ty());
        }
    }
}

#[tokio::test]
async fn every_identity_struct_has_the_members_of_its_schema() {
    for resource in provider().resources() {
        let identity = sample(resource.identity_schema().ty(), "x");
        let outcome = resource.import(unconfigured(), ImportTarget::Identity(identity)).await;
        assert_fits(resource.name(), &outcome.diagnostics);
    }
}

#[tokio::test]
async fn the_configuration_struct_has_the_members_of_the_provider_block() {
    let block = provider().schema().block;
    for sample in [block.null_object(), sample(&block.ty(), "x")] {
        assert_fits("provider", &provider().configure(&sample, "1").await.1);
    }
}

/// What reads a data source, a list or an action has a field for every member of its schema.
#[test]
fn every_configuration_struct_has_the_members_of_its_schema() {
    for_each_described(|it| {
        let block = &it.schema().block;
        for sample in [block.null_object(), filled(&block.ty(), &Value::Unknown), sample_block(block)] {
            assert_fits(it.name(), &it.validate(sample));
        }
    });
}

/// A function reads every argument of its signature, and its result is of the type that it says.
#[test]
fn every_function_takes_the_arguments_and_gives_the_result_of_its_signature() {
    for function in provider().functions() {
        let signature = function.signature();
        let types: Vec<_> = signature.parameters.iter().map(|parameter| parameter.ty.clone()).collect();
        // Every combination of samples, of which one at least fits.
        let mut arguments: Vec<Vec<Value>> = vec![Vec::new()];
        for ty in &types {
            let longer = |before: &Vec<Value>, text: &String| [&before[..], &[sample(ty, text)]].concat();
            arguments = arguments.iter().flat_map(|before| texts().map(|text| longer(before, &text))).collect();
        }
        let results: Vec<_> = arguments.into_iter().map(|arguments| function.call(arguments)).collect();
        let mistakes: Vec<_> =
            results.iter().filter_map(|it| it.as_ref().err()).map(|error| format!("{error:?}")).collect();
        assert!(!mistakes.iter().any(|text| text.contains(Mismatch::SUMMARY.0)), "{}: {mistakes:#?}", function.name());
        let result = results.into_iter().find_map(Result::ok);
        let result = result.unwrap_or_else(|| panic!("no sample fits {}: {mistakes:#?}", function.name()));
        assert_same_members(function.name(), &result, &signature.returns);
    }
}

fn unconfigured() -> Context<Session> {
    Context { client: None, cancel: Default::default(), walk: Walk::new(Arc::default(), "any") }
}

/// A struct reads an object only if it has a field for every member, and the other way round.
fn assert_fits(place: &str, diagnostics: &Diagnostics) {
    let mistakes: Vec<_> = diagnostics.0.iter().filter(|found| found.summary == Mismatch::SUMMARY.0).collect();
    assert!(mistakes.is_empty(), "{place}: {mistakes:#?}");
}

/// Objects that a struct writes have just the members that the schema has.
fn assert_same_members(place: &str, value: &Value, ty: &Type) {
    match (value, ty) {
        (Value::Map(members), Type::Object(attributes)) => {
            let found: Vec<_> = members.keys().collect();
            let expected: Vec<_> = attributes.keys().collect();
            assert_eq!(found, expected, "at {place}");
            for (name, ty) in attributes {
                assert_same_members(&format!("{place}.{name}"), value.get(name), ty);
            }
        }
        (Value::Map(members), Type::Map(element)) => {
            members.iter().for_each(|(key, value)| assert_same_members(&format!("{place}.{key}"), value, element));
        }
        (Value::List(elements), Type::List(element) | Type::Set(element)) => {
            elements.iter().for_each(|value| assert_same_members(place, value, element));
        }
        _ => {}
    }
}

fn filled(ty: &Type, leaf: &Value) -> Value {
    match ty {
        Type::Object(attributes) => Value::object(attributes.keys().map(|name| (name.clone(), leaf.clone()))),
        _ => leaf.clone(),
    }
}

/// An object with something in every place that the schema lets pass.
fn sample_block(block: &Block) -> Value {
    let attributes = block.attributes.iter().map(|attribute| (attribute.name, sample_attribute(attribute)));
    Value::object(attributes.chain(block.blocks.iter().map(|nested| (nested.name, sample_block(&nested.block)))))
}

fn sample_attribute(attribute: &Attribute) -> Value {
    if let Kind::Nested(nesting, attributes) = &attribute.kind {
        let inner = Value::object(attributes.iter().map(|attribute| (attribute.name, sample_attribute(attribute))));
        return match nesting {
            Nesting::Single => inner,
            Nesting::List => Value::List(vec![inner]),
            Nesting::Map => Value::object([("k", inner)]),
        };
    }
    let mut samples = texts().map(|text| sample(attribute.ty(), &text));
    let fits = |value: &Value| attribute.check.is_none_or(|check| check(value).is_ok());
    samples.find(fits).unwrap_or_else(|| panic!("no sample fits {}", attribute.name))
}

/// Texts of which one at least is let pass by every attribute and parameter.
fn texts() -> impl Iterator<Item = String> {
    const SUBSCRIPTION: &str = "/subscriptions/11111111-2222-3333-4444-555555555555";
    let below = |rest: &str| format!("{SUBSCRIPTION}/{rest}");
    [
        "x".to_owned(),
        "0f000000-0000-4000-8000-000000000001".to_owned(),
        below("resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/hub"),
        below("resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/account"),
        below("providers/Microsoft.Authorization/roleAssignments/0f000000-0000-4000-8000-000000000001"),
        "identity".to_owned(),
        "warn".to_owned(),
        "error".to_owned(),
        "terraform_state".to_owned(),
        "contributor".to_owned(),
        "own_data".to_owned(),
        "User".to_owned(),
        "2.0".to_owned(),
        "fail".to_owned(),
        "1s".to_owned(),
        "key1".to_owned(),
        "none_seen".to_owned(),
        SUBSCRIPTION.rsplit('/').next().expect("a GUID").to_owned(),
        "hub".to_owned(),
        "Enabled".to_owned(),
        "Disabled".to_owned(),
        "Deny".to_owned(),
        "SystemAssigned".to_owned(),
        "198.51.100.7".to_owned(),
        "https://v.vault.azure.net/keys/k/1".to_owned(),
    ]
    .into_iter()
}

/// A value with something in every place, in strings this text.
fn sample(ty: &Type, text: &str) -> Value {
    let sample = |ty: &Type| sample(ty, text);
    match ty {
        Type::Bool => true.into(),
        Type::Number => 1.into(),
        Type::String => text.into(),
        Type::List(element) | Type::Set(element) => Value::List(vec![sample(element)]),
        Type::Map(element) => Value::object([("k", sample(element))]),
        Type::Object(attributes) => Value::object(attributes.iter().map(|(name, ty)| (name.clone(), sample(ty)))),
    }
}
