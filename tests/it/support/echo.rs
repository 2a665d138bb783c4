//! The provider of `tests/echo`, for tests of what the real one cannot be made to do.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use serde_json::json;
use tempfile::TempDir;

use super::{
    core::{Core, Session},
    example,
    plugin::Plugin,
};

/// The echo provider's executable.
pub(crate) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| example("echo"))
}

/// A working directory for the echo provider, and the directory where its things are.
pub(crate) struct Echo {
    pub(crate) core: Core,
    things: TempDir,
}

impl Echo {
    pub(crate) fn new() -> Self {
        Self::with(Core::new())
    }

    /// The same with a core that has settings of its own.
    pub(crate) fn with(core: Core) -> Self {
        let things = tempfile::tempdir().expect("a directory");
        let mut core = core.program(program());
        core.configure(json!({ "directory": things.path() }));
        Self { core, things }
    }

    /// Where the thing of this name is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.things.path().join(name)
    }

    /// What the provider did since the last look, a line each, without its configurations and reads.
    pub(crate) fn journal(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path("journal")).unwrap_or_default();
        std::fs::write(self.path("journal"), "").expect("a journal to empty");
        let aside = |line: &str| ["configure", "begin writing"].contains(&line) || line.starts_with("read ");
        text.lines().filter(|line| !aside(line)).map(str::to_owned).collect()
    }
}

/// The echo provider's process by itself, to be called as no engine would.
pub(crate) async fn session() -> Session {
    Session::start(Plugin::launch().program(program())).await
}
