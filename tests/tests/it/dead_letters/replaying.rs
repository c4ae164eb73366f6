//! From the database back to the broker.

use lapin::{
    options::BasicPublishOptions,
    types::{AMQPValue, FieldTable},
};
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

/// A worker of the release before takes it after its replay, and gives it up again in its own way.
#[test]
fn a_worker_of_the_release_before_loses_nothing() {
    let (desk, worker, _, _) = refused();
    let id = dead_row(&desk, 1);
    drop(worker);
    Administrator::of(&desk).replay(id).unwrap();
    await_rows(&desk, "REPLAYED", 1);
    let taken = desk.broker().take(&desk.broker().name(Queue::Main)).delivery;
    let mut headers = FieldTable::default();
    for (name, value) in taken.properties.headers().iter().flat_map(FieldTable::inner) {
        if !name.as_str().starts_with("x-") && !name.as_str().starts_with("techsupport-") {
            headers.insert(name.clone(), value.clone());
        }
    }
    headers.insert("techsupport-reason".into(), AMQPValue::LongString("no more attempts".into()));
    // Its clock is behind.
    headers.insert("techsupport-failed-at".into(), AMQPValue::LongString("2026-01-01T00:00:00Z".into()));
    let properties = taken.properties.with_headers(headers);
    let dead = desk.broker().name(Queue::DeadLetters);
    desk.broker().run(async |channel| {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let confirm =
            channel.basic_publish("".into(), dead.as_str().into(), options, &taken.data, properties).await;
        assert!(confirm.unwrap().await.unwrap().is_ack());
    });
    await_rows(&desk, "DEAD", 1);
    let listed = Administrator::of(&desk).list(None);
    assert!(listed[0].id != id && listed[0].error == "no more attempts", "{listed:?}");
}

/// One that the broker will never take must not hold back the others, nor may many large ones go together.
#[test]
fn a_message_that_breaks_its_batch_holds_back_nobody() {
    let mut desk = Desk::with()
        .set("DEAD_LETTERS__RETRY_AFTER_MS", 50)
        .set("DEAD_LETTERS__BATCH_BYTES", 1_000_000)
        .start();
    desk.await_topology();
    let administrator = Administrator::of(&desk);
    // Headers have to fit into one frame; the broker closes the connection over it.
    let trace = "x".repeat(400_000);
    administrator.keep(&given_up_as("breaks", |message| message.traceparent = Some(trace)));
    for n in 0..5 {
        let body = vec![b'x'; 600_000];
        administrator.keep(&given_up_as(&n.to_string(), |message| message.body = body));
    }
    assert_eq!(administrator.replay_all(10).queued, 6);
    await_rows(&desk, "REPLAYED", 5);
    // It is tried again and again, and while it is nobody can discard it.
    desk.stop_api();
    let stuck = administrator.list(None);
    let [letter] = &stuck[..] else { panic!("{stuck:?}") };
    assert!(letter.error.starts_with("it could not be put back yet: "), "{}", letter.error);
    administrator.discard(letter.id).unwrap();
    assert_eq!((rows(&desk, "REPLAYED"), rows(&desk, "DISCARDED")), (5, 1));
}

#[test]
fn what_no_queue_takes_is_given_back() {
    let desk = Desk::with().set("DEAD_LETTERS__RETRY_AFTER_MS", 100).start();
    desk.await_topology();
    let administrator = Administrator::of(&desk);
    // Written by a later release, which has more subscriptions.
    administrator.keep(&given_up_as("a", |message| message.queue = "unheard-of".into()));
    administrator.keep(&given_up("b"));
    assert_eq!(administrator.replay_all(10).queued, 2);
    await_rows(&desk, "REPLAYED", 1);
    let listed = administrator.list(None);
    let [letter] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!(letter.error, "there is no queue unheard-of");
    desk.database().execute("UPDATE dead_letters SET queue = $1 WHERE state = 'DEAD'", &[&SLA_EVENTS]);
    administrator.replay(letter.id).unwrap();
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
