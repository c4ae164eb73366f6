//! What all requests share.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Instant,
};

use techsupport_application::{Ports, ports::BrokerFigures};
use time::OffsetDateTime;

use crate::{
    BrokerHealth, HttpDeps, HttpSettings,
    auth::{KeyError, Revocations, Throttle, Tokens},
    feed::Waiters,
    gate::{Gate, PROBES},
    health::Health,
    limits::Limits,
};

/// Made once; every event loop has the same.
pub(crate) struct State {
    pub(crate) ports: Arc<Ports>,
    pub(crate) settings: HttpSettings,
    pub(crate) gate: Gate,
    pub(crate) tokens: Tokens,
    pub(crate) throttle: Throttle,
    /// Places for files that arrive.
    pub(crate) uploads: tokio::sync::Semaphore,
    pub(crate) revocations: Arc<Revocations>,
    pub(crate) limits: Limits,
    pub(crate) waiters: Waiters,
    pub(crate) refresh_lifetime: std::time::Duration,
    pub(crate) idempotency_lifetime: std::time::Duration,
    pub(crate) broker: Arc<dyn BrokerHealth>,
    pub(crate) queues: Arc<dyn BrokerFigures>,
    /// Dead letters that one call puts back at most.
    pub(crate) replay_all_max: u32,
    pub(crate) health: Health,
    pub(crate) metrics: fn() -> String,
    pub(crate) now: fn() -> OffsetDateTime,
    pub(crate) started: Instant,
    /// Whether each answer is to be the last one over its connection.
    pub(crate) leaving: AtomicBool,
}

impl State {
    /// Fails when the keys cannot be used.
    pub(crate) fn new(deps: HttpDeps, settings: &HttpSettings) -> Result<Self, KeyError> {
        let in_flight = match settings.max_in_flight {
            // A probe that finds no connection would say that there is no database.
            0 => deps.pool_size.saturating_sub(PROBES).max(1),
            limit => limit,
        };
        Ok(Self {
            gate: Gate::new(
                Arc::clone(&deps.ports),
                in_flight,
                settings.bcrypt_parallelism,
                settings.max_waiting,
            ),
            tokens: Tokens::new(&deps.auth)?,
            throttle: Throttle::new(&deps.auth.throttle),
            uploads: tokio::sync::Semaphore::new(settings.uploads.max_at_once),
            revocations: deps.revocations,
            limits: Limits::new(&settings.rate_limit),
            waiters: Waiters::new(deps.events, &settings.feed),
            refresh_lifetime: deps.auth.refresh_lifetime(),
            idempotency_lifetime: deps.idempotency_lifetime,
            ports: deps.ports,
            settings: settings.clone(),
            broker: deps.broker,
            queues: deps.queues,
            replay_all_max: deps.replay_all_max,
            health: Health::default(),
            metrics: deps.metrics,
            now: deps.now,
            started: Instant::now(),
            leaving: AtomicBool::new(false),
        })
    }
}
