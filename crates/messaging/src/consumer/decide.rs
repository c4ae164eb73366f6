//! What to do with a message, given what its handler said. Pure.

use std::time::Duration;

use lapin::{
    BasicProperties,
    message::Delivery,
    types::{AMQPValue, FieldTable},
};
use techsupport_application::{AppError, deliveries::Verdict, wire_time};

use super::{ConsumerOptions, delivery::digest, shortened};
use crate::{
    headers::{ATTEMPTS, ATTEMPTS_BEFORE, FAILED_AT, FAILURES, QUEUE, REASON, count_of, number, stays, text},
    outgoing::Outgoing,
    topology::QueueSet,
};

/// The handler came to no verdict.
pub(super) enum Failure {
    Error(AppError),
    Panic,
}

/// What to do.
pub(super) enum Step {
    /// Nothing is left to do.
    Acknowledge,
    /// Acknowledge once this copy is safe.
    Move {
        copy: Box<Outgoing>,
        /// For the counter.
        outcome: &'static str,
    },
    /// Ask again a little later.
    Stay { reason: String },
}

/// The message as it arrived.
pub(super) struct Received {
    /// The id its publisher gave it. Without one, an id that its copies have from now on: another one for every other
    /// message, even where it says the same.
    pub(super) id: String,
    pub(super) properties: BasicProperties,
    body: Vec<u8>,
}

impl Received {
    pub(super) fn of(delivery: &Delivery) -> Self {
        let id = delivery.properties.message_id().as_ref().map(ToString::to_string);
        Self {
            id: id.unwrap_or_else(|| nameless(&delivery.data)),
            properties: delivery.properties.clone(),
            body: delivery.data.clone(),
        }
    }

    fn clean_headers(&self) -> FieldTable {
        let mut clean = FieldTable::default();
        for (name, value) in self.properties.headers().iter().flat_map(FieldTable::inner) {
            if stays(name.as_str()) {
                clean.insert(name.clone(), value.clone());
            }
        }
        clean
    }

    fn copy_to(&self, queue: &str, more: impl IntoIterator<Item = (&'static str, AMQPValue)>) -> Outgoing {
        let mut headers = self.clean_headers();
        for (name, value) in more {
            headers.insert(name.into(), value);
        }
        Outgoing::copy(&self.id, queue, &self.properties, headers, self.body.clone())
    }
}

/// Not a UUID, which would be taken for an event's.
fn nameless(body: &[u8]) -> String {
    let mut random = [0; 16];
    match getrandom::fill(&mut random) {
        Ok(()) => format!("nameless-{}", hex::encode(random)),
        Err(_) => digest(body),
    }
}

pub(super) fn decide(
    outcome: Result<Verdict, Failure>,
    received: &Received,
    queues: &QueueSet,
    options: &ConsumerOptions,
) -> Step {
    match outcome {
        Ok(Verdict::Done) => Step::Acknowledge,
        Ok(Verdict::Later { wait, reason }) => {
            tracing::info!(reason, "a message has to wait");
            later(received, queues, wait, None)
        }
        Ok(Verdict::Dead { reason, attempts }) => {
            // The attempts of a delivery are counted through all replays; of what has none, those before stay.
            let attempts = attempts.max(count_of(&received.properties, ATTEMPTS_BEFORE));
            dead(received, queues, options, &reason, attempts)
        }
        Err(Failure::Error(error)) if error.is_transient() => Step::Stay { reason: error.to_string() },
        Err(Failure::Error(error)) => failed(received, queues, options, &error.to_string()),
        Err(Failure::Panic) => failed(received, queues, options, "the handler panicked"),
    }
}

/// A defect, of ours or of the message. Waiting in place would let a handful of such messages stop all
/// others, so it goes the way round, longer each time.
fn failed(received: &Received, queues: &QueueSet, options: &ConsumerOptions, reason: &str) -> Step {
    let failures = count_of(&received.properties, FAILURES).saturating_add(1);
    tracing::error!(reason, failures, "handling a message failed");
    if failures >= options.max_failures {
        let before = count_of(&received.properties, ATTEMPTS_BEFORE);
        return dead(received, queues, options, reason, before.saturating_add(failures));
    }
    let index = usize::try_from(failures - 1).unwrap_or(usize::MAX);
    let wait = queues.retries.get(index).map_or(Duration::MAX, |retry| retry.delay);
    later(received, queues, wait, Some(failures))
}

fn later(received: &Received, queues: &QueueSet, wait: Duration, failures: Option<u32>) -> Step {
    let Some(retry) = queues.retry_within(wait) else {
        return Step::Stay { reason: "there is no retry queue".to_owned() };
    };
    let count = failures.map(|failures| (FAILURES, number(failures)));
    Step::Move { copy: Box::new(received.copy_to(&retry.name, count)), outcome: "later" }
}

fn dead(
    received: &Received,
    queues: &QueueSet,
    options: &ConsumerOptions,
    reason: &str,
    attempts: u32,
) -> Step {
    tracing::warn!(reason, attempts, "a message is given up");
    let headers = [
        (REASON, text(shortened(reason))),
        (ATTEMPTS, number(attempts)),
        (QUEUE, text(&queues.main)),
        (FAILED_AT, text(&wire_time::format((options.now)()))),
    ];
    Step::Move { copy: Box::new(received.copy_to(&queues.dead_letters, headers)), outcome: "dead" }
}

#[cfg(test)]
mod tests;
