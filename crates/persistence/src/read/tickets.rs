//! Tickets and their history.

use diesel::{dsl::exists, prelude::*};
use techsupport_application::{
    Page, Paged, Position,
    ports::{TimelineActor, TimelineRow},
};
use techsupport_domain::{EventId, TicketId, UserId, ticket::Ticket};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    behind_time,
    beyond::{Direction, beyond},
    total,
};
use crate::{
    policies::PolicyCache,
    rows::{ClockRow, ClockWithPolicy, Corrupt, TicketRow},
    schema::{clients, sla_clocks, ticket_timeline, tickets, users},
};

pub(super) fn one(
    conn: &mut PgConnection,
    policies: &PolicyCache,
    id: TicketId,
) -> QueryResult<Option<Result<Ticket, Corrupt>>> {
    let found: Vec<(TicketRow, String, Option<ClockRow>)> = tickets::table
        .inner_join(clients::table)
        .left_join(sla_clocks::table)
        .filter(tickets::id.eq(id.uuid()).and(tickets::deleted_at.is_null()))
        .select((TicketRow::as_select(), clients::tier, Option::<ClockRow>::as_select()))
        .load(conn)?;
    let mut clocks = Vec::with_capacity(found.len());
    let mut ticket = None;
    for (row, tier, clock) in found {
        if let Some(clock) = clock {
            clocks.push(with_policy(conn, policies, clock)?);
        }
        ticket = Some((row, tier));
    }
    Ok(ticket.map(|(row, tier)| row.into_ticket(&tier, clocks)))
}

pub(super) fn with_policy(
    conn: &mut PgConnection,
    policies: &PolicyCache,
    clock: ClockRow,
) -> QueryResult<ClockWithPolicy> {
    let policy = policies.get(conn, clock.policy_version_id)?;
    Ok((clock, policy))
}

/// Whether there is such a ticket, and it is not deleted.
pub(super) fn is_there(conn: &mut PgConnection, id: TicketId) -> QueryResult<bool> {
    let there = tickets::table.filter(tickets::id.eq(id.uuid()).and(tickets::deleted_at.is_null()));
    diesel::select(exists(there)).get_result(conn)
}

type TimelineEntry =
    (Uuid, OffsetDateTime, Option<Uuid>, Option<String>, String, serde_json::Value, serde_json::Value, Uuid);

pub(super) fn timeline(
    conn: &mut PgConnection,
    id: TicketId,
    page: Page,
) -> QueryResult<Option<Paged<TimelineRow>>> {
    if !is_there(conn, id)? {
        return Ok(None);
    }
    let of_ticket = || ticket_timeline::table.filter(ticket_timeline::ticket_id.eq(id.uuid()));
    let total = total(page, || of_ticket().count().get_result(conn))?;
    let mut query = of_ticket().left_join(users::table).into_boxed();
    if let Some(last) = behind_time(page)? {
        query = query.filter(beyond((ticket_timeline::at, ticket_timeline::id), Direction::Up, last));
    }
    let rows: Vec<TimelineEntry> = query
        .order((ticket_timeline::at.asc(), ticket_timeline::id.asc()))
        .limit(page.reach())
        .offset(page.offset())
        .select((
            ticket_timeline::id,
            ticket_timeline::at,
            ticket_timeline::actor_id,
            users::email.nullable(),
            ticket_timeline::action,
            ticket_timeline::before,
            ticket_timeline::after,
            ticket_timeline::event_id,
        ))
        .load(conn)?;
    let rows = rows.into_iter().map(timeline_row).collect();
    Ok(Some(Paged::of(page, total, rows, |row: &TimelineRow| Position::at(row.at, row.id))))
}

/// What can mean something to a clock.
pub(super) fn history(conn: &mut PgConnection, id: TicketId, limit: u32) -> QueryResult<Vec<TimelineRow>> {
    const ACTIONS: [&str; 7] =
        ["STATUS_CHANGED", "COMMENTED", "DELETED", "RESTORED", "SLA_WARNED", "SLA_BREACHED", "SLA_ESCALATED"];
    let rows: Vec<TimelineEntry> = ticket_timeline::table
        .filter(ticket_timeline::ticket_id.eq(id.uuid()).and(ticket_timeline::action.eq_any(ACTIONS)))
        .left_join(users::table)
        .order((ticket_timeline::at.asc(), ticket_timeline::id.asc()))
        .limit(i64::from(limit))
        .select((
            ticket_timeline::id,
            ticket_timeline::at,
            ticket_timeline::actor_id,
            users::email.nullable(),
            ticket_timeline::action,
            ticket_timeline::before,
            ticket_timeline::after,
            ticket_timeline::event_id,
        ))
        .load(conn)?;
    Ok(rows.into_iter().map(timeline_row).collect())
}

fn timeline_row((id, at, actor, email, action, before, after, event): TimelineEntry) -> TimelineRow {
    let actor = match actor {
        Some(id) => TimelineActor::User { id: UserId::new(id), email },
        None => TimelineActor::System,
    };
    TimelineRow { id, at, actor, action, before, after, event: EventId::new(event) }
}
