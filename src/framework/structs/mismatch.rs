//! The error where a value and a struct do not fit.

use std::fmt;

use serde::{de, ser};

use super::super::{Diagnostic, Diagnostics, Path, Step, Summary};

/// A value and a struct do not fit, which is a mistake of the provider, as the value fits the schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct Mismatch {
    /// Where in the value.
    pub path: Path,
    /// What does not fit.
    pub reason: String,
}

impl Mismatch {
    /// The summary of its diagnostic.
    pub const SUMMARY: Summary = Summary("The provider cannot read its own values");

    /// The same mismatch, seen from the value around this step.
    pub(super) fn under(mut self, step: Step) -> Self {
        self.path.0.insert(0, step);
        self
    }

    fn here(reason: impl fmt::Display) -> Self {
        Self { path: Path(Vec::new()), reason: reason.to_string() }
    }
}

impl de::Error for Mismatch {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self::here(reason)
    }
}

impl ser::Error for Mismatch {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self::here(reason)
    }
}

impl From<Mismatch> for Diagnostic {
    fn from(Mismatch { path, reason }: Mismatch) -> Self {
        let detail = format!(
            "At {path}: {reason}. This is a mistake of the provider, not of the configuration; please report it with the \
             configuration and the version of the provider.",
        );
        Mismatch::SUMMARY.error(detail)
    }
}

impl From<Mismatch> for Diagnostics {
    fn from(mismatch: Mismatch) -> Self {
        Diagnostic::from(mismatch).into()
    }
}
