//! What several concerns stand on.

pub(crate) mod arm;
#[expect(dead_code, unused_imports, reason = "tests of resources use it")]
pub(crate) mod core;
pub(crate) mod engine;
pub(crate) mod go_plugin;
pub(crate) mod plugin;
pub(crate) mod scripted;
pub(crate) mod tfplugin6;
pub(crate) mod tls;
