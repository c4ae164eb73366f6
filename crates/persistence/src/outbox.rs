//! The relay's view of the outbox.

use std::time::Duration;

use diesel::{
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types,
};
use techsupport_application::{
    AppError, Budget,
    events::{EventType, OutboxMessage},
    ports::{Outbox, PublishFailure, PublishReport},
};
use techsupport_domain::{EventId, TicketId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Database, link::Link, unit_of_work::begin_sql};

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
        let begin = begin_sql(&self.database, &budget);
        let (mut link, ()) = self.database.link(&budget, |link| link.begin(&begin))?;
        match relay_in(&mut link, limit, retry_after, publish) {
            Ok(report) => link.commit().map(|()| report).map_err(AppError::from),
            Err(error) => {
                link.roll_back();
                Err(error)
            }
        }
    }
}

fn relay_in(
    link: &mut Link,
    limit: u32,
    retry_after: Duration,
    publish: &mut dyn FnMut(&[OutboxMessage]) -> Result<PublishReport, AppError>,
) -> Result<PublishReport, AppError> {
    let rows: Vec<Row> = link.query(|conn| TakeBatch { limit: i64::from(limit) }.load(conn))?;
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
    for PublishFailure { event, reason } in &report.failed {
        link.query(|conn| put_off(conn, *event, reason, retry_after))?;
    }
    Ok(report)
}

type Row = (Uuid, String, Uuid, OffsetDateTime, String, String);

fn message_of((id, event_type, ticket, at, traceparent, body): Row) -> Result<OutboxMessage, PublishFailure> {
    let id = EventId::new(id);
    let event_type = EventType::parse(&event_type)
        .ok_or_else(|| PublishFailure { event: id, reason: format!("unknown event type {event_type}") })?;
    Ok(OutboxMessage { id, event_type, subject: TicketId::new(ticket), at, traceparent, body })
}

fn put_off(conn: &mut PgConnection, event: EventId, reason: &str, wait: Duration) -> QueryResult<usize> {
    diesel::sql_query(
        "UPDATE outbox SET attempts = attempts + 1, last_error = $2, \
         retry_at = clock_timestamp() + make_interval(secs => $3 / 1e6) WHERE id = $1",
    )
    .bind::<sql_types::Uuid, _>(event.uuid())
    .bind::<sql_types::Text, _>(reason)
    .bind::<sql_types::BigInt, _>(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX))
    .execute(conn)
}

/// Takes rows by their state. A remembered position would lose those whose transaction began earlier and
/// commits later.
#[derive(QueryId)]
struct TakeBatch {
    limit: i64,
}

impl QueryFragment<Pg> for TakeBatch {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "SELECT id, type, ticket_id, at, traceparent, body::text FROM outbox \
             WHERE published_at IS NULL AND (retry_at IS NULL OR retry_at <= now()) ORDER BY id LIMIT ",
        );
        out.push_bind_param::<sql_types::BigInt, _>(&self.limit)?;
        out.push_sql(" FOR UPDATE SKIP LOCKED");
        Ok(())
    }
}

impl Query for TakeBatch {
    type SqlType = (
        sql_types::Uuid,
        sql_types::Text,
        sql_types::Uuid,
        sql_types::Timestamptz,
        sql_types::Text,
        sql_types::Text,
    );
}

impl<Conn> RunQueryDsl<Conn> for TakeBatch {}

#[derive(QueryId)]
struct MarkPublished {
    events: Vec<Uuid>,
}

impl QueryFragment<Pg> for MarkPublished {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "UPDATE outbox SET published_at = clock_timestamp(), attempts = attempts + 1, last_error = NULL, \
             retry_at = NULL WHERE id = ANY(",
        );
        out.push_bind_param::<sql_types::Array<sql_types::Uuid>, _>(&self.events)?;
        out.push_sql(")");
        Ok(())
    }
}

impl<Conn> RunQueryDsl<Conn> for MarkPublished {}
