//! The keys of a log line.

/// The text. The host panics while it reads a line in which this or one of the next two is not a string.
pub(super) const MESSAGE: &str = "@message";
/// trace, debug, info, warn or error.
pub(super) const LEVEL: &str = "@level";
/// RFC 3339 with exactly six digits of a second; with any other number the host shows the line as it is.
pub(super) const TIMESTAMP: &str = "@timestamp";
/// The module that logged.
pub(super) const MODULE: &str = "@module";

/// A panic's message.
pub(super) const PANIC: &str = "panic";
/// Its file, line and column.
pub(super) const LOCATION: &str = "location";
/// The backtrace, if `RUST_BACKTRACE` is set.
pub(super) const BACKTRACE: &str = "backtrace";
