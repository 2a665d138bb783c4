//! Diagnostics: errors and warnings for the user.

use super::Path;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    Error,
    Warning,
}

/// An error or a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub(crate) severity: Severity,
    /// At most 60 characters. It never varies, so that the guide of troubleshooting has an entry for each.
    pub summary: &'static str,
    /// What happened, with names and ids, and what to do next.
    pub(crate) detail: String,
    /// The attribute it is about; `None` means the whole block.
    pub path: Option<Path>,
    /// Whether it is about the provider, so that no attribute of a resource is at fault wherever it came up.
    pub(crate) of_provider: bool,
}

impl Diagnostic {
    /// An error about the whole block.
    pub fn error(summary: &'static str, detail: impl Into<String>) -> Self {
        Self { severity: Severity::Error, summary, detail: detail.into(), path: None, of_provider: false }
    }

    /// A warning about the whole block.
    pub fn warning(summary: &'static str, detail: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, summary, detail: detail.into(), path: None, of_provider: false }
    }

    /// The same about the provider, and about no attribute of the resource at which it comes up.
    pub(crate) fn of_provider(self) -> Self {
        Self { path: None, of_provider: true, ..self }
    }

    /// The same about one attribute.
    pub fn at(mut self, path: Path) -> Self {
        // Engines display a path without steps wrongly.
        self.path = (!path.0.is_empty() && !self.of_provider).then_some(path);
        self
    }
}

/// The summary of a diagnostic, where it is chosen before the rest of it.
///
/// This and the constructors of [`Diagnostic`] get it as a literal, by which tests find all summaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary(pub &'static str);

impl Summary {
    pub(crate) fn error(self, detail: impl Into<String>) -> Diagnostic {
        Diagnostic::error(self.0, detail)
    }

    pub(crate) fn warning(self, detail: impl Into<String>) -> Diagnostic {
        Diagnostic::warning(self.0, detail)
    }
}

/// The anchor of a heading with this text, as registries and GitHub make it.
pub(crate) fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// Errors and warnings in the order they arose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    pub(crate) fn extend(&mut self, other: Diagnostics) {
        self.0.extend(other.0);
    }

    /// Takes the last error out, if there is one.
    pub(crate) fn take_error(&mut self) -> Option<Diagnostic> {
        let position = self.0.iter().rposition(|diagnostic| diagnostic.severity == Severity::Error)?;
        Some(self.0.remove(position))
    }

    /// Whether there is an error among them.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(diagnostics: I) -> Self {
        Self(diagnostics.into_iter().collect())
    }
}
