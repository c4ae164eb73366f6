//! What arrives, and how often.

use serde_json::json;
use techsupport_tests::{Desk, Queue, Worker, eventually};

use super::{breach, delivered, new_id, told};

#[test]
fn a_breach_reaches_a_person_once() {
    let desk = Desk::start();
    let worker = Worker::start(&desk);
    let admin = desk.admin();
    let (vip, normal) = (desk.ticket(&admin, "VIP"), desk.ticket(&admin, "NORMAL"));
    desk.age(vip, 150);
    desk.age(normal, 25 * 60);
    let mut lines = worker.await_notifications(2);
    lines.sort_by_key(|line| line["type"].as_str().map(str::to_owned));
    let [of_normal, of_vip] = &lines[..] else { panic!("{lines:#?}") };
    for (line, kind, ticket, tier, hours) in [
        (of_normal, "SLA_BREACH_NOTIFICATION", normal, "NORMAL", 25.0),
        (of_vip, "SLA_ESCALATED", vip, "VIP", 2.5),
    ] {
        assert_eq!(line["type"], kind);
        assert_eq!(line["ticketId"], json!(ticket));
        assert_eq!(line["clientType"], tier);
        assert_eq!(line["slaHoursElapsed"], hours);
        // As bunyan readers expect it.
        assert_eq!((&line["v"], &line["name"]), (&json!(0), &json!("sla-worker")));
        assert!(line["level"].is_u64() && line["pid"].is_u64() && line["hostname"].is_string(), "{line}");
    }
    eventually("both are settled", || delivered(&desk) == 2);
    assert_eq!(desk.database().count("sla_steps"), 2);
    assert_eq!(desk.database().count("inbox WHERE consumer = 'sla-events'"), 2);
}

#[test]
fn a_message_that_comes_twenty_times_is_one_line() {
    let desk = Desk::start();
    desk.await_topology();
    let (event, last) = (new_id(), new_id());
    desk.broker().put(&desk.broker().name(Queue::Main), &breach(event), 20);
    let worker = Worker::start(&desk);
    let other = Worker::start(&desk);
    worker_and(&other, &worker, 1);
    desk.broker().put(&desk.broker().name(Queue::Main), &breach(event), 5);
    desk.broker().put(&desk.broker().name(Queue::Main), &breach(last), 1);
    let lines = worker_and(&other, &worker, 2);
    assert_eq!(told(&lines), {
        let mut both = vec![event, last];
        both.sort();
        both
    });
    eventually("the queue is empty", || desk.broker().ready(&desk.broker().name(Queue::Main)) == Some(0));
    assert_eq!(desk.database().count("deliveries"), 2);
    assert_eq!(desk.database().count("deliveries WHERE attempts = 1"), 2);
}

/// What two workers have told together.
fn worker_and(one: &Worker, other: &Worker, count: usize) -> Vec<serde_json::Value> {
    techsupport_tests::until(&format!("{count} notifications"), || {
        let lines = [one.notifications(), other.notifications()].concat();
        (lines.len() >= count).then_some(lines)
    })
}

/// Settling waits for a lock that the test holds: so as many are under way as there may be, and no more.
#[test]
fn five_are_handled_at_once() {
    let desk = Desk::with()
        .set("DATABASE__LOCK_TIMEOUT_MS", 30_000)
        .set("DATABASE__STATEMENT_TIMEOUT_MS", 60_000)
        .start();
    desk.await_topology();
    let mut other = desk.database().connect();
    let mut holding = other.transaction().unwrap();
    holding.batch_execute("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE").unwrap();
    for _ in 0..20 {
        desk.broker().put(&desk.broker().name(Queue::Main), &breach(new_id()), 1);
    }
    let worker = Worker::start(&desk);
    let busy = "pg_stat_activity WHERE datname = current_database() AND application_name = 'sla-worker' \
                AND wait_event_type = 'Lock'";
    eventually("five wait", || desk.database().count(busy) == 5);
    let queue = desk.broker().name(Queue::Main);
    eventually("the others stay with the broker", || desk.broker().ready(&queue) == Some(15));
    holding.rollback().unwrap();
    assert_eq!(worker.await_notifications(20).len(), 20);
    eventually("all are settled", || delivered(&desk) == 20);
}

#[test]
fn several_workers_share_the_work() {
    let desk = Desk::start();
    desk.await_topology();
    let events: Vec<_> = (0..60).map(|_| new_id()).collect();
    let workers: Vec<Worker> = (0..3).map(|_| Worker::start(&desk)).collect();
    for event in &events {
        desk.broker().put(&desk.broker().name(Queue::Main), &breach(*event), 2);
    }
    eventually("all are settled", || delivered(&desk) == 60);
    let lines: Vec<_> = workers.iter().flat_map(Worker::notifications).collect();
    let mut events = events;
    events.sort();
    assert_eq!(told(&lines), events);
}

#[test]
fn nothing_is_lost_while_broker_or_database_are_away() {
    let desk = Desk::with().cuttable_broker().cuttable_database().start();
    desk.await_topology();
    let worker = Worker::start(&desk);
    let queue = desk.broker().name(Queue::Main);
    let mut events: Vec<_> = (0..30).map(|_| new_id()).collect();
    for (n, event) in events.iter().enumerate() {
        desk.broker().put(&queue, &breach(*event), 1);
        match n {
            8 => desk.database_way().cut(),
            14 => desk.database_way().heal(),
            18 => desk.broker_way().cut(),
            24 => desk.broker_way().heal(),
            _ => {}
        }
    }
    eventually("all are settled", || delivered(&desk) == 30);
    events.sort();
    assert_eq!(told(&worker.notifications()), events);
    eventually("the queue is empty", || desk.broker().ready(&queue) == Some(0));
}

#[test]
fn a_worker_that_is_stopped_finishes_what_it_holds() {
    let desk = Desk::start();
    desk.await_topology();
    for _ in 0..10 {
        desk.broker().put(&desk.broker().name(Queue::Main), &breach(new_id()), 1);
    }
    let mut worker = Worker::start(&desk);
    worker.await_notifications(1);
    worker.stop();
    let done = worker.notifications().len();
    assert_eq!(delivered(&desk), i64::try_from(done).unwrap());
    let left = u32::try_from(10 - done).unwrap();
    let queue = desk.broker().name(Queue::Main);
    eventually("the rest is still there", || desk.broker().ready(&queue) == Some(left));
}
