//! The relay's loop: looks at the outbox at short intervals, at once after the sweep has put something in,
//! and again without a pause while there is more.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use techsupport_application::{
    AppError, RelayReport,
    ports::{EventPublisher, Outbox},
    relay_outbox,
};

use super::{Next, Pass, Steadiness, meters};
use crate::settings::{RelaySettings, ms};

/// See the module.
pub(crate) struct Relay {
    outbox: Arc<dyn Outbox>,
    publisher: Arc<dyn EventPublisher>,
    settings: RelaySettings,
    routing: Routing,
}

impl Relay {
    pub(crate) fn new(
        outbox: Arc<dyn Outbox>,
        publisher: Arc<dyn EventPublisher>,
        settings: RelaySettings,
    ) -> Self {
        let routing = Routing::new(&settings);
        Self { outbox, publisher, settings, routing }
    }
}

impl Pass for Relay {
    fn name(&self) -> &'static str {
        NAME
    }

    fn backoff(&self) -> (Duration, Duration) {
        (ms(self.settings.backoff_ms), ms(self.settings.max_backoff_ms))
    }

    fn run(&mut self) -> Result<Next, AppError> {
        let settings = &self.settings;
        let retry_after = ms(settings.retry_after_ms);
        let report =
            relay_outbox(self.outbox.as_ref(), self.publisher.as_ref(), settings.batch, retry_after)?;
        meters::relayed(report.published, report.failed.len());
        let wait = self.routing.heard(&report, Instant::now());
        let nothing_got_through = report.published == 0
            && report.failed.len() >= usize::try_from(settings.batch).unwrap_or(usize::MAX);
        Ok(match wait {
            _ if report.more => Next::Now,
            // There is probably more that nobody would take.
            Some(wait) if nothing_got_through => Next::After(wait),
            Some(_) | None => Next::Within(ms(settings.poll_ms)),
        })
    }

    /// What the last requests wrote leaves now, if the broker is there; otherwise another replica, or the
    /// next start, brings it.
    fn finishes(&self) -> bool {
        true
    }
}

const NAME: &str = "relay";

/// Whether events find queues. One that does not is tried again and again, which the log need not hear of each
/// time: only of the first, second, fourth, eighth … time, and of the end.
struct Routing {
    steadiness: Steadiness,
    troubled_at: Option<Instant>,
    /// Whatever is in trouble was tried again within this time.
    calm_after: Duration,
}

impl Routing {
    fn new(settings: &RelaySettings) -> Self {
        let (first, longest) = (ms(settings.backoff_ms), ms(settings.max_backoff_ms));
        let calm_after = 2 * (ms(settings.retry_after_ms) + longest);
        Self { steadiness: Steadiness::new(NAME, first, longest), troubled_at: None, calm_after }
    }

    /// How long to wait if nothing got through; `None` when every event did.
    fn heard(&mut self, report: &RelayReport, now: Instant) -> Option<Duration> {
        let Some(first) = report.failed.first() else {
            if self.troubled_at.is_some_and(|at| now.saturating_duration_since(at) > self.calm_after) {
                self.troubled_at = None;
                self.steadiness.succeeded();
            }
            return None;
        };
        self.troubled_at = Some(now);
        let (count, event, reason) = (report.failed.len(), first.event, &first.reason);
        Some(self.steadiness.failed(&format!(
            "{count} events reached no queue and stay in the outbox; the first is {event}: {reason}"
        )))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Mutex;

    use techsupport_application::{
        events::OutboxMessage,
        ports::{PublishFailure, PublishReport},
    };
    use techsupport_domain::EventId;

    use super::*;

    const SETTINGS: RelaySettings = RelaySettings {
        enabled: true,
        batch: 2,
        poll_ms: 100,
        retry_after_ms: 5_000,
        backoff_ms: 200,
        max_backoff_ms: 2_000,
    };

    /// Says how many were published and how many failed.
    struct Scripted(Mutex<Vec<(usize, usize)>>);

    impl Outbox for Scripted {
        fn relay(
            &self,
            _: u32,
            _: Duration,
            _: &mut dyn FnMut(&[OutboxMessage]) -> Result<PublishReport, AppError>,
        ) -> Result<PublishReport, AppError> {
            let (published, failed) = self.0.lock().unwrap().remove(0);
            Ok(report(published, failed))
        }
    }

    impl EventPublisher for Scripted {
        fn publish(&self, _: &[OutboxMessage]) -> Result<PublishReport, AppError> {
            Ok(PublishReport::default())
        }
    }

    fn report(published: usize, failed: usize) -> PublishReport {
        let id = |_| EventId::new(techsupport_bootstrap::ids::new_id());
        let failure = |_| PublishFailure { event: id(0), reason: "no queue".to_owned() };
        PublishReport {
            published: (0..published).map(id).collect(),
            failed: (0..failed).map(failure).collect(),
        }
    }

    #[test]
    fn what_nobody_takes_is_not_tried_without_a_pause() {
        let script = vec![(2, 0), (1, 1), (0, 2), (0, 2), (0, 2), (0, 1), (0, 0)];
        let passes = script.len();
        let scripted = || Arc::new(Scripted(Mutex::new(script.clone())));
        let mut relay = Relay::new(scripted(), scripted(), SETTINGS);
        let next: Vec<Next> = (0..passes).map(|_| relay.run().unwrap()).collect();
        assert_eq!(next[..2], [Next::Now, Next::Now], "some of a full batch got through");
        let waits: Vec<Duration> = next[2..5]
            .iter()
            .filter_map(|next| match next {
                Next::After(wait) => Some(*wait),
                Next::Now | Next::Within(_) => None,
            })
            .collect();
        assert!(waits.len() == 3 && waits[2] >= ms(400), "full batches of failures back off: {next:?}");
        let polls = [Next::Within(ms(100)); 2];
        assert_eq!(next[5..], polls, "one that waits for its retry holds nobody up");
    }

    #[test]
    fn trouble_is_over_when_it_did_not_come_back_in_time() {
        let mut routing = Routing::new(&SETTINGS);
        let heard =
            |published, failed| RelayReport { published, failed: report(0, failed).failed, more: false };
        let start = Instant::now();
        assert!(routing.heard(&heard(0, 1), start).is_some());
        assert!(routing.heard(&heard(1, 0), start + ms(5_000)).is_none());
        assert!(routing.troubled_at.is_some(), "the one that waits was not tried again yet");
        assert!(routing.heard(&heard(0, 0), start + ms(20_000)).is_none());
        assert!(routing.troubled_at.is_none());
    }
}
