//! The deadline sweep's loop: sleeps until the earliest SLA step is due, or until the database says that
//! an earlier one has appeared.
//!
//! The database decides what is due. This loop decides only when to look, and never looks for a deadline
//! later than `poll_ms`: a lost notification delays a step by that much at most.

use std::{sync::Arc, time::Duration};

use techsupport_application::AppError;
use techsupport_application::{Actor, Budget, Call, Ctx, Ports, SweepReport, TraceContext, sweep_deadlines};
use techsupport_bootstrap::ids;

use super::{Bell, Next, Pass, meters};
use crate::settings::{SweepSettings, ms};

/// Timers are not exact, and waking a little too early would mean looking twice.
const JUST_AFTER: Duration = Duration::from_millis(1);

/// See the module.
pub(crate) struct Sweep {
    ports: Arc<Ports>,
    settings: SweepSettings,
    /// Rung when there are new events.
    relay: Arc<Bell>,
    /// How many tickets the next pass takes. A pass that ran out of time takes half of them the next time, so
    /// that a slow disk makes the sweep slower but never stops it.
    batch: u32,
}

impl Pass for Sweep {
    fn name(&self) -> &'static str {
        "sweep"
    }

    fn backoff(&self) -> (Duration, Duration) {
        (ms(self.settings.backoff_ms), ms(self.settings.max_backoff_ms))
    }

    fn run(&mut self) -> Result<Next, AppError> {
        let call = Call {
            actor: Actor::System,
            origin: None,
            trace: TraceContext::start(ids::new_id(), ids::new_id()),
            budget: Arc::new(Budget::lasting(ms(self.settings.budget_ms))),
        };
        let span = tracing::info_span!("sweep", traceId = call.trace.trace_id());
        let _entered = span.enter();
        let ctx = Ctx::new(&self.ports, &call);
        let swept = sweep_deadlines(ctx, self.batch, ms(self.settings.set_aside_ms));
        self.batch = next_batch(self.batch, &swept, self.settings.batch);
        let report = swept?;
        self.tell(&report);
        let until_next = self.ports.reader.until_next_step(&call.budget)?;
        Ok(next(&report, until_next, &self.settings))
    }
}

impl Sweep {
    pub(crate) fn new(ports: Arc<Ports>, settings: SweepSettings, relay: Arc<Bell>) -> Self {
        let batch = settings.batch;
        Self { ports, settings, relay, batch }
    }

    fn tell(&self, report: &SweepReport) {
        meters::set_aside(report.set_aside.len());
        meters::steps(&report.lags);
        for aside in &report.set_aside {
            let (ticket, reason) = (aside.ticket.to_string(), aside.reason.as_str());
            tracing::error!(ticketId = ticket, reason, "a ticket cannot be processed and is set aside");
        }
        let Some(worst) = report.lags.iter().max() else { return };
        self.relay.ring();
        let steps = report.lags.len();
        let worst_lag_ms = u64::try_from(worst.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(steps, tickets = report.claimed, worst_lag_ms, "ran SLA steps that were due");
    }
}

fn next_batch(batch: u32, swept: &Result<SweepReport, AppError>, most: u32) -> u32 {
    match swept {
        Ok(_) => batch.saturating_mul(2).min(most),
        Err(AppError::TimedOut | AppError::Contention { .. }) => (batch / 2).max(1),
        Err(_) => batch,
    }
}

/// When to look again. Whatever is due but was neither run nor set aside is held by somebody else: looking
/// again at once would be a busy loop.
fn next(report: &SweepReport, until_next: Option<Duration>, settings: &SweepSettings) -> Next {
    let got_somewhere = !(report.lags.is_empty() && report.set_aside.is_empty());
    let poll = ms(settings.poll_ms);
    match until_next {
        None => Next::Within(poll),
        Some(wait) if !wait.is_zero() => Next::Within(poll.min(wait + JUST_AFTER)),
        Some(_) if got_somewhere => Next::Now,
        Some(_) => Next::After(poll.min(ms(settings.contended_wait_ms))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: SweepSettings = SweepSettings {
        enabled: true,
        batch: 2,
        poll_ms: 1_000,
        contended_wait_ms: 50,
        budget_ms: 1_000,
        set_aside_ms: 1_000,
        backoff_ms: 1,
        max_backoff_ms: 1,
    };

    fn after(lags: usize, claimed: usize, until_next: Option<u64>) -> Next {
        let report = SweepReport { claimed, lags: vec![Duration::ZERO; lags], ..SweepReport::default() };
        next(&report, until_next.map(Duration::from_millis), &SETTINGS)
    }

    #[test]
    fn it_sleeps_until_the_next_step_but_never_longer_than_the_poll() {
        assert_eq!(after(0, 0, None), Next::Within(ms(1_000)));
        assert_eq!(after(1, 1, Some(300)), Next::Within(ms(301)));
        assert_eq!(after(0, 0, Some(3_600_000)), Next::Within(ms(1_000)));
    }

    #[test]
    fn a_pass_that_runs_out_of_time_takes_less_the_next_time_and_recovers() {
        let late = Err(AppError::TimedOut);
        assert_eq!(next_batch(500, &late, 500), 250);
        assert_eq!(next_batch(1, &late, 500), 1);
        assert_eq!(next_batch(300, &Ok(SweepReport::default()), 500), 500);
        let down = Err(AppError::Unavailable { reason: String::new(), retry_after: Duration::ZERO });
        assert_eq!(next_batch(500, &down, 500), 500, "a database that is down says nothing about the batch");
    }

    #[test]
    fn it_goes_on_at_once_while_it_gets_somewhere() {
        assert_eq!(after(2, 2, Some(0)), Next::Now);
    }

    #[test]
    fn it_does_not_spin_on_what_others_hold() {
        assert_eq!(after(0, 0, Some(0)), Next::After(ms(50)));
        assert_eq!(after(0, 2, Some(0)), Next::After(ms(50)), "claimed, but nothing came of it");
    }
}
