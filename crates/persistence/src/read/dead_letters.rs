//! Dead letters, and what the database knows of the queues.

use std::{cmp::Reverse, collections::HashMap};

use diesel::{pg::Pg, prelude::*, sql_types};
use techsupport_application::{
    AppError, Budget, Page, Paged, Position,
    ports::{DeadLetterFilter, DeadLetterReader, DeadLetterRow, DeadLetterState, QueueFigures},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    PgReader, behind_time,
    beyond::{Direction, beyond},
    total,
};
use crate::schema::dead_letters;

/// What the bodies on a page come to, in bytes; nobody knows what somebody else may send. A larger one has a page of its
/// own.
const PAGE_BYTES: i64 = 4 * 1_048_576;

diesel::define_sql_function! {
    /// How many bytes there are, without reading them.
    fn octet_length(bytes: sql_types::Nullable<sql_types::Binary>) -> sql_types::Nullable<sql_types::Integer>;
}

/// A row but for its body, of which there is only the length.
type Head = (Uuid, String, Option<i32>, i32, String, OffsetDateTime);

impl DeadLetterReader for PgReader {
    fn dead_letters(
        &self,
        budget: &Budget,
        filter: &DeadLetterFilter,
        page: Page,
    ) -> Result<Paged<DeadLetterRow>, AppError> {
        self.snapshot(budget, |conn| list(conn, filter, page))
    }

    fn queue_figures(&self, budget: &Budget) -> Result<QueueFigures, AppError> {
        self.snapshot(budget, figures)
    }
}

fn list(conn: &mut PgConnection, filter: &DeadLetterFilter, page: Page) -> QueryResult<Paged<DeadLetterRow>> {
    let total = total(page, || {
        let dead: i64 = wanted(filter, DeadLetterState::Dead).count().get_result(conn)?;
        let stuck: i64 = wanted(filter, DeadLetterState::Queued).count().get_result(conn)?;
        Ok(dead + stuck)
    })?;
    let mut heads = heads(conn, filter, page, DeadLetterState::Dead)?;
    heads.extend(self::heads(conn, filter, page, DeadLetterState::Queued)?);
    heads.sort_by_key(|head| Reverse((head.5, head.0)));
    let before = usize::try_from(page.offset()).unwrap_or(usize::MAX);
    let heads = heads.into_iter().skip(before).collect();
    let position = |head: &Head| Position::at(head.5, head.0);
    let mut paged = Paged::of(page, total, heads, position);
    let fits = fitting(&paged.rows);
    if fits < paged.rows.len() {
        paged.rows.truncate(fits);
        paged.next = paged.rows.last().map(position);
    }
    let mut bodies = bodies(conn, &paged.rows)?;
    paged.try_map(|head| Ok(row(head, &mut bodies)))
}

/// As many as the page and all before it hold, latest first. Each state has an index of its own, in this order.
fn heads(
    conn: &mut PgConnection,
    filter: &DeadLetterFilter,
    page: Page,
    state: DeadLetterState,
) -> QueryResult<Vec<Head>> {
    let mut query = wanted(filter, state);
    if let Some(last) = behind_time(page)? {
        query = query.filter(beyond((dead_letters::failed_at, dead_letters::id), Direction::Down, last));
    }
    let heads: Vec<(Head, Option<String>)> = query
        .order((dead_letters::failed_at.desc(), dead_letters::id.desc()))
        .limit(page.offset() + page.reach())
        .select((
            (
                dead_letters::id,
                dead_letters::queue,
                octet_length(dead_letters::body),
                dead_letters::attempts,
                dead_letters::error,
                dead_letters::failed_at,
            ),
            dead_letters::replay_error,
        ))
        .load(conn)?;
    let told = |(mut head, stuck): (Head, Option<String>)| {
        if let Some(reason) = stuck.filter(|_| state == DeadLetterState::Queued) {
            head.4 = format!("it could not be put back yet: {reason}; it was given up: {}", head.4);
        }
        head
    };
    Ok(heads.into_iter().map(told).collect())
}

/// How many of these fit on one page, together with their bodies: one at least.
fn fitting(heads: &[Head]) -> usize {
    let mut left = PAGE_BYTES;
    let fits = |head: &&Head| {
        left -= i64::from(head.2.unwrap_or(0));
        left >= 0
    };
    heads.iter().take_while(fits).count().max(1)
}

fn bodies(conn: &mut PgConnection, heads: &[Head]) -> QueryResult<HashMap<Uuid, Option<Vec<u8>>>> {
    let ids: Vec<Uuid> = heads.iter().map(|head| head.0).collect();
    let rows: Vec<(Uuid, Option<Vec<u8>>)> = dead_letters::table
        .filter(dead_letters::id.eq_any(ids))
        .select((dead_letters::id, dead_letters::body))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

/// Those of a state that somebody has to look at. What is to be put back is done in a moment, unless that failed.
fn wanted(filter: &DeadLetterFilter, state: DeadLetterState) -> dead_letters::BoxedQuery<'_, Pg> {
    let mut query = dead_letters::table.filter(dead_letters::state.eq(state.name())).into_boxed();
    if state == DeadLetterState::Queued {
        query = query.filter(dead_letters::replay_error.is_not_null());
    }
    match &filter.queue {
        None => query,
        Some(queue) => query.filter(dead_letters::queue.eq(queue)),
    }
}

fn row(
    (id, queue, _, attempts, error, failed_at): Head,
    bodies: &mut HashMap<Uuid, Option<Vec<u8>>>,
) -> DeadLetterRow {
    let body = bodies.remove(&id).flatten().unwrap_or_default();
    DeadLetterRow { id, queue, body, attempts: u32::try_from(attempts).unwrap_or(0), error, failed_at }
}

/// What is done grows for ever, and so does the time to count it: beyond this the planner's estimate has to do.
const COUNTED: u32 = 1_000_000;

/// Dead letters of a state that are counted. Nobody has to know how many more there are.
const COUNTED_DEAD: u32 = 100_000;

#[derive(QueryableByName)]
struct Figures {
    #[diesel(sql_type = sql_types::BigInt)]
    active: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    completed: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    failed: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    outbox_pending: i64,
    #[diesel(sql_type = sql_types::Double)]
    outbox_oldest_seconds: f64,
}

fn figures(conn: &mut PgConnection) -> QueryResult<QueueFigures> {
    // What was never analysed has no estimate (-1), and an old estimate may be far too low.
    let row: Figures = diesel::sql_query(format!(
        "SELECT (SELECT count(*) FROM deliveries WHERE state = 'PENDING' AND lease_until > clock_timestamp()) \
             + (SELECT count(*) FROM import_processes \
                WHERE finished_at IS NULL AND lease_until > clock_timestamp()) AS active, \
           (SELECT CASE WHEN reltuples < {COUNTED} \
                    THEN (SELECT count(*) FROM (SELECT FROM inbox LIMIT {COUNTED}) AS counted) \
                    ELSE reltuples::bigint END \
                FROM pg_class WHERE oid = 'inbox'::regclass) \
             + (SELECT count(*) FROM import_processes WHERE finished_at IS NOT NULL AND status <> 'FAILED') \
             AS completed, \
           (SELECT count(*) FROM deliveries WHERE state = 'PENDING' AND last_error IS NOT NULL \
                AND (lease_until IS NULL OR lease_until <= clock_timestamp())) \
             + (SELECT count(*) FROM import_processes WHERE status = 'FAILED') AS failed, \
           (SELECT count(*) FROM outbox WHERE published_at IS NULL) AS outbox_pending, \
           (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 \
              FROM outbox WHERE published_at IS NULL) AS outbox_oldest_seconds"
    ))
    .get_result(conn)?;
    Ok(QueueFigures {
        active: row.active,
        completed: row.completed,
        failed: row.failed,
        dead: dead(conn)?,
        outbox_pending: row.outbox_pending,
        outbox_oldest_seconds: row.outbox_oldest_seconds,
    })
}

#[derive(QueryableByName)]
struct Dead {
    #[diesel(sql_type = sql_types::Text)]
    queue: String,
    #[diesel(sql_type = sql_types::BigInt)]
    count: i64,
}

/// How many there are that are not back in their queue, by subscription.
pub(super) fn dead(conn: &mut PgConnection) -> QueryResult<Vec<(String, i64)>> {
    let rows: Vec<Dead> = diesel::sql_query(format!(
        "SELECT queue, count(*) AS count FROM ( \
             (SELECT queue FROM dead_letters WHERE state = 'DEAD' LIMIT {COUNTED_DEAD}) UNION ALL \
             (SELECT queue FROM dead_letters WHERE state = 'QUEUED' LIMIT {COUNTED_DEAD})) AS counted \
         GROUP BY queue ORDER BY queue"
    ))
    .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.queue, row.count)).collect())
}
