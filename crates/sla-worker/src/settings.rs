//! The settings of this program: its own section, and those of the crates it puts together.

use std::time::Duration;

use garde::Validate;
use serde::Deserialize;
use techsupport_application::deliveries::RetryPolicy;
use techsupport_bootstrap::{clock, monitor::MonitorSettings, settings::Profile, telemetry::LogSettings};
use techsupport_messaging::{BrokerSettings, ConsumerOptions};
use techsupport_notifications::NotificationSettings;
use techsupport_persistence::DatabaseSettings;
use techsupport_worker::{Needs, has_a_sound_url, has_a_url};

use crate::worker::NAME;

/// Everything `sla-worker` is told.
#[derive(Debug, Clone, Deserialize, Validate)]
pub struct SlaWorkerSettings {
    /// What the program is run for.
    #[garde(skip)]
    pub profile: Profile,
    /// The log.
    #[garde(dive)]
    pub log: LogSettings,
    /// PostgreSQL.
    #[garde(dive, custom(has_a_url))]
    pub database: DatabaseSettings,
    /// RabbitMQ.
    #[garde(dive, custom(has_a_sound_url))]
    pub broker: BrokerSettings,
    /// Attempts and limits.
    #[garde(dive)]
    pub worker: WorkerSettings,
    /// Metrics and health.
    #[garde(dive)]
    pub monitor: MonitorSettings,
    /// The channels.
    #[garde(dive)]
    pub notifications: NotificationSettings,
}

/// Section `[worker]`.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct WorkerSettings {
    /// Messages handled at once, of each queue.
    #[garde(range(min = 1, max = 100))]
    pub parallelism: u16,
    /// Attempts through a channel before a notification is given up.
    #[garde(range(min = 1, max = 100))]
    pub max_attempts: u32,
    /// The waits between attempts, in milliseconds; the last one repeats.
    #[garde(length(min = 1, max = 20), inner(range(min = 1, max = 86_400_000)))]
    pub retry_delays_ms: Vec<u64>,
    /// How much longer than the channel's own timeout an attempt counts as under way, in milliseconds.
    #[garde(range(min = 100, max = 600_000))]
    pub lease_margin_ms: u64,
    /// How long handling a message may take, in milliseconds. The broker takes a message back after 30
    /// minutes.
    #[garde(range(min = 1_000, max = 600_000))]
    pub message_budget_ms: u64,
    /// How often handling a message may fail unexpectedly before it is dead-lettered.
    #[garde(range(min = 1, max = 1_000))]
    pub max_failures: u32,
    /// How long to finish what is being handled once stopped, in milliseconds.
    #[garde(range(min = 1, max = 600_000))]
    pub drain_timeout_ms: u64,
    /// How long to wait for the database at the start, in milliseconds.
    #[garde(range(min = 1, max = 600_000))]
    pub database_wait_ms: u64,
}

impl SlaWorkerSettings {
    pub(crate) fn needs(&self) -> Needs<'_> {
        Needs {
            name: NAME,
            profile: self.profile,
            database: self.database(),
            database_wait: Duration::from_millis(self.worker.database_wait_ms),
            broker: &self.broker,
            monitor: &self.monitor,
        }
    }

    /// The database's settings, with a connection for each message that is handled at once.
    fn database(&self) -> DatabaseSettings {
        let pool_size = self.database.pool_size.max(self.worker.parallelism.into());
        DatabaseSettings { pool_size, ..self.database.clone() }
    }
}

impl WorkerSettings {
    pub(crate) fn retry_policy(&self) -> RetryPolicy {
        RetryPolicy {
            max_attempts: self.max_attempts,
            delays: self.retry_delays_ms.iter().map(|delay| Duration::from_millis(*delay)).collect(),
            lease_margin: Duration::from_millis(self.lease_margin_ms),
        }
    }

    pub(crate) fn consumer_options(&self) -> ConsumerOptions {
        ConsumerOptions {
            parallelism: self.parallelism,
            drain_timeout: Duration::from_millis(self.drain_timeout_ms),
            max_failures: self.max_failures,
            now: clock::now,
        }
    }

    pub(crate) fn message_budget(&self) -> Duration {
        Duration::from_millis(self.message_budget_ms)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use techsupport_bootstrap::settings::{Sources, load_from};

    use super::*;

    fn with(variables: &[(&str, &str)]) -> Result<SlaWorkerSettings, String> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let sources = Sources { folder: None, variables: variables.iter().map(owned).collect() };
        load_from(&sources).map_err(|error| error.to_string())
    }

    /// Within a section, unknown and missing keys are errors; so loading the embedded files shows that
    /// files and types agree.
    #[test]
    fn the_files_and_the_types_agree() {
        let settings = with(&[]).unwrap();
        assert_eq!(settings.worker.parallelism, 5);
        assert_eq!(settings.database().pool_size, settings.database.pool_size);
    }

    #[test]
    fn the_pool_grows_with_the_parallelism() {
        let settings = with(&[("TECHSUPPORT__WORKER__PARALLELISM", "20")]).unwrap();
        assert_eq!(settings.database().pool_size, 20);
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        assert!(with(&[("TECHSUPPORT__WORKER__PARALLELISM", "0")]).unwrap_err().contains("parallelism"));
        assert!(with(&[("DATABASE_URL", " ")]).unwrap_err().contains("DATABASE_URL"));
        let unescaped = with(&[("DATABASE_URL", "postgres://me:hun@ter@db/x")]).unwrap_err();
        assert!(unescaped.contains("%40") && !unescaped.contains("hun"), "{unescaped}");
        assert!(with(&[("AMQP_URL", "http://guest:hunter2@x")]).is_err_and(|e| !e.contains("hunter2")));
    }
}
