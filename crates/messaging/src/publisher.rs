//! Publishing with confirms over a supervised connection.
//!
//! A task owns the connection and serves one batch at a time, so every return belongs to the batch at hand.
//! While there is no connection it refuses at once: nobody waits for a broker that is down, the outbox does.

use std::{pin::pin, sync::Arc, time::Duration};

use lapin::{Channel, options::ConfirmSelectOptions};
use techsupport_application::{
    AppError,
    events::OutboxMessage,
    ports::{
        DeadLetterPublisher, EventPublisher, PublishFailure, PublishReport, ReplayMessage, ReplayReport,
    },
};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    backoff::Backoff,
    confirms::{Fate, publish_batch},
    link::{Link, LinkError, abandon},
    meters,
    outgoing::Outgoing,
    settings::BrokerSettings,
    survive::survive,
    topology::{Subscription, Topology},
};

/// Batches that may wait behind the one at hand; more are refused, and stay where they are. Many more than the
/// relay and the worker ever hand in at once, unless somebody sets their parallelism very high.
const WAITING_ROOM: usize = 32;

/// A batch of which nothing is known.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unpublished(String);

struct Request {
    batch: Vec<Outgoing>,
    reply: oneshot::Sender<Result<Vec<Fate>, Unpublished>>,
}

/// Publishes to the broker. Cheap to clone; all clones share one connection.
#[derive(Clone)]
pub struct Publisher {
    requests: mpsc::Sender<Request>,
    connected: watch::Receiver<bool>,
    topology: Arc<Topology>,
    retry_after: Duration,
}

impl Publisher {
    /// Starts the task that owns the connection, which is called `name` in the broker's lists. It ends, after
    /// the batch at hand, when `stop` is cancelled or the last clone is dropped.
    ///
    /// Must be called within a tokio runtime.
    pub fn start(settings: &BrokerSettings, name: &str, stop: CancellationToken) -> Self {
        let (requests, inbox) = mpsc::channel(WAITING_ROOM);
        let (connects, connected) = watch::channel(false);
        let topology = Topology::new(settings);
        let publisher = Self {
            requests,
            connected,
            topology: Arc::new(topology.clone()),
            retry_after: settings.reconnect_max(),
        };
        let office = Office {
            settings: settings.clone(),
            topology,
            name: name.to_owned(),
            inbox,
            connected: connects,
            stop,
        };
        tokio::spawn(office.stay_open());
        publisher
    }

    /// Whether there is a connection right now.
    pub fn is_connected(&self) -> bool {
        *self.connected.borrow()
    }

    /// Waits until there is a connection, and everything at the broker that these settings ask for; or nothing to wait
    /// for any more, since the task has ended.
    pub(crate) async fn connected(&self) {
        drop(self.connected.clone().wait_for(|connected| *connected).await);
    }

    /// Waits for the task to end, which says goodbye to the broker first.
    pub async fn ended(&self) {
        self.requests.closed().await;
    }

    /// Publishes one message and waits for its fate.
    pub(crate) async fn send(&self, message: Outgoing) -> Result<(), Unpublished> {
        let reply = self.hand_in(vec![message])?;
        let fates = reply.await.map_err(|_| stopped())??;
        match fates.into_iter().next() {
            Some(Ok(())) => Ok(()),
            Some(Err(reason)) => Err(Unpublished(reason)),
            None => Err(stopped()),
        }
    }

    fn hand_in(
        &self,
        batch: Vec<Outgoing>,
    ) -> Result<oneshot::Receiver<Result<Vec<Fate>, Unpublished>>, Unpublished> {
        let (reply, outcome) = oneshot::channel();
        match self.requests.try_send(Request { batch, reply }) {
            Ok(()) => Ok(outcome),
            Err(mpsc::error::TrySendError::Full(_)) => {
                Err(Unpublished("too many batches wait for the broker".to_owned()))
            }
            Err(mpsc::error::TrySendError::Closed(_)) => Err(stopped()),
        }
    }
}

fn stopped() -> Unpublished {
    Unpublished("the publisher has stopped".to_owned())
}

impl Publisher {
    /// Publishes all and waits for the fate of each. Blocks: never call it from async code, where it panics. Bounded by
    /// the confirm timeout.
    fn publish_all(&self, batch: Vec<Outgoing>) -> Result<Vec<Fate>, AppError> {
        let unavailable = |error: Unpublished| AppError::Unavailable {
            reason: format!("broker: {error}"),
            retry_after: self.retry_after,
        };
        let reply = self.hand_in(batch).map_err(unavailable)?;
        reply.blocking_recv().unwrap_or_else(|_| Err(stopped())).map_err(unavailable)
    }
}

impl EventPublisher for Publisher {
    /// Blocks: never call it from async code, where it panics. Bounded by the confirm timeout.
    fn publish(&self, batch: &[OutboxMessage]) -> Result<PublishReport, AppError> {
        let mut report = PublishReport::default();
        if batch.is_empty() {
            return Ok(report);
        }
        let exchange = self.topology.exchange();
        let fates = self.publish_all(batch.iter().map(|each| Outgoing::event(exchange, each)).collect())?;
        for (message, fate) in batch.iter().zip(fates) {
            match fate {
                Ok(()) => report.published.push(message.id),
                Err(reason) => report.failed.push(PublishFailure { event: message.id, reason }),
            }
        }
        Ok(report)
    }
}

impl DeadLetterPublisher for Publisher {
    /// Blocks: never call it from async code, where it panics. Bounded by the confirm timeout.
    fn put_back(&self, batch: &[ReplayMessage]) -> Result<ReplayReport, AppError> {
        let mut report = ReplayReport::default();
        let (mut ids, mut outgoing) = (Vec::new(), Vec::new());
        for ReplayMessage { id, message } in batch {
            match Subscription::ALL.into_iter().find(|each| each.name() == message.queue) {
                Some(subscription) => {
                    ids.push(*id);
                    outgoing.push(Outgoing::replay(&self.topology.of(subscription).main, message));
                }
                None => report.refused.push((*id, format!("there is no queue {}", message.queue))),
            }
        }
        if ids.is_empty() {
            return Ok(report);
        }
        for (id, fate) in ids.into_iter().zip(self.publish_all(outgoing)?) {
            match fate {
                Ok(()) => report.replayed.push(id),
                Err(reason) => report.failed.push((id, reason)),
            }
        }
        Ok(report)
    }
}

/// The task behind a [`Publisher`].
struct Office {
    settings: BrokerSettings,
    topology: Topology,
    name: String,
    inbox: mpsc::Receiver<Request>,
    connected: watch::Sender<bool>,
    stop: CancellationToken,
}

/// Why the office does not go on with a connection.
enum Closing {
    /// Nobody needs it any more.
    ForGood,
    /// It cannot be trusted any more.
    Lost(String),
}

impl Office {
    /// Works until nobody needs it any more, whatever happens. While it recovers from a panic it refuses, and
    /// readiness shows that there is no connection.
    async fn stay_open(mut self) {
        let mut backoff = Backoff::new(&self.settings);
        meters::link_made(&self.name);
        while survive("publisher", Box::pin(self.run())).await.is_none() {
            self.set_connected(false);
            let wait = tokio::time::sleep(backoff.wait());
            if self.refuse_until("the publisher panicked", wait).await.is_none() {
                return;
            }
        }
    }

    async fn run(&mut self) {
        #[cfg(test)]
        tests::panic_once(&self.settings);
        let mut backoff = Backoff::new(&self.settings);
        let mut excuse = "not connected to the broker yet".to_owned();
        loop {
            let (settings, topology, name) =
                (self.settings.clone(), self.topology.clone(), self.name.clone());
            let mut connecting = pin!(open(&settings, &topology, &name));
            match self.refuse_until(&excuse, connecting.as_mut()).await {
                // The channel ends with its connection.
                None => return abandon(connecting, async |(link, _channel)| link.close().await).await,
                Some(Ok((link, channel))) => {
                    tracing::info!(link = self.name, "connected to the broker");
                    self.set_connected(true);
                    let closing = self.serve(&link, &channel, &mut backoff).await;
                    self.set_connected(false);
                    link.close().await;
                    match closing {
                        Closing::ForGood => return,
                        Closing::Lost(reason) => excuse = reason,
                    }
                }
                Some(Err(error)) => excuse = error.to_string(),
            }
            let wait = backoff.wait();
            let retry_in_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(link = self.name, reason = excuse, retry_in_ms, "no connection to the broker");
            meters::reconnecting(&self.name);
            if self.refuse_until(&excuse, tokio::time::sleep(wait)).await.is_none() {
                return;
            }
        }
    }

    /// Answers every request with the excuse until `event` happens. `None` when nobody needs it any more.
    async fn refuse_until<T>(&mut self, excuse: &str, event: impl Future<Output = T>) -> Option<T> {
        tokio::pin!(event);
        loop {
            tokio::select! {
                outcome = &mut event => return Some(outcome),
                () = self.stop.cancelled() => return None,
                request = self.inbox.recv() => answer(request?, Err(Unpublished(excuse.to_owned()))),
            }
        }
    }

    async fn serve(&mut self, link: &Link, channel: &Channel, backoff: &mut Backoff) -> Closing {
        let lost = link.lost();
        tokio::pin!(lost);
        loop {
            let request = tokio::select! {
                () = self.stop.cancelled() => return Closing::ForGood,
                reason = &mut lost => return Closing::Lost(reason),
                request = self.inbox.recv() => match request {
                    Some(request) => request,
                    None => return Closing::ForGood,
                },
            };
            match publish_batch(channel, &request.batch, self.settings.confirm_timeout()).await {
                Ok(fates) => {
                    // Only a batch that went through shows that the broker works again.
                    backoff.reset();
                    meters::published(&fates);
                    answer(request, Ok(fates));
                }
                Err(error) => {
                    meters::batch_failed();
                    answer(request, Err(Unpublished(error.to_string())));
                    return Closing::Lost(error.to_string());
                }
            }
        }
    }

    fn set_connected(&self, connected: bool) {
        self.connected.send_replace(connected);
        meters::connected(&self.name, connected);
    }
}

async fn open(
    settings: &BrokerSettings,
    topology: &Topology,
    name: &str,
) -> Result<(Link, Channel), LinkError> {
    Link::open(settings, topology, name, async |channel| {
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(channel)
    })
    .await
}

fn answer(request: Request, outcome: Result<Vec<Fate>, Unpublished>) {
    if request.reply.send(outcome).is_err() {
        tracing::debug!("nobody waits for the outcome of a batch any more");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::{broker_double::BrokerDouble, settings::tests::settings};

    const PANICKING: &str = "panicking";
    static PANICKED: AtomicBool = AtomicBool::new(false);

    /// For the test below: a task that belongs to nobody else panics the first time.
    pub(super) fn panic_once(settings: &BrokerSettings) {
        assert!(settings.prefix != PANICKING || PANICKED.swap(true, Ordering::Relaxed), "on purpose");
    }

    #[tokio::test]
    async fn a_stop_does_not_cut_a_handshake_off() {
        let broker = BrokerDouble::start().await;
        let stop = CancellationToken::new();
        let publisher = Publisher::start(&broker.settings(), "test", stop.clone());
        broker.answered_although(|| stop.cancel()).await;
        tokio::time::timeout(Duration::from_secs(30), publisher.ended()).await.unwrap();
    }

    #[tokio::test]
    async fn a_publisher_that_panicked_is_not_connected_and_goes_on() {
        // Nobody listens on port 1.
        let settings =
            BrokerSettings { prefix: PANICKING.into(), url: "amqp://127.0.0.1:1".into(), ..settings() };
        let stop = CancellationToken::new();
        let publisher = Publisher::start(&settings, "test", stop.clone());
        let limit = Duration::from_secs(30);
        while !PANICKED.load(Ordering::Relaxed) {
            tokio::task::yield_now().await;
        }
        let refused = tokio::time::timeout(limit, async {
            loop {
                let message = Outgoing::copy(
                    "id",
                    "queue",
                    &lapin::BasicProperties::default(),
                    lapin::types::FieldTable::default(),
                    vec![],
                );
                let reason = publisher.send(message).await.unwrap_err().to_string();
                if !reason.contains("panicked") {
                    return reason;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        let refused = refused.await.unwrap();
        assert!(!refused.contains("stopped"), "{refused}");
        assert!(!publisher.is_connected());
        stop.cancel();
        tokio::time::timeout(limit, publisher.ended()).await.unwrap();
    }
}
