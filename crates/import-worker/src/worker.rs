//! Starting and stopping, in order: what comes later may rely on what came before.

use std::{env, io, sync::Arc, time::Duration};

use secrecy::ExposeSecret;
use techsupport_application::{AppError, ports::Readiness};
use techsupport_bootstrap::{
    monitor::{Missing, Monitor},
    secrets::WeakSecret,
    servers::refuse_weak_passwords,
};
use techsupport_messaging::{Consumer, Publisher, Subscription};
use techsupport_persistence::Database;
use techsupport_spreadsheet::ProcessParser;
use tokio_util::sync::CancellationToken;

use crate::{ImportWorkerSettings, cli::PARSE, housekeeping::keep_house, import::Import, meters};

/// What the database, the broker and the log see as the name of this program.
pub(crate) const NAME: &str = "import-worker";

/// How long the database may take to say that it is there when somebody asks how the worker is.
const HEALTH_LIMIT: Duration = Duration::from_secs(1);

/// Why the worker does not run.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// Production needs better secrets.
    #[error("{0}; the production profile does not start with it")]
    WeakSecret(#[from] WeakSecret),
    /// The database cannot be used.
    #[error("the database cannot be used: {0}")]
    Database(AppError),
    /// Migrations are missing.
    #[error("the schema of the database is behind this program: run `techsupport-api migrate up`")]
    SchemaBehind,
    /// It does not know where its own program is, which reads the files.
    #[error("this program cannot find itself: {0}")]
    Program(io::Error),
    /// Nobody could watch over it.
    #[error("monitor: {0}")]
    Monitor(io::Error),
}

/// Works until `stop` is cancelled, then finishes the chunk it holds. The database has to be there, and current; the
/// broker is waited for as long as it takes.
pub async fn run(settings: ImportWorkerSettings, stop: CancellationToken) -> Result<(), WorkerError> {
    refuse_weak_passwords(
        settings.profile,
        settings.database.url.expose_secret(),
        settings.broker.url.expose_secret(),
    )?;
    let program = env::current_exe().map_err(WorkerError::Program)?;
    // First, so that nothing is measured in vain.
    let monitor = Monitor::bind(&settings.monitor).await.map_err(WorkerError::Monitor)?;
    describe_metrics();
    let database = Database::connect(&settings.database(), NAME);
    tokio::select! {
        () = stop.cancelled() => return Ok(()),
        ready = until_ready(database.clone(), settings.imports.database_wait()) => ready?,
    }
    // Needed for as long as a message is held.
    let publishing = CancellationToken::new();
    let publisher = Publisher::start(&settings.broker, NAME, publishing.clone());
    if let Some(monitor) = monitor {
        tracing::info!(address = %monitor.address(), "telling of metrics and health");
        // Ends with the runtime: whoever watches wants to know how it stops, too.
        tokio::spawn(monitor.run(missing(&database, &publisher), CancellationToken::new()));
    }
    let jobs = database.import_jobs();
    let import = Import {
        jobs: Arc::clone(&jobs),
        parser: Arc::new(ProcessParser::new(program, PARSE, settings.imports.parser_limits())),
        terms: settings.imports.terms(),
        stop: stop.clone(),
    };
    let consumer = Consumer::new(
        &settings.broker,
        Subscription::TicketImports,
        NAME,
        settings.imports.consumer_options(),
        publisher.clone(),
        Arc::new(import),
        stop.clone(),
    );
    tokio::join!(consumer.run(), keep_house(jobs, settings.imports.clone(), stop.clone()));
    publishing.cancel();
    publisher.ended().await;
    Ok(())
}

/// Says what each figure means, and begins to count at zero: what first appears as one never rose.
fn describe_metrics() {
    meters::describe();
    techsupport_messaging::describe_metrics();
    techsupport_persistence::describe_metrics();
}

/// What `/health/ready` asks.
fn missing(database: &Database, publisher: &Publisher) -> Missing {
    let (database, publisher) = (database.clone(), publisher.clone());
    Arc::new(move || match database.wait_until_ready(HEALTH_LIMIT) {
        Err(_) => Some("the database"),
        Ok(Readiness::SchemaBehind) => Some("a migration of the database"),
        Ok(Readiness::Ready) => (!publisher.is_connected()).then_some("the broker"),
    })
}

async fn until_ready(database: Database, limit: Duration) -> Result<(), WorkerError> {
    let waiting = tokio::task::spawn_blocking(move || database.wait_until_ready(limit));
    match waiting.await.unwrap_or_else(|panic| Err(AppError::internal(panic))) {
        Ok(Readiness::Ready) => Ok(()),
        Ok(Readiness::SchemaBehind) => Err(WorkerError::SchemaBehind),
        Err(error) => Err(WorkerError::Database(error)),
    }
}
