//! What a call works with.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::walk::Walk;

/// What every call gets beside its own values. It owns all of it, so that a stream of results can go on after the call that
/// began it.
#[derive(Debug)]
pub struct Context<C> {
    /// What configuring the provider made. `None` in a process that was not configured, and while the provider's own
    /// configuration is unknown.
    pub client: Option<Arc<C>>,
    /// Fires when the user interrupts: abort soon and return what exists.
    pub cancel: CancellationToken,
    /// The other objects of the same resource type, as far as the process has come to them.
    pub walk: Walk,
}
