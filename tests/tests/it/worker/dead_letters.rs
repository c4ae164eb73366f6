//! Messages that are given up.

use std::path::Path;

use techsupport_tests::{Desk, Queue, TestBroker, Worker, eventually};

use super::{breach, new_id};

#[test]
fn after_the_last_attempt_a_message_is_dead_with_its_reason() {
    let desk = Desk::start();
    desk.await_topology();
    let event = new_id();
    desk.broker().put(&desk.broker().name(Queue::Main), &breach(event), 1);
    // Every write to it fails as on a full disk.
    assert!(Path::new("/dev/full").exists());
    let _worker = Worker::start_with(
        &desk,
        &[("NOTIFICATIONS__LOG__TARGET", "/dev/full"), ("WORKER__MAX_ATTEMPTS", "3")],
    );
    let dead = desk.broker().take(&desk.broker().name(Queue::DeadLetters));
    let header = |name| TestBroker::header(&dead, name).unwrap_or_default();
    assert!(header("techsupport-reason").starts_with("log: "), "{}", header("techsupport-reason"));
    assert_eq!(header("techsupport-attempts"), "LongInt(3)");
    assert_eq!(header("techsupport-queue"), desk.broker().name(Queue::Main));
    assert!(header("techsupport-failed-at").ends_with('Z'));
    assert_eq!(String::from_utf8(dead.delivery.data.clone()).unwrap(), breach(event));
    let row = "deliveries WHERE state = 'DEAD' AND attempts = 3 AND last_error IS NOT NULL";
    assert_eq!(desk.database().count(row), 1);
    assert_eq!(desk.database().count("inbox"), 0, "nobody has been told");
}

#[test]
fn what_cannot_be_read_is_dead_at_once_and_holds_up_nobody() {
    let desk = Desk::start();
    desk.await_topology();
    let queue = desk.broker().name(Queue::Main);
    for wrong in ["", "no JSON", "{}", &breach(new_id()).replace("breached.v1", "breached.v9")] {
        desk.broker().put(&queue, wrong, 1);
    }
    let good = new_id();
    desk.broker().put(&queue, &breach(good), 1);
    let worker = Worker::start(&desk);
    worker.await_notifications(1);
    let dead = desk.broker().name(Queue::DeadLetters);
    eventually("four dead letters", || desk.broker().ready(&dead) == Some(4));
    let mut reasons: Vec<String> = (0..4)
        .map(|_| TestBroker::header(&desk.broker().take(&dead), "techsupport-reason").unwrap())
        .collect();
    reasons.sort();
    assert!(
        reasons[..3].iter().all(|reason| reason.starts_with("not a CloudEvents document")),
        "{reasons:?}"
    );
    assert_eq!(reasons[3], "unknown event type pro.techsupport.sla.breached.v9");
    eventually("the queue is empty", || desk.broker().ready(&queue) == Some(0));
}

/// The disk is full for a while: the notification arrives when there is room again.
#[test]
fn a_receiver_that_comes_back_is_told_after_all() {
    let desk = Desk::start();
    desk.await_topology();
    let event = new_id();
    let link = std::env::temp_dir().join(format!("techsupport-{event}"));
    std::os::unix::fs::symlink("/dev/full", &link).unwrap();
    desk.broker().put(&desk.broker().name(Queue::Main), &breach(event), 1);
    {
        let target = link.to_str().unwrap();
        let _failing = Worker::start_with(
            &desk,
            &[("NOTIFICATIONS__LOG__TARGET", target), ("WORKER__MAX_ATTEMPTS", "100")],
        );
        eventually("it was tried twice", || desk.database().count("deliveries WHERE attempts >= 2") == 1);
    }
    std::fs::remove_file(&link).unwrap();
    let worker = Worker::start(&desk);
    assert_eq!(super::told(&worker.await_notifications(1)), [event]);
    eventually("it is settled", || super::delivered(&desk) == 1);
}
