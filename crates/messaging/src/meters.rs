//! What is counted.

use metrics::{counter, describe_counter, describe_gauge, gauge};

use crate::confirms::Fate;

const PUBLISHED: &str = "techsupport_broker_published_total";
const UNROUTED: &str = "techsupport_broker_unrouted_total";
const BATCHES_FAILED: &str = "techsupport_broker_confirm_failures_total";
const CONSUMED: &str = "techsupport_broker_consumed_total";
const RECONNECTS: &str = "techsupport_broker_reconnects_total";
const CONNECTED: &str = "techsupport_broker_connected";

/// What becomes of a message that was taken from a queue.
const OUTCOMES: [&str; 5] = ["done", "later", "dead", "panicked", "unacknowledged"];

/// Says what each figure means, and begins to count at zero: what first appears as one never rose. To be called
/// once a recorder is installed.
pub fn describe_metrics() {
    describe_counter!(PUBLISHED, "Messages that reached at least one queue, confirmed by the broker");
    describe_counter!(UNROUTED, "Messages that were returned or refused by the broker");
    describe_counter!(
        BATCHES_FAILED,
        "Batches whose outcome is unknown: no confirm in time, or no connection"
    );
    describe_counter!(CONSUMED, "Messages taken from a queue, by what became of them");
    describe_counter!(RECONNECTS, "Tries to reconnect to the broker");
    describe_gauge!(CONNECTED, "Whether there is a connection to the broker (1) or not (0)");
    for name in [PUBLISHED, UNROUTED, BATCHES_FAILED] {
        counter!(name).increment(0);
    }
}

/// Begins to count for a connection.
pub(crate) fn link_made(link: &str) {
    counter!(RECONNECTS, "link" => link.to_owned()).increment(0);
    connected(link, false);
}

/// Begins to count for a queue.
pub(crate) fn queue_chosen(queue: &str) {
    for outcome in OUTCOMES {
        counter!(CONSUMED, "queue" => queue.to_owned(), "outcome" => outcome).increment(0);
    }
}

pub(crate) fn published(fates: &[Fate]) {
    let failed = fates.iter().filter(|fate| fate.is_err()).count();
    counter!(PUBLISHED).increment(as_u64(fates.len() - failed));
    counter!(UNROUTED).increment(as_u64(failed));
}

pub(crate) fn batch_failed() {
    counter!(BATCHES_FAILED).increment(1);
}

pub(crate) fn consumed(queue: &str, outcome: &'static str) {
    counter!(CONSUMED, "queue" => queue.to_owned(), "outcome" => outcome).increment(1);
}

pub(crate) fn reconnecting(link: &str) {
    counter!(RECONNECTS, "link" => link.to_owned()).increment(1);
}

pub(crate) fn connected(link: &str, connected: bool) {
    gauge!(CONNECTED, "link" => link.to_owned()).set(if connected { 1.0 } else { 0.0 });
}

fn as_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
