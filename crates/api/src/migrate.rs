//! `techsupport-api migrate …`.

use std::{
    io::{self, Write},
    time::Duration,
};

use techsupport_application::ports::Readiness;
use techsupport_bootstrap::settings;
use techsupport_persistence::{Database, migrate};

use crate::{
    MigrateSettings,
    cli::{CliError, Step},
};

/// Does the step and says on standard output what was done.
pub(crate) fn run(step: Step) -> Result<(), CliError> {
    let MigrateSettings { database } = settings::load()?;
    let mut out = io::stdout();
    match step {
        Step::Up => {
            let applied = migrate::up(&database)?;
            for name in &applied {
                writeln!(out, "applied {name}")?;
            }
            if applied.is_empty() {
                writeln!(out, "the schema is up to date")?;
            }
        }
        Step::Down => writeln!(out, "reverted {}", migrate::down_one(&database)?)?,
        Step::Redo => writeln!(out, "reverted and applied {}", migrate::redo(&database)?)?,
        Step::Status => {
            for step in migrate::status(&database)? {
                writeln!(out, "{} {}", if step.applied { "applied" } else { "missing" }, step.name)?;
            }
        }
        Step::Wait { seconds } => {
            let database = Database::connect(&database, "techsupport-migrate");
            match database.wait_until_migrated(Duration::from_secs(seconds))? {
                Readiness::Ready => writeln!(out, "the schema is up to date")?,
                Readiness::SchemaBehind => return Err(CliError::StillBehind(seconds)),
            }
        }
    }
    Ok(())
}
