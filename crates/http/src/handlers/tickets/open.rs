//! Opening and showing a ticket.

use garde::Validate;
use serde::Deserialize;
use serde_json::json;
use techsupport_application::tickets::{self, OpenTicket};
use techsupport_domain::{ClientId, TicketId};
use utoipa::ToSchema;

use super::{condition, dto};
use crate::{
    handlers::rules,
    inbound::{Inbound, Member, OnceAnswer, optional, required},
    openapi::{Operation, Tag, samples, terms},
    problem::{Kind, Problem},
    routes::Answer,
};

#[derive(Deserialize, Validate, Default, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schema(as = NewTicket)]
struct OpenBody {
    #[garde(custom(required(rules::title)))]
    #[schema(required, schema_with = terms::title)]
    title: Member<String>,
    #[garde(custom(required(rules::description)))]
    #[schema(required, schema_with = terms::description)]
    description: Member<String>,
    #[garde(custom(required(rules::id)))]
    #[schema(required, schema_with = terms::client_id)]
    client_id: Member<String>,
    #[garde(custom(optional(rules::priority)))]
    #[schema(schema_with = terms::or_null::priority)]
    priority: Member<i64>,
    #[garde(custom(optional(rules::tags)))]
    #[schema(schema_with = terms::or_null::tags_given)]
    tags: Member<Vec<String>>,
}

/// `POST /api/tickets`
pub(crate) async fn open(mut inbound: Inbound) -> Result<OnceAnswer, Problem> {
    let body: OpenBody = inbound.json().await?;
    let command = OpenTicket {
        title: body.title.take(rules::title)?,
        description: body.description.take(rules::description)?,
        client: ClientId::new(body.client_id.take(rules::id)?),
        priority: body.priority.take_optional(rules::priority)?.unwrap_or_default(),
        tags: body.tags.take_optional(rules::tags)?.unwrap_or_default(),
    };
    inbound.run_once(move |ctx| tickets::open_ticket(ctx, &command), dto::created).await
}

/// `GET /api/tickets/{id}`
pub(crate) async fn show(inbound: Inbound) -> Answer {
    let id = inbound.id(TicketId::new)?;
    let ticket = inbound.run(move |ctx| tickets::show_ticket(ctx, id)).await?;
    Ok(if condition::is_known(&inbound, &ticket) { dto::known(&ticket) } else { dto::answer(ticket) })
}

pub(crate) fn open_docs() -> Operation {
    Operation::new("openTicket", Tag::Tickets, "Open a ticket")
        .takes::<OpenBody>(json!({
            "title": "Printer on fire", "description": "It burns, and it is not warm enough to be left alone.",
            "clientId": samples::id(2)
        }))
        .answers(201, "The new ticket.", dto::sample())
        .with_location("/api/tickets/{id}")
        .with_etag()
        .leads_to("show", "showTicket", "id", "$response.body#/id")
        .leads_to("move", "changeTicketStatus", "id", "$response.body#/id")
        .leads_to("assign", "assignTicket", "id", "$response.body#/id")
        .leads_to("edit", "editTicket", "id", "$response.body#/id")
        .leads_to("comment", "addComment", "id", "$response.body#/id")
        .leads_to("comments", "listComments", "id", "$response.body#/id")
        .leads_to("delete", "deleteTicket", "id", "$response.body#/id")
        .leads_to("deadlines", "explainDeadlines", "id", "$response.body#/id")
        .leads_to("timeline", "listTimeline", "id", "$response.body#/id")
        .refuses(Kind::UnusableReference)
}

pub(crate) fn show_docs() -> Operation {
    Operation::new("showTicket", Tag::Tickets, "Show a ticket")
        .about("With its SLA clocks. One that was deleted is not there.")
        .answers(200, "The ticket.", dto::sample())
        .with_etag()
        .empty(304, "The ticket is as it was when the caller got the `ETag` that `If-None-Match` names.")
        .with_etag()
        .if_none_match()
}
