//! The sections of the background passes.

use garde::Validate;
use serde::Deserialize;

/// Section `[sweep]`.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct SweepSettings {
    /// Whether this process looks for deadlines that have passed.
    #[garde(skip)]
    pub enabled: bool,
    /// Tickets that one transaction takes.
    #[garde(range(min = 1, max = 10_000))]
    pub batch: u32,
    /// The longest sleep, in milliseconds.
    #[garde(range(min = 10, max = 3_600_000))]
    pub poll_ms: u64,
    /// The wait when a deadline has passed but somebody else holds the ticket, in milliseconds.
    #[garde(range(min = 1, max = 60_000))]
    pub contended_wait_ms: u64,
    /// The longest one pass may take, in milliseconds.
    #[garde(range(min = 100, max = 300_000))]
    pub budget_ms: u64,
    /// How long a ticket that cannot be processed is set aside at first, in milliseconds.
    #[garde(range(min = 100, max = 86_400_000))]
    pub set_aside_ms: u64,
    /// The wait after a pass that failed, in milliseconds; doubles each time.
    #[garde(range(min = 1, max = 60_000))]
    pub backoff_ms: u64,
    /// The longest of those, in milliseconds.
    #[garde(range(min = 1, max = 600_000))]
    pub max_backoff_ms: u64,
}

/// Section `[relay]`.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct RelaySettings {
    /// Whether this process brings events from the outbox to the broker.
    #[garde(skip)]
    pub enabled: bool,
    /// Events that are published together.
    #[garde(range(min = 1, max = 10_000))]
    pub batch: u32,
    /// How often the outbox is looked at while it is empty, in milliseconds.
    #[garde(range(min = 1, max = 60_000))]
    pub poll_ms: u64,
    /// How long an event that no queue wanted waits before it is tried again, in milliseconds.
    #[garde(range(min = 1, max = 3_600_000))]
    pub retry_after_ms: u64,
    /// The wait after a pass that failed, in milliseconds; doubles each time.
    #[garde(range(min = 1, max = 60_000))]
    pub backoff_ms: u64,
    /// The longest of those, in milliseconds.
    #[garde(range(min = 1, max = 600_000))]
    pub max_backoff_ms: u64,
}

/// Section `[feed]`.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct FeedSettings {
    /// Whether this process gives events their place in the feed.
    #[garde(skip)]
    pub enabled: bool,
    /// Events that one transaction appends.
    #[garde(range(min = 1, max = 100_000))]
    pub batch: u32,
    /// How often to look for new ones, in milliseconds.
    #[garde(range(min = 1, max = 60_000))]
    pub poll_ms: u64,
    /// How long one transaction may take, in milliseconds: all of the outbox may have to be compared with the feed.
    #[garde(range(min = 1_000, max = 86_400_000))]
    pub batch_timeout_ms: u64,
    /// The wait after a pass that failed, in milliseconds; doubles each time.
    #[garde(range(min = 1, max = 60_000))]
    pub backoff_ms: u64,
    /// The longest of those, in milliseconds.
    #[garde(range(min = 1, max = 600_000))]
    pub max_backoff_ms: u64,
}

/// Section `[dead_letters]`.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct DeadLetterSettings {
    /// Whether this process stores what the dead-letter queues hold.
    #[garde(skip)]
    pub collect: bool,
    /// Messages of each queue that are stored at once.
    #[garde(range(min = 1, max = 50))]
    pub parallelism: u16,
    /// How long storing one may take, in milliseconds.
    #[garde(range(min = 100, max = 300_000))]
    pub budget_ms: u64,
    /// Whether this process puts back what is to be put back.
    #[garde(skip)]
    pub replay: bool,
    /// Dead letters that are put back together.
    #[garde(range(min = 1, max = 10_000))]
    pub batch: u32,
    /// What those may come to, in bytes.
    #[garde(range(min = 1, max = 1_073_741_824))]
    pub batch_bytes: u64,
    /// How often to look for some, in milliseconds.
    #[garde(range(min = 1, max = 60_000))]
    pub poll_ms: u64,
    /// How long one that no queue took waits before it is tried again, in milliseconds.
    #[garde(range(min = 1, max = 3_600_000))]
    pub retry_after_ms: u64,
    /// The wait after a pass that failed, in milliseconds; doubles each time.
    #[garde(range(min = 1, max = 60_000))]
    pub backoff_ms: u64,
    /// The longest of those, in milliseconds.
    #[garde(range(min = 1, max = 600_000))]
    pub max_backoff_ms: u64,
    /// Dead letters that one `POST /api/queue/dlq/replay` puts back.
    #[garde(range(min = 1, max = 10_000))]
    pub replay_all_max: u32,
    /// Whether this process forgets what was put back or thrown away long ago; so often and so many as `[idempotency]`
    /// says.
    #[garde(skip)]
    pub forget: bool,
    /// How long that is remembered, in hours.
    #[garde(range(min = 1, max = 8_760))]
    pub keep_settled_hours: u64,
}

/// Section `[reports]`.
#[derive(Debug, Clone, Copy, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct ReportSettings {
    /// Whether this process moves changes of imported tickets into sums.
    #[garde(skip)]
    pub sum_up: bool,
    /// Changes that one transaction moves.
    #[garde(range(min = 1, max = 1_000_000))]
    pub batch: u32,
    /// How often to look for some, in milliseconds.
    #[garde(range(min = 1, max = 3_600_000))]
    pub poll_ms: u64,
    /// The wait after a full batch, in milliseconds.
    #[garde(range(min = 1, max = 60_000))]
    pub pause_ms: u64,
    /// How long one transaction may take, in milliseconds.
    #[garde(range(min = 1_000, max = 3_600_000))]
    pub batch_timeout_ms: u64,
    /// The wait after a pass that failed, in milliseconds; doubles each time.
    #[garde(range(min = 1, max = 60_000))]
    pub backoff_ms: u64,
    /// The longest of those, in milliseconds.
    #[garde(range(min = 1, max = 600_000))]
    pub max_backoff_ms: u64,
}

/// Section `[idempotency]`.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct IdempotencySettings {
    /// How long the answer to a request with an `Idempotency-Key` is kept, in seconds.
    #[garde(range(min = 60, max = 2_592_000))]
    pub lifetime_s: u64,
    /// Whether this process forgets those whose time is over.
    #[garde(skip)]
    pub enabled: bool,
    /// Answers that one transaction forgets.
    #[garde(range(min = 1, max = 10_000))]
    pub batch: u32,
    /// How often to look, in milliseconds.
    #[garde(range(min = 10, max = 3_600_000))]
    pub poll_ms: u64,
    /// The wait after a full batch, in milliseconds.
    #[garde(range(min = 1, max = 60_000))]
    pub pause_ms: u64,
    /// The longest one pass may take, in milliseconds.
    #[garde(range(min = 100, max = 300_000))]
    pub budget_ms: u64,
    /// The wait after a pass that failed, in milliseconds; doubles each time.
    #[garde(range(min = 1, max = 60_000))]
    pub backoff_ms: u64,
    /// The longest of those, in milliseconds.
    #[garde(range(min = 1, max = 600_000))]
    pub max_backoff_ms: u64,
}
