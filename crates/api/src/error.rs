//! Why the program does not run.

use std::io;

use techsupport_application::AppError;
use techsupport_bootstrap::{secrets::WeakSecret, telemetry::TelemetryError};

use crate::CredentialsError;

/// Why the program does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Nothing can be logged.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// Production needs better secrets.
    #[error("{0}; the production profile does not start with it")]
    WeakSecret(#[from] WeakSecret),
    /// Passwords cannot be hashed.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The database cannot be used.
    #[error("the database cannot be used: {0}")]
    Database(AppError),
    /// Migrations are missing.
    #[error("the schema of the database is behind this program: run `techsupport-api migrate up`")]
    SchemaBehind,
    /// The first administrator could not be created.
    #[error("the first administrator could not be created: {0}")]
    FirstAdmin(AppError),
    /// The operating system refuses something: a thread, an address, a signal handler.
    #[error("{what}: {source}")]
    System {
        /// What was wanted.
        what: String,
        /// What it said.
        source: io::Error,
    },
}

impl StartError {
    pub(crate) fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        |source| Self::System { what, source }
    }
}
