//! What a finding says, before it is a diagnostic.

use crate::framework::{Diagnostic, Path, Severity, Summary};

/// The attribute that disables shared keys.
pub(super) const KEYS: &str = "shared_access_key_enabled";

/// What a finding says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Explanation {
    pub(super) summary: Summary,
    /// What was found.
    pub(super) text: String,
    /// What to do.
    pub(super) next: String,
    /// HCL of a resource that assigns the missing roles.
    pub(super) resource: Option<String>,
    /// What only a run that changes the authorization is told, about the resource whose change it is.
    pub(super) in_run: String,
    pub(super) attribute: Option<&'static str>,
}

impl Explanation {
    pub(super) fn new(summary: Summary, text: String, next: impl Into<String>) -> Self {
        Self { summary, text, next: next.into(), resource: None, in_run: String::new(), attribute: None }
    }

    /// Whether it says of something else what this says.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        let is_alike = self.summary == other.summary
            && self.next == other.next
            && self.in_run == other.in_run
            && self.attribute == other.attribute;
        is_alike && self.resource.is_none() && other.resource.is_none()
    }

    pub(super) fn diagnostic(self, severity: Severity, then: &str) -> Diagnostic {
        let detail = paragraphs(&[&self.plain(), &self.in_run, then]);
        Diagnostic { severity, path: self.attribute.map(Path::root), ..self.summary.error(detail) }
    }

    /// What is true and to be done whether shared keys are disabled already or are going to be, and whoever reads it.
    pub(super) fn plain(&self) -> String {
        paragraphs(&[&self.text, &self.next, self.resource.as_deref().unwrap_or_default()])
    }
}

fn paragraphs(parts: &[&str]) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("\n\n")
}
