//! What a ticket's history says: before and after, and only what changed.

use serde_json::{Value, json};
use techsupport_domain::{
    EventId,
    sla::{DueStep, StepKey},
    ticket::{Ticket, TicketEvent},
};
use uuid::Uuid;

use crate::{events::edited_members, wire_time};

/// What a timeline entry says happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimelineAction {
    /// The ticket was opened.
    Created,
    /// What it says, or was promised, was changed.
    Edited,
    /// It moved.
    StatusChanged,
    /// It got another agent, or none.
    Assigned,
    /// Somebody said something about it.
    Commented,
    /// It was soft-deleted.
    Deleted,
    /// It was brought back.
    Restored,
    /// A deadline is near.
    SlaWarned,
    /// A deadline passed.
    SlaBreached,
    /// A step after the deadline was run.
    SlaEscalated,
}

impl TimelineAction {
    /// The name on the wire and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            TimelineAction::Created => "CREATED",
            TimelineAction::Edited => "EDITED",
            TimelineAction::StatusChanged => "STATUS_CHANGED",
            TimelineAction::Assigned => "ASSIGNED",
            TimelineAction::Commented => "COMMENTED",
            TimelineAction::Deleted => "DELETED",
            TimelineAction::Restored => "RESTORED",
            TimelineAction::SlaWarned => "SLA_WARNED",
            TimelineAction::SlaBreached => "SLA_BREACHED",
            TimelineAction::SlaEscalated => "SLA_ESCALATED",
        }
    }
}

/// One line of a ticket's history.
#[derive(Debug, Clone, PartialEq)]
pub struct TimelineEntry {
    /// Identity; ordered within a change.
    pub id: Uuid,
    /// What happened.
    pub action: TimelineAction,
    /// Only what changed, as it was.
    pub before: Value,
    /// Only what changed, as it is.
    pub after: Value,
    /// The published event that tells of it.
    pub event: EventId,
}

impl TimelineEntry {
    /// What an event tells a ticket's history.
    pub(crate) fn of(ticket: &Ticket, event: &TicketEvent, event_id: EventId, id: Uuid) -> Self {
        let (action, before, after) = told(ticket, event);
        Self { id, action, before, after, event: event_id }
    }
}

fn told(ticket: &Ticket, event: &TicketEvent) -> (TimelineAction, Value, Value) {
    match event {
        TicketEvent::Created => (TimelineAction::Created, json!({}), created(ticket)),
        TicketEvent::StatusChanged {
            from,
            to,
            level_before,
            level_after,
            resolved_before,
            resolved_after,
        } => {
            let mut before = json!({"status": from.name()});
            let mut after = json!({"status": to.name()});
            if level_before != level_after {
                before["escalationLevel"] = json!(level_before.get());
                after["escalationLevel"] = json!(level_after.get());
            }
            if resolved_before != resolved_after {
                before["resolvedAt"] = json!(resolved_before.map(wire_time::format));
                after["resolvedAt"] = json!(resolved_after.map(wire_time::format));
            }
            (TimelineAction::StatusChanged, before, after)
        }
        TicketEvent::Assigned { before, after } => (
            TimelineAction::Assigned,
            json!({"agentId": before.map(|agent| agent.to_string())}),
            json!({"agentId": after.map(|agent| agent.to_string())}),
        ),
        TicketEvent::Edited(edited) => {
            let (before, after) = edited_members(edited);
            (TimelineAction::Edited, before.into(), after.into())
        }
        TicketEvent::Commented(comment) => (
            TimelineAction::Commented,
            json!({}),
            json!({"commentId": comment.id.to_string(), "visibility": comment.visibility.name()}),
        ),
        TicketEvent::Deleted => {
            (TimelineAction::Deleted, json!({"deleted": false}), json!({"deleted": true}))
        }
        TicketEvent::Restored => {
            (TimelineAction::Restored, json!({"deleted": true}), json!({"deleted": false}))
        }
        TicketEvent::SlaWarned(due) => (TimelineAction::SlaWarned, json!({}), step(due)),
        TicketEvent::SlaBreached { due, escalated, needs_supervisor, .. } => {
            let action = if due.step.key == StepKey::BREACH {
                TimelineAction::SlaBreached
            } else {
                TimelineAction::SlaEscalated
            };
            let mut after = step(due);
            after["escalated"] = json!(escalated);
            after["needsSupervisorNotif"] = json!(needs_supervisor);
            (action, json!({}), after)
        }
    }
}

fn created(ticket: &Ticket) -> Value {
    json!({
        "number": ticket.number.to_string(),
        "title": ticket.title.as_str(),
        "description": ticket.description.as_str(),
        "status": ticket.status.name(),
        "priority": ticket.priority.get(),
        "tags": ticket.tags.iter().collect::<Vec<_>>(),
        "clientId": ticket.client.to_string(),
        "clientType": ticket.tier.name(),
        "agentId": ticket.agent.map(|agent| agent.to_string()),
        "escalationLevel": ticket.level.get(),
    })
}

fn step(due: &DueStep) -> Value {
    json!({
        "metric": due.metric.name(),
        "cycle": due.cycle,
        "step": due.step.key.get(),
        "dueAt": wire_time::format(due.due_at),
    })
}
