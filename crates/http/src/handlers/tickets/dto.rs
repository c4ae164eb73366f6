//! How a ticket looks.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};
use serde::Serialize;
use techsupport_application::{AppError, wire_time};
use techsupport_domain::{
    sla::Clock,
    ticket::{Status, Ticket},
};
use time::OffsetDateTime;

use crate::reply::Reply;
use utoipa::ToSchema;

use crate::openapi::{samples, terms};

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Ticket)]
pub(super) struct TicketDto {
    #[schema(required, schema_with = terms::id)]
    id: String,
    #[schema(required, schema_with = terms::ticket_number)]
    number: String,
    #[schema(required, schema_with = terms::stored_title)]
    title: String,
    #[schema(required, schema_with = terms::stored_description)]
    description: String,
    #[schema(required, schema_with = terms::status)]
    status: &'static str,
    #[schema(required, schema_with = terms::priority)]
    priority: u8,
    #[schema(required, schema_with = terms::client_id)]
    client_id: String,
    #[schema(required, schema_with = terms::or_null::agent_id)]
    agent_id: Option<String>,
    #[schema(required, schema_with = terms::escalation_level)]
    escalation_level: u8,
    #[schema(required, schema_with = terms::tags)]
    tags: Vec<String>,
    #[serde(serialize_with = "wire_time::serialize")]
    #[schema(required, schema_with = terms::moment)]
    created_at: OffsetDateTime,
    #[serde(serialize_with = "wire_time::serialize")]
    #[schema(required, schema_with = terms::moment)]
    updated_at: OffsetDateTime,
    #[serde(serialize_with = "wire_time::option::serialize")]
    #[schema(required, schema_with = terms::or_null::moment)]
    resolved_at: Option<OffsetDateTime>,
    #[schema(required, schema_with = terms::or_null::minutes)]
    resolution_time_min: Option<i64>,
    sla: Vec<ClockDto>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Clock)]
struct ClockDto {
    #[schema(required, schema_with = terms::metric)]
    metric: &'static str,
    #[schema(required, schema_with = terms::clock_state)]
    state: &'static str,
    #[serde(serialize_with = "wire_time::serialize")]
    #[schema(required, schema_with = terms::moment)]
    due_at: OffsetDateTime,
    #[serde(serialize_with = "wire_time::serialize")]
    #[schema(required, schema_with = terms::moment)]
    started_at: OffsetDateTime,
    #[serde(serialize_with = "wire_time::option::serialize")]
    #[schema(required, schema_with = terms::or_null::moment)]
    stopped_at: Option<OffsetDateTime>,
    #[schema(required, schema_with = terms::minutes)]
    target_minutes: u32,
}

impl From<&Clock> for ClockDto {
    fn from(clock: &Clock) -> Self {
        Self {
            metric: clock.metric.name(),
            state: clock.state().name(),
            due_at: clock.due_at,
            started_at: clock.started_at,
            stopped_at: clock.stopped_at(),
            target_minutes: clock.terms.target.get(),
        }
    }
}

impl From<Ticket> for TicketDto {
    fn from(ticket: Ticket) -> Self {
        Self {
            id: ticket.id.to_string(),
            number: ticket.number.to_string(),
            title: ticket.title.to_string(),
            description: ticket.description.to_string(),
            status: ticket.status.name(),
            priority: ticket.priority.get(),
            client_id: ticket.client.to_string(),
            agent_id: ticket.agent.map(|agent| agent.to_string()),
            escalation_level: ticket.level.get(),
            tags: ticket.tags.iter().map(str::to_owned).collect(),
            created_at: ticket.created_at,
            updated_at: ticket.updated_at,
            resolved_at: ticket.resolved_at,
            resolution_time_min: ticket.resolution_minutes(),
            sla: ticket.clocks.iter().map(ClockDto::from).collect(),
        }
    }
}

/// An answer that carries one ticket, with its version as a strong `ETag`.
pub(super) fn answer(ticket: Ticket) -> HttpResponse {
    HttpResponse::Ok().insert_header(etag(&ticket)).json(TicketDto::from(ticket))
}

/// The same answer to a POST.
pub(super) fn changed(ticket: Ticket) -> Result<Reply, AppError> {
    let (name, etag) = etag(&ticket);
    Ok(Reply::json(StatusCode::OK, &TicketDto::from(ticket))?.with(&name, &etag))
}

/// The answer to its creation.
pub(super) fn created(ticket: Ticket) -> Result<Reply, AppError> {
    let (location, (name, etag)) = (format!("/api/tickets/{}", ticket.id), etag(&ticket));
    Ok(Reply::created(&location, &TicketDto::from(ticket))?.with(&name, &etag))
}

fn etag(ticket: &Ticket) -> (header::HeaderName, String) {
    (header::ETAG, format!("\"{}\"", opaque(ticket.version)))
}

/// What a version is called in entity tags.
pub(super) fn opaque(version: i64) -> String {
    version.to_string()
}

/// The answer to somebody who has the ticket already.
pub(super) fn known(ticket: &Ticket) -> HttpResponse {
    HttpResponse::NotModified().insert_header(etag(ticket)).finish()
}

/// A new ticket, for the documentation.
pub(super) fn sample() -> Option<TicketDto> {
    samples::ticket().map(TicketDto::from)
}

/// The same after a step.
pub(super) fn sample_in(status: Status) -> Option<TicketDto> {
    samples::ticket_in(status).map(TicketDto::from)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use techsupport_domain::{
        ClientId, ClientTier, PolicyVersionId, TicketId,
        sla::default_policy,
        text::{Description, Title},
        ticket::{NewTicket, Priority, Status, Tags, TicketNumber},
    };
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;

    fn sample() -> Ticket {
        let new = NewTicket {
            id: TicketId::new(Uuid::from_u128(1)),
            number: TicketNumber::new(42),
            title: Title::parse("Printer on fire").unwrap(),
            description: Description::parse("It burns \u{1f525}").unwrap(),
            priority: Priority::default(),
            tags: Tags::parse(["printer", "fire"]).unwrap(),
            client: ClientId::new(Uuid::from_u128(2)),
            tier: ClientTier::Vip,
            policy: default_policy(PolicyVersionId::new(Uuid::from_u128(3)), ClientTier::Vip),
        };
        Ticket::open(new, datetime!(2026-02-12 20:45:23.123_456 UTC)).state
    }

    #[test]
    fn a_new_ticket_looks_like_this() {
        insta::assert_json_snapshot!("new_ticket", TicketDto::from(sample()));
    }

    #[test]
    fn a_resolved_ticket_looks_like_this() {
        let moved =
            sample().transition(Status::InProgress, datetime!(2026-02-12 20:50:00 UTC)).unwrap().state;
        let resolved =
            moved.transition(Status::Resolved, datetime!(2026-02-12 21:45:53.2 UTC)).unwrap().state;
        insta::assert_json_snapshot!("resolved_ticket", TicketDto::from(resolved));
    }
}
