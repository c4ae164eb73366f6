//! Starting and stopping, in order: what comes later may rely on what came before.

use std::{io, sync::Arc, time::Duration};

use secrecy::ExposeSecret;
use techsupport_application::{
    AppError,
    ports::{Channel, Readiness},
};
use techsupport_bootstrap::{
    clock,
    monitor::{Missing, Monitor},
    secrets::WeakSecret,
    servers::refuse_weak_passwords,
};
use techsupport_messaging::{Consumer, Publisher, Subscription};
use techsupport_notifications::{LogChannel, LogTargetSettings, SinkError, Source};
use techsupport_persistence::Database;
use tokio_util::sync::CancellationToken;

use crate::{SlaWorkerSettings, deliver::Deliver};

/// What the database, the broker and the log see as the name of this program.
pub(crate) const NAME: &str = "sla-worker";

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
    /// Notifications have nowhere to go.
    #[error("notifications.log: {0}")]
    Log(#[from] SinkError),
    /// Nobody could watch over it.
    #[error("monitor: {0}")]
    Monitor(io::Error),
}

/// Works until `stop` is cancelled, then finishes what it holds. The database has to be there, and current;
/// the broker is waited for as long as it takes.
pub async fn run(settings: SlaWorkerSettings, stop: CancellationToken) -> Result<(), WorkerError> {
    refuse_weak_passwords(
        settings.profile,
        settings.database.url.expose_secret(),
        settings.broker.url.expose_secret(),
    )?;
    // First, so that nothing is measured in vain.
    let monitor = Monitor::bind(&settings.monitor).await.map_err(WorkerError::Monitor)?;
    describe_metrics();
    let database = Database::connect(&settings.database(), NAME);
    tokio::select! {
        () = stop.cancelled() => return Ok(()),
        ready = until_ready(database.clone(), settings.worker.database_wait()) => ready?,
    }
    let log = open_log(&settings.notifications.log)?;

    // Needed for as long as a message is held.
    let publishing = CancellationToken::new();
    let publisher = Publisher::start(&settings.broker, NAME, publishing.clone());
    if let Some(monitor) = monitor {
        tracing::info!(address = %monitor.address(), "telling of metrics and health");
        // Ends with the runtime: whoever watches wants to know how it stops, too.
        tokio::spawn(monitor.run(missing(&database, &publisher), CancellationToken::new()));
    }
    let consumer = |subscription: Subscription, channels: Vec<Box<dyn Channel>>| {
        let deliver = Deliver {
            work: database.unit_of_work(),
            consumer: subscription.name(),
            channels,
            retry: settings.worker.retry_policy(),
            budget: settings.worker.message_budget(),
        };
        Consumer::new(
            &settings.broker,
            subscription,
            NAME,
            settings.worker.consumer_options(),
            publisher.clone(),
            Arc::new(deliver),
            stop.clone(),
        )
    };
    let sla_events = consumer(Subscription::SlaEvents, vec![Box::new(log)]);
    // No channel wants these yet; taking them off the queue keeps it from filling up.
    let webhook_events = consumer(Subscription::WebhookEvents, vec![]);
    tokio::join!(sla_events.run(), webhook_events.run());
    publishing.cancel();
    publisher.ended().await;
    Ok(())
}

/// Says what each figure means, and begins to count at zero: what first appears as one never rose.
fn describe_metrics() {
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

fn open_log(settings: &LogTargetSettings) -> Result<LogChannel, SinkError> {
    let log = LogChannel::open(settings, Source::here(NAME), clock::now)?;
    if !log.can_check() {
        tracing::warn!("notifications go to a pipe or a terminal: after a crash some may be repeated");
    }
    Ok(log)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use techsupport_bootstrap::settings::{Sources, load_from};

    use super::*;

    #[tokio::test]
    async fn production_does_not_start_with_default_passwords() {
        let variables = [
            ("TECHSUPPORT_PROFILE", "production"),
            ("DATABASE_URL", "postgres://me@db/x"),
            ("AMQP_URL", "amqp://guest:guest@broker/%2f"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let settings = load_from(&Sources { folder: None, variables }).unwrap();
        let outcome = run(settings, CancellationToken::new()).await;
        assert!(matches!(outcome, Err(WorkerError::WeakSecret(_))), "{outcome:?}");
    }
}
