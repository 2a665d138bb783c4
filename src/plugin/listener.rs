//! The socket the plugin listens on: a Unix socket that only this user can reach, TCP on loopback otherwise.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};
use tonic::transport::server::Connected;

#[cfg(unix)]
use crate::plugin::unix_socket::UnixSocket;
use crate::plugin::{
    Error,
    handshake::{Address, Sockets},
};

/// The byte stream of a connection, with TLS or without.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// One accepted connection.
pub(super) type Connection = Box<dyn Io>;

impl Connected for Connection {
    /// Nothing about the peer is needed: TLS admits only one client.
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

/// A listening socket. Dropping it removes a Unix socket with its directory.
pub(super) struct Listener {
    address: Address,
    kind: Kind,
}

enum Kind {
    #[cfg(unix)]
    Unix(UnixSocket),
    Tcp(TcpListener),
}

impl Listener {
    pub(super) async fn bind(sockets: &Sockets) -> Result<Self, Error> {
        #[cfg(unix)]
        if let Some(socket) = UnixSocket::bind(&sockets.directory, sockets.group.as_deref())? {
            return Ok(Self { address: Address::Unix(socket.path()), kind: Kind::Unix(socket) });
        }
        let listener = bind_loopback(sockets).await?;
        let address = listener.local_addr().map_err(|source| listen_error(sockets, source))?;
        Ok(Self { address: Address::Tcp(address), kind: Kind::Tcp(listener) })
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// The directory that dropping it removes, if there is one.
    pub(super) fn directory(&self) -> Option<PathBuf> {
        match &self.kind {
            #[cfg(unix)]
            Kind::Unix(socket) => Some(socket.directory().to_owned()),
            Kind::Tcp(_) => None,
        }
    }

    pub(super) async fn accept(&self) -> io::Result<Connection> {
        match &self.kind {
            #[cfg(unix)]
            Kind::Unix(socket) => Ok(Box::new(socket.accept().await?)),
            Kind::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream))
            }
        }
    }
}

/// Binds the first port that is free, of those the host allows.
async fn bind_loopback(sockets: &Sockets) -> Result<TcpListener, Error> {
    let mut ports = sockets.ports.clone().unwrap_or(0..=0);
    let last = *ports.end();
    loop {
        let port = ports.next().unwrap_or(last);
        match TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await {
            Ok(listener) => return Ok(listener),
            Err(source) if port == last => return Err(listen_error(sockets, source)),
            Err(_) => {}
        }
    }
}

fn listen_error(sockets: &Sockets, source: io::Error) -> Error {
    let ports = sockets.ports.as_ref().map(|ports| format!(", ports {} to {}", ports.start(), ports.end()));
    Error::Listen { address: format!("{}{}", Ipv4Addr::LOCALHOST, ports.unwrap_or_default()), source }
}
