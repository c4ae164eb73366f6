//! The ticket itself. Every method consumes the old state, so that a stale ticket cannot be used again.

use std::fmt;

use time::OffsetDateTime;

use super::{Decision, EscalationLevel, Priority, Refusal, Status, Tags, TicketEvent};
use crate::{
    Agent, AgentId, AgentLevel, ClientId, ClientTier, TicketId,
    sla::{Clock, DueStep, Metric, Policy, StepAction},
    text::{Description, Title},
};

/// A short reference for people, such as `TS-1042`. Never repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TicketNumber(i64);

impl TicketNumber {
    /// Wraps the next number of the sequence.
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number without its prefix.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for TicketNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TS-{}", self.0)
    }
}

/// What is needed to open a ticket.
#[derive(Debug, Clone)]
pub struct NewTicket {
    /// A fresh id.
    pub id: TicketId,
    /// A fresh number.
    pub number: TicketNumber,
    /// In a few words.
    pub title: Title,
    /// In full.
    pub description: Description,
    /// How urgent.
    pub priority: Priority,
    /// What people group it by.
    pub tags: Tags,
    /// For whom.
    pub client: ClientId,
    /// The client's tier at this moment.
    pub tier: ClientTier,
    /// The policy that tier and priority choose.
    pub policy: Policy,
}

/// A ticket with its clocks.
///
/// The fields are open so that adapters can store, restore and show a ticket; changes go through the
/// methods, which decide and report what happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Identity.
    pub id: TicketId,
    /// For people.
    pub number: TicketNumber,
    /// Counts the recorded changes from 1; the `ETag`.
    pub version: i64,
    /// In a few words.
    pub title: Title,
    /// In full.
    pub description: Description,
    /// Where it stands.
    pub status: Status,
    /// How urgent.
    pub priority: Priority,
    /// What people group it by.
    pub tags: Tags,
    /// For whom.
    pub client: ClientId,
    /// The client's tier.
    pub tier: ClientTier,
    /// Who works on it.
    pub agent: Option<AgentId>,
    /// How often it was escalated.
    pub level: EscalationLevel,
    /// When it was opened.
    pub created_at: OffsetDateTime,
    /// When it last changed.
    pub updated_at: OffsetDateTime,
    /// When it was resolved; cleared by a reopen.
    pub resolved_at: Option<OffsetDateTime>,
    /// When it was soft-deleted.
    pub deleted_at: Option<OffsetDateTime>,
    /// At most one for each metric.
    pub clocks: Vec<Clock>,
}

pub(super) type Outcome = Result<Decision<Ticket, TicketEvent>, Refusal>;

impl Ticket {
    /// Opens a ticket and starts its clocks.
    pub fn open(new: NewTicket, at: OffsetDateTime) -> Decision<Ticket, TicketEvent> {
        let clocks = [Metric::FirstResponse, Metric::Resolution]
            .into_iter()
            .filter_map(|metric| Some(Clock::start(metric, new.policy.terms(metric)?, at)))
            .collect();
        let ticket = Ticket {
            id: new.id,
            number: new.number,
            version: 1,
            title: new.title,
            description: new.description,
            status: Status::Open,
            priority: new.priority,
            tags: new.tags,
            client: new.client,
            tier: new.tier,
            agent: None,
            level: EscalationLevel::NONE,
            created_at: at,
            updated_at: at,
            resolved_at: None,
            deleted_at: None,
            clocks,
        };
        Decision { state: ticket, events: vec![TicketEvent::Created] }
    }

    /// Moves the ticket by a person's act, which is also its first response.
    pub fn transition(mut self, to: Status, at: OffsetDateTime) -> Outcome {
        let moved = self.move_to(to, at)?;
        self.answer(at);
        Ok(self.changed(at, vec![moved]))
    }

    /// Gives the ticket to an agent, or takes it away. The same agent again changes nothing.
    pub fn assign(mut self, agent: Option<&Agent>, at: OffsetDateTime) -> Outcome {
        if self.status.is_answered() {
            return Err(Refusal::NotAssignable { status: self.status });
        }
        if let Some(agent) = agent {
            if !agent.active {
                return Err(Refusal::AgentInactive(agent.id));
            }
            if self.status == Status::Escalated && agent.level < AgentLevel::FOR_ESCALATED {
                return Err(Refusal::AgentLevelTooLow {
                    agent: agent.id,
                    required: AgentLevel::FOR_ESCALATED,
                });
            }
        }
        let (before, after) = (self.agent, agent.map(|agent| agent.id));
        if before == after {
            return Ok(Decision { state: self, events: Vec::new() });
        }
        self.agent = after;
        Ok(self.changed(at, vec![TicketEvent::Assigned { before, after }]))
    }

    /// Runs the SLA steps that are due. `None` when none is.
    pub fn run_due_steps(mut self, now: OffsetDateTime) -> Option<Decision<Ticket, TicketEvent>> {
        let mut due: Vec<DueStep> = self.clocks.iter_mut().flat_map(|clock| clock.take_due(now)).collect();
        if due.is_empty() {
            return None;
        }
        due.sort_by_key(|step| (step.step_due_at, step.metric));
        let events = due.into_iter().flat_map(|step| self.run_step(step, now)).collect();
        Some(self.changed(now, events))
    }

    /// When the earliest step of any clock is due.
    pub fn next_step_at(&self) -> Option<OffsetDateTime> {
        self.clocks.iter().filter_map(Clock::next_step_at).min()
    }

    /// The earliest deadline that is still to be met, be it past already or standing still.
    pub fn due_at(&self) -> Option<OffsetDateTime> {
        self.clocks.iter().filter(|clock| clock.stopped_at().is_none()).map(|clock| clock.due_at).min()
    }

    /// Whole minutes from creation to resolution, half up.
    pub fn resolution_minutes(&self) -> Option<i64> {
        let resolved = self.resolved_at?;
        Some(((resolved - self.created_at).whole_seconds() + 30).div_euclid(60))
    }

    fn run_step(&mut self, due: DueStep, now: OffsetDateTime) -> Vec<TicketEvent> {
        let level_before = self.level;
        let moved = match due.step.action {
            StepAction::Warn => return vec![TicketEvent::SlaWarned(due)],
            StepAction::NotifySupervisor => None,
            // Where the table has no way to ESCALATED the breach still has to reach a person.
            StepAction::Escalate => self.move_to(Status::Escalated, now).ok(),
        };
        let breached = TicketEvent::SlaBreached {
            due,
            escalated: moved.is_some(),
            needs_supervisor: moved.is_none(),
            level_before,
            level_after: self.level,
        };
        std::iter::once(breached).chain(moved).collect()
    }

    /// The one place where a status changes.
    fn move_to(&mut self, to: Status, at: OffsetDateTime) -> Result<TicketEvent, Refusal> {
        let (from, level_before, resolved_before) = (self.status, self.level, self.resolved_at);
        let allowed = from.allowed(self.level);
        if !allowed.contains(&to) {
            return Err(Refusal::IllegalTransition { from, to, allowed });
        }
        match to {
            Status::Escalated => self.level = self.level.raised().unwrap_or(EscalationLevel::MAX),
            Status::Resolved => self.resolved_at = Some(at),
            Status::Open | Status::InProgress | Status::Waiting => self.resolved_at = None,
            Status::Closed => {}
        }
        for clock in &mut self.clocks {
            if clock.metric == Metric::Resolution {
                match to {
                    Status::Waiting => clock.pause(at),
                    Status::Resolved | Status::Closed => clock.stop(at),
                    Status::Open | Status::InProgress | Status::Escalated if from.is_answered() => {
                        clock.reopen(at);
                    }
                    Status::Open | Status::InProgress | Status::Escalated => clock.resume(at),
                }
            }
        }
        self.status = to;
        Ok(TicketEvent::StatusChanged {
            from,
            to,
            level_before,
            level_after: self.level,
            resolved_before,
            resolved_after: self.resolved_at,
        })
    }

    /// A person has said or done something: the first response, if there was none before.
    pub(super) fn answer(&mut self, at: OffsetDateTime) {
        for clock in &mut self.clocks {
            if clock.metric == Metric::FirstResponse {
                clock.stop(at);
            }
        }
    }

    pub(super) fn changed(
        mut self,
        at: OffsetDateTime,
        events: Vec<TicketEvent>,
    ) -> Decision<Ticket, TicketEvent> {
        self.version += 1;
        self.updated_at = at;
        Decision { state: self, events }
    }
}
