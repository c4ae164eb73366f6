//! The process around what a program does: its settings, its log, its runtime, the signals that end it, and what it
//! says when it fails.

use std::{
    fmt::Display,
    io::{self, Write},
    net::SocketAddr,
    process::ExitCode,
    time::Duration,
};

use garde::Validate;
use serde::{Deserialize, de::DeserializeOwned};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::{
    monitor::{AskError, MonitorSettings, ask},
    settings::{self, SettingsError},
    shutdown,
    telemetry::{self, LogSettings, TelemetryError},
};

/// How long threads that are still busy have when everything else has ended.
const LAST_WAIT: Duration = Duration::from_millis(200);

/// Why a program failed. `E`: at its own work.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError<E> {
    /// It was told nonsense.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Nothing can be logged.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// At its work.
    #[error(transparent)]
    Work(E),
    /// The one that was asked how it is does not answer.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// It does, and lacks something.
    #[error("{0}")]
    Unwell(String),
    /// There is no runtime.
    #[error("the operating system refuses threads or signals: {0}")]
    System(#[from] io::Error),
}

/// Works from the settings of this process until it has ended what it held when SIGTERM or SIGINT came.
pub fn work<S, W, E>(
    name: &'static str,
    log: fn(&S) -> &LogSettings,
    run: impl FnOnce(S, CancellationToken) -> W,
) -> Result<(), ProgramError<E>>
where
    S: DeserializeOwned + Validate<Context = ()>,
    W: Future<Output = Result<(), E>>,
{
    let settings: S = settings::load()?;
    telemetry::init(name, log(&settings))?;
    let runtime = Runtime::new()?;
    let outcome = runtime.block_on(async {
        let stop = shutdown::on_signal()?;
        run(settings, stop).await.map_err(ProgramError::Work)
    });
    // Whatever a blocked thread still holds was not acknowledged.
    runtime.shutdown_timeout(LAST_WAIT);
    if outcome.is_ok() {
        tracing::info!("stopped");
    }
    outcome
}

/// Asks the monitor of the process that runs on this machine, with the settings of this one, whether it has what it
/// needs: what a health check of a container calls.
pub fn ask_whether_ready<E>() -> Result<(), ProgramError<E>> {
    let Watched { monitor } = settings::load()?;
    let limit = Duration::from_millis(monitor.timeout_ms);
    match ask(SocketAddr::new(monitor.bind, monitor.port), "/health/ready", limit)? {
        (200, _) => Ok(()),
        (_, body) => Err(ProgramError::Unwell(body)),
    }
}

/// Where to ask.
#[derive(Debug, Deserialize, Validate)]
struct Watched {
    #[garde(dive)]
    monitor: MonitorSettings,
}

/// What a program ends with. What went wrong is one line on standard error.
pub fn ended(name: &str, outcome: Result<(), impl Display>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "stopped");
            let line = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
            let told = writeln!(io::stderr(), "{name}: {line}");
            // Where standard error is closed, the exit code has to do.
            drop(told);
            ExitCode::FAILURE
        }
    }
}
