//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use techsupport_bootstrap::program::{self, ProgramError};
use techsupport_spreadsheet::run_parser;

use crate::{
    ImportWorkerSettings, WorkerError,
    worker::{self, NAME},
};

/// The subcommand that reads a file.
pub(crate) const PARSE: &str = "parse";

/// The worker of TechSupport Pro that imports files. Settings come from the
/// environment; see the configuration table in the README.
#[derive(Debug, Parser)]
#[command(name = NAME, version)]
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

/// Runs the program. What went wrong is one line on standard error.
pub fn run_from_command_line() -> ExitCode {
    let outcome: Result<(), ProgramError<WorkerError>> = match Cli::parse().command.unwrap_or(Command::Work) {
        Command::Work => program::work(NAME, |settings: &ImportWorkerSettings| &settings.log, worker::run),
        Command::Health => program::ask_whether_ready(),
        Command::Parse { arguments } => return run_parser(arguments.into_iter()),
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
        assert!(Cli::try_parse_from(["import-worker"]).is_ok_and(|cli| cli.command.is_none()));
        assert!(Cli::try_parse_from(["import-worker", "health"]).is_ok());
        assert!(Cli::try_parse_from(["import-worker", PARSE, "CSV", "0", "1"]).is_ok());
    }
}
