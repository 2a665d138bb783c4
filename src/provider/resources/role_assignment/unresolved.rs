//! Why a scope or a role could not be resolved.

use crate::framework::Diagnostic;

/// Why something that a configuration refers to could not be resolved.
#[derive(Debug)]
pub(super) enum Unresolved {
    /// It does not exist, at least not yet: a warning while planning, an error when applying.
    Missing(Diagnostic),
    /// It could not be read, or the configuration contradicts itself.
    Failed(Diagnostic),
}

impl From<Unresolved> for Diagnostic {
    fn from(unresolved: Unresolved) -> Self {
        match unresolved {
            Unresolved::Missing(diagnostic) | Unresolved::Failed(diagnostic) => diagnostic,
        }
    }
}
