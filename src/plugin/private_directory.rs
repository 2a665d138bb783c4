//! A new directory that is this process's alone, and the removal of those that killed processes have left.
//!
//! A process holds a lock on its directory as long as it lives, so that nobody takes the directory of a live process for one
//! that was left, not even in a container, where a process that lives elsewhere has no number.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    process,
};

use uuid::Uuid;

/// What the names of these directories begin with, before the process's number and something random.
const PREFIX: &str = "foundryhub-";

/// The name of the socket in such a directory, and of all that there can be.
pub(super) const SOCKET: &str = "s";

/// The directory, which is removed when this is dropped.
pub(super) struct PrivateDirectory {
    path: PathBuf,
    /// Has the lock. None where the file system has no locks.
    _lock: Option<File>,
}

impl PrivateDirectory {
    /// Makes one in `parent`, which only this user can enter.
    pub(super) fn new(parent: &Path) -> io::Result<Self> {
        loop {
            let path = new_path(parent);
            DirBuilder::new().mode(0o700).create(&path)?;
            match lock(&path) {
                // Others may have taken it for one that was left, before it had its lock.
                Ok(Lock::Others) => {}
                Ok(Lock::Ours(_)) if !path.exists() => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Ok(Lock::Ours(file)) => return Ok(Self { path, _lock: Some(file) }),
                Err(_) => return Ok(Self { path, _lock: None }),
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes those beside it that processes of this user have left.
    pub(super) fn sweep(&self) {
        let (Some(parent), Ok(own)) = (self.path.parent(), fs::metadata(&self.path)) else { return };
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            if !is_name(&entry.file_name().to_string_lossy()) {
                continue;
            }
            let path = entry.path();
            // This is not followed if it is a link.
            let Ok(found) = fs::symlink_metadata(&path) else { continue };
            if found.is_dir()
                && found.uid() == own.uid()
                && let Ok(Lock::Ours(file)) = lock(&path)
                && file.metadata().is_ok_and(|locked| (locked.dev(), locked.ino()) == (found.dev(), found.ino()))
            {
                tracing::debug!(path = %path.display(), "removing what a killed process has left");
                remove(&path);
            }
        }
    }
}

impl Drop for PrivateDirectory {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// Removes a directory with the socket in it. One with anything else in it stays.
pub(super) fn remove(path: &Path) {
    let socket = path.join(SOCKET);
    if fs::symlink_metadata(&socket).is_ok_and(|found| found.file_type().is_socket()) {
        let _ = fs::remove_file(socket);
    }
    // It fails where the directory is gone already.
    let _ = fs::remove_dir(path);
}

/// A path in `parent` that is not in use. It is short, because the path of a socket must be.
pub(super) fn new_path(parent: &Path) -> PathBuf {
    let (random, ..) = Uuid::new_v4().as_fields();
    parent.join(format!("{PREFIX}{}-{random:08x}", process::id()))
}

/// Whether a directory of this name was made here.
fn is_name(name: &str) -> bool {
    let parts = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-'));
    parts.is_some_and(|(process, random)| {
        process.parse::<u32>().is_ok() && random.len() == 8 && random.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

enum Lock {
    /// This process has it, until the file is closed.
    Ours(File),
    /// A live process has it.
    Others,
}

/// # Errors
/// When there is no such directory any more, or its file system has no locks.
fn lock(path: &Path) -> io::Result<Lock> {
    let file = File::open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock::Ours(file)),
        Err(TryLockError::WouldBlock) => Ok(Lock::Others),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    #[test]
    fn it_can_be_entered_by_its_user_only_and_is_removed_with_its_socket() {
        let parent = tempfile::tempdir().unwrap();
        let directory = PrivateDirectory::new(parent.path()).unwrap();
        let path = directory.path().to_owned();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        let _listener = std::os::unix::net::UnixListener::bind(path.join(SOCKET)).unwrap();
        drop(directory);
        assert!(!path.exists());
    }

    #[test]
    fn only_what_a_process_has_left_is_swept() {
        let parent = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let path = parent.path().join(name);
            fs::create_dir(&path).unwrap();
            path
        };
        let live = PrivateDirectory::new(parent.path()).unwrap();
        let left = make("foundryhub-1-0123abcd");
        drop(std::os::unix::net::UnixListener::bind(left.join(SOCKET)).unwrap());
        let mut others: Vec<_> =
            ["foundryhub-x-0123abcd", "foundryhub-1-0123abc", "foundryhub-1-0123abcd-", "plugin1-0123abcd"]
                .map(make)
                .into();
        // What was not put there by this program is not removed.
        let filled = make("foundryhub-2-0123abcd");
        fs::write(filled.join(SOCKET), "a file").unwrap();
        // Only root can give something away.
        let of_another_user = make("foundryhub-4-0123abcd");
        if std::os::unix::fs::chown(&of_another_user, Some(65534), None).is_ok() {
            others.push(of_another_user);
        }
        let outside = tempfile::tempdir().unwrap();
        drop(std::os::unix::net::UnixListener::bind(outside.path().join(SOCKET)).unwrap());
        let link = parent.path().join("foundryhub-3-0123abcd");
        symlink(outside.path(), &link).unwrap();
        others.extend([filled.join(SOCKET), link, outside.path().join(SOCKET), live.path().to_owned()]);

        PrivateDirectory::new(parent.path()).unwrap().sweep();
        assert!(!left.exists());
        for path in others {
            assert!(path.symlink_metadata().is_ok(), "{} is gone", path.display());
        }
    }
}
