//! The command line and the process around the worker.

use std::{
    io::{self, Write},
    net::SocketAddr,
    process::ExitCode,
    time::Duration,
};

use clap::{Parser, Subcommand};
use techsupport_bootstrap::{
    monitor::{AskError, ask},
    settings::{self, SettingsError},
    shutdown,
    telemetry::{self, TelemetryError},
};
use tokio::runtime::Runtime;

use crate::{
    ImportWorkerSettings, WorkerError,
    settings::HealthSettings,
    worker::{self, NAME},
};
use techsupport_spreadsheet::run_parser;

/// How long threads that are still busy have when everything else has ended.
const LAST_WAIT: Duration = Duration::from_millis(200);

/// The subcommand that reads a file.
pub(crate) const PARSE: &str = "parse";

/// The worker of TechSupport Pro that imports files. Settings come from the
/// environment; see the configuration table in the README.
#[derive(Debug, Parser)]
#[command(name = "import-worker", version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Imports what was uploaded (the default)
    Work,
    /// Asks the worker on this machine whether it has what it needs; needs monitor.enabled
    Health,
    /// Reads the file on standard input; the worker calls this itself
    #[command(name = PARSE, hide = true)]
    Parse {
        /// What the worker says
        arguments: Vec<String>,
    },
}

#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    #[error(transparent)]
    Worker(#[from] WorkerError),
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error("{0}")]
    Unwell(String),
    #[error("the operating system refuses threads or signals: {0}")]
    System(#[from] io::Error),
}

/// Runs the program. What went wrong is one line on standard error.
pub fn run_from_command_line() -> ExitCode {
    let outcome = match Cli::parse().command.unwrap_or(Command::Work) {
        Command::Work => work(),
        Command::Health => health(),
        Command::Parse { arguments } => return run_parser(arguments.into_iter()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "stopped");
            let line = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
            let told = writeln!(io::stderr(), "import-worker: {line}");
            // Where standard error is closed, the exit code has to do.
            drop(told);
            ExitCode::FAILURE
        }
    }
}

/// What a health check of a container calls.
fn health() -> Result<(), CliError> {
    let HealthSettings { monitor } = settings::load()?;
    let limit = Duration::from_millis(monitor.timeout_ms);
    match ask(SocketAddr::new(monitor.bind, monitor.port), "/health/ready", limit)? {
        (200, _) => Ok(()),
        (_, body) => Err(CliError::Unwell(body)),
    }
}

fn work() -> Result<(), CliError> {
    let settings: ImportWorkerSettings = settings::load()?;
    telemetry::init(NAME, &settings.log)?;
    let runtime = Runtime::new()?;
    let outcome = runtime.block_on(async {
        let stop = shutdown::on_signal()?;
        worker::run(settings, stop).await.map_err(CliError::from)
    });
    // Whatever a blocked thread still holds was not acknowledged.
    runtime.shutdown_timeout(LAST_WAIT);
    if outcome.is_ok() {
        tracing::info!("stopped");
    }
    outcome
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
        assert!(Cli::try_parse_from(["import-worker"]).is_ok_and(|cli| cli.command.is_none()));
        assert!(Cli::try_parse_from(["import-worker", "health"]).is_ok());
        assert!(Cli::try_parse_from(["import-worker", PARSE, "CSV", "0", "1"]).is_ok());
    }
}
