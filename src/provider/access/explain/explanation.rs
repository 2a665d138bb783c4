//! What a finding says, before it is a diagnostic.

use crate::framework::{Diagnostic, Path, Severity};

/// What a finding says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Explanation {
    pub(super) summary: &'static str,
    /// What was found.
    pub(super) text: String,
    /// What to do.
    pub(super) next: String,
    /// HCL of a resource that assigns the missing roles.
    pub(super) resource: Option<String>,
    pub(super) attribute: Option<&'static str>,
}

impl Explanation {
    pub(super) fn new(summary: &'static str, text: String, next: impl Into<String>) -> Self {
        Self { summary, text, next: next.into(), resource: None, attribute: None }
    }

    /// Whether it says of something else what this says.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        let is_alike = self.summary == other.summary && self.next == other.next && self.attribute == other.attribute;
        is_alike && self.resource.is_none() && other.resource.is_none()
    }

    pub(super) fn diagnostic(self, severity: Severity, then: &str) -> Diagnostic {
        let parts = [&self.text, &self.next, self.resource.as_deref().unwrap_or_default(), then];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let path = self.attribute.map(Path::root);
        let diagnostic = Diagnostic::error(self.summary, parts.join("\n\n"));
        Diagnostic { severity, path, ..diagnostic }
    }
}
