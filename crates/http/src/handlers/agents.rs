//! Agents.

mod change;

use actix_web::HttpResponse;
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::json;
use techsupport_application::{
    AppError, Conflict, Entity, SortedBy,
    directory::{self, EnterAgent},
    ports::AgentFilter,
};
use techsupport_domain::{Agent, AgentId, UserId};
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
#[schema(as = NewAgent)]
struct AgentBody {
    #[garde(custom(required(rules::person)))]
    #[schema(required, schema_with = terms::person)]
    name: Member<String>,
    #[garde(custom(required(rules::email)))]
    #[schema(required, schema_with = terms::email)]
    email: Member<String>,
    #[garde(custom(required(rules::agent_level)))]
    #[schema(required, schema_with = terms::agent_level)]
    level: Member<i64>,
    #[garde(custom(optional(rules::flag)))]
    #[schema(schema_with = terms::or_null::active)]
    active: Member<bool>,
    #[garde(custom(optional(rules::id)))]
    #[schema(schema_with = terms::or_null::user_id)]
    user_id: Member<String>,
}

#[derive(Deserialize, Validate, Default, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct AgentQuery {
    #[garde(custom(optional(rules::search)))]
    #[schema(schema_with = terms::search)]
    search: Member<String>,
    #[garde(custom(optional(rules::yes_or_no)))]
    #[schema(schema_with = terms::flag)]
    active: Member<String>,
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

impl Parameters for AgentQuery {}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Agent)]
struct AgentDto {
    #[schema(required, schema_with = terms::id)]
    id: String,
    #[schema(required, schema_with = terms::stored_person)]
    name: String,
    #[schema(required, schema_with = terms::email)]
    email: String,
    #[schema(required, schema_with = terms::agent_level)]
    level: u8,
    #[schema(required, schema_with = terms::active)]
    active: bool,
    #[schema(required, schema_with = terms::or_null::user_id)]
    user_id: Option<String>,
}

impl From<Agent> for AgentDto {
    fn from(agent: Agent) -> Self {
        Self {
            id: agent.id.to_string(),
            name: agent.name.to_string(),
            email: agent.email.as_str().to_owned(),
            level: agent.level.get(),
            active: agent.active,
            user_id: agent.user.map(|user| user.to_string()),
        }
    }
}

/// `POST /api/agents`
pub(crate) async fn enter(mut inbound: Inbound) -> Result<OnceAnswer, Problem> {
    let body: AgentBody = inbound.json().await?;
    let command = EnterAgent {
        name: body.name.take(rules::person)?,
        email: body.email.take(rules::email)?,
        level: body.level.take(rules::agent_level)?,
        active: body.active.take_optional(rules::flag)?.unwrap_or(true),
        user: body.user_id.take_optional(rules::id)?.map(UserId::new),
    };
    let entered = |agent: Agent| Reply::created(&format!("/api/agents/{}", agent.id), &AgentDto::from(agent));
    inbound.run_once(move |ctx| directory::enter_agent(ctx, &command), entered).await
}

/// `GET /api/agents`
pub(crate) async fn list(inbound: Inbound) -> Answer {
    let query: AgentQuery = inbound.query()?;
    let filter = AgentFilter {
        search: query.search.take_optional(rules::search)?.flatten(),
        active: query.active.take_optional(rules::yes_or_no)?,
    };
    let list = List::asked(&inbound, &query.page, &query.page_size, &query.cursor, SortedBy::Time)?;
    let paged = inbound.run(move |ctx| directory::list_agents(ctx, &filter, list.page)).await?;
    Ok(list.answer(paged, AgentDto::from))
}

/// `GET /api/agents/{id}`
pub(crate) async fn show(inbound: Inbound) -> Answer {
    let id = inbound.id(AgentId::new)?;
    let agent = inbound.run(move |ctx| directory::show_agent(ctx, id)).await?;
    Ok(HttpResponse::Ok().json(AgentDto::from(agent)))
}

fn sample() -> Option<AgentDto> {
    samples::agent().map(AgentDto::from)
}

pub(crate) fn enter_docs() -> Operation {
    Operation::new("createAgent", Tag::Agents, "Enter an agent")
        .takes::<AgentBody>(json!({"name": "Ana Pérez", "email": "ana@example.org", "level": 2}))
        .answers(201, "The new agent.", sample())
        .with_location("/api/agents/{id}")
        .leads_to("show", "showAgent", "id", "$response.body#/id")
        .refuses_with(AppError::Conflict(Conflict::EmailTaken(Entity::Agent)))
        .refuses_with(AppError::unprocessable("/userId", "there is no such user"))
}

pub(crate) fn list_docs() -> Operation {
    Operation::new("listAgents", Tag::Agents, "Find agents")
        .about("Newest first. `search` looks into name and e-mail address.")
        .asks::<AgentQuery>()
        .lists(sample())
        .leads_to("first", "showAgent", "id", "$response.body#/data/0/id")
}

pub(crate) fn show_docs() -> Operation {
    Operation::new("showAgent", Tag::Agents, "Show an agent")
        .answers(200, "The agent.", sample())
        .refuses_with(AppError::NotFound(Entity::Agent))
}
