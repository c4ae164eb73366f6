//! The loop that gives events their place in the feed: looks at short intervals, and again without a pause while
//! there is more.
//!
//! Nobody wakes it. A notification at every commit would have all commits wait for one lock, and looking costs no
//! more than the end of an index.

use std::{sync::Arc, time::Duration};

use techsupport_application::{AppError, ports::FeedKeeper};

use super::{Next, Pass, meters};
use crate::settings::{FeedSettings, ms};

/// See the module.
pub(crate) struct Feed {
    keeper: Arc<dyn FeedKeeper>,
    settings: FeedSettings,
}

impl Feed {
    pub(crate) fn new(keeper: Arc<dyn FeedKeeper>, settings: FeedSettings) -> Self {
        Self { keeper, settings }
    }
}

impl Pass for Feed {
    fn name(&self) -> &'static str {
        "feed"
    }

    fn backoff(&self) -> (Duration, Duration) {
        (ms(self.settings.backoff_ms), ms(self.settings.max_backoff_ms))
    }

    fn run(&mut self) -> Result<Next, AppError> {
        let appended = self.keeper.append(self.settings.batch)?;
        meters::fed(appended);
        let more = appended >= self.settings.batch;
        Ok(if more { Next::Now } else { Next::Within(ms(self.settings.poll_ms)) })
    }
}
