//! The broker: the only crate that knows AMQP.
//!
//! - [`Topology`]: exchange, queues, retry paths and dead-letter queues, declared on every connection.
//! - [`Publisher`]: publishes with confirms; only what reached a queue counts.
//! - [`Consumer`]: hands messages to a [`Handler`] and acknowledges each only after its outcome is safe.
//! - [`Inspector`]: says how much lies in the queues.
//!
//! Invariants: no message is acknowledged before its effect, or its copy in another queue, is confirmed; no
//! wait is without a limit; a connection that failed once is never used again.

mod backoff;
#[cfg(test)]
mod broker_double;
mod confirms;
mod consumer;
mod headers;
mod inspector;
mod link;
mod meters;
mod outgoing;
mod publisher;
mod settings;
mod socket;
mod survive;
mod topology;

pub use consumer::{Collector, Consumer, ConsumerOptions, Handler, Message};
pub use inspector::Inspector;
pub use meters::describe_metrics;
pub use publisher::Publisher;
pub use settings::BrokerSettings;
pub use topology::{QueueSet, RetryQueue, Subscription, Topology};
