//! Everything that ever happened to a ticket.

use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use techsupport_application::{
    SortedBy,
    ports::{TimelineActor, TimelineRow},
    tickets, wire_time,
};
use techsupport_domain::TicketId;
use time::OffsetDateTime;

use crate::{
    handlers::{list::List, rules},
    inbound::{Inbound, Member, Parameters, optional},
    routes::Answer,
};

#[derive(Deserialize, Validate, Default)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct TimelineQuery {
    #[garde(custom(optional(rules::page_number)))]
    page: Member<String>,
    #[garde(custom(optional(rules::page_size)))]
    page_size: Member<String>,
    #[garde(custom(optional(rules::cursor)))]
    cursor: Member<String>,
}

impl Parameters for TimelineQuery {}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryDto {
    id: String,
    #[serde(serialize_with = "wire_time::serialize")]
    at: OffsetDateTime,
    actor: ActorDto,
    action: String,
    before: Value,
    after: Value,
    event_id: String,
}

#[derive(Debug, Serialize)]
struct ActorDto {
    kind: &'static str,
    id: Option<String>,
    email: Option<String>,
}

impl From<TimelineRow> for EntryDto {
    fn from(row: TimelineRow) -> Self {
        let actor = match row.actor {
            TimelineActor::System => ActorDto { kind: "SYSTEM", id: None, email: None },
            TimelineActor::User { id, email } => ActorDto { kind: "USER", id: Some(id.to_string()), email },
        };
        Self {
            id: row.id.to_string(),
            at: row.at,
            actor,
            action: row.action,
            before: row.before,
            after: row.after,
            event_id: row.event.to_string(),
        }
    }
}

/// `GET /api/tickets/{id}/timeline`
pub(crate) async fn timeline(inbound: Inbound) -> Answer {
    let query: TimelineQuery = inbound.query()?;
    let list = List::asked(&inbound, &query.page, &query.page_size, &query.cursor, SortedBy::Time)?;
    let id = inbound.id(TicketId::new)?;
    let paged = inbound.run(move |ctx| tickets::ticket_timeline(ctx, id, list.page)).await?;
    Ok(list.answer(paged, EntryDto::from))
}
