//! Deliveries and the inbox.

use std::time::Duration;

use diesel::{prelude::*, sql_types};
use techsupport_application::{
    AppError,
    ports::{ChannelName, Claim, DeliveryTx, TicketTx},
};
use techsupport_domain::EventId;
use time::OffsetDateTime;

use super::{PgTx, clock_timestamp};
use crate::schema::{deliveries, inbox};

type DeliveryRow = (String, i32, i32, Option<OffsetDateTime>, Option<OffsetDateTime>, Option<String>);

impl DeliveryTx for PgTx<'_> {
    fn in_inbox(&mut self, consumer: &str, event: EventId) -> Result<bool, AppError> {
        self.exec(|conn| {
            diesel::select(diesel::dsl::exists(inbox::table.find((consumer, event.uuid())))).get_result(conn)
        })
    }

    fn put_in_inbox(&mut self, consumer: &str, event: EventId) -> Result<(), AppError> {
        self.exec(|conn| {
            diesel::insert_into(inbox::table)
                .values((inbox::consumer.eq(consumer), inbox::event_id.eq(event.uuid())))
                .on_conflict_do_nothing()
                .execute(conn)
        })
        .map(drop)
    }

    fn claim_delivery(
        &mut self,
        event: EventId,
        channel: ChannelName,
        lease: Duration,
    ) -> Result<Claim, AppError> {
        let (state, attempts, forgiven, leased, next_attempt, last_error): DeliveryRow =
            self.exec(|conn| {
                diesel::insert_into(deliveries::table)
                    .values((
                        deliveries::event_id.eq(event.uuid()),
                        deliveries::channel.eq(channel.0),
                        deliveries::state.eq("PENDING"),
                        deliveries::attempts.eq(0),
                    ))
                    .on_conflict_do_nothing()
                    .execute(conn)?;
                deliveries::table
                    .find((event.uuid(), channel.0))
                    .select((
                        deliveries::state,
                        deliveries::attempts,
                        deliveries::forgiven,
                        deliveries::lease_until,
                        deliveries::next_attempt_at,
                        deliveries::last_error,
                    ))
                    .for_update()
                    .first(conn)
            })?;
        let attempts = u32::try_from(attempts).unwrap_or(0);
        match state.as_str() {
            "DELIVERED" => return Ok(Claim::Delivered),
            "DEAD" => return Ok(Claim::GivenUp { reason: last_error.unwrap_or_default(), attempts }),
            _ => {}
        }
        // In a statement of its own: one that waited for the lock would show the time before the wait.
        let now = self.now()?;
        if let Some(busy_until) = leased.max(next_attempt).filter(|until| *until > now) {
            let wait = Duration::try_from(busy_until - now).unwrap_or_default();
            return Ok(Claim::NotYet { wait });
        }
        let attempt = attempts.saturating_add(1);
        let until = now + lease;
        self.exec(|conn| {
            diesel::update(deliveries::table.find((event.uuid(), channel.0)))
                .set((
                    deliveries::attempts.eq(i32::try_from(attempt).unwrap_or(i32::MAX)),
                    deliveries::lease_until.eq(until),
                    deliveries::next_attempt_at.eq(None::<OffsetDateTime>),
                ))
                .execute(conn)
        })?;
        Ok(Claim::Granted { attempt, forgiven: u32::try_from(forgiven).unwrap_or(0) })
    }

    fn delivered(&mut self, event: EventId, channel: ChannelName, _attempt: u32) -> Result<(), AppError> {
        // Whichever attempt says so: it arrived. A later one that is under way finds it settled.
        self.exec(|conn| {
            diesel::update(
                deliveries::table.find((event.uuid(), channel.0)).filter(deliveries::state.ne("DELIVERED")),
            )
            .set((
                deliveries::state.eq("DELIVERED"),
                deliveries::settled_at.eq(clock_timestamp().nullable()),
                deliveries::lease_until.eq(None::<OffsetDateTime>),
            ))
            .execute(conn)
        })
        .map(drop)
    }

    fn failed(
        &mut self,
        event: EventId,
        channel: ChannelName,
        attempt: u32,
        error: &str,
        retry_after: Option<Duration>,
    ) -> Result<bool, AppError> {
        let wait_us = retry_after.map(|wait| i64::try_from(wait.as_micros()).unwrap_or(i64::MAX));
        let attempt = i32::try_from(attempt).unwrap_or(i32::MAX);
        // Fenced by the attempt: one whose lease ran out has nothing to say any more.
        self.exec(|conn| {
            diesel::sql_query(
                "UPDATE deliveries SET lease_until = NULL, last_error = $4, \
                 next_attempt_at = clock_timestamp() + make_interval(secs => $5 / 1e6), \
                 state = CASE WHEN $5 IS NULL THEN 'DEAD' ELSE state END, \
                 settled_at = CASE WHEN $5 IS NULL THEN clock_timestamp() END \
                 WHERE event_id = $1 AND channel = $2 AND attempts = $3 AND state = 'PENDING'",
            )
            .bind::<sql_types::Uuid, _>(event.uuid())
            .bind::<sql_types::Text, _>(channel.0)
            .bind::<sql_types::Integer, _>(attempt)
            .bind::<sql_types::Text, _>(error)
            .bind::<sql_types::Nullable<sql_types::BigInt>, _>(wait_us)
            .execute(conn)
        })
        .map(|rows| rows == 1)
    }
}
