//! Clients.

use actix_web::{HttpResponse, http::header};
use garde::Validate;
use serde::{Deserialize, Serialize};
use techsupport_application::{
    SortedBy,
    directory::{self, EnterClient},
    ports::ClientFilter,
    wire_time,
};
use techsupport_domain::{Client, ClientId, ClientTier};

use super::{list::List, rules};
use crate::{
    inbound::{Inbound, Member, Parameters, optional, required},
    routes::Answer,
};

#[derive(Deserialize, Validate, Default)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct ClientBody {
    #[garde(custom(required(rules::person)))]
    name: Member<String>,
    #[garde(custom(required(rules::email)))]
    email: Member<String>,
    #[garde(custom(required(ClientTier::parse)))]
    r#type: Member<String>,
    #[garde(custom(required(rules::company)))]
    company: Member<String>,
}

#[derive(Deserialize, Validate, Default)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct ClientQuery {
    #[garde(custom(optional(rules::search)))]
    search: Member<String>,
    #[garde(custom(optional(ClientTier::parse)))]
    r#type: Member<String>,
    #[garde(custom(optional(rules::page_number)))]
    page: Member<String>,
    #[garde(custom(optional(rules::page_size)))]
    page_size: Member<String>,
    #[garde(custom(optional(rules::cursor)))]
    cursor: Member<String>,
}

impl Parameters for ClientQuery {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClientDto {
    id: String,
    name: String,
    email: String,
    r#type: &'static str,
    company: String,
    created_at: String,
}

impl From<Client> for ClientDto {
    fn from(client: Client) -> Self {
        Self {
            id: client.id.to_string(),
            name: client.name.to_string(),
            email: client.email.as_str().to_owned(),
            r#type: client.tier.name(),
            company: client.company.to_string(),
            created_at: wire_time::format(client.created_at),
        }
    }
}

/// `POST /api/clients`
pub(crate) async fn enter(mut inbound: Inbound) -> Answer {
    let body: ClientBody = inbound.json().await?;
    let command = EnterClient {
        name: body.name.take(rules::person)?,
        email: body.email.take(rules::email)?,
        tier: body.r#type.take(ClientTier::parse)?,
        company: body.company.take(rules::company)?,
    };
    let client = inbound.run(move |ctx| directory::enter_client(ctx, &command)).await?;
    let location = format!("/api/clients/{}", client.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(ClientDto::from(client)))
}

/// `GET /api/clients`
pub(crate) async fn list(inbound: Inbound) -> Answer {
    let query: ClientQuery = inbound.query()?;
    let filter = ClientFilter {
        search: query.search.take_optional(rules::search)?.flatten(),
        tier: query.r#type.take_optional(ClientTier::parse)?,
    };
    let list = List::asked(&inbound, &query.page, &query.page_size, &query.cursor, SortedBy::Time)?;
    let paged = inbound.run(move |ctx| directory::list_clients(ctx, &filter, list.page)).await?;
    Ok(list.answer(paged, ClientDto::from))
}

/// `GET /api/clients/{id}`
pub(crate) async fn show(inbound: Inbound) -> Answer {
    let id = inbound.id(ClientId::new)?;
    let client = inbound.run(move |ctx| directory::show_client(ctx, id)).await?;
    Ok(HttpResponse::Ok().json(ClientDto::from(client)))
}
