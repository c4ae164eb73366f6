//! Storing what the dead-letter queues hold.

use std::{sync::Arc, time::Duration};

use techsupport_application::{
    AppError, Budget,
    dead_letters::collect_dead_letter,
    ports::{FoundDeadLetter, UnitOfWork},
};
use techsupport_bootstrap::{clock, ids};
use techsupport_messaging::{BrokerSettings, Collector, Consumer, ConsumerOptions, Publisher, Subscription};
use techsupport_persistence::Database;
use tokio::{
    task::JoinSet,
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::settings::{DeadLetterSettings, ms};

/// Keeps dead letters in the database.
struct Keep {
    work: Arc<dyn UnitOfWork + Send + Sync>,
    budget: Duration,
}

impl Collector for Keep {
    fn collect(&self, found: &FoundDeadLetter) -> Result<(), AppError> {
        let budget = Budget::lasting(self.budget);
        if collect_dead_letter(self.work.as_ref(), &budget, ids::new_id, found)? {
            tracing::warn!(
                subscription = found.message.queue,
                attempts = found.message.attempts,
                reason = found.error,
                "keeping a dead letter"
            );
        }
        Ok(())
    }
}

/// The consumers of all dead-letter queues.
pub(crate) struct Collecting {
    stop: CancellationToken,
    running: JoinSet<()>,
}

impl Collecting {
    /// Starts them. Must be called within a tokio runtime.
    pub(crate) fn start(
        (broker, name): (&BrokerSettings, &str),
        settings: &DeadLetterSettings,
        drain_timeout: Duration,
        database: &Database,
        publisher: &Publisher,
    ) -> Self {
        let stop = CancellationToken::new();
        let keep: Arc<dyn Collector> =
            Arc::new(Keep { work: database.unit_of_work(), budget: ms(settings.budget_ms) });
        let mut running = JoinSet::new();
        for subscription in Subscription::ALL {
            let options = ConsumerOptions {
                parallelism: settings.parallelism,
                drain_timeout,
                max_failures: u32::MAX,
                now: clock::now,
            };
            let (keep, stop) = (Arc::clone(&keep), stop.clone());
            let consumer =
                Consumer::collecting(broker, subscription, name, options, publisher.clone(), keep, stop);
            running.spawn(consumer.run());
        }
        Self { stop, running }
    }

    /// Ends them with what they hold. What takes longer than `limit` is left behind and comes again.
    pub(crate) async fn stop(mut self, limit: Duration) {
        self.stop.cancel();
        let deadline = Instant::now() + limit;
        while let Ok(Some(ended)) = timeout_at(deadline, self.running.join_next()).await {
            if let Err(error) = ended {
                tracing::error!(%error, "collecting dead letters ended with a panic");
            }
        }
    }
}
