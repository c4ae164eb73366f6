//! What is counted.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_histogram, histogram};

const LAG: &str = "sla_detection_lag_seconds";
const STEPS: &str = "sla_steps_total";
const SET_ASIDE: &str = "sla_tickets_set_aside_total";
const PUBLISHED: &str = "outbox_published_total";
const UNPUBLISHED: &str = "outbox_unpublished_total";
const FORGOTTEN: &str = "idempotency_answers_forgotten_total";
const REPLAYED: &str = "dead_letters_replayed_total";
const DEAD_FORGOTTEN: &str = "dead_letters_forgotten_total";
const FED: &str = "event_feed_appended_total";
const SUMMED: &str = "report_changes_summed_total";
const FAILURES: &str = "background_pass_failures_total";

/// Says what each figure means, and begins to count at zero: what first appears as one never rose. To be called
/// once a recorder is installed.
pub(crate) fn describe_metrics() {
    describe_histogram!(LAG, "From when an SLA step was due to when its ticket was locked to run it");
    describe_counter!(STEPS, "SLA steps that were run: warnings, breaches, escalations");
    describe_counter!(
        SET_ASIDE,
        "Tickets that could not be processed and were hidden from the sweep for a while"
    );
    describe_counter!(PUBLISHED, "Events of the outbox that were confirmed by the broker and marked");
    describe_counter!(UNPUBLISHED, "Tries to publish an event that no queue took; it stays in the outbox");
    describe_counter!(FORGOTTEN, "Kept answers of repeatable requests that were deleted after their time");
    describe_counter!(REPLAYED, "Dead letters that were put back into their queue");
    describe_counter!(DEAD_FORGOTTEN, "Dead letters that were deleted some time after they had been settled");
    describe_counter!(FED, "Events that were given their place in the feed");
    describe_counter!(SUMMED, "Changes of imported tickets that were moved into the sums that reports read");
    describe_counter!(FAILURES, "Runs of a background pass that failed as a whole, by pass");
    for name in [STEPS, SET_ASIDE, PUBLISHED, UNPUBLISHED, FORGOTTEN, REPLAYED, DEAD_FORGOTTEN, SUMMED] {
        counter!(name).increment(0);
    }
}

pub(super) fn steps(lags: &[Duration]) {
    for lag in lags {
        histogram!(LAG).record(lag.as_secs_f64());
    }
    counter!(STEPS).increment(as_u64(lags.len()));
}

pub(super) fn set_aside(tickets: usize) {
    counter!(SET_ASIDE).increment(as_u64(tickets));
}

pub(super) fn relayed(published: usize, unpublished: usize) {
    counter!(PUBLISHED).increment(as_u64(published));
    counter!(UNPUBLISHED).increment(as_u64(unpublished));
}

pub(super) fn forgotten(answers: u32) {
    counter!(FORGOTTEN).increment(u64::from(answers));
}

pub(super) fn dead_letters_forgotten(rows: u32) {
    counter!(DEAD_FORGOTTEN).increment(u64::from(rows));
}

pub(super) fn replayed(messages: usize) {
    counter!(REPLAYED).increment(as_u64(messages));
}

pub(super) fn summed(changes: u32) {
    counter!(SUMMED).increment(u64::from(changes));
}

pub(super) fn fed(events: u32) {
    counter!(FED).increment(u64::from(events));
}

/// Begins to count for a pass.
pub(super) fn pass_made(pass: &'static str) {
    counter!(FAILURES, "pass" => pass).increment(0);
}

pub(super) fn pass_failed(pass: &'static str) {
    counter!(FAILURES, "pass" => pass).increment(1);
}

fn as_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
