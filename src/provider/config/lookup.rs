//! Where a setting is found: in the provider block, or else in the environment, or in a file that either names.

use std::fs;

use super::Environment;
use crate::{
    arm::Secret,
    framework::{
        Attr, Diagnostic, Diagnostics, Path, Value,
        schema::{Check, Refusal},
    },
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

    /// The first of these variables that says something, with its name. An empty one is as good as none.
    pub(super) fn variable<'n>(&self, names: &[&'n str]) -> Option<(&'n str, String)> {
        names.iter().find_map(|name| Some((*name, (self.environment)(name).filter(|text| !text.is_empty())?)))
    }

    /// Refuses what stands in a variable by the rule of the attribute.
    pub(super) fn check(&mut self, variable: &str, value: &Value, check: Check) {
        if let Err(refusal) = check(value) {
            let detail = format!("{variable}: {}", refusal.detail);
            self.diagnostics.push(Diagnostic { detail, ..refusal.error(variable) });
        }
    }

    /// A text. What stands in the block has been checked by the schema; a variable is checked here by the same rule.
    pub(super) fn text(&mut self, written: &Attr<String>, variables: &[&str], check: Check) -> Option<String> {
        if let Some(text) = written.text().filter(|text| !text.is_empty()) {
            return Some(text.to_owned());
        }
        self.checked(variables, check)
    }

    /// What the first of these variables says, checked by the rule of the attribute.
    pub(super) fn checked(&mut self, variables: &[&str], check: Check) -> Option<String> {
        let (name, text) = self.variable(variables)?;
        self.check(name, &text.as_str().into(), check);
        Some(text)
    }

    pub(super) fn flag(&mut self, written: &Attr<bool>, variable: &str, default: bool) -> bool {
        written.known().copied().or_else(|| self.variable_flag(variable)).unwrap_or(default)
    }

    /// What a variable says that is either true or false.
    pub(super) fn variable_flag(&mut self, variable: &str) -> Option<bool> {
        let (_, text) = self.variable(&[variable])?;
        let lower = text.to_lowercase();
        if ["true", "1", "t", "yes"].contains(&lower.as_str()) {
            return Some(true);
        }
        if !["false", "0", "f", "no"].contains(&lower.as_str()) {
            let detail = format!("{variable} is {text:?}. Set it to true or false.");
            self.diagnostics.push(Diagnostic::error("Unreadable environment variable", detail));
        }
        Some(false)
    }

    /// The same as [`Self::text`] for a secret.
    pub(super) fn secret(&mut self, written: &Attr<Secret>, variables: &[&str]) -> Option<Secret> {
        if let Some(secret) = written.known().filter(|secret| !secret.reveal().is_empty()) {
            return Some(secret.clone());
        }
        self.checked(variables, unbroken).map(Into::into)
    }

    /// What may also stand in a file. Both at once must agree.
    pub(super) fn or_in_file<T>(&mut self, name: &str, value: Option<T>, file: Option<String>) -> Option<T>
    where
        T: From<String> + PartialEq,
    {
        let Some(file) = file else { return value };
        let refused = match fs::read_to_string(&file) {
            Ok(content) if content.trim().is_empty() => {
                let detail = format!("{file:?}, which should hold {name}, is empty.");
                Diagnostic::error("A file is empty", detail).at(Path::root(format!("{name}_file_path")))
            }
            Ok(content) => {
                let content = content.trim().to_owned();
                self.check(&format!("{name}_file_path"), &content.as_str().into(), unbroken);
                let content = T::from(content);
                if value.as_ref().is_none_or(|value| *value == content) {
                    return Some(content);
                }
                let detail = format!("{name} is set, and {file:?} says something else. Keep one of the two.");
                Diagnostic::error("Two values for one setting", detail).at(Path::root(name.to_owned()))
            }
            Err(error) => {
                let detail = format!("{file:?}, which should hold {name}, cannot be read: {error}.");
                Diagnostic::error("A file cannot be read", detail).at(Path::root(format!("{name}_file_path")))
            }
        };
        self.diagnostics.push(refused);
        value
    }
}

/// Refuses what ids and addresses never have in them: line ends, blanks, and what looks like a common character and is
/// another one.
pub(super) fn visible(value: &Value) -> Result<(), Refusal> {
    let Some(text) = value.as_str() else { return Ok(()) };
    let Some(odd) = text.chars().find(|c| !c.is_ascii_graphic()) else { return Ok(()) };
    let show = |c: char| if c == ' ' { c.escape_unicode().to_string() } else { c.escape_default().to_string() };
    let shown: String = text.chars().map(|c| if c.is_ascii_graphic() { c.to_string() } else { show(c) }).collect();
    let what = match odd {
        '\n' | '\r' => "a line end",
        c if c.is_whitespace() => "a blank",
        _ => "a character",
    };
    Err(Refusal::new(
        "A character that cannot be meant",
        format!("\"{shown}\" has {what} in it, {}, which does not belong there.", show(odd)),
    ))
}

/// Refuses what a secret never has in it, without showing it.
pub(super) fn unbroken(value: &Value) -> Result<(), Refusal> {
    let Some(text) = value.as_str() else { return Ok(()) };
    if text.trim() == text && !text.contains(char::is_control) {
        return Ok(());
    }
    let detail = "The value, which is not shown here, has a line end or another control character in it, or a blank at one \
                  end, which does not belong there.";
    Err(Refusal::new("A character that cannot be meant", detail))
}

/// Refuses what cannot stand in a header.
pub(super) fn one_line(value: &Value) -> Result<(), Refusal> {
    match value.as_str() {
        Some(text) if !text.chars().all(|c| c == ' ' || c.is_ascii_graphic()) => {
            let detail = format!(
                "\"{}\" has a line end or another character in it that does not belong there.",
                text.escape_default()
            );
            Err(Refusal::new("A character that cannot be meant", detail))
        }
        _ => Ok(()),
    }
}

/// Takes anything.
pub(super) fn anything(_: &Value) -> Result<(), Refusal> {
    Ok(())
}
