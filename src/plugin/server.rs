//! The gRPC server: accepts connections, serves the routes and stops in time.

use std::{convert::Infallible, io, time::Duration};

use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_stream::{StreamExt as _, wrappers::ReceiverStream};
use tokio_util::sync::CancellationToken;
use tonic::{service::Routes, transport::Server};

use crate::plugin::{
    Error,
    listener::{Connection, Listener},
    services,
};

/// How long the calls in flight may take once the server stops. The answer to `Shutdown` is among them and takes a few
/// milliseconds; the host waits for no other.
const DRAIN: Duration = Duration::from_millis(100);

/// HTTP/2's flow-control windows, in bytes. A state of ten megabytes then takes two round trips instead of the 160 that the
/// initial window of 64 KiB would need.
const STREAM_WINDOW: u32 = 8 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;

/// How long to wait when no connection can be accepted, mostly because file descriptors have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long a connection may take for its TLS handshake, which takes a slow host a second.
const TLS_TIMEOUT: Duration = Duration::from_secs(60);

/// Serves `routes` and go-plugin's own services on `listener` until `stop` is cancelled, which `Shutdown` does too.
pub(super) async fn run(
    listener: Listener,
    tls: Option<TlsAcceptor>,
    routes: Routes,
    stop: CancellationToken,
) -> Result<(), Error> {
    let (sender, connections) = mpsc::channel(16);
    let served = Server::builder()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .add_routes(services::add_to(routes, &stop))
        .serve_with_incoming_shutdown(ReceiverStream::new(connections).map(Ok::<_, io::Error>), stop.cancelled());
    let drained = async {
        stop.cancelled().await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        result = served => result.map_err(Error::Serve),
        () = drained => Ok(()),
        never = accept(&listener, tls, sender) => match never {},
    }
}

/// Sends each accepted connection on, after its TLS handshake if there is TLS.
///
/// Each has a task of its own: one that sends nothing, or is closed at once by a port scan, must not delay the others.
async fn accept(listener: &Listener, tls: Option<TlsAcceptor>, sender: mpsc::Sender<Connection>) -> Infallible {
    loop {
        match listener.accept().await {
            Ok(connection) => {
                let (tls, sender) = (tls.clone(), sender.clone());
                tokio::spawn(async move {
                    match secure(connection, tls).await {
                        // Sending fails when the server has stopped.
                        Ok(connection) => drop(sender.send(connection).await),
                        Err(error) => tracing::debug!(%error, "a connection failed before its first request"),
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "accepting a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn secure(connection: Connection, tls: Option<TlsAcceptor>) -> io::Result<Connection> {
    match tls {
        Some(tls) => Ok(Box::new(tokio::time::timeout(TLS_TIMEOUT, tls.accept(connection)).await??)),
        None => Ok(connection),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::tls::Identity;

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_never_speaks_is_given_up() {
        let acceptor = Identity::for_client(Vec::new().into()).expect("a certificate").into_acceptor();
        let (silent, connection) = tokio::io::duplex(64);
        let error = secure(Box::new(connection), Some(acceptor)).await.err().expect("a connection that is given up");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(silent);
    }
}
