//! Finding tickets.

use garde::Validate;
use serde::Deserialize;
use techsupport_application::{
    ports::{AgentIs, TicketFilter, TicketOrder},
    tickets,
};
use techsupport_domain::{
    AgentId, ClientId, UnknownName,
    sla::ClockState,
    ticket::{self, Priority, PriorityError, Status},
};
use utoipa::ToSchema;

use super::dto::{self, TicketDto};
use crate::{
    handlers::{list::List, rules},
    inbound::{Inbound, Member, Parameters, optional},
    openapi::{Operation, Tag, terms},
    routes::Answer,
};

#[derive(Deserialize, Validate, Default, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct TicketQuery {
    #[garde(custom(optional(statuses)))]
    #[schema(schema_with = terms::statuses)]
    status: Member<Vec<String>>,
    #[garde(custom(optional(urgency)))]
    #[schema(schema_with = terms::priority)]
    priority: Member<String>,
    #[garde(custom(optional(rules::id)))]
    #[schema(schema_with = terms::client_id)]
    client_id: Member<String>,
    #[garde(custom(optional(agent_is)))]
    #[schema(schema_with = terms::agent_or_none)]
    agent_id: Member<String>,
    #[garde(custom(optional(one_tag)))]
    #[schema(schema_with = terms::one_tag)]
    tag: Member<String>,
    #[garde(custom(optional(rules::moment_from)))]
    #[schema(schema_with = terms::since)]
    from: Member<String>,
    #[garde(custom(optional(rules::moment_to)))]
    #[schema(schema_with = terms::until)]
    to: Member<String>,
    #[garde(custom(optional(rules::moment_from)))]
    #[schema(schema_with = terms::since)]
    updated_since: Member<String>,
    #[garde(custom(optional(ClockState::parse)))]
    #[schema(schema_with = terms::clock_state)]
    sla_state: Member<String>,
    #[garde(custom(optional(rules::search)))]
    #[schema(schema_with = terms::words)]
    q: Member<String>,
    #[garde(custom(optional(order)))]
    #[schema(schema_with = terms::ticket_order)]
    sort: Member<String>,
    #[garde(custom(optional(rules::page_number)))]
    #[schema(schema_with = terms::page)]
    page: Member<String>,
    #[garde(custom(optional(rules::page_size)))]
    #[schema(schema_with = terms::page_size)]
    page_size: Member<String>,
    #[garde(custom(optional(rules::cursor)))]
    #[schema(schema_with = terms::cursor)]
    cursor: Member<String>,
}

impl Parameters for TicketQuery {
    const LISTS: &'static [&'static str] = &["status"];
}

fn statuses(names: &[String]) -> Result<Vec<Status>, UnknownName> {
    names.iter().map(|name| Status::parse(name)).collect()
}

fn urgency(text: &str) -> Result<Priority, PriorityError> {
    Priority::parse(rules::whole(text).unwrap_or(0))
}

fn agent_is(text: &str) -> Result<AgentIs, &'static str> {
    match text {
        "none" => Ok(AgentIs::Nobody),
        _ => rules::id(text).map(|id| AgentIs::Agent(AgentId::new(id))).map_err(|_| "must be a UUID or none"),
    }
}

fn one_tag(text: &str) -> Result<ticket::Tag, String> {
    ticket::Tag::parse(text).map_err(|_| format!("must be a tag of 1 to {} characters", ticket::Tag::MAX))
}

fn order(text: &str) -> Result<TicketOrder, &'static str> {
    match text {
        "createdAt" => Ok(TicketOrder::CreatedAsc),
        "-createdAt" => Ok(TicketOrder::CreatedDesc),
        "priority" => Ok(TicketOrder::PriorityAsc),
        "-priority" => Ok(TicketOrder::PriorityDesc),
        "dueAt" => Ok(TicketOrder::DueAsc),
        "-dueAt" => Ok(TicketOrder::DueDesc),
        _ => Err("is not one of createdAt, -createdAt, priority, -priority, dueAt, -dueAt"),
    }
}

/// `GET /api/tickets`
pub(crate) async fn list(inbound: Inbound) -> Answer {
    let query: TicketQuery = inbound.query()?;
    let words = query.q.take_optional(rules::search)?.flatten();
    // Whoever looks for words wants the best answers first, unless they say otherwise.
    let usual = if words.is_some() { TicketOrder::Relevance } else { TicketOrder::default() };
    let (from, to) = rules::in_order(
        query.from.take_optional(rules::moment_from)?,
        query.to.take_optional(rules::moment_to)?,
    )?;
    let filter = TicketFilter {
        statuses: query.status.take_optional(statuses)?.unwrap_or_default(),
        priority: query.priority.take_optional(urgency)?,
        client: query.client_id.take_optional(rules::id)?.map(ClientId::new),
        agent: query.agent_id.take_optional(agent_is)?,
        tag: query.tag.take_optional(one_tag)?,
        from,
        to,
        updated_since: query.updated_since.take_optional(rules::moment_from)?,
        sla_state: query.sla_state.take_optional(ClockState::parse)?,
        words,
        order: query.sort.take_optional(order)?.unwrap_or(usual),
    };
    let list = List::asked(&inbound, &query.page, &query.page_size, &query.cursor, filter.order.sorted_by())?;
    let paged = inbound.run(move |ctx| tickets::list_tickets(ctx, &filter, list.page)).await?;
    Ok(list.answer(paged, TicketDto::from))
}

pub(crate) fn list_docs() -> Operation {
    Operation::new("listTickets", Tag::Tickets, "Find tickets")
        .about(
            "Newest first unless `sort` says otherwise; with `q`, the best answers first, where a word in the title counts \
             more than one in the description. `dueAt` sorts by the earliest deadline of each ticket that is still to be \
             met, be it past already; tickets without one come last in both directions. `from` and `to` are about `createdAt` and inclusive; a bare date is \
             its whole day in UTC.",
        )
        .asks::<TicketQuery>()
        .lists(dto::sample())
        .leads_to("first", "showTicket", "id", "$response.body#/data/0/id")
}
