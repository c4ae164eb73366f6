//! How imports end, and what happens to files nobody needs.

use std::time::Duration;

use diesel::{prelude::*, sql_types};
use techsupport_domain::ImportId;

use super::millis;

/// Rows that are not in count as failed, so that the sum is right however it ends. The file goes with it.
const END: &str = "status = CASE WHEN $3 IS NOT NULL THEN 'FAILED' WHEN failed > 0 THEN 'COMPLETED_WITH_ERRORS' \
        ELSE 'COMPLETED' END, \
    total = greatest(CASE WHEN $3 IS NULL THEN 0 ELSE total END, processed + failed), \
    failed = CASE WHEN $3 IS NULL THEN failed ELSE greatest(total, processed + failed) - processed END, \
    error = $3, finished_at = clock_timestamp(), updated_at = clock_timestamp(), lease_until = NULL, file_id = NULL";

/// Ends one import, if `condition` on $1 and $2 holds.
pub(super) fn finish(
    conn: &mut PgConnection,
    condition: &str,
    import: ImportId,
    fence: i32,
    reason: Option<&str>,
) -> QueryResult<usize> {
    let sql = format!(
        "WITH held AS (SELECT id, file_id FROM import_processes WHERE {condition} FOR UPDATE), \
         ended AS (UPDATE import_processes p SET {END} FROM held WHERE p.id = held.id RETURNING p.id), \
         removed AS (DELETE FROM import_files f USING held WHERE f.id = held.file_id RETURNING 1) \
         SELECT count(*) AS count FROM ended"
    );
    let ended: Count = diesel::sql_query(sql)
        .bind::<sql_types::Uuid, _>(import.uuid())
        .bind::<sql_types::Integer, _>(fence)
        .bind::<sql_types::Nullable<sql_types::Text>, _>(reason)
        .get_result(conn)?;
    Ok(usize::try_from(ended.count).unwrap_or_default())
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = sql_types::BigInt)]
    count: i64,
}

/// Removes files that nobody asked to import.
pub(super) fn orphans(conn: &mut PgConnection, after: Duration, limit: u32) -> QueryResult<u32> {
    let removed = diesel::sql_query(
        "DELETE FROM import_files WHERE id IN (SELECT f.id FROM import_files f \
         WHERE f.created_at < now() - make_interval(secs => $1 / 1e3) \
             AND NOT EXISTS (SELECT FROM import_processes p WHERE p.file_id = f.id) \
         ORDER BY f.created_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
    )
    .bind::<sql_types::BigInt, _>(millis(after))
    .bind::<sql_types::BigInt, _>(i64::from(limit))
    .execute(conn)?;
    Ok(u32::try_from(removed).unwrap_or(u32::MAX))
}

/// Ends imports that have waited too long; their files go.
pub(super) fn give_up(conn: &mut PgConnection, after: Duration, limit: u32) -> QueryResult<u32> {
    let sql = format!(
        "WITH late AS (SELECT id, file_id FROM import_processes WHERE finished_at IS NULL \
             AND created_at < now() - make_interval(secs => $1 / 1e3) \
             AND (lease_until IS NULL OR lease_until <= clock_timestamp()) \
             ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED), \
         ended AS (UPDATE import_processes p SET {END} FROM late WHERE p.id = late.id RETURNING p.id), \
         removed AS (DELETE FROM import_files f USING late WHERE f.id = late.file_id RETURNING 1) \
         SELECT count(*) AS count FROM ended"
    );
    let ended: Count = diesel::sql_query(sql)
        .bind::<sql_types::BigInt, _>(millis(after))
        .bind::<sql_types::BigInt, _>(i64::from(limit))
        .bind::<sql_types::Nullable<sql_types::Text>, _>(Some("the import did not end in time"))
        .get_result(conn)?;
    Ok(u32::try_from(ended.count).unwrap_or(u32::MAX))
}
