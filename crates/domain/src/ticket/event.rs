//! What can happen to a ticket.

use time::OffsetDateTime;

use super::{Comment, Edited, EscalationLevel, Status};
use crate::{AgentId, sla::DueStep};

/// One thing that happened to a ticket. Every one of them ends up in the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TicketEvent {
    /// The ticket was opened.
    Created,
    /// What it says, or was promised, was changed.
    Edited(Box<Edited>),
    /// It moved, by a person's act or, when a deadline passed, by itself.
    StatusChanged {
        /// Where it stood.
        from: Status,
        /// Where it stands.
        to: Status,
        /// How often it was escalated before.
        level_before: EscalationLevel,
        /// How often it is escalated now.
        level_after: EscalationLevel,
        /// When it was resolved, as known before.
        resolved_before: Option<OffsetDateTime>,
        /// When it was resolved, as known now.
        resolved_after: Option<OffsetDateTime>,
    },
    /// It was given to an agent, or taken away from one.
    Assigned {
        /// Whose it was.
        before: Option<AgentId>,
        /// Whose it is.
        after: Option<AgentId>,
    },
    /// Somebody said something about it.
    Commented(Comment),
    /// It was taken out of sight.
    Deleted,
    /// It was brought back.
    Restored,
    /// A deadline is near.
    SlaWarned(DueStep),
    /// A deadline passed, or a later step after it was due.
    SlaBreached {
        /// Which step.
        due: DueStep,
        /// Whether the ticket was escalated by it.
        escalated: bool,
        /// Whether a supervisor has to be told.
        needs_supervisor: bool,
        /// The level before.
        level_before: EscalationLevel,
        /// The level after.
        level_after: EscalationLevel,
    },
}
