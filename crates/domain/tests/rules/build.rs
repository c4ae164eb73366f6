//! What a test needs before it can begin.

use std::sync::Arc;

use techsupport_domain::{
    Agent, AgentId, AgentLevel, ClientId, ClientTier, CommentId, PolicyVersionId, TicketId,
    sla::{Calendar, Clock, Metric, Offset, Policy, Step, StepAction, StepKey, Target, TargetMinutes},
    text::{CommentBody, Description, Email, PersonName, Title},
    ticket::{Comment, NewTicket, Priority, Status, Tags, Ticket, TicketNumber, Visibility},
};
use time::{Duration, OffsetDateTime, macros::datetime};
use uuid::Uuid;

/// When every test begins; not on a round second, so that nobody rounds unnoticed.
pub const START: OffsetDateTime = datetime!(2026-02-12 20:45:23.123_457 UTC);

/// The instant this many minutes after [`START`].
pub fn minute(minutes: i64) -> OffsetDateTime {
    START + Duration::minutes(minutes)
}

/// The least difference between two instants that PostgreSQL can store.
pub const TICK: Duration = Duration::MICROSECOND;

pub fn step(key: i16, offset: Offset, action: StepAction) -> Step {
    Step { key: StepKey::new(key), offset, action }
}

pub fn breach(action: StepAction) -> Step {
    step(0, Offset::Minutes(0), action)
}

pub fn target(metric: Metric, minutes: i64, steps: &[Step]) -> Target {
    Target { metric, minutes: TargetMinutes::parse(minutes).unwrap(), steps: Arc::from(steps) }
}

pub fn policy(targets: Vec<Target>) -> Policy {
    Policy::new(PolicyVersionId::new(Uuid::from_u128(9)), Calendar::AlwaysOpen, targets).unwrap()
}

/// A ticket opened at [`START`] under this policy.
pub fn open(policy: Policy) -> Ticket {
    let new = NewTicket {
        id: TicketId::new(Uuid::from_u128(1)),
        number: TicketNumber::new(1_042),
        title: Title::parse("The printer is on fire").unwrap(),
        description: Description::parse("Smoke since nine o'clock.").unwrap(),
        priority: Priority::default(),
        tags: Tags::default(),
        client: ClientId::new(Uuid::from_u128(2)),
        tier: ClientTier::Vip,
        policy,
    };
    Ticket::open(new, START).state
}

pub fn agent(id: u128, level: i64, active: bool) -> Agent {
    Agent {
        id: AgentId::new(Uuid::from_u128(id)),
        name: PersonName::parse("Ana").unwrap(),
        email: Email::parse("ana@example.org").unwrap(),
        level: AgentLevel::parse(level).unwrap(),
        active,
        user: None,
    }
}

pub fn comment(visibility: &str) -> Comment {
    Comment {
        id: CommentId::new(Uuid::from_u128(3)),
        body: CommentBody::parse("We are on our way.").unwrap(),
        visibility: Visibility::parse(visibility).unwrap(),
    }
}

/// Moves the ticket or fails the test.
pub fn moved(ticket: Ticket, to: Status, at: OffsetDateTime) -> Ticket {
    ticket.transition(to, at).unwrap().state
}

pub fn clock(ticket: &Ticket, metric: Metric) -> &Clock {
    ticket.clocks.iter().find(|clock| clock.metric == metric).unwrap()
}
