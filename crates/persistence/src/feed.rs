//! Appends events to the feed in the order in which they became visible.
//!
//! No number that a writer could draw by itself has that order: the earlier number may commit later, and who
//! began first may write last. So events get their place afterwards, by whoever holds the one row of
//! `event_feed_end`:
//!
//! - Claimed is what can be seen and is not in the feed, lowest `seq` first. An event whose transaction had
//!   committed before another event was written has the lower `seq`, and whoever sees the other one sees it, too:
//!   so it gets the lower position. Events of one ticket are written under its lock, so theirs is the timeline's
//!   order.
//! - Positions become visible in their order, because the row is held until the commit.
//! - The stored snapshot only bounds the search: what it sees is in the feed. It moves on when a search found less
//!   than it may take. Were it wrong or gone, all of the outbox would be compared with the feed, and nothing lost.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use diesel::{connection::SimpleConnection, prelude::*, sql_types};
use techsupport_application::{AppError, Budget, ports::FeedKeeper};

use crate::{Database, Topic, link::Link};

pub(crate) struct PgFeedKeeper {
    database: Database,
    timeout: Duration,
    /// How many batches at once: more and more while there is more than a batch, because each search looks at all
    /// that is left.
    stride: AtomicU32,
}

impl PgFeedKeeper {
    pub(crate) fn new(database: Database, timeout: Duration) -> Self {
        Self { database, timeout, stride: AtomicU32::new(1) }
    }
}

impl FeedKeeper for PgFeedKeeper {
    fn append(&self, limit: u32) -> Result<u32, AppError> {
        let settings = self.database.settings();
        let budget = Budget::lasting(Duration::from_millis(settings.statement_timeout_ms));
        if !self.database.read(&budget, has_news)? {
            return Ok(0);
        }
        self.database.within(&budget, "BEGIN", |link| self.append_in(link, limit))
    }
}

impl PgFeedKeeper {
    fn append_in(&self, link: &mut Link, limit: u32) -> Result<u32, AppError> {
        // The next statement has a snapshot of its own: it sees what the last holder of the row committed.
        let Some(end) = link.query(hold_end)? else { return Ok(0) };
        let timeout = format!("SET LOCAL statement_timeout = {}", self.timeout.as_millis());
        link.query(|conn| conn.batch_execute(&timeout))?;
        let (search, stride) = if let Some(seen) = end.seen {
            link.query(|conn| conn.batch_execute(INDEX_ONLY))?;
            (Search::Behind(seen), self.stride.load(Ordering::Relaxed))
        } else {
            tracing::info!("comparing all of the outbox with the event feed");
            (Search::Everything, LONGEST_STRIDE)
        };
        let limit = limit.saturating_mul(stride);
        let appended = link.query(|conn| search.append(conn, end.last_position, limit))?;
        let is_full = appended >= i64::from(limit);
        self.stride.store(if is_full { (stride * 2).min(LONGEST_STRIDE) } else { 1 }, Ordering::Relaxed);
        u32::try_from(appended).map_err(AppError::internal)
    }
}

#[derive(QueryableByName)]
struct End {
    #[diesel(sql_type = sql_types::BigInt)]
    last_position: i64,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    seen: Option<String>,
}

#[derive(QueryableByName)]
struct Flag {
    #[diesel(sql_type = sql_types::Bool)]
    flag: bool,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = sql_types::BigInt)]
    count: i64,
}

/// The most batches at once.
const LONGEST_STRIDE: u32 = 100;

/// The few new rows are to be found one by one through indexes, whatever statistics say, which may be missing, old, or
/// dominated by one transaction that wrote most of the table. A plan that may not read tables looks so expensive
/// that it would be compiled, for half a second.
const INDEX_ONLY: &str = "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; \
     SET LOCAL enable_mergejoin = off; SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL jit = off";

/// Whether the stored snapshot can be used: after a restore into another cluster its numbers mean nothing.
const IS_OURS: &str = "e.seen IS NOT NULL AND e.cluster = (SELECT system_identifier FROM pg_control_system()) \
     AND pg_snapshot_xmax(e.seen) <= pg_snapshot_xmax(pg_current_snapshot())";

/// A look that holds nothing up: the end of an index and, for each transaction that was under way at the last
/// pass, one more place in it. Written so that no plan can come to read the table.
fn has_news(conn: &mut PgConnection) -> QueryResult<bool> {
    let sql = format!(
        "SELECT NOT ({IS_OURS}) \
             OR coalesce((SELECT o.tx FROM outbox o WHERE o.tx < pg_snapshot_xmax(pg_current_snapshot()) \
                 ORDER BY o.tx DESC LIMIT 1) >= pg_snapshot_xmax(e.seen), false) \
             OR EXISTS (SELECT FROM pg_snapshot_xip(e.seen) AS x (tx), \
                 LATERAL (SELECT FROM outbox o WHERE o.tx = x.tx LIMIT 1) AS late) AS flag \
         FROM event_feed_end e"
    );
    diesel::sql_query(sql).get_result::<Flag>(conn).map(|found| found.flag)
}

/// The end of the feed, unless somebody else holds it. It is read once it is held, by a statement whose snapshot is
/// later than the one that was stored.
fn hold_end(conn: &mut PgConnection) -> QueryResult<Option<End>> {
    let held = diesel::sql_query("SELECT FROM event_feed_end FOR UPDATE SKIP LOCKED").execute(conn)?;
    if held == 0 {
        return Ok(None);
    }
    let sql = format!(
        "SELECT e.last_position, CASE WHEN {IS_OURS} THEN e.seen::text END AS seen FROM event_feed_end e"
    );
    diesel::sql_query(sql).get_result(conn).optional()
}

/// Where events may be that are not in the feed.
enum Search {
    /// Among those that this snapshot does not see.
    Behind(String),
    /// Anywhere.
    Everything,
}

impl Search {
    /// What the snapshot does not see was under way when it was taken, or began later. The upper bound keeps rows
    /// out that came with a dump from a cluster that had counted further.
    fn candidates(&self) -> &'static str {
        match self {
            Search::Behind(_) => {
                "SELECT o.id, o.type, o.seq, o.created_at FROM outbox o \
                 WHERE o.tx >= pg_snapshot_xmax($3::pg_snapshot) \
                     AND o.tx < pg_snapshot_xmax(pg_current_snapshot()) \
                 UNION ALL \
                 SELECT o.id, o.type, o.seq, o.created_at FROM outbox o \
                 WHERE o.tx = ANY (ARRAY(SELECT pg_snapshot_xip($3::pg_snapshot)))"
            }
            Search::Everything => "SELECT o.id, o.type, o.seq, o.created_at FROM outbox o",
        }
    }

    /// What is known as long as there is more than a batch.
    fn kept(&self) -> (&'static str, &'static str) {
        match self {
            Search::Behind(_) => ("e.seen", "e.cluster"),
            Search::Everything => ("NULL", "NULL"),
        }
    }

    /// One statement, so one snapshot: what is appended, and what is remembered as seen, are the same. Events
    /// from before this feed have no number and come first, by their time.
    fn append(self, conn: &mut PgConnection, last_position: i64, limit: u32) -> QueryResult<i64> {
        let (candidates, (seen, cluster)) = (self.candidates(), self.kept());
        let channel = Topic::Events.channel();
        let sql = format!(
            "WITH candidate AS ({candidates}), \
             batch AS (SELECT n.id, n.type, row_number() OVER (ORDER BY n.seq NULLS FIRST, n.created_at, n.id) AS n \
                 FROM (SELECT * FROM candidate c \
                     WHERE NOT EXISTS (SELECT FROM event_feed f WHERE f.event_id = c.id) \
                     ORDER BY c.seq NULLS FIRST, c.created_at, c.id LIMIT $1) AS n), \
             appended AS (INSERT INTO event_feed (position, event_id, type) \
                 SELECT $2 + b.n, b.id, b.type FROM batch b RETURNING 1), \
             found AS (SELECT count(*) AS count FROM batch), \
             moved AS (UPDATE event_feed_end e SET last_position = $2 + f.count, \
                 seen = CASE WHEN f.count < $1 THEN pg_current_snapshot() ELSE {seen} END, \
                 cluster = CASE WHEN f.count < $1 THEN c.system_identifier ELSE {cluster} END \
                 FROM found f, pg_control_system() c) \
             SELECT (SELECT count FROM found) AS count, (SELECT count(pg_notify('{channel}', '')) \
                 FROM (SELECT FROM appended LIMIT 1) AS first_one) AS told"
        );
        let query = diesel::sql_query(sql)
            .bind::<sql_types::BigInt, _>(i64::from(limit))
            .bind::<sql_types::BigInt, _>(last_position);
        let appended: Count = match self {
            Search::Behind(seen) => query.bind::<sql_types::Text, _>(seen).get_result(conn)?,
            Search::Everything => query.get_result(conn)?,
        };
        Ok(appended.count)
    }
}
