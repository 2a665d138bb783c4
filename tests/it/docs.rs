//! The pages of docs/ that are generated from the schema and the examples, and rules for every schema.
//!
//! A page that is out of date is rewritten and the test fails once: look at the change and commit it.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::PathBuf, sync::Arc};

use foundryhub::{
    framework::{
        Diagnostics, Type, Value,
        any_resource::{AnyResource, Change},
        context::Context,
        resource::ImportTarget,
        schema::{Attribute, Block, IdentitySchema, Kind, Nesting, Presence, Schema},
        server::Provider as _,
        structs::Mismatch,
        walk::Walk,
    },
    provider::{Provider, Session, config},
};

fn provider() -> Provider {
    Provider::new(|_| None)
}

#[test]
fn every_page_is_up_to_date() {
    let mut stale = Vec::new();
    let mut pages = BTreeSet::new();
    let mut page = |path: String, text: String| {
        let full = root().join(&path);
        if fs::read_to_string(&full).ok().as_deref() != Some(text.as_str()) {
            fs::create_dir_all(full.parent().expect("pages are in a folder")).expect("the folder can be made");
            fs::write(&full, text).expect("the page can be written");
            stale.push(path.clone());
        }
        pages.insert(path);
    };
    page("docs/index.md".to_owned(), index_page(&provider().schema()));
    for resource in provider().resources() {
        page(format!("docs/resources/{}.md", short(resource.name())), resource_page(resource.as_ref()));
    }
    for entry in fs::read_dir(root().join("docs/resources")).into_iter().flatten() {
        let name = entry.expect("the folder is readable").file_name().to_string_lossy().into_owned();
        assert!(pages.contains(&format!("docs/resources/{name}")), "docs/resources/{name} is of no resource");
    }
    assert!(stale.is_empty(), "rewritten, look at the change and commit it: {stale:?}");
}

#[test]
fn the_readme_shows_the_quickstart_as_it_is() {
    let readme = fs::read_to_string(root().join("README.md")).expect("a README");
    let blocks: Vec<_> = readme.split("```hcl\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let quickstart = fs::read_to_string(root().join("examples/quickstart/main.tf")).expect("a quickstart");
    assert_eq!(blocks, [quickstart], "README.md shows examples/quickstart/main.tf, and nothing else, in HCL");
}

#[test]
fn the_code_in_adding_a_thing_is_that_of_the_echo_provider() {
    let page = fs::read_to_string(root().join("docs/internals/adding-a-thing.md")).expect("the page");
    let files = fs::read_dir(root().join("tests/echo")).expect("the provider").map(|file| file.expect("a file").path());
    let code: Vec<_> = files.map(|file| fs::read_to_string(file).expect("code")).collect();
    let blocks: Vec<_> = page.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() > 4, "one of every kind");
    for block in blocks {
        assert!(code.iter().any(|file| file.contains(block)), "nowhere in tests/echo:\n{block}");
    }
}

#[test]
fn every_attribute_has_a_description() {
    let mut bare = Vec::new();
    let mut visit = |place: String, schema: &Schema| bare.extend(undescribed(&schema.block, &place));
    visit("provider".to_owned(), &provider().schema());
    for resource in provider().resources() {
        visit(resource.name().to_owned(), resource.schema());
        let identity = &resource.identity_schema().attributes;
        assert!(!identity.is_empty(), "{} has no identity", resource.name());
        assert!(identity.iter().all(|attribute| attribute.description.ends_with('.')), "{}", resource.name());
    }
    assert!(bare.is_empty(), "{bare:#?}");
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
        let identity = sample(&resource.identity_schema().ty(), "x");
        let outcome = resource.import(unconfigured(), ImportTarget::Identity(identity)).await;
        assert_fits(resource.name(), &outcome.diagnostics);
    }
}

#[test]
fn the_configuration_struct_has_the_members_of_the_provider_block() {
    let block = provider().schema().block;
    for sample in [block.null_object(), sample(&block.ty(), "x")] {
        assert_fits("provider", &provider().configure(&sample, "1").1);
    }
}

fn unconfigured() -> Context<Session> {
    Context { client: None, cancel: Default::default(), walk: Walk::new(Arc::default(), "any") }
}

/// A struct reads an object only if it has a field for every member, and the other way round.
fn assert_fits(place: &str, diagnostics: &Diagnostics) {
    let mistakes: Vec<_> = diagnostics.0.iter().filter(|found| found.summary == Mismatch::SUMMARY).collect();
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
    const SUBSCRIPTION: &str = "/subscriptions/11111111-2222-3333-4444-555555555555";
    let below = |rest: &str| format!("{SUBSCRIPTION}/{rest}");
    let texts = [
        "x".to_owned(),
        "0f000000-0000-4000-8000-000000000001".to_owned(),
        below("resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/hub"),
        below("resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/account"),
        below("providers/Microsoft.Authorization/roleAssignments/0f000000-0000-4000-8000-000000000001"),
        "identity".to_owned(),
        "warn".to_owned(),
        "contributor".to_owned(),
        "own_data".to_owned(),
        "User".to_owned(),
        "2.0".to_owned(),
        "fail".to_owned(),
        "1s".to_owned(),
    ];
    if let Kind::Nested(nesting, attributes) = &attribute.kind {
        let inner = Value::object(attributes.iter().map(|attribute| (attribute.name, sample_attribute(attribute))));
        return match nesting {
            Nesting::Single => inner,
            Nesting::List => Value::List(vec![inner]),
            Nesting::Map => Value::object([("k", inner)]),
        };
    }
    let mut samples = texts.iter().map(|text| sample(&attribute.ty(), text));
    let fits = |value: &Value| attribute.check.is_none_or(|check| check(value).is_ok());
    samples.find(fits).unwrap_or_else(|| panic!("no sample fits {}", attribute.name))
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

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn short(type_name: &str) -> &str {
    type_name.strip_prefix("foundryhub_").unwrap_or(type_name)
}

/// An example, which every page needs.
fn example(path: &str) -> String {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path} is missing: {error}"));
    let language = if path.ends_with(".tf") { "terraform" } else { "shell" };
    format!("```{language}\n{}\n```\n", text.trim_end())
}

fn front_matter(title: &str, description: &str) -> String {
    let first = description.lines().next().unwrap_or_default();
    format!("---\npage_title: \"{title}\"\ndescription: |-\n  {first}\n---\n\n")
}

fn index_page(schema: &Schema) -> String {
    let description = schema.block.description;
    let mut page = front_matter("Provider: foundryhub", description);
    let _ = write!(page, "# foundryhub provider\n\n{description}\n\n## Example Usage\n\n");
    page.push_str(&example("examples/provider/provider.tf"));
    page.push_str(&authentication_section());
    page.push_str(&schema_section(&schema.block));
    page
}

fn authentication_section() -> String {
    let mut text = "\n## Authentication\n\nThe provider signs in by the first of these methods that is complete. A method that \
                    something asks for and that lacks something else is an error: no other one is taken instead. What the \
                    provider block says goes before what the environment says; the schema below has the variables.\n\n\
                    | method | asked for by | needs | takes |\n|---|---|---|---|\n"
        .to_owned();
    let alternatives =
        |names: &Vec<&str>| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ");
    let column = |settings: &[Vec<&str>]| settings.iter().map(alternatives).collect::<Vec<_>>().join(", ");
    for method in config::sign_in_methods() {
        let _ = writeln!(
            text,
            "| [{}](guides/{}.md) | {}{} | {} | {} |",
            method.name,
            method.guide,
            column(&method.asked_for_by),
            if method.by_default { ", which is on by default" } else { "" },
            column(&method.needs),
            column(&method.takes)
        );
    }
    text
}

fn resource_page(resource: &dyn AnyResource<Session>) -> String {
    let name = resource.name();
    let description = resource.schema().block.description;
    let mut page = front_matter(&format!("{name} Resource"), description);
    let _ = write!(page, "# {name} (Resource)\n\n{description}\n\n## Example Usage\n\n");
    page.push_str(&example(&format!("examples/resources/{name}/resource.tf")));
    page.push_str(&schema_section(&resource.schema().block));
    let _ = write!(page, "\n## Import\n\n");
    page.push_str(&example(&format!("examples/resources/{name}/import.sh")));
    page.push_str(&identity_section(resource.identity_schema()));
    page
}

fn identity_section(identity: &IdentitySchema) -> String {
    let mut text = "\nAn `import` block may name the object by its identity instead:\n\n".to_owned();
    for attribute in &identity.attributes {
        let need = if attribute.required_for_import { "required" } else { "optional" };
        let _ =
            writeln!(text, "- `{}` ({}, {need}) {}", attribute.name, type_name(&attribute.ty), attribute.description);
    }
    text
}

fn schema_section(block: &Block) -> String {
    let mut text = "\n## Schema\n".to_owned();
    let groups: [(&str, &[Presence]); 3] = [
        ("Required", &[Presence::Required]),
        ("Optional", &[Presence::Optional, Presence::OptionalComputed]),
        ("Read-Only", &[Presence::Computed]),
    ];
    let mut nested = Vec::new();
    for (title, presences) in groups {
        let attributes: Vec<_> =
            block.attributes.iter().filter(|attribute| presences.contains(&attribute.presence)).collect();
        let with_blocks = title == "Optional" && !block.blocks.is_empty();
        if attributes.is_empty() && !with_blocks {
            continue;
        }
        let _ = write!(text, "\n### {title}\n\n");
        for attribute in attributes {
            text.push_str(&attribute_line(attribute));
            if let Kind::Nested(_, inner) = &attribute.kind {
                nested.push((attribute.name, inner.as_slice()));
            }
        }
        if with_blocks {
            for inner in &block.blocks {
                let _ = writeln!(
                    text,
                    "- `{0}` (Block) {1} See [below](#nested-{0}).",
                    inner.name, inner.block.description
                );
                nested.push((inner.name, inner.block.attributes.as_slice()));
            }
        }
    }
    for (name, attributes) in nested {
        let _ = write!(text, "\n<a id=\"nested-{name}\"></a>\n### Nested: `{name}`\n\n");
        attributes.iter().for_each(|attribute| text.push_str(&attribute_line(attribute)));
    }
    text
}

fn attribute_line(attribute: &Attribute) -> String {
    let ty = match &attribute.kind {
        Kind::Plain(ty) => type_name(ty),
        Kind::Nested(nesting, _) => match nesting {
            Nesting::Single => "Object".to_owned(),
            Nesting::List => "List of objects".to_owned(),
            Nesting::Map => "Map of objects".to_owned(),
        },
    };
    let mut line = format!("- `{}` ({ty}", attribute.name);
    if attribute.sensitive {
        line.push_str(", sensitive");
    }
    let _ = write!(line, ") {}", attribute.description);
    if attribute.requires_replace {
        line.push_str(" Changing it replaces the object.");
    }
    if let Some(default) = &attribute.default {
        let _ = write!(line, " Default: `{}`.", foundryhub::framework::json::encode(default));
    }
    if let Kind::Nested(..) = &attribute.kind {
        let _ = write!(line, " See [below](#nested-{}).", attribute.name);
    }
    line.push('\n');
    line
}

fn type_name(ty: &Type) -> String {
    match ty {
        Type::Bool => "Boolean".to_owned(),
        Type::Number => "Number".to_owned(),
        Type::String => "String".to_owned(),
        Type::List(element) => format!("List of {}", type_name(element)),
        Type::Set(element) => format!("Set of {}", type_name(element)),
        Type::Map(element) => format!("Map of {}", type_name(element)),
        Type::Object(_) => "Object".to_owned(),
    }
}
