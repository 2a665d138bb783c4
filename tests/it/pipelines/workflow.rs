//! Runs the shell of a pipeline where its service would: a checkout with the configuration in `infra/` and the scripts in
//! `pipelines/`, and the engine under the name by which the pipeline calls it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::file;
use crate::azure::{Emulator, Options, SignIn};
use crate::support::engine::{Engine, Outcome, Workspace};

/// What a pipeline has from the variables of its repository or from what it asks of its service, and no step by itself.
const GIVEN_TO_STEPS: [&str; 6] = [
    "ARM_USE_OIDC",
    "ARM_CLIENT_ID",
    "ARM_TENANT_ID",
    "ARM_SUBSCRIPTION_ID",
    "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID",
    "SYSTEM_ACCESSTOKEN",
];

/// One step's shell.
#[derive(Debug)]
pub(super) struct Script {
    /// The name under which the service shows it, empty if it has none.
    pub(super) name: String,
    pub(super) shell: String,
    /// What the file sets for it, from the whole pipeline to the step.
    environment: Vec<(String, String)>,
}

/// All shell in a file, in its order. `key` is what a step has it under.
pub(super) fn scripts(name: &str, key: &str) -> Vec<Script> {
    let text = fs::read_to_string(file(name)).unwrap();
    let pipeline: Value = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut found = Vec::new();
    collect(&pipeline, key, &[], &mut found);
    assert!(!found.is_empty(), "{name} has no shell");
    found
}

fn collect(part: &Value, key: &str, outer: &[(String, String)], found: &mut Vec<Script>) {
    let mut environment = outer.to_vec();
    for (name, value) in part.get("env").and_then(Value::as_object).into_iter().flatten() {
        environment.push((name.clone(), value.as_str().expect("a variable is text").to_owned()));
    }
    let step = part.get("inputs").unwrap_or(part);
    if let Some(shell) = step.get(key).and_then(Value::as_str) {
        let name = ["name", "displayName"].iter().rev().find_map(|key| part.get(key)?.as_str());
        found.push(Script { name: name.unwrap_or_default().to_owned(), shell: shell.to_owned(), environment });
        return;
    }
    let mut inner: Vec<&Value> = match part {
        Value::Array(items) => items.iter().collect(),
        // Their order is lost, except that a job which needs another one comes later.
        Value::Object(members) => members.values().collect(),
        _ => Vec::new(),
    };
    inner.sort_by_key(|part| part.get("needs").is_some());
    inner.into_iter().for_each(|part| collect(part, key, &environment, found));
}

/// A checkout of a repository with the quickstart, and an emulator with its hub.
pub(super) struct Checkout {
    pub(super) emulator: Emulator,
    pub(super) hub: String,
    workspace: Workspace,
}

impl Checkout {
    pub(super) async fn new(engine: &'static Engine, sign_in: SignIn) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let seed = Some(root.join("examples/quickstart/emulator.yaml"));
        let emulator = Emulator::start(Options { seed, sign_in, ..Options::quick() }).await.unwrap();
        let hub = emulator.id("rg-ai", "Microsoft.MachineLearningServices/workspaces", "contoso-hub");
        let checkout = Self { emulator, hub, workspace: Workspace::new(engine).mirrored() };
        for folder in ["infra", "pipelines", "bin", "temp"] {
            fs::create_dir_all(checkout.path(folder)).unwrap();
        }
        fs::copy(root.join("examples/quickstart/main.tf"), checkout.path("infra/main.tf")).unwrap();
        for script in ["drift.sh", "drift_summary.py"] {
            fs::copy(file(script), checkout.path("pipelines").join(script)).unwrap();
        }
        checkout.program("terraform", &format!("exec '{}' \"$@\"", engine.program().display()));
        // The lock file is part of a repository.
        checkout.workspace.run(&["-chdir=infra", "init", "-input=false"]).await.succeeded();
        fs::remove_dir_all(checkout.path("infra/.terraform")).unwrap();
        checkout
    }

    /// A file or folder of the checkout; what the service keeps outside of it is in `temp`.
    pub(super) fn path(&self, inner: &str) -> PathBuf {
        self.workspace.path().join(inner)
    }

    /// Adds an output of this text, which is that of a string in the configuration.
    pub(super) fn output(&self, text: &str) {
        let main = self.read("infra/main.tf") + &format!("\noutput \"text\" {{\n  value = \"{text}\"\n}}\n");
        fs::write(self.path("infra/main.tf"), main).unwrap();
    }

    pub(super) fn read(&self, inner: &str) -> String {
        fs::read_to_string(self.path(inner)).unwrap_or_default()
    }

    /// A program that the pipeline finds on its PATH.
    pub(super) fn program(&self, name: &str, shell: &str) {
        let program = self.path("bin").join(name);
        fs::write(&program, format!("#!/bin/sh\n{shell}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A variable that the repository or the service has for this pipeline.
    pub(super) fn variable(&self, name: &str) -> String {
        let found = self.emulator.environment().into_iter().find(|(known, _)| known == name);
        found.unwrap_or_else(|| panic!("{name} is not known")).1
    }

    /// Runs a script in `infra/`. `service` is what the service sets for every step, and `values` are those of the
    /// expressions in what the file sets.
    pub(super) async fn run(
        &self,
        script: &Script,
        service: &[(&str, String)],
        values: impl Fn(&str) -> Option<String>,
    ) -> Outcome {
        let known: BTreeMap<_, _> = self.emulator.environment().into_iter().collect();
        let mut environment = known.clone();
        environment.retain(|name, _| !GIVEN_TO_STEPS.contains(&name.as_str()));
        environment.extend(service.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        for (name, value) in &script.environment {
            let value = values(value).unwrap_or_else(|| {
                // Variables of the repository, some of which are of those who plan only.
                let variable = value.trim_matches(|c: char| "${}() ".contains(c)).trim_start_matches("vars.");
                known.get(variable.trim_end_matches("_OF_PLANS")).cloned().unwrap_or_else(|| value.clone())
            });
            assert!(!value.contains("${{") && !value.contains("$("), "{name} is {value}");
            environment.insert(name.clone(), value);
        }
        let mut assignments: Vec<_> = environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assignments.push(format!("PATH={}:{}", self.path("bin").display(), std::env::var("PATH").unwrap()));
        let file = self.path("temp/step.sh");
        fs::write(&file, &script.shell).unwrap();
        let mut arguments = vec!["-C".to_owned(), self.path("infra").display().to_string()];
        arguments.extend(assignments);
        // As GitHub runs a step; the scripts of Azure DevOps ask for it themselves.
        arguments.extend(["bash", "-e", file.to_str().unwrap()].map(str::to_owned));
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        self.workspace.start_program("/usr/bin/env".as_ref(), &arguments).finish().await
    }

    /// The hub's mode, as Azure has it.
    pub(super) fn mode(&self) -> String {
        self.emulator.resource(&self.hub).unwrap()["properties"]["systemDatastoresAuthMode"]
            .as_str()
            .unwrap()
            .to_lowercase()
    }
}
