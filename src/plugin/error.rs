//! Why the plugin does not serve.

use std::io;

/// Why the plugin does not serve.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cookie is missing or wrong: the program was not started by a host.
    #[error(
        "This program is a plugin. It is started by the program that uses it, which\n\
         sets a cookie in the environment; the cookie is missing or wrong here.\n\
         Run it with --help for what it can do without that program."
    )]
    NotAHost,
    /// A variable of the handshake has a value that cannot be used.
    #[error("{name} is not {expected}")]
    Variable {
        /// The variable's name.
        name: &'static str,
        /// What it should have been.
        expected: &'static str,
    },
    /// No socket could be opened.
    #[error("listening on {address}")]
    Listen {
        /// The path, address or range of ports that was tried.
        address: String,
        /// What the system said; of a range of ports, about the last one.
        source: io::Error,
    },
    /// The socket could not be given the permissions it needs.
    #[error("setting the permissions of {path}")]
    Permissions {
        /// The socket's path.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// The server's certificate could not be made.
    #[error("making a certificate")]
    Certificate(#[source] rcgen::Error),
    /// The certificates cannot be used for TLS.
    #[error("setting up TLS")]
    Tls(#[source] rustls::Error),
    /// Standard output is closed, so that the host cannot be told the address.
    #[error("writing the address to standard output")]
    Announce(#[source] io::Error),
    /// Signals cannot be received.
    #[error("registering for signals")]
    Signals(#[source] io::Error),
    /// What ends the process cannot run.
    #[error("starting the thread that ends this process")]
    Guard(#[source] io::Error),
    /// The gRPC server ended by itself.
    #[error("serving")]
    Serve(#[source] tonic::transport::Error),
}
