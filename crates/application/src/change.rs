//! A change of a ticket with everything that has to be written about it.
//!
//! There is no way to write a ticket without its timeline and its events: a [`TicketChange`] can only be
//! made from a decision, and recording it is one call.

use serde_json::{Value, json};
use techsupport_domain::{
    EventId,
    sla::{DueStep, Metric, StepKey},
    ticket::{Comment, Decision, Edited, Ticket, TicketEvent},
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    Actor, AppError, Ctx,
    events::{OutboxMessage, describe, edited_members},
    wire_time,
};

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

/// An SLA step that ran. Its key (ticket, metric, cycle, step) is unique in the database, which is what
/// makes a second event for one breach impossible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRun {
    /// Of which clock.
    pub metric: Metric,
    /// In which cycle.
    pub cycle: u16,
    /// Which step.
    pub step: StepKey,
    /// When it was due.
    pub due_at: OffsetDateTime,
    /// The event that tells of it.
    pub event: EventId,
}

/// What becomes of the ticket's own row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// It is new.
    Opened,
    /// It gets its next version.
    Changed,
    /// It stays as it is: the ticket was only talked about.
    Untouched,
}

impl Extent {
    fn of(events: &[TicketEvent]) -> Self {
        let all = |kind: fn(&TicketEvent) -> bool| events.iter().all(kind);
        if all(|event| matches!(event, TicketEvent::Commented(_))) {
            Extent::Untouched
        } else if all(|event| !matches!(event, TicketEvent::Created)) {
            Extent::Changed
        } else {
            Extent::Opened
        }
    }
}

/// Everything that is written when a ticket changes.
#[derive(Debug, Clone, PartialEq)]
pub struct TicketChange {
    ticket: Ticket,
    extent: Extent,
    actor: Actor,
    at: OffsetDateTime,
    edits: Vec<Edited>,
    comments: Vec<Comment>,
    timeline: Vec<TimelineEntry>,
    steps: Vec<StepRun>,
    outbox: Vec<OutboxMessage>,
}

impl TicketChange {
    /// What has to be written for a decision; `None` when nothing changed.
    pub fn of(
        ctx: Ctx<'_>,
        decision: Decision<Ticket, TicketEvent>,
        actor: Actor,
        at: OffsetDateTime,
    ) -> Result<Option<Self>, AppError> {
        let Decision { state: ticket, events } = decision;
        if events.is_empty() {
            return Ok(None);
        }
        let mut timeline = Vec::with_capacity(events.len());
        let mut steps = Vec::new();
        let mut outbox = Vec::with_capacity(events.len());
        for event in &events {
            let id = EventId::new(ctx.new_id());
            outbox.push(describe(&ticket, event, actor, at, id, ctx.call.trace.child(id.uuid()))?);
            timeline.push(entry(&ticket, event, id, ctx.new_id()));
            steps.extend(step_run(event, id));
        }
        let (mut edits, mut comments) = (Vec::new(), Vec::new());
        let extent = Extent::of(&events);
        for event in events {
            match event {
                TicketEvent::Edited(edited) => edits.push(*edited),
                TicketEvent::Commented(comment) => comments.push(comment),
                TicketEvent::Created
                | TicketEvent::StatusChanged { .. }
                | TicketEvent::Assigned { .. }
                | TicketEvent::Deleted
                | TicketEvent::Restored
                | TicketEvent::SlaWarned(_)
                | TicketEvent::SlaBreached { .. } => {}
            }
        }
        Ok(Some(Self { ticket, extent, actor, at, edits, comments, timeline, steps, outbox }))
    }

    /// The ticket after the change.
    pub fn ticket(&self) -> &Ticket {
        &self.ticket
    }

    /// What becomes of the ticket's own row.
    pub fn extent(&self) -> Extent {
        self.extent
    }

    /// What was edited.
    pub fn edits(&self) -> &[Edited] {
        &self.edits
    }

    /// What was said.
    pub fn comments(&self) -> &[Comment] {
        &self.comments
    }

    /// Who changed it.
    pub fn actor(&self) -> Actor {
        self.actor
    }

    /// When, by the database's clock.
    pub fn at(&self) -> OffsetDateTime {
        self.at
    }

    /// What to tell its history.
    pub fn timeline(&self) -> &[TimelineEntry] {
        &self.timeline
    }

    /// SLA steps that ran.
    pub fn steps(&self) -> &[StepRun] {
        &self.steps
    }

    /// What to tell the world.
    pub fn outbox(&self) -> &[OutboxMessage] {
        &self.outbox
    }

    /// The ticket after the change, for the caller.
    pub fn into_ticket(self) -> Ticket {
        self.ticket
    }
}

fn step_run(event: &TicketEvent, id: EventId) -> Option<StepRun> {
    match event {
        TicketEvent::SlaWarned(due) | TicketEvent::SlaBreached { due, .. } => Some(StepRun {
            metric: due.metric,
            cycle: due.cycle,
            step: due.step.key,
            due_at: due.step_due_at,
            event: id,
        }),
        TicketEvent::Created
        | TicketEvent::Edited(_)
        | TicketEvent::StatusChanged { .. }
        | TicketEvent::Assigned { .. }
        | TicketEvent::Commented(_)
        | TicketEvent::Deleted
        | TicketEvent::Restored => None,
    }
}

fn entry(ticket: &Ticket, event: &TicketEvent, event_id: EventId, id: Uuid) -> TimelineEntry {
    let (action, before, after) = match event {
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
    };
    TimelineEntry { id, action, before, after, event: event_id }
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
