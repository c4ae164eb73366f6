//! Edits, comments, deletion and return: what is compared, and what happens in the same transaction.

use techsupport_application::{
    AppError, Entity, TicketChange,
    ports::UnitOfWorkExt,
    tickets::{
        ChangeStatus, EditTicket, Expected, Remark, add_comment, assign_ticket, change_status, delete_ticket,
        edit_ticket, reclassify, restore_ticket,
    },
};
use techsupport_domain::{
    ClientTier, PolicyVersionId, TicketId,
    sla::{ClockState, Metric, Policy, TargetMinutes, default_policy},
    text::{CommentBody, Title},
    ticket::{Priority, Status, Tags, Ticket, Visibility},
};
use uuid::Uuid;

use crate::commands::{deletion, edit, restoration, saying, to_agent, to_priority, to_status};
use crate::fakes::{Desk, HOUR};

/// What happened, change by change, and by whom.
pub fn told(desk: &Desk) -> Vec<String> {
    let named = |change: &TicketChange| {
        let who = if change.actor().user().is_some() { "USER" } else { "SYSTEM" };
        let actions: Vec<&str> = change.timeline().iter().map(|entry| entry.action.name()).collect();
        format!("{who} {}", actions.join("+"))
    };
    desk.store().recorded.iter().map(named).collect()
}

fn strict() -> Policy {
    default_policy(PolicyVersionId::new(Uuid::from_u128(10)), ClientTier::Vip)
}

fn remark(visibility: Visibility) -> Remark {
    Remark { body: CommentBody::parse("We are on our way.").unwrap(), visibility }
}

fn first_response(ticket: &Ticket) -> ClockState {
    ticket.clocks.iter().find(|clock| clock.metric == Metric::FirstResponse).unwrap().state()
}

#[test]
fn an_edit_that_changes_nothing_writes_nothing() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Normal);
    let before = desk.stored(ticket);
    let same = EditTicket {
        title: Some(before.title.clone()),
        priority: Some(before.priority),
        tags: Some(Tags::default()),
        ..edit(ticket)
    };
    assert_eq!(edit_ticket(desk.ctx(), &same).unwrap(), before);
    assert_eq!(told(&desk), [""; 0]);
}

/// A stricter promise whose deadline has passed is broken at once, once, and nobody sees the ticket in between.
#[test]
fn a_deadline_that_has_passed_by_the_new_terms_is_breached_in_the_same_transaction() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Normal);
    desk.store().policies.insert((ClientTier::Normal, Priority::parse(1).unwrap()), strict());
    desk.pass(HOUR * 3);
    let edited = edit_ticket(desk.ctx(), &to_priority(ticket, 1)).unwrap();
    assert_eq!((edited.status, edited.version), (Status::Escalated, 3));
    assert_eq!(first_response(&edited), ClockState::Breached);
    assert_eq!(told(&desk), ["USER EDITED", "SYSTEM SLA_BREACHED+STATUS_CHANGED"]);
}

#[test]
fn a_new_title_leaves_the_terms_alone() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Normal);
    // Another policy is in force by now, for tickets that are opened from now on.
    desk.store().policy = Some(strict());
    desk.pass(HOUR * 3);
    let renamed = EditTicket { title: Some(Title::parse("Smoke").unwrap()), ..edit(ticket) };
    assert_eq!(first_response(&edit_ticket(desk.ctx(), &renamed).unwrap()), ClockState::Running);
}

#[test]
fn a_stale_version_is_refused_and_nothing_is_changed() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Normal);
    let before = desk.stored(ticket);
    for expected in [Expected::OneOf(vec![]), Expected::OneOf(vec![2, 7])] {
        let moved = ChangeStatus { expected: expected.clone(), ..to_status(ticket, Status::InProgress) };
        assert!(matches!(change_status(desk.ctx(), &moved), Err(AppError::Stale)));
        // Before what the rules would say.
        let illegal = ChangeStatus { expected, ..to_status(ticket, Status::Closed) };
        assert!(matches!(change_status(desk.ctx(), &illegal), Err(AppError::Stale)));
    }
    assert_eq!(desk.stored(ticket), before);
    let fresh =
        ChangeStatus { expected: Expected::OneOf(vec![9, 1]), ..to_status(ticket, Status::InProgress) };
    assert_eq!(change_status(desk.ctx(), &fresh).unwrap().version, 2);
    let gone = TicketId::new(Uuid::from_u128(404));
    let missing = ChangeStatus { expected: Expected::OneOf(vec![1]), ..to_status(gone, Status::InProgress) };
    assert!(matches!(change_status(desk.ctx(), &missing), Err(AppError::NotFound(Entity::Ticket))));
}

/// Whether a sweep came before the caller or not, the version from before the breach is stale, and the breach is there
/// to be read afterwards.
#[test]
fn a_version_from_before_an_unnoticed_breach_is_stale_and_the_breach_is_kept() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Vip);
    desk.pass(HOUR * 2);
    let expected = Expected::OneOf(vec![1]);
    let late = ChangeStatus { expected, ..to_status(ticket, Status::InProgress) };
    assert!(matches!(change_status(desk.ctx(), &late), Err(AppError::Stale)));
    assert_eq!(told(&desk), ["SYSTEM SLA_BREACHED+STATUS_CHANGED"]);
    let again = ChangeStatus { expected: Expected::OneOf(vec![desk.stored(ticket).version]), ..late };
    assert_eq!(change_status(desk.ctx(), &again).unwrap().status, Status::InProgress);
}

#[test]
fn a_public_comment_answers_and_leaves_the_version_alone() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Vip);
    let internal = saying(ticket, remark(Visibility::Internal));
    add_comment(desk.ctx(), &internal).unwrap();
    assert_eq!(first_response(&desk.stored(ticket)), ClockState::Running);
    let public = saying(ticket, remark(Visibility::Public));
    let row = add_comment(desk.ctx(), &public).unwrap();
    assert_eq!(
        (row.ticket, row.body.as_str(), row.visibility),
        (ticket, "We are on our way.", Visibility::Public)
    );
    let stored = desk.stored(ticket);
    assert_eq!((first_response(&stored), stored.version), (ClockState::Met, 1));
    assert_eq!(told(&desk), ["USER COMMENTED", "USER COMMENTED"]);
}

#[test]
fn a_comment_that_comes_too_late_tells_of_the_breach_first() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Vip);
    desk.pass(HOUR * 2);
    add_comment(desk.ctx(), &saying(ticket, remark(Visibility::Public))).unwrap();
    assert_eq!(first_response(&desk.stored(ticket)), ClockState::Breached);
    assert_eq!(told(&desk), ["SYSTEM SLA_BREACHED+STATUS_CHANGED", "USER COMMENTED"]);
}

#[test]
fn a_move_and_its_comment_are_one_change_in_this_order() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Normal);
    let comment = Some(remark(Visibility::Internal));
    let illegal = ChangeStatus { comment: comment.clone(), ..to_status(ticket, Status::Closed) };
    assert!(change_status(desk.ctx(), &illegal).is_err());
    let moved = ChangeStatus { comment, ..to_status(ticket, Status::InProgress) };
    assert_eq!(change_status(desk.ctx(), &moved).unwrap().version, 2);
    assert_eq!(told(&desk), ["USER STATUS_CHANGED+COMMENTED"]);
}

#[test]
fn a_ticket_comes_back_from_deletion_and_the_time_away_does_not_count() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Vip);
    desk.pass(HOUR);
    delete_ticket(desk.ctx(), &deletion(ticket)).unwrap();
    desk.pass(HOUR * 100);
    let back = restore_ticket(desk.ctx(), &restoration(ticket)).unwrap();
    assert_eq!((back.version, back.deleted_at), (3, None));
    assert_eq!(back.next_step_at(), Some(desk.store().now + HOUR));
    // Asking again does no harm.
    assert_eq!(restore_ticket(desk.ctx(), &restoration(ticket)).unwrap(), back);
    assert_eq!(told(&desk), ["USER DELETED", "USER RESTORED"]);
    let missing = restore_ticket(desk.ctx(), &restoration(TicketId::new(Uuid::from_u128(404))));
    assert!(matches!(missing, Err(AppError::NotFound(Entity::Ticket))));
}

#[test]
fn a_reopened_ticket_comes_under_what_is_in_force_by_then() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Normal);
    change_status(desk.ctx(), &to_status(ticket, Status::InProgress)).unwrap();
    change_status(desk.ctx(), &to_status(ticket, Status::Resolved)).unwrap();
    desk.store().policy = Some(crate::golden::stepped());
    let again = change_status(desk.ctx(), &to_status(ticket, Status::InProgress)).unwrap();
    assert!(again.clocks.iter().any(|clock| clock.metric == Metric::Resolution));
}

/// The clock has counted three hours, and by now less is promised.
#[test]
fn a_deadline_that_has_passed_when_a_ticket_is_reopened_is_breached_in_the_same_transaction() {
    let desk = Desk::new();
    let tight = crate::golden::stepped();
    let mut loose = tight.clone();
    loose.targets[0].minutes = TargetMinutes::parse(1_440).unwrap();
    desk.store().policy = Some(loose);
    let ticket = desk.ticket(ClientTier::Normal);
    change_status(desk.ctx(), &to_status(ticket, Status::InProgress)).unwrap();
    desk.pass(HOUR * 3);
    change_status(desk.ctx(), &to_status(ticket, Status::Resolved)).unwrap();
    desk.store().recorded.clear();
    desk.store().policy = Some(tight);
    let again = change_status(desk.ctx(), &to_status(ticket, Status::InProgress)).unwrap();
    assert_eq!(desk.stored(ticket), again);
    let clock = again.clocks.iter().find(|clock| clock.metric == Metric::Resolution).unwrap();
    assert_eq!(clock.state(), ClockState::Breached);
    assert_eq!(again.status, Status::Escalated);
    let due = "SYSTEM SLA_WARNED+SLA_WARNED+SLA_BREACHED+SLA_ESCALATED+STATUS_CHANGED";
    assert_eq!(told(&desk), ["USER STATUS_CHANGED", due]);
}

#[test]
fn a_new_type_of_a_client_reaches_every_unresolved_ticket_once() {
    let desk = Desk::new();
    let first = desk.ticket(ClientTier::Normal);
    let client = desk.stored(first).client;
    let of_client = |count: usize| -> Vec<TicketId> {
        let tickets: Vec<TicketId> = (0..count).map(|_| desk.ticket(ClientTier::Normal)).collect();
        for id in &tickets {
            desk.store().tickets.get_mut(id).unwrap().client = client;
        }
        tickets
    };
    // More than are locked at once.
    let unresolved = of_client(250);
    let resolved = of_client(1)[0];
    let other = desk.ticket(ClientTier::Normal);
    let agent = desk.agent(1, true);
    assign_ticket(desk.ctx(), &to_agent(first, Some(agent))).unwrap();
    change_status(desk.ctx(), &to_status(resolved, Status::InProgress)).unwrap();
    change_status(desk.ctx(), &to_status(resolved, Status::Resolved)).unwrap();
    desk.store().recorded.clear();
    desk.pass(HOUR * 3);
    let ctx = desk.ctx();
    ctx.work
        .run_for(&ctx.call.budget, |tx| reclassify(ctx, tx, client, ClientTier::Normal, ClientTier::Vip))
        .unwrap();
    for id in unresolved.iter().chain([&first]) {
        let ticket = desk.stored(*id);
        assert_eq!((ticket.tier, ticket.status), (ClientTier::Vip, Status::Escalated));
    }
    assert_eq!(desk.stored(resolved).tier, ClientTier::Normal, "the fake keeps the tier in the ticket");
    assert_eq!(desk.stored(other).version, 1);
    let told = told(&desk);
    let count = |what: &str| told.iter().filter(|line| *line == what).count();
    assert_eq!((count("USER EDITED"), count("SYSTEM SLA_BREACHED+STATUS_CHANGED")), (251, 251));
    assert_eq!(told.len(), 502);
}
