//! Waiting for a condition: the one place of xtask that sleeps.

use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::signals;

const POLL: Duration = Duration::from_millis(20);

/// Looks every 20 ms until `condition` gives a value or `limit` has passed (`None`).
///
/// # Errors
/// [`Error::Interrupted`] when a signal asks to stop, and whatever `condition` fails with.
pub(crate) fn until<T>(
    limit: Duration,
    mut condition: impl FnMut() -> Result<Option<T>>,
) -> Result<Option<T>> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = condition()? {
            return Ok(Some(value));
        }
        if signals::stop_requested() {
            return Err(Error::Interrupted);
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        pause(POLL);
    }
}

/// Like [`until`] for clean-up, which a signal must not cut short. True when the condition came about.
pub(crate) fn until_done(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        pause(POLL);
    }
}

/// One turn of a loop that watches several things.
#[expect(clippy::disallowed_methods, reason = "the one place of xtask that sleeps")]
pub(crate) fn pause(length: Duration) {
    std::thread::sleep(length);
}
