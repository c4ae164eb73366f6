//! The way from the event loop to blocking work. There is no other.
//!
//! It is narrow on purpose: as many use cases run at once as there are database connections, a few more
//! wait, and whoever comes after that is told so at once instead of waiting for an answer that would come
//! too late.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use actix_web::web;
use techsupport_application::{AppError, Call, Ctx, Ports};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Span;

use crate::problem::{Kind, Problem};

/// Which queue a piece of work waits in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Most of it.
    Plain,
    /// What hashes passwords or tokens: first its own short queue, then the common one, so that a flood of
    /// logins holds up nothing but logins.
    Hashing,
    /// Probes and metrics: never behind the common queue, which may be full for the very reason they tell of.
    Probe,
}

/// Probes that run at once.
pub(crate) const PROBES: usize = 1;

/// Bounded concurrency in front of the blocking threads.
pub(crate) struct Gate {
    ports: Arc<Ports>,
    threads: usize,
    common: Queue,
    hashing: Queue,
    probe: Queue,
}

impl Gate {
    pub(crate) fn new(ports: Arc<Ports>, in_flight: usize, hashing: usize, max_waiting: usize) -> Self {
        Self {
            ports,
            threads: in_flight + PROBES,
            common: Queue::new("common", in_flight, max_waiting),
            hashing: Queue::new("hashing", hashing, max_waiting),
            probe: Queue::new("probe", PROBES, max_waiting),
        }
    }

    /// How many blocking threads can be busy at once.
    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// Runs the work when it is its turn. It keeps its place until it has really ended, also when nobody
    /// waits for it any more.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        lane: Lane,
        call: Call,
        work: impl FnOnce(Ctx<'_>) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, Problem> {
        let places = match lane {
            Lane::Plain => (None, self.common.enter().await?),
            Lane::Hashing => (Some(self.hashing.enter().await?), self.common.enter().await?),
            Lane::Probe => (None, self.probe.enter().await?),
        };
        let ports = Arc::clone(&self.ports);
        let span = Span::current();
        #[expect(clippy::disallowed_methods, reason = "this is the one helper")]
        let running = web::block(move || {
            let _places = places;
            span.in_scope(|| {
                if call.budget.is_over() {
                    return Err(AppError::TimedOut);
                }
                work(Ctx::new(&ports, &call))
            })
        });
        match running.await {
            Ok(outcome) => outcome.map_err(Problem::from),
            Err(_panicked) => {
                tracing::error!("a use case panicked");
                Err(Problem::internal())
            }
        }
    }
}

/// A place at work, given back when dropped.
struct Place {
    _permit: OwnedSemaphorePermit,
    queue: &'static str,
}

impl Drop for Place {
    fn drop(&mut self) {
        metrics::gauge!("http_work_in_flight", "queue" => self.queue).decrement(1.0);
    }
}

struct Queue {
    name: &'static str,
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    max_waiting: usize,
}

impl Queue {
    fn new(name: &'static str, places: usize, max_waiting: usize) -> Self {
        let places = Arc::new(Semaphore::new(places));
        metrics::counter!("http_work_rejected_total", "queue" => name).increment(0);
        for gauge in ["http_work_in_flight", "http_work_waiting"] {
            metrics::gauge!(gauge, "queue" => name).increment(0.0);
        }
        Self { name, places, waiting: AtomicUsize::new(0), max_waiting }
    }

    async fn enter(&self) -> Result<Place, Problem> {
        let permit = match Arc::clone(&self.places).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_busy) => {
                let _waiting = Waiting::join(self)?;
                // The semaphore is never closed; were it, nothing could run.
                Arc::clone(&self.places).acquire_owned().await.map_err(|_closed| Problem::internal())?
            }
        };
        metrics::gauge!("http_work_in_flight", "queue" => self.name).increment(1.0);
        Ok(Place { _permit: permit, queue: self.name })
    }
}

/// Somebody in the queue; leaves it when dropped, whether or not the turn came.
struct Waiting<'a>(&'a Queue);

impl<'a> Waiting<'a> {
    fn join(queue: &'a Queue) -> Result<Self, Problem> {
        let room = |waiting: usize| (waiting < queue.max_waiting).then_some(waiting + 1);
        if queue.waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, room).is_err() {
            metrics::counter!("http_work_rejected_total", "queue" => queue.name).increment(1);
            return Err(Problem::new(Kind::Overloaded, "too many requests are waiting already"));
        }
        metrics::gauge!("http_work_waiting", "queue" => queue.name).increment(1.0);
        Ok(Self(queue))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
        metrics::gauge!("http_work_waiting", "queue" => self.0.name).decrement(1.0);
    }
}
