//! Bringing the schema up to date, and saying whether it is.

use std::sync::Arc;

use diesel::{PgConnection, migration::Migration, pg::Pg, prelude::*};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use techsupport_application::{AppError, ports::Readiness};

use crate::{DatabaseSettings, failure::Failure, link::LinkManager};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// The key of the advisory lock that makes two migrators take turns. Any number that nobody else uses.
const MIGRATION_LOCK: i64 = 0x6d69_6772_6174_6521;

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
        let ran = conn.run_pending_migrations(MIGRATIONS).map_err(AppError::internal)?;
        Ok(ran.iter().map(ToString::to_string).collect())
    })
}

/// Takes the latest step back. Returns its name.
pub fn down_one(settings: &DatabaseSettings) -> Result<String, AppError> {
    with_lock(settings, |conn| {
        conn.revert_last_migration(MIGRATIONS).map(|version| version.to_string()).map_err(AppError::internal)
    })
}

/// Takes the latest step back and then again.
pub fn redo(settings: &DatabaseSettings) -> Result<String, AppError> {
    with_lock(settings, |conn| {
        conn.revert_last_migration(MIGRATIONS).map_err(AppError::internal)?;
        conn.run_next_migration(MIGRATIONS).map(|version| version.to_string()).map_err(AppError::internal)
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
    // A session lock: the migrations have transactions of their own. It ends with this connection. Waiting
    // for another migrator, and a migration itself, may take longer than a request may.
    let lock =
        format!("SET statement_timeout = 0; SET lock_timeout = 0; SELECT pg_advisory_lock({MIGRATION_LOCK})");
    diesel::connection::SimpleConnection::batch_execute(&mut conn, &lock).map_err(AppError::internal)?;
    work(&mut conn)
}
