//! A change of a ticket with everything that has to be written about it.
//!
//! There is no way to write a ticket without its timeline and its events: a [`TicketChange`] can only be
//! made from a decision, and recording it is one call.

use techsupport_domain::{
    EventId,
    sla::{Metric, StepKey},
    ticket::{Comment, Decision, Edited, Ticket, TicketEvent},
};
use time::OffsetDateTime;

use crate::{
    Actor, AppError, Ctx, TimelineEntry,
    events::{OutboxMessage, describe},
};

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
            timeline.push(TimelineEntry::of(&ticket, event, id, ctx.new_id()));
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
