//! Many requests with one key at once.

use std::thread;

use techsupport_tests::{Desk, eventually, until};

use super::{assert_replays, is_replay, ticket_body, with_key};
use crate::races::race;

#[test]
fn a_hundred_at_once_make_one_ticket_and_everybody_gets_its_answer() {
    let desk = Desk::with().without_sweep().without_relay().start();
    let admin = desk.admin();
    let caller = with_key(&admin, "race");
    let body = ticket_body(desk.client_of(&admin, "VIP"));
    let asked = body.clone();
    let answers = race(vec![caller.clone(); 100], move |_, caller| caller.post("/api/tickets", &asked));
    let (mut first, mut others) = (Vec::new(), 0);
    for answer in answers {
        if answer.status == 201 && !is_replay(&answer) {
            first.push(answer);
            continue;
        }
        others += 1;
        if answer.status != 201 {
            let answer = answer.expect_problem(409, "idempotency-key-in-flight");
            assert!(answer.header("retry-after").is_some());
        }
    }
    assert_eq!((first.len(), others), (1, 99));
    // Whoever was told to come again does, and gets the answer; also when all come at once.
    for retry in race(vec![caller; 100], move |_, caller| caller.post("/api/tickets", &body)) {
        assert_replays(&first[0], &retry);
    }
    for rows in ["tickets", "ticket_timeline", "outbox", "idempotency_keys"] {
        assert_eq!(desk.database().count(rows), 1, "{rows}");
    }
}

#[test]
fn replicas_share_what_is_known() {
    let desk = Desk::with().without_sweep().without_relay().start();
    let admin = desk.admin();
    let body = ticket_body(desk.client_of(&admin, "VIP"));
    let first = with_key(&admin, "k").post("/api/tickets", &body).expect(201);
    let other = techsupport_api::Api::start(&desk.settings()).expect("another replica");
    let there = with_key(&admin, "k").at(&other.address().to_string());
    assert_replays(&first, &there.post("/api/tickets", &body));
    other.stop();
}

/// Who asks while the first is under way is told so at once: nobody waits on a connection that others need.
#[test]
fn a_request_under_way_holds_up_nobody() {
    let desk = Desk::with().without_sweep().without_relay().start();
    let admin = desk.admin();
    let caller = with_key(&admin, "slow");
    let body = ticket_body(desk.client_of(&admin, "VIP"));
    let mut other = desk.database().connect();
    let mut holding = other.transaction().unwrap();
    holding.batch_execute("LOCK TABLE outbox IN EXCLUSIVE MODE").unwrap();
    let first = thread::spawn({
        let (caller, body) = (caller.clone(), body.clone());
        move || caller.post("/api/tickets", &body)
    });
    let waiting = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("the first request is under way", || desk.database().count(waiting) == 1);
    let asked = body.clone();
    for answer in race(vec![caller.clone(); 30], move |_, caller| caller.post("/api/tickets", &asked)) {
        let answer = answer.expect_problem(409, "idempotency-key-in-flight");
        assert!(answer.header("retry-after").is_some());
    }
    assert_eq!(desk.database().count(waiting), 1);
    holding.rollback().unwrap();
    let first = first.join().unwrap().expect(201);
    let retry = until("the key is free", || {
        let answer = caller.post("/api/tickets", &body);
        (answer.status != 409).then_some(answer)
    });
    assert_replays(&first, &retry);
}
