//! The road every change takes.

use techsupport_application::{
    AppError, Entity, TicketChange, TimelineAction,
    tickets::{assign_ticket, change_status, delete_ticket, open_ticket},
};
use techsupport_domain::{
    AgentId, ClientId, ClientTier, TicketId,
    sla::{ClockState, Metric},
    ticket::{Refusal, Status},
};

use crate::commands::{deletion, opening, to_agent, to_status};
use crate::fakes::{Desk, HOUR, new_id};

fn actions(desk: &Desk) -> Vec<(String, &'static str)> {
    let store = desk.store();
    let named = |change: &TicketChange| {
        let actor = if change.actor().user().is_some() { "USER" } else { "SYSTEM" };
        let actions: Vec<&str> = change.timeline().iter().map(|entry| entry.action.name()).collect();
        (actions.join("+"), actor)
    };
    store.recorded.iter().map(named).collect()
}

#[test]
fn a_person_who_answers_a_second_too_late_does_not_make_the_breach_disappear() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Vip);
    desk.pass(HOUR * 2 + time::Duration::SECOND);
    let answered = change_status(desk.ctx(), &to_status(ticket, Status::InProgress)).unwrap();
    assert_eq!(answered.status, Status::InProgress);
    assert_eq!(answered.level.get(), 1);
    assert_eq!(answered.version, 3);
    let clock = answered.clocks.iter().find(|clock| clock.metric == Metric::FirstResponse).unwrap();
    assert_eq!(clock.state(), ClockState::Breached);
    assert_eq!(
        actions(&desk),
        [("SLA_BREACHED+STATUS_CHANGED".to_owned(), "SYSTEM"), ("STATUS_CHANGED".to_owned(), "USER"),]
    );
}

#[test]
fn a_late_person_who_is_refused_still_brings_the_breach_to_light() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Vip);
    desk.pass(HOUR * 3);
    let refused = change_status(desk.ctx(), &to_status(ticket, Status::Closed));
    assert!(matches!(
        refused,
        Err(AppError::Refused(Refusal::IllegalTransition { from: Status::Escalated, .. }))
    ));
    assert_eq!(desk.stored(ticket).status, Status::Escalated, "or nobody could see why");
    assert_eq!(actions(&desk), [("SLA_BREACHED+STATUS_CHANGED".to_owned(), "SYSTEM")]);
}

#[test]
fn a_late_person_who_changes_nothing_still_brings_the_breach_to_light() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Normal);
    desk.pass(HOUR * 25);
    assign_ticket(desk.ctx(), &to_agent(ticket, None)).unwrap();
    assert_eq!(actions(&desk), [("SLA_BREACHED".to_owned(), "SYSTEM")]);
}

#[test]
fn deleting_a_ticket_too_late_tells_of_the_breach_first() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Normal);
    desk.pass(HOUR * 25);
    delete_ticket(desk.ctx(), &deletion(ticket)).unwrap();
    assert_eq!(actions(&desk), [("SLA_BREACHED".to_owned(), "SYSTEM"), ("DELETED".to_owned(), "USER")]);
    let again = delete_ticket(desk.ctx(), &deletion(ticket));
    assert!(matches!(again, Err(AppError::NotFound(Entity::Ticket))));
}

#[test]
fn the_same_agent_again_writes_nothing() {
    let desk = Desk::new();
    let (ticket, agent) = (desk.ticket(ClientTier::Normal), desk.agent(1, true));
    let command = to_agent(ticket, Some(agent));
    let first = assign_ticket(desk.ctx(), &command).unwrap();
    let second = assign_ticket(desk.ctx(), &command).unwrap();
    assert_eq!(first, second);
    assert_eq!(desk.store().recorded.len(), 1);
}

#[test]
fn who_cannot_be_assigned() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Normal);
    let assign = |agent| assign_ticket(desk.ctx(), &to_agent(ticket, Some(agent)));
    let unusable = |result| match result {
        Err(AppError::Unprocessable(errors)) => errors[0].pointer.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(unusable(assign(AgentId::new(new_id()))), "/agentId");
    assert_eq!(unusable(assign(desk.agent(3, false))), "/agentId");
    change_status(desk.ctx(), &to_status(ticket, Status::Escalated)).unwrap();
    let low = assign(desk.agent(1, true));
    assert!(matches!(low, Err(AppError::Refused(Refusal::AgentLevelTooLow { .. }))), "{low:?}");
    assign(desk.agent(2, true)).unwrap();
    change_status(desk.ctx(), &to_status(ticket, Status::Resolved)).unwrap();
    let late = assign(desk.agent(2, true));
    assert!(matches!(late, Err(AppError::Refused(Refusal::NotAssignable { .. }))), "{late:?}");
}

#[test]
fn what_does_not_exist_cannot_change() {
    let desk = Desk::new();
    let ticket = TicketId::new(new_id());
    let missing = change_status(desk.ctx(), &to_status(ticket, Status::InProgress));
    assert!(matches!(missing, Err(AppError::NotFound(Entity::Ticket))));
    let opened = open_ticket(desk.ctx(), &opening(ClientId::new(new_id())));
    assert!(matches!(opened, Err(AppError::Unprocessable(errors)) if errors[0].pointer == "/clientId"));
}

/// After a deadlock the whole unit of work runs again.
#[test]
fn work_that_runs_twice_is_written_once() {
    let desk = Desk::new();
    desk.rehearse();
    let ticket = open_ticket(desk.ctx(), &opening(desk.client(ClientTier::Vip))).unwrap();
    desk.pass(HOUR * 2);
    let moved = change_status(desk.ctx(), &to_status(ticket.id, Status::InProgress));
    assert_eq!(moved.unwrap().version, 3);
    let store = desk.store();
    let told: Vec<TimelineAction> =
        store.recorded.iter().flat_map(TicketChange::timeline).map(|entry| entry.action).collect();
    assert_eq!(
        told,
        [
            TimelineAction::Created,
            TimelineAction::SlaBreached,
            TimelineAction::StatusChanged,
            TimelineAction::StatusChanged,
        ]
    );
    for change in &store.recorded {
        assert_eq!(change.outbox().len(), change.timeline().len(), "one event for each entry");
    }
}
