//! The keys of a log line.

/// The text. The host's reader of log lines crashes if this or one of the next two is not a string.
pub(super) const MESSAGE: &str = "@message";
/// trace, debug, info, warn or error.
pub(super) const LEVEL: &str = "@level";
/// RFC 3339 with exactly six digits of a second; with any other number the host shows the line as it is.
pub(super) const TIMESTAMP: &str = "@timestamp";
/// The module that logged.
pub(super) const MODULE: &str = "@module";

/// What a panic said.
pub(super) const PANIC: &str = "panic";
/// Where in the source it was.
pub(super) const LOCATION: &str = "location";
/// How the program got there, if `RUST_BACKTRACE` asks for it.
pub(super) const BACKTRACE: &str = "backtrace";
