//! Agents.

use actix_web::{HttpResponse, http::header};
use garde::Validate;
use serde::{Deserialize, Serialize};
use techsupport_application::{
    SortedBy,
    directory::{self, EnterAgent},
    ports::AgentFilter,
};
use techsupport_domain::{Agent, AgentId, UserId};

use super::{list::List, rules};
use crate::{
    inbound::{Inbound, Member, Parameters, optional, required},
    routes::Answer,
};

#[derive(Deserialize, Validate, Default)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct AgentBody {
    #[garde(custom(required(rules::person)))]
    name: Member<String>,
    #[garde(custom(required(rules::email)))]
    email: Member<String>,
    #[garde(custom(required(rules::agent_level)))]
    level: Member<i64>,
    #[garde(custom(optional(rules::flag)))]
    active: Member<bool>,
    #[garde(custom(optional(rules::id)))]
    user_id: Member<String>,
}

#[derive(Deserialize, Validate, Default)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct AgentQuery {
    #[garde(custom(optional(rules::search)))]
    search: Member<String>,
    #[garde(custom(optional(rules::yes_or_no)))]
    active: Member<String>,
    #[garde(custom(optional(rules::page_number)))]
    page: Member<String>,
    #[garde(custom(optional(rules::page_size)))]
    page_size: Member<String>,
    #[garde(custom(optional(rules::cursor)))]
    cursor: Member<String>,
}

impl Parameters for AgentQuery {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AgentDto {
    id: String,
    name: String,
    email: String,
    level: u8,
    active: bool,
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
pub(crate) async fn enter(mut inbound: Inbound) -> Answer {
    let body: AgentBody = inbound.json().await?;
    let command = EnterAgent {
        name: body.name.take(rules::person)?,
        email: body.email.take(rules::email)?,
        level: body.level.take(rules::agent_level)?,
        active: body.active.take_optional(rules::flag)?.unwrap_or(true),
        user: body.user_id.take_optional(rules::id)?.map(UserId::new),
    };
    let agent = inbound.run(move |ctx| directory::enter_agent(ctx, &command)).await?;
    let location = format!("/api/agents/{}", agent.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(AgentDto::from(agent)))
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
