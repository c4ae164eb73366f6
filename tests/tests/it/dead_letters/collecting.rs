//! From the broker into the database.

use lapin::{
    BasicProperties,
    options::{BasicGetOptions, BasicNackOptions, BasicPublishOptions},
    types::{AMQPValue, FieldTable},
};
use techsupport_tests::{Desk, Queue, until};

use super::{Administrator, await_empty_queues, await_rows, breach, new_id, refused, rows};

#[test]
fn what_a_worker_gives_up_is_kept_with_its_reason() {
    let (desk, _worker, _, event) = refused();
    await_rows(&desk, "DEAD", 1);
    let listed = Administrator::of(&desk).list(None);
    let [letter] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!((letter.queue.as_str(), letter.attempts), ("sla-events", 2));
    assert_eq!(letter.error, "log: the receiver is broken");
    assert_eq!(String::from_utf8(letter.body.clone()).unwrap(), breach(event));
    assert_eq!(desk.database().one::<uuid::Uuid>("SELECT event_id FROM dead_letters", &[]), event);
    await_empty_queues(&desk);
}

#[test]
fn replicas_share_the_work_and_keep_each_once() {
    let desk = Desk::with().collecting().replicas(2).start();
    desk.await_topology();
    let dead = desk.broker().name(Queue::DeadLetters);
    let events: Vec<_> = (0..150).map(|_| new_id()).collect();
    desk.broker().run(async |channel| {
        for event in events.iter().chain(&events) {
            let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
            let properties = BasicProperties::default().with_message_id(event.to_string().into());
            let body = breach(*event);
            let confirm = channel
                .basic_publish("".into(), dead.as_str().into(), options, body.as_bytes(), properties)
                .await;
            assert!(confirm.unwrap().await.unwrap().is_ack());
        }
    });
    await_rows(&desk, "DEAD", 150);
    await_empty_queues(&desk);
    let mut kept = desk.database().all::<uuid::Uuid>("SELECT event_id FROM dead_letters", &[]);
    kept.sort();
    assert_eq!(kept, events);
    assert_eq!(rows(&desk, "%"), 150);
}

/// Whatever somebody has put there, nothing of it keeps it from being stored, or is lost for something like it.
#[test]
fn whatever_lies_there_is_kept() {
    let desk = Desk::with().collecting().start();
    desk.await_topology();
    let dead = desk.broker().name(Queue::DeadLetters);
    let put = |id: Option<&str>, reason: &str, body: &[u8]| {
        let mut headers = FieldTable::default();
        let nobody_s = AMQPValue::LongString("9999-12-31T23:59:59-23:59".into());
        headers.insert("techsupport-failed-at".into(), nobody_s);
        headers.insert("techsupport-reason".into(), AMQPValue::LongString(reason.into()));
        let mut properties = BasicProperties::default().with_headers(headers);
        if let Some(id) = id {
            properties = properties.with_message_id(id.into());
        }
        desk.broker().run(async |channel| {
            let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
            let confirm =
                channel.basic_publish("".into(), dead.as_str().into(), options, body, properties).await;
            assert!(confirm.unwrap().await.unwrap().is_ack());
        });
    };
    put(None, "", b"");
    put(None, "another without a name that says the same", b"");
    put(None, "a NUL: \0", &[0, 0xff, 0xfe]);
    put(Some("1"), "same id", b"one");
    put(Some("1"), "same id", b"another");
    put(Some("1"), "same id, again", b"another");
    put(Some(&"x".repeat(255)), "a long id", &vec![b'x'; 1_000_000]);
    await_rows(&desk, "DEAD", 6);
    await_empty_queues(&desk);
    let listed = Administrator::of(&desk).list(Some("sla-events"));
    assert!(listed.iter().any(|letter| letter.error == "a NUL: \u{fffd}" && letter.body == [0, 0xff, 0xfe]));
    assert_eq!(listed.iter().filter(|letter| letter.body == b"another").count(), 1);
    assert!(Administrator::of(&desk).list(Some("ticket-imports")).is_empty());
}

/// A message that kills every worker is given up by the broker, without anybody to say why.
#[test]
fn what_the_broker_gives_up_is_kept_as_well() {
    let desk = Desk::with().collecting().set("BROKER__DELIVERY_LIMIT", 10).start();
    desk.await_topology();
    let (event, main) = (new_id(), desk.broker().name(Queue::Main));
    desk.broker().put(&main, &breach(event), 1);
    for _ in 0..11 {
        until("it is delivered", || {
            desk.broker().run(async |channel| {
                let got =
                    channel.basic_get(main.as_str().into(), BasicGetOptions::default()).await.unwrap()?;
                let requeue = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
                got.delivery.acker.nack(requeue).await.unwrap();
                Some(())
            })
        });
    }
    await_rows(&desk, "DEAD", 1);
    let listed = Administrator::of(&desk).list(None);
    assert_eq!(listed[0].error, "the broker gave it up (delivery_limit)");
    assert_eq!(listed[0].attempts, 11);
}

#[test]
fn without_a_collector_they_stay_at_the_broker() {
    let desk = Desk::with().collecting().cuttable_database().start();
    desk.await_topology();
    let dead = desk.broker().name(Queue::DeadLetters);
    desk.database_way().cut();
    let events: Vec<_> = (0..20).map(|_| new_id()).collect();
    for event in &events {
        desk.broker().put(&dead, &breach(*event), 1);
    }
    assert_eq!(rows(&desk, "%"), 0);
    desk.database_way().heal();
    await_rows(&desk, "DEAD", 20);
    await_empty_queues(&desk);
}
