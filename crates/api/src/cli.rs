//! The command line.

use std::{io, process::ExitCode};

use clap::{Parser, Subcommand};
use techsupport_bootstrap::{
    program,
    settings::{self, SettingsError},
    shutdown::{Signals, Unfinished},
};

use crate::{
    Api, ApiSettings, StartError,
    database::NAME,
    health::{self, Health, Unwell},
    migrate,
};

/// The API of TechSupport Pro. Settings come from the environment; see the configuration table in the
/// README.
#[derive(Debug, Parser)]
#[command(name = NAME, version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answers requests, watches deadlines, publishes events (the default)
    Serve,
    /// Brings the schema of the database up to date, or back
    Migrate {
        #[command(subcommand)]
        step: Step,
    },
    /// Asks the API on this machine how it is
    Health {
        /// What it has to be
        #[arg(value_enum, default_value_t = Health::Serving)]
        wanted: Health,
    },
}

/// What to do with the schema.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum Step {
    /// Takes every step that is missing
    Up,
    /// Takes the latest step back
    Down,
    /// Takes the latest step back and then again
    Redo,
    /// Lists the steps
    Status,
    /// Waits until no step is missing, while somebody else takes them
    Wait {
        /// How long, in seconds
        #[arg(long, default_value_t = 300)]
        seconds: u64,
    },
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("the schema could not be changed: {0}")]
    Migrate(#[from] techsupport_application::AppError),
    #[error("the schema is still behind this program after {0} s")]
    StillBehind(u64),
    #[error(transparent)]
    Unfinished(#[from] Unfinished),
    #[error("{0}")]
    Unwell(#[from] Unwell),
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Runs the program as its command line says. What went wrong is one line on standard error.
pub fn run() -> ExitCode {
    let outcome = match Cli::parse().command.unwrap_or(Command::Serve) {
        Command::Serve => serve(),
        Command::Migrate { step } => change_schema(step),
        Command::Health { wanted } => health::run(wanted),
    };
    program::ended(NAME, outcome)
}

fn serve() -> Result<(), CliError> {
    let settings: ApiSettings = settings::load()?;
    let signals = Signals::hear()?;
    let prepared = signals.unless_one_comes(move || Api::prepare(settings))??;
    Ok(prepared.start()?.run_until(signals.stop())?)
}

/// A step that is interrupted is undone by the database.
fn change_schema(step: Step) -> Result<(), CliError> {
    Signals::hear()?.unless_one_comes(move || migrate::run(step))?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
        assert!(Cli::try_parse_from(["techsupport-api"]).unwrap().command.is_none());
        assert!(Cli::try_parse_from(["techsupport-api", "migrate"]).is_err());
        for step in ["up", "down", "redo", "status", "wait"] {
            assert!(Cli::try_parse_from(["techsupport-api", "migrate", step]).is_ok());
        }
    }
}
