//! Many tickets at once.

use techsupport_application::{
    AppError, Entity,
    tickets::{BulkItem, Wish, change_in_bulk},
};
use techsupport_domain::{
    ClientTier, TicketId,
    ticket::{Refusal, Status, Ticket},
};

use crate::fakes::{Desk, HOUR};

fn ask(desk: &Desk, wishes: &[(TicketId, Wish)]) -> Vec<Result<Ticket, AppError>> {
    let items: Vec<BulkItem> = wishes.iter().map(|&(ticket, wish)| BulkItem { ticket, wish }).collect();
    change_in_bulk(desk.ctx(), &items).unwrap()
}

#[test]
fn one_refusal_leaves_the_others_alone_whatever_is_repeated() {
    let desk = Desk::new();
    desk.rehearse();
    let [one, other] = [desk.ticket(ClientTier::Normal), desk.ticket(ClientTier::Normal)];
    let nobody = TicketId::new(crate::fakes::new_id());
    let agent = desk.agent(1, true);
    let outcomes = ask(
        &desk,
        &[
            (one, Wish::Move(Status::InProgress)),
            (nobody, Wish::Assign(None)),
            (other, Wish::Move(Status::Closed)),
            (one, Wish::MoveAndAssign(Status::Resolved, Some(agent))),
            (other, Wish::Assign(Some(agent))),
        ],
    );
    assert!(matches!(outcomes[1], Err(AppError::NotFound(Entity::Ticket))));
    assert!(matches!(outcomes[2], Err(AppError::Refused(Refusal::IllegalTransition { .. }))));
    assert_eq!((desk.stored(one).status, desk.stored(one).agent), (Status::Resolved, Some(agent)));
    assert_eq!((desk.stored(other).status, desk.stored(other).agent), (Status::Open, Some(agent)));
    assert_eq!((desk.stored(one).version, desk.stored(other).version), (4, 2));
}

#[test]
fn an_item_with_two_wishes_is_fulfilled_or_left_as_a_whole() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Normal);
    let inactive = desk.agent(3, false);
    let outcomes = ask(&desk, &[(ticket, Wish::MoveAndAssign(Status::InProgress, Some(inactive)))]);
    assert!(matches!(outcomes[0], Err(AppError::Unprocessable(_))));
    assert_eq!(desk.stored(ticket).version, 1);
}

#[test]
fn a_breach_that_is_noticed_stays_noticed_when_the_item_is_refused() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Vip);
    desk.pass(HOUR * 3);
    let outcomes = ask(&desk, &[(ticket, Wish::Move(Status::Closed))]);
    assert!(matches!(outcomes[0], Err(AppError::Refused(_))));
    assert_eq!((desk.stored(ticket).status, desk.stored(ticket).version), (Status::Escalated, 2));
}

/// However much of the item was done before it was refused.
#[test]
fn a_breach_stays_noticed_when_an_item_with_two_wishes_is_refused() {
    let desk = Desk::new();
    desk.rehearse();
    let [moving, answering] = [desk.ticket(ClientTier::Vip), desk.ticket(ClientTier::Vip)];
    let low = desk.agent(1, true);
    desk.pass(HOUR * 3);
    let outcomes = ask(
        &desk,
        &[
            (moving, Wish::MoveAndAssign(Status::Waiting, Some(low))),
            (answering, Wish::MoveAndAssign(Status::Resolved, Some(low))),
        ],
    );
    assert!(matches!(outcomes[0], Err(AppError::Refused(Refusal::IllegalTransition { .. }))));
    assert!(matches!(outcomes[1], Err(AppError::Refused(Refusal::AgentLevelTooLow { .. }))));
    for ticket in [moving, answering] {
        let stored = desk.stored(ticket);
        assert_eq!((stored.status, stored.version, stored.agent), (Status::Escalated, 2, None));
    }
}

/// Else the others would be done, and an answer that says "500" would be kept for whoever sends the request again.
#[test]
fn a_ticket_that_cannot_be_read_or_written_fails_the_whole() {
    let damages: [fn(&Desk, TicketId); 2] = [
        |desk, ticket| assert!(desk.store().corrupt.insert(ticket)),
        |desk, ticket| assert!(desk.store().poisoned.insert(ticket)),
    ];
    for damage in damages {
        let desk = Desk::new();
        let [one, other] = [desk.ticket(ClientTier::Normal), desk.ticket(ClientTier::Normal)];
        damage(&desk, other);
        let items = [one, other].map(|ticket| BulkItem { ticket, wish: Wish::Move(Status::InProgress) });
        let failed = change_in_bulk(desk.ctx(), &items);
        assert!(matches!(failed, Err(AppError::Corrupt { .. } | AppError::Internal(_))), "{failed:?}");
        assert_eq!(desk.stored(one).version, 1);
    }
}

#[test]
fn what_no_single_ticket_is_to_blame_for_fails_the_whole() {
    let desk = Desk::new();
    let [one, other] = [desk.ticket(ClientTier::Normal), desk.ticket(ClientTier::Normal)];
    desk.store().contended_tickets.insert(other);
    let items = [one, other].map(|ticket| BulkItem { ticket, wish: Wish::Move(Status::InProgress) });
    assert!(matches!(change_in_bulk(desk.ctx(), &items), Err(AppError::Contention { .. })));
    assert_eq!(desk.stored(one).version, 1);
}
