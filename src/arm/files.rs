//! Work that may block, such as reading files, away from the runtime. A file system of the network may hang for ever.

use std::fs::{self, File, FileType};
use std::io::{self, Read as _};
use std::path::Path;
use std::time::Duration;

/// The largest file that is read where nothing else is said: a secret, a token, an id or some certificates.
pub(super) const LIMIT: u64 = 1 << 20;

/// How long such work may take. A file on a disk takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// Does what may block on a thread that nothing else waits for.
///
/// # Errors
/// When it is not done in time. Its thread is then left to itself, because nothing ends a call of the system that hangs.
pub(super) async fn off_the_runtime<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    match tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(work)).await {
        Ok(done) => done.map_err(io::Error::other),
        Err(_) => {
            let seconds = PATIENCE.as_secs();
            let message = format!("it took longer than {seconds} seconds, as where a network file system hangs");
            Err(io::Error::new(io::ErrorKind::TimedOut, message))
        }
    }
}

/// Reads a regular file, or a link to one, off the runtime.
///
/// # Errors
/// When it is something else, is larger than [`LIMIT`] or cannot be read in time.
pub(super) async fn read(path: &Path) -> io::Result<Vec<u8>> {
    let path = path.to_owned();
    off_the_runtime(move || read_here(&path, LIMIT)).await?
}

/// The same where blocking is allowed.
pub(super) fn read_here(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    check_regular(path)?;
    let mut content = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut content)?;
    if content.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {} KiB", limit >> 10)));
    }
    Ok(content)
}

/// Refuses what is no regular file: opening a pipe waits for somebody who writes to it, and a device may have no end.
pub(super) fn check_regular(path: &Path) -> io::Result<()> {
    let kind = fs::metadata(path)?.file_type();
    if kind.is_file() {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {}, not a regular file", name(kind))))
}

fn name(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if kind.is_fifo() {
            return "a named pipe";
        } else if kind.is_socket() {
            return "a socket";
        } else if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
    }
    if kind.is_dir() { "a directory" } else { "something else" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::{fs::symlink, net::UnixListener};

    #[tokio::test]
    async fn regular_files_are_read_through_links_and_nothing_else_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        // Kubernetes mounts a secret as a link to a file below a link to a directory, which it exchanges.
        fs::create_dir(path("..2026")).unwrap();
        fs::write(path("..2026/token"), "token").unwrap();
        symlink("..2026", path("..data")).unwrap();
        symlink("..data/token", path("token")).unwrap();
        assert_eq!(read(&path("token")).await.unwrap(), b"token");

        let made = std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap();
        assert!(made.success());
        let _listener = UnixListener::bind(path("socket")).unwrap();
        symlink("pipe", path("link")).unwrap();
        fs::write(path("large"), vec![b'x'; usize::try_from(LIMIT).unwrap() + 1]).unwrap();
        for (path, problem) in [
            (path("pipe"), "it is a named pipe, not a regular file"),
            (path("link"), "it is a named pipe, not a regular file"),
            (path("socket"), "it is a socket, not a regular file"),
            (path("..data"), "it is a directory, not a regular file"),
            ("/dev/zero".into(), "it is a device, not a regular file"),
            (path("large"), "it is larger than 1024 KiB"),
        ] {
            assert_eq!(read(&path).await.unwrap_err().to_string(), problem, "{}", path.display());
        }
    }

    #[tokio::test]
    async fn work_that_hangs_is_given_up_while_everything_else_goes_on() {
        let (end, hang) = std::sync::mpsc::channel::<()>();
        tokio::time::pause();
        let hanging = tokio::spawn(off_the_runtime(move || hang.recv()));
        tokio::task::yield_now().await;
        tokio::time::advance(PATIENCE + Duration::from_secs(1)).await;
        let error = hanging.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(end);
    }
}
