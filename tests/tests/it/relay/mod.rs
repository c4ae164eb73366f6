//! From the outbox to the broker.

use serde_json::{Value, json};
use techsupport_tests::{Desk, Queue, TestBroker, eventually, until};

/// The queue that every event reaches, whatever its type.
fn all_events(desk: &Desk) -> String {
    format!("{}.webhook-events", desk.broker().prefix())
}

fn ready(desk: &Desk, queue: &str) -> i64 {
    desk.broker().ready(queue).unwrap_or(0).into()
}

#[test]
fn an_event_arrives_as_it_lies_in_the_outbox() {
    let desk = Desk::start();
    desk.await_topology();
    let caller = desk.agent();
    let ticket = desk.ticket(&desk.admin(), "VIP");
    caller.patch(&format!("/api/tickets/{ticket}/status"), &json!({"status": "IN_PROGRESS"})).expect(200);
    desk.await_published();
    for (kind, key) in [
        ("pro.techsupport.ticket.created.v1", "ticket.created.v1"),
        ("pro.techsupport.ticket.status_changed.v1", "ticket.status_changed.v1"),
    ] {
        let message = desk.broker().take(&all_events(&desk));
        let (id, body, trace): (uuid::Uuid, String, String) = {
            let mut database = desk.database().connect();
            let sql = "SELECT id, body::text, traceparent FROM outbox WHERE type = $1";
            let row = database.query_one(sql, &[&kind]).unwrap();
            (row.get(0), row.get(1), row.get(2))
        };
        let properties = &message.delivery.properties;
        assert_eq!(message.delivery.routing_key.as_str(), key);
        assert_eq!(properties.message_id().as_ref().map(ToString::to_string), Some(id.to_string()));
        assert_eq!(properties.delivery_mode(), &Some(2), "it survives a restart of the broker");
        assert_eq!(
            properties.content_type().as_ref().map(ToString::to_string).as_deref(),
            Some("application/cloudevents+json")
        );
        assert_eq!(String::from_utf8(message.delivery.data.clone()).unwrap(), body);
        assert_eq!(TestBroker::header(&message, "traceparent"), Some(trace));
        let document: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((&document["specversion"], &document["type"]), (&json!("1.0"), &json!(kind)));
    }
    assert_eq!(ready(&desk, &desk.broker().name(Queue::Main)), 0, "nothing is said about deadlines");
}

#[test]
fn while_the_broker_is_down_requests_are_answered_and_the_outbox_drains_when_it_is_back() {
    let desk = Desk::with().cuttable_broker().start();
    desk.await_topology();
    let admin = desk.admin();
    desk.broker_way().cut();
    eventually("the outage is noticed", || admin.get("/health/ready").status == 503);
    let ready_problem = admin.get("/health/ready").expect_problem(503, "not-ready").json();
    assert_eq!(ready_problem["failing"], "broker");
    let client = desk.client_of(&admin, "NORMAL");
    for _ in 0..20 {
        let ticket = desk.ticket_for(&admin, client);
        admin.patch(&format!("/api/tickets/{ticket}/status"), &json!({"status": "IN_PROGRESS"})).expect(200);
    }
    assert_eq!(desk.database().count("outbox WHERE published_at IS NULL"), 40);
    desk.broker_way().heal();
    desk.await_published();
    let queue = all_events(&desk);
    eventually("all have arrived", || ready(&desk, &queue) == 40);
}

/// The broker acknowledges what it cannot route together with its return.
#[test]
fn what_reaches_no_queue_is_never_marked_as_sent() {
    let desk = Desk::with().set("RELAY__RETRY_AFTER_MS", 100).start();
    desk.await_topology();
    let admin = desk.admin();
    desk.broker().unbind_all();
    desk.ticket(&admin, "NORMAL");
    let tried = "outbox WHERE published_at IS NULL AND attempts >= 2 AND last_error IS NOT NULL";
    eventually("it is tried again and again", || desk.database().count(tried) == 1);
    assert_eq!(desk.database().count("outbox WHERE published_at IS NOT NULL"), 0);
    desk.broker().bind_all();
    desk.await_published();
    let queue = all_events(&desk);
    eventually("it has arrived", || ready(&desk, &queue) == 1);
}

#[test]
fn several_relays_lose_nothing() {
    let desk = Desk::with().replicas(3).set("RELAY__BATCH", 7).start();
    desk.await_topology();
    let admin = desk.admin();
    let client = desk.client_of(&admin, "NORMAL");
    for _ in 0..60 {
        desk.ticket_for(&admin, client);
    }
    desk.await_published();
    let mut sent = desk.database().all::<uuid::Uuid>("SELECT id FROM outbox", &[]);
    assert_eq!(sent.len(), 60);
    let queue = all_events(&desk);
    eventually("all have arrived", || ready(&desk, &queue) >= 60);
    let mut arrived: Vec<uuid::Uuid> = (0..60)
        .map(|_| {
            let message = desk.broker().take(&queue);
            message.delivery.properties.message_id().as_ref().unwrap().as_str().parse().unwrap()
        })
        .collect();
    sent.sort();
    arrived.sort();
    assert_eq!(arrived, sent, "each once: nobody crashed");
    assert_eq!(ready(&desk, &queue), 0);
}

/// An event of a type that this release does not know, written by a later one.
#[test]
fn an_event_nobody_can_publish_holds_up_no_other() {
    let desk = Desk::with().set("RELAY__RETRY_AFTER_MS", 200).start();
    desk.await_topology();
    desk.database().execute(
        "INSERT INTO outbox (id, type, ticket_id, at, traceparent, body) \
         VALUES ('00000000-0000-7000-8000-000000000001', 'pro.techsupport.unheard.of.v9', gen_random_uuid(), \
         now(), '', '{}')",
        &[],
    );
    desk.ticket(&desk.admin(), "NORMAL");
    until("the other one goes out", || {
        Some(()).filter(|()| desk.database().count("outbox WHERE published_at IS NOT NULL") == 1)
    });
    let reason: String = until("the reason is written down", || {
        desk.database().one("SELECT max(last_error) FROM outbox WHERE published_at IS NULL", &[])
    });
    assert!(reason.contains("unheard.of"), "{reason}");
}

#[test]
fn what_the_last_requests_wrote_leaves_before_the_api_ends() {
    let mut desk = Desk::with().set("RELAY__POLL_MS", 60_000).start();
    desk.await_topology();
    desk.ticket(&desk.admin(), "NORMAL");
    assert_eq!(desk.database().count("outbox WHERE published_at IS NULL"), 1, "the relay is asleep");
    desk.stop_api();
    assert_eq!(desk.database().count("outbox WHERE published_at IS NULL"), 0);
}
