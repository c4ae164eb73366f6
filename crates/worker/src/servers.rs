//! The database and the broker of a worker, in order: what comes later may rely on what came before.

use std::{io, sync::Arc, time::Duration};

use secrecy::ExposeSecret;
use techsupport_application::{AppError, ports::Readiness};
use techsupport_bootstrap::{
    monitor::{Missing, Monitor, MonitorSettings},
    secrets::WeakSecret,
    servers::refuse_weak_passwords,
    settings::Profile,
};
use techsupport_messaging::{BrokerSettings, Publisher};
use techsupport_persistence::{Database, DatabaseSettings};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How long the database may take to say that it is there when somebody asks how the worker is.
const HEALTH_LIMIT: Duration = Duration::from_secs(1);

/// Why a worker has no servers.
#[derive(Debug, thiserror::Error)]
pub enum ServersError {
    /// Production needs better secrets.
    #[error("{0}; the production profile does not start with it")]
    WeakSecret(#[from] WeakSecret),
    /// The database cannot be used.
    #[error("the database cannot be used: {0}")]
    Database(AppError),
    /// Migrations are missing.
    #[error("the schema of the database is behind this program: run `techsupport-api migrate up`")]
    SchemaBehind,
    /// Nobody could watch over it.
    #[error("monitor: {0}")]
    Monitor(io::Error),
}

/// What a worker is told of its servers.
#[derive(Debug)]
pub struct Needs<'a> {
    /// What they see as its name.
    pub name: &'static str,
    /// What it is run for.
    pub profile: Profile,
    /// PostgreSQL.
    pub database: DatabaseSettings,
    /// How long to wait for it.
    pub database_wait: Duration,
    /// RabbitMQ.
    pub broker: &'a BrokerSettings,
    /// Metrics and health.
    pub monitor: &'a MonitorSettings,
}

/// The servers of a worker.
pub struct Servers {
    /// PostgreSQL.
    pub database: Database,
    /// What publishes to RabbitMQ; needed for as long as a message is held.
    pub publisher: Publisher,
    publishing: DropGuard,
}

impl Servers {
    /// The database has to be there, and current; the broker is waited for as long as it takes, but not here. `None`
    /// when `stop` was cancelled meanwhile.
    pub async fn find(needs: Needs<'_>, stop: &CancellationToken) -> Result<Option<Self>, ServersError> {
        let Needs { name, profile, database, database_wait, broker, monitor } = needs;
        refuse_weak_passwords(profile, database.url.expose_secret(), broker.url.expose_secret())?;
        // First, so that nothing is measured in vain.
        let monitor = Monitor::bind(monitor).await.map_err(ServersError::Monitor)?;
        techsupport_messaging::describe_metrics();
        techsupport_persistence::describe_metrics();
        let database = Database::connect(&database, name);
        tokio::select! {
            () = stop.cancelled() => return Ok(None),
            ready = until_ready(database.clone(), database_wait) => ready?,
        }
        let publishing = CancellationToken::new();
        let publisher = Publisher::start(broker, name, publishing.clone());
        if let Some(monitor) = monitor {
            tracing::info!(address = %monitor.address(), "telling of metrics and health");
            // Ends with the runtime: whoever watches wants to know how it stops, too.
            tokio::spawn(monitor.run(missing(&database, &publisher), CancellationToken::new()));
        }
        Ok(Some(Self { database, publisher, publishing: publishing.drop_guard() }))
    }

    /// Says goodbye, once no message is held any more.
    pub async fn leave(self) {
        drop(self.publishing);
        self.publisher.ended().await;
    }
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

async fn until_ready(database: Database, limit: Duration) -> Result<(), ServersError> {
    let waiting = tokio::task::spawn_blocking(move || database.wait_until_ready(limit));
    match waiting.await.unwrap_or_else(|panic| Err(AppError::internal(panic))) {
        Ok(Readiness::Ready) => Ok(()),
        Ok(Readiness::SchemaBehind) => Err(ServersError::SchemaBehind),
        Err(error) => Err(ServersError::Database(error)),
    }
}
