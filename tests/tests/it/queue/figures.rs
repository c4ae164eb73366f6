//! How much there is to do.

use lapin::{
    options::{QueueDeclareOptions, QueueDeleteOptions},
    types::FieldTable,
};
use serde_json::{Value, json};
use techsupport_tests::{Desk, Queue, Worker, eventually, until};

use super::{DLQ, dead, state};

const STATS: &str = "/api/queue/stats";

fn queue(name: &str, ready: u32, consumers: u32, dead: u32) -> Value {
    json!({"name": name, "ready": ready, "consumers": consumers, "deadLetter": dead})
}

#[test]
fn broker_and_database_are_put_together() {
    let desk = Desk::with().without_sweep().without_relay().start();
    desk.await_topology();
    let admin = desk.admin();
    let nothing = admin.get(STATS).expect(200).json();
    let idle = ["sla-events", "webhook-events", "ticket-imports"].map(|name| queue(name, 0, 0, 0));
    assert_eq!(
        nothing,
        json!({
            "waiting": 0, "active": 0, "completed": 0, "failed": 0, "deadLetter": 0, "queues": idle,
            "outbox": {"pending": 0, "oldestAgeSeconds": 0},
        })
    );

    let broker = desk.broker();
    let main = broker.name(Queue::Main);
    broker.put(&main, "{}", 3);
    broker.put(&format!("{main}.retry.300ms"), "{}", 1);
    broker.put(&broker.name(Queue::DeadLetters), "{}", 2);
    dead(&desk, "sla-events", b"{}", 1);
    let on_its_way = dead(&desk, "ticket-imports", b"{}", 1);
    desk.database().execute(
        "UPDATE dead_letters SET state = 'QUEUED', retry_at = 'infinity' WHERE id = $1",
        &[&on_its_way],
    );
    let ticket = desk.ticket(&admin, "VIP");
    let pending = desk.database().count("outbox");
    assert!(pending > 0);
    desk.database().execute("UPDATE outbox SET created_at = created_at - interval '100 seconds'", &[]);
    for values in [
        "'PENDING', 1, now() + interval '1 hour', NULL, NULL",
        "'PENDING', 2, NULL, 'disk full', NULL",
        "'DELIVERED', 1, NULL, NULL, now()",
    ] {
        let delivery = format!(
            "INSERT INTO deliveries (event_id, channel, state, attempts, lease_until, last_error, settled_at) \
             VALUES (gen_random_uuid(), 'log', {values})"
        );
        desk.database().execute(&delivery, &[]);
    }
    desk.database().execute("INSERT INTO inbox (consumer, event_id) VALUES ('sla-events', $1)", &[&ticket]);
    let expected = json!({
        "waiting": 4 + pending, "active": 1, "completed": 1, "failed": 1, "deadLetter": 4,
        "queues": [queue("sla-events", 4, 0, 3), queue("webhook-events", 0, 0, 0), queue("ticket-imports", 0, 0, 1)],
    });
    // A message on its way from a retry queue into the main one is in both for a moment.
    until("the figures are right", || {
        let mut stats = admin.get(STATS).expect(200).json();
        let outbox = stats.as_object_mut().unwrap().remove("outbox").unwrap();
        assert_eq!(outbox["pending"], pending);
        assert!((100..1_000).contains(&outbox["oldestAgeSeconds"].as_u64().unwrap()), "{outbox}");
        if stats == expected { Some(()) } else { None }
    });
}

/// Who watches the figures has to hear of it, whatever queue this release does not know.
#[test]
fn dead_letters_of_every_queue_are_in_the_metrics() {
    let desk = Desk::start();
    for queue in ["sla-events", "sla-events", "of-another-release", "of-a-third"] {
        dead(&desk, queue, b"{}", 1);
    }
    for figure in [
        "dead_letters{queue=\"sla-events\"} 2\n",
        "dead_letters{queue=\"ticket-imports\"} 0\n",
        "dead_letters{queue=\"other\"} 2\n",
    ] {
        until(figure, || desk.anonymous().get("/metrics").expect(200).body.contains(figure).then_some(()));
    }
}

/// After a change of settings, beside another release, or when somebody has deleted one.
#[test]
fn a_queue_that_is_missing_or_differs_hides_no_figures() {
    let desk = Desk::with().without_sweep().without_relay().start();
    desk.await_topology();
    let admin = desk.admin();
    let broker = desk.broker();
    let main = broker.name(Queue::Main);
    let [missing, different] = ["100", "300"].map(|delay| format!("{main}.retry.{delay}ms"));
    for queue in [&missing, &different] {
        // Whoever deletes a queue before its dead-letter worker is at work may stop those of all others (`departed.rs` of
        // the harness).
        broker.put(queue, "{}", 1);
        broker.take(&main);
    }
    broker.run(async |channel| {
        for queue in [&missing, &different] {
            channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await.unwrap();
        }
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(different.as_str().into(), durable, FieldTable::default()).await.unwrap();
    });
    broker.put(&different, "{}", 2);
    broker.put(&main, "{}", 1);
    for _ in 0..2 {
        // A broker that is busy for a moment counts nothing.
        eventually("the others are counted", || {
            admin.get(STATS).expect(200).json()["queues"][0] == queue("sla-events", 3, 0, 0)
        });
    }
    assert_eq!(broker.ready(&missing), None, "looking makes nothing");
}

/// Nobody has to wait until what is done was counted, however much that is.
#[test]
fn what_is_done_is_estimated_when_it_is_very_much() {
    let desk = Desk::start();
    desk.await_topology();
    let admin = desk.admin();
    let completed = || admin.get(STATS).expect(200).json()["completed"].clone();
    desk.database()
        .execute("INSERT INTO inbox (consumer, event_id) VALUES ('sla-events', gen_random_uuid())", &[]);
    assert_eq!(completed(), 1);
    let grown = "UPDATE pg_class SET reltuples = $1 WHERE oid = 'inbox'::regclass";
    assert_eq!(desk.database().execute(grown, &[&999_999_f32]), 1);
    assert_eq!(completed(), 1);
    desk.database().execute(grown, &[&-1_f32]);
    assert_eq!(completed(), 1, "never analysed");
    desk.database().execute(grown, &[&5_000_000_f32]);
    assert_eq!(completed(), 5_000_000);
}

#[test]
fn workers_are_counted_while_they_are_there() {
    let desk = Desk::start();
    desk.await_topology();
    let admin = desk.admin();
    let consumers = || admin.get(STATS).expect(200).json()["queues"][0]["consumers"].as_u64().unwrap();
    assert_eq!(consumers(), 0);
    {
        let _worker = Worker::start(&desk);
        eventually("a worker is there", || consumers() == 1);
    }
    eventually("it is gone", || consumers() == 0);
}

#[test]
fn without_the_broker_there_are_no_figures_but_decisions_can_be_made() {
    let desk = Desk::with().cuttable_broker().set("BROKER__CONNECT_TIMEOUT_MS", 1_000).start();
    desk.await_topology();
    let admin = desk.admin();
    let (kept, discarded) = (dead(&desk, "sla-events", b"kept", 2), dead(&desk, "sla-events", b"{}", 1));
    eventually("there are figures", || admin.get(STATS).status == 200);
    desk.broker_way().cut();
    for _ in 0..2 {
        let away = admin.get(STATS).expect_problem(503, "unavailable");
        assert!(away.header("retry-after").is_some());
        // Whether or not this process has noticed yet.
        eventually("it is noticed", || desk.anonymous().get("/health/ready").status == 503);
    }
    assert_eq!(admin.get(DLQ).expect(200).json().as_array().unwrap().len(), 2);
    admin.delete(&format!("{DLQ}/{discarded}")).expect(204);
    admin.call("POST", &format!("{DLQ}/{kept}/replay"), None).expect(202);
    assert_eq!(state(&desk, kept), "QUEUED", "it waits for the broker");
    desk.broker_way().heal();
    let main = desk.broker().name(Queue::Main);
    assert_eq!(desk.broker().take(&main).delivery.data, b"kept");
    eventually("there are figures again", || admin.get(STATS).status == 200);
}

/// A broker that says nothing is as good as one that is away.
#[test]
fn a_silent_broker_is_not_waited_for() {
    let mut desk = Desk::with().cuttable_broker().start();
    desk.await_topology();
    let impatient = desk.start_api_with(&[("BROKER__CONNECT_TIMEOUT_MS", "500")]);
    let admin = desk.admin().at(&impatient);
    eventually("there are figures", || admin.get(STATS).status == 200);
    desk.broker_way().stall();
    let silent = admin.get(STATS).expect_problem(503, "unavailable");
    assert!(silent.header("retry-after").is_some());
    desk.broker_way().heal();
    eventually("there are figures again", || admin.get(STATS).status == 200);
}
