//! Where a setting is found: in the provider block, or else in the environment, or in a file that either names.

use std::fs;

use super::Environment;
use crate::{
    arm::Secret,
    framework::{Attr, Diagnostic, Diagnostics, Path, Value, schema::Check},
};

/// Finds each setting in the block, or else in the environment.
pub(super) struct Lookup<'e> {
    environment: Environment<'e>,
    pub(super) diagnostics: Diagnostics,
}

impl<'e> Lookup<'e> {
    pub(super) fn new(environment: Environment<'e>) -> Self {
        Self { environment, diagnostics: Diagnostics::default() }
    }

    /// The first of these variables that says something. An empty one is as good as none.
    pub(super) fn variable(&self, names: &[&str]) -> Option<String> {
        names.iter().filter_map(|name| (self.environment)(name)).find(|text| !text.is_empty())
    }

    /// Refuses what stands in a variable by the rule of the attribute.
    pub(super) fn check(&mut self, variable: &str, value: &Value, check: Check) {
        if let Err(refusal) = check(value) {
            let detail = format!("{} Look at {variable}.", refusal.detail);
            self.diagnostics.push(Diagnostic::error(refusal.summary, detail));
        }
    }

    pub(super) fn text(&self, written: &Attr<String>, variables: &[&str]) -> Option<String> {
        written.text().filter(|text| !text.is_empty()).map(str::to_owned).or_else(|| self.variable(variables))
    }

    pub(super) fn flag(&mut self, written: &Attr<bool>, variable: &str, default: bool) -> bool {
        if let Some(flag) = written.known() {
            return *flag;
        }
        match self.variable(&[variable]).map(|text| (text.to_lowercase(), text)) {
            None => default,
            Some((lower, _)) if ["true", "1", "t", "yes"].contains(&lower.as_str()) => true,
            Some((lower, _)) if ["false", "0", "f", "no"].contains(&lower.as_str()) => false,
            Some((_, text)) => {
                let detail = format!("{variable} is {text:?}. Set it to true or false.");
                self.diagnostics.push(Diagnostic::error("Unreadable environment variable", detail));
                default
            }
        }
    }

    /// The same for a secret.
    pub(super) fn secret(&self, written: &Attr<Secret>, variables: &[&str]) -> Option<Secret> {
        let written = written.known().filter(|secret| !secret.reveal().is_empty());
        written.cloned().or_else(|| self.variable(variables).map(Secret::from))
    }

    /// What may also stand in a file. Both at once must agree.
    pub(super) fn or_in_file<T>(&mut self, name: &str, value: Option<T>, file: Option<String>) -> Option<T>
    where
        T: From<String> + PartialEq,
    {
        let Some(file) = file else { return value };
        let refused = match fs::read_to_string(&file) {
            Ok(content) if content.trim().is_empty() => {
                let detail = format!("{file}, which should hold {name}, is empty.");
                Diagnostic::error("A file is empty", detail).at(Path::root(format!("{name}_file_path")))
            }
            Ok(content) => {
                let content = T::from(content.trim().to_owned());
                if value.as_ref().is_none_or(|value| *value == content) {
                    return Some(content);
                }
                let detail = format!("{name} is set, and {file} says something else. Keep one of the two.");
                Diagnostic::error("Two values for one setting", detail).at(Path::root(name.to_owned()))
            }
            Err(error) => {
                let detail = format!("{file}, which should hold {name}, cannot be read: {error}.");
                Diagnostic::error("A file cannot be read", detail).at(Path::root(format!("{name}_file_path")))
            }
        };
        self.diagnostics.push(refused);
        value
    }
}
