//! Dead letters.

use std::time::Duration;

use diesel::{prelude::*, sql_types};
use techsupport_application::{
    AppError,
    ports::{
        DeadLetterState, DeadLetterTx, FoundDeadLetter, LockedDeadLetter, QueuedDeadLetter, QueuedDeadLetters,
    },
};
use techsupport_domain::{EventId, UserId};
use uuid::Uuid;

use super::{PgTx, clock_timestamp};
use crate::schema::dead_letters;

/// Whoever was not told is to be told after all, in as many attempts as of something new. What is in the middle of its
/// attempts goes on with them.
///
/// A delivery has the name of a channel, not of a subscription: only the worker of this one has channels. What another
/// subscription gave up says nothing of them.
const FORGIVE: &str = "UPDATE deliveries SET state = 'PENDING', settled_at = NULL, forgiven = attempts \
    WHERE state = 'DEAD' AND event_id IN (SELECT event_id FROM chosen WHERE queue = 'sla-events')";

/// The reverse, for what is not put back after all: nobody would ever try it.
const TAKE_BACK: &str = "UPDATE deliveries SET state = 'DEAD', settled_at = clock_timestamp() \
    WHERE state = 'PENDING' AND forgiven > 0 AND attempts = forgiven \
    AND event_id IN (SELECT event_id FROM dead_letters WHERE id = $1 AND state = 'QUEUED' AND queue = 'sla-events')";

/// Beyond this nobody counts how many are left.
const COUNTED: i64 = 100_000;

impl DeadLetterTx for PgTx<'_> {
    fn keep_dead_letter(
        &mut self,
        id: Uuid,
        event: Option<EventId>,
        found: &FoundDeadLetter,
    ) -> Result<bool, AppError> {
        let message = &found.message;
        let kept = self.exec(|conn| {
            diesel::sql_query(
                "INSERT INTO dead_letters (id, queue, message_key, replay, digest, event_id, kind, content_type, \
                     traceparent, body, attempts, error, failed_at) \
                 VALUES ($1, $2, $3, $4, sha256($9), $5, $6, $7, $8, $9, $10, $11, \
                     coalesce($12, clock_timestamp())) \
                 ON CONFLICT ON CONSTRAINT dead_letters_once DO UPDATE SET state = 'DEAD', body = excluded.body, \
                     attempts = excluded.attempts, error = excluded.error, failed_at = excluded.failed_at, \
                     collected_at = clock_timestamp(), settled_at = NULL, settled_by = NULL \
                 WHERE dead_letters.state = 'REPLAYED' AND excluded.failed_at > dead_letters.settled_at",
            )
            .bind::<sql_types::Uuid, _>(id)
            .bind::<sql_types::Text, _>(storable(&message.queue))
            .bind::<sql_types::Text, _>(storable(&message.key))
            .bind::<sql_types::Integer, _>(integer(message.replay))
            .bind::<sql_types::Nullable<sql_types::Uuid>, _>(event.map(EventId::uuid))
            .bind::<sql_types::Nullable<sql_types::Text>, _>(message.kind.as_deref().map(storable))
            .bind::<sql_types::Nullable<sql_types::Text>, _>(message.content_type.as_deref().map(storable))
            .bind::<sql_types::Nullable<sql_types::Text>, _>(message.traceparent.as_deref().map(storable))
            .bind::<sql_types::Bytea, _>(&message.body)
            .bind::<sql_types::Integer, _>(integer(message.attempts))
            .bind::<sql_types::Text, _>(storable(&found.error))
            .bind::<sql_types::Nullable<sql_types::Timestamptz>, _>(found.failed_at)
            .execute(conn)
        })?;
        Ok(kept == 1)
    }

    fn dead_letter_state(&mut self, id: Uuid) -> Result<Option<DeadLetterState>, AppError> {
        let name: Option<String> = self
            .exec(|conn| dead_letters::table.find(id).select(dead_letters::state).first(conn).optional())?;
        name.map(|name| state_of(&name)).transpose()
    }

    fn lock_dead_letter(&mut self, id: Uuid, wait: bool) -> Result<Option<LockedDeadLetter>, AppError> {
        let row: Option<(String, Option<Uuid>, String)> = self.exec(|conn| {
            let letter = dead_letters::table
                .find(id)
                .select((dead_letters::queue, dead_letters::event_id, dead_letters::state))
                .for_update();
            let found = if wait { letter.first(conn) } else { letter.skip_locked().first(conn) };
            found.optional()
        })?;
        let Some((queue, event, name)) = row else { return Ok(None) };
        Ok(Some(LockedDeadLetter { queue, event: event.map(EventId::new), state: state_of(&name)? }))
    }

    fn queue_dead_letter(&mut self, id: Uuid, by: Option<UserId>) -> Result<(), AppError> {
        self.exec(|conn| {
            diesel::update(dead_letters::table.find(id))
                .set((
                    dead_letters::state.eq(DeadLetterState::Queued.name()),
                    dead_letters::retry_at.eq(clock_timestamp()),
                    dead_letters::settled_by.eq(by.map(UserId::uuid)),
                ))
                .execute(conn)?;
            let chosen = "SELECT queue, event_id FROM dead_letters WHERE id = $1";
            diesel::sql_query(format!("WITH chosen AS ({chosen}) {FORGIVE}"))
                .bind::<sql_types::Uuid, _>(id)
                .execute(conn)
                .map(drop)
        })
    }

    fn queue_dead_letters(&mut self, limit: u32, by: Option<UserId>) -> Result<QueuedDeadLetters, AppError> {
        let most = COUNTED.saturating_add(limit.into());
        let row: QueuedRow = self.exec(|conn| {
            diesel::sql_query(format!(
                "WITH chosen AS (SELECT id, queue, event_id FROM dead_letters WHERE state = 'DEAD' \
                     ORDER BY failed_at, id LIMIT {limit} FOR UPDATE SKIP LOCKED), \
                 left_over AS (SELECT FROM dead_letters WHERE state = 'DEAD' LIMIT {most}), \
                 queued AS (UPDATE dead_letters d SET state = 'QUEUED', retry_at = clock_timestamp(), \
                     settled_by = $1 FROM chosen WHERE d.id = chosen.id RETURNING d.id, d.queue, d.event_id), \
                 forgiven AS ({FORGIVE} RETURNING 1) \
                 SELECT coalesce(array_agg(q.id), '{{}}') AS ids, coalesce(array_agg(q.queue), '{{}}') AS queues, \
                     coalesce(array_agg(q.event_id), '{{}}') AS events, \
                     (SELECT count(*) FROM left_over) - count(*) AS remaining FROM queued q"
            ))
            .bind::<sql_types::Nullable<sql_types::Uuid>, _>(by.map(UserId::uuid))
            .get_result(conn)
        })?;
        let letters = row.ids.into_iter().zip(row.queues).zip(row.events);
        let letters = letters.map(|((id, queue), event)| QueuedDeadLetter {
            id,
            queue,
            event: event.map(EventId::new),
        });
        Ok(QueuedDeadLetters { letters: letters.collect(), remaining: row.remaining })
    }

    fn discard_dead_letter(&mut self, id: Uuid, by: Option<UserId>) -> Result<(), AppError> {
        self.exec(|conn| {
            diesel::sql_query(TAKE_BACK).bind::<sql_types::Uuid, _>(id).execute(conn)?;
            diesel::update(dead_letters::table.find(id))
                .set((
                    dead_letters::state.eq(DeadLetterState::Discarded.name()),
                    dead_letters::body.eq(None::<Vec<u8>>),
                    dead_letters::settled_at.eq(clock_timestamp().nullable()),
                    dead_letters::settled_by.eq(by.map(UserId::uuid)),
                ))
                .execute(conn)
        })
        .map(drop)
    }

    fn forget_dead_letters(&mut self, settled_before: Duration, limit: u32) -> Result<u32, AppError> {
        let seconds = i64::try_from(settled_before.as_secs()).unwrap_or(i64::MAX);
        let forgotten = self.exec(|conn| {
            diesel::sql_query(format!(
                "DELETE FROM dead_letters WHERE id IN (SELECT id FROM dead_letters \
                 WHERE settled_at <= now() - make_interval(secs => $1) \
                 ORDER BY settled_at LIMIT {limit} FOR UPDATE SKIP LOCKED)"
            ))
            .bind::<sql_types::BigInt, _>(seconds)
            .execute(conn)
        })?;
        Ok(u32::try_from(forgotten).unwrap_or(u32::MAX))
    }
}

#[derive(QueryableByName)]
struct QueuedRow {
    #[diesel(sql_type = sql_types::Array<sql_types::Uuid>)]
    ids: Vec<Uuid>,
    #[diesel(sql_type = sql_types::Array<sql_types::Text>)]
    queues: Vec<String>,
    #[diesel(sql_type = sql_types::Array<sql_types::Nullable<sql_types::Uuid>>)]
    events: Vec<Option<Uuid>>,
    #[diesel(sql_type = sql_types::BigInt)]
    remaining: i64,
}

fn state_of(name: &str) -> Result<DeadLetterState, AppError> {
    let state = DeadLetterState::ALL.into_iter().find(|state| state.name() == name);
    state.ok_or_else(|| AppError::internal(format!("an unknown state: {name}")))
}

/// PostgreSQL's text holds no NUL. What somebody put into the header of a message must not keep it from being stored.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn integer(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
