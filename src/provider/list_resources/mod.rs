//! The list resources.

pub(super) mod hub;
mod of_hubs;
pub(super) mod role_assignment;
pub(super) mod storage_auth;

use std::time::Duration;

use crate::framework::{Diagnostic, Diagnostics, Severity};

/// How long a list may take.
const LISTING: Duration = Duration::from_secs(60 * 60);

/// Why an object is left out, as a warning, so that the list goes on.
fn skipped(why: Diagnostic) -> Diagnostics {
    Diagnostic { severity: Severity::Warning, path: None, ..why }.into()
}
