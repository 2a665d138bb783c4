//! Reads settings from the provider block, or else from the environment.

use url::Url;

use super::setting::{Setting, Shape};
use crate::{
    arm::{Secret, auth::ValueOrFile},
    framework::{Diagnostic, Diagnostics, Path, Summary, Value, schema::Check},
};

/// Looks at one environment variable.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// The value of a setting, if it is set.
pub(super) type Found<T> = Result<Option<T>, NotKnown>;

/// The value of a setting is known only after apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotKnown;

/// Reads settings from the block, or else from the environment. A diagnostic is kept once, however often its setting is read.
pub(super) struct Lookup<'e> {
    block: &'e Value,
    environment: Environment<'e>,
    diagnostics: Diagnostics,
}

/// The attribute or the variable that sets a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// An attribute.
    Block(&'static str),
    /// A variable.
    Environment(&'static str),
}

impl Origin {
    /// The attribute or variable.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Block(name) | Self::Environment(name) => name,
        }
    }

    /// Where in the block a diagnostic about it belongs.
    pub(super) fn path(self) -> Path {
        match self {
            Self::Block(name) => Path::root(name),
            Self::Environment(_) => Path::default(),
        }
    }
}

impl<'e> Lookup<'e> {
    pub(super) fn new(block: &'e Value, environment: Environment<'e>) -> Self {
        Self { block, environment, diagnostics: Diagnostics::default() }
    }

    /// Whether there is an error so far.
    pub(super) fn has_errors(&self) -> bool {
        self.diagnostics.has_errors()
    }

    /// The diagnostics so far.
    pub(super) fn into_diagnostics(self) -> Diagnostics {
        self.diagnostics
    }

    /// Adds a diagnostic, unless it has been added before.
    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        if !self.diagnostics.0.contains(&diagnostic) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Looks into an object of the block instead.
    pub(super) fn within<T>(&mut self, object: &'e Value, look: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.block, object);
        let found = look(self);
        self.block = outer;
        found
    }

    /// The value of an attribute of the block.
    pub(super) fn block(&self, attribute: &str) -> &'e Value {
        self.block.get(attribute)
    }

    /// The first of these variables that is set, with its name. An empty variable counts as not set.
    pub(super) fn variable(&self, names: &[&'static str]) -> Option<(&'static str, String)> {
        names.iter().find_map(|name| Some((*name, (self.environment)(name).filter(|text| !text.is_empty())?)))
    }

    /// Checks the value of a variable by the rule of the attribute.
    pub(super) fn check(&mut self, variable: &str, value: &Value, check: Check) {
        if let Err(refusal) = check(value) {
            let detail = format!("{variable}: {}", refusal.detail);
            self.push(Diagnostic { detail, ..refusal.error(variable) });
        }
    }

    /// What sets a setting, or its file.
    pub(super) fn origin(&self, setting: &Setting) -> Option<Origin> {
        let (settings, in_block) = ([Some(setting), setting.file], |setting: &Setting| {
            setting.attributes.iter().find(|name| is_nonempty(self.block(name))).map(|name| Origin::Block(name))
        });
        let settings = settings.iter().flatten();
        let in_environment = |setting: &&Setting| Some(Origin::Environment(self.variable(setting.variables)?.0));
        settings.clone().find_map(|setting| in_block(setting)).or_else(|| settings.clone().find_map(in_environment))
    }

    /// A text. Attributes have been checked by the schema; variables are checked here by the same rule.
    pub(super) fn text(&mut self, setting: &Setting) -> Found<String> {
        let in_block = self.in_block(setting)?;
        Ok(in_block.or_else(|| self.in_environment(setting)))
    }

    /// The value of a setting's variables, checked by the rule of its attribute.
    pub(super) fn in_environment(&mut self, setting: &Setting) -> Option<String> {
        let (name, text) = self.variable(setting.variables)?;
        if let Some(check) = setting.shape.check() {
            self.check(name, &text.as_str().into(), check);
        }
        Some(text)
    }

    /// The value of a setting's attributes, which must not contradict each other.
    fn in_block(&mut self, setting: &Setting) -> Found<String> {
        let mut found: Option<(&str, &str)> = None;
        for name in setting.attributes {
            match self.block(name) {
                Value::Unknown => return Err(NotKnown),
                Value::String(text) if !text.is_empty() => match found {
                    Some((first, other)) if other != text => {
                        let detail = format!("{first} and {name} are one setting, and differ. Keep one of the two.");
                        self.push(TWO_VALUES.error(detail).at(Path::root(*name)));
                    }
                    _ => found = found.or(Some((name, text))),
                },
                _ => {}
            }
        }
        Ok(found.map(|(_, text)| text.to_owned()))
    }

    /// Yes or no.
    pub(super) fn flag(&mut self, setting: &Setting) -> Found<bool> {
        for name in setting.attributes {
            match self.block(name) {
                Value::Unknown => return Err(NotKnown),
                Value::Bool(flag) => return Ok(Some(*flag)),
                _ => {}
            }
        }
        let Some((name, text)) = self.variable(setting.variables) else { return Ok(None) };
        let lower = text.to_lowercase();
        if ["true", "1", "t", "yes"].contains(&lower.as_str()) {
            return Ok(Some(true));
        }
        if !["false", "0", "f", "no"].contains(&lower.as_str()) {
            let detail = format!("{name} is {text:?}. Set it to true or false.");
            self.push(Diagnostic::error("Unreadable environment variable", detail));
        }
        Ok(Some(false))
    }

    /// A URL. The setting's check refuses what is none.
    pub(super) fn url(&mut self, setting: &Setting) -> Found<Url> {
        Ok(self.text(setting)?.and_then(|text| Url::parse(&text).ok()))
    }

    /// A secret.
    pub(super) fn secret(&mut self, setting: &Setting) -> Found<Secret> {
        Ok(self.text(setting)?.map(Into::into))
    }

    /// A value or the path of a file that has it. If the block sets value or file, both variables are ignored.
    pub(super) fn value_or_file(&mut self, setting: &Setting) -> Found<ValueOrFile> {
        let path = setting.file;
        let in_block = match path {
            Some(path) => (self.in_block(setting)?, self.in_block(path)?),
            None => (self.in_block(setting)?, None),
        };
        let (value, file) = match in_block {
            (None, None) => (self.in_environment(setting), path.and_then(|path| self.in_environment(path))),
            in_block => in_block,
        };
        let name = setting.attributes.first().or(setting.variables.first()).copied().unwrap_or_default();
        let is_there = value.is_some() || file.is_some();
        Ok(is_there.then(|| ValueOrFile::new(name, value.map(Into::into), file.map(Into::into))))
    }

    /// The value of a setting that a method needs. The method is complete, so that the setting is set.
    pub(super) fn needed<T>(
        &mut self,
        look: fn(&mut Self, &Setting) -> Found<T>,
        setting: &Setting,
    ) -> Result<T, NotKnown> {
        look(self, setting)?.ok_or(NotKnown)
    }

    /// Whether a setting has a value, or a file that has it.
    pub(super) fn is_set(&mut self, setting: &Setting) -> Result<bool, NotKnown> {
        match setting.shape {
            Shape::Flag => self.flag(setting).map(|found| found.is_some()),
            Shape::Text(_) | Shape::Secret(_) => self.value_or_file(setting).map(|found| found.is_some()),
        }
    }
}

const TWO_VALUES: Summary = Summary("Two values for one setting");

fn is_nonempty(value: &Value) -> bool {
    !value.is_null() && value.as_str() != Some("")
}

/// The environment with these variables.
#[cfg(test)]
pub(super) fn variables(variables: &[(&'static str, &str)]) -> impl Fn(&str) -> Option<String> {
    move |name| variables.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned())
}
