//! Moving, assigning and deleting a ticket.

use actix_web::HttpResponse;
use garde::Validate;
use serde::Deserialize;
use serde_json::json;
use techsupport_application::{
    AppError,
    tickets::{self, AssignTicket, ChangeStatus, DeleteTicket},
};
use techsupport_domain::{AgentId, TicketId, ticket::Status};
use utoipa::ToSchema;

use super::dto;
use crate::{
    handlers::rules,
    inbound::{Inbound, Member, nullable, required},
    openapi::{Operation, Tag, samples, terms},
    problem::Kind,
    routes::Answer,
};

#[derive(Deserialize, Validate, Default, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schema(as = StatusChange)]
struct StatusBody {
    #[garde(custom(required(Status::parse)))]
    #[schema(required, schema_with = terms::status)]
    status: Member<String>,
}

#[derive(Deserialize, Validate, Default, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schema(as = Assignment)]
struct AssignBody {
    #[garde(custom(nullable(rules::id)))]
    #[schema(required, schema_with = terms::or_null::agent_id)]
    agent_id: Member<String>,
    /// Clients of the original service send it. It is never looked at: the level is read from the agent.
    #[garde(skip)]
    #[serde(rename = "agentLevel")]
    #[schema(rename = "agentLevel", schema_with = terms::ignored_agent_level)]
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

pub(crate) fn change_status_docs() -> Operation {
    Operation::new("changeTicketStatus", Tag::Tickets, "Move a ticket")
        .about(
            "From OPEN to IN_PROGRESS or ESCALATED; from IN_PROGRESS to WAITING, RESOLVED or ESCALATED; from WAITING to \
             IN_PROGRESS or RESOLVED; from ESCALATED to IN_PROGRESS, RESOLVED or one level higher; from RESOLVED to CLOSED \
             or, reopened, to IN_PROGRESS. CLOSED is final.",
        )
        .takes::<StatusBody>(json!({"status": "IN_PROGRESS"}))
        .answers(200, "The ticket as it is now.", dto::sample_in(Status::InProgress))
        .with_etag()
        .refuses(Kind::IllegalTransition)
}

pub(crate) fn assign_docs() -> Operation {
    Operation::new("assignTicket", Tag::Tickets, "Give a ticket to an agent")
        .about("Null takes the agent away. An escalated ticket needs an agent of level 2 or higher.")
        .takes::<AssignBody>(json!({"agentId": samples::id(3)}))
        .answers(200, "The ticket as it is now.", dto::sample())
        .with_etag()
        .refuses(Kind::AgentLevelTooLow)
        .refuses(Kind::NotAssignable)
        .refuses_with(AppError::unprocessable("/agentId", "there is no such agent"))
}

pub(crate) fn delete_docs() -> Operation {
    Operation::new("deleteTicket", Tag::Tickets, "Delete a ticket")
        .about("It is gone from lists, reports and deadlines, and can be brought back.")
        .empty(204, "Deleted.")
}
