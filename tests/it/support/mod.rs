//! What tests of several concerns use: fixtures, the test core, the runner of engines, scripted servers.

pub(crate) mod arm;
pub(crate) mod bed;
pub(crate) mod core;
pub(crate) mod echo;
pub(crate) mod engine;
pub(crate) mod go_plugin;
pub(crate) mod hcl;
pub(crate) mod ids;
pub(crate) mod plugin;
pub(crate) mod scripted;
pub(crate) mod tfplugin6;
pub(crate) mod tls;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// An example's executable. Cargo builds no examples for a single test binary, so the first test to ask does.
pub(crate) fn example(name: &str) -> PathBuf {
    static EXAMPLES: OnceLock<PathBuf> = OnceLock::new();
    let examples = EXAMPLES.get_or_init(|| {
        let real = Path::new(env!("CARGO_BIN_EXE_terraform-provider-foundryhub"));
        let profile = real.parent().expect("a directory of executables");
        let mut build = Command::new(env!("CARGO"));
        // Cargo looks for its configuration where it is started.
        build.args(["build", "--quiet", "--examples"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        if profile.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().expect("cargo").success(), "the examples do not build");
        profile.join("examples")
    });
    examples.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}
