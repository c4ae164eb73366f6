//! The only place that opens, repeats and commits a transaction.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use techsupport_application::{
    AppError, Budget,
    ports::{Tx, UnitOfWork},
};

use crate::{Database, failure::Failure, meters, tx::PgTx};

pub(crate) struct PgUnitOfWork {
    database: Database,
}

impl PgUnitOfWork {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }

    /// One run in one transaction.
    fn once(
        &self,
        budget: &Budget,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), AppError>,
    ) -> Result<(), Outcome> {
        let opening = limited("BEGIN", &self.database, budget);
        let lifetime = Duration::from_millis(self.database.settings().plan_lifetime_ms);
        let link = self.database.link(budget, |link| link.begin_planned(&opening, lifetime));
        let (mut link, ()) = link.map_err(Outcome::Final)?;
        let mut tx = PgTx::new(&mut link, &self.database, budget);
        let worked = work(&mut tx);
        // A transaction in which any statement failed is dead in PostgreSQL, and a COMMIT of it quietly
        // rolls back. So what the work made of the error does not matter: nothing is committed.
        let failure = tx.into_failure();
        if worked.is_err() || failure.is_some() {
            link.roll_back();
            return Err(Outcome::of(worked.err(), failure));
        }
        if budget.enter_commit().is_err() {
            link.roll_back();
            return Err(Outcome::Final(AppError::TimedOut));
        }
        link.commit().map_err(|failure| match failure {
            Failure::Clash(reason) => Outcome::Repeat(AppError::Contention { reason }),
            // Whether the server got to commit before it went away, nobody can tell. Not repeated.
            Failure::Lost(reason) => Outcome::Final(Failure::Lost(format!("during COMMIT: {reason}")).into()),
            failure @ (Failure::LockTimeout
            | Failure::Cancelled
            | Failure::Unique(_)
            | Failure::ForeignKey(_)
            | Failure::Other(_)) => Outcome::Final(failure.into()),
        })
    }
}

/// Why a run came to nothing.
enum Outcome {
    /// Another run may succeed.
    Repeat(AppError),
    /// None will.
    Final(AppError),
}

impl Outcome {
    fn of(error: Option<AppError>, failure: Option<Failure>) -> Self {
        match (error, failure) {
            (_, Some(failure @ (Failure::Clash(_) | Failure::Lost(_)))) => Outcome::Repeat(failure.into()),
            (Some(error), _) => Outcome::Final(error),
            (None, Some(swallowed)) => {
                tracing::error!(?swallowed, "a unit of work swallowed the failure of a statement");
                Outcome::Final(swallowed.into())
            }
            (None, None) => Outcome::Final(AppError::internal("rolled back without a reason")),
        }
    }
}

impl UnitOfWork for PgUnitOfWork {
    fn run(
        &self,
        budget: &Budget,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), AppError>,
    ) -> Result<(), AppError> {
        let settings = self.database.settings();
        let mut repeated = 0;
        loop {
            match self.once(budget, work) {
                Ok(()) => return Ok(()),
                Err(Outcome::Final(error)) => return Err(error),
                Err(Outcome::Repeat(error)) if repeated >= settings.max_retries || budget.is_over() => {
                    return Err(error);
                }
                Err(Outcome::Repeat(error)) => {
                    meters::repeated();
                    tracing::debug!(%error, repeated, "repeating a transaction");
                    pause(Duration::from_millis(settings.retry_backoff_ms), repeated);
                    repeated += 1;
                }
            }
        }
    }
}

/// Opens a transaction and limits its statements in one round trip. A caller with little time left gives
/// less.
pub(crate) fn limited(begin: &str, database: &Database, budget: &Budget) -> String {
    let settings = database.settings();
    let left = u64::try_from(budget.left().as_millis()).unwrap_or(u64::MAX).max(1);
    format!(
        "{begin}; SET LOCAL statement_timeout = {}; SET LOCAL lock_timeout = {}",
        settings.statement_timeout_ms.min(left),
        settings.lock_timeout_ms.min(left),
    )
}

/// Doubles each time; half of it is random, so that two that clashed do not clash again in step.
fn pause(first: Duration, repeated: u32) {
    let whole = first.saturating_mul(1 << repeated.min(10));
    let random = RandomState::new().build_hasher().finish() % 1_000;
    let part = whole / 2 + whole / 2 * u32::try_from(random).unwrap_or(0) / 1_000;
    #[expect(
        clippy::disallowed_methods,
        reason = "a blocking thread waits out a clash; there is no condition to wait for"
    )]
    std::thread::sleep(part);
}
