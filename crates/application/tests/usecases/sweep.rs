//! The deadline sweep: one batch, and what it does with tickets that fail.

use std::time::Duration;

use techsupport_application::{AppError, SweepReport, sweep_deadlines};
use techsupport_domain::{ClientTier, TicketId, ticket::Status};

use crate::fakes::{Desk, HOUR};

fn sweep(desk: &Desk, batch: u32) -> Result<SweepReport, AppError> {
    sweep_deadlines(desk.ctx(), batch, Duration::from_mins(1))
}

fn due(desk: &Desk, count: usize) -> Vec<TicketId> {
    let tickets = (0..count).map(|_| desk.ticket(ClientTier::Vip)).collect();
    desk.pass(HOUR * 2 + time::Duration::milliseconds(250));
    tickets
}

#[test]
fn nothing_due_is_nothing_done() {
    let desk = Desk::new();
    desk.ticket(ClientTier::Vip);
    assert_eq!(sweep(&desk, 10).unwrap(), SweepReport::default());
}

#[test]
fn every_step_runs_once_however_often_one_sweeps() {
    let desk = Desk::new();
    let tickets = due(&desk, 3);
    let first = sweep(&desk, 2).unwrap();
    assert_eq!((first.claimed, first.more), (2, true));
    assert_eq!(first.lags, [Duration::from_millis(250); 2]);
    let second = sweep(&desk, 2).unwrap();
    assert_eq!((second.claimed, second.more), (1, false));
    assert_eq!(sweep(&desk, 2).unwrap(), SweepReport::default());
    for ticket in tickets {
        assert_eq!(desk.stored(ticket).status, Status::Escalated);
        assert_eq!(desk.stored(ticket).level.get(), 1);
    }
    assert_eq!(desk.store().recorded.len(), 3);
}

#[test]
fn one_ticket_that_cannot_be_written_holds_up_nobody() {
    let desk = Desk::new();
    let tickets = due(&desk, 5);
    desk.store().poisoned.insert(tickets[2]);
    let report = sweep(&desk, 10).unwrap();
    assert_eq!(report.claimed, 5);
    assert_eq!(report.lags.len(), 4);
    let aside: Vec<TicketId> = report.set_aside.iter().map(|aside| aside.ticket).collect();
    assert_eq!(aside, [tickets[2]]);
    assert_eq!(report.set_aside[0].reason, "internal error: a check constraint says no");
    assert_eq!(desk.store().set_aside, report.set_aside);
    for (index, ticket) in tickets.into_iter().enumerate() {
        let expected = if index == 2 { Status::Open } else { Status::Escalated };
        assert_eq!(desk.stored(ticket).status, expected);
    }
    assert!(report.more, "more may have been behind the batch that failed");
    assert_eq!(sweep(&desk, 10).unwrap(), SweepReport::default());
}

#[test]
fn a_ticket_that_cannot_be_read_is_set_aside_in_the_same_pass() {
    let desk = Desk::new();
    let tickets = due(&desk, 3);
    desk.store().corrupt.insert(tickets[0]);
    let report = sweep(&desk, 10).unwrap();
    assert_eq!((report.claimed, report.lags.len(), report.more), (3, 2, false));
    assert_eq!(report.set_aside[0].ticket, tickets[0]);
    assert_eq!(desk.store().set_aside, report.set_aside);
}

#[test]
fn unreadable_and_unwritable_tickets_in_one_batch_are_both_set_aside() {
    let desk = Desk::new();
    let tickets = due(&desk, 4);
    desk.store().corrupt.insert(tickets[0]);
    desk.store().poisoned.insert(tickets[3]);
    let mut aside = sweep(&desk, 10).unwrap().set_aside;
    aside.extend(sweep(&desk, 10).unwrap().set_aside);
    let mut aside: Vec<TicketId> = aside.into_iter().map(|aside| aside.ticket).collect();
    aside.sort();
    assert_eq!(aside, [tickets[0], tickets[3]]);
    assert_eq!(desk.store().recorded.len(), 2);
}

/// What goes away by itself is no reason to set anything aside.
#[test]
fn contention_is_left_to_the_next_pass() {
    let desk = Desk::new();
    due(&desk, 2);
    desk.store().contended = true;
    assert!(matches!(sweep(&desk, 10), Err(AppError::Contention { .. })));
    assert!(desk.store().set_aside.is_empty());
    desk.store().contended = false;
    assert_eq!(sweep(&desk, 10).unwrap().claimed, 2);
}

#[test]
fn a_pass_that_is_repeated_after_a_deadlock_counts_once() {
    let desk = Desk::new();
    desk.rehearse();
    due(&desk, 3);
    let report = sweep(&desk, 10).unwrap();
    assert_eq!((report.claimed, report.lags.len()), (3, 3));
    assert_eq!(desk.store().recorded.len(), 3);
}
