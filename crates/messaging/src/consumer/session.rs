//! Consuming over one connection, from the first delivery to the last.

use std::sync::Arc;

use futures_util::StreamExt;
use lapin::{
    Channel,
    message::Delivery,
    options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use tokio::time::{Instant, timeout_at};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Desk, delivery};
use crate::{
    link::{Link, LinkError},
    settings::BrokerSettings,
    survive::survive,
    topology::{QueueSet, Topology},
};

/// A connection that consumes.
pub(super) struct Session {
    link: Link,
    channel: Channel,
    deliveries: lapin::Consumer,
    /// Cancelled by a delivery to which the connection turned out to be of no use.
    distrust: CancellationToken,
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
        Ok(Self { link, channel, deliveries, distrust: CancellationToken::new() })
    }

    pub(super) async fn consume(mut self, desk: &Arc<Desk>, running: &TaskTracker) -> Ending {
        tokio::select! {
            () = desk.stop.cancelled() => {}
            reason = self.receive(desk, running) => return Ending::Lost(reason),
        }
        self.stop(desk, running).await;
        Ending::Stopped
    }

    /// Ends before anything was taken. What was sent already comes again.
    pub(super) async fn close(self) {
        self.link.close().await;
    }

    /// Takes what comes until the connection is of no use any more, and says why.
    async fn receive(&mut self, desk: &Arc<Desk>, running: &TaskTracker) -> String {
        let lost = self.link.lost();
        tokio::pin!(lost);
        loop {
            let next = tokio::select! {
                reason = &mut lost => return reason,
                () = self.distrust.cancelled() => return "an acknowledgement did not leave".to_owned(),
                next = self.deliveries.next() => next,
            };
            match next {
                Some(Ok(delivery)) => accept(desk, running, delivery, &self.distrust),
                Some(Err(error)) => return error.to_string(),
                None => return "the broker has ended the subscription".to_owned(),
            }
        }
    }

    /// Takes nothing new, finishes what was sent already, and only then closes the connection, which the
    /// acknowledgements need.
    async fn stop(mut self, desk: &Arc<Desk>, running: &TaskTracker) {
        let deadline = Instant::now() + desk.options.drain_timeout;
        let taking_the_rest = async {
            if let Err(error) =
                self.channel.basic_cancel(self.deliveries.tag(), BasicCancelOptions::default()).await
            {
                tracing::debug!(%error, "the subscription was gone before it was cancelled");
                return;
            }
            while let Some(Ok(delivery)) = self.deliveries.next().await {
                accept(desk, running, delivery, &self.distrust);
            }
        };
        if timeout_at(deadline, taking_the_rest).await.is_err() {
            tracing::warn!(
                queue = desk.queues.main,
                "the broker did not confirm the end of the subscription"
            );
        }
        finish(running, deadline).await;
        self.link.close().await;
    }
}

/// Whatever happens to the delivery, it does not keep its place among those that are held at once.
fn accept(desk: &Arc<Desk>, running: &TaskTracker, delivery: Delivery, distrust: &CancellationToken) {
    let (desk, distrust, acker) = (Arc::clone(desk), distrust.clone(), delivery.acker.clone());
    running.spawn(async move {
        let settling = delivery::settle(Arc::clone(&desk), delivery, distrust.clone());
        if survive("delivery", settling).await.is_none() {
            delivery::give_back(&desk, &acker, &distrust).await;
        }
    });
}

/// Waits for what is being handled.
pub(super) async fn finish(running: &TaskTracker, deadline: Instant) {
    running.close();
    if timeout_at(deadline, running.wait()).await.is_err() {
        tracing::warn!(unfinished = running.len(), "stopping with unfinished messages; they will come again");
    }
}
