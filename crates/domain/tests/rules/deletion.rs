//! A deleted ticket owes nobody anything.

use techsupport_domain::{ClientTier, sla::default_policy};
use techsupport_domain::{
    PolicyVersionId,
    sla::{ClockState, Metric, Offset, StepAction},
    ticket::{Ticket, TicketEvent},
};
use uuid::Uuid;

use crate::build::{self, TICK, breach, clock, minute, policy, step, target};

fn both_metrics() -> Ticket {
    let steps = [step(-1, Offset::Minutes(-10), StepAction::Warn), breach(StepAction::Escalate)];
    build::open(policy(vec![
        target(Metric::FirstResponse, 60, &steps),
        target(Metric::Resolution, 120, &steps),
    ]))
}

#[test]
fn a_deleted_ticket_never_breaches() {
    let deleted = both_metrics().delete(minute(60) - TICK);
    assert_eq!(deleted.events, [TicketEvent::Deleted]);
    assert_eq!(deleted.state.next_step_at(), None);
    assert!(deleted.state.run_due_steps(minute(1_000_000)).is_none());
}

#[test]
fn what_was_used_up_before_the_deletion_stays_used_up() {
    let deleted = both_metrics().delete(minute(40)).state;
    for metric in [Metric::FirstResponse, Metric::Resolution] {
        assert_eq!(clock(&deleted, metric).state(), ClockState::Paused);
        assert_eq!(clock(&deleted, metric).elapsed(minute(500)), time::Duration::minutes(40));
    }
}

#[test]
fn a_breach_stays_visible_on_a_deleted_ticket() {
    let version = PolicyVersionId::new(Uuid::from_u128(9));
    let breached = build::open(default_policy(version, ClientTier::Vip)).run_due_steps(minute(120)).unwrap();
    let deleted = breached.state.delete(minute(130)).state;
    assert_eq!(clock(&deleted, Metric::FirstResponse).state(), ClockState::Breached);
}
