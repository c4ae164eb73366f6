//! A pool without a free connection, and a database that goes away.

use std::{sync::mpsc, thread, time::Duration};

use techsupport_application::{AppError, Budget, ports::UnitOfWorkExt};
use techsupport_tests::{Desk, eventually, ticket_id};

#[test]
fn who_finds_no_free_connection_is_told_so_soon() {
    let mut desk = Desk::with().without_sweep().without_relay().start();
    let poor = desk.start_api_with(&[
        ("DATABASE__POOL_SIZE", "1"),
        ("DATABASE__CHECKOUT_TIMEOUT_MS", "300"),
        ("HTTP__MAX_IN_FLIGHT", "4"),
    ]);
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "NORMAL");
    let path = format!("/api/tickets/{ticket}");
    let admin = admin.at(&poor);
    eventually("its only connection is open", || admin.get(&path).status == 200);
    let mut other = desk.database().connect();
    let mut holding = other.transaction().unwrap();
    holding.execute("SELECT 1 FROM tickets WHERE id = $1 FOR UPDATE", &[&ticket]).unwrap();
    let waiter = thread::spawn({
        let (admin, path) = (admin.clone(), format!("{path}/status"));
        move || admin.patch(&path, &serde_json::json!({"status": "IN_PROGRESS"}))
    });
    let waiting = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("the only connection is busy", || desk.database().count(waiting) == 1);

    // Not timed out: the limit of requests is half a minute.
    let answer = admin.get(&path).expect_problem(503, "unavailable");
    assert!(answer.header("retry-after").is_some());
    holding.rollback().unwrap();
    waiter.join().unwrap().expect(200);
    admin.get(&path).expect(200);
}

#[test]
fn a_pool_says_so_within_its_timeout() {
    let desk = Desk::with().without_sweep().start();
    let ports = desk.ports_with(&[("DATABASE__POOL_SIZE", "1"), ("DATABASE__CHECKOUT_TIMEOUT_MS", "200")]);
    let budget = Budget::lasting(Duration::from_mins(1));
    eventually("its only connection is open", || ports.work.run_for(&budget, |tx| tx.now()).is_ok());
    let (go, going) = mpsc::channel::<()>();
    let (held, is_held) = mpsc::channel();
    thread::scope(|scope| {
        // Gone with this closure, whatever becomes of it: the other thread waits for nothing else.
        let go = go;
        let busy = &ports;
        scope.spawn(move || {
            let budget = Budget::lasting(Duration::from_mins(1));
            busy.work
                .run_for(&budget, |tx| {
                    tx.now()?;
                    held.send(()).unwrap();
                    going.recv().unwrap_err();
                    Ok(())
                })
                .unwrap();
        });
        is_held.recv().unwrap();
        // Less than anything else may take.
        let budget = Budget::lasting(Duration::from_secs(15));
        let outcome =
            ports.work.run_for(&budget, |tx| tx.lock_ticket(ticket_id(techsupport_bootstrap::ids::new_id())));
        assert!(matches!(outcome, Err(AppError::Unavailable { .. })), "{outcome:?}");
        assert!(!budget.is_over(), "it waited for all of its time");
        drop(go);
    });
}

/// While the database is away: 503, and the process lives. When it is back, it is found by itself.
#[test]
fn a_database_that_goes_away_and_comes_back() {
    let desk = Desk::with().cuttable_database().start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "NORMAL");
    let path = format!("/api/tickets/{ticket}");
    desk.await_topology();
    desk.database_way().cut();
    admin.get(&path).expect_problem(503, "unavailable");
    let body = serde_json::json!({"status": "IN_PROGRESS"});
    admin.patch(&format!("{path}/status"), &body).expect_problem(503, "unavailable");
    admin.get("/health/live").expect(200);
    let ready = admin.get("/health/ready").expect_problem(503, "not-ready").json();
    assert_eq!(ready["failing"], "database");
    desk.database_way().heal();
    // The pool waits a little longer after each connection that could not be opened.
    eventually("requests are answered again", || admin.get(&path).status == 200);
    admin.patch(&format!("{path}/status"), &body).expect(200);
    eventually("it is ready again", || admin.get("/health/ready").status == 200);
    desk.await_published();
}

/// Connections that died in the pool while nobody used them cost nobody an answer.
#[test]
fn connections_that_died_in_the_pool_are_replaced_unnoticed() {
    let desk = Desk::with().without_sweep().without_relay().cuttable_database().start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "NORMAL");
    for n in 0..5 {
        desk.database_way().cut();
        desk.database_way().heal();
        admin.get(&format!("/api/tickets/{ticket}")).expect(200);
        let status = if n % 2 == 0 { "ESCALATED" } else { "IN_PROGRESS" };
        desk.database_way().cut();
        desk.database_way().heal();
        admin
            .patch(&format!("/api/tickets/{ticket}/status"), &serde_json::json!({"status": status}))
            .expect(200);
    }
}
