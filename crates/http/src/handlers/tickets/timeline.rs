//! Everything that ever happened to a ticket.

use serde::Serialize;
use serde_json::{Value, json};
use techsupport_application::{
    SortedBy,
    ports::{TimelineActor, TimelineRow},
    tickets, wire_time,
};
use techsupport_domain::TicketId;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::page::PageQuery;
use crate::{
    handlers::list::List,
    inbound::Inbound,
    openapi::{Operation, Tag, samples, terms},
    routes::Answer,
};

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TimelineEntry)]
struct EntryDto {
    #[schema(required, schema_with = terms::id)]
    id: String,
    #[serde(serialize_with = "wire_time::serialize")]
    #[schema(required, schema_with = terms::moment)]
    at: OffsetDateTime,
    actor: ActorDto,
    #[schema(required, schema_with = terms::timeline_action)]
    action: String,
    #[schema(required, schema_with = terms::any_object)]
    before: Value,
    #[schema(required, schema_with = terms::any_object)]
    after: Value,
    #[schema(required, schema_with = terms::id)]
    event_id: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Actor)]
struct ActorDto {
    #[schema(required, schema_with = terms::actor_kind)]
    kind: &'static str,
    #[schema(required, schema_with = terms::or_null::id)]
    id: Option<String>,
    #[schema(required, schema_with = terms::or_null::email)]
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
    let query: PageQuery = inbound.query()?;
    let list = List::asked(&inbound, &query.page, &query.page_size, &query.cursor, SortedBy::Time)?;
    let id = inbound.id(TicketId::new)?;
    let paged = inbound.run(move |ctx| tickets::ticket_timeline(ctx, id, list.page)).await?;
    Ok(list.answer(paged, EntryDto::from))
}

pub(crate) fn timeline_docs() -> Operation {
    let sample = EntryDto {
        id: samples::id(6).to_string(),
        at: samples::AT,
        actor: ActorDto {
            kind: "USER",
            id: Some(samples::id(1).to_string()),
            email: Some("ana@example.org".to_owned()),
        },
        action: "STATUS_CHANGED".to_owned(),
        before: json!({"status": "OPEN"}),
        after: json!({"status": "IN_PROGRESS"}),
        event_id: samples::id(7).to_string(),
    };
    Operation::new("listTimeline", Tag::Tickets, "Everything that ever happened to a ticket")
        .about(
            "Oldest first. `before` and `after` hold only what changed. The entries about the status form the path from \
             OPEN to now.",
        )
        .asks::<PageQuery>()
        .lists(Some(sample))
}
