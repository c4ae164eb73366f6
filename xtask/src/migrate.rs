//! `cargo xtask migrate`: the schema, through the program that owns it.

use std::path::Path;
use std::process::Command;

use crate::error::Result;
use crate::programs::Programs;
use crate::provision::{self, Ledger, Plan, Servers};
use crate::up::INSTANCE;
use crate::{environment, process};

/// Options of `migrate`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// What to do with the schema.
    #[arg(value_enum)]
    action: Action,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Action {
    /// Apply every migration that is not applied yet.
    Up,
    /// Revert the newest one.
    Down,
    /// Revert the newest one and apply it again.
    Redo,
    /// List all, with their state.
    Status,
}

/// Runs `techsupport-api migrate …` on the given database, on that of a running `up`, or on that of a stopped `up`, whose
/// PostgreSQL is started for the purpose.
pub(crate) fn run(options: &Options) -> Result<()> {
    let program = Programs::build(false)?.api();
    let action = match options.action {
        Action::Up => "up",
        Action::Down => "down",
        Action::Redo => "redo",
        Action::Status => "status",
    };
    if let Some(url) = environment::text("DATABASE_URL").map_or_else(running_url, |url| Ok(Some(url)))? {
        return migrate(&program, action, &url);
    }
    let servers = Servers::start(&Plan::kept(INSTANCE).without_broker())?;
    let outcome = servers.database_url().map_or(Ok(()), |url| migrate(&program, action, url));
    outcome.and(servers.stop())
}

/// Runs one action of `techsupport-api migrate`.
pub(crate) fn migrate(program: &Path, action: &str, database_url: &str) -> Result<()> {
    let mut command = Command::new(program);
    command.args(["migrate", action]).env("DATABASE_URL", database_url);
    process::run(&mut command, &format!("techsupport-api migrate {action}"))
}

fn running_url() -> Result<Option<String>> {
    let running = provision::is_locked(INSTANCE)?;
    Ok(Ledger::read(INSTANCE).filter(|_| running).and_then(|ledger| ledger.database_url))
}
