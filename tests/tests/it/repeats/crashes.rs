//! kill -9 at the two moments that matter.

use std::{io::Write, net::TcpStream};

use techsupport_tests::{Answer, Client, Desk, DeskBuilder, eventually, until};

use super::{is_replay, ticket_body, with_key};
use crate::programs::Running;

fn quiet() -> DeskBuilder {
    Desk::with().without_sweep().without_relay()
}

/// Sends the request and never reads what comes back.
fn send(address: &str, caller: &Client, key: &str, body: &str) -> TcpStream {
    let mut connection = TcpStream::connect(address).unwrap();
    write!(
        connection,
        "POST /api/tickets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Idempotency-Key: {key}\r\nContent-Length: {}\r\n\r\n{body}",
        caller.token(),
        body.len()
    )
    .unwrap();
    connection
}

/// Asks again until the database has noticed that the first one is gone.
fn retry(caller: &Client, body: &serde_json::Value) -> Answer {
    until("the key is free", || {
        let answer = caller.post("/api/tickets", body);
        (answer.status != 409).then_some(answer)
    })
}

#[test]
fn killed_after_the_change_and_before_its_answer_the_retry_gets_the_answer() {
    let desk = quiet().start();
    let admin = desk.admin();
    let body = ticket_body(desk.client_of(&admin, "VIP"));
    let mut running = Running::start(&desk);
    let connection = send(&running.address(), &admin, "k", &body.to_string());
    eventually("the change is there", || desk.database().count("tickets") == 1);
    running.kill();
    drop(connection);
    let answer = retry(&with_key(&admin, "k"), &body).expect(201);
    assert!(is_replay(&answer), "the answer was kept together with the change");
    assert_eq!(desk.database().all::<uuid::Uuid>("SELECT id FROM tickets", &[]), [answer.id()]);
    assert_eq!(desk.database().count("outbox"), 1);
}

#[test]
fn killed_before_the_commit_the_retry_does_it_for_the_first_time() {
    let desk = quiet().start();
    let admin = desk.admin();
    let body = ticket_body(desk.client_of(&admin, "VIP"));
    let mut running = Running::start(&desk);
    let address = running.address();
    // Everything is done but the answer is not kept yet, when the server stops to wait for us.
    let mut other = desk.database().connect();
    let mut holding = other.transaction().unwrap();
    holding.batch_execute("LOCK TABLE idempotency_keys IN SHARE MODE").unwrap();
    let connection = send(&address, &admin, "k", &body.to_string());
    let waiting = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("the answer is about to be kept", || desk.database().count(waiting) == 1);
    running.kill();
    drop(connection);
    holding.rollback().unwrap();
    let answer = retry(&with_key(&admin, "k"), &body).expect(201);
    assert!(!is_replay(&answer));
    assert_eq!(desk.database().all::<uuid::Uuid>("SELECT id FROM tickets", &[]), [answer.id()]);
    assert_eq!(desk.database().count("outbox"), 1);
    assert!(is_replay(&retry(&with_key(&admin, "k"), &body).expect(201)));
}

/// The server commits, and nobody hears of it: the caller is told that the change may have been made. With a key
/// there is no need to look.
#[test]
fn a_commit_that_nobody_heard_of_is_found_by_the_retry() {
    let desk = quiet().cuttable_database().start();
    let admin = desk.admin();
    let body = ticket_body(desk.client_of(&admin, "VIP"));
    let caller = with_key(&admin, "k");
    let mut other = desk.database().connect();
    // Runs within COMMIT.
    other
        .batch_execute(
            "CREATE FUNCTION wait_for_the_test() RETURNS trigger LANGUAGE plpgsql AS \
             'BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN NULL; END'; \
             CREATE CONSTRAINT TRIGGER wait_for_the_test AFTER INSERT ON idempotency_keys \
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_for_the_test(); \
             SELECT pg_advisory_lock(4711)",
        )
        .unwrap();
    let asking = std::thread::spawn({
        let (caller, body) = (caller.clone(), body.clone());
        move || caller.post("/api/tickets", &body)
    });
    let committing = "pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'";
    eventually("it is about to commit", || desk.database().count(committing) == 1);
    desk.database_way().cut();
    asking.join().unwrap().expect_problem(503, "unavailable");
    assert_eq!(desk.database().count("tickets"), 0);
    other.batch_execute("SELECT pg_advisory_unlock(4711)").unwrap();
    eventually("the commit is over", || desk.database().count("tickets") == 1);
    desk.database_way().heal();
    let answer = until("the database is there again", || {
        let answer = caller.post("/api/tickets", &body);
        (!matches!(answer.status, 409 | 503)).then_some(answer)
    });
    assert!(is_replay(&answer.expect(201)));
    assert_eq!(desk.database().count("tickets"), 1);
}
