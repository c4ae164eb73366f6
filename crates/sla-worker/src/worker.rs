//! Starting and stopping, in order: what comes later may rely on what came before.

use std::sync::Arc;

use secrecy::ExposeSecret;
use techsupport_application::{
    AppError,
    ports::{Channel, Readiness},
};
use techsupport_bootstrap::{clock, secrets::WeakSecret, servers::refuse_weak_passwords};
use techsupport_messaging::{Consumer, Publisher, Subscription};
use techsupport_notifications::{LogChannel, LogTargetSettings, SinkError, Source};
use techsupport_persistence::Database;
use tokio_util::sync::CancellationToken;

use crate::{SlaWorkerSettings, deliver::Deliver};

/// What the database, the broker and the log see as the name of this program.
pub(crate) const NAME: &str = "sla-worker";

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
}

/// Works until `stop` is cancelled, then finishes what it holds. The database has to be there, and current;
/// the broker is waited for as long as it takes.
pub async fn run(settings: SlaWorkerSettings, stop: CancellationToken) -> Result<(), WorkerError> {
    refuse_weak_passwords(
        settings.profile,
        settings.database.url.expose_secret(),
        settings.broker.url.expose_secret(),
    )?;
    let database = Database::connect(&settings.database(), NAME);
    tokio::select! {
        () = stop.cancelled() => return Ok(()),
        ready = until_ready(database.clone(), settings.worker.database_wait()) => ready?,
    }
    let log = open_log(&settings.notifications.log)?;

    // Needed for as long as a message is held.
    let publishing = CancellationToken::new();
    let publisher = Publisher::start(&settings.broker, NAME, publishing.clone());
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

async fn until_ready(database: Database, limit: std::time::Duration) -> Result<(), WorkerError> {
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
