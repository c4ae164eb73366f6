//! Opening and showing a ticket.

use garde::Validate;
use serde::Deserialize;
use techsupport_application::tickets::{self, OpenTicket};
use techsupport_domain::{ClientId, TicketId};

use super::dto;
use crate::{
    handlers::rules,
    inbound::{Inbound, Member, optional, required},
    routes::Answer,
};

#[derive(Deserialize, Validate, Default)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct OpenBody {
    #[garde(custom(required(rules::title)))]
    title: Member<String>,
    #[garde(custom(required(rules::description)))]
    description: Member<String>,
    #[garde(custom(required(rules::id)))]
    client_id: Member<String>,
    #[garde(custom(optional(rules::priority)))]
    priority: Member<i64>,
}

/// `POST /api/tickets`
pub(crate) async fn open(mut inbound: Inbound) -> Answer {
    let body: OpenBody = inbound.json().await?;
    let command = OpenTicket {
        title: body.title.take(rules::title)?,
        description: body.description.take(rules::description)?,
        client: ClientId::new(body.client_id.take(rules::id)?),
        priority: body.priority.take_optional(rules::priority)?.unwrap_or_default(),
    };
    let ticket = inbound.run(move |ctx| tickets::open_ticket(ctx, &command)).await?;
    Ok(dto::created(ticket))
}

/// `GET /api/tickets/{id}`
pub(crate) async fn show(inbound: Inbound) -> Answer {
    let id = inbound.id(TicketId::new)?;
    Ok(dto::answer(inbound.run(move |ctx| tickets::show_ticket(ctx, id)).await?))
}
