//! How panics are logged.
//!
//! The host takes a line that starts with `panic: ` for a crash of the plugin: it shows the user that line and the plain
//! ones after it.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    panic::{self, PanicHookInfo},
    thread,
};

use super::{key, write_to_stderr};

/// The longest panic message that is written, in bytes. The host reads no line over 64 KiB.
const LONGEST_MESSAGE: usize = 16 << 10;

/// Installs a panic hook that writes panics in the host's form.
///
/// `contained` tells, on the thread that panics, whether the panic becomes a diagnostic: it is logged as an error then. Any
/// other is written as a crash.
pub fn install_hook(contained: fn() -> bool) {
    panic::set_hook(Box::new(move |info| {
        let report = Report::of(info);
        if contained() {
            report.log();
        } else {
            write_to_stderr(&report.crash());
        }
    }));
}

struct Report {
    message: String,
    location: String,
    thread: String,
    backtrace: Option<String>,
}

impl Report {
    fn of(info: &PanicHookInfo<'_>) -> Self {
        let message = info.payload_as_str().unwrap_or("no message");
        let backtrace = Backtrace::capture();
        Self {
            message: message[..message.floor_char_boundary(LONGEST_MESSAGE)].to_owned(),
            location: info.location().map_or_else(|| "an unknown location".to_owned(), ToString::to_string),
            thread: thread::current().name().unwrap_or("unnamed").to_owned(),
            backtrace: (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string()),
        }
    }

    fn log(&self) {
        let (panic, location) = (self.message.as_str(), self.location.as_str());
        let backtrace = self.backtrace.as_deref();
        tracing::error!(
            { key::PANIC } = panic,
            { key::LOCATION } = location,
            { key::BACKTRACE } = backtrace,
            "panicked"
        );
    }

    /// The lines that the host shows. The message's lines are indented after the first, so that the host takes none for a
    /// log line, which would end the crash report.
    fn crash(&self) -> String {
        let Self { message, location, thread, .. } = self;
        let message = message.replace('\n', "\n  ");
        let backtrace = self.backtrace.as_deref().unwrap_or("Set RUST_BACKTRACE=1 for a backtrace.");
        format!("panic: {message}\n\nin thread {thread} at {location}\n{}\n", backtrace.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_starts_with_what_the_host_looks_for() {
        let report = Report {
            message: "one\n{\"two\": 2}".to_owned(),
            location: "src/x.rs:1:2".to_owned(),
            thread: "main".to_owned(),
            backtrace: None,
        };
        assert_eq!(
            report.crash(),
            "panic: one\n  {\"two\": 2}\n\nin thread main at src/x.rs:1:2\nSet RUST_BACKTRACE=1 for a backtrace.\n"
        );
    }
}
