//! The pipelines of `examples/pipelines`: what they look for, and every line of shell in them, run by real engines.

mod azure_devops;
mod drift;
mod github;
mod release;
mod summary;
mod workflow;

use std::path::PathBuf;

/// A file of the folder.
fn file(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "examples/pipelines", name].iter().collect()
}
