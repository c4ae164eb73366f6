//! The limit of a request: whoever was told 503 finds that nothing has changed, now and later.

use std::{
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use postgres::Client as Sql;
use serde_json::json;
use techsupport_tests::{Desk, eventually};
use uuid::Uuid;

/// A desk, and where requests to it may only take so long; locks and statements would be waited for much longer.
fn with_hasty_replica(request_timeout_ms: &str) -> (Desk, String) {
    let mut desk = Desk::with().without_sweep().without_relay().start();
    let hasty = desk.start_api_with(&[("HTTP__REQUEST_TIMEOUT_MS", request_timeout_ms)]);
    (desk, hasty)
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
    let (desk, hasty) = with_hasty_replica("500");
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "NORMAL");
    let mut other: Sql = desk.database().connect();
    let mut holding = other.transaction().unwrap();
    holding.execute("SELECT 1 FROM tickets WHERE id = $1 FOR UPDATE", &[&ticket]).unwrap();

    let asked = Instant::now();
    let path = format!("/api/tickets/{ticket}/status");
    let answer = admin.at(&hasty).patch(&path, &json!({"status": "IN_PROGRESS"}));
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
    admin.patch(&path, &json!({"status": "IN_PROGRESS"})).expect(200);
}

#[test]
fn nothing_is_made_after_the_503() {
    let (desk, hasty) = with_hasty_replica("500");
    let admin = desk.admin();
    let client = desk.client_of(&admin, "NORMAL");
    let mut other = desk.database().connect();
    let mut holding = other.transaction().unwrap();
    holding.batch_execute("LOCK TABLE outbox IN EXCLUSIVE MODE").unwrap();
    let body = json!({"title": "Broken", "description": "It is broken.", "clientId": client});
    admin.at(&hasty).post("/api/tickets", &body).expect_problem(503, "timed-out");
    holding.rollback().unwrap();
    await_quiet(&desk);
    assert_eq!(desk.database().count("tickets"), 0);
    desk.assert_no_events();
}

/// The lock is released around the moment at which the time is over: whoever wins, answer and row agree. When that moment
/// is depends on the machine, so each round goes from the outcome of the one before it towards the other.
#[test]
fn the_answer_and_the_row_agree_however_close_it_was() {
    let (desk, hasty) = with_hasty_replica("200");
    let admin = desk.admin();
    let client = desk.client_of(&admin, "NORMAL");
    let (mut seen, mut last) = ([0, 0], None);
    // How long the lock is held, and by how much longer or shorter the next time, in seconds.
    let (mut held, mut step) = (0.195, 0.001);
    for _ in 0..40 {
        let ticket = desk.ticket_for(&admin, client);
        let (locked, is_locked) = mpsc::channel();
        let mut other = desk.database().connect();
        let holder = thread::spawn(move || {
            let mut holding = other.transaction().unwrap();
            holding.execute("SELECT 1 FROM tickets WHERE id = $1 FOR UPDATE", &[&ticket]).unwrap();
            locked.send(()).unwrap();
            // The server itself waits, so that the test need not.
            holding.execute("SELECT pg_sleep($1)", &[&held]).unwrap();
            holding.commit().unwrap();
        });
        is_locked.recv().unwrap();
        let path = format!("/api/tickets/{ticket}/status");
        let answer = admin.at(&hasty).patch(&path, &json!({"status": "IN_PROGRESS"}));
        holder.join().unwrap();
        await_quiet(&desk);
        if answer.status == 200 {
            assert_eq!(answer.json()["status"], "IN_PROGRESS");
            assert_eq!(version(&desk, ticket), 2);
        } else {
            answer.clone().expect_problem(503, "timed-out");
            assert_eq!(version(&desk, ticket), 1);
        }
        let in_time = answer.status == 200;
        seen[usize::from(in_time)] += 1;
        step = if last == Some(!in_time) { f64::max(step / 2.0, 0.000_5) } else { step * 2.0 };
        held = if in_time { held + step } else { f64::max(held - step, 0.0) };
        last = Some(in_time);
    }
    assert!(seen.iter().all(|count| *count > 0), "one outcome never happened: {seen:?}");
}

#[test]
fn a_caller_who_leaves_takes_the_work_along() {
    use std::io::Write;

    // No limit ends it before the test gives up.
    let desk = Desk::with()
        .without_sweep()
        .without_relay()
        .set("HTTP__DISCONNECT_GRACE_MS", 50)
        .set("HTTP__REQUEST_TIMEOUT_MS", 60_000)
        .set("DATABASE__LOCK_TIMEOUT_MS", 60_000)
        .set("DATABASE__STATEMENT_TIMEOUT_MS", 60_000)
        .set("AUTH__REVOCATIONS__OVERLAP_S", 120)
        .start();
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
