//! Broker names of one's own.

mod departed;

use std::sync::{
    OnceLock,
    atomic::{AtomicU32, Ordering},
};

use lapin::{
    Channel, Confirmation, Connection, ConnectionProperties,
    message::BasicGetMessage,
    options::{
        BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueBindOptions, QueueDeclareOptions,
    },
    types::{AMQPValue, FieldTable},
};
use techsupport_messaging::{BrokerSettings, QueueSet, Subscription, Topology};
use tokio::runtime::Runtime;

use crate::{Proxy, environment, until};

/// Which queue of the SLA events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    /// Where they arrive.
    Main,
    /// Where they end.
    DeadLetters,
}

/// Names at the broker that nobody else uses. What was declared under them is deleted after it is dropped.
pub struct TestBroker {
    prefix: String,
    connection: Connection,
    channel: Channel,
}

static NEXT: AtomicU32 = AtomicU32::new(1);

/// All asynchronous work of the harness runs here.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().expect("threads for the harness"))
}

impl TestBroker {
    /// A fresh prefix.
    pub fn new() -> Self {
        let prefix = format!("t{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let (connection, channel) = runtime().block_on(async {
            let properties = ConnectionProperties::default();
            let connection = Connection::connect(&environment::amqp_url(), properties).await;
            let connection = connection.expect("no connection to RabbitMQ");
            let channel = connection.create_channel().await.unwrap();
            channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
            (connection, channel)
        });
        departed::arrived();
        Self { prefix, connection, channel }
    }

    /// What its names begin with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What programs are told that use these names, by way of `way` if there is one.
    pub fn settings(&self, way: Option<&Proxy>) -> BrokerSettings {
        let url = environment::amqp_url();
        BrokerSettings {
            url: way.map_or(url.clone(), |way| way.redirect(&url)).into(),
            prefix: self.prefix.clone(),
            connect_timeout_ms: 10_000,
            // A machine that stands still for a while fails no test: one that is about this limit sets it.
            confirm_timeout_ms: 30_000,
            heartbeat_s: 5,
            reconnect_min_ms: 20,
            reconnect_max_ms: 200,
            delivery_limit: 10,
            max_queue_length: 100_000,
            retry_delays_ms: RETRY_DELAYS_MS.to_vec(),
        }
    }

    /// The connection's own channel, for what only a few tests do.
    pub fn run<T>(&self, work: impl AsyncFnOnce(&Channel) -> T) -> T {
        runtime().block_on(work(&self.channel))
    }

    /// The names, given the program's settings.
    pub fn queues(&self, settings: &BrokerSettings) -> QueueSet {
        Topology::new(settings).of(Subscription::SlaEvents).clone()
    }

    /// The name of a queue.
    pub fn name(&self, queue: Queue) -> String {
        let suffix = match queue {
            Queue::Main => "",
            Queue::DeadLetters => ".dlq",
        };
        format!("{}.sla-events{suffix}", self.prefix)
    }

    /// How many messages wait there; `None` when nobody has declared it yet. A broker that is busy for a quarter of a
    /// second says 0, so ask again for anything else.
    pub fn ready(&self, queue: &str) -> Option<u32> {
        runtime().block_on(async {
            // Asking for what is not there closes the channel, so every question has one of its own.
            let channel = self.connection.create_channel().await.unwrap();
            let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
            let declared = channel.queue_declare(queue.into(), passive, FieldTable::default()).await;
            declared.ok().map(|queue| queue.message_count())
        })
    }

    /// Waits for a message and takes it away.
    pub fn take(&self, queue: &str) -> BasicGetMessage {
        until(&format!("a message in {queue}"), || {
            let options = BasicGetOptions { no_ack: true };
            runtime().block_on(self.channel.basic_get(queue.into(), options)).unwrap()
        })
    }

    /// Puts a message straight into a queue, as often as asked.
    pub fn put(&self, queue: &str, body: &str, times: usize) {
        runtime().block_on(async {
            for _ in 0..times {
                let properties = lapin::BasicProperties::default().with_delivery_mode(2);
                let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
                let confirm = self
                    .channel
                    .basic_publish("".into(), queue.into(), options, body.as_bytes(), properties)
                    .await;
                // What cannot be routed is acknowledged, too, with its return.
                let fate = confirm.unwrap().await.unwrap();
                assert!(matches!(fate, Confirmation::Ack(None)), "{queue} has not taken it: {fate:?}");
            }
        });
    }

    /// Makes the exchange know its queues again.
    pub fn bind_all(&self) {
        let exchange = format!("{}.events", self.prefix);
        runtime().block_on(async {
            for (queue, key) in BINDINGS {
                let queue = format!("{}.{queue}", self.prefix);
                let options = QueueBindOptions::default();
                self.channel
                    .queue_bind(
                        queue.as_str().into(),
                        exchange.as_str().into(),
                        key.into(),
                        options,
                        FieldTable::default(),
                    )
                    .await
                    .unwrap();
            }
        });
    }

    /// Makes the exchange forget its queues, so that nothing can be routed.
    pub fn unbind_all(&self) {
        let exchange = format!("{}.events", self.prefix);
        runtime().block_on(async {
            for (queue, key) in BINDINGS {
                let queue = format!("{}.{queue}", self.prefix);
                self.channel
                    .queue_unbind(
                        queue.as_str().into(),
                        exchange.as_str().into(),
                        key.into(),
                        FieldTable::default(),
                    )
                    .await
                    .unwrap();
            }
        });
    }

    /// A header of a message as text.
    pub fn header(message: &BasicGetMessage, name: &str) -> Option<String> {
        let headers = message.delivery.properties.headers().as_ref()?;
        let value = headers.inner().get(name)?;
        Some(if let AMQPValue::LongString(text) = value { text.to_string() } else { format!("{value:?}") })
    }
}

/// Which events each queue gets.
const BINDINGS: [(&str, &str); 3] =
    [("sla-events", "sla.#"), ("webhook-events", "#"), ("ticket-imports", "import.#")];

/// The retry path of every desk in these tests; short, so that retries do not take long.
pub(crate) const RETRY_DELAYS_MS: [u32; 2] = [100, 300];

impl Default for TestBroker {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TestBroker {
    fn drop(&mut self) {
        departed::left(&self.channel, &self.prefix);
    }
}
