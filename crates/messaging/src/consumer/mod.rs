//! Consuming a subscription.
//!
//! At most as many messages are held as are handled in parallel, so a crash charges the broker's delivery
//! limit to few. Each is handled on a blocking thread and acknowledged when it is safe to forget it there.
//! When the connection is lost, what runs goes on to its end; its acknowledgement fails, the broker delivers
//! again, and the inbox drops the repeat.

mod collecting;
mod decide;
mod delivery;
mod session;

use std::{sync::Arc, time::Duration};

use lapin::BasicProperties;
use techsupport_application::{AppError, deliveries::Verdict};
use time::OffsetDateTime;
use tokio::{sync::Semaphore, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    backoff::Backoff,
    link::abandon,
    meters,
    publisher::Publisher,
    settings::BrokerSettings,
    topology::{QueueSet, Subscription, Topology},
};
use collecting::Collect;
use session::{Ending, Session};

pub use collecting::Collector;

/// Headers have to fit into one frame (128 KiB), and lists into an answer.
const LONGEST_REASON: usize = 2_000;

/// As much of it as there is room for.
fn shortened(reason: &str) -> &str {
    reason.get(..reason.floor_char_boundary(LONGEST_REASON)).unwrap_or(reason)
}

/// A message as its handler sees it.
#[derive(Debug, Clone)]
pub struct Message {
    /// The id its publisher gave it: the event's.
    pub id: Option<String>,
    /// Its id. Without one, a digest of the body.
    pub(crate) key: String,
    /// The trace it belongs to, unchecked.
    pub traceparent: Option<String>,
    /// Whether it was delivered before, to us or to somebody else.
    pub redelivered: bool,
    /// The CloudEvents document, unchecked.
    pub body: Vec<u8>,
    pub(crate) properties: BasicProperties,
}

/// Decides what becomes of a message.
pub trait Handler: Send + Sync + 'static {
    /// Called on a blocking thread, several at once. May be called again with the same message: when the
    /// error says that nothing is known, and when the broker delivers again.
    fn handle(&self, message: &Message) -> Result<Verdict, AppError>;
}

impl<F> Handler for F
where
    F: Fn(&Message) -> Result<Verdict, AppError> + Send + Sync + 'static,
{
    fn handle(&self, message: &Message) -> Result<Verdict, AppError> {
        self(message)
    }
}

/// How to consume.
#[derive(Debug, Clone)]
pub struct ConsumerOptions {
    /// Messages handled at once, and held at most.
    pub parallelism: u16,
    /// How long to wait, once stopped, for what is being handled.
    pub drain_timeout: Duration,
    /// How often the handler may fail on a message in a way that is not expected to pass (an internal error,
    /// a panic) before it is dead-lettered.
    pub max_failures: u32,
    /// The clock that dates dead letters.
    pub now: fn() -> OffsetDateTime,
}

/// Consumes one subscription until it is stopped.
pub struct Consumer {
    desk: Arc<Desk>,
    settings: BrokerSettings,
    topology: Topology,
    name: String,
}

/// What handling a delivery needs.
struct Desk {
    queues: QueueSet,
    publisher: Publisher,
    handler: Arc<dyn Handler>,
    options: ConsumerOptions,
    patience: Backoff,
    ack_timeout: Duration,
    permits: Semaphore,
    stop: CancellationToken,
}

impl Consumer {
    /// A consumer of `subscription`. Its connection is called `name`, with the queue's name behind it, in
    /// the broker's lists. Copies into the retry path and the dead-letter queue go through `publisher`, which
    /// has a connection of its own: a broker that blocks publishers stops reading from their connections,
    /// acknowledgements included. `publisher` has to outlive [`Consumer::run`].
    pub fn new(
        settings: &BrokerSettings,
        subscription: Subscription,
        name: &str,
        options: ConsumerOptions,
        publisher: Publisher,
        handler: Arc<dyn Handler>,
        stop: CancellationToken,
    ) -> Self {
        let topology = Topology::new(settings);
        let queues = topology.of(subscription).clone();
        Self::of(settings, topology, queues, name, options, publisher, handler, stop)
    }

    /// A consumer of what `subscription` gave up. What the collector cannot keep stays where it is, however often
    /// that happens: `options.max_failures` means nothing here.
    pub fn collecting(
        settings: &BrokerSettings,
        subscription: Subscription,
        name: &str,
        mut options: ConsumerOptions,
        publisher: Publisher,
        collector: Arc<dyn Collector>,
        stop: CancellationToken,
    ) -> Self {
        let topology = Topology::new(settings);
        let queues = topology.of(subscription).of_dead_letters();
        options.max_failures = u32::MAX;
        let (queue, delivery_limit) = (subscription.name(), settings.delivery_limit);
        let handler = Arc::new(Collect { collector, queue, delivery_limit });
        Self::of(settings, topology, queues, name, options, publisher, handler, stop)
    }

    #[expect(clippy::too_many_arguments, reason = "what the two above have in common")]
    fn of(
        settings: &BrokerSettings,
        topology: Topology,
        queues: QueueSet,
        name: &str,
        options: ConsumerOptions,
        publisher: Publisher,
        handler: Arc<dyn Handler>,
        stop: CancellationToken,
    ) -> Self {
        let desk = Desk {
            publisher,
            handler,
            patience: Backoff::new(settings),
            ack_timeout: settings.confirm_timeout(),
            permits: Semaphore::new(options.parallelism.into()),
            stop,
            options,
            queues,
        };
        let name = format!("{name} {}", desk.queues.main);
        Self { desk: Arc::new(desk), settings: settings.clone(), topology, name }
    }

    /// Consumes, reconnecting as often as it takes, until stopped; then finishes what it holds.
    pub async fn run(self) {
        let running = TaskTracker::new();
        let mut backoff = Backoff::new(&self.settings);
        meters::link_made(&self.name);
        meters::queue_chosen(&self.desk.queues.main);
        // A quorum queue that another connection is declaring at this moment exists before it has a process, and
        // RabbitMQ 3.10 closes the connection (541) of whoever consumes it then.
        tokio::select! {
            () = self.desk.stop.cancelled() => {}
            () = self.desk.publisher.connected() => {}
        }
        while !self.desk.stop.is_cancelled() {
            let reason = match self.open().await {
                None => break,
                Some(Err(reason)) => reason,
                Some(Ok(session)) => {
                    tracing::info!(queue = self.desk.queues.main, "consuming");
                    meters::connected(&self.name, true);
                    let since = Instant::now();
                    let ending = session.consume(&self.desk, &running).await;
                    meters::connected(&self.name, false);
                    if since.elapsed() > self.settings.reconnect_max() {
                        backoff.reset();
                    }
                    match ending {
                        Ending::Stopped => return,
                        Ending::Lost(reason) => reason,
                    }
                }
            };
            self.pause(&reason, backoff.wait()).await;
        }
        session::finish(&running, Instant::now() + self.desk.options.drain_timeout).await;
    }

    /// `None` when stopped meanwhile.
    async fn open(&self) -> Option<Result<Session, String>> {
        let parallelism = self.desk.options.parallelism;
        let opening =
            Session::open(&self.settings, &self.topology, &self.name, &self.desk.queues, parallelism);
        tokio::pin!(opening);
        tokio::select! {
            () = self.desk.stop.cancelled() => {}
            session = &mut opening => return Some(session.map_err(|error| error.to_string())),
        }
        abandon(opening, Session::close).await;
        None
    }

    async fn pause(&self, reason: &str, wait: Duration) {
        let retry_in_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        tracing::warn!(link = self.name, reason, retry_in_ms, "no connection to the broker");
        meters::reconnecting(&self.name);
        tokio::select! {
            () = self.desk.stop.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{broker_double::BrokerDouble, settings::tests::settings};

    #[tokio::test]
    async fn a_stop_does_not_cut_a_handshake_off() {
        let broker = BrokerDouble::start().await;
        let stop = CancellationToken::new();
        let options = ConsumerOptions {
            parallelism: 1,
            drain_timeout: Duration::from_secs(1),
            max_failures: 1,
            now: || OffsetDateTime::UNIX_EPOCH,
        };
        // Nobody listens on port 1, and nothing is published.
        let nobody = BrokerSettings { url: "amqp://127.0.0.1:1".into(), ..settings() };
        let publisher = Publisher::start(&nobody, "test", stop.clone());
        let handler = Arc::new(|_: &Message| Ok(Verdict::Done));
        let consumer = Consumer::new(
            &broker.settings(),
            Subscription::SlaEvents,
            "test",
            options,
            publisher,
            handler,
            stop.clone(),
        );
        let opening = consumer.open();
        let (opened, ()) = tokio::join!(opening, broker.answered_although(|| stop.cancel()));
        assert!(opened.is_none());
    }
}
