//! Waits until everything that was set in motion has come to its end.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::error::Result;
use crate::psql::Psql;
use crate::stage::{Stage, holds_dead_letters};
use crate::{progress, wait};

/// However slowly it goes.
const LIMIT: Duration = Duration::from_mins(10);
/// Nothing moves for so long only if nothing ever will: more than the longest lease and the longest retry delay together, and
/// more than RabbitMQ waits (3 minutes) before it sends a dead letter again that found no queue, as one may while the broker
/// starts.
const STANDSTILL: Duration = Duration::from_mins(4);
/// Under fire, once something was delivered. Messages that are lost never come. More than the 90 seconds that a broker may take
/// to start again; less than the patience of `mayhem`, which ends the killing in any case.
const STANDSTILL_UNDER_FIRE: Duration = Duration::from_mins(2);
/// The broker counts its messages every few seconds, and a dead letter may wait as above in the queue in which it died.
const QUEUES: Duration = Duration::from_mins(4);
const LOOK: Duration = Duration::from_millis(250);

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct State {
    steps: u32,
    unpublished: u64,
    pending: u64,
    delivered: u32,
    finished: u32,
}

impl State {
    fn read(psql: &Psql) -> Result<Self> {
        psql.row(
            "SELECT (SELECT count(*) FROM sla_steps) AS steps, \
             (SELECT count(*) FROM outbox WHERE published_at IS NULL) AS unpublished, \
             (SELECT count(*) FROM deliveries WHERE state = 'PENDING') AS pending, \
             (SELECT count(*) FROM deliveries WHERE state = 'DELIVERED') AS delivered, \
             (SELECT count(*) FROM inbox) AS finished",
        )
    }

    fn is_drained(&self, breaches: u32) -> bool {
        self.steps >= breaches
            && self.unpublished == 0
            && self.pending == 0
            && self.delivered >= breaches
            && self.finished >= breaches
    }
}

/// How many deliveries are settled so far.
pub(super) fn delivered(psql: &Psql) -> Result<u32> {
    State::read(psql).map(|state| state.delivered)
}

/// How far the work has come while the killing goes on.
#[derive(Debug)]
pub(super) struct Progress<'a> {
    psql: &'a Psql,
    enough: u32,
    /// Deliveries so far, and when there was a new one last.
    last: Mutex<(u32, Instant)>,
}

impl<'a> Progress<'a> {
    /// It is mostly done with so many deliveries.
    pub(super) fn new(psql: &'a Psql, enough: u32) -> Self {
        Self { psql, enough, last: Mutex::new((0, Instant::now())) }
    }

    /// Also when nothing more seems to come.
    pub(super) fn is_mostly_done(&self) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // The database may be down at the moment.
        let delivered = delivered(self.psql).unwrap_or(last.0);
        if delivered > last.0 {
            *last = (delivered, Instant::now());
        }
        let stands_still = last.0 > 0 && last.1.elapsed() > STANDSTILL_UNDER_FIRE;
        stands_still || last.0 >= self.enough
    }
}

/// Waits until every event is published, every delivery settled, or nothing moves any more: then the checker has to say what
/// is missing.
pub(super) fn records(psql: &Psql, breaches: u32) -> Result<()> {
    let bar = progress::bar("deliveries", breaches);
    let mut last = (State::read(psql)?, Instant::now());
    wait::until(LIMIT, || {
        wait::pause(LOOK);
        let now = State::read(psql)?;
        bar.set_position(now.delivered.into());
        if now != last.0 {
            last = (now, Instant::now());
        }
        Ok((last.0.is_drained(breaches) || last.1.elapsed() > STANDSTILL).then_some(()))
    })?;
    bar.finish_and_clear();
    Ok(())
}

/// Waits until the queues are empty, dead letters aside, and gives what is left in them.
pub(super) fn queues(stage: &mut Stage) -> Result<Vec<(String, u64)>> {
    let mut left = Vec::new();
    wait::until(QUEUES, || {
        left = stage.queues()?;
        let waiting = left.iter().any(|(name, messages)| *messages > 0 && !holds_dead_letters(name));
        Ok((!waiting).then_some(()))
    })?;
    Ok(left)
}
