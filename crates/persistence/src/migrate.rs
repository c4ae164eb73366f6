//! Bringing the schema up to date, and saying whether it is.

mod step;

use std::{sync::Arc, time::Duration};

use diesel::{PgConnection, connection::SimpleConnection, migration::Migration, pg::Pg, prelude::*};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use techsupport_application::{AppError, ports::Readiness};

use crate::{DatabaseSettings, failure::Failure, link::LinkManager};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// The key of the advisory lock that makes two migrators take turns. Any number that nobody else uses.
const MIGRATION_LOCK: i64 = 0x6d69_6772_6174_6521;

/// Between two looks whether another migrator has ended.
const TURN_POLL: Duration = Duration::from_millis(100);

/// One step of the schema and whether it has been taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationStatus {
    /// The name of its folder.
    pub name: String,
    /// Whether it has been taken.
    pub applied: bool,
}

/// Takes every step that is missing. Returns their names.
pub fn up(settings: &DatabaseSettings) -> Result<Vec<String>, AppError> {
    with_lock(settings, |conn| {
        let pending = conn.pending_migrations(MIGRATIONS).map_err(AppError::internal)?;
        pending.iter().map(|next| step::up(conn, settings, next.as_ref())).collect()
    })
}

/// Takes the latest step back. Returns its name.
pub fn down_one(settings: &DatabaseSettings) -> Result<String, AppError> {
    with_lock(settings, |conn| {
        let latest = latest(conn)?;
        step::down(conn, settings, latest.as_ref())
    })
}

/// Takes the latest step back and then again.
pub fn redo(settings: &DatabaseSettings) -> Result<String, AppError> {
    with_lock(settings, |conn| {
        let latest = latest(conn)?;
        step::down(conn, settings, latest.as_ref())?;
        step::up(conn, settings, latest.as_ref())
    })
}

/// Every step, oldest first.
pub fn status(settings: &DatabaseSettings) -> Result<Vec<MigrationStatus>, AppError> {
    with_lock(settings, |conn| {
        let pending = conn.pending_migrations(MIGRATIONS).map_err(AppError::internal)?;
        let pending: Vec<String> = pending.iter().map(|step| step.name().version().to_string()).collect();
        let all =
            diesel::migration::MigrationSource::<Pg>::migrations(&MIGRATIONS).map_err(AppError::internal)?;
        Ok(all
            .iter()
            .map(|step| MigrationStatus {
                name: step.name().to_string(),
                applied: !pending.contains(&step.name().version().to_string()),
            })
            .collect())
    })
}

/// The step that was taken last.
fn latest(conn: &mut PgConnection) -> Result<Box<dyn Migration<Pg>>, AppError> {
    let applied = conn.applied_migrations().map_err(AppError::internal)?;
    let latest = applied.first().ok_or_else(|| AppError::internal("no migration has been applied"))?;
    let known =
        diesel::migration::MigrationSource::<Pg>::migrations(&MIGRATIONS).map_err(AppError::internal)?;
    let unknown = || AppError::internal(format!("this program does not know migration {latest}"));
    known.into_iter().find(|step| step.name().version() == *latest).ok_or_else(unknown)
}

/// Whether every step this program knows has been taken. Steps it does not know are those of a later
/// release, which only adds (see `migrations/README.md`).
pub(crate) fn readiness(conn: &mut PgConnection) -> QueryResult<Readiness> {
    let known = diesel::migration::MigrationSource::<Pg>::migrations(&MIGRATIONS)
        .map_err(diesel::result::Error::QueryBuilderError)?;
    let exists: bool = diesel::select(diesel::dsl::sql::<diesel::sql_types::Bool>(
        "to_regclass('__diesel_schema_migrations') IS NOT NULL",
    ))
    .get_result(conn)?;
    if !exists {
        return Ok(Readiness::SchemaBehind);
    }
    let applied: Vec<String> =
        diesel::dsl::sql::<diesel::sql_types::Text>("SELECT version::text FROM __diesel_schema_migrations")
            .load(conn)?;
    let behind = known.iter().any(|step| !applied.contains(&step.name().version().to_string()));
    Ok(if behind { Readiness::SchemaBehind } else { Readiness::Ready })
}

fn with_lock<T>(
    settings: &DatabaseSettings,
    work: impl FnOnce(&mut PgConnection) -> Result<T, AppError>,
) -> Result<T, AppError> {
    let mut conn = LinkManager::new(settings, "techsupport-migrate", Arc::default())
        .open()
        .map_err(|error| Failure::no_connection(&error))?;
    // How long a migration waits for a lock stays bounded: behind one that waits for a table queue all who want
    // to use it. What it does once it has its locks may take longer than a request may.
    conn.batch_execute("SET statement_timeout = 0").map_err(AppError::internal)?;
    await_turn(&mut conn)?;
    work(&mut conn)
}

/// A session lock: the migrations have transactions of their own. It ends with this connection. Waiting within
/// a statement would be holding a snapshot, for whose end `CREATE INDEX CONCURRENTLY` of another migrator waits.
fn await_turn(conn: &mut PgConnection) -> Result<(), AppError> {
    let take = format!("pg_try_advisory_lock({MIGRATION_LOCK})");
    let take = || diesel::select(diesel::dsl::sql::<diesel::sql_types::Bool>(&take));
    while !take().get_result(conn).map_err(AppError::internal)? {
        pause(TURN_POLL);
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a program that has nothing else to do")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}
