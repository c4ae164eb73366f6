//! Finding tickets. How the indexes and these queries belong together is told in ADR 009.

use std::collections::HashMap;

use diesel::{
    dsl::{exists, sql},
    pg::Pg,
    prelude::*,
    sql_types::{BigInt, Bool, Text},
};
use techsupport_application::{
    Page, Paged,
    ports::{AgentIs, TicketFilter, TicketOrder},
};
use techsupport_domain::{
    sla::ClockState,
    ticket::{Status, Ticket},
};
use uuid::Uuid;

use super::{ticket_order::Sorted, tickets::with_policy, words::Words};
use crate::{
    policies::PolicyCache,
    rows::{ClockRow, ClockWithPolicy, Corrupt, TicketRow},
    schema::{clients, sla_clocks, ticket_timeline, tickets},
};

/// Tickets that fulfil conditions.
pub(super) type Wanted<'a> = tickets::BoxedQuery<'a, Pg>;

pub(super) fn page(
    conn: &mut PgConnection,
    policies: &PolicyCache,
    filter: &TicketFilter,
    page: Page,
) -> QueryResult<Paged<Result<Ticket, Corrupt>>> {
    let words = match filter.words.as_deref().map(Words::of) {
        Some(None) => return Ok(Paged { rows: Vec::new(), total: page.number().map(|_| 0), next: None }),
        Some(Some(words)) => Some(words),
        None => None,
    };
    let wanted = || wanted(filter, words.as_ref());
    let total = match page.number() {
        Some(_) if filter.is_for_all() => Some(tally(conn)?),
        Some(_) => Some(wanted().count().get_result(conn)?),
        None => None,
    };
    let sorted =
        Sorted { order: filter.order, words: words.as_ref(), page, looks_up_first: few_pass(filter) };
    let rows = sorted.rows(conn, &wanted)?;
    let Paged { rows, next, .. } = Paged::of(page, total, rows, |(_, position)| *position);
    let rows = complete(conn, policies, rows.into_iter().map(|(row, _)| row).collect())?;
    Ok(Paged { rows, total, next })
}

/// How many tickets there are, without counting them: the database keeps a tally.
fn tally(conn: &mut PgConnection) -> QueryResult<i64> {
    diesel::select(sql::<BigInt>("(SELECT coalesce(sum(live), 0)::bigint FROM ticket_tally)"))
        .get_result(conn)
}

/// Adds tiers and clocks.
fn complete(
    conn: &mut PgConnection,
    policies: &PolicyCache,
    rows: Vec<TicketRow>,
) -> QueryResult<Vec<Result<Ticket, Corrupt>>> {
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
    let tickets = rows.into_iter().map(|row| {
        let clocks = clocks.remove(&row.id).unwrap_or_default();
        let tier = tiers.get(&row.id).map(String::as_str).unwrap_or_default();
        row.into_ticket(tier, clocks)
    });
    Ok(tickets.collect())
}

fn wanted<'a>(filter: &'a TicketFilter, words: Option<&'a Words>) -> Wanted<'a> {
    let mut query = tickets::table.filter(tickets::deleted_at.is_null()).into_boxed();
    if !filter.statuses.is_empty() {
        query = with_status(query, &filter.statuses);
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
    if let Some(tag) = &filter.tag {
        query = query.filter(tickets::tags.contains(vec![tag.as_str()]));
    }
    if let Some(from) = filter.from {
        query = query.filter(tickets::created_at.ge(from));
    }
    if let Some(to) = filter.to {
        query = query.filter(tickets::created_at.le(to));
    }
    if let Some(since) = filter.updated_since {
        // The timeline has an index on its time, and a row for every change; the ticket has the last word.
        let changed =
            ticket_timeline::table.filter(ticket_timeline::at.ge(since)).select(ticket_timeline::ticket_id);
        query = query.filter(tickets::id.eq_any(changed)).filter(tickets::updated_at.ge(since));
    }
    if let Some(state) = filter.sla_state {
        query = query.filter(exists(
            sla_clocks::table
                .filter(sla_clocks::ticket_id.eq(tickets::id).and(sla_clocks::state.eq(state.name())))
                .select(sla_clocks::ticket_id),
        ));
    }
    if let Some(words) = words {
        let matches =
            sql::<Bool>("tickets.words @@ to_tsquery('ticket_words', ").bind::<Text, _>(&words.query);
        query = query.filter(matches.sql(")"));
        for literal in &words.literals {
            query = query.filter(tickets::title.ilike(literal).or(tickets::description.ilike(literal)));
        }
    }
    query
}

/// Whether the tickets are to be looked up by what is asked for, and sorted then. Otherwise PostgreSQL decides, and
/// where it takes few tickets for many it would rather go through the whole table in the order that is wanted,
/// waiting for matches that never come. It has no idea of how common the beginnings of words are, nor that open
/// tickets are the ones with deadlines, nor how seldom a tag is that it has not heard of.
fn few_pass(filter: &TicketFilter) -> bool {
    let by_content = filter.words.is_some() || filter.tag.is_some();
    let being_worked_on =
        !filter.statuses.is_empty() && filter.statuses.iter().all(|status| !status.is_answered());
    let unsettled = filter.sla_state.is_some_and(|state| state != ClockState::Met);
    match filter.order {
        // There is an index by phase and age.
        TicketOrder::CreatedAsc | TicketOrder::CreatedDesc => by_content,
        TicketOrder::PriorityAsc
        | TicketOrder::PriorityDesc
        | TicketOrder::DueAsc
        | TicketOrder::DueDesc
        | TicketOrder::Relevance => {
            by_content || being_worked_on || unsettled || filter.updated_since.is_some()
        }
    }
}

/// By phase first: `status` itself has no index, so that changing it is cheap, and few tickets are being worked on.
fn with_status<'a>(query: Wanted<'a>, statuses: &[Status]) -> Wanted<'a> {
    let mut phases: Vec<i16> = statuses.iter().copied().map(phase).collect();
    phases.sort_unstable();
    phases.dedup();
    let in_phases = Status::ALL.into_iter().filter(|status| phases.contains(&phase(*status)));
    let whole = in_phases.into_iter().all(|status| statuses.contains(&status));
    let query = match phases.as_slice() {
        [only] => query.filter(tickets::phase.eq(*only)),
        _ => query.filter(tickets::phase.eq_any(phases)),
    };
    if whole {
        return query;
    }
    let names: Vec<&str> = statuses.iter().map(|status| status.name()).collect();
    query.filter(tickets::status.eq_any(names))
}

/// As the database computes the column.
const fn phase(status: Status) -> i16 {
    match status {
        Status::Open | Status::InProgress | Status::Waiting | Status::Escalated => 0,
        Status::Resolved => 1,
        Status::Closed => 2,
    }
}
