//! What the composition root hands over.

use std::sync::Arc;

use techsupport_application::{Ports, ports::BrokerFigures};
use time::OffsetDateTime;

use crate::{AuthSettings, EventBell, Revocations};

/// Whether the broker can be reached, for `/health/ready`. Answers at once, from what is known.
pub trait BrokerHealth: Send + Sync {
    /// Whether there is a working connection at this moment.
    fn is_up(&self) -> bool;
}

/// Everything the HTTP side needs from outside.
#[derive(Clone)]
pub struct HttpDeps {
    /// The use cases' world.
    pub ports: Arc<Ports>,
    /// Keys, lifetimes, throttle.
    pub auth: AuthSettings,
    /// How long the answer to a request with an `Idempotency-Key` is kept.
    pub idempotency_lifetime: std::time::Duration,
    /// Logins that have ended, as far as anybody told.
    pub revocations: Arc<Revocations>,
    /// Rung when there are new events in the feed.
    pub events: EventBell,
    /// For `/health/ready`.
    pub broker: Arc<dyn BrokerHealth>,
    /// How much lies in the queues.
    pub queues: Arc<dyn BrokerFigures>,
    /// Dead letters that one call puts back at most.
    pub replay_all_max: u32,
    /// Everything that was measured, in Prometheus' text format.
    pub metrics: fn() -> String,
    /// The clock that access tokens are issued and expire by.
    pub now: fn() -> OffsetDateTime,
    /// Database connections that requests may use. One is for probes; as many use cases as there are others
    /// run at once, unless `http.max_in_flight` says so.
    pub pool_size: usize,
}
