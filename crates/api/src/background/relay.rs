//! The relay's loop: looks at the outbox at short intervals, at once after the sweep has put something in,
//! and again without a pause while there is more.

use std::{sync::Arc, time::Duration};

use techsupport_application::{
    AppError, RelayReport,
    ports::{EventPublisher, Outbox},
    relay_outbox,
};

use super::{Next, Pass, meters};
use crate::settings::{RelaySettings, ms};

/// See the module.
pub(crate) struct Relay {
    pub(crate) outbox: Arc<dyn Outbox>,
    pub(crate) publisher: Arc<dyn EventPublisher>,
    pub(crate) settings: RelaySettings,
}

impl Pass for Relay {
    fn name(&self) -> &'static str {
        "relay"
    }

    fn backoff(&self) -> (Duration, Duration) {
        (ms(self.settings.backoff_ms), ms(self.settings.max_backoff_ms))
    }

    fn run(&mut self) -> Result<Next, AppError> {
        let settings = &self.settings;
        let retry_after = ms(settings.retry_after_ms);
        let report =
            relay_outbox(self.outbox.as_ref(), self.publisher.as_ref(), settings.batch, retry_after)?;
        tell(&report);
        Ok(if report.more { Next::Now } else { Next::Within(ms(settings.poll_ms)) })
    }

    /// What the last requests wrote leaves now, if the broker is there; otherwise another replica, or the
    /// next start, brings it.
    fn finishes(&self) -> bool {
        true
    }
}

fn tell(report: &RelayReport) {
    meters::relayed(report.published, report.failed.len());
    let Some(first) = report.failed.first() else { return };
    tracing::warn!(
        events = report.failed.len(),
        eventId = %first.event,
        reason = first.reason,
        "events reached no queue and stay in the outbox; the first of them is named"
    );
}
