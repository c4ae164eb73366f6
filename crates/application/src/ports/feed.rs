//! The feed of events: the order in which they became visible.

use crate::{AppError, Budget, events::EventType};

/// A place in the feed: behind the event with this number. Numbers only grow; some may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct FeedPosition(pub i64);

/// An event of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEvent {
    /// The place behind it.
    pub position: FeedPosition,
    /// The `CloudEvents` document, to the letter as it is published.
    pub body: String,
}

/// Which part of the feed to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedQuery {
    /// What comes behind this.
    pub after: FeedPosition,
    /// Only events of these types; all when empty.
    pub types: Vec<EventType>,
    /// So many at most.
    pub limit: u16,
}

/// Reads of the feed.
pub trait FeedReader {
    /// The next events, in their order. `None` when the feed does not reach as far as `after`.
    fn feed(&self, budget: &Budget, query: &FeedQuery) -> Result<Option<Vec<FeedEvent>>, AppError>;
}

/// Gives events their place in the feed.
pub trait FeedKeeper: Send + Sync {
    /// Appends up to `limit` events that can be seen now and are not in the feed, and wakes whoever waits
    /// for them. Returns how many; none also when somebody else is at it.
    ///
    /// What was committed before another event was written comes before it. Nothing is ever put in front of
    /// what can be read already.
    fn append(&self, limit: u32) -> Result<u32, AppError>;
}
