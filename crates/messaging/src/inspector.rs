//! Looks at how much lies in the queues.
//!
//! Each look has a connection of its own. That of a publisher would not do: a broker that accepts no messages stops
//! reading from it, and then is when somebody wants to know. One that is kept open would be idle for most of its life.

use std::time::Duration;

use lapin::{Channel, options::QueueDeclareOptions, types::FieldTable};
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
        // Every queue is there: the topology has been declared.
        let (link, (channel, figures)) =
            Link::open(&self.settings, &self.topology, &self.name, async |channel| {
                let mut figures = Vec::new();
                for subscription in Subscription::ALL {
                    figures.push(ask(&channel, subscription, self.topology.of(subscription)).await?);
                }
                Ok((channel, figures))
            })
            .await?;
        // Nobody has to wait for the goodbye. The channel ends with its connection: two goodbyes at once trip over each
        // other, and lapin reports that as an error.
        self.runtime.spawn(async move {
            link.close().await;
            drop(channel);
        });
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

async fn ask(channel: &Channel, subscription: Subscription, queues: &QueueSet) -> lapin::Result<BrokerQueue> {
    let main = count(channel, &queues.main).await?;
    let mut ready = u64::from(main.message_count());
    for retry in &queues.retries {
        ready += u64::from(count(channel, &retry.name).await?.message_count());
    }
    let dead = count(channel, &queues.dead_letters).await?;
    Ok(BrokerQueue {
        name: subscription.name(),
        ready,
        consumers: main.consumer_count(),
        uncollected: dead.message_count().into(),
    })
}

/// A declaration that makes nothing says how much there is.
async fn count(channel: &Channel, queue: &str) -> lapin::Result<lapin::Queue> {
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.into(), passive, FieldTable::default()).await
}
