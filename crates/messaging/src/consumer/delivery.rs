//! One delivery, from arrival to acknowledgement.

use std::sync::Arc;

use lapin::{
    Acker,
    message::Delivery,
    options::{BasicAckOptions, BasicNackOptions},
};
use sha2::{Digest, Sha256};
use techsupport_application::{TraceContext, deliveries::Verdict};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{
    Desk, Message,
    decide::{Failure, Received, Step, decide},
};
use crate::{
    backoff::Backoff,
    headers::{TRACEPARENT, text_of},
    meters,
    outgoing::Outgoing,
};

/// Handles the delivery and acknowledges it, or leaves it to be delivered again. `distrust` is cancelled when
/// the connection turns out to be of no use.
pub(super) async fn settle(desk: Arc<Desk>, delivery: Delivery, distrust: CancellationToken) {
    let received = Received::of(&delivery);
    let message = Arc::new(message(&received, &delivery));
    let trace = message.traceparent.as_deref().and_then(TraceContext::parse);
    let span = tracing::info_span!(
        "delivery",
        queue = desk.queues.main,
        eventId = received.id,
        traceId = trace.map(|trace| trace.trace_id()),
        redelivered = delivery.redelivered,
    );
    let life = async {
        #[cfg(feature = "sabotage-ack-first")]
        acknowledge(&desk, &delivery, "sabotaged", &distrust).await;
        // Deliveries of a lost connection may still be running beside those of the present one.
        let Ok(permit) = desk.permits.acquire().await else { return };
        if let Some((copy, outcome)) = conclude(&desk, &delivery, &received, &message).await {
            let safe = match copy {
                None => true,
                Some(copy) => hand_over(&desk, &delivery, copy).await,
            };
            drop(permit);
            if safe {
                acknowledge(&desk, &delivery, outcome, &distrust).await;
            }
        }
    };
    life.instrument(span).await;
}

/// Hands the message back after a defect of ours: the broker delivers it again, to us or to another worker, and
/// dead-letters it when that happens too often. After a pause, because it may happen at once.
pub(super) async fn give_back(desk: &Desk, acker: &Acker, distrust: &CancellationToken) {
    tokio::time::sleep(desk.patience.clone().wait()).await;
    let requeue = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
    match timeout(desk.ack_timeout, acker.nack(requeue)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::debug!(%error, "the connection was gone before a message was handed back"),
        Err(_) => distrust.cancel(),
    }
    meters::consumed(&desk.queues.main, "panicked");
}

fn message(received: &Received, delivery: &Delivery) -> Message {
    let id = delivery.properties.message_id().as_ref().map(ToString::to_string);
    Message {
        key: id.clone().unwrap_or_else(|| digest(&delivery.data)),
        id,
        traceparent: text_of(&received.properties, TRACEPARENT),
        redelivered: delivery.redelivered,
        body: delivery.data.clone(),
        properties: received.properties.clone(),
    }
}

/// The same for every delivery of a message.
pub(super) fn digest(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}

/// Asks the handler until it knows. `None` when it is time to give up: then the broker delivers again.
async fn conclude(
    desk: &Arc<Desk>,
    delivery: &Delivery,
    received: &Received,
    message: &Arc<Message>,
) -> Option<(Option<Outgoing>, &'static str)> {
    let mut patience = desk.patience.clone();
    loop {
        let outcome = handle(desk, message).await;
        match decide(outcome, received, &desk.queues, &desk.options) {
            Step::Acknowledge => return Some((None, "done")),
            Step::Move { copy, outcome } => return Some((Some(*copy), outcome)),
            Step::Stay { reason } => {
                tracing::warn!(reason, "cannot handle a message now; holding it");
                if !can_wait(desk, delivery, &mut patience).await {
                    return None;
                }
            }
        }
    }
}

async fn handle(desk: &Arc<Desk>, message: &Arc<Message>) -> Result<Verdict, Failure> {
    let (desk, message, span) = (Arc::clone(desk), Arc::clone(message), tracing::Span::current());
    let handling = tokio::task::spawn_blocking(move || span.in_scope(|| desk.handler.handle(&message)));
    match handling.await {
        Ok(outcome) => outcome.map_err(Failure::Error),
        // A panic was logged where it happened.
        Err(_) => Err(Failure::Panic),
    }
}

/// Publishes the copy, however often it takes. The handler is not asked again: what it said stands in the
/// database, and asked twice it might say something else.
async fn hand_over(desk: &Desk, delivery: &Delivery, copy: Outgoing) -> bool {
    let mut patience = desk.patience.clone();
    loop {
        match desk.publisher.send(copy.clone()).await {
            Ok(()) => return true,
            Err(error) => {
                tracing::warn!(reason = %error, to = copy.routing_key, "cannot move a message now; holding it");
                if !can_wait(desk, delivery, &mut patience).await {
                    return false;
                }
            }
        }
    }
}

/// Waits a little. `false` when there is no point in going on: we are to stop, or the connection is lost and
/// the message no longer ours.
async fn can_wait(desk: &Desk, delivery: &Delivery, patience: &mut Backoff) -> bool {
    tokio::select! {
        () = desk.stop.cancelled() => false,
        () = tokio::time::sleep(patience.wait()) => delivery.acker.usable(),
    }
}

/// An acknowledgement that fails changes nothing: the message comes again and is recognized.
///
/// lapin (4.12.3) never answers some that are under way while their connection breaks, hence the limit.
async fn acknowledge(desk: &Desk, delivery: &Delivery, outcome: &'static str, distrust: &CancellationToken) {
    let acknowledging = delivery.acker.ack(BasicAckOptions::default());
    let outcome = match timeout(desk.ack_timeout, acknowledging).await {
        Ok(Ok(true)) => outcome,
        Ok(Ok(false)) => "unacknowledged",
        Ok(Err(error)) => {
            tracing::debug!(%error, "an acknowledgement failed");
            "unacknowledged"
        }
        Err(_) => {
            distrust.cancel();
            "unacknowledged"
        }
    };
    meters::consumed(&desk.queues.main, outcome);
}
