//! The API is killed with -9, at the worst moment and at any.

use techsupport_tests::{Desk, Queue, eventually};
use uuid::Uuid;

use super::{Administrator, Receiver, Telling, await_empty_queues, await_rows, breach, new_id, rows};
use crate::programs::Running;

/// Writes wait for an advisory lock, so that a test can hold them.
const CLOSE: &str = "SELECT pg_advisory_lock(42)";
const OPEN: &str = "SELECT pg_advisory_unlock(42)";

fn gate(when: &str) -> String {
    format!(
        "CREATE FUNCTION wait_at_the_gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         PERFORM pg_advisory_xact_lock_shared(42); RETURN NEW; END $$; \
         CREATE TRIGGER gate {when} EXECUTE FUNCTION wait_at_the_gate()"
    )
}

/// The API of this desk leaves dead letters to those that are killed.
fn desk() -> Desk {
    let desk = Desk::with()
        .set("DEAD_LETTERS__REPLAY", false)
        .set("DATABASE__LOCK_TIMEOUT_MS", 60_000)
        .set("DATABASE__STATEMENT_TIMEOUT_MS", 60_000)
        .set("DEAD_LETTERS__BUDGET_MS", 60_000)
        .start();
    desk.await_topology();
    desk
}

/// An API that collects and puts back, in a process of its own.
fn start(desk: &Desk) -> Running {
    let mut environment = desk.variables().to_vec();
    environment.retain(|(name, _)| {
        !name.contains("DEAD_LETTERS__COLLECT") && !name.contains("DEAD_LETTERS__REPLAY")
    });
    Running::start_with(&environment)
}

fn put_dead(desk: &Desk, count: usize) -> Vec<Uuid> {
    let events: Vec<Uuid> = (0..count).map(|_| new_id()).collect();
    let dead = desk.broker().name(Queue::DeadLetters);
    for event in &events {
        desk.broker().put(&dead, &breach(*event), 1);
    }
    events
}

fn kept(desk: &Desk) -> Vec<Uuid> {
    let mut kept = desk.database().all::<Uuid>("SELECT event_id FROM dead_letters", &[]);
    kept.sort();
    kept
}

/// The row is written and not committed: the message must not be gone from the queue.
#[test]
fn killed_while_a_dead_letter_is_stored() {
    let desk = desk();
    let mut other = desk.database().connect();
    other.batch_execute(&gate("BEFORE INSERT ON dead_letters FOR EACH ROW")).unwrap();
    other.batch_execute(CLOSE).unwrap();
    let events = put_dead(&desk, 20);
    let mut api = start(&desk);
    let waiting = "pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'";
    eventually("some are being stored", || desk.database().count(waiting) == 2);
    api.kill();
    let dead = desk.broker().name(Queue::DeadLetters);
    eventually("all are back in the queue", || desk.broker().ready(&dead) == Some(20));
    other.batch_execute(OPEN).unwrap();
    let _api = start(&desk);
    await_rows(&desk, "DEAD", 20);
    await_empty_queues(&desk);
    assert_eq!(kept(&desk), events);
}

/// Messages are in their queue again, which is not written down: they go there a second time.
#[test]
fn killed_between_the_publish_and_its_mark() {
    let desk = desk();
    let mut other = desk.database().connect();
    let marked = "BEFORE UPDATE ON dead_letters FOR EACH ROW WHEN (NEW.state = 'REPLAYED')";
    other.batch_execute(&gate(marked)).unwrap();
    let events = put_dead(&desk, 30);
    let mut api = start(&desk);
    await_rows(&desk, "DEAD", 30);
    other.batch_execute(CLOSE).unwrap();
    assert_eq!(Administrator::of(&desk).replay_all(100).queued, 30);
    let main = desk.broker().name(Queue::Main);
    eventually("they are published", || desk.broker().ready(&main) == Some(30));
    api.kill();
    assert_eq!(rows(&desk, "QUEUED"), 30);
    other.batch_execute(OPEN).unwrap();
    let _api = start(&desk);
    await_rows(&desk, "REPLAYED", 30);
    eventually("they are published again", || desk.broker().ready(&main) == Some(60));
    let receiver = Receiver::default();
    let _worker = Telling::start(&desk, &receiver);
    eventually("all are told", || receiver.told().len() == 30);
    await_empty_queues(&desk);
    let told = receiver.told();
    assert!(told.values().all(|times| *times == 1), "one effect each: {told:?}");
    assert_eq!(told.into_keys().collect::<Vec<_>>(), events);
    assert_eq!(rows(&desk, "%"), 30);
}

#[test]
fn killed_again_and_again_at_any_moment() {
    let desk = desk();
    let events = put_dead(&desk, 400);
    let mut api = start(&desk);
    for kill in 1..=4 {
        // After some more rows each time: moments that differ from run to run.
        let before = rows(&desk, "%");
        eventually("it gets on", || rows(&desk, "%") >= (before + 13 * kill).min(400));
        api.kill();
        api = start(&desk);
    }
    await_rows(&desk, "DEAD", 400);
    assert_eq!(kept(&desk), events, "each is kept once");

    let receiver = Receiver::default();
    let _worker = Telling::start(&desk, &receiver);
    assert_eq!(Administrator::of(&desk).replay_all(1_000).queued, 400);
    for _ in 1..=3 {
        let before = rows(&desk, "REPLAYED");
        eventually("it gets on", || rows(&desk, "REPLAYED") > before || rows(&desk, "QUEUED") == 0);
        api.kill();
        api = start(&desk);
    }
    await_rows(&desk, "REPLAYED", 400);
    eventually("all are told", || receiver.told().len() == 400);
    await_empty_queues(&desk);
    let told = receiver.told();
    assert!(told.values().all(|times| *times == 1), "one effect each");
    assert_eq!(told.into_keys().collect::<Vec<_>>(), events);
    assert_eq!(rows(&desk, "%"), 400);
}
