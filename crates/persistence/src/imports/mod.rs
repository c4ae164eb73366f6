//! Imports, as workers see them.
//!
//! Who may write is decided in the statement that writes: it names the claim, and touches no row once there is a later
//! one. The row of the import is locked first and until the commit, so whatever else a transaction writes is covered.

mod forget;
mod load;

use std::time::Duration;

use diesel::{prelude::*, sql_types};
use techsupport_application::{
    AppError, Budget,
    imports::FileKind,
    ports::{Chunk, ForgottenFiles, Hold, ImportClaim, ImportEnd, ImportJob, ImportJobs},
};
use techsupport_domain::ImportId;
use uuid::Uuid;

use crate::{Database, failure::Failure, link::Link, schema::import_file_parts, unit_of_work::limited};

pub(crate) struct PgImportJobs {
    database: Database,
}

impl PgImportJobs {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }

    fn budget(&self) -> Budget {
        Budget::lasting(Duration::from_millis(self.database.settings().statement_timeout_ms))
    }

    fn in_transaction<T>(&self, work: impl FnOnce(&mut Link) -> Result<T, Failure>) -> Result<T, AppError> {
        let budget = self.budget();
        let begin = limited("BEGIN", &self.database, &budget);
        let (mut link, ()) = self.database.link(&budget, |link| link.begin(&begin))?;
        match work(&mut link) {
            Ok(value) => link.commit().map(|()| value).map_err(AppError::from),
            Err(failure) => {
                link.roll_back();
                Err(failure.into())
            }
        }
    }

    /// A single statement about an import that is held.
    fn on_hold(
        &self,
        statement: impl FnOnce(&mut PgConnection) -> QueryResult<usize>,
    ) -> Result<bool, AppError> {
        self.in_transaction(|link| link.query(statement)).map(|touched| touched == 1)
    }
}

const IS_HELD: &str = "id = $1 AND fence = $2 AND status = 'PROCESSING'";

#[derive(QueryableByName)]
struct ClaimedRow {
    #[diesel(sql_type = sql_types::BigInt)]
    number: i64,
    #[diesel(sql_type = sql_types::Integer)]
    fence: i32,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Uuid>)]
    file_id: Option<Uuid>,
    #[diesel(sql_type = sql_types::Text)]
    file_kind: String,
    #[diesel(sql_type = sql_types::Integer)]
    reached_row: i32,
    #[diesel(sql_type = sql_types::Integer)]
    idle_claims: i32,
}

#[derive(QueryableByName)]
struct BusyRow {
    #[diesel(sql_type = sql_types::Bool)]
    ended: bool,
    #[diesel(sql_type = sql_types::Double)]
    busy_seconds: f64,
}

impl ImportJobs for PgImportJobs {
    fn claim(&self, import: ImportId, lease: Duration) -> Result<ImportClaim, AppError> {
        let (claimed, busy) = self.in_transaction(|link| {
            let claimed = link.query(|conn| claim(conn, import, lease))?;
            let busy = if claimed.is_none() { link.query(|conn| busy(conn, import))? } else { None };
            Ok((claimed, busy))
        })?;
        Ok(match (claimed, busy) {
            (Some(row), _) => ImportClaim::Granted(job(import, &row).map_err(AppError::internal)?),
            (None, None) => ImportClaim::Unknown,
            (None, Some(BusyRow { ended: true, .. })) => ImportClaim::Ended,
            (None, Some(row)) => ImportClaim::NotYet {
                wait: Duration::try_from_secs_f64(row.busy_seconds.max(0.0)).unwrap_or_default(),
            },
        })
    }

    fn file_part(&self, file: Uuid, number: u32) -> Result<Option<Vec<u8>>, AppError> {
        let number = i32::try_from(number).map_err(AppError::internal)?;
        self.database.read(&self.budget(), |conn| {
            import_file_parts::table
                .find((file, number))
                .select(import_file_parts::data)
                .first(conn)
                .optional()
        })
    }

    fn renew(&self, hold: &Hold, lease: Duration) -> Result<bool, AppError> {
        self.on_hold(|conn| {
            held(
                conn,
                hold,
                "lease_until = clock_timestamp() + make_interval(secs => $3 / 1e3)",
                millis(lease),
            )
        })
    }

    fn counted(&self, hold: &Hold, total: u32) -> Result<bool, AppError> {
        self.on_hold(|conn| held(conn, hold, "total = $3::integer", i64::from(total)))
    }

    fn load(&self, hold: &Hold, chunk: &Chunk, lease: Duration, most_listed: u32) -> Result<bool, AppError> {
        self.in_transaction(|link| load::load(link, hold, chunk, millis(lease), most_listed))
    }

    fn finish(&self, hold: &Hold, end: &ImportEnd) -> Result<bool, AppError> {
        let reason = match end {
            ImportEnd::Done => None,
            ImportEnd::Failed(reason) => Some(reason.as_str()),
        };
        self.on_hold(|conn| forget::finish(conn, IS_HELD, hold.import, hold.fence, reason))
    }

    fn release(&self, hold: &Hold) -> Result<bool, AppError> {
        self.on_hold(|conn| held(conn, hold, "lease_until = clock_timestamp() + $3 * interval '0'", 0))
    }

    fn forget(
        &self,
        orphans_after: Duration,
        imports_after: Duration,
        limit: u32,
    ) -> Result<ForgottenFiles, AppError> {
        let orphans =
            self.in_transaction(|link| link.query(|conn| forget::orphans(conn, orphans_after, limit)))?;
        let given_up =
            self.in_transaction(|link| link.query(|conn| forget::give_up(conn, imports_after, limit)))?;
        Ok(ForgottenFiles { orphans, given_up })
    }
}

/// Changes an import that is held. `change` may use $3.
fn held(conn: &mut PgConnection, hold: &Hold, change: &str, value: i64) -> QueryResult<usize> {
    let sql = format!("UPDATE import_processes SET {change}, updated_at = clock_timestamp() WHERE {IS_HELD}");
    diesel::sql_query(sql)
        .bind::<sql_types::Uuid, _>(hold.import.uuid())
        .bind::<sql_types::Integer, _>(hold.fence)
        .bind::<sql_types::BigInt, _>(value)
        .execute(conn)
}

fn claim(conn: &mut PgConnection, import: ImportId, lease: Duration) -> QueryResult<Option<ClaimedRow>> {
    diesel::sql_query(
        "UPDATE import_processes SET status = 'PROCESSING', fence = fence + 1, idle_claims = idle_claims + 1, \
             lease_until = clock_timestamp() + make_interval(secs => $2 / 1e3), updated_at = clock_timestamp() \
         WHERE id = $1 AND finished_at IS NULL AND (lease_until IS NULL OR lease_until <= clock_timestamp()) \
         RETURNING number, fence, file_id, file_kind, reached_row, idle_claims",
    )
    .bind::<sql_types::Uuid, _>(import.uuid())
    .bind::<sql_types::BigInt, _>(millis(lease))
    .get_result(conn)
    .optional()
}

fn busy(conn: &mut PgConnection, import: ImportId) -> QueryResult<Option<BusyRow>> {
    diesel::sql_query(
        "SELECT finished_at IS NOT NULL AS ended, \
             coalesce(extract(epoch FROM lease_until - clock_timestamp()), 0)::float8 AS busy_seconds \
         FROM import_processes WHERE id = $1",
    )
    .bind::<sql_types::Uuid, _>(import.uuid())
    .get_result(conn)
    .optional()
}

fn job(import: ImportId, row: &ClaimedRow) -> Result<ImportJob, String> {
    let count = |count: i32| u32::try_from(count).map_err(|error| error.to_string());
    Ok(ImportJob {
        hold: Hold { import, number: row.number, fence: row.fence },
        file: row.file_id,
        kind: FileKind::parse(&row.file_kind).ok_or_else(|| format!("kind of file {:?}", row.file_kind))?,
        reached: count(row.reached_row)?,
        idle_claims: count(row.idle_claims)?,
    })
}

fn millis(wait: Duration) -> i64 {
    i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)
}
