//! What several concerns stand on.

pub(crate) mod go_plugin;
pub(crate) mod plugin;
pub(crate) mod tls;
