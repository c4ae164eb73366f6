//! Dead letters: messages that were given up, on their way from the broker into the database and back.
//!
//! A queue cannot be listed, and nothing can be taken out of its middle. So what the broker's dead-letter queues hold
//! is stored as rows, acknowledged once it is, and put back from there.

use std::time::Duration;

use techsupport_domain::{EventId, UserId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{AppError, Budget, Page, Paged};

/// A message that was given up, with what is needed to publish it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUp {
    /// The subscription whose consumer gave it up.
    pub queue: String,
    /// What tells it apart from other messages: the id its publisher gave it, or a digest of its body.
    pub key: String,
    /// How often it was put back. With the key, which dying of the message this is.
    pub replay: u32,
    /// The type its publisher gave it.
    pub kind: Option<String>,
    /// What its body is.
    pub content_type: Option<String>,
    /// The trace it belongs to.
    pub traceparent: Option<String>,
    /// The body.
    pub body: Vec<u8>,
    /// How often it was tried, all replays together.
    pub attempts: u32,
}

/// A message as it was found in a dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundDeadLetter {
    /// The message.
    pub message: GivenUp,
    /// Why it was given up.
    pub error: String,
    /// When, if it is known.
    pub failed_at: Option<OffsetDateTime>,
    /// Whether it is another message than all with the same key so far: it has no id, only a body that says the same,
    /// and was handed to nobody before.
    pub distinct: bool,
}

/// A dead letter as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterRow {
    /// Identity.
    pub id: Uuid,
    /// The subscription whose consumer gave it up.
    pub queue: String,
    /// The message's body.
    pub body: Vec<u8>,
    /// How often it was tried, all replays together.
    pub attempts: u32,
    /// Why it was given up.
    pub error: String,
    /// When.
    pub failed_at: OffsetDateTime,
}

/// What has become of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadLetterState {
    /// Nobody has decided.
    Dead,
    /// It is to be put back.
    Queued,
    /// It was put back.
    Replayed,
    /// It was thrown away.
    Discarded,
}

impl DeadLetterState {
    /// All of them.
    pub const ALL: [DeadLetterState; 4] = [
        DeadLetterState::Dead,
        DeadLetterState::Queued,
        DeadLetterState::Replayed,
        DeadLetterState::Discarded,
    ];

    /// As it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            DeadLetterState::Dead => "DEAD",
            DeadLetterState::Queued => "QUEUED",
            DeadLetterState::Replayed => "REPLAYED",
            DeadLetterState::Discarded => "DISCARDED",
        }
    }
}

/// A dead letter that was locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedDeadLetter {
    /// The subscription whose consumer gave it up.
    pub queue: String,
    /// The event it tells of, if it is one of ours.
    pub event: Option<EventId>,
    /// What has become of it.
    pub state: DeadLetterState,
}

/// A dead letter that is to be put back from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedDeadLetter {
    /// Identity.
    pub id: Uuid,
    /// The subscription whose consumer gave it up.
    pub queue: String,
    /// The event it tells of, if it is one of ours.
    pub event: Option<EventId>,
}

/// Dead letters that are to be put back from now on, and how many are not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedDeadLetters {
    /// Those that are.
    pub letters: Vec<QueuedDeadLetter>,
    /// See [`ReplayedAll::remaining`].
    pub remaining: i64,
}

/// What came of putting back all there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayedAll {
    /// So many are to be put back by this.
    pub queued: u32,
    /// So many are left, beyond the limit or decided about by somebody else at the same moment. Not counted further than
    /// some hundred thousand.
    pub remaining: i64,
}

/// Dead letters inside a transaction.
pub trait DeadLetterTx {
    /// Stores one, unless this dying of this message is stored already; says whether it was new. One that was put back
    /// and given up after that under the same number (somebody published it again by hand) is to be decided about again.
    fn keep_dead_letter(
        &mut self,
        id: Uuid,
        event: Option<EventId>,
        found: &FoundDeadLetter,
    ) -> Result<bool, AppError>;

    /// What has become of one, at this moment.
    fn dead_letter_state(&mut self, id: Uuid) -> Result<Option<DeadLetterState>, AppError>;

    /// Locks one (`SELECT … FOR UPDATE`). While somebody else holds it: waits, or finds nothing.
    fn lock_dead_letter(&mut self, id: Uuid, wait: bool) -> Result<Option<LockedDeadLetter>, AppError>;

    /// Has a locked one put back, and lets what its consumer gave up of its event be tried again as often as if it were
    /// new.
    fn queue_dead_letter(&mut self, id: Uuid, by: Option<UserId>) -> Result<(), AppError>;

    /// The same for those nobody has decided about, oldest first, `limit` at most, passing over what is locked.
    fn queue_dead_letters(&mut self, limit: u32, by: Option<UserId>) -> Result<QueuedDeadLetters, AppError>;

    /// Throws a locked one away; what it said is gone. What it would have let be tried again stays given up.
    fn discard_dead_letter(&mut self, id: Uuid, by: Option<UserId>) -> Result<(), AppError>;

    /// Removes rows that were settled at least so long ago, `limit` at most. Returns how many.
    fn forget_dead_letters(&mut self, settled_before: Duration, limit: u32) -> Result<u32, AppError>;
}

/// Which dead letters to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadLetterFilter {
    /// Of this subscription; of all when `None`.
    pub queue: Option<String>,
}

/// What the database knows of the queues.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct QueueFigures {
    /// Deliveries and imports that somebody is at: their lease has not ended.
    pub active: i64,
    /// Events that a consumer has finished with, and imports that ended and did not fail. Beyond a million an estimate.
    pub completed: i64,
    /// Deliveries that wait for another attempt after one that failed, and imports that failed.
    pub failed: i64,
    /// Dead letters that are not back in their queue, by subscription; one without any may be missing. Not counted
    /// further than some hundred thousand.
    pub dead: Vec<(String, i64)>,
    /// Events that were not published yet.
    pub outbox_pending: i64,
    /// How long the oldest of them has been waiting, in seconds.
    pub outbox_oldest_seconds: f64,
}

/// Reads of dead letters.
pub trait DeadLetterReader {
    /// Those that nobody has decided about, and those that were to be put back but could not be, latest first (by when
    /// they were given up, then by id). Fewer than a page holds where they are large: what they come to together is bounded.
    fn dead_letters(
        &self,
        budget: &Budget,
        filter: &DeadLetterFilter,
        page: Page,
    ) -> Result<Paged<DeadLetterRow>, AppError>;

    /// What the database knows of the queues, of one moment.
    fn queue_figures(&self, budget: &Budget) -> Result<QueueFigures, AppError>;
}

/// What the broker knows of one subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerQueue {
    /// The subscription.
    pub name: &'static str,
    /// Messages that wait in its main queue and on its retry path.
    pub ready: u64,
    /// Who reads its main queue.
    pub consumers: u32,
    /// Messages in its dead-letter queue that are not stored yet.
    pub uncollected: u64,
}

/// Asks the broker.
pub trait BrokerFigures: Send + Sync {
    /// Every subscription, always in the same order. Blocks: never call it from async code. Bounded by a timeout of its
    /// own and by the budget; [`AppError::Unavailable`] when the broker does not answer within it.
    fn queues(&self, budget: &Budget) -> Result<Vec<BrokerQueue>, AppError>;
}

/// A dead letter on its way back, to the subscription that gave it up and nobody else: the others had it already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayMessage {
    /// The row.
    pub id: Uuid,
    /// The message. It was put back so often, this time included.
    pub message: GivenUp,
}

/// What the broker made of dead letters that were put back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplayReport {
    /// In their queue, confirmed by the broker.
    pub replayed: Vec<Uuid>,
    /// In no queue this time, each with the reason.
    pub failed: Vec<(Uuid, String)>,
    /// In no queue, however often it is tried, each with the reason.
    pub refused: Vec<(Uuid, String)>,
}

/// How much to put back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayBatch {
    /// So many at most.
    pub messages: u32,
    /// So many bytes at most; a larger one goes alone.
    pub bytes: u64,
    /// How long one that could not be put back waits.
    pub retry_after: Duration,
}

/// Puts dead letters into the queue they died in.
pub trait DeadLetterPublisher: Send + Sync {
    /// Persistent, with confirms. Blocks; bounded by a timeout. An error means that nothing is known of any message of
    /// the batch: what did arrive arrives again, and consumers drop the repeat.
    fn put_back(&self, batch: &[ReplayMessage]) -> Result<ReplayReport, AppError>;
}

/// The dead letters that are to be put back.
pub trait DeadLetterReplays: Send + Sync {
    /// Takes a batch of them, passing over those that somebody else holds; calls `put_back`; marks what it reports. What
    /// failed waits before it is taken again, each alone: one of them may be what the others failed for. What was refused
    /// is to be decided about again.
    ///
    /// The transaction is open during the network call, as the relay's is, so that a crash at any point lets go of the
    /// batch at once.
    fn replay(
        &self,
        batch: ReplayBatch,
        put_back: &mut dyn FnMut(&[ReplayMessage]) -> Result<ReplayReport, AppError>,
    ) -> Result<ReplayReport, AppError>;
}
