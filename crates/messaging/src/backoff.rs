//! Waits that grow, with jitter, so that many processes do not come back at the same moment.

use std::time::Duration;

use crate::settings::BrokerSettings;

/// The wait before the next try: doubles from `min` to `max`.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    min: Duration,
    max: Duration,
    next: Duration,
}

impl Backoff {
    /// As the settings say for reconnections.
    pub(crate) fn new(settings: &BrokerSettings) -> Self {
        let min = Duration::from_millis(settings.reconnect_min_ms);
        Self { min, max: settings.reconnect_max(), next: min }
    }

    /// How long to wait now: half of the step for certain, the other half at random.
    pub(crate) fn wait(&mut self) -> Duration {
        self.step(random_fraction())
    }

    /// It worked: start small again.
    pub(crate) fn reset(&mut self) {
        self.next = self.min;
    }

    fn step(&mut self, fraction: f64) -> Duration {
        let whole = self.next;
        self.next = (whole * 2).min(self.max);
        whole / 2 + (whole / 2).mul_f64(fraction)
    }
}

/// From 0 to 1. Without a random source the waits are merely all the same.
fn random_fraction() -> f64 {
    getrandom::u32().map_or(1.0, |random| f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::tests::settings;

    #[test]
    fn waits_double_up_to_the_longest_and_start_small_after_success() {
        let mut backoff = Backoff::new(&settings());
        let steps: Vec<u128> = (0..8).map(|_| backoff.step(1.0).as_millis()).collect();
        assert_eq!(steps, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
        backoff.reset();
        assert_eq!(backoff.step(1.0).as_millis(), 100);
    }

    #[test]
    fn half_of_a_wait_is_random() {
        let mut backoff = Backoff::new(&settings());
        assert_eq!(backoff.step(0.0).as_millis(), 50);
        for _ in 0..100 {
            backoff.reset();
            let wait = backoff.wait().as_millis();
            assert!((50..=100).contains(&wait), "{wait}");
        }
    }
}
