//! Changing many tickets at once.

use actix_web::http::StatusCode;
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use techsupport_application::{
    AppError,
    tickets::{self, BulkItem, Wish},
};
use techsupport_domain::{
    AgentId, TicketId,
    ticket::{Status, Ticket},
};
use utoipa::ToSchema;

use super::dto::TicketDto;
use crate::{
    handlers::rules,
    inbound::{Inbound, Member, OnceAnswer, given, optional, required},
    openapi::{Operation, Tag, samples, terms},
    problem::{Place, Problem, ProblemDocument},
    reply::Reply,
};

/// Items of one request.
const MOST: usize = 100;

#[derive(Deserialize, Validate, Default, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schema(as = BulkItem, min_properties = 2)]
struct ItemBody {
    #[garde(custom(required(rules::id)))]
    #[schema(required, schema_with = terms::id)]
    id: Member<String>,
    #[garde(custom(given(Status::parse)))]
    #[schema(schema_with = terms::status)]
    status: Member<String>,
    /// Null takes the agent away.
    #[garde(custom(optional(rules::id)))]
    #[schema(schema_with = terms::or_null::agent_id)]
    agent_id: Member<String>,
}

/// What came of all of them, in the order of the request.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkResults)]
struct ResultsDto {
    #[schema(max_items = 100)]
    results: Vec<ResultDto>,
}

/// What came of one: the ticket, or why it was refused.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkResult)]
struct ResultDto {
    #[schema(required, schema_with = terms::id)]
    id: String,
    #[schema(required, schema_with = terms::http_status)]
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    ticket: Option<TicketDto>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = terms::any_problem)]
    problem: Option<Value>,
}

/// `POST /api/tickets/bulk`
pub(crate) async fn bulk(mut inbound: Inbound) -> Result<OnceAnswer, Problem> {
    let bodies: Vec<ItemBody> = inbound.json_list(MOST).await?;
    let items =
        bodies.iter().enumerate().map(|(at, body)| item(at, body)).collect::<Result<Vec<_>, Problem>>()?;
    let asked: Vec<TicketId> = items.iter().map(|item| item.ticket).collect();
    let (path, request_id) = (inbound.path().to_owned(), inbound.request_id());
    inbound
        .run_once(
            move |ctx| tickets::change_in_bulk(ctx, &items),
            move |outcomes| {
                let outcomes = asked.iter().zip(outcomes).enumerate();
                let results = outcomes
                    .map(|(at, (ticket, outcome))| result(at, *ticket, outcome, &path, &request_id))
                    .collect::<Result<_, AppError>>()?;
                Reply::json(StatusCode::OK, &ResultsDto { results })
            },
        )
        .await
}

fn item(at: usize, body: &ItemBody) -> Result<BulkItem, Problem> {
    let members = [("status", body.status.is_given()), ("agentId", body.agent_id.is_given())];
    rules::at_least_one(&format!("/{at}"), &members)?;
    let status = body.status.take_optional(Status::parse)?;
    let agent = body.agent_id.take_optional(rules::id)?.map(AgentId::new);
    let wish = match status {
        Some(to) if body.agent_id.is_given() => Wish::MoveAndAssign(to, agent),
        Some(to) => Wish::Move(to),
        None => Wish::Assign(agent),
    };
    Ok(BulkItem { ticket: TicketId::new(body.id.take(rules::id)?), wish })
}

fn result(
    at: usize,
    ticket: TicketId,
    outcome: Result<Ticket, AppError>,
    path: &str,
    request_id: &str,
) -> Result<ResultDto, AppError> {
    let id = ticket.to_string();
    match outcome {
        Ok(ticket) => Ok(ResultDto {
            id,
            status: StatusCode::OK.as_u16(),
            ticket: Some(TicketDto::from(ticket)),
            problem: None,
        }),
        Err(error) => {
            let mut problem = Problem::from(error);
            // Pointers are into the body that was sent.
            for error in &mut problem.errors {
                if let Place::Pointer(pointer) = &mut error.place {
                    *pointer = format!("/{at}{pointer}");
                }
            }
            let status = problem.kind.status().as_u16();
            let document = serde_json::to_value(ProblemDocument::new(&problem, path, request_id));
            Ok(ResultDto { id, status, ticket: None, problem: Some(document.map_err(AppError::internal)?) })
        }
    }
}

pub(crate) fn bulk_docs() -> Operation {
    let sample = || {
        let ticket = samples::ticket()?;
        let missing = AppError::NotFound(techsupport_application::Entity::Ticket);
        let (path, id) = ("/api/tickets/bulk", samples::REQUEST_ID);
        let changed = result(0, ticket.id, Ok(ticket), path, id).ok()?;
        let refused = result(1, TicketId::new(samples::id(9)), Err(missing), path, id).ok()?;
        Some(ResultsDto { results: vec![changed, refused] })
    };
    Operation::new("changeTicketsInBulk", Tag::Tickets, "Change up to 100 tickets")
        .about(
            "Moves tickets, gives them to agents (null takes the agent away), or both; the body is the list itself. Each item \
             succeeds or is refused on its own, in the order given; its `status` is the one that the call for that ticket \
             alone would have had. A ticket may appear several times. An item with both is done as a whole or not at all: \
             the agent is assigned after the move, or before a move to RESOLVED or CLOSED, where nobody can be assigned any \
             more. An item that is malformed (400) refuses the whole request, and so do a lock that somebody else holds \
             for too long (503) and a ticket that cannot be read (500): then nothing is changed.",
        )
        .takes_list::<ItemBody>(MOST, json!([{"id": samples::id(4), "status": "IN_PROGRESS", "agentId": samples::id(3)}]))
        .answers(200, "What came of each, in the order of the request.", sample())
}
