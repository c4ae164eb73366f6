//! The relay's view of the outbox.

use std::time::Duration;

use diesel::{
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types,
};
use techsupport_application::{
    AppError, Budget,
    events::{EventType, OutboxMessage, Subject},
    ports::{Outbox, PublishFailure, PublishReport},
};
use techsupport_domain::{EventId, ImportId, TicketId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Database, link::Link};

pub(crate) struct PgOutbox {
    database: Database,
}

impl PgOutbox {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }
}

impl Outbox for PgOutbox {
    fn relay(
        &self,
        limit: u32,
        retry_after: Duration,
        publish: &mut dyn FnMut(&[OutboxMessage]) -> Result<PublishReport, AppError>,
    ) -> Result<PublishReport, AppError> {
        // The publisher has a timeout of its own; each statement has the session's.
        let budget =
            Budget::lasting(Duration::from_millis(self.database.settings().idle_in_transaction_timeout_ms));
        self.database.within(&budget, "BEGIN", |link| relay_in(link, limit, retry_after, publish))
    }
}

fn relay_in(
    link: &mut Link,
    limit: u32,
    retry_after: Duration,
    publish: &mut dyn FnMut(&[OutboxMessage]) -> Result<PublishReport, AppError>,
) -> Result<PublishReport, AppError> {
    let rows: Vec<Row> = link.query(|conn| take_batch(conn, limit))?;
    if rows.is_empty() {
        return Ok(PublishReport::default());
    }
    let mut unreadable = Vec::new();
    let mut messages = Vec::with_capacity(rows.len());
    for row in rows {
        match message_of(row) {
            Ok(message) => messages.push(message),
            Err(failure) => unreadable.push(failure),
        }
    }
    let mut report = if messages.is_empty() { PublishReport::default() } else { publish(&messages)? };
    report.failed.extend(unreadable);
    let published: Vec<Uuid> = report.published.iter().map(|event| event.uuid()).collect();
    if !published.is_empty() {
        link.query(|conn| MarkPublished { events: published }.execute(conn))?;
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
    event_type: String,
    #[diesel(sql_type = sql_types::Uuid)]
    ticket_id: Uuid,
    /// Set when the event is about no ticket: an import.
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    subject: Option<String>,
    #[diesel(sql_type = sql_types::Timestamptz)]
    at: OffsetDateTime,
    #[diesel(sql_type = sql_types::Text)]
    traceparent: String,
    #[diesel(sql_type = sql_types::Text)]
    body: String,
}

/// Takes rows by their state. A remembered position would lose those whose transaction began earlier and
/// commits later.
///
/// Planned anew each time (diesel does not cache `sql_query`): a plan made while the table was empty would
/// sort all of it once it is not.
fn take_batch(conn: &mut PgConnection, limit: u32) -> QueryResult<Vec<Row>> {
    diesel::sql_query(
        "SELECT id, type AS event_type, ticket_id, subject, at, traceparent, body::text AS body FROM outbox \
         WHERE published_at IS NULL AND retry_at <= now() ORDER BY retry_at, id LIMIT $1 \
         FOR UPDATE SKIP LOCKED",
    )
    .bind::<sql_types::BigInt, _>(i64::from(limit))
    .load(conn)
}

fn message_of(row: Row) -> Result<OutboxMessage, PublishFailure> {
    let id = EventId::new(row.id);
    let event_type = EventType::parse(&row.event_type).ok_or_else(|| PublishFailure {
        event: id,
        reason: format!("unknown event type {}", row.event_type),
    })?;
    let subject = match row.subject {
        None => Subject::Ticket(TicketId::new(row.ticket_id)),
        Some(import) => {
            import.parse().map(|import| Subject::Import(ImportId::new(import))).map_err(|_| {
                PublishFailure { event: id, reason: format!("an event about something unknown: {import}") }
            })?
        }
    };
    Ok(OutboxMessage { id, event_type, subject, at: row.at, traceparent: row.traceparent, body: row.body })
}

fn put_off(conn: &mut PgConnection, failed: &[PublishFailure], wait: Duration) -> QueryResult<usize> {
    let (ids, reasons): (Vec<Uuid>, Vec<&str>) =
        failed.iter().map(|failure| (failure.event.uuid(), failure.reason.as_str())).unzip();
    diesel::sql_query(
        "UPDATE outbox o SET attempts = o.attempts + 1, last_error = f.reason, \
         retry_at = clock_timestamp() + make_interval(secs => $3 / 1e6) \
         FROM unnest($1, $2) AS f (id, reason) WHERE o.id = f.id",
    )
    .bind::<sql_types::Array<sql_types::Uuid>, _>(ids)
    .bind::<sql_types::Array<sql_types::Text>, _>(reasons)
    .bind::<sql_types::BigInt, _>(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX))
    .execute(conn)
}

#[derive(QueryId)]
struct MarkPublished {
    events: Vec<Uuid>,
}

impl QueryFragment<Pg> for MarkPublished {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "UPDATE outbox SET published_at = clock_timestamp(), attempts = attempts + 1, last_error = NULL \
             WHERE id = ANY(",
        );
        out.push_bind_param::<sql_types::Array<sql_types::Uuid>, _>(&self.events)?;
        out.push_sql(")");
        Ok(())
    }
}

impl<Conn> RunQueryDsl<Conn> for MarkPublished {}
