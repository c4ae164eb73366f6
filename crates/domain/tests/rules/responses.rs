//! When the first-response clock stops, and what a breach does to the ticket.

use techsupport_domain::ClientTier;
use techsupport_domain::{
    PolicyVersionId,
    sla::{ClockState, Metric, Offset, StepAction, default_policy},
    ticket::{Status, Ticket, TicketEvent},
};
use uuid::Uuid;

use crate::build::{self, TICK, agent, breach, clock, minute, moved, policy, step, target};

fn default_ticket(tier: ClientTier) -> Ticket {
    build::open(default_policy(PolicyVersionId::new(Uuid::from_u128(9)), tier))
}

fn first_response(ticket: &Ticket) -> ClockState {
    clock(ticket, Metric::FirstResponse).state()
}

#[test]
fn a_person_who_answers_in_the_last_microsecond_meets_the_target() {
    let ticket = default_ticket(ClientTier::Vip);
    assert_eq!(ticket.next_step_at(), Some(minute(120)));
    assert!(ticket.clone().run_due_steps(minute(120) - TICK).is_none());
    let answered = moved(ticket, Status::InProgress, minute(120) - TICK);
    assert_eq!(first_response(&answered), ClockState::Met);
    assert_eq!(answered.next_step_at(), None);
    assert!(answered.run_due_steps(minute(100_000)).is_none());
}

#[test]
fn a_vip_ticket_escalates_by_itself_and_its_clock_goes_on_until_a_person_acts() {
    let breached = default_ticket(ClientTier::Vip).run_due_steps(minute(120)).unwrap();
    assert_eq!(breached.state.status, Status::Escalated);
    assert_eq!(breached.state.level.get(), 1);
    assert!(matches!(
        breached.events.as_slice(),
        [
            TicketEvent::SlaBreached { escalated: true, needs_supervisor: false, .. },
            TicketEvent::StatusChanged { from: Status::Open, to: Status::Escalated, .. },
        ]
    ));
    assert_eq!(clock(&breached.state, Metric::FirstResponse).stopped_at(), None);
    let answered = moved(breached.state, Status::InProgress, minute(150));
    assert_eq!(first_response(&answered), ClockState::Breached);
    assert_eq!(clock(&answered, Metric::FirstResponse).stopped_at(), Some(minute(150)));
}

#[test]
fn a_normal_ticket_stays_where_it_is_and_a_supervisor_is_told() {
    let breached = default_ticket(ClientTier::Normal).run_due_steps(minute(1_440)).unwrap();
    assert_eq!(breached.state.status, Status::Open);
    assert_eq!(breached.state.level.get(), 0);
    assert!(matches!(
        breached.events.as_slice(),
        [TicketEvent::SlaBreached { escalated: false, needs_supervisor: true, .. }]
    ));
}

#[test]
fn being_assigned_is_no_answer() {
    let ticket = default_ticket(ClientTier::Vip);
    let assigned = ticket.assign(Some(&agent(7, 1, true)), minute(5)).unwrap().state;
    assert_eq!(first_response(&assigned), ClockState::Running);
    assert_eq!(assigned.next_step_at(), Some(minute(120)));
}

#[test]
fn the_agent_of_a_ticket_that_escalates_beyond_the_agents_level_stays() {
    let junior = agent(7, 1, true);
    let assigned = default_ticket(ClientTier::Vip).assign(Some(&junior), minute(5)).unwrap().state;
    let escalated = assigned.run_due_steps(minute(120)).unwrap().state;
    assert_eq!(escalated.agent, Some(junior.id));
}

#[test]
fn a_breach_that_cannot_escalate_any_further_reaches_a_supervisor() {
    let steps: Vec<_> = (1..=4)
        .map(|n| step(n, Offset::Minutes(i32::from(n) * 60), StepAction::Escalate))
        .chain([breach(StepAction::Escalate)])
        .collect();
    let mut ticket = build::open(policy(vec![target(Metric::Resolution, 60, &steps)]));
    let mut told = Vec::new();
    for hour in 1..=5 {
        let decision = ticket.run_due_steps(minute(hour * 60)).unwrap();
        let breached = decision.events.iter().find_map(|event| match event {
            TicketEvent::SlaBreached { escalated, needs_supervisor, level_after, .. } => {
                Some((*escalated, *needs_supervisor, level_after.get()))
            }
            TicketEvent::Created
            | TicketEvent::StatusChanged { .. }
            | TicketEvent::Assigned { .. }
            | TicketEvent::Edited(_)
            | TicketEvent::Commented(_)
            | TicketEvent::Deleted
            | TicketEvent::Restored
            | TicketEvent::SlaWarned(_) => None,
        });
        told.push(breached.unwrap());
        ticket = decision.state;
    }
    assert_eq!(
        told,
        [(true, false, 1), (true, false, 2), (true, false, 3), (false, true, 3), (false, true, 3)]
    );
    assert_eq!(ticket.next_step_at(), None);
}
