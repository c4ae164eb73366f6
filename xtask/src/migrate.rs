//! `cargo xtask migrate`: the schema, through the program that owns it.

use std::path::Path;
use std::process::Command;

use crate::error::Result;
use crate::programs::Programs;
use crate::{process, target_database};

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

/// Runs `techsupport-api migrate …`.
pub(crate) fn run(options: &Options) -> Result<()> {
    let program = Programs::build(false)?.api();
    let action = match options.action {
        Action::Up => "up",
        Action::Down => "down",
        Action::Redo => "redo",
        Action::Status => "status",
    };
    target_database::with(|url| migrate(&program, action, url))
}

/// Runs one action of `techsupport-api migrate`.
pub(crate) fn migrate(program: &Path, action: &str, database_url: &str) -> Result<()> {
    let mut command = Command::new(program);
    command.args(["migrate", action]).env("DATABASE_URL", database_url);
    process::run(&mut command, &format!("techsupport-api migrate {action}"))
}
