//! Requests that are sent again.

use std::time::Duration;

use techsupport_application::{
    AppError, Conflict, Ctx, Entity,
    ports::{Fingerprint, KeptAnswer, RepeatKey},
    repeats::{Once, Repeatable, forget_answers, run_once},
    tickets::change_status,
};
use techsupport_domain::{
    AgentId, AgentLevel, ClientTier, TicketId,
    ticket::{Refusal, Status},
};

use crate::fakes::{Desk, HOUR};

const DAY: Duration = Duration::from_hours(24);

fn request(key: u8, asks: u8) -> Repeatable {
    Repeatable { key: RepeatKey([key; 32]), fingerprint: Fingerprint([asks; 32]), keep_for: DAY }
}

fn said(status: u16, body: &impl ToString) -> KeptAnswer {
    KeptAnswer { status, headers: vec![("etag".into(), "\"1\"".into())], body: body.to_string().into_bytes() }
}

/// Moves the ticket; the answer is its new status.
fn moving(ticket: TicketId, to: Status) -> impl Fn(Ctx<'_>) -> Result<KeptAnswer, AppError> {
    move |ctx| Ok(said(200, &change_status(ctx, &crate::commands::to_status(ticket, to))?.version))
}

#[expect(clippy::needless_pass_by_value, clippy::unnecessary_wraps, reason = "as renderers are")]
fn verdict(error: AppError) -> Result<KeptAnswer, AppError> {
    Ok(said(409, &error))
}

fn body(once: Once) -> (bool, String) {
    match once {
        Once::First(answer) => (false, String::from_utf8(answer.body).unwrap()),
        Once::Again(answer) => (true, String::from_utf8(answer.body).unwrap()),
    }
}

#[test]
fn the_second_time_nothing_is_done_and_the_answer_is_the_first_one() {
    let desk = Desk::new();
    desk.rehearse();
    let ticket = desk.ticket(ClientTier::Normal);
    let go = |request: &Repeatable| run_once(desk.ctx(), request, moving(ticket, Status::Escalated), verdict);
    assert_eq!(body(go(&request(1, 1)).unwrap()), (false, "2".into()));
    assert_eq!(body(go(&request(1, 1)).unwrap()), (true, "2".into()));
    assert!(matches!(go(&request(1, 2)), Err(AppError::RepeatDiffers)));
    assert_eq!(desk.stored(ticket).version, 2);
    assert_eq!(body(go(&request(2, 1)).unwrap()), (false, "3".into()));
}

#[test]
fn a_key_that_is_held_elsewhere_is_not_waited_for() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Normal);
    desk.store().held.insert(RepeatKey([1; 32]));
    let outcome = run_once(desk.ctx(), &request(1, 1), moving(ticket, Status::InProgress), verdict);
    assert!(matches!(outcome, Err(AppError::Conflict(Conflict::RepeatInFlight))));
    assert_eq!(desk.stored(ticket).version, 1);
}

#[test]
fn an_answer_can_be_told_to_several_at_once() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Normal);
    let go = || run_once(desk.ctx(), &request(1, 1), moving(ticket, Status::Escalated), verdict);
    assert_eq!(body(go().unwrap()), (false, "2".into()));
    desk.store().held.insert(RepeatKey([1; 32]));
    assert_eq!(body(go().unwrap()), (true, "2".into()));
}

#[test]
fn a_verdict_is_kept_and_what_was_done_before_it_is_not() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Normal);
    let twice = |ctx: Ctx<'_>| {
        moving(ticket, Status::InProgress)(ctx)?;
        moving(ticket, Status::Closed)(ctx)
    };
    let (again, refusal) = body(run_once(desk.ctx(), &request(1, 1), twice, verdict).unwrap());
    assert!(!again && refusal.contains("IN_PROGRESS"), "{refusal}");
    assert_eq!(desk.stored(ticket).version, 1);
    let kept = run_once(desk.ctx(), &request(1, 1), moving(ticket, Status::InProgress), verdict).unwrap();
    assert_eq!(body(kept), (true, refusal));
}

#[test]
fn any_other_failure_leaves_the_key_free() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Normal);
    let failures: [fn() -> AppError; 5] = [
        || AppError::NotFound(Entity::Ticket),
        || AppError::TimedOut,
        || AppError::Contention { reason: "deadlock".into() },
        || AppError::internal("a defect"),
        || {
            AppError::Refused(Refusal::AgentLevelTooLow {
                agent: AgentId::new(uuid::Uuid::nil()),
                required: AgentLevel::FOR_ESCALATED,
            })
        },
    ];
    for failure in failures {
        let fails = |ctx: Ctx<'_>| {
            moving(ticket, Status::Escalated)(ctx)?;
            Err(failure())
        };
        assert!(run_once(desk.ctx(), &request(1, 1), fails, verdict).is_err());
        assert_eq!(desk.stored(ticket).version, 1);
    }
    let done = run_once(desk.ctx(), &request(1, 1), moving(ticket, Status::Escalated), verdict).unwrap();
    assert_eq!(body(done), (false, "2".into()));
}

#[test]
fn an_answer_is_forgotten_after_its_time_and_the_key_can_be_used_anew() {
    let desk = Desk::new();
    let ticket = desk.ticket(ClientTier::Normal);
    let go = |request: &Repeatable| run_once(desk.ctx(), request, moving(ticket, Status::Escalated), verdict);
    assert_eq!(body(go(&request(1, 1)).unwrap()), (false, "2".into()));
    desk.pass(HOUR * 23);
    assert_eq!(forget_answers(desk.ctx(), 10).unwrap(), 0);
    assert_eq!(body(go(&request(1, 1)).unwrap()), (true, "2".into()));
    desk.pass(HOUR);
    assert_eq!(body(go(&request(1, 2)).unwrap()), (false, "3".into()), "whether or not the pass was here");
    desk.pass(HOUR * 24);
    assert_eq!(forget_answers(desk.ctx(), 10).unwrap(), 1);
}
