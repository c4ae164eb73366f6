//! Why a command was refused.

use super::Status;
use crate::{AgentId, AgentLevel};

/// Why a command on a ticket was refused. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The table of transitions has no such step.
    #[error("a ticket that is {} cannot become {}", .from.name(), .to.name())]
    IllegalTransition {
        /// Where the ticket stands.
        from: Status,
        /// Where it was asked to go.
        to: Status,
        /// Where it may go instead.
        allowed: Vec<Status>,
    },
    /// A ticket that is resolved or closed has nobody to work on it.
    #[error("a ticket that is {} cannot be assigned", .status.name())]
    NotAssignable {
        /// Where the ticket stands.
        status: Status,
    },
    /// The agent is not active.
    #[error("the agent is not active")]
    AgentInactive(AgentId),
    /// The agent stands too low for an escalated ticket.
    #[error("an escalated ticket needs an agent of level {} or higher", .required.get())]
    AgentLevelTooLow {
        /// Who was asked for.
        agent: AgentId,
        /// The least level.
        required: AgentLevel,
    },
}
