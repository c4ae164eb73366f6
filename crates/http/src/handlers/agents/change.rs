//! Changing an agent.

use actix_web::HttpResponse;
use garde::Validate;
use serde::Deserialize;
use serde_json::json;
use techsupport_application::{
    AppError, Conflict, Entity,
    directory::{self, ChangeAgent},
};
use techsupport_domain::{AgentId, UserId};
use utoipa::ToSchema;

use super::{AgentDto, sample};
use crate::{
    handlers::rules,
    inbound::{Inbound, Member, given, optional},
    openapi::{Operation, Tag, terms},
    routes::Answer,
};

#[derive(Deserialize, Validate, Default, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schema(as = AgentChange, min_properties = 1)]
struct AgentChangeBody {
    #[garde(custom(given(rules::person)))]
    #[schema(schema_with = terms::person)]
    name: Member<String>,
    #[garde(custom(given(rules::email)))]
    #[schema(schema_with = terms::email)]
    email: Member<String>,
    #[garde(custom(given(rules::agent_level)))]
    #[schema(schema_with = terms::agent_level)]
    level: Member<i64>,
    #[garde(custom(given(rules::flag)))]
    #[schema(schema_with = terms::active)]
    active: Member<bool>,
    /// Null takes the user away.
    #[garde(custom(optional(rules::id)))]
    #[schema(schema_with = terms::or_null::user_id)]
    user_id: Member<String>,
}

/// `PATCH /api/agents/{id}`
pub(crate) async fn change(mut inbound: Inbound) -> Answer {
    let body: AgentChangeBody = inbound.json().await?;
    let members = [
        ("name", body.name.is_given()),
        ("email", body.email.is_given()),
        ("level", body.level.is_given()),
        ("active", body.active.is_given()),
        ("userId", body.user_id.is_given()),
    ];
    rules::at_least_one("", &members)?;
    let user = body.user_id.take_optional(rules::id)?.map(UserId::new);
    let command = ChangeAgent {
        agent: inbound.id(AgentId::new)?,
        name: body.name.take_optional(rules::person)?,
        email: body.email.take_optional(rules::email)?,
        level: body.level.take_optional(rules::agent_level)?,
        active: body.active.take_optional(rules::flag)?,
        user: body.user_id.is_given().then_some(user),
    };
    let agent = inbound.run(move |ctx| directory::change_agent(ctx, &command)).await?;
    Ok(HttpResponse::Ok().json(AgentDto::from(agent)))
}

pub(crate) fn change_docs() -> Operation {
    Operation::new("changeAgent", Tag::Agents, "Change an agent")
        .about(
            "At least one member; what is not given stays. An agent who is no longer active, or of a lower level, keeps the \
             tickets at hand until they are assigned to somebody else.",
        )
        .takes::<AgentChangeBody>(json!({"level": 2, "userId": null}))
        .answers(200, "The agent as it is now.", sample())
        .refuses_with(AppError::NotFound(Entity::Agent))
        .refuses_with(AppError::Conflict(Conflict::EmailTaken(Entity::Agent)))
        .refuses_with(AppError::unprocessable("/userId", "there is no such user"))
}
