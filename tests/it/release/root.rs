//! A file system of its own for the released executable, as in an image that holds nothing but it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::release;

/// A root directory with the released executable and nothing else.
pub(super) struct Root {
    directory: TempDir,
}

impl Root {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = Self { directory };
        fs::create_dir(root.path()).unwrap();
        fs::copy(release(), root.path().join("provider")).unwrap();
        // Its socket has one name on both sides of the root.
        let sockets = root.path().join("s");
        fs::create_dir(&sockets).unwrap();
        let inside = root.inside(&sockets);
        fs::create_dir_all(inside.parent().unwrap()).unwrap();
        symlink("/s", inside).unwrap();
        root
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("r")
    }

    /// Where a file of the root is seen from outside.
    fn inside(&self, path: &Path) -> PathBuf {
        self.path().join(path.strip_prefix("/").unwrap())
    }

    /// The same with a file.
    pub(super) fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let file = self.inside(Path::new(path));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
        self
    }

    /// A program that starts the executable with this as its root, which only an administrator may; another user does it
    /// in a namespace where they are one.
    pub(super) fn program(&self) -> PathBuf {
        let program = self.directory.path().join("terraform-provider-foundryhub");
        let root = self.path();
        let text = format!(
            "#!/bin/sh\nexport TMPDIR='{sockets}'\n[ \"$(id -u)\" = 0 ] || in='unshare --map-root-user'\n\
             exec $in chroot '{root}' /provider \"$@\"\n",
            sockets = root.join("s").display(),
            root = root.display()
        );
        fs::write(&program, text).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        program
    }
}
