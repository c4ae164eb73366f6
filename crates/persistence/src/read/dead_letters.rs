//! Dead letters, and what the database knows of the queues.

use std::collections::HashMap;

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
    let total = total(page, || wanted(filter).count().get_result(conn))?;
    let mut query = wanted(filter);
    if let Some(last) = behind_time(page)? {
        query = query.filter(beyond((dead_letters::failed_at, dead_letters::id), Direction::Down, last));
    }
    let heads: Vec<Head> = query
        .order((dead_letters::failed_at.desc(), dead_letters::id.desc()))
        .limit(page.reach())
        .offset(page.offset())
        .select((
            dead_letters::id,
            dead_letters::queue,
            octet_length(dead_letters::body),
            dead_letters::attempts,
            dead_letters::error,
            dead_letters::failed_at,
        ))
        .load(conn)?;
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

fn wanted(filter: &DeadLetterFilter) -> dead_letters::BoxedQuery<'_, Pg> {
    let query = dead_letters::table.filter(dead_letters::state.eq(DeadLetterState::Dead.name())).into_boxed();
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
const COUNTED: f64 = 1_000_000.0;

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
    let row: Figures = diesel::sql_query(
        "SELECT (SELECT count(*) FROM deliveries WHERE state = 'PENDING' AND lease_until > clock_timestamp()) \
             + (SELECT count(*) FROM import_processes \
                WHERE finished_at IS NULL AND lease_until > clock_timestamp()) AS active, \
           (SELECT CASE WHEN reltuples < $1 THEN (SELECT count(*) FROM inbox) ELSE reltuples::bigint END \
                FROM pg_class WHERE oid = 'inbox'::regclass) \
             + (SELECT count(*) FROM import_processes WHERE finished_at IS NOT NULL AND status <> 'FAILED') \
             AS completed, \
           (SELECT count(*) FROM deliveries WHERE state = 'PENDING' AND last_error IS NOT NULL \
                AND (lease_until IS NULL OR lease_until <= clock_timestamp())) \
             + (SELECT count(*) FROM import_processes WHERE status = 'FAILED') AS failed, \
           (SELECT count(*) FROM outbox WHERE published_at IS NULL) AS outbox_pending, \
           (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 \
              FROM outbox WHERE published_at IS NULL) AS outbox_oldest_seconds",
    )
    .bind::<sql_types::Double, _>(COUNTED)
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

/// How many there are that nobody has decided about, by subscription.
pub(super) fn dead(conn: &mut PgConnection) -> QueryResult<Vec<(String, i64)>> {
    let rows: Vec<Dead> = diesel::sql_query(
        "SELECT queue, count(*) AS count FROM dead_letters WHERE state = 'DEAD' GROUP BY queue ORDER BY queue",
    )
    .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.queue, row.count)).collect())
}
