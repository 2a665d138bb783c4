//! A Unix socket that only this user, and a group if the host names one, can connect to.

use std::{
    fs, io,
    os::unix::{
        fs::{PermissionsExt as _, chown},
        net::SocketAddr,
    },
    path::Path,
};

use tokio::net::{UnixListener, UnixStream};

use crate::plugin::{
    Error,
    private_directory::{self, PrivateDirectory, SOCKET},
};

/// The local groups. Those of a directory service have to be given by number.
const GROUP_FILE: &str = "/etc/group";

pub(super) struct UnixSocket {
    listener: UnixListener,
    directory: PrivateDirectory,
}

impl UnixSocket {
    /// Opens the socket in a directory of its own in `parent`; `None` if there cannot be one, or none that a host could be
    /// told.
    pub(super) fn bind(parent: &Path, group: Option<&str>) -> Result<Option<Self>, Error> {
        let group = group.map(resolve_group).transpose()?;
        let opened = usable(parent).and_then(|()| {
            let directory = PrivateDirectory::new(parent)?;
            Ok(Self { listener: UnixListener::bind(directory.path().join(SOCKET))?, directory })
        });
        let socket = match opened {
            Ok(socket) => socket,
            Err(error) => {
                tracing::warn!(directory = %parent.display(), %error, "no Unix socket can be opened, listening on loopback");
                return Ok(None);
            }
        };
        socket.directory.sweep();
        socket.grant(group).map_err(|source| Error::Permissions { path: socket.path(), source })?;
        Ok(Some(socket))
    }

    pub(super) fn path(&self) -> String {
        self.directory.path().join(SOCKET).to_string_lossy().into_owned()
    }

    /// The directory that is there for the socket.
    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Lets this user, and the group if there is one, connect. The directory is opened last: until then nobody else reaches
    /// the socket, whatever its mode is.
    fn grant(&self, group: Option<u32>) -> io::Result<()> {
        let path = self.directory.path().join(SOCKET);
        let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
        let Some(group) = group else { return mode(&path, 0o600) };
        chown(&path, None, Some(group))?;
        mode(&path, 0o660)?;
        chown(self.directory.path(), None, Some(group))?;
        mode(self.directory.path(), 0o710)
    }

    pub(super) async fn accept(&self) -> io::Result<UnixStream> {
        Ok(self.listener.accept().await?.0)
    }
}

/// Refuses a directory in which the socket's path would be too long (about a hundred bytes, depending on the system) or could
/// not stand in the handshake line, whose fields end at a bar.
fn usable(parent: &Path) -> io::Result<()> {
    let path = private_directory::new_path(parent).join(SOCKET);
    let fits_the_line = path.to_str().is_some_and(|path| !path.contains(|c: char| c == '|' || c.is_control()));
    if !fits_the_line {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "its name has characters that no host can be told"));
    }
    SocketAddr::from_pathname(path).map(drop)
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
    fn a_directory_whose_socket_cannot_be_bound_or_announced_is_not_used() {
        assert!(usable(Path::new("/tmp")).is_ok());
        // As long as those that macOS gives each user.
        assert!(usable(Path::new("/var/folders/00/0123456789_0123456789_0123456789012/T")).is_ok());
        for directory in ["/tmp/a|b", "/tmp/a\nb", &"/long".repeat(30)] {
            assert!(usable(Path::new(directory)).is_err(), "{directory:?}");
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
