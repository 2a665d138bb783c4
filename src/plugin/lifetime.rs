//! What ends the process besides the host's call of `Shutdown`.

use tokio_util::sync::CancellationToken;

use crate::plugin::Error;

/// The signals that no longer end the process by themselves once they are registered.
pub(super) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(windows)]
    interrupt: tokio::signal::windows::CtrlC,
    #[cfg(windows)]
    terminate: tokio::signal::windows::CtrlClose,
}

impl Signals {
    #[cfg(unix)]
    pub(super) fn register() -> Result<Self, Error> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(Error::Signals)?,
            terminate: signal(SignalKind::terminate()).map_err(Error::Signals)?,
        })
    }

    #[cfg(windows)]
    pub(super) fn register() -> Result<Self, Error> {
        use tokio::signal::windows::{ctrl_c, ctrl_close};
        Ok(Self { interrupt: ctrl_c().map_err(Error::Signals)?, terminate: ctrl_close().map_err(Error::Signals)? })
    }
}

/// The process that started this one.
pub(super) struct Host {
    #[cfg(unix)]
    pid: u32,
}

impl Host {
    /// Has to come before the handshake line, as the host may exit any time after that.
    pub(super) fn of_this_process() -> Self {
        Self {
            #[cfg(unix)]
            pid: std::os::unix::process::parent_id(),
        }
    }

    /// Waits until it has exited, which the system shows as another parent.
    ///
    /// A host that is killed calls nothing, and the connection does not tell either: it stays open as long as any process
    /// that inherited the host's end runs. Asking for the parent costs one system call.
    #[cfg(unix)]
    async fn exited(&self) {
        let mut clock = tokio::time::interval(std::time::Duration::from_secs(2));
        while std::os::unix::process::parent_id() == self.pid {
            clock.tick().await;
        }
    }

    /// Never: elsewhere a process's parent cannot be asked for.
    #[cfg(not(unix))]
    async fn exited(&self) {
        std::future::pending().await
    }
}

/// Stops the server when the process is terminated or its host has exited. Interrupts have no effect: the host acts
/// on them, and waits for the calls in flight.
pub(super) async fn watch_host(host: Host, mut signals: Signals, stop: CancellationToken) {
    let reason = tokio::select! {
        _ = signals.terminate.recv() => "terminated",
        () = host.exited() => "the host has exited",
    };
    tracing::warn!(reason, "stopping");
    stop.cancel();
}

/// Stops the server when the process is interrupted or terminated.
pub(super) async fn watch_terminal(mut signals: Signals, stop: CancellationToken) {
    tokio::select! {
        _ = signals.interrupt.recv() => {}
        _ = signals.terminate.recv() => {}
    }
    stop.cancel();
}
