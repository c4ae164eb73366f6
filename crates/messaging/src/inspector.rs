//! Looks at how much lies in the queues.
//!
//! Each look has a connection of its own. That of a publisher would not do: a broker that accepts no messages stops
//! reading from it, and then is when somebody wants to know. One that is kept open would be idle for most of its life.

use std::time::Duration;

use lapin::{
    Channel, ErrorKind,
    options::QueueDeclareOptions,
    protocol::{AMQPErrorKind, AMQPSoftError},
    types::FieldTable,
};
use techsupport_application::{
    AppError, Budget,
    ports::{BrokerFigures, BrokerQueue},
};
use tokio::{runtime::Handle, sync::Mutex, time::timeout};

use crate::{
    link::{Link, LinkError},
    settings::BrokerSettings,
    topology::{QueueSet, Subscription, Topology},
};

/// Asks the broker for figures. One question at a time: others wait, within their own time.
pub struct Inspector {
    settings: BrokerSettings,
    topology: Topology,
    name: String,
    runtime: Handle,
    turn: Mutex<()>,
}

impl Inspector {
    /// Its connections are called `name` in the broker's lists. Must be called within a tokio runtime, on which they
    /// are then opened.
    pub fn new(settings: &BrokerSettings, name: &str) -> Self {
        Self {
            settings: settings.clone(),
            topology: Topology::new(settings),
            name: format!("{name} inspector"),
            runtime: Handle::current(),
            turn: Mutex::new(()),
        }
    }

    async fn look(&self) -> Result<Vec<BrokerQueue>, LinkError> {
        let _turn = self.turn.lock().await;
        let mut inquiry = Inquiry::begin(&self.settings, &self.name).await?;
        let mut figures = Vec::new();
        for subscription in Subscription::ALL {
            figures.push(inquiry.figures(subscription, self.topology.of(subscription)).await?);
        }
        // Nobody has to wait for the goodbye.
        self.runtime.spawn(inquiry.end());
        Ok(figures)
    }

    fn unavailable(&self, reason: &impl ToString) -> AppError {
        AppError::Unavailable {
            reason: format!("broker: {}", reason.to_string()),
            retry_after: self.settings.reconnect_max(),
        }
    }
}

impl BrokerFigures for Inspector {
    fn queues(&self, budget: &Budget) -> Result<Vec<BrokerQueue>, AppError> {
        let limit: Duration = self.settings.connect_timeout().min(budget.left());
        let looked = self.runtime.block_on(async { timeout(limit, self.look()).await });
        looked
            .map_err(|_| self.unavailable(&LinkError::Timeout(limit)))?
            .map_err(|error| self.unavailable(&error))
    }
}

/// Questions to the broker. They make nothing and change nothing: a queue that is missing or differs from the settings
/// (another release, settings that were changed) is mended or reported by whoever needs it, and that is when somebody
/// wants figures.
struct Inquiry {
    link: Link,
    channel: Channel,
    /// Closed by the broker, with its answer that a queue is not there.
    spent: Vec<Channel>,
}

impl Inquiry {
    async fn begin(settings: &BrokerSettings, name: &str) -> Result<Self, LinkError> {
        let link = Link::connect(settings, name).await?;
        let channel = link.channel().await?;
        Ok(Self { link, channel, spent: Vec::new() })
    }

    async fn figures(&mut self, subscription: Subscription, queues: &QueueSet) -> lapin::Result<BrokerQueue> {
        let (main, consumers) = self.count(&queues.main).await?;
        let mut ready = u64::from(main);
        for retry in &queues.retries {
            ready += u64::from(self.count(&retry.name).await?.0);
        }
        let uncollected = self.count(&queues.dead_letters).await?.0.into();
        Ok(BrokerQueue { name: subscription.name(), ready, consumers, uncollected })
    }

    /// Messages and consumers: a passive declaration says so. None where there is no such queue; of a quorum queue that
    /// does not answer its node within 250 ms RabbitMQ says the same (`rabbit_quorum_queue:stat/1`).
    async fn count(&mut self, queue: &str) -> lapin::Result<(u32, u32)> {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        match self.channel.queue_declare(queue.into(), passive, FieldTable::default()).await {
            Ok(queue) => Ok((queue.message_count(), queue.consumer_count())),
            Err(error) if is_missing(&error) => {
                let fresh = self.link.channel().await?;
                self.spent.push(std::mem::replace(&mut self.channel, fresh));
                Ok((0, 0))
            }
            Err(error) => Err(error),
        }
    }

    /// The channels end with their connection: two goodbyes at once trip over each other, and lapin reports that as an
    /// error.
    async fn end(self) {
        self.link.close().await;
        drop((self.channel, self.spent));
    }
}

fn is_missing(error: &lapin::Error) -> bool {
    const MISSING: AMQPErrorKind = AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND);
    matches!(error.kind(), ErrorKind::ProtocolError(refusal) if *refusal.kind() == MISSING)
}
