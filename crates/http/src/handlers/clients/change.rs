//! Changing a client.

use actix_web::HttpResponse;
use garde::Validate;
use serde::Deserialize;
use serde_json::json;
use techsupport_application::{
    AppError, Conflict, Entity,
    directory::{self, ChangeClient},
};
use techsupport_domain::{ClientId, ClientTier};
use utoipa::ToSchema;

use super::{ClientDto, sample};
use crate::{
    handlers::rules,
    inbound::{Inbound, Member, given},
    openapi::{Operation, Tag, terms},
    routes::Answer,
};

#[derive(Deserialize, Validate, Default, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schema(as = ClientChange, min_properties = 1)]
struct ClientChangeBody {
    #[garde(custom(given(rules::person)))]
    #[schema(schema_with = terms::person)]
    name: Member<String>,
    #[garde(custom(given(rules::email)))]
    #[schema(schema_with = terms::email)]
    email: Member<String>,
    #[garde(custom(given(ClientTier::parse)))]
    #[schema(schema_with = terms::client_type)]
    r#type: Member<String>,
    #[garde(custom(given(rules::company)))]
    #[schema(schema_with = terms::company)]
    company: Member<String>,
}

/// `PATCH /api/clients/{id}`
pub(crate) async fn change(mut inbound: Inbound) -> Answer {
    let body: ClientChangeBody = inbound.json().await?;
    let members = [
        ("name", body.name.is_given()),
        ("email", body.email.is_given()),
        ("type", body.r#type.is_given()),
        ("company", body.company.is_given()),
    ];
    rules::at_least_one("", &members)?;
    let command = ChangeClient {
        client: inbound.id(ClientId::new)?,
        name: body.name.take_optional(rules::person)?,
        email: body.email.take_optional(rules::email)?,
        tier: body.r#type.take_optional(ClientTier::parse)?,
        company: body.company.take_optional(rules::company)?,
    };
    let client = inbound.run(move |ctx| directory::change_client(ctx, &command)).await?;
    Ok(HttpResponse::Ok().json(ClientDto::from(client)))
}

pub(crate) fn change_docs() -> Operation {
    Operation::new("changeClient", Tag::Clients, "Change a client")
        .about(
            "At least one member; what is not given stays. Another `type` puts the client's unresolved tickets under the \
             deadlines of that type at once, keeping the time they have used up; resolved and deleted ones follow when \
             they are reopened or restored. New tickets of the client wait meanwhile: with thousands of unresolved ones \
             it takes seconds.",
        )
        .takes::<ClientChangeBody>(json!({"type": "NORMAL"}))
        .answers(200, "The client as it is now.", sample())
        .refuses_with(AppError::NotFound(Entity::Client))
        .refuses_with(AppError::Conflict(Conflict::EmailTaken(Entity::Client)))
}
