//! One step of the schema, taken without keeping those out for long who work meanwhile.

use std::{error::Error, time::Duration};

use diesel::{
    PgConnection,
    connection::SimpleConnection,
    migration::{Migration, MigrationVersion},
    pg::Pg,
};
use diesel_migrations::MigrationHarness;
use techsupport_application::AppError;

use super::pause;
use crate::{DatabaseSettings, failure};

/// How often a step is tried while others hold what it needs. Each try waits for `database.lock_timeout_ms`.
const ATTEMPTS: u32 = 10;

/// The wait before the second try; doubles each time, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

type Outcome = Result<MigrationVersion<'static>, Box<dyn Error + Send + Sync>>;

/// Takes a step. Returns its version.
pub(super) fn up(
    conn: &mut PgConnection,
    settings: &DatabaseSettings,
    step: &dyn Migration<Pg>,
) -> Result<String, AppError> {
    if step.metadata().run_in_transaction() {
        return again_while_locked(step, || conn.run_migration(step));
    }
    gently(conn, settings, |conn| {
        // An earlier try that was interrupted has left the index unfinished, or finished and unrecorded.
        let name = step.name().to_string();
        let index = name.split_once('_').map_or(name.as_str(), |(_, index)| index);
        conn.batch_execute(&format!("DROP INDEX CONCURRENTLY IF EXISTS \"{index}\""))?;
        conn.run_migration(step)
    })
}

/// Takes a step back. Returns its version.
pub(super) fn down(
    conn: &mut PgConnection,
    settings: &DatabaseSettings,
    step: &dyn Migration<Pg>,
) -> Result<String, AppError> {
    if step.metadata().run_in_transaction() {
        return again_while_locked(step, || conn.revert_migration(step));
    }
    gently(conn, settings, |conn| conn.revert_migration(step))
}

/// A step that gave up waiting for a lock was rolled back and can be repeated. Meanwhile those go on who had
/// queued behind it.
fn again_while_locked(
    step: &dyn Migration<Pg>,
    mut run: impl FnMut() -> Outcome,
) -> Result<String, AppError> {
    let mut wait = FIRST_PAUSE;
    for attempt in 1..=ATTEMPTS {
        match run() {
            Ok(version) => return Ok(version.to_string()),
            Err(error) if failure::is_lock_timeout(&error.to_string()) => {
                tracing::warn!(step = %step.name(), attempt, "others hold locks that the migration needs");
            }
            Err(error) => return Err(AppError::internal(error)),
        }
        if attempt < ATTEMPTS {
            pause(wait);
            wait = (wait * 2).min(LONGEST_PAUSE);
        }
    }
    let reason = format!(
        "migration {} gave up after {ATTEMPTS} tries: others keep hold of the tables that it changes. Nothing of \
         it was done; end long transactions (pg_stat_activity) and try again",
        step.name()
    );
    Err(AppError::Contention { reason })
}

/// What works `CONCURRENTLY` waits for transactions that began earlier, and nobody queues behind it: it may wait.
fn gently(
    conn: &mut PgConnection,
    settings: &DatabaseSettings,
    run: impl FnOnce(&mut PgConnection) -> Outcome,
) -> Result<String, AppError> {
    conn.batch_execute("SET lock_timeout = 0").map_err(AppError::internal)?;
    let version = run(conn).map_err(AppError::internal)?;
    let bounded = format!("SET lock_timeout = {}", settings.lock_timeout_ms);
    conn.batch_execute(&bounded).map_err(AppError::internal)?;
    Ok(version.to_string())
}
