//! The context of a call.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::walk::Walk;

/// What every call gets besides its own values. It owns them, so that a stream of results can outlive the call.
#[derive(Debug)]
pub struct Context<C> {
    /// The provider's client; `None` in a process that was not configured, and while the provider's configuration has unknown
    /// values.
    pub client: Option<Arc<C>>,
    /// Cancelled when the user interrupts: return soon, with what exists.
    pub cancel: CancellationToken,
    /// The other objects of the same resource type that the walk has come to.
    pub walk: Walk,
}
