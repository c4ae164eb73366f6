//! The loop that puts dead letters back which an administrator wants to be.

use std::{sync::Arc, time::Duration};

use techsupport_application::{
    AppError,
    dead_letters::put_dead_letters_back,
    ports::{DeadLetterPublisher, DeadLetterReplays, ReplayBatch},
};

use super::{Next, Pass, meters};
use crate::settings::{DeadLetterSettings, ms};

/// See the module.
pub(crate) struct Replay {
    replays: Arc<dyn DeadLetterReplays>,
    publisher: Arc<dyn DeadLetterPublisher>,
    settings: DeadLetterSettings,
}

impl Replay {
    pub(crate) fn new(
        replays: Arc<dyn DeadLetterReplays>,
        publisher: Arc<dyn DeadLetterPublisher>,
        settings: DeadLetterSettings,
    ) -> Self {
        Self { replays, publisher, settings }
    }
}

impl Pass for Replay {
    fn name(&self) -> &'static str {
        "replay"
    }

    fn backoff(&self) -> (Duration, Duration) {
        (ms(self.settings.backoff_ms), ms(self.settings.max_backoff_ms))
    }

    fn run(&mut self) -> Result<Next, AppError> {
        let Self { replays, publisher, settings } = self;
        let batch = ReplayBatch {
            messages: settings.batch,
            bytes: settings.batch_bytes,
            retry_after: ms(settings.retry_after_ms),
        };
        let pass = put_dead_letters_back(replays.as_ref(), publisher.as_ref(), batch)?;
        meters::replayed(pass.replayed);
        if pass.replayed > 0 {
            tracing::info!(messages = pass.replayed, "put dead letters back");
        }
        if let Some((messages, reason)) = &pass.failed {
            tracing::warn!(messages, reason, "no queue took dead letters that were to be put back");
        }
        Ok(if pass.more { Next::Now } else { Next::Within(ms(settings.poll_ms)) })
    }
}
