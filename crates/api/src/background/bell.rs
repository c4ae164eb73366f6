//! Sleeping until it is time, until somebody rings, or until it is over.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Wakes a background pass. A ring while the pass is at work is not lost: the next wait ends at once.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    rung: bool,
    /// Until when to finish.
    stopped: Option<Instant>,
}

impl Bell {
    /// There is something to do.
    pub(crate) fn ring(&self) {
        self.lock().rung = true;
        self.changed.notify_all();
    }

    /// It is over; every wait ends, now and from now on. What has to be finished has time until then.
    pub(crate) fn stop(&self, finish_by: Instant) {
        self.lock().stopped = Some(finish_by);
        self.changed.notify_all();
    }

    /// Until when to finish; `None` while it is not over.
    pub(crate) fn stopped(&self) -> Option<Instant> {
        self.lock().stopped
    }

    /// Waits for a ring, `limit` at most.
    pub(crate) fn wait(&self, limit: Duration) {
        self.sleep(limit, |state| state.rung || state.stopped.is_some()).rung = false;
    }

    /// Waits for `limit`, whoever rings. The ring is kept.
    pub(crate) fn rest(&self, limit: Duration) {
        drop(self.sleep(limit, |state| state.stopped.is_some()));
    }

    fn sleep(&self, limit: Duration, is_over: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let until = Instant::now() + limit;
        let mut state = self.lock();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || is_over(&state) {
                return state;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{sync::Arc, thread};

    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    #[test]
    fn a_ring_before_the_wait_is_not_lost_and_counts_once() {
        let bell = Bell::default();
        bell.ring();
        bell.ring();
        let started = Instant::now();
        bell.wait(LONG);
        assert!(started.elapsed() < LONG / 2);
        let started = Instant::now();
        bell.wait(Duration::from_millis(20));
        assert!(started.elapsed() >= Duration::from_millis(20));
    }

    #[test]
    fn a_rest_ends_with_a_stop_but_not_with_a_ring() {
        let bell = Arc::new(Bell::default());
        bell.ring();
        let started = Instant::now();
        bell.rest(Duration::from_millis(20));
        assert!(started.elapsed() >= Duration::from_millis(20));
        let resting = thread::spawn({
            let bell = Arc::clone(&bell);
            move || bell.rest(LONG)
        });
        bell.stop(Instant::now());
        resting.join().unwrap();
        bell.wait(LONG);
        assert!(bell.stopped().is_some());
    }
}
