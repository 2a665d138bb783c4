//! Logging as the host reads it: each line on standard error is a JSON object in the form of hashicorp/go-hclog.

use std::{
    ffi::OsString,
    io::{self, Write as _},
};

use time::OffsetDateTime;
use tracing_subscriber::{
    Layer as _,
    filter::{LevelFilter, Targets},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::plugin::handshake;

mod key;
mod line;
mod panic;

pub use panic::install_hook as install_panic_hook;

/// Starts logging to standard error.
///
/// The level is that of the first of `level_variables` that is set. It holds for `targets`, the crates of this program;
/// of others only warnings and errors are logged, as their details may hold secrets.
///
/// # Panics
///
/// If logging has been started before.
pub fn init(level_variables: &[&str], targets: &[&str]) {
    let level = level(level_variables, handshake::environment);
    let filter = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_targets(targets.iter().map(|target| (*target, level)));
    let lines = line::Lines::new(OffsetDateTime::now_utc, write_to_stderr);
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
}

/// The level that the environment sets, with the values of Terraform's `TF_LOG`.
///
/// An unknown value means everything, as it does there. With no variable set the host shows nothing; errors are logged all
/// the same, for those who run the program without a host.
fn level(variables: &[&str], environment: impl Fn(&str) -> Option<OsString>) -> LevelFilter {
    let Some(value) = variables.iter().find_map(|name| environment(name).filter(|value| !value.is_empty())) else {
        return LevelFilter::ERROR;
    };
    match value.to_string_lossy().to_ascii_lowercase().as_str() {
        "off" => LevelFilter::OFF,
        "error" => LevelFilter::ERROR,
        "warn" => LevelFilter::WARN,
        "info" => LevelFilter::INFO,
        "debug" => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    }
}

/// Writes whole lines at once, so that those of different threads do not mix.
fn write_to_stderr(lines: &str) {
    // It fails when the host has exited, which is no reason to fail here.
    let _ = io::stderr().lock().write_all(lines.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides() {
        let check = |values: [&str; 2], expected| {
            let environment = |name: &str| match name {
                "SPECIAL" => Some(values[0].into()),
                "GENERAL" => Some(values[1].into()),
                _ => None,
            };
            assert_eq!(level(&["UNSET", "SPECIAL", "GENERAL"], environment), expected, "{values:?}");
        };
        check(["", ""], LevelFilter::ERROR);
        check(["", "debug"], LevelFilter::DEBUG);
        check(["Warn", "TRACE"], LevelFilter::WARN);
        check(["OFF", "TRACE"], LevelFilter::OFF);
        check(["JSON", "error"], LevelFilter::TRACE);
    }
}
