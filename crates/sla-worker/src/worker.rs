//! Starting and stopping, in order: what comes later may rely on what came before.

use std::sync::Arc;

use techsupport_application::ports::Channel;
use techsupport_bootstrap::clock;
use techsupport_messaging::{Consumer, Subscription};
use techsupport_notifications::{LogChannel, LogTargetSettings, SinkError, Source};
use techsupport_worker::{Servers, ServersError};
use tokio_util::sync::CancellationToken;

use crate::{SlaWorkerSettings, deliver::Deliver};

/// What the database, the broker and the log see as the name of this program.
pub(crate) const NAME: &str = "sla-worker";

/// Why the worker does not run.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// It has no servers.
    #[error(transparent)]
    Servers(#[from] ServersError),
    /// Notifications have nowhere to go.
    #[error("notifications.log: {0}")]
    Log(#[from] SinkError),
}

/// Works until `stop` is cancelled, then finishes what it holds.
pub async fn run(settings: SlaWorkerSettings, stop: CancellationToken) -> Result<(), WorkerError> {
    let Some(servers) = Servers::find(settings.needs(), &stop).await? else { return Ok(()) };
    let log = open_log(&settings.notifications.log)?;
    let consumer = |subscription: Subscription, channels: Vec<Box<dyn Channel>>| {
        let deliver = Deliver {
            work: servers.database.unit_of_work(),
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
            servers.publisher.clone(),
            Arc::new(deliver),
            stop.clone(),
        )
    };
    let sla_events = consumer(Subscription::SlaEvents, vec![Box::new(log)]);
    // No channel wants these yet; taking them off the queue keeps it from filling up.
    let webhook_events = consumer(Subscription::WebhookEvents, vec![]);
    tokio::join!(sla_events.run(), webhook_events.run());
    servers.leave().await;
    Ok(())
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
        assert!(matches!(outcome, Err(WorkerError::Servers(ServersError::WeakSecret(_)))), "{outcome:?}");
    }
}
