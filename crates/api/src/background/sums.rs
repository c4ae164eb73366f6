//! The loop that moves changes of imported tickets into the sums that reports read.
//!
//! It rests after each batch, even when there is more: what is not moved yet reports look at one by one, so nothing
//! waits for it but their speed, and an import that is under way needs the server more. After a failure, which most
//! likely was too little time, it takes half as much, and then a little more each time.

use std::{sync::Arc, time::Duration};

use techsupport_application::{AppError, ports::ImportedSums};

use super::{Next, Pass, meters};
use crate::settings::{ReportSettings, ms};

/// By which part of the full batch the next one grows. Not by more: one that is too large costs its whole timeout.
const GROWTH: u32 = 16;

/// See the module.
pub(crate) struct Sums {
    imported: Arc<dyn ImportedSums>,
    settings: ReportSettings,
    limit: u32,
}

impl Sums {
    pub(crate) fn new(imported: Arc<dyn ImportedSums>, settings: ReportSettings) -> Self {
        Self { imported, settings, limit: settings.batch }
    }
}

impl Pass for Sums {
    fn name(&self) -> &'static str {
        "sums"
    }

    fn backoff(&self) -> (Duration, Duration) {
        (ms(self.settings.backoff_ms), ms(self.settings.max_backoff_ms))
    }

    fn run(&mut self) -> Result<Next, AppError> {
        let limit = self.limit;
        self.limit = (limit / 2).max(1);
        let moved = self.imported.catch_up(limit)?;
        self.limit = (limit + self.settings.batch.div_ceil(GROWTH)).min(self.settings.batch);
        meters::summed(moved);
        let more = moved >= limit;
        let wait = if more { self.settings.pause_ms } else { self.settings.poll_ms };
        Ok(Next::After(ms(wait)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Mutex;

    use super::*;

    /// Has time for so many changes, and more of them than anybody asks for. Remembers who asked.
    struct Slow {
        at_most: u32,
        asked: Mutex<Vec<u32>>,
    }

    impl ImportedSums for Slow {
        fn catch_up(&self, limit: u32) -> Result<u32, AppError> {
            self.asked.lock().unwrap().push(limit);
            if limit > self.at_most { Err(AppError::TimedOut) } else { Ok(limit) }
        }
    }

    fn asked(at_most: u32, batch: u32, times: u32) -> Vec<u32> {
        let slow = Arc::new(Slow { at_most, asked: Mutex::default() });
        let settings = ReportSettings {
            sum_up: true,
            batch,
            poll_ms: 3,
            pause_ms: 2,
            batch_timeout_ms: 1_000,
            backoff_ms: 1,
            max_backoff_ms: 1,
        };
        let sums: Arc<dyn ImportedSums> = Arc::<Slow>::clone(&slow);
        let mut pass = Sums::new(sums, settings);
        for _ in 0..times {
            let next = pass.run().ok();
            assert!(next.is_none_or(|next| next == Next::After(Duration::from_millis(2))), "{next:?}");
        }
        slow.asked.lock().unwrap().clone()
    }

    #[test]
    fn what_does_not_end_in_time_is_tried_with_less_and_then_with_a_little_more() {
        assert_eq!(asked(1_600, 1_600, 2), [1_600, 1_600]);
        assert_eq!(asked(500, 1_600, 7), [1_600, 800, 400, 500, 600, 300, 400]);
        assert_eq!(asked(0, 3, 4), [3, 1, 1, 1]);
        assert_eq!(asked(1, 3, 4), [3, 1, 2, 1]);
    }
}
