//! From the outbox to the broker, one batch at a time.

use std::time::Duration;

use crate::{
    AppError,
    ports::{EventPublisher, Outbox, PublishFailure},
};

/// What a pass of the relay did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayReport {
    /// How many events reached a queue.
    pub published: usize,
    /// Events that did not; they stay in the outbox and are tried again.
    pub failed: Vec<PublishFailure>,
    /// Whether the batch was full and some of it got through, so that going on at once makes sense.
    pub more: bool,
}

/// Publishes one batch of the outbox. Safe to run in any number of processes at once and to be killed at
/// any point: what was not marked is published again, and consumers drop the repeat.
pub fn relay_outbox(
    outbox: &dyn Outbox,
    publisher: &dyn EventPublisher,
    batch: u32,
    retry_after: Duration,
) -> Result<RelayReport, AppError> {
    let report = outbox.relay(batch, retry_after, &mut |messages| publisher.publish(messages))?;
    let taken = report.published.len() + report.failed.len();
    Ok(RelayReport {
        published: report.published.len(),
        failed: report.failed,
        more: !report.published.is_empty() && taken >= usize::try_from(batch).unwrap_or(usize::MAX),
    })
}
