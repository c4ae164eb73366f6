//! The resolution clock: waiting, resolving, and what a reopened ticket still owes.

use techsupport_domain::{
    sla::{ClockState, Metric, Offset, StepAction},
    ticket::{Status, Ticket, TicketEvent},
};

use crate::build::{self, breach, clock, minute, moved, policy, step, target};

/// Two hours to resolve, a warning at half of them, one further step an hour after the breach.
fn ticket() -> Ticket {
    let steps = [
        step(-1, Offset::Percent(50), StepAction::Warn),
        breach(StepAction::NotifySupervisor),
        step(1, Offset::Minutes(60), StepAction::Escalate),
    ];
    build::open(policy(vec![target(Metric::Resolution, 120, &steps)]))
}

fn resolution(ticket: &Ticket) -> ClockState {
    clock(ticket, Metric::Resolution).state()
}

fn keys(events: &[TicketEvent]) -> Vec<(u16, i16)> {
    events
        .iter()
        .filter_map(|event| match event {
            TicketEvent::SlaWarned(due) | TicketEvent::SlaBreached { due, .. } => {
                Some((due.cycle, due.step.key.get()))
            }
            TicketEvent::Created
            | TicketEvent::StatusChanged { .. }
            | TicketEvent::Assigned { .. }
            | TicketEvent::Edited(_)
            | TicketEvent::Commented(_)
            | TicketEvent::Deleted
            | TicketEvent::Restored => None,
        })
        .collect()
}

#[test]
fn time_spent_waiting_for_the_client_is_not_counted() {
    let working = moved(ticket(), Status::InProgress, minute(10));
    let waiting = moved(working, Status::Waiting, minute(30));
    assert_eq!(resolution(&waiting), ClockState::Paused);
    assert_eq!(waiting.next_step_at(), None);
    assert!(waiting.clone().run_due_steps(minute(10_000)).is_none());
    let again = moved(waiting, Status::InProgress, minute(1_030));
    assert_eq!(again.next_step_at(), Some(minute(1_060)), "the warning, at 60 counted minutes");
    assert_eq!(clock(&again, Metric::Resolution).due_at, minute(1_120));
}

#[test]
fn a_ticket_may_be_resolved_while_it_waits() {
    let waiting = moved(moved(ticket(), Status::InProgress, minute(10)), Status::Waiting, minute(30));
    let resolved = moved(waiting, Status::Resolved, minute(500));
    assert_eq!(resolution(&resolved), ClockState::Met);
    assert_eq!(resolved.resolution_minutes(), Some(500));
    let again = moved(resolved, Status::InProgress, minute(600));
    assert_eq!(clock(&again, Metric::Resolution).due_at, minute(690), "30 of 120 minutes are used up");
    assert_eq!(again.resolved_at, None);
    assert_eq!(again.resolution_minutes(), None);
}

#[test]
fn reopened_in_time_the_same_cycle_goes_on_and_the_warning_is_not_repeated() {
    let warned = moved(ticket(), Status::InProgress, minute(10)).run_due_steps(minute(60)).unwrap();
    assert_eq!(keys(&warned.events), [(1, -1)]);
    assert_eq!(resolution(&warned.state), ClockState::Warned);
    let resolved = moved(warned.state, Status::Resolved, minute(100));
    let again = moved(resolved, Status::InProgress, minute(1_000));
    assert_eq!(resolution(&again), ClockState::Warned);
    let breached = again.run_due_steps(minute(1_020)).unwrap();
    assert_eq!(keys(&breached.events), [(1, 0)]);
}

#[test]
fn reopened_after_a_breach_the_old_deadline_passes_anew_in_a_new_cycle() {
    let late = moved(ticket(), Status::InProgress, minute(10)).run_due_steps(minute(130)).unwrap();
    assert_eq!(keys(&late.events), [(1, -1), (1, 0)]);
    let resolved = moved(late.state, Status::Resolved, minute(140));
    assert_eq!(resolution(&resolved), ClockState::Breached);
    let again = moved(resolved, Status::InProgress, minute(1_000));
    assert_eq!(clock(&again, Metric::Resolution).cycle, 2);
    assert_eq!(clock(&again, Metric::Resolution).due_at, minute(120), "going on does not move the past");
    assert_eq!(again.next_step_at(), Some(minute(1_000)));
    let second = again.run_due_steps(minute(1_000)).unwrap();
    assert!(keys(&second.events).contains(&(2, 0)));
    assert!(!keys(&second.events).contains(&(2, 1)), "the hour after the breach is not over");
    assert_eq!(second.state.next_step_at(), Some(minute(1_040)), "140 of 180 minutes were used up");
}

#[test]
fn closing_keeps_the_resolution() {
    let resolved = moved(moved(ticket(), Status::InProgress, minute(1)), Status::Resolved, minute(42));
    let closed = moved(resolved, Status::Closed, minute(4_000));
    assert_eq!(closed.resolved_at, Some(minute(42)));
    assert_eq!(closed.resolution_minutes(), Some(42));
    assert_eq!(clock(&closed, Metric::Resolution).stopped_at(), Some(minute(42)));
    assert_eq!(Status::Closed.allowed(closed.level), []);
}

#[test]
fn minutes_to_resolution_are_rounded_half_up() {
    for (seconds, minutes) in [(0, 0), (29, 0), (30, 1), (89, 1), (90, 2), (7_229, 120), (7_230, 121)] {
        let at = build::START + time::Duration::seconds(seconds);
        let resolved = moved(moved(ticket(), Status::InProgress, at), Status::Resolved, at);
        assert_eq!(resolved.resolution_minutes(), Some(minutes), "{seconds} s");
    }
}
