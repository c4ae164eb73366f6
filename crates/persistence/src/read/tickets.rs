//! Tickets and their history.

use std::collections::HashMap;

use diesel::{dsl::exists, pg::Pg, prelude::*};
use techsupport_application::{
    Page, Paged, Position, SortKey,
    ports::{AgentIs, TicketFilter, TicketOrder, TimelineActor, TimelineRow},
};
use techsupport_domain::{EventId, TicketId, UserId, ticket::Ticket};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    behind_time,
    beyond::{Direction, beyond},
    foreign, total,
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

pub(super) fn page(
    conn: &mut PgConnection,
    policies: &PolicyCache,
    filter: &TicketFilter,
    page: Page,
) -> QueryResult<Paged<Result<Ticket, Corrupt>>> {
    let total = total(page, || wanted(filter).count().get_result(conn))?;
    let query = from_there_on(wanted(filter), filter.order, page)?;
    let rows: Vec<TicketRow> = match filter.order {
        TicketOrder::CreatedDesc => query.order((tickets::created_at.desc(), tickets::id.desc())),
        TicketOrder::CreatedAsc => query.order((tickets::created_at.asc(), tickets::id.asc())),
        TicketOrder::PriorityAsc => query.order((tickets::priority.asc(), tickets::id.asc())),
        TicketOrder::PriorityDesc => query.order((tickets::priority.desc(), tickets::id.desc())),
    }
    .limit(page.reach())
    .offset(page.offset())
    .select(TicketRow::as_select())
    .load(conn)?;
    let Paged { rows, next, .. } = Paged::of(page, total, rows, |row| place_of(row, filter.order));
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let tiers: HashMap<Uuid, String> = tickets::table
        .inner_join(clients::table)
        .filter(tickets::id.eq_any(&ids))
        .select((tickets::id, clients::tier))
        .load(conn)?
        .into_iter()
        .collect();
    let found: Vec<ClockRow> = sla_clocks::table
        .filter(sla_clocks::ticket_id.eq_any(&ids))
        .select(ClockRow::as_select())
        .load(conn)?;
    let mut clocks: HashMap<Uuid, Vec<ClockWithPolicy>> = HashMap::with_capacity(ids.len());
    for clock in found {
        clocks.entry(clock.ticket_id).or_default().push(with_policy(conn, policies, clock)?);
    }
    let tickets = rows
        .into_iter()
        .map(|row| {
            let clocks = clocks.remove(&row.id).unwrap_or_default();
            let tier = tiers.get(&row.id).map(String::as_str).unwrap_or_default();
            row.into_ticket(tier, clocks)
        })
        .collect();
    Ok(Paged { rows: tickets, total, next })
}

/// Where a ticket stands in the list.
fn place_of(row: &TicketRow, order: TicketOrder) -> Position {
    let key = match order {
        TicketOrder::CreatedDesc | TicketOrder::CreatedAsc => SortKey::Time(row.created_at),
        TicketOrder::PriorityAsc | TicketOrder::PriorityDesc => SortKey::Number(i64::from(row.priority)),
    };
    Position { key, id: row.id }
}

/// Only what a walk has not seen yet.
fn from_there_on(
    query: tickets::BoxedQuery<'_, Pg>,
    order: TicketOrder,
    page: Page,
) -> QueryResult<tickets::BoxedQuery<'_, Pg>> {
    let by_age = (tickets::created_at, tickets::id);
    let by_priority = (tickets::priority, tickets::id);
    let Some(position) = page.position() else { return Ok(query) };
    let priority = || match position.key {
        SortKey::Number(number) => i16::try_from(number).map_err(|_| foreign(position)),
        SortKey::Time(_) | SortKey::Rank(_) | SortKey::Nothing => Err(foreign(position)),
    };
    Ok(match order {
        TicketOrder::CreatedDesc | TicketOrder::CreatedAsc => {
            let direction = if order == TicketOrder::CreatedAsc { Direction::Up } else { Direction::Down };
            match behind_time(page)? {
                Some(last) => query.filter(beyond(by_age, direction, last)),
                None => query,
            }
        }
        TicketOrder::PriorityAsc => {
            query.filter(beyond(by_priority, Direction::Up, (priority()?, position.id)))
        }
        TicketOrder::PriorityDesc => {
            query.filter(beyond(by_priority, Direction::Down, (priority()?, position.id)))
        }
    })
}

fn wanted(filter: &TicketFilter) -> tickets::BoxedQuery<'_, Pg> {
    let mut query = tickets::table.filter(tickets::deleted_at.is_null()).into_boxed();
    if !filter.statuses.is_empty() {
        let names: Vec<&str> = filter.statuses.iter().map(|status| status.name()).collect();
        query = query.filter(tickets::status.eq_any(names));
    }
    if let Some(priority) = filter.priority {
        query = query.filter(tickets::priority.eq(i16::from(priority.get())));
    }
    if let Some(client) = filter.client {
        query = query.filter(tickets::client_id.eq(client.uuid()));
    }
    match filter.agent {
        Some(AgentIs::Nobody) => query = query.filter(tickets::agent_id.is_null()),
        Some(AgentIs::Agent(agent)) => query = query.filter(tickets::agent_id.eq(agent.uuid())),
        None => {}
    }
    if let Some(from) = filter.from {
        query = query.filter(tickets::created_at.ge(from));
    }
    if let Some(to) = filter.to {
        query = query.filter(tickets::created_at.le(to));
    }
    if let Some(since) = filter.updated_since {
        query = query.filter(tickets::updated_at.ge(since));
    }
    if let Some(state) = filter.sla_state {
        query = query.filter(exists(
            sla_clocks::table
                .filter(sla_clocks::ticket_id.eq(tickets::id).and(sla_clocks::state.eq(state.name())))
                .select(sla_clocks::ticket_id),
        ));
    }
    query
}

fn with_policy(
    conn: &mut PgConnection,
    policies: &PolicyCache,
    clock: ClockRow,
) -> QueryResult<ClockWithPolicy> {
    let policy = policies.get(conn, clock.policy_version_id)?;
    Ok((clock, policy))
}

type TimelineEntry =
    (Uuid, OffsetDateTime, Option<Uuid>, Option<String>, String, serde_json::Value, serde_json::Value, Uuid);

pub(super) fn timeline(
    conn: &mut PgConnection,
    id: TicketId,
    page: Page,
) -> QueryResult<Option<Paged<TimelineRow>>> {
    let there = tickets::table.filter(tickets::id.eq(id.uuid()).and(tickets::deleted_at.is_null()));
    if !diesel::select(exists(there)).get_result::<bool>(conn)? {
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

fn timeline_row((id, at, actor, email, action, before, after, event): TimelineEntry) -> TimelineRow {
    let actor = match actor {
        Some(id) => TimelineActor::User { id: UserId::new(id), email },
        None => TimelineActor::System,
    };
    TimelineRow { id, at, actor, action, before, after, event: EventId::new(event) }
}
