//! The plugin's side of hashicorp/go-plugin (1.6 to 1.8, core protocol 1 over gRPC): handshake, TLS, log and shutdown.
//!
//! It knows nothing of the services that it serves: [`serve`] takes them as routes, and [`Config`] names what differs
//! between one plugin and another.

use std::io;

use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use crate::plugin::{
    handshake::{Request, Sockets},
    lifetime::{EndsWith, Host},
    listener::Listener,
    tls::Identity,
};

mod config;
mod error;
mod generated;
mod handshake;
mod lifetime;
mod listener;
pub mod log;
#[cfg(unix)]
mod private_directory;
mod reattach;
mod server;
mod services;
mod tls;
#[cfg(unix)]
mod unix_socket;

pub use config::Config;
pub use error::Error;

/// The runtime of a plugin. On Linux it has one thread for all tasks: a plugin waits for its host and for the network for
/// nearly all of its time, and more threads would mostly wake each other. What blocks or computes for long has to go to
/// [`tokio::task::spawn_blocking`], since sockets and timers wait for it, too.
///
/// On other systems there are as many threads as processors: the system verifies certificates there, within the task that
/// connects, and may ask the network whether they were revoked.
///
/// # Errors
///
/// What kept the operating system from starting a thread.
pub fn runtime() -> io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    if cfg!(target_os = "linux") {
        builder.worker_threads(1);
    }
    builder.enable_all().build()
}

/// Serves `routes` and go-plugin's own services to the host that started this process.
///
/// Returns when the host has called `Shutdown` or has exited, and on SIGTERM and SIGHUP. The caller then ends the process
/// without waiting for other tasks: the host kills it two seconds after its call, and where the runtime stalls the process
/// ends without returning from here. SIGINT has no effect: a terminal sends it to host and plugin alike, and the host acts on
/// it.
///
/// # Errors
///
/// [`Error::NotAHost`] when the cookie is missing or wrong, before anything is opened or written. Otherwise what kept the
/// server from starting, or what ended it.
pub async fn serve(config: &Config, routes: Routes) -> Result<(), Error> {
    let request = Request::read(config.magic_cookie, handshake::environment)?;
    let host = Host::of_this_process();
    let listener = Listener::bind(&request.sockets).await?;
    let identity = request.client_certificate.map(Identity::for_client).transpose()?;

    let line = handshake::line(
        config.protocol_version,
        listener.address(),
        identity.as_ref().map(Identity::certificate),
        request.asks_for_multiplexing,
    );
    let stop = CancellationToken::new();
    lifetime::guard(EndsWith::Host(host), stop.clone(), listener.directory()).await?;
    handshake::announce(&line)?;
    server::run(listener, identity.map(Identity::into_acceptor), routes, stop).await
}

/// Serves to any number of hosts that attach to this process, until SIGINT, SIGTERM or SIGHUP.
///
/// For working on the plugin under a debugger: prints the variable that makes a host attach to standard output. There
/// is neither cookie nor TLS, as a host that attaches expects neither; the socket belongs to this user alone.
///
/// # Errors
///
/// What kept the server from starting, or what ended it.
pub async fn serve_debug(config: &Config, routes: Routes) -> Result<(), Error> {
    let listener = Listener::bind(&Sockets::read(handshake::environment)?).await?;
    let stop = CancellationToken::new();
    lifetime::guard(EndsWith::Terminal, stop.clone(), listener.directory()).await?;
    handshake::announce(&reattach::instructions(config, std::process::id(), listener.address()))?;
    server::run(listener, None, routes, stop).await
}
