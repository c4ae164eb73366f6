//! When the queues of a test that is over can be deleted.
//!
//! Deleting a quorum queue that dead-letters at least once, so soon after its declaration that its dead-letter
//! worker is still starting, crashes that worker; two of them within seconds end the supervisor of all of
//! them, and from then on RabbitMQ 3.10 refuses every message to every such queue until it is restarted.
//! So queues are deleted some time after the last moment at which they may have been declared: by whichever
//! test ends after that.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use lapin::{
    Channel,
    options::{ExchangeDeleteOptions, QueueDeleteOptions},
};

use super::{BINDINGS, RETRY_DELAYS_MS, runtime};

/// How long a dead-letter worker has to start.
const REST: Duration = Duration::from_secs(3);

static DEPARTED: Mutex<Vec<(Instant, String)>> = Mutex::new(Vec::new());
static PRESENT: AtomicU32 = AtomicU32::new(0);

/// A test has begun.
pub(super) fn arrived() {
    PRESENT.fetch_add(1, Ordering::SeqCst);
}

/// A test is over: everything under its prefix will be deleted, and what has rested is deleted now.
pub(super) fn left(channel: &Channel, prefix: &str) {
    departed().push((Instant::now(), prefix.to_owned()));
    if PRESENT.fetch_sub(1, Ordering::SeqCst) == 1 {
        // Perhaps this was the last test, and nobody comes after it to delete the rest.
        crate::eventually("the queues may be deleted", || {
            PRESENT.load(Ordering::SeqCst) > 0 || departed().iter().all(|(since, _)| since.elapsed() >= REST)
        });
    }
    let rested: Vec<String> =
        departed().extract_if(.., |(since, _)| since.elapsed() >= REST).map(|(_, prefix)| prefix).collect();
    runtime().block_on(async {
        for prefix in rested {
            delete(channel, &prefix).await;
        }
    });
}

fn departed() -> MutexGuard<'static, Vec<(Instant, String)>> {
    DEPARTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is not there needs no deleting, so errors are of no interest.
async fn delete(channel: &Channel, prefix: &str) {
    for main in BINDINGS.map(|(name, _)| format!("{prefix}.{name}")) {
        let mut names: Vec<String> =
            RETRY_DELAYS_MS.iter().map(|delay| format!("{main}.retry.{delay}ms")).collect();
        names.extend([format!("{main}.dlq"), main]);
        for queue in names {
            drop(channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await);
        }
    }
    let exchange = format!("{prefix}.events");
    drop(channel.exchange_delete(exchange.as_str().into(), ExchangeDeleteOptions::default()).await);
}
