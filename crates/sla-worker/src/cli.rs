//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use techsupport_bootstrap::program::{self, ProgramError};

use crate::{
    SlaWorkerSettings, WorkerError,
    worker::{self, NAME},
};

/// The worker of TechSupport Pro: tells people of SLA warnings and breaches. Settings come from the
/// environment; see the configuration table in the README.
#[derive(Debug, Parser)]
#[command(name = NAME, version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tells people of what the events say (the default)
    Work,
    /// Asks the worker on this machine whether it has what it needs; needs monitor.enabled
    Health,
}

/// Runs the program. What went wrong is one line on standard error.
pub fn run_from_command_line() -> ExitCode {
    let outcome: Result<(), ProgramError<WorkerError>> = match Cli::parse().command.unwrap_or(Command::Work) {
        Command::Work => program::work(NAME, |settings: &SlaWorkerSettings| &settings.log, worker::run),
        Command::Health => program::ask_whether_ready(),
    };
    program::ended(NAME, outcome)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
        assert!(Cli::try_parse_from(["sla-worker"]).is_ok_and(|cli| cli.command.is_none()));
        assert!(Cli::try_parse_from(["sla-worker", "health"]).is_ok());
    }
}
