//! Clients and agents.

mod change_agent;
mod change_client;

use techsupport_domain::{
    Agent, AgentId, AgentLevel, Client, ClientId, ClientTier, UserId,
    text::{Company, Email, PersonName},
};

use crate::{
    AppError, Ctx, Entity, Page, Paged,
    ports::{AgentFilter, ClientFilter, NewAgent, NewClient, UnitOfWorkExt},
};

pub use change_agent::{ChangeAgent, change_agent};
pub use change_client::{ChangeClient, change_client};

/// Enter a client.
#[derive(Debug, Clone)]
pub struct EnterClient {
    /// The person to talk to.
    pub name: PersonName,
    /// Unique among clients.
    pub email: Email,
    /// Which SLA policy applies.
    pub tier: ClientTier,
    /// The person's organisation.
    pub company: Company,
}

/// Enters a client. A taken e-mail address is a conflict.
pub fn enter_client(ctx: Ctx<'_>, command: &EnterClient) -> Result<Client, AppError> {
    let client = NewClient {
        id: ClientId::new(ctx.new_id()),
        name: command.name.clone(),
        email: command.email.clone(),
        tier: command.tier,
        company: command.company.clone(),
    };
    ctx.work.run_for(&ctx.call.budget, |tx| tx.insert_client(&client))
}

/// A client.
pub fn show_client(ctx: Ctx<'_>, id: ClientId) -> Result<Client, AppError> {
    ctx.ports.reader.client(&ctx.call.budget, id)?.ok_or(AppError::NotFound(Entity::Client))
}

/// A page of clients.
pub fn list_clients(ctx: Ctx<'_>, filter: &ClientFilter, page: Page) -> Result<Paged<Client>, AppError> {
    ctx.ports.reader.clients(&ctx.call.budget, filter, page)
}

/// Enter an agent.
#[derive(Debug, Clone)]
pub struct EnterAgent {
    /// Display name.
    pub name: PersonName,
    /// Unique among agents.
    pub email: Email,
    /// Rung of the escalation ladder.
    pub level: AgentLevel,
    /// Whether tickets can be assigned.
    pub active: bool,
    /// The user the agent signs in as.
    pub user: Option<UserId>,
}

/// Enters an agent. A taken e-mail address is a conflict, an unknown user unprocessable.
pub fn enter_agent(ctx: Ctx<'_>, command: &EnterAgent) -> Result<Agent, AppError> {
    let agent = NewAgent {
        id: AgentId::new(ctx.new_id()),
        name: command.name.clone(),
        email: command.email.clone(),
        level: command.level,
        active: command.active,
        user: command.user,
    };
    ctx.work.run_for(&ctx.call.budget, |tx| tx.insert_agent(&agent))
}

/// An agent.
pub fn show_agent(ctx: Ctx<'_>, id: AgentId) -> Result<Agent, AppError> {
    ctx.ports.reader.agent(&ctx.call.budget, id)?.ok_or(AppError::NotFound(Entity::Agent))
}

/// A page of agents.
pub fn list_agents(ctx: Ctx<'_>, filter: &AgentFilter, page: Page) -> Result<Paged<Agent>, AppError> {
    ctx.ports.reader.agents(&ctx.call.budget, filter, page)
}
