//! Clients.

mod change;

use actix_web::HttpResponse;
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::json;
use techsupport_application::{
    AppError, Conflict, Entity, SortedBy,
    directory::{self, EnterClient},
    ports::ClientFilter,
    wire_time,
};
use techsupport_domain::{Client, ClientId, ClientTier};
use utoipa::ToSchema;

use super::{list::List, rules};
use crate::{
    inbound::{Inbound, Member, OnceAnswer, Parameters, optional, required},
    openapi::{Operation, Tag, samples, terms},
    problem::Problem,
    reply::Reply,
    routes::Answer,
};

pub(crate) use change::{change, change_docs};

#[derive(Deserialize, Validate, Default, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schema(as = NewClient)]
struct ClientBody {
    #[garde(custom(required(rules::person)))]
    #[schema(required, schema_with = terms::person)]
    name: Member<String>,
    #[garde(custom(required(rules::email)))]
    #[schema(required, schema_with = terms::email)]
    email: Member<String>,
    #[garde(custom(required(ClientTier::parse)))]
    #[schema(required, schema_with = terms::client_type)]
    r#type: Member<String>,
    #[garde(custom(required(rules::company)))]
    #[schema(required, schema_with = terms::company)]
    company: Member<String>,
}

#[derive(Deserialize, Validate, Default, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct ClientQuery {
    #[garde(custom(optional(rules::search)))]
    #[schema(schema_with = terms::search)]
    search: Member<String>,
    #[garde(custom(optional(ClientTier::parse)))]
    #[schema(schema_with = terms::client_type)]
    r#type: Member<String>,
    #[garde(custom(optional(rules::page_number)))]
    #[schema(schema_with = terms::page)]
    page: Member<String>,
    #[garde(custom(optional(rules::page_size)))]
    #[schema(schema_with = terms::page_size)]
    page_size: Member<String>,
    #[garde(custom(optional(rules::cursor)))]
    #[schema(schema_with = terms::cursor)]
    cursor: Member<String>,
}

impl Parameters for ClientQuery {}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Client)]
struct ClientDto {
    #[schema(required, schema_with = terms::id)]
    id: String,
    #[schema(required, schema_with = terms::stored_person)]
    name: String,
    #[schema(required, schema_with = terms::email)]
    email: String,
    #[schema(required, schema_with = terms::client_type)]
    r#type: &'static str,
    #[schema(required, schema_with = terms::stored_company)]
    company: String,
    #[schema(required, schema_with = terms::moment)]
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
pub(crate) async fn enter(mut inbound: Inbound) -> Result<OnceAnswer, Problem> {
    let body: ClientBody = inbound.json().await?;
    let command = EnterClient {
        name: body.name.take(rules::person)?,
        email: body.email.take(rules::email)?,
        tier: body.r#type.take(ClientTier::parse)?,
        company: body.company.take(rules::company)?,
    };
    let entered =
        |client: Client| Reply::created(&format!("/api/clients/{}", client.id), &ClientDto::from(client));
    inbound.run_once(move |ctx| directory::enter_client(ctx, &command), entered).await
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

fn sample() -> Option<ClientDto> {
    samples::client().map(ClientDto::from)
}

pub(crate) fn enter_docs() -> Operation {
    Operation::new("createClient", Tag::Clients, "Enter a client")
        .takes::<ClientBody>(json!({
            "name": "Carla Gómez", "email": "carla@acme.example", "type": "VIP", "company": "ACME"
        }))
        .answers(201, "The new client.", sample())
        .with_location("/api/clients/{id}")
        .leads_to("show", "showClient", "id", "$response.body#/id")
        .refuses_with(AppError::Conflict(Conflict::EmailTaken(Entity::Client)))
}

pub(crate) fn list_docs() -> Operation {
    Operation::new("listClients", Tag::Clients, "Find clients")
        .about("Newest first. `search` looks into name, e-mail address and company.")
        .asks::<ClientQuery>()
        .lists(sample())
        .leads_to("first", "showClient", "id", "$response.body#/data/0/id")
}

pub(crate) fn show_docs() -> Operation {
    Operation::new("showClient", Tag::Clients, "Show a client")
        .answers(200, "The client.", sample())
        .refuses_with(AppError::NotFound(Entity::Client))
}
