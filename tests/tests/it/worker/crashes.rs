//! Workers that are killed with -9, at the worst moment and at any.

use techsupport_tests::{Desk, DeskBuilder, Queue, WorkerProcess, eventually};

use super::{breach, delivered, new_id, told};

/// Settlements wait for an advisory lock, so that a test can hold them between effect and settlement.
const GATE: &str = "CREATE FUNCTION wait_at_the_gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
    PERFORM pg_advisory_xact_lock_shared(42); RETURN NEW; END $$; \
    CREATE TRIGGER gate BEFORE UPDATE ON deliveries FOR EACH ROW WHEN (NEW.state = 'DELIVERED') \
    EXECUTE FUNCTION wait_at_the_gate()";
const CLOSE: &str = "SELECT pg_advisory_lock(42)";
const OPEN: &str = "SELECT pg_advisory_unlock(42)";

fn patient() -> DeskBuilder {
    Desk::with()
        .set("DATABASE__LOCK_TIMEOUT_MS", 60_000)
        .set("DATABASE__STATEMENT_TIMEOUT_MS", 60_000)
        .set("NOTIFICATIONS__LOG__TIMEOUT_MS", 500)
}

/// The line is written, the settlement is not: the next attempt has to find out that the line is there.
#[test]
fn killed_between_the_effect_and_its_settlement() {
    let desk = patient().start();
    desk.await_topology();
    let mut gate = desk.database().connect();
    gate.batch_execute(GATE).unwrap();
    gate.batch_execute(CLOSE).unwrap();
    let mut events: Vec<_> = (0..5).map(|_| new_id()).collect();
    let queue = desk.broker().name(Queue::Main);
    for event in &events {
        desk.broker().put(&queue, &breach(*event), 1);
    }
    let mut worker = WorkerProcess::start(&desk);
    eventually("all lines are written", || worker.notifications().len() == 5);
    assert_eq!(delivered(&desk), 0);
    worker.kill();
    gate.batch_execute(OPEN).unwrap();
    worker.restart();
    eventually("all are settled", || delivered(&desk) == 5);
    events.sort();
    assert_eq!(told(&worker.notifications()), events, "each line once");
    assert_eq!(desk.database().count("deliveries WHERE attempts >= 2"), 5);
    eventually("the queue is empty", || desk.broker().ready(&queue) == Some(0));
}

/// The settlement is committed, the acknowledgement is not: the message comes again and is dropped.
#[test]
fn killed_again_and_again_at_any_moment() {
    let desk = patient().start();
    desk.await_topology();
    let queue = desk.broker().name(Queue::Main);
    let mut events: Vec<_> = (0..200).map(|_| new_id()).collect();
    for event in &events {
        desk.broker().put(&queue, &breach(*event), 1);
    }
    let mut worker = WorkerProcess::start(&desk);
    for kill in 1..=8 {
        // After some more lines each time: moments that differ from run to run.
        let before = worker.notifications().len();
        eventually("it gets on", || worker.notifications().len() >= (before + 3 * kill).min(200));
        worker.kill();
        worker.restart();
    }
    eventually("all are settled", || delivered(&desk) == 200);
    events.sort();
    assert_eq!(told(&worker.notifications()), events, "each line once");
    eventually("the queue is empty", || desk.broker().ready(&queue) == Some(0));
    assert_eq!(desk.broker().ready(&desk.broker().name(Queue::DeadLetters)), Some(0));
}

#[test]
fn sigterm_lets_it_finish_what_it_holds() {
    let desk = patient().start();
    desk.await_topology();
    let mut gate = desk.database().connect();
    gate.batch_execute(GATE).unwrap();
    gate.batch_execute(CLOSE).unwrap();
    let queue = desk.broker().name(Queue::Main);
    for _ in 0..3 {
        desk.broker().put(&queue, &breach(new_id()), 1);
    }
    let mut worker = WorkerProcess::start(&desk);
    eventually("all lines are written", || worker.notifications().len() == 3);
    worker.send_sigterm();
    // It holds three that are not settled; it must not end before they are.
    eventually("it has heard", || worker.lines().iter().any(|line| line.contains("\"stopping\"")));
    gate.batch_execute(OPEN).unwrap();
    assert!(worker.wait().success());
    assert_eq!(delivered(&desk), 3);
    assert_eq!(desk.broker().ready(&queue), Some(0));
    assert!(worker.lines().iter().any(|line| line.contains("\"stopped\"")));
    assert_eq!(worker.errors(), [""; 0]);
}
