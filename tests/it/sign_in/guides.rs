//! The pages about signing in (docs/guides): one for each method, with the least that has to be set, and a part of a pipeline
//! that sets it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use foundryhub::{
    framework::Value,
    provider::config::{self, MethodDoc},
};
use serde_json::Value as Json;
use tracing::{Event, Subscriber, field::Visit};
use tracing_subscriber::{
    Layer, Registry,
    layer::{Context, SubscriberExt as _},
};

use super::pipelines::{Pipeline, pipelines};

/// Names of attributes or of variables, and their values.
type Settings = BTreeMap<String, String>;

/// What a runner, an agent or a cluster sets by itself, where a method needs it.
fn around(method: &str) -> Settings {
    let variables: &[_] = match method {
        "GitHub OIDC" => {
            &[("ACTIONS_ID_TOKEN_REQUEST_URL", "https://github.test"), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "t")]
        }
        "Azure DevOps OIDC" => &[("SYSTEM_OIDCREQUESTURI", "https://devops.test"), ("SYSTEM_ACCESSTOKEN", "t")],
        "AKS workload identity" => {
            &[("AZURE_FEDERATED_TOKEN_FILE", "/token"), ("AZURE_CLIENT_ID", "c"), ("AZURE_TENANT_ID", "t")]
        }
        _ => &[],
    };
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// What a task of Azure DevOps sets by itself, which is in tests/data/pipelines.json.
fn task(name: &str, method: &str) -> Settings {
    let pipeline = match (name, method) {
        ("AzureCLI@2", _) => "Azure DevOps, AzureCLI@2 with workload identity federation",
        ("TerraformTask@5", "client secret") => "Azure DevOps, TerraformTaskV5 with a secret",
        ("TerraformTask@5", _) => "Azure DevOps, TerraformTaskV5 with workload identity federation",
        _ => panic!("what {name} sets is not known"),
    };
    let found = pipelines().into_iter().find(|known| known.pipeline == pipeline);
    let Pipeline { variables, .. } = found.unwrap_or_else(|| panic!("{pipeline} is not known"));
    let value = |value: String| value.replace("{emulator}", "https://devops.test").replace(['{', '}'], "");
    variables.into_iter().map(|(name, text)| (name, value(text))).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guides")
}

fn page(method: &MethodDoc) -> String {
    fs::read_to_string(folder().join(format!("{}.md", method.guide))).expect("the page")
}

/// The blocks of code in this language.
fn blocks<'p>(page: &'p str, language: &str) -> Vec<&'p str> {
    let begin = format!("```{language}\n");
    page.split(begin.as_str()).skip(1).map(|rest| rest.split_once("```").expect("an end").0).collect()
}

/// The value that a line of HCL or of a shell gives.
fn value(text: &str) -> String {
    text.trim().trim_matches('"').to_owned()
}

/// What a shell exports.
fn exports(script: &str) -> Settings {
    let lines = script.lines().filter_map(|line| line.trim().strip_prefix("export ")?.split_once('='));
    lines.map(|(name, text)| (name.to_owned(), value(text))).collect()
}

/// The attribute that says the same as a variable.
fn attribute(variable: &str) -> &'static str {
    let attributes = config::schema().block.attributes;
    let found = attributes.iter().find(|attribute| attribute.description.contains(&format!("`{variable}`")));
    found.unwrap_or_else(|| panic!("{variable} is of no attribute")).name
}

/// Notes the method that the log says is chosen.
struct Chosen(Arc<Mutex<Option<String>>>);

impl<S: Subscriber> Layer<S> for Chosen {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut NamedMethod(&self.0));
    }
}

struct NamedMethod<'n>(&'n Mutex<Option<String>>);

impl Visit for NamedMethod<'_> {
    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        if field.name() == "method" {
            *self.0.lock().unwrap() = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &tracing::field::Field, _: &dyn std::fmt::Debug) {}
}

/// The method that these attributes and variables choose, if one is complete. The Azure CLI, which is there by default, only
/// counts for its own page.
fn chosen(method: &MethodDoc, mut block: Settings, mut variables: Settings) -> Option<String> {
    if !method.by_default && block.is_empty() {
        variables.insert("ARM_USE_CLI".to_owned(), "false".to_owned());
    } else if !method.by_default {
        block.insert("use_cli".to_owned(), "false".to_owned());
    }
    let typed = |text: String| match text.as_str() {
        "true" => true.into(),
        "false" => false.into(),
        _ => Value::from(text),
    };
    let block = Value::object(block.into_iter().map(|(name, text)| (name, typed(text))));
    // What a runner or the settings of a pipeline give is only said to be there; ids have to be such.
    for (name, text) in &mut variables {
        if ["CLIENT_ID", "SUBSCRIPTION_ID"].iter().any(|id| name.ends_with(id)) {
            *text = "00000000-0000-0000-0000-000000000001".to_owned();
        }
    }
    let seen = Arc::<Mutex<Option<String>>>::default();
    let configured = tracing::subscriber::with_default(Registry::default().with(Chosen(seen.clone())), || {
        config::configure(&block, "1", &|name| variables.get(name).cloned())
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (session, _) = runtime.block_on(configured);
    let seen = seen.lock().unwrap().take();
    session.and(seen)
}

fn without(settings: &Settings, name: &str) -> Settings {
    settings.iter().filter(|(other, _)| *other != name).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn joined(one: &Settings, other: &Settings) -> Settings {
    one.iter().chain(other).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Whether the method is chosen without this attribute, as it is only by default or without what it need not have.
fn goes_without(method: &MethodDoc, attribute: &str) -> bool {
    method.by_default || method.takes.iter().flatten().any(|name| *name == attribute)
}

#[test]
fn every_method_has_a_page_with_the_least_that_has_to_be_set() {
    let pages: BTreeSet<_> = fs::read_dir(folder())
        .expect("guides")
        .map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("authenticating-"))
        .collect();
    let named: BTreeSet<_> = config::sign_in_methods().map(|method| format!("{}.md", method.guide)).collect();
    assert_eq!(pages, named);
    for method in &config::sign_in_methods().collect::<Vec<_>>() {
        let page = page(method);
        let lines = blocks(&page, "terraform")[0].lines().filter_map(|line| line.split_once(" = "));
        let block: Settings = lines.map(|(name, text)| (name.trim().to_owned(), value(text))).collect();
        let (variables, around, nothing) = (exports(blocks(&page, "shell")[0]), around(method.name), Settings::new());

        // Both blocks say the same, but for what stands elsewhere.
        let elsewhere = |text: &String| text.starts_with("var.") || text.starts_with('$');
        let same = |(name, text): (&str, &String)| {
            (name.to_owned(), if elsewhere(text) { "elsewhere".to_owned() } else { text.clone() })
        };
        let in_block: Settings = block.iter().map(|(name, text)| same((name, text))).collect();
        let in_shell: Settings = variables.iter().map(|(name, text)| same((attribute(name), text))).collect();
        assert_eq!(in_block, in_shell, "{}", method.guide);

        let own = Some(method.name.to_owned());
        let everywhere = joined(&variables, &around);
        assert_eq!(chosen(method, block.clone(), around.clone()), own, "{}: the block", method.guide);
        assert_eq!(chosen(method, nothing.clone(), everywhere.clone()), own, "{}: the environment", method.guide);
        for name in block.keys() {
            let chosen = chosen(method, without(&block, name), around.clone());
            assert_eq!(chosen == own, goes_without(method, name), "{}: {chosen:?} without {name}", method.guide);
        }
        for name in variables.keys() {
            let chosen = chosen(method, nothing.clone(), without(&everywhere, name));
            let expected = goes_without(method, attribute(name));
            assert_eq!(chosen == own, expected, "{}: {chosen:?} without {name}", method.guide);
        }
        for name in around.keys() {
            assert!(page.contains(&format!("`{name}`")), "{} does not name {name}", method.guide);
            assert_ne!(chosen(method, block.clone(), without(&around, name)), own, "{}: {name}", method.guide);
        }
    }
}

/// What a part of a pipeline sets in the environment of the provider, and what is set by itself where it runs.
#[derive(Default)]
struct Part {
    own: Settings,
    around: Settings,
}

impl Part {
    fn of(text: &str, method: &MethodDoc) -> Self {
        let document: Json = serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let mut part = Self::default();
        part.read(&document, method);
        part
    }

    fn read(&mut self, document: &Json, method: &MethodDoc) {
        if let Json::Array(members) = document {
            members.iter().for_each(|member| self.read(member, method));
        }
        let Json::Object(members) = document else { return };
        if let Some(name) = members.get("task") {
            self.around.extend(task(name.as_str().expect("a task"), method.name));
        }
        for (name, member) in members {
            match (name.as_str(), member) {
                ("env" | "variables", Json::Object(variables)) => {
                    variables.iter().for_each(|(name, text)| self.set(name, text));
                }
                ("env", Json::Array(variables)) => {
                    variables.iter().for_each(|one| self.set(one["name"].as_str().expect("a name"), &one["value"]));
                }
                ("id_tokens", Json::Object(tokens)) => {
                    tokens.keys().for_each(|name| self.set(name, &"token".into()));
                }
                ("inlineScript", Json::String(script)) => {
                    for (name, text) in exports(script) {
                        let taken = text.strip_prefix('$').map(|name| self.around.get(name));
                        let text = taken.map_or(Some(text.clone()), Option::<&String>::cloned);
                        self.set(&name, &text.unwrap_or_else(|| panic!("{name} has no value")).into());
                    }
                }
                // The runner and the webhook of the cluster set what they set for those alone who have this.
                ("permissions", permissions) if permissions["id-token"] == "write" => {
                    self.around.extend(around("GitHub OIDC"));
                }
                ("azure.workload.identity/use", Json::String(text)) if text == "true" => {
                    self.around.extend(around("AKS workload identity"));
                }
                (_, member) => self.read(member, method),
            }
        }
    }

    fn set(&mut self, name: &str, value: &Json) {
        // Kubernetes refuses anything else for a value.
        let text = value.as_str().unwrap_or_else(|| panic!("{name} is no text: {value}"));
        // What the pipeline's own settings give.
        let given = if text.starts_with('$') { "given" } else { text };
        self.own.insert(name.to_owned(), given.to_owned());
    }
}

#[test]
fn the_parts_of_pipelines_set_what_the_method_needs() {
    for method in &config::sign_in_methods().collect::<Vec<_>>() {
        let page = page(method);
        let (_, section) = page.split_once("## In a pipeline\n").expect("the section");
        let parts = blocks(section, "yaml");
        assert!(!parts.is_empty(), "{}", method.guide);
        for text in parts {
            let Part { own, around } = Part::of(text, method);
            let (everywhere, this) = (joined(&own, &around), Some(method.name.to_owned()));
            let (variables, nothing) = (exports(blocks(&page, "shell")[0]), Settings::new());
            assert_eq!(chosen(method, nothing.clone(), everywhere.clone()), this, "{text}");
            for name in own.keys() {
                let chosen = chosen(method, nothing.clone(), without(&everywhere, name));
                let expected = goes_without(method, attribute(name));
                assert_eq!(chosen == this, expected, "{chosen:?} without {name}: {text}");
            }
            // Each setting of the page is there, by one of its names. What is so by default need not be.
            let settings = || [&method.asked_for_by, &method.needs, &method.takes].into_iter().flatten();
            for variable in variables.keys().filter(|_| !method.by_default && around.is_empty()) {
                let names = settings().find(|names| names.contains(&attribute(variable))).expect("a setting");
                assert!(own.keys().any(|name| names.contains(&attribute(name))), "{variable} is missing: {text}");
            }
        }
    }
}
