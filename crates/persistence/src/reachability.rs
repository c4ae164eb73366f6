//! Whether it makes sense to wait for a connection.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::meters;

/// Whether the server lets us in, as the attempts to open a connection find out.
#[derive(Debug, Default)]
pub(crate) struct Reachability {
    refused: Mutex<Option<Refusals>>,
}

#[derive(Debug, Clone, Copy)]
struct Refusals {
    latest: Instant,
    told: Instant,
}

impl Reachability {
    /// An outage is told of at most this often: there are several attempts a second.
    const TELL_EVERY: Duration = Duration::from_secs(10);
    /// Attempts follow each other at most a second apart, so a refusal is news for a little longer.
    const NEWS: Duration = Duration::from_millis(1_500);

    pub(crate) fn connected(&self) {
        if let Ok(mut refused) = self.refused.lock() {
            *refused = None;
        }
    }

    /// Whether it is time to tell somebody.
    fn refused(&self) -> bool {
        let Ok(mut refused) = self.refused.lock() else { return true };
        let now = Instant::now();
        let told = refused.map(|refused| refused.told).filter(|told| now - *told < Self::TELL_EVERY);
        *refused = Some(Refusals { latest: now, told: told.unwrap_or(now) });
        told.is_none()
    }

    pub(crate) fn is_refusing(&self) -> bool {
        let refused = self.refused.lock().ok().and_then(|refused| *refused);
        refused.is_some_and(|refused| refused.latest.elapsed() < Self::NEWS)
    }
}

/// r2d2 reports failures to open a connection here.
#[derive(Debug)]
pub(crate) struct NoteRefusals(pub(crate) Arc<Reachability>);

impl<E: std::fmt::Display> r2d2::HandleError<E> for NoteRefusals {
    fn handle_error(&self, error: E) {
        meters::connect_failed();
        if self.0.refused() {
            tracing::warn!(%error, "cannot open a database connection");
        }
    }
}
