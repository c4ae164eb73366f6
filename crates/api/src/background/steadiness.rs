//! What to do when a background pass fails: wait longer each time, and do not fill the log.

use std::time::{Duration, Instant};

use techsupport_bootstrap::ids;

use super::meters;

/// Counts the failures of a pass in a row. The log hears of the first, the second, the fourth, the eighth
/// and so on, and of the end.
#[derive(Debug)]
pub(crate) struct Steadiness {
    pass: &'static str,
    first_wait: Duration,
    longest_wait: Duration,
    failures: u32,
    failing_since: Instant,
}

impl Steadiness {
    pub(crate) fn new(pass: &'static str, first_wait: Duration, longest_wait: Duration) -> Self {
        Self { pass, first_wait, longest_wait, failures: 0, failing_since: Instant::now() }
    }

    /// The pass went through.
    pub(crate) fn succeeded(&mut self) {
        if self.failures > 0 {
            let failing_for_ms = u64::try_from(self.failing_since.elapsed().as_millis()).unwrap_or(u64::MAX);
            tracing::info!(
                pass = self.pass,
                failures = self.failures,
                failing_for_ms,
                "a background pass works again"
            );
            self.failures = 0;
        }
    }

    /// The pass failed; says how long to wait.
    pub(crate) fn failed(&mut self, error: &str) -> Duration {
        if self.failures == 0 {
            self.failing_since = Instant::now();
        }
        self.failures = self.failures.saturating_add(1);
        meters::pass_failed(self.pass);
        if self.failures.is_power_of_two() {
            tracing::warn!(pass = self.pass, failures = self.failures, error, "a background pass fails");
        }
        self.wait()
    }

    /// Doubles with each failure; half of it is random, so that replicas do not come back all at once.
    fn wait(&self) -> Duration {
        let doublings = self.failures.saturating_sub(1).min(20);
        let wait = self.first_wait.saturating_mul(1 << doublings).min(self.longest_wait);
        let mut random = [0; 32];
        ids::random(&mut random);
        wait / 2 + wait.mul_f64(f64::from(random[0]) / 512.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit_and_begin_anew() {
        let (first, longest) = (Duration::from_millis(100), Duration::from_millis(1_500));
        let mut steadiness = Steadiness::new("test", first, longest);
        for full in [100, 200, 400, 800, 1_500, 1_500].map(Duration::from_millis) {
            let wait = steadiness.failed("down");
            assert!(wait >= full / 2 && wait <= full, "{wait:?} of {full:?}");
        }
        steadiness.succeeded();
        assert!(steadiness.failed("down") <= first);
    }
}
