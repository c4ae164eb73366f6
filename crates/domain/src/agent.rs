//! Agents: who works on tickets.

use crate::{
    AgentId, UserId,
    text::{Email, PersonName},
};

/// How far up the escalation ladder an agent stands: 1, 2 or 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AgentLevel(u8);

/// A level outside 1–3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1, 2 or 3")]
pub struct AgentLevelError;

impl AgentLevel {
    /// The least level that may be assigned to an escalated ticket.
    pub const FOR_ESCALATED: AgentLevel = AgentLevel(2);

    /// Accepts 1 to 3.
    pub fn parse(level: i64) -> Result<Self, AgentLevelError> {
        match u8::try_from(level) {
            Ok(level @ 1..=3) => Ok(Self(level)),
            Ok(_) | Err(_) => Err(AgentLevelError),
        }
    }

    /// The number, 1 to 3.
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// A support agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Identity.
    pub id: AgentId,
    /// Display name.
    pub name: PersonName,
    /// Unique among agents, whatever its letter case.
    pub email: Email,
    /// Rung of the escalation ladder.
    pub level: AgentLevel,
    /// An inactive agent cannot be assigned.
    pub active: bool,
    /// The user this agent signs in as, if any.
    pub user: Option<UserId>,
}
