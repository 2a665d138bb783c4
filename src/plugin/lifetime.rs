//! What ends the process besides the host's call of `Shutdown`.

use std::{path::PathBuf, process, thread, time::Duration};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::plugin::Error;
#[cfg(unix)]
use crate::plugin::private_directory;

/// How long the server may take to stop before the process is ended without it. A host that calls `Shutdown` waits as long.
const GRACE: Duration = Duration::from_secs(2);

/// Who ends the process.
pub(super) enum EndsWith {
    /// The process that started this one. Interrupts have no effect: the host acts on them, and waits for the calls in
    /// flight.
    Host(Host),
    /// Whoever is at the terminal, with an interrupt.
    Terminal,
}

/// Stops the server by `stop` when it is time, and ends the process if the server does not: whatever keeps the runtime from
/// running tasks must not keep the process alive.
///
/// This is why it has a thread with a small runtime of its own, which waits for nothing else. It writes nothing either, because
/// writing to a host that no longer reads may wait for ever.
pub(super) async fn guard(
    ends_with: EndsWith,
    stop: CancellationToken,
    directory: Option<PathBuf>,
) -> Result<(), Error> {
    let server = tokio::runtime::Handle::current();
    let (started, starts) = oneshot::channel();
    let watch = async move {
        match Signals::register() {
            Ok(signals) => {
                let _ = started.send(Ok(()));
                let reason = signals.received(ends_with, &stop).await;
                // The server's runtime writes it, if it can.
                server.spawn(async move { tracing::warn!(reason, "stopping") });
                stop.cancel();
                tokio::time::sleep(GRACE).await;
                end(directory);
            }
            Err(error) => drop(started.send(Err(error))),
        }
    };
    let run =
        || tokio::runtime::Builder::new_current_thread().enable_all().build().map(|runtime| runtime.block_on(watch));
    let thread = thread::Builder::new().name("guard".to_owned()).spawn(run);
    thread.map_err(Error::Guard)?;
    // Without an answer there was no runtime.
    starts.await.unwrap_or_else(|_| Err(Error::Guard(std::io::Error::other("no runtime for it"))))
}

/// Ends the process in place of everything that would end it in good order.
fn end(directory: Option<PathBuf>) {
    #[cfg(unix)]
    if let Some(directory) = directory {
        private_directory::remove(&directory);
    }
    #[cfg(not(unix))]
    drop(directory);
    process::exit(0);
}

/// The signals that no longer end the process by themselves once they are registered.
struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    /// None where it keeps its effect.
    #[cfg(unix)]
    hangup: Option<tokio::signal::unix::Signal>,
    #[cfg(windows)]
    interrupt: tokio::signal::windows::CtrlC,
    #[cfg(windows)]
    terminate: tokio::signal::windows::CtrlClose,
}

impl Signals {
    #[cfg(unix)]
    fn register() -> Result<Self, Error> {
        use tokio::signal::unix::{SignalKind, signal};
        let hangup = hangups_count().then(|| signal(SignalKind::hangup())).transpose();
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(Error::Signals)?,
            terminate: signal(SignalKind::terminate()).map_err(Error::Signals)?,
            hangup: hangup.map_err(Error::Signals)?,
        })
    }

    #[cfg(windows)]
    fn register() -> Result<Self, Error> {
        use tokio::signal::windows::{ctrl_c, ctrl_close};
        Ok(Self { interrupt: ctrl_c().map_err(Error::Signals)?, terminate: ctrl_close().map_err(Error::Signals)? })
    }

    /// Waits until it is time to end, and says why.
    async fn received(mut self, ends_with: EndsWith, stop: &CancellationToken) -> &'static str {
        #[cfg(unix)]
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        #[cfg(not(unix))]
        let hangup = std::future::pending::<Option<()>>();
        let told = async {
            match ends_with {
                EndsWith::Host(host) => {
                    host.exited().await;
                    "the host has exited"
                }
                EndsWith::Terminal => {
                    self.interrupt.recv().await;
                    "interrupted"
                }
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => "terminated",
            _ = hangup => "the terminal has hung up",
            reason = told => reason,
            () = stop.cancelled() => "shut down",
        }
    }
}

/// Whether a hang-up is to end this process. It is not after `nohup`, which makes programs ignore it; registering for it would
/// undo that. The system says so on Linux only: elsewhere the signal keeps its effect, which is to end the process or none.
#[cfg(unix)]
fn hangups_count() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| !ignores_hangups(&status))
}

/// Reads the mask of ignored signals, of which the first bit is SIGHUP. What cannot be read counts as ignored.
#[cfg(unix)]
fn ignores_hangups(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_none_or(|mask| mask & 1 == 1)
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
        let mut clock = tokio::time::interval(Duration::from_secs(2));
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

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hangups_are_ignored_where_the_system_says_so_or_does_not_say() {
        for (status, ignored) in [
            ("Name:\tx\nSigIgn:\t0000000000001000\nSigCgt:\t0000000000000001\n", false),
            ("SigIgn:\t0000000000001001\n", true),
            ("SigIgn:\tnone\n", true),
            ("Name:\tx\n", true),
        ] {
            assert_eq!(ignores_hangups(status), ignored, "{status}");
        }
    }
}
