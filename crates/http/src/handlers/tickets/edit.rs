//! Changing what a ticket says.

use garde::Validate;
use serde::Deserialize;
use serde_json::json;
use techsupport_application::tickets::{self, EditTicket};
use techsupport_domain::TicketId;
use utoipa::ToSchema;

use super::{condition, dto};
use crate::{
    handlers::rules,
    inbound::{Inbound, Member, given},
    openapi::{Operation, Tag, terms},
    routes::Answer,
};

#[derive(Deserialize, Validate, Default, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schema(as = TicketEdit, min_properties = 1)]
struct EditBody {
    #[garde(custom(given(rules::title)))]
    #[schema(schema_with = terms::title)]
    title: Member<String>,
    #[garde(custom(given(rules::description)))]
    #[schema(schema_with = terms::description)]
    description: Member<String>,
    #[garde(custom(given(rules::priority)))]
    #[schema(schema_with = terms::priority)]
    priority: Member<i64>,
    #[garde(custom(given(rules::tags)))]
    #[schema(schema_with = terms::tags_given)]
    tags: Member<Vec<String>>,
}

/// `PATCH /api/tickets/{id}`
pub(crate) async fn edit(mut inbound: Inbound) -> Answer {
    let body: EditBody = inbound.json().await?;
    let command = EditTicket {
        ticket: inbound.id(TicketId::new)?,
        expected: condition::expected(&inbound)?,
        title: body.title.take_optional(rules::title)?,
        description: body.description.take_optional(rules::description)?,
        priority: body.priority.take_optional(rules::priority)?,
        tags: body.tags.take_optional(rules::tags)?,
    };
    rules::at_least_one(
        "",
        &[
            ("title", body.title.is_given()),
            ("description", body.description.is_given()),
            ("priority", body.priority.is_given()),
            ("tags", body.tags.is_given()),
        ],
    )?;
    Ok(dto::answer(inbound.run(move |ctx| tickets::edit_ticket(ctx, &command)).await?))
}

pub(crate) fn edit_docs() -> Operation {
    Operation::new("editTicket", Tag::Tickets, "Edit a ticket")
        .about(
            "What is not there stays as it is; `tags` are all of them. A new priority brings the SLA policy in force for it: \
             time used up and pauses are kept, the deadlines are computed anew, and one that has passed by the new terms \
             is breached at once. An edit that changes nothing leaves the version alone.",
        )
        .takes::<EditBody>(json!({"priority": 1, "tags": ["Printer", "fire"]}))
        .answers(200, "The ticket as it is now.", dto::sample())
        .with_etag()
        .if_match()
}
