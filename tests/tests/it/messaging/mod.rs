//! Publishing and consuming against a real broker.

mod consuming;
mod outages;
mod publishing;

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use techsupport_application::{
    AppError,
    events::{EventType, OutboxMessage, Subject},
    ports::{EventPublisher, PublishReport},
};
use techsupport_bootstrap::{clock, ids};
use techsupport_domain::{EventId, TicketId};
use techsupport_messaging::{
    BrokerSettings, Consumer, ConsumerOptions, Handler, Publisher, QueueSet, Subscription,
};
use techsupport_tests::{LIMIT, Proxy, TestBroker, eventually};
use tokio::{runtime::Runtime, task::JoinHandle};
use tokio_util::sync::CancellationToken;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Broker names of one's own, and somebody who publishes.
struct Post {
    broker: TestBroker,
    settings: BrokerSettings,
    publisher: Publisher,
}

impl Post {
    /// Connected, with everything declared.
    fn open(way: Option<&Proxy>) -> Self {
        Self::open_with(way, |_| {})
    }

    /// The same, with some other settings.
    fn open_with(way: Option<&Proxy>, change: impl FnOnce(&mut BrokerSettings)) -> Self {
        Self::connect(TestBroker::new(), way, change)
    }

    /// Goes on with the same names, in another way and with other settings.
    fn reopen(self, way: Option<&Proxy>, change: impl FnOnce(&mut BrokerSettings)) -> Self {
        Self::connect(self.broker, way, change)
    }

    fn connect(broker: TestBroker, way: Option<&Proxy>, change: impl FnOnce(&mut BrokerSettings)) -> Self {
        let mut settings = broker.settings(way);
        change(&mut settings);
        let _inside = RUNTIME.enter();
        let publisher = Publisher::start(&settings, "tests", CancellationToken::new());
        let post = Self { broker, settings, publisher };
        post.await_connection();
        post
    }

    fn await_connection(&self) {
        eventually("the publisher is connected", || self.publisher.is_connected());
    }

    fn publish(&self, batch: &[OutboxMessage]) -> Result<PublishReport, AppError> {
        self.publisher.publish(batch)
    }

    /// Publishes so many breaches, and returns their ids.
    fn breaches(&self, count: usize) -> Vec<String> {
        let batch: Vec<OutboxMessage> = (0..count).map(|_| event(EventType::SlaBreached)).collect();
        assert_eq!(self.publish(&batch).unwrap().published.len(), count);
        batch.iter().map(|message| message.id.to_string()).collect()
    }

    fn queues(&self) -> QueueSet {
        self.broker.queues(&self.settings)
    }

    fn waiting(&self) -> u32 {
        self.broker.ready(&self.queues().main).unwrap()
    }

    /// Starts consuming the SLA events, five at a time.
    fn consume(&self, drain_timeout: Duration, handler: impl Handler) -> Consuming {
        let stop = CancellationToken::new();
        let options = ConsumerOptions { parallelism: 5, drain_timeout, max_failures: 3, now: clock::now };
        let consumer = Consumer::new(
            &self.settings,
            Subscription::SlaEvents,
            "tests",
            options,
            self.publisher.clone(),
            Arc::new(handler),
            stop.clone(),
        );
        Consuming { stop, running: Some(RUNTIME.spawn(consumer.run())) }
    }
}

/// A consumer at work. Dropping it stops it.
struct Consuming {
    stop: CancellationToken,
    running: Option<JoinHandle<()>>,
}

impl Consuming {
    fn is_over(&self) -> bool {
        self.running.as_ref().is_none_or(JoinHandle::is_finished)
    }

    fn stop(&mut self) {
        self.stop.cancel();
        if let Some(running) = self.running.take() {
            let ended = RUNTIME.block_on(async { tokio::time::timeout(LIMIT, running).await });
            ended.expect("the consumer ends").expect("the consumer does not panic");
        }
    }
}

impl Drop for Consuming {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A number that a handler counts up.
#[derive(Clone, Default)]
struct Count(Arc<AtomicU32>);

impl Count {
    /// Returns how often it was called before.
    fn up(&self) -> u32 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }

    fn get(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

fn event(event_type: EventType) -> OutboxMessage {
    let id = ids::new_id();
    OutboxMessage {
        id: EventId::new(id),
        event_type,
        subject: Subject::Ticket(TicketId::new(ids::new_id())),
        at: clock::now(),
        traceparent: TRACEPARENT.to_owned(),
        body: format!(r#"{{"specversion":"1.0","id":"{id}"}}"#),
    }
}
