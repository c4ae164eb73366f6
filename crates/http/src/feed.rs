//! Those who wait for events: woken together, admitted in a bounded number, and looking a few at a time.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, timeout_at},
};

use crate::{
    WaitSettings,
    problem::{Kind, Problem},
};

/// How many of those who were woken look at once. All are woken by the same event, and would otherwise take every
/// place that requests have for their work.
const LOOK_AT_ONCE: usize = 2;

/// Wakes everybody in this process who waits for events. Whoever hears of new ones rings it.
#[derive(Debug, Clone, Default)]
pub struct EventBell(Arc<watch::Sender<State>>);

#[derive(Debug, Default)]
struct State {
    over: bool,
}

impl EventBell {
    /// There may be something new.
    pub fn ring(&self) {
        self.0.send_modify(|_| {});
    }

    /// Nobody waits any longer, now and from now on.
    pub(crate) fn close(&self) {
        self.0.send_modify(|state| state.over = true);
    }

    /// From here on no ring is missed.
    pub(crate) fn listen(&self) -> Ears {
        Ears(self.0.subscribe())
    }
}

/// Somebody who listens.
pub(crate) struct Ears(watch::Receiver<State>);

impl Ears {
    /// Whether waiting is over for everybody.
    pub(crate) fn is_over(&self) -> bool {
        self.0.borrow().over
    }

    /// Waits for a ring since the last one that was heard, `until` then at most.
    pub(crate) async fn hear(&mut self, until: Instant) {
        // The bell lives as long as the server; were it gone, the time limit would still hold.
        if let Ok(Err(_gone)) = timeout_at(until, self.0.changed()).await {
            tokio::time::sleep_until(until).await;
        }
    }
}

/// The places of those who wait.
pub(crate) struct Waiters {
    bell: EventBell,
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    look_again: Duration,
}

impl Waiters {
    pub(crate) fn new(bell: EventBell, settings: &WaitSettings) -> Self {
        let semaphore = |places| Arc::new(Semaphore::new(places));
        Self {
            bell,
            places: semaphore(settings.max_waiting),
            turns: semaphore(LOOK_AT_ONCE),
            look_again: Duration::from_millis(settings.look_again_ms),
        }
    }

    pub(crate) fn bell(&self) -> &EventBell {
        &self.bell
    }

    /// When to look without having been woken.
    pub(crate) fn look_again(&self) -> Instant {
        Instant::now() + self.look_again
    }

    /// A place, given back when dropped: also when the caller goes away.
    pub(crate) fn enter(&self) -> Result<Place, Problem> {
        let permit = Arc::clone(&self.places).try_acquire_owned().map_err(|_full| {
            metrics::counter!("events_waiters_rejected_total").increment(1);
            Problem::new(Kind::Overloaded, "too many wait for events already; ask without wait, or later")
        })?;
        metrics::gauge!("events_waiters").increment(1.0);
        Ok(Place { _permit: permit })
    }

    /// Waits for the turn to look.
    pub(crate) async fn turn(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.turns).acquire_owned().await.map_err(|_closed| Problem::internal())
    }
}

/// One who waits.
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        metrics::gauge!("events_waiters").decrement(1.0);
    }
}
