//! Waiting for something that another thread or process does.

use std::time::{Duration, Instant};

/// How long to wait before giving up. Generous: a slow machine must not fail a test, and a test that passes
/// never waits for it.
pub const LIMIT: Duration = Duration::from_secs(45);

/// How often to look.
const EVERY: Duration = Duration::from_millis(10);

/// Looks again and again until there is something. Fails the test after [`LIMIT`], saying `what` was missing
/// and what the programs of this process complained about last.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain: {what}\n{}", crate::logs::last_complaints());
        #[expect(clippy::disallowed_methods, reason = "the one place where tests wait, between two looks")]
        std::thread::sleep(EVERY);
    }
}

/// Looks again and again until it is so.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    until(what, || is_so().then_some(()));
}
