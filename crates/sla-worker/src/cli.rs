//! The command line and the process around the worker.

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use techsupport_bootstrap::{
    settings::{self, SettingsError},
    shutdown,
    telemetry::{self, TelemetryError},
};
use tokio::runtime::Runtime;

use crate::{
    SlaWorkerSettings, WorkerError,
    worker::{self, NAME},
};

/// How long threads that are still busy have when everything else has ended.
const LAST_WAIT: Duration = Duration::from_millis(200);

/// The worker of TechSupport Pro: tells people of SLA warnings and breaches. Settings come from the
/// environment; see the configuration table in the README.
#[derive(Debug, Parser)]
#[command(name = "sla-worker", version)]
struct Cli {}

#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    #[error(transparent)]
    Worker(#[from] WorkerError),
    #[error("the operating system refuses threads or signals: {0}")]
    System(#[from] io::Error),
}

/// Runs the program. What went wrong is one line on standard error.
pub fn run_from_command_line() -> ExitCode {
    let Cli {} = Cli::parse();
    match work() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "stopped");
            let line = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
            let told = writeln!(io::stderr(), "sla-worker: {line}");
            // Where standard error is closed, the exit code has to do.
            drop(told);
            ExitCode::FAILURE
        }
    }
}

fn work() -> Result<(), CliError> {
    let settings: SlaWorkerSettings = settings::load()?;
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
    }
}
