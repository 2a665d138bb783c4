//! What tests of several concerns use: fixtures, the test core, the runner of engines, scripted servers.

pub(crate) mod arm;
pub(crate) mod bed;
pub(crate) mod beside;
pub(crate) mod core;
pub(crate) mod echo;
pub(crate) mod engine;
pub(crate) mod go_plugin;
pub(crate) mod hcl;
pub(crate) mod ids;
pub(crate) mod key_users;
pub(crate) mod plugin;
pub(crate) mod requirements;
pub(crate) mod scripted;
pub(crate) mod tfplugin6;
pub(crate) mod tls;

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The provider's executable: the one that `FOUNDRYHUB_PROVIDER` names, by default the one built with the tests.
pub(crate) fn provider() -> PathBuf {
    env::var_os("FOUNDRYHUB_PROVIDER")
        .map_or_else(|| env!("CARGO_BIN_EXE_terraform-provider-foundryhub").into(), PathBuf::from)
}

/// The provider's executable as it is released.
pub(crate) fn release() -> PathBuf {
    let name = format!("{}-unknown-linux-gnu/release/terraform-provider-foundryhub", env::consts::ARCH);
    let target = env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target"), PathBuf::from);
    let release = target.join(name);
    assert!(release.is_file(), "there is no {}: run `make release` first", release.display());
    release
}

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
