//! How the database is reached and how long anything with it may take.

use std::time::Duration;

use garde::Validate;
use secrecy::SecretString;
use serde::Deserialize;

/// Section `[database]` of the settings.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSettings {
    /// `postgres://user:password@host:port/name`. Secret.
    #[garde(skip)]
    pub url: SecretString,
    /// Connections a process opens at most.
    #[garde(range(min = 1, max = 200))]
    pub pool_size: u32,
    /// How long to wait for a free connection, in milliseconds.
    #[garde(range(min = 1, max = 30_000))]
    pub checkout_timeout_ms: u64,
    /// How long opening a connection may take, in milliseconds; libpq counts whole seconds, 2 at least.
    #[garde(range(min = 2_000, max = 60_000))]
    pub connect_timeout_ms: u64,
    /// How long one statement may take, in milliseconds. A request that has less time left gives less.
    #[garde(range(min = 10, max = 300_000))]
    pub statement_timeout_ms: u64,
    /// How long a statement may wait for a lock, in milliseconds.
    #[garde(range(min = 1, max = 60_000))]
    pub lock_timeout_ms: u64,
    /// How long a transaction may stay open without a statement, in milliseconds. Longer than the broker's
    /// confirm timeout, because the relay publishes inside of one.
    #[garde(range(min = 1_000, max = 300_000))]
    pub idle_in_transaction_timeout_ms: u64,
    /// How often a transaction is repeated after a deadlock or a serialization failure.
    #[garde(range(max = 20))]
    pub max_retries: u32,
    /// The wait before the first repetition, in milliseconds; doubles each time, half of it random.
    #[garde(range(min = 1, max = 1_000))]
    pub retry_backoff_ms: u64,
    /// How long a connection uses the plan of a statement that changes something, in milliseconds. Shorter: tables
    /// that grow from nothing are planned for sooner. Longer: less planning.
    #[garde(range(min = 100, max = 3_600_000))]
    pub plan_lifetime_ms: u64,
    /// How long sent data may stay unacknowledged by the server's host before the connection counts as
    /// dead, in milliseconds.
    #[garde(range(min = 1_000, max = 300_000))]
    pub tcp_user_timeout_ms: u64,
    /// A new deadline nearer than this wakes every sweep at once, in milliseconds. At least as long as a
    /// sweep sleeps at most (`sweep.poll_ms`): farther ones are found by the next look.
    #[garde(range(min = 1_000, max = 3_600_000))]
    pub notify_horizon_ms: u64,
}

impl DatabaseSettings {
    pub(crate) fn checkout_timeout(&self) -> Duration {
        Duration::from_millis(self.checkout_timeout_ms)
    }
}
