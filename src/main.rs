//! The plugin's executable: command line, log, runtime and exit codes.

use std::{
    env,
    error::Error,
    io::{self, Write as _},
    iter,
    process::ExitCode,
};

use foundryhub::{framework, plugin, provider::Provider, wire};

/// Fixed by Terraform and OpenTofu, which start the program, and by the provider's address in their registries.
const PLUGIN: plugin::Config = plugin::Config {
    magic_cookie: ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"),
    protocol_version: 6,
    provider_addresses: &["registry.terraform.io/foundryhub/foundryhub", "registry.opentofu.org/foundryhub/foundryhub"],
    reattach_variable: "TF_REATTACH_PROVIDERS",
};

/// The variables that set the log level, the most specific one first.
const LOG_LEVEL_VARIABLES: [&str; 3] = ["TF_LOG_PROVIDER_FOUNDRYHUB", "TF_LOG_PROVIDER", "TF_LOG"];

/// The crates of this program: the library and this file.
const LOG_TARGETS: [&str; 2] = ["foundryhub", "terraform_provider_foundryhub"];

const HELP: &str = "\
Provider plugin for Terraform and OpenTofu, which start it themselves.

Usage: terraform-provider-foundryhub [--debug | --version | --help]

  --debug    keep running and print the variable that makes Terraform and OpenTofu attach to this process
  --version  print the version
  --help     print this
";

/// What the command line asks for.
enum Command {
    Serve,
    Debug,
    Print(String),
}

/// Exit code 0: served until it was shut down, or printed what was asked for; also where `plugin` has to end the process.
/// 1: failed to serve. 2: invalid command line.
fn main() -> ExitCode {
    let command = match command() {
        Ok(command) => command,
        Err(error) => {
            eprintln!("{error}. Run it with --help for usage.");
            return ExitCode::from(2);
        }
    };
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let chain: Vec<_> = iter::successors(Some(error.as_ref() as &dyn Error), |&error| error.source())
                .map(ToString::to_string)
                .collect();
            eprintln!("{}", chain.join(": "));
            ExitCode::FAILURE
        }
    }
}

fn command() -> Result<Command, lexopt::Error> {
    use lexopt::prelude::*;
    let mut command = Command::Serve;
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        command = match argument {
            Long("debug") => Command::Debug,
            Long("version") => Command::Print(format!("{} {}\n", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))),
            Long("help") | Short('h') => Command::Print(HELP.to_owned()),
            _ => return Err(argument.unexpected()),
        };
    }
    Ok(command)
}

fn run(command: Command) -> Result<(), Box<dyn Error>> {
    let debug = match command {
        Command::Print(text) => return Ok(io::stdout().write_all(text.as_bytes())?),
        Command::Debug => true,
        Command::Serve => false,
    };
    // Ids and keys are random; the crates that make them have no way to say that they cannot be.
    getrandom::fill(&mut [0])
        .map_err(|error| format!("this system gives no random numbers, by getrandom(2) or /dev/urandom: {error}"))?;
    plugin::log::init(&LOG_LEVEL_VARIABLES, &LOG_TARGETS);
    plugin::log::install_panic_hook(framework::contain::is_contained);

    let runtime = plugin::runtime()?;
    let served = runtime.block_on(async {
        let routes = wire::routes(Provider::new(|name| env::var(name).ok()));
        if debug { plugin::serve_debug(&PLUGIN, routes).await } else { plugin::serve(&PLUGIN, routes).await }
    });
    // The host waits for no other task, and soon kills a process that does not exit.
    runtime.shutdown_background();
    Ok(served?)
}
