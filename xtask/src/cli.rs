//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::{Error, Result};
use crate::{bench, chaos, check, down, import, migrate, schemathesis, seed, signals, test, up};

/// Runs, tests and checks TechSupport Pro.
///
/// PostgreSQL and RabbitMQ are taken from `DATABASE_URL` and `AMQP_URL` when set, else started privately from installed
/// programs, else installed with apt-get (as root on Debian or Ubuntu), else started with Docker Compose.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start everything and watch it: servers, demo data, techsupport-api, sla-worker, import-worker. Ctrl-C stops it; the data stays.
    Up(up::Options),
    /// Stop an `up` that runs elsewhere, or what is left of one that crashed.
    Down(down::Options),
    /// Run every test against servers of its own, which are removed afterwards.
    Test(test::Options),
    /// Change or show the database schema of `DATABASE_URL`, else of the `up` instance.
    Migrate(migrate::Options),
    /// Add demo data to `DATABASE_URL`, else to the `up` instance.
    Seed(seed::Options),
    /// Upload a file of historical tickets to a running desk, show how its import gets on, and print the summary.
    Import(import::Options),
    /// Kill everything while SLA deadlines pass, and check that each breach was told of exactly once.
    Chaos(chaos::Options),
    /// Measure the API beside pgbench making the same statements.
    Bench(bench::Options),
    /// Let schemathesis try to find answers that the OpenAPI document does not promise, with a token of each role.
    Schemathesis(schemathesis::Options),
    /// Check formatting, lints, documentation, layering, licences and tidiness.
    Check(check::Options),
}

/// Does what the command line asks. The exit code is 130 after Ctrl-C, that of the tests for `test`, 1 for other failures.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match signals::listen().and_then(|()| run(&cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Error::Interrupted) => ExitCode::from(130),
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::from(exit_code(&error))
        }
    }
}

fn run(command: &Command) -> Result<()> {
    match command {
        Command::Up(options) => up::run(options),
        Command::Down(options) => down::run(options),
        Command::Test(options) => test::run(options),
        Command::Migrate(options) => migrate::run(options),
        Command::Seed(options) => seed::run(options),
        Command::Import(options) => import::run(options),
        Command::Chaos(options) => chaos::command(options),
        Command::Bench(options) => bench::run(options),
        Command::Schemathesis(options) => schemathesis::run(options),
        Command::Check(options) => check::run(options),
    }
}

fn exit_code(error: &Error) -> u8 {
    if let Error::Program { status, .. } = error {
        status.code().and_then(|code| u8::try_from(code).ok()).filter(|code| *code != 0).unwrap_or(1)
    } else {
        1
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Cli, Command};
    use crate::chaos::Victim;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn chaos_does_what_is_promised_when_nothing_is_said() {
        let parsed = Cli::try_parse_from(["xtask", "chaos"]).map(|cli| cli.command);
        assert!(matches!(&parsed, Ok(Command::Chaos(options))
            if (options.breaches, options.kills, options.open_tickets) == (1_000, 30, 0)
                && options.victims == Victim::ALL && options.sabotage.is_none()));
    }

    #[test]
    fn victims_are_a_list_and_sabotage_needs_a_build() {
        let given = ["xtask", "chaos", "--victims", "worker,broker", "--sabotage", "ack-before-commit"];
        let parsed = Cli::try_parse_from(given).map(|cli| cli.command);
        assert!(matches!(&parsed, Ok(Command::Chaos(options))
            if options.victims == [Victim::Worker, Victim::Broker] && options.sabotage.is_some()));
        assert!(Cli::try_parse_from(given.into_iter().chain(["--programs", "bin"])).is_err());
        assert!(Cli::try_parse_from(["xtask", "chaos", "--victims", "nobody"]).is_err());
        assert!(Cli::try_parse_from(["xtask", "bench", "--connections", "0"]).is_err());
    }
}
