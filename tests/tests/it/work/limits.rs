//! The limit of a request: whoever was told 503 finds that nothing has changed, now and later.

use std::{
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use postgres::Client as Sql;
use serde_json::json;
use techsupport_tests::{Desk, DeskBuilder, eventually};
use uuid::Uuid;

/// Requests may take half a second; locks and statements would be waited for much longer.
fn impatient() -> DeskBuilder {
    Desk::with()
        .without_sweep()
        .without_relay()
        .set("HTTP__REQUEST_TIMEOUT_MS", 500)
        .set("DATABASE__LOCK_TIMEOUT_MS", 30_000)
        .set("DATABASE__STATEMENT_TIMEOUT_MS", 60_000)
}

fn version(desk: &Desk, ticket: Uuid) -> i64 {
    desk.database().one("SELECT version FROM tickets WHERE id = $1", &[&ticket])
}

/// Nothing of the program is under way at the database any more.
fn await_quiet(desk: &Desk) {
    let busy = "pg_stat_activity WHERE datname = current_database() AND state <> 'idle' \
                AND application_name = 'techsupport-api' AND backend_type = 'client backend'";
    eventually("nothing is under way", || desk.database().count(busy) == 0);
}

#[test]
fn nothing_is_changed_after_the_503() {
    let desk = impatient().start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "NORMAL");
    let mut other: Sql = desk.database().connect();
    let mut holding = other.transaction().unwrap();
    holding.execute("SELECT 1 FROM tickets WHERE id = $1 FOR UPDATE", &[&ticket]).unwrap();

    let asked = Instant::now();
    let answer = admin.patch(&format!("/api/tickets/{ticket}/status"), &json!({"status": "IN_PROGRESS"}));
    let answer = answer.expect_problem(503, "timed-out");
    assert!(answer.header("retry-after").is_some());
    assert!(asked.elapsed() >= Duration::from_millis(450), "{:?}", asked.elapsed());
    // The work does not wait for the lock either: it is really cancelled.
    await_quiet(&desk);
    holding.rollback().unwrap();
    await_quiet(&desk);
    assert_eq!(version(&desk, ticket), 1);
    assert_eq!(desk.database().count("ticket_timeline"), 1);
    assert_eq!(desk.database().count("outbox"), 1);
    admin.patch(&format!("/api/tickets/{ticket}/status"), &json!({"status": "IN_PROGRESS"})).expect(200);
}

#[test]
fn nothing_is_made_after_the_503() {
    let desk = impatient().start();
    let admin = desk.admin();
    let client = desk.client_of(&admin, "NORMAL");
    let mut other = desk.database().connect();
    let mut holding = other.transaction().unwrap();
    holding.batch_execute("LOCK TABLE outbox IN EXCLUSIVE MODE").unwrap();
    let body = json!({"title": "Broken", "description": "It is broken.", "clientId": client});
    admin.post("/api/tickets", &body).expect_problem(503, "timed-out");
    holding.rollback().unwrap();
    await_quiet(&desk);
    assert_eq!(desk.database().count("tickets"), 0);
    desk.assert_no_events();
}

/// The lock is released around the moment at which the time is over: whoever wins, answer and row agree.
#[test]
fn the_answer_and_the_row_agree_however_close_it_was() {
    let desk = impatient().set("HTTP__REQUEST_TIMEOUT_MS", 200).start();
    let admin = desk.admin();
    let client = desk.client_of(&admin, "NORMAL");
    let mut seen = [0, 0];
    for round in 0..40_u64 {
        let ticket = desk.ticket_for(&admin, client);
        let (locked, is_locked) = mpsc::channel();
        let mut other = desk.database().connect();
        let holder = thread::spawn(move || {
            let mut holding = other.transaction().unwrap();
            holding.execute("SELECT 1 FROM tickets WHERE id = $1 FOR UPDATE", &[&ticket]).unwrap();
            locked.send(()).unwrap();
            // 185 to 205 ms: the server itself waits, so that the test need not.
            let wait = 0.185 + 0.000_5 * f64::from(u32::try_from(round).unwrap());
            holding.execute("SELECT pg_sleep($1)", &[&wait]).unwrap();
            holding.commit().unwrap();
        });
        is_locked.recv().unwrap();
        let answer = admin.patch(&format!("/api/tickets/{ticket}/status"), &json!({"status": "IN_PROGRESS"}));
        holder.join().unwrap();
        await_quiet(&desk);
        if answer.status == 200 {
            assert_eq!(answer.json()["status"], "IN_PROGRESS");
            assert_eq!(version(&desk, ticket), 2);
        } else {
            answer.clone().expect_problem(503, "timed-out");
            assert_eq!(version(&desk, ticket), 1);
        }
        seen[usize::from(answer.status == 200)] += 1;
    }
    assert!(seen.iter().all(|count| *count > 0), "one outcome never happened: {seen:?}");
}

#[test]
fn a_caller_who_leaves_takes_the_work_along() {
    use std::io::Write;

    let desk =
        impatient().set("HTTP__REQUEST_TIMEOUT_MS", 20_000).set("HTTP__DISCONNECT_GRACE_MS", 50).start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "NORMAL");
    let mut other = desk.database().connect();
    let mut holding = other.transaction().unwrap();
    holding.execute("SELECT 1 FROM tickets WHERE id = $1 FOR UPDATE", &[&ticket]).unwrap();
    let body = r#"{"status":"IN_PROGRESS"}"#;
    let mut caller = std::net::TcpStream::connect(desk.address()).unwrap();
    write!(
        caller,
        "PATCH /api/tickets/{ticket}/status HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nX-Request-Id: leaver-{ticket}\r\n\r\n{body}",
        admin.token(),
        body.len()
    )
    .unwrap();
    let waiting = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("the request waits for the lock", || desk.database().count(waiting) == 1);
    drop(caller);
    let line = format!("leaver-{ticket}");
    eventually("the request is over", || {
        techsupport_tests::log_lines().iter().any(|l| l.contains(&line) && l.contains("http_request"))
    });
    holding.rollback().unwrap();
    await_quiet(&desk);
    assert_eq!(version(&desk, ticket), 1);
}
