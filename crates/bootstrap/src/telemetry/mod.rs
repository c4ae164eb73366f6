//! Logging: tracing, written as bunyan JSON, one line an event, each with one write.
//!
//! The fields of the spans an event happens in are members of its line. Spans themselves are not printed:
//! one request is one line, not three.

mod capture;
mod events_only;
mod filter;
mod panics;
mod settings;

use std::{
    fs::File,
    io::{self, Write},
    os::fd::AsFd,
    sync::{Mutex, PoisonError},
};

use tracing_bunyan_formatter::{BunyanFormattingLayer, JsonStorageLayer};
use tracing_subscriber::{layer::SubscriberExt, util::SubscriberInitExt};

pub use capture::{Captured, capture};
use events_only::EventsOnly;
use filter::LineFilter;
pub use settings::LogSettings;

/// Why nothing can be logged.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter cannot be understood.
    #[error("log.level or log.filter: {0}")]
    Filter(String),
    /// Standard output is closed.
    #[error("standard output cannot be used: {0}")]
    Output(#[from] io::Error),
    /// Somebody else installed a subscriber for this process.
    #[error("logging was set up by somebody else")]
    Taken,
}

/// Held while the process-wide subscriber is made; filled once it stands.
static INSTALLED: Mutex<bool> = Mutex::new(false);

/// Sets up logging to standard output for the whole process. Only the first call counts: tests start
/// several servers in one process.
pub fn init(service: &str, settings: &LogSettings) -> Result<(), TelemetryError> {
    init_with(service, settings, stdout()?)
}

/// Like [`init`], to a writer of choice. Each line is handed to it with one call of `write_all`.
pub fn init_with(
    service: &str,
    settings: &LogSettings,
    output: impl Write + Send + 'static,
) -> Result<(), TelemetryError> {
    let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
    if *installed {
        return Ok(());
    }
    let lines = BunyanFormattingLayer::new(service.to_owned(), Mutex::new(output))
        .skip_fields(["file", "line"].into_iter())
        .map_err(|error| TelemetryError::Filter(error.to_string()))?;
    tracing_subscriber::registry()
        .with(LineFilter::new(settings)?)
        .with(JsonStorageLayer)
        .with(EventsOnly(lines))
        .try_init()
        .map_err(|_| TelemetryError::Taken)?;
    panics::log_panics();
    *installed = true;
    Ok(())
}

/// Standard output without Rust's line buffer, which would cut long lines into several writes. It shares
/// offset and flags with the descriptor, so that several writers can append to one file.
fn stdout() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}
