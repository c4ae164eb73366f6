//! Other terms for a ticket that is under way: what stays, what moves, what passes at once.

use techsupport_domain::{
    ClientTier, PolicyVersionId,
    sla::{ClockState, Metric, Offset, Policy, StepAction, default_policy},
    ticket::{Edit, Priority, Status, Ticket, TicketEvent},
};
use uuid::Uuid;

use crate::build::{self, breach, clock, minute, moved, policy, step, target};

fn default(tier: ClientTier) -> Policy {
    default_policy(PolicyVersionId::new(Uuid::from_u128(9)), tier)
}

/// A warning at half of it, the breach, and one more step an hour later.
fn resolve_within(minutes: i64) -> Policy {
    let steps = [
        step(-1, Offset::Percent(50), StepAction::Warn),
        breach(StepAction::NotifySupervisor),
        step(1, Offset::Minutes(60), StepAction::NotifySupervisor),
    ];
    policy(vec![target(Metric::Resolution, minutes, &steps)])
}

fn to_priority(ticket: Ticket, policy: &Policy, at: i64) -> Ticket {
    let other = Priority::parse(i64::from(ticket.priority.get() % 4) + 1).unwrap();
    let edit = Edit { priority: Some((other, policy.clone())), ..Edit::default() };
    ticket.edit(edit, minute(at)).state
}

fn ran(ticket: &Ticket, at: i64) -> Vec<i16> {
    let events = ticket.clone().run_due_steps(minute(at)).map(|decision| decision.events).unwrap_or_default();
    let key = |event: &TicketEvent| match event {
        TicketEvent::SlaWarned(due) | TicketEvent::SlaBreached { due, .. } => Some(due.step.key.get()),
        TicketEvent::Created
        | TicketEvent::Edited(_)
        | TicketEvent::StatusChanged { .. }
        | TicketEvent::Assigned { .. }
        | TicketEvent::Commented(_)
        | TicketEvent::Deleted
        | TicketEvent::Restored => None,
    };
    events.iter().filter_map(key).collect()
}

#[test]
fn a_client_who_becomes_a_vip_after_three_hours_has_waited_too_long_already() {
    let ticket = build::open(default(ClientTier::Normal));
    let normal = ticket.clone().reclassify(ClientTier::Normal, &default(ClientTier::Normal), minute(180));
    assert_eq!(normal.events.len(), 1, "the test's ticket is opened for a VIP client");
    let vip = normal.state.reclassify(ClientTier::Vip, &default(ClientTier::Vip), minute(180)).state;
    assert_eq!(clock(&vip, Metric::FirstResponse).due_at, minute(120), "two hours after it was opened");
    assert_eq!(ran(&vip, 180), [0]);
}

#[test]
fn a_client_who_is_no_vip_any_more_has_the_rest_of_a_day() {
    let ticket = build::open(default(ClientTier::Vip));
    let normal = ticket.reclassify(ClientTier::Normal, &default(ClientTier::Normal), minute(60)).state;
    assert_eq!(normal.next_step_at(), Some(minute(1_440)));
    assert_eq!(clock(&normal, Metric::FirstResponse).terms.target.get(), 1_440);
}

#[test]
fn time_spent_waiting_stays_uncounted_under_other_terms() {
    let working = moved(build::open(resolve_within(600)), Status::InProgress, minute(10));
    let waiting = moved(working, Status::Waiting, minute(30));
    let hurried = to_priority(waiting, &resolve_within(120), 500);
    assert_eq!(clock(&hurried, Metric::Resolution).state(), ClockState::Paused);
    assert_eq!(clock(&hurried, Metric::Resolution).due_at, minute(120));
    let again = moved(hurried, Status::InProgress, minute(1_030));
    assert_eq!(clock(&again, Metric::Resolution).due_at, minute(1_120), "30 of 120 minutes are used up");
}

#[test]
fn what_ran_in_a_cycle_does_not_run_again_when_the_deadline_moves() {
    let breached = build::open(resolve_within(60)).run_due_steps(minute(70)).unwrap().state;
    let relaxed = to_priority(breached, &resolve_within(600), 80);
    assert_eq!(clock(&relaxed, Metric::Resolution).state(), ClockState::Breached);
    assert_eq!(ran(&relaxed, 659), [], "warning and breach are history");
    assert_eq!(ran(&relaxed, 660), [1], "the step an hour after the new deadline is not");
    let hurried = to_priority(relaxed, &resolve_within(30), 90);
    assert_eq!(ran(&hurried, 90), [1]);
}

#[test]
fn an_answer_given_under_the_old_terms_stays_what_it_was() {
    let answered = moved(build::open(default(ClientTier::Normal)), Status::InProgress, minute(600));
    let vip = answered.reclassify(ClientTier::Normal, &default(ClientTier::Vip), minute(700)).state;
    let clock = clock(&vip, Metric::FirstResponse);
    assert_eq!((clock.state(), clock.terms.target.get()), (ClockState::Met, 1_440));
}

#[test]
fn a_metric_that_is_promised_for_the_first_time_counts_from_then_on() {
    let ticket = build::open(default(ClientTier::Vip));
    let promised = to_priority(ticket, &resolve_within(120), 50);
    assert_eq!(clock(&promised, Metric::Resolution).started_at, minute(50));
    assert_eq!(clock(&promised, Metric::Resolution).due_at, minute(170));
    // The policy says nothing about the first response: what was promised stays promised.
    assert_eq!(clock(&promised, Metric::FirstResponse).due_at, minute(120));
}

#[test]
fn a_first_response_is_not_promised_to_somebody_who_has_one() {
    let working = moved(build::open(resolve_within(600)), Status::InProgress, minute(10));
    let vip = to_priority(working, &default(ClientTier::Vip), 20);
    assert!(vip.clocks.iter().all(|clock| clock.metric == Metric::Resolution));
}

#[test]
fn a_resolved_ticket_comes_under_other_terms_when_it_is_reopened() {
    let working = moved(build::open(resolve_within(600)), Status::InProgress, minute(10));
    let resolved = moved(working, Status::Resolved, minute(100));
    let urgent = to_priority(resolved, &resolve_within(120), 200);
    assert_eq!(clock(&urgent, Metric::Resolution).terms.target.get(), 600, "it met what it was promised");
    let again = urgent.reopen(ClientTier::Vip, &resolve_within(120), minute(1_000)).unwrap().state;
    assert_eq!(clock(&again, Metric::Resolution).due_at, minute(1_020), "100 of 120 minutes are used up");
}

#[test]
fn restored_a_ticket_goes_on_where_it_stood_under_what_is_promised_by_then() {
    let working = moved(build::open(resolve_within(600)), Status::InProgress, minute(10));
    let deleted = working.delete(minute(40)).state;
    let back = deleted.clone().restore(ClientTier::Vip, &resolve_within(600), minute(5_000)).state;
    assert_eq!(clock(&back, Metric::Resolution).due_at, minute(5_560));
    let hurried = deleted.restore(ClientTier::Vip, &resolve_within(30), minute(5_000)).state;
    assert_eq!(ran(&hurried, 5_000), [-1, 0]);
    let unchanged = back.clone().restore(ClientTier::Vip, &resolve_within(30), minute(6_000));
    assert_eq!((unchanged.events.len(), unchanged.state), (0, back), "it was not away");
}

#[test]
fn restored_a_ticket_still_waits_for_the_client() {
    let working = moved(build::open(resolve_within(600)), Status::InProgress, minute(10));
    let waiting = moved(working, Status::Waiting, minute(40));
    let back =
        waiting.delete(minute(50)).state.restore(ClientTier::Vip, &resolve_within(600), minute(500)).state;
    assert_eq!(clock(&back, Metric::Resolution).state(), ClockState::Paused);
    assert_eq!(back.next_step_at(), None);
}

#[test]
fn a_public_comment_is_an_answer_and_no_new_version() {
    let ticket = build::open(default(ClientTier::Vip));
    let internal = ticket.comment(build::comment("INTERNAL"), minute(5)).state;
    assert_eq!(clock(&internal, Metric::FirstResponse).state(), ClockState::Running);
    let public = internal.comment(build::comment("PUBLIC"), minute(6)).state;
    assert_eq!(clock(&public, Metric::FirstResponse).stopped_at(), Some(minute(6)));
    assert_eq!((public.version, public.updated_at), (1, build::START));
}
