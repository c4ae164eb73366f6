//! From the outbox to the broker.

use std::time::Duration;

use techsupport_domain::EventId;

use crate::{AppError, events::OutboxMessage};

/// What the broker made of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublishReport {
    /// Confirmed and routed to at least one queue.
    pub published: Vec<EventId>,
    /// Confirmed or refused, but not in any queue, each with the reason. They stay in the outbox.
    pub failed: Vec<PublishFailure>,
}

/// An event that did not reach a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishFailure {
    /// Which one.
    pub event: EventId,
    /// Why, for the operator.
    pub reason: String,
}

/// Publishes events persistently, with confirms, and waits for the outcome. Blocks; bounded by a timeout.
pub trait EventPublisher: Send + Sync {
    /// An error means that nothing is known of any message of the batch: all of it stays in the outbox,
    /// and what did arrive arrives again; consumers drop the repeat.
    fn publish(&self, batch: &[OutboxMessage]) -> Result<PublishReport, AppError>;
}

/// The events that have to leave the process.
pub trait Outbox: Send + Sync {
    /// Takes up to `limit` unpublished events, those that wait longest first, passing over the ones that
    /// another relay holds; calls `publish`; marks what it reports. Failures wait `retry_after` before
    /// they are taken again, so that one message nobody wants cannot hold up the rest.
    ///
    /// This is the one transaction that is open during a network call: so a crash at any point releases
    /// the batch at once.
    fn relay(
        &self,
        limit: u32,
        retry_after: Duration,
        publish: &mut dyn FnMut(&[OutboxMessage]) -> Result<PublishReport, AppError>,
    ) -> Result<PublishReport, AppError>;
}
