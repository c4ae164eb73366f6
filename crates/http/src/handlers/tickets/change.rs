//! Moving, assigning, deleting and restoring a ticket.

use actix_web::HttpResponse;
use garde::Validate;
use serde::Deserialize;
use serde_json::json;
use techsupport_application::{
    AppError,
    tickets::{self, AssignTicket, ChangeStatus, DeleteTicket, Remark, RestoreTicket},
};
use techsupport_domain::{
    AgentId, TicketId,
    ticket::{Status, Visibility},
};
use utoipa::ToSchema;

use super::{condition, dto};
use crate::{
    handlers::rules,
    inbound::{Inbound, Member, OnceAnswer, nullable, optional, required},
    openapi::{Operation, Tag, samples, terms},
    problem::{InputError, Kind, Place, Problem},
    routes::Answer,
};

#[derive(Deserialize, Validate, Default, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schema(as = StatusChange)]
struct StatusBody {
    #[garde(custom(required(Status::parse)))]
    #[schema(required, schema_with = terms::status)]
    status: Member<String>,
    #[garde(custom(optional(rules::comment)))]
    #[schema(schema_with = terms::or_null::comment_body)]
    comment: Member<String>,
    /// For whom the comment is meant.
    #[garde(custom(optional(Visibility::parse)))]
    #[schema(schema_with = terms::or_null::visibility)]
    visibility: Member<String>,
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
    let visibility = body.visibility.take_optional(Visibility::parse)?;
    let comment = match (body.comment.take_optional(rules::comment)?, visibility) {
        (Some(comment), visibility) => {
            Some(Remark { body: comment, visibility: visibility.unwrap_or_default() })
        }
        (None, Some(_)) => {
            return Err(Problem::invalid(vec![InputError {
                place: Place::Pointer("/visibility".to_owned()),
                detail: "needs a comment".to_owned(),
            }]));
        }
        (None, None) => None,
    };
    let command = ChangeStatus {
        ticket: inbound.id(TicketId::new)?,
        expected: condition::expected(&inbound)?,
        to: body.status.take(Status::parse)?,
        comment,
    };
    Ok(dto::answer(inbound.run(move |ctx| tickets::change_status(ctx, &command)).await?))
}

/// `PATCH /api/tickets/{id}/assign`
pub(crate) async fn assign(mut inbound: Inbound) -> Answer {
    let body: AssignBody = inbound.json().await?;
    let agent = body.agent_id.take_optional(rules::id)?.map(AgentId::new);
    let expected = condition::expected(&inbound)?;
    let command = AssignTicket { ticket: inbound.id(TicketId::new)?, expected, agent };
    Ok(dto::answer(inbound.run(move |ctx| tickets::assign_ticket(ctx, &command)).await?))
}

/// `DELETE /api/tickets/{id}`
pub(crate) async fn delete(inbound: Inbound) -> Answer {
    let expected = condition::expected(&inbound)?;
    let command = DeleteTicket { ticket: inbound.id(TicketId::new)?, expected };
    inbound.run(move |ctx| tickets::delete_ticket(ctx, &command)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /api/tickets/{id}/restore`
pub(crate) async fn restore(mut inbound: Inbound) -> Result<OnceAnswer, Problem> {
    inbound.no_body().await?;
    let expected = condition::expected(&inbound)?;
    let command = RestoreTicket { ticket: inbound.id(TicketId::new)?, expected };
    inbound.run_once(move |ctx| tickets::restore_ticket(ctx, &command), dto::changed).await
}

pub(crate) fn change_status_docs() -> Operation {
    Operation::new("changeTicketStatus", Tag::Tickets, "Move a ticket")
        .about(
            "From OPEN to IN_PROGRESS or ESCALATED; from IN_PROGRESS to WAITING, RESOLVED or ESCALATED; from WAITING to \
             IN_PROGRESS or RESOLVED; from ESCALATED to IN_PROGRESS, RESOLVED or one level higher; from RESOLVED to CLOSED \
             or, reopened, to IN_PROGRESS. CLOSED is final. A comment is added after the move, and neither without the \
             other.",
        )
        .takes::<StatusBody>(json!({"status": "IN_PROGRESS", "comment": "We are on our way."}))
        .also(json!({
            "if": {"required": ["visibility"], "properties": {"visibility": {"type": "string"}}},
            "then": {"required": ["comment"], "properties": {"comment": {"type": "string"}}}
        }))
        .answers(200, "The ticket as it is now.", dto::sample_in(Status::InProgress))
        .with_etag()
        .if_match()
        .refuses(Kind::IllegalTransition)
}

pub(crate) fn assign_docs() -> Operation {
    Operation::new("assignTicket", Tag::Tickets, "Give a ticket to an agent")
        .about("Null takes the agent away. An escalated ticket needs an agent of level 2 or higher.")
        .takes::<AssignBody>(json!({"agentId": samples::id(3)}))
        .answers(200, "The ticket as it is now.", dto::sample())
        .with_etag()
        .if_match()
        .refuses(Kind::AgentLevelTooLow)
        .refuses(Kind::NotAssignable)
        .refuses_with(AppError::unprocessable("/agentId", "there is no such agent"))
}

pub(crate) fn delete_docs() -> Operation {
    Operation::new("deleteTicket", Tag::Tickets, "Delete a ticket")
        .about("It is gone from lists, reports and deadlines, and can be brought back.")
        .empty(204, "Deleted.")
        .if_match()
}

pub(crate) fn restore_docs() -> Operation {
    Operation::new("restoreTicket", Tag::Tickets, "Bring a deleted ticket back")
        .about(
            "Its clocks stood still while it was away, and go on from there under the SLA policy in force now. A ticket that \
             was not deleted is answered as it is. A body is not needed, and may be nothing but `{}`.",
        )
        .takes_nothing()
        .answers(200, "The ticket as it is now.", dto::sample())
        .with_etag()
        .if_match()
}
