//! What several concerns stand on.

pub(crate) mod arm;
pub(crate) mod engine;
pub(crate) mod go_plugin;
pub(crate) mod plugin;
pub(crate) mod scripted;
pub(crate) mod tls;
