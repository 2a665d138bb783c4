//! Prints the pages, in the layout of the registries.

use std::{fmt::Write as _, fs};

use foundryhub::{
    framework::{
        Type,
        action::AnyAction,
        any_resource::AnyResource,
        data_source::AnyDataSource,
        erased::Described,
        function::{AnyFunction, Signature},
        list_resource::AnyListResource,
        schema::{Attribute, Block, IdentitySchema, Kind, Nesting, Presence, Schema},
    },
    provider::{Session, config},
};

use super::{requirements, root};

/// What the article says of the whole (azure.md §7, 5).
pub(super) const PREVIEW: &str = "> **Preview.** At Azure, hubs whose storage account refuses shared keys are a public preview: there is no service-level \
agreement, Microsoft advises against it for production workloads, and some features may be missing or limited. The \
[terms for previews](https://azure.microsoft.com/support/legal/preview-supplemental-terms/) apply.";

/// Where what others have managed moves to the resource of a type.
const MOVES: &str = "examples/guides/coming-from-azurerm-and-azapi";

/// A name in the paths of pages.
pub(super) fn short(type_name: &str) -> &str {
    type_name.strip_prefix("foundryhub_").unwrap_or(type_name)
}

/// An example, which every page needs.
fn example(path: &str) -> String {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path} is missing: {error}"));
    let language = if path.ends_with(".sh") { "shell" } else { "terraform" };
    format!("```{language}\n{}\n```\n", text.trim_end())
}

fn front_matter(title: &str, description: &str) -> String {
    let first = description.lines().next().unwrap_or_default();
    format!("---\npage_title: \"{title}\"\ndescription: |-\n  {first}\n---\n\n")
}

pub(super) fn index(schema: &Schema) -> String {
    let description = schema.block.description;
    let mut page = front_matter("Provider: foundryhub", description);
    let _ = write!(page, "# foundryhub provider\n\n{description}\n\n{PREVIEW}\n\n## Example Usage\n\n");
    page.push_str(&example("examples/provider/provider.tf"));
    page.push_str(&authentication_section());
    page.push_str(&schema_section(&schema.block));
    page
}

fn authentication_section() -> String {
    let mut text = "\n## Authentication\n\nThe provider signs in by the first of these methods that is complete. A method that \
                    something asks for and that lacks something else is an error: no other one is taken instead. What the \
                    provider block says goes before what the environment says; the schema below has the variables.\n\n\
                    | method | asked for by | needs, and takes |\n|---|---|---|\n"
        .to_owned();
    let alternatives =
        |names: &Vec<&str>| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ");
    let column = |settings: &[Vec<&str>]| settings.iter().map(alternatives).collect::<Vec<_>>().join(", ");
    for method in config::sign_in_methods() {
        let takes = format!("also takes {}", column(&method.takes));
        let [needs, takes] = [(column(&method.needs), &method.needs), (takes, &method.takes)]
            .map(|(text, settings)| Some(text).filter(|_| !settings.is_empty()));
        let _ = writeln!(
            text,
            "| [{}](guides/{}.md) | {}{} | {} |",
            method.name,
            method.guide,
            column(&method.asked_for_by),
            if method.by_default { ", which is on by default" } else { "" },
            needs.into_iter().chain(takes).collect::<Vec<_>>().join("; ")
        );
    }
    text
}

pub(super) fn resource(resource: &dyn AnyResource<Session>) -> String {
    let (name, description) = (resource.name(), resource.schema().block.description);
    let mut page = page_of(name, "Resource", &format!("{description}\n\n{PREVIEW}"));
    page.push_str(&example(&format!("examples/resources/{name}/resource.tf")));
    page.push_str(&schema_section(&resource.schema().block));
    let _ = write!(page, "\n## Import\n\n");
    page.push_str(&example(&format!("examples/resources/{name}/import.sh")));
    page.push_str(&identity_section(resource.identity_schema()));
    let _ = write!(
        page,
        "\n## Move from another provider\n\nTerraform from 1.8 and OpenTofu from 1.10 move objects of other types here by a \
         `moved` block, without a change in Azure. The guide [Coming from azurerm and \
         azapi](../guides/coming-from-azurerm-and-azapi.md) has more.\n\n"
    );
    page.push_str(&example(&format!("{MOVES}/{name}/moved.tf")));
    page.push_str(&requirements::section(&format!("resources/{name}")));
    page
}

pub(super) fn data_source(source: &dyn AnyDataSource<Session>) -> String {
    described(source, "Data Source", "data-sources", "data-source.tf")
}

pub(super) fn list(list: &dyn AnyListResource<Session>) -> String {
    described(list, "List Resource", "list-resources", "list-resource.tfquery.hcl")
}

pub(super) fn action(action: &dyn AnyAction<Session>) -> String {
    described(action, "Action", "actions", "action.tf")
}

/// The page of what has a configuration and no state.
fn described(it: &(impl Described + ?Sized), kind: &str, folder: &str, file: &str) -> String {
    let (name, block) = (it.name(), &it.schema().block);
    let mut page = page_of(name, kind, block.description);
    page.push_str(&example(&format!("examples/{folder}/{name}/{file}")));
    page.push_str(&schema_section(block));
    page.push_str(&requirements::section(&format!("{folder}/{name}")));
    page
}

/// The beginning of a page, up to the example.
fn page_of(name: &str, kind: &str, text: &str) -> String {
    let front_matter = front_matter(&format!("{name} {kind}"), text);
    format!("{front_matter}# {name} ({kind})\n\n{text}\n\n## Example Usage\n\n")
}

pub(super) fn function(function: &dyn AnyFunction) -> String {
    let (name, signature) = (function.name(), function.signature());
    let Signature { summary, description, parameters, variadic, returns } = &signature;
    let mut page = front_matter(&format!("{name} Function"), summary);
    let _ = write!(page, "# {name} (Function)\n\n{description}\n\n## Example Usage\n\n");
    page.push_str(&example(&format!("examples/functions/{name}/function.tf")));
    let fixed = parameters.iter().map(|it| format!("{} {}", it.name, hcl_type(&it.ty)));
    let rest = variadic.iter().map(|it| format!("{} {}...", it.name, hcl_type(&it.ty)));
    let arguments = fixed.chain(rest).collect::<Vec<_>>().join(", ");
    let _ = write!(page, "\n## Signature\n\n```text\n{name}({arguments}) {}\n```\n", hcl_type(returns));
    let _ = write!(page, "\n## Arguments\n\n");
    for (position, it) in (1..).zip(parameters) {
        let _ = writeln!(page, "{position}. `{}` ({}) {}", it.name, type_name(&it.ty), it.description);
    }
    if let Some(it) = variadic {
        let position = parameters.len() + 1;
        let _ = writeln!(page, "{position}. `{}` (variadic, {}) {}", it.name, type_name(&it.ty), it.description);
    }
    page
}

/// A type as HCL writes it.
fn hcl_type(ty: &Type) -> String {
    match ty {
        Type::Bool => "bool".to_owned(),
        Type::Number => "number".to_owned(),
        Type::String => "string".to_owned(),
        Type::List(element) => format!("list of {}", hcl_type(element)),
        Type::Set(element) => format!("set of {}", hcl_type(element)),
        Type::Map(element) => format!("map of {}", hcl_type(element)),
        Type::Object(_) => "object".to_owned(),
    }
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
        Kind::Plain => type_name(attribute.ty()),
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
