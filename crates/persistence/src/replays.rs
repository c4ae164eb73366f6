//! The replay pass's view of the dead letters.

use std::time::Duration;

use diesel::{prelude::*, sql_types};
use techsupport_application::{
    AppError, Budget,
    ports::{DeadLetterReplays, GivenUp, ReplayMessage, ReplayReport},
};
use uuid::Uuid;

use crate::{Database, link::Link};

pub(crate) struct PgReplays {
    database: Database,
}

impl PgReplays {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }
}

impl DeadLetterReplays for PgReplays {
    fn replay(
        &self,
        limit: u32,
        retry_after: Duration,
        put_back: &mut dyn FnMut(&[ReplayMessage]) -> Result<ReplayReport, AppError>,
    ) -> Result<ReplayReport, AppError> {
        // Whoever puts them back has a timeout of its own; each statement has the session's.
        let budget =
            Budget::lasting(Duration::from_millis(self.database.settings().idle_in_transaction_timeout_ms));
        self.database.within(&budget, "BEGIN", |link| replay_in(link, limit, retry_after, put_back))
    }
}

fn replay_in(
    link: &mut Link,
    limit: u32,
    retry_after: Duration,
    put_back: &mut dyn FnMut(&[ReplayMessage]) -> Result<ReplayReport, AppError>,
) -> Result<ReplayReport, AppError> {
    let rows: Vec<Row> = link.query(|conn| take_batch(conn, limit))?;
    if rows.is_empty() {
        return Ok(ReplayReport::default());
    }
    let messages: Vec<ReplayMessage> = rows.into_iter().map(message_of).collect();
    let report = put_back(&messages)?;
    if !report.replayed.is_empty() {
        link.query(|conn| mark(conn, &report.replayed))?;
    }
    if !report.failed.is_empty() {
        link.query(|conn| put_off(conn, &report.failed, retry_after))?;
    }
    Ok(report)
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = sql_types::Uuid)]
    id: Uuid,
    #[diesel(sql_type = sql_types::Text)]
    queue: String,
    #[diesel(sql_type = sql_types::Text)]
    message_key: String,
    #[diesel(sql_type = sql_types::Integer)]
    replay: i32,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    kind: Option<String>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    content_type: Option<String>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    traceparent: Option<String>,
    #[diesel(sql_type = sql_types::Bytea)]
    body: Vec<u8>,
    #[diesel(sql_type = sql_types::Integer)]
    attempts: i32,
}

/// Planned anew each time, as the relay's is: a plan made while there was nothing to put back would read the table.
fn take_batch(conn: &mut PgConnection, limit: u32) -> QueryResult<Vec<Row>> {
    diesel::sql_query(
        "SELECT id, queue, message_key, replay, kind, content_type, traceparent, body, attempts FROM dead_letters \
         WHERE state = 'QUEUED' AND retry_at <= now() ORDER BY retry_at, id LIMIT $1 FOR UPDATE SKIP LOCKED",
    )
    .bind::<sql_types::BigInt, _>(i64::from(limit))
    .load(conn)
}

fn message_of(row: Row) -> ReplayMessage {
    let message = GivenUp {
        queue: row.queue,
        key: row.message_key,
        replay: u32::try_from(row.replay).unwrap_or(0).saturating_add(1),
        kind: row.kind,
        content_type: row.content_type,
        traceparent: row.traceparent,
        body: row.body,
        attempts: u32::try_from(row.attempts).unwrap_or(0),
    };
    ReplayMessage { id: row.id, message }
}

fn mark(conn: &mut PgConnection, replayed: &[Uuid]) -> QueryResult<usize> {
    diesel::sql_query(
        "UPDATE dead_letters SET state = 'REPLAYED', settled_at = clock_timestamp(), replay_error = NULL \
         WHERE id = ANY($1)",
    )
    .bind::<sql_types::Array<sql_types::Uuid>, _>(replayed)
    .execute(conn)
}

fn put_off(conn: &mut PgConnection, failed: &[(Uuid, String)], wait: Duration) -> QueryResult<usize> {
    let (ids, reasons): (Vec<Uuid>, Vec<&str>) =
        failed.iter().map(|(id, reason)| (*id, reason.as_str())).unzip();
    diesel::sql_query(
        "UPDATE dead_letters d SET replay_error = f.reason, \
         retry_at = clock_timestamp() + make_interval(secs => $3 / 1e6) \
         FROM unnest($1, $2) AS f (id, reason) WHERE d.id = f.id",
    )
    .bind::<sql_types::Array<sql_types::Uuid>, _>(ids)
    .bind::<sql_types::Array<sql_types::Text>, _>(reasons)
    .bind::<sql_types::BigInt, _>(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX))
    .execute(conn)
}
