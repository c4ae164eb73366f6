//! Moving, assigning and deleting a ticket.

use actix_web::HttpResponse;
use garde::Validate;
use serde::Deserialize;
use techsupport_application::tickets::{self, AssignTicket, ChangeStatus, DeleteTicket};
use techsupport_domain::{AgentId, TicketId, ticket::Status};

use super::dto;
use crate::{
    handlers::rules,
    inbound::{Inbound, Member, nullable, required},
    routes::Answer,
};

#[derive(Deserialize, Validate, Default)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct StatusBody {
    #[garde(custom(required(Status::parse)))]
    status: Member<String>,
}

#[derive(Deserialize, Validate, Default)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct AssignBody {
    #[garde(custom(nullable(rules::id)))]
    agent_id: Member<String>,
    /// Clients of the original service send it. It is never looked at: the level is read from the agent.
    #[garde(skip)]
    #[serde(rename = "agentLevel")]
    _agent_level: serde::de::IgnoredAny,
}

/// `PATCH /api/tickets/{id}/status`
pub(crate) async fn change_status(mut inbound: Inbound) -> Answer {
    let body: StatusBody = inbound.json().await?;
    let command = ChangeStatus { ticket: inbound.id(TicketId::new)?, to: body.status.take(Status::parse)? };
    Ok(dto::answer(inbound.run(move |ctx| tickets::change_status(ctx, &command)).await?))
}

/// `PATCH /api/tickets/{id}/assign`
pub(crate) async fn assign(mut inbound: Inbound) -> Answer {
    let body: AssignBody = inbound.json().await?;
    let agent = body.agent_id.take_optional(rules::id)?.map(AgentId::new);
    let command = AssignTicket { ticket: inbound.id(TicketId::new)?, agent };
    Ok(dto::answer(inbound.run(move |ctx| tickets::assign_ticket(ctx, &command)).await?))
}

/// `DELETE /api/tickets/{id}`
pub(crate) async fn delete(inbound: Inbound) -> Answer {
    let command = DeleteTicket { ticket: inbound.id(TicketId::new)? };
    inbound.run(move |ctx| tickets::delete_ticket(ctx, &command)).await?;
    Ok(HttpResponse::NoContent().finish())
}
