//! Giving a ticket to an agent.

use techsupport_domain::{AgentId, TicketId, ticket::Refusal, ticket::Ticket};

use super::{Expected, change::change_ticket};
use crate::{AppError, Ctx};

/// Give a ticket to an agent, or take it away.
#[derive(Debug, Clone)]
pub struct AssignTicket {
    /// Which one.
    pub ticket: TicketId,
    /// Which versions of it.
    pub expected: Expected,
    /// To whom; `None` takes the agent away.
    pub agent: Option<AgentId>,
}

/// Assigns a ticket. The agent's level and state are read from the agent's row in the same transaction
/// and kept from changing until it ends; nobody's word is taken for them.
pub fn assign_ticket(ctx: Ctx<'_>, command: &AssignTicket) -> Result<Ticket, AppError> {
    change_ticket(ctx, command.ticket, &command.expected, |tx, ticket, now| {
        let agent = match command.agent {
            None => None,
            Some(id) => Some(tx.agent(id)?.ok_or_else(|| unusable("there is no such agent"))?),
        };
        match ticket.assign(agent.as_ref(), now) {
            Err(refusal @ Refusal::AgentInactive(_)) => Err(unusable(&refusal)),
            decided => Ok(decided?),
        }
    })
}

fn unusable(detail: &(impl ToString + ?Sized)) -> AppError {
    AppError::unprocessable("/agentId", detail)
}
