//! Deadlocks, locks held for too long, errors that somebody swallows, time that is over.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};

use techsupport_application::{AppError, Budget, Ports, ports::UnitOfWorkExt};
use techsupport_tests::{Desk, eventually, ticket_id};

use super::new_client;

fn minute() -> Budget {
    Budget::lasting(Duration::from_mins(1))
}

fn clients(desk: &Desk, email: &str) -> i64 {
    desk.database().one("SELECT count(*) FROM clients WHERE email_folded = $1", &[&email])
}

#[test]
fn a_deadlock_is_resolved_by_repeating_one_of_the_two() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let tickets = [desk.ticket(&admin, "NORMAL"), desk.ticket(&admin, "NORMAL")];
    let ports = desk.ports();
    let (runs, locked) = (AtomicU32::new(0), AtomicU32::new(0));
    thread::scope(|scope| {
        for (first, second, email) in [(0, 1, "one@example.org"), (1, 0, "two@example.org")] {
            let (ports, runs, locked) = (&ports, &runs, &locked);
            scope.spawn(move || {
                let mut met = false;
                let work = ports.work.run_for(&minute(), |tx| {
                    runs.fetch_add(1, Ordering::SeqCst);
                    tx.lock_ticket(ticket_id(tickets[first]))?;
                    if !met {
                        met = true;
                        locked.fetch_add(1, Ordering::SeqCst);
                        eventually("each has a lock that the other wants", || {
                            locked.load(Ordering::SeqCst) == 2
                        });
                    }
                    tx.lock_ticket(ticket_id(tickets[second]))?;
                    tx.insert_client(&new_client(email))
                });
                work.unwrap();
            });
        }
    });
    assert!(runs.into_inner() >= 3, "one of the two had to begin again");
    assert_eq!((clients(&desk, "one@example.org"), clients(&desk, "two@example.org")), (1, 1));
}

#[test]
fn a_lock_that_is_held_for_too_long_is_contention_and_not_repeated() {
    let desk = Desk::with().without_sweep().set("DATABASE__LOCK_TIMEOUT_MS", 100).start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "NORMAL");
    let mut other = desk.database().connect();
    let mut holding = other.transaction().unwrap();
    holding.execute("SELECT 1 FROM tickets WHERE id = $1 FOR UPDATE", &[&ticket]).unwrap();

    let mut runs = 0;
    let outcome = desk.ports().work.run_for(&minute(), |tx| {
        runs += 1;
        tx.lock_ticket(ticket_id(ticket))
    });
    assert!(matches!(outcome, Err(AppError::Contention { .. })), "{outcome:?}");
    assert_eq!(runs, 1);
    let body = serde_json::json!({"status": "IN_PROGRESS"});
    let answer = admin.patch(&format!("/api/tickets/{ticket}/status"), &body);
    assert!(answer.expect_problem(503, "contention").header("retry-after").is_some());
    holding.rollback().unwrap();
    admin.patch(&format!("/api/tickets/{ticket}/status"), &body).expect(200);
}

#[test]
fn work_that_swallows_an_error_commits_nothing() {
    let desk = Desk::with().without_sweep().start();
    let ports = desk.ports();
    let taken = new_client("taken@example.org");
    ports.work.run_for(&minute(), |tx| tx.insert_client(&taken)).unwrap();
    let swallowed = |ports: &Ports, after: bool| {
        ports.work.run_for(&minute(), |tx| {
            tx.insert_client(&new_client("before@example.org"))?;
            assert!(tx.insert_client(&new_client("TAKEN@example.org")).is_err());
            if after {
                assert!(tx.insert_client(&new_client("after@example.org")).is_err(), "it is lost");
            }
            Ok(())
        })
    };
    assert!(swallowed(&ports, false).is_err());
    assert!(swallowed(&ports, true).is_err());
    assert_eq!((clients(&desk, "before@example.org"), clients(&desk, "after@example.org")), (0, 0));
}

#[test]
fn work_that_fails_commits_nothing() {
    let desk = Desk::with().without_sweep().start();
    let outcome = desk.ports().work.run_for(&minute(), |tx| {
        tx.insert_client(&new_client("ana@example.org"))?;
        Err::<(), _>(AppError::invalid("/x", "no"))
    });
    assert!(matches!(outcome, Err(AppError::Invalid(_))), "{outcome:?}");
    assert_eq!(clients(&desk, "ana@example.org"), 0);
}

#[test]
fn what_was_abandoned_before_its_commit_changes_nothing() {
    let desk = Desk::with().without_sweep().start();
    let budget = minute();
    let outcome = desk.ports().work.run_for(&budget, |tx| {
        tx.insert_client(&new_client("ana@example.org"))?;
        assert!(budget.abandon(), "the commit has not begun");
        Ok(())
    });
    assert!(matches!(outcome, Err(AppError::TimedOut)), "{outcome:?}");
    assert_eq!(clients(&desk, "ana@example.org"), 0);
    assert!(matches!(desk.ports().work.run_for(&budget, |tx| tx.now()), Err(AppError::TimedOut)));
}

/// A connection that is lost in the middle was not committed, so the work can be repeated.
#[test]
fn work_whose_connection_is_cut_is_repeated_on_another_one() {
    let desk = Desk::with().without_sweep().cuttable_database().start();
    let mut runs = 0;
    let outcome = desk.ports().work.run_for(&minute(), |tx| {
        runs += 1;
        tx.insert_client(&new_client("ana@example.org"))?;
        if runs == 1 {
            desk.database_way().cut();
            desk.database_way().heal();
        }
        tx.now()
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!((runs, clients(&desk, "ana@example.org")), (2, 1));
}
