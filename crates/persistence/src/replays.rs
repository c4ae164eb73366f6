//! The replay pass's view of the dead letters.

use std::time::Duration;

use diesel::{prelude::*, sql_types};
use techsupport_application::{
    AppError, Budget,
    ports::{DeadLetterReplays, GivenUp, ReplayBatch, ReplayMessage, ReplayReport},
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
        batch: ReplayBatch,
        put_back: &mut dyn FnMut(&[ReplayMessage]) -> Result<ReplayReport, AppError>,
    ) -> Result<ReplayReport, AppError> {
        let mut taken = Vec::new();
        let replayed = self.database.within(&self.budget(), "BEGIN", |link| {
            replay_in(link, batch, &mut |messages| {
                taken = messages.iter().map(|message| message.id).collect();
                put_back(messages)
            })
        });
        if let Err(error) = &replayed
            && !taken.is_empty()
        {
            self.put_all_off(taken, &error.to_string(), batch.retry_after);
        }
        replayed
    }
}

impl PgReplays {
    /// Whoever puts them back has a timeout of its own; each statement has the session's.
    fn budget(&self) -> Budget {
        Budget::lasting(Duration::from_millis(self.database.settings().idle_in_transaction_timeout_ms))
    }

    /// Nobody knows what became of them: the transaction is undone. Without this, the one that they fail for would be
    /// in every batch from now on.
    fn put_all_off(&self, taken: Vec<Uuid>, reason: &str, retry_after: Duration) {
        let failed: Vec<(Uuid, String)> = taken.into_iter().map(|id| (id, reason.to_owned())).collect();
        let putting_off = |link: &mut Link| Ok(link.query(|conn| put_off(conn, &failed, retry_after))?);
        if let Err(error) = self.database.within(&self.budget(), "BEGIN", putting_off) {
            tracing::warn!(%error, "dead letters that could not be put back were not put off either");
        }
    }
}

fn replay_in(
    link: &mut Link,
    batch: ReplayBatch,
    put_back: &mut dyn FnMut(&[ReplayMessage]) -> Result<ReplayReport, AppError>,
) -> Result<ReplayReport, AppError> {
    let due: Vec<Due> = link.query(|conn| lock_due(conn, batch.messages))?;
    let together = together(&due, batch.bytes);
    if together.is_empty() {
        return Ok(ReplayReport::default());
    }
    let rows: Vec<Row> = link.query(|conn| read(conn, &together))?;
    let messages: Vec<ReplayMessage> = rows.into_iter().map(message_of).collect();
    let report = put_back(&messages)?;
    if !report.replayed.is_empty() {
        link.query(|conn| mark(conn, &report.replayed))?;
    }
    if !report.failed.is_empty() {
        link.query(|conn| put_off(conn, &report.failed, batch.retry_after))?;
    }
    if !report.refused.is_empty() {
        link.query(|conn| give_back(conn, &report.refused))?;
    }
    Ok(report)
}

/// One that is to be put back by now.
#[derive(QueryableByName)]
struct Due {
    #[diesel(sql_type = sql_types::Uuid)]
    id: Uuid,
    #[diesel(sql_type = sql_types::Bool)]
    failed: bool,
    #[diesel(sql_type = sql_types::Integer)]
    bytes: i32,
}

/// Planned anew each time, as the relay's is: a plan made while there was nothing to put back would read the table.
fn lock_due(conn: &mut PgConnection, limit: u32) -> QueryResult<Vec<Due>> {
    diesel::sql_query(
        "SELECT id, replay_error IS NOT NULL AS failed, octet_length(body) AS bytes FROM dead_letters \
         WHERE state = 'QUEUED' AND retry_at <= now() ORDER BY retry_at, id LIMIT $1 FOR UPDATE SKIP LOCKED",
    )
    .bind::<sql_types::BigInt, _>(i64::from(limit))
    .load(conn)
}

/// The first of them that go together: so many bytes at most, and one that failed before alone.
fn together(due: &[Due], bytes: u64) -> Vec<Uuid> {
    let mut left = bytes;
    let mut chosen = Vec::new();
    for each in due {
        let size = u64::try_from(each.bytes).unwrap_or(0);
        if !chosen.is_empty() && (each.failed || size > left) {
            break;
        }
        chosen.push(each.id);
        left = left.saturating_sub(size);
        if each.failed {
            break;
        }
    }
    chosen
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

fn read(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<Vec<Row>> {
    diesel::sql_query(
        "SELECT id, queue, message_key, replay, kind, content_type, traceparent, body, attempts FROM dead_letters \
         WHERE id = ANY($1) ORDER BY retry_at, id",
    )
    .bind::<sql_types::Array<sql_types::Uuid>, _>(ids)
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
         FROM unnest($1, $2) AS f (id, reason) WHERE d.id = f.id AND d.state = 'QUEUED'",
    )
    .bind::<sql_types::Array<sql_types::Uuid>, _>(ids)
    .bind::<sql_types::Array<sql_types::Text>, _>(reasons)
    .bind::<sql_types::BigInt, _>(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX))
    .execute(conn)
}

/// What has no queue of its own any more, or not yet: somebody decides about it again, or another release knows it.
fn give_back(conn: &mut PgConnection, refused: &[(Uuid, String)]) -> QueryResult<usize> {
    let (ids, reasons): (Vec<Uuid>, Vec<&str>) =
        refused.iter().map(|(id, reason)| (*id, reason.as_str())).unzip();
    diesel::sql_query(
        "UPDATE dead_letters d SET state = 'DEAD', error = f.reason, replay_error = NULL, settled_by = NULL \
         FROM unnest($1, $2) AS f (id, reason) WHERE d.id = f.id",
    )
    .bind::<sql_types::Array<sql_types::Uuid>, _>(ids)
    .bind::<sql_types::Array<sql_types::Text>, _>(reasons)
    .execute(conn)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many go together.
    fn chosen(due: &[(bool, i32)]) -> usize {
        let due: Vec<Due> = due
            .iter()
            .map(|(failed, bytes)| Due { id: Uuid::nil(), failed: *failed, bytes: *bytes })
            .collect();
        together(&due, 100).len()
    }

    #[test]
    fn what_goes_together_is_bounded_and_what_failed_goes_alone() {
        assert_eq!(chosen(&[]), 0);
        assert_eq!(chosen(&[(false, 50), (false, 50), (false, 1)]), 2);
        assert_eq!(chosen(&[(false, 101), (false, 1)]), 1, "one at least");
        assert_eq!(chosen(&[(true, 1), (false, 1)]), 1);
        assert_eq!(chosen(&[(false, 1), (true, 1), (false, 1)]), 1);
    }
}
