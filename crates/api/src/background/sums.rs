//! The loop that moves changes of imported tickets into the sums that reports read.
//!
//! It rests after each batch, even when there is more: what is not moved yet reports look at one by one, so nothing
//! waits for it but their speed, and an import that is under way needs the server more.

use std::{sync::Arc, time::Duration};

use techsupport_application::{AppError, ports::ImportedSums};

use super::{Next, Pass, meters};
use crate::settings::{ReportSettings, ms};

/// See the module.
pub(crate) struct Sums {
    sums: Arc<dyn ImportedSums>,
    settings: ReportSettings,
}

impl Sums {
    pub(crate) fn new(sums: Arc<dyn ImportedSums>, settings: ReportSettings) -> Self {
        Self { sums, settings }
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
        let moved = self.sums.catch_up(self.settings.batch)?;
        meters::summed(moved);
        let more = moved >= self.settings.batch;
        let wait = if more { self.settings.pause_ms } else { self.settings.poll_ms };
        Ok(Next::After(ms(wait)))
    }
}
