//! The table of legal transitions.

use super::EscalationLevel;
use crate::UnknownName;

/// Where a ticket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// Nobody has acted yet.
    Open,
    /// Somebody works on it.
    InProgress,
    /// Waiting for the client; the resolution clock stands still.
    Waiting,
    /// Beyond its first owner.
    Escalated,
    /// Solved, may be reopened.
    Resolved,
    /// Over.
    Closed,
}

impl Status {
    /// Every status, in the order of a ticket's usual life.
    pub const ALL: [Status; 6] = [
        Status::Open,
        Status::InProgress,
        Status::Waiting,
        Status::Escalated,
        Status::Resolved,
        Status::Closed,
    ];

    const NAMES: &'static [&'static str] =
        &["OPEN", "IN_PROGRESS", "WAITING", "ESCALATED", "RESOLVED", "CLOSED"];

    /// Reads the canonical name.
    pub fn parse(name: &str) -> Result<Self, UnknownName> {
        match name {
            "OPEN" => Ok(Status::Open),
            "IN_PROGRESS" => Ok(Status::InProgress),
            "WAITING" => Ok(Status::Waiting),
            "ESCALATED" => Ok(Status::Escalated),
            "RESOLVED" => Ok(Status::Resolved),
            "CLOSED" => Ok(Status::Closed),
            _ => Err(UnknownName { expected: Self::NAMES }),
        }
    }

    /// The canonical name.
    pub const fn name(self) -> &'static str {
        match self {
            Status::Open => "OPEN",
            Status::InProgress => "IN_PROGRESS",
            Status::Waiting => "WAITING",
            Status::Escalated => "ESCALATED",
            Status::Resolved => "RESOLVED",
            Status::Closed => "CLOSED",
        }
    }

    /// Where a ticket in this status may go, given how often it was escalated already: at the highest
    /// level ESCALATED is left out.
    pub fn allowed(self, level: EscalationLevel) -> Vec<Status> {
        let listed: &[Status] = match self {
            Status::Open => &[Status::InProgress, Status::Escalated],
            Status::InProgress => &[Status::Waiting, Status::Resolved, Status::Escalated],
            Status::Waiting => &[Status::InProgress, Status::Resolved],
            Status::Escalated => &[Status::InProgress, Status::Resolved, Status::Escalated],
            Status::Resolved => &[Status::Closed, Status::InProgress],
            Status::Closed => &[],
        };
        listed.iter().copied().filter(|to| *to != Status::Escalated || level.raised().is_some()).collect()
    }

    /// Whether work on the ticket is over, for now or for good.
    pub const fn is_answered(self) -> bool {
        match self {
            Status::Resolved | Status::Closed => true,
            Status::Open | Status::InProgress | Status::Waiting | Status::Escalated => false,
        }
    }
}
