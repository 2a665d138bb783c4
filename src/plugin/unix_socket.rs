//! A Unix socket that only this user, and a group if the host names one, can connect to.

use std::{
    fs, io,
    os::unix::{
        fs::{PermissionsExt as _, chown},
        net::SocketAddr,
    },
    path::{Path, PathBuf},
};

use tokio::net::{UnixListener, UnixStream};
use uuid::Uuid;

use crate::plugin::Error;

/// The local groups. Those of a directory service have to be given by number.
const GROUP_FILE: &str = "/etc/group";

pub(super) struct UnixSocket {
    listener: UnixListener,
    _file: SocketFile,
}

/// Removes the socket's file when dropped.
struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // It fails where the file is gone already.
        let _ = fs::remove_file(&self.0);
    }
}

impl UnixSocket {
    /// Opens the socket; `None` if the directory is missing, read-only or not the user's.
    pub(super) fn bind(path: &str, group: Option<&str>) -> Result<Option<Self>, Error> {
        let group = group.map(resolve_group).transpose()?;
        let listener = match UnixListener::bind(path) {
            Ok(listener) => listener,
            Err(error) => {
                tracing::warn!(path, %error, "no Unix socket can be opened, listening on loopback");
                return Ok(None);
            }
        };
        let file = SocketFile(path.into());
        grant(path, group).map_err(|source| Error::Permissions { path: path.to_owned(), source })?;
        Ok(Some(Self { listener, _file: file }))
    }

    pub(super) async fn accept(&self) -> io::Result<UnixStream> {
        Ok(self.listener.accept().await?.0)
    }
}

/// Lets this user, and the group if there is one, connect.
fn grant(path: &str, group: Option<u32>) -> io::Result<()> {
    if group.is_some() {
        chown(path, None, group)?;
    }
    let mode = if group.is_some() { 0o660 } else { 0o600 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// A new path in `directory`; `None` if it is too long for a socket (about a hundred bytes, depending on the system) or
/// cannot stand in the handshake line, whose fields end at a bar.
pub(super) fn new_path(directory: &Path) -> Option<String> {
    let (unique, _) = Uuid::new_v4().as_u64_pair();
    let path = directory.join(format!("plugin{unique:016x}")).into_os_string().into_string().ok()?;
    let fits_the_line = !path.contains(|c: char| c == '|' || c.is_control());
    (fits_the_line && SocketAddr::from_pathname(&path).is_ok()).then_some(path)
}

fn resolve_group(group: &str) -> Result<u32, Error> {
    group
        .parse()
        .ok()
        .or_else(|| group_id(&fs::read_to_string(GROUP_FILE).unwrap_or_default(), group))
        .ok_or(Error::Variable { name: "PLUGIN_UNIX_SOCKET_GROUP", expected: "a group of this machine" })
}

/// Finds a group's number in the text of a group file, whose lines are `name:password:number:members`.
fn group_id(file: &str, name: &str) -> Option<u32> {
    file.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_cannot_be_bound_or_announced_is_not_used() {
        let path = new_path(Path::new("/tmp")).unwrap();
        assert!(path.starts_with("/tmp/plugin"), "{path}");
        assert_ne!(new_path(Path::new("/tmp")).unwrap(), path);
        for directory in ["/tmp/a|b", "/tmp/a\nb", &"/long".repeat(30)] {
            assert_eq!(new_path(Path::new(directory)), None, "{directory:?}");
        }
    }

    #[test]
    fn a_group_is_found_by_its_whole_name() {
        let file = "root:x:0:\nstaff:x:50:ann,bob\nbroken\nworse:x:many:\n";
        for (name, id) in [("root", Some(0)), ("staff", Some(50)), ("sta", None), ("broken", None), ("worse", None)] {
            assert_eq!(group_id(file, name), id, "{name}");
        }
        assert_eq!(resolve_group("1234").unwrap(), 1234);
        assert!(resolve_group("no such group").is_err());
    }
}
