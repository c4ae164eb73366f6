//! Consuming over one connection, from the first delivery to the last.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use lapin::{
    Channel,
    message::Delivery,
    options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::{Desk, delivery};
use crate::{
    link::{Link, LinkError},
    settings::BrokerSettings,
    topology::{QueueSet, Topology},
};

/// A connection that consumes.
pub(super) struct Session {
    link: Link,
    channel: Channel,
    deliveries: lapin::Consumer,
}

/// Why a session is over.
pub(super) enum Ending {
    /// It was asked to stop and finished what it held, as far as time allowed.
    Stopped,
    /// The connection or the queue is gone.
    Lost(String),
}

impl Session {
    pub(super) async fn open(
        settings: &BrokerSettings,
        topology: &Topology,
        name: &str,
        queues: &QueueSet,
        parallelism: u16,
    ) -> Result<Self, LinkError> {
        let (link, (channel, deliveries)) = Link::open(settings, topology, name, async |channel| {
            // Before consuming: whatever the broker sends is buffered without a bound.
            channel.basic_qos(parallelism, BasicQosOptions::default()).await?;
            let deliveries = channel
                .basic_consume(
                    queues.main.as_str().into(),
                    "".into(),
                    BasicConsumeOptions::default(),
                    FieldTable::default(),
                )
                .await?;
            Ok((channel, deliveries))
        })
        .await?;
        Ok(Self { link, channel, deliveries })
    }

    pub(super) async fn consume(mut self, desk: &Arc<Desk>, running: &TaskTracker) -> Ending {
        loop {
            let next = tokio::select! {
                () = desk.stop.cancelled() => {
                    self.stop(desk, running).await;
                    return Ending::Stopped;
                }
                next = self.deliveries.next() => next,
            };
            match next {
                Some(Ok(delivery)) => accept(desk, running, delivery),
                Some(Err(error)) => return Ending::Lost(error.to_string()),
                None => return Ending::Lost("the broker has ended the subscription".to_owned()),
            }
        }
    }

    /// Takes nothing new, finishes what was sent already, and only then closes the connection, which the
    /// acknowledgements need.
    async fn stop(mut self, desk: &Arc<Desk>, running: &TaskTracker) {
        let limit = desk.options.drain_timeout;
        let taking_the_rest = async {
            if let Err(error) =
                self.channel.basic_cancel(self.deliveries.tag(), BasicCancelOptions::default()).await
            {
                tracing::debug!(%error, "the subscription was gone before it was cancelled");
                return;
            }
            while let Some(Ok(delivery)) = self.deliveries.next().await {
                accept(desk, running, delivery);
            }
        };
        if timeout(limit, taking_the_rest).await.is_err() {
            tracing::warn!(
                queue = desk.queues.main,
                "the broker did not confirm the end of the subscription"
            );
        }
        finish(running, limit).await;
        self.link.close().await;
    }
}

/// Waits for what is being handled.
pub(super) async fn finish(running: &TaskTracker, limit: Duration) {
    running.close();
    if timeout(limit, running.wait()).await.is_err() {
        tracing::warn!(unfinished = running.len(), "stopping with unfinished messages; they will come again");
    }
}

fn accept(desk: &Arc<Desk>, running: &TaskTracker, delivery: Delivery) {
    running.spawn(delivery::settle(Arc::clone(desk), delivery));
}
