//! The emulator's command line: starts it, prints the environment that points clients at it, and serves until it is
//! told to stop.

#[expect(
    dead_code,
    unused_imports,
    reason = "some of the library is only there for tests, which include it by its path"
)]
mod arm;
mod measure;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

/// An emulator of Azure Resource Manager and Microsoft Entra.
#[derive(Debug, Parser)]
#[command(name = "emulator")]
struct CommandLine {
    #[command(flatten)]
    options: arm::Options,
    /// Write the environment to this file too, then print "ready" once clients can connect
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Print how many GETs a second it answers with 10,000 role assignments in store, and end
    #[arg(long)]
    measure: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let line = CommandLine::parse();
    if line.measure {
        return measure::run(line.options).await;
    }
    // Taken before anybody can know that we are there to be stopped.
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let emulator = arm::Emulator::start(line.options).await?;
    let exports: String = emulator
        .environment()
        .into_iter()
        .chain(emulator.client_environment())
        .map(|(name, value)| format!("export {name}='{}'\n", value.replace('\'', r"'\''")))
        .collect();
    say(&exports);
    if let Some(path) = &line.env_file {
        std::fs::write(path, &exports).with_context(|| format!("writing {}", path.display()))?;
        say("ready\n");
    }
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what is printed here is what the program is started for")]
fn say(text: &str) {
    print!("{text}");
    // A closed pipe is no reason to stop serving.
    let _ = std::io::Write::flush(&mut std::io::stdout());
}
