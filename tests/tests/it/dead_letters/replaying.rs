//! From the database back to the broker.

use techsupport_tests::{Desk, Queue, eventually};
use uuid::Uuid;

use super::{
    Administrator, Receiver, SLA_EVENTS, Telling, await_empty_queues, await_rows, given_up, given_up_as,
    refused, rows,
};

/// Gives an event up, and returns its row.
fn dead_row(desk: &Desk, count: i64) -> Uuid {
    await_rows(desk, "DEAD", count);
    Administrator::of(desk).list(None)[0].id
}

#[test]
fn a_message_goes_back_to_the_one_queue_it_died_in_and_is_delivered() {
    let (desk, _worker, receiver, event) = refused();
    let id = dead_row(&desk, 1);
    receiver.mend();
    Administrator::of(&desk).replay(id).unwrap();
    eventually("it is told", || receiver.told().get(&event) == Some(&1));
    await_rows(&desk, "REPLAYED", 1);
    await_empty_queues(&desk);
    let others = format!("{}.webhook-events", desk.broker().prefix());
    assert_eq!(desk.broker().ready(&others), Some(0), "the others have had it");
    let settled = "deliveries WHERE state = 'DELIVERED' AND attempts = 3 AND forgiven = 2";
    eventually("it is settled", || desk.database().count(settled) == 1);
    assert_eq!(desk.database().count("inbox"), 1);
    assert_eq!(desk.database().count("outbox"), 0, "nothing that the feed would tell of");
}

#[test]
fn one_that_dies_again_is_a_new_row_with_all_its_attempts() {
    let (desk, _worker, receiver, event) = refused();
    let administrator = Administrator::of(&desk);
    for death in 1..=3 {
        let id = dead_row(&desk, 1);
        assert_eq!(administrator.list(None)[0].attempts, 2 * death, "as many as a new one has, each time");
        if death == 3 {
            receiver.mend();
        }
        administrator.replay(id).unwrap();
        administrator.replay(id).unwrap();
        await_rows(&desk, "REPLAYED", i64::from(death));
    }
    eventually("it is told", || receiver.told().get(&event) == Some(&1));
    await_empty_queues(&desk);
    assert_eq!(desk.database().all::<i32>("SELECT replay FROM dead_letters ORDER BY replay", &[]), [0, 1, 2]);
}

/// A message that no worker can read comes back again and again, until somebody throws it away.
#[test]
fn one_that_can_never_be_read_dies_again_each_time() {
    let desk = Desk::with().collecting().start();
    desk.await_topology();
    let _worker = Telling::start(&desk, &Receiver::default());
    desk.broker().put(&desk.broker().name(Queue::Main), "no JSON", 1);
    let administrator = Administrator::of(&desk);
    for times in 1..=2 {
        let id = dead_row(&desk, 1);
        administrator.replay(id).unwrap();
        await_rows(&desk, "REPLAYED", times);
    }
    administrator.discard(dead_row(&desk, 1)).unwrap();
    await_empty_queues(&desk);
    assert_eq!((rows(&desk, "DEAD"), rows(&desk, "%")), (0, 3));
}

#[test]
fn what_no_queue_takes_is_tried_again() {
    let desk = Desk::with().set("DEAD_LETTERS__RETRY_AFTER_MS", 100).start();
    desk.await_topology();
    let administrator = Administrator::of(&desk);
    // Written by a later release, which has more subscriptions.
    administrator.keep(&given_up_as("a", |message| message.queue = "unheard-of".into()));
    administrator.keep(&given_up("b"));
    assert_eq!(administrator.replay_all(10).queued, 2);
    await_rows(&desk, "REPLAYED", 1);
    let reason = "dead_letters WHERE state = 'QUEUED' AND replay_error = 'there is no queue unheard-of'";
    eventually("the reason is written down", || desk.database().count(reason) == 1);
    desk.database().execute("UPDATE dead_letters SET queue = $1 WHERE state = 'QUEUED'", &[&SLA_EVENTS]);
    await_rows(&desk, "REPLAYED", 2);
    let main = desk.broker().name(Queue::Main);
    eventually("both are there", || desk.broker().ready(&main) == Some(2));
}

#[test]
fn while_the_broker_is_away_it_waits() {
    let desk = Desk::with().cuttable_broker().start();
    desk.await_topology();
    let administrator = Administrator::of(&desk);
    administrator.keep(&given_up("a"));
    desk.broker_way().cut();
    eventually("the outage is noticed", || desk.anonymous().get("/health/ready").status == 503);
    assert_eq!(administrator.replay_all(10).queued, 1);
    assert_eq!(rows(&desk, "QUEUED"), 1);
    desk.broker_way().heal();
    await_rows(&desk, "REPLAYED", 1);
    let main = desk.broker().name(Queue::Main);
    eventually("it is there", || desk.broker().ready(&main) == Some(1));
}
