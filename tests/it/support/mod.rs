//! What several concerns stand on.

pub(crate) mod arm;
#[expect(dead_code, reason = "tests of resources use the rest")]
pub(crate) mod core;
pub(crate) mod echo;
pub(crate) mod engine;
pub(crate) mod go_plugin;
pub(crate) mod plugin;
pub(crate) mod scripted;
pub(crate) mod tfplugin6;
pub(crate) mod tls;
