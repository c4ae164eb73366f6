//! Changing an agent.

use techsupport_domain::{
    Agent, AgentId, AgentLevel, UserId,
    text::{Email, PersonName},
};

use crate::{
    AppError, Ctx, Entity,
    ports::{AuditAction, AuditTarget, UnitOfWorkExt},
};

/// Change an agent; `None` leaves a member as it is.
#[derive(Debug, Clone)]
pub struct ChangeAgent {
    /// Which one.
    pub agent: AgentId,
    /// Display name.
    pub name: Option<PersonName>,
    /// Unique among agents.
    pub email: Option<Email>,
    /// Rung of the escalation ladder.
    pub level: Option<AgentLevel>,
    /// Whether tickets can be assigned.
    pub active: Option<bool>,
    /// The user the agent signs in as; `Some(None)` takes the user away.
    pub user: Option<Option<UserId>>,
}

/// Changes an agent. A taken e-mail address is a conflict, an unknown or taken user unprocessable; what is there
/// already changes nothing.
///
/// Tickets that the agent has stay with the agent, also when the agent is no longer active or stands too low for
/// them: who is to have them instead, somebody has to decide.
pub fn change_agent(ctx: Ctx<'_>, command: &ChangeAgent) -> Result<Agent, AppError> {
    let entry = ctx.entry(AuditAction::AgentChanged, AuditTarget::Agent(command.agent));
    ctx.work.run_for(&ctx.call.budget, |tx| {
        let before = tx.lock_agent(command.agent)?.ok_or(AppError::NotFound(Entity::Agent))?;
        let after = applied(command, before.clone());
        let members = changed(&before, &after);
        if members.is_empty() {
            return Ok(before);
        }
        tx.update_agent(&after)?;
        tx.audit(&entry.clone().with("members", members))?;
        Ok(after)
    })
}

fn applied(command: &ChangeAgent, agent: Agent) -> Agent {
    Agent {
        name: command.name.clone().unwrap_or(agent.name),
        email: command.email.clone().unwrap_or(agent.email),
        level: command.level.unwrap_or(agent.level),
        active: command.active.unwrap_or(agent.active),
        user: command.user.unwrap_or(agent.user),
        ..agent
    }
}

/// The names of the members that differ; never their values, which are personal data.
fn changed(before: &Agent, after: &Agent) -> Vec<&'static str> {
    [
        ("name", before.name != after.name),
        ("email", before.email.as_str() != after.email.as_str()),
        ("level", before.level != after.level),
        ("active", before.active != after.active),
        ("userId", before.user != after.user),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect()
}
