//! Putting dead letters back, and throwing them away.

use serde_json::json;
use techsupport_tests::{Answer, Desk, Queue, eventually};
use uuid::Uuid;

use super::{DLQ, dead, state};
use crate::races::race;

fn listed(desk: &Desk) -> usize {
    desk.admin().get(DLQ).expect(200).json().as_array().unwrap().len()
}

#[test]
fn one_that_is_put_back_goes_back_once_however_often_it_is_asked_for() {
    let desk = Desk::start();
    desk.await_topology();
    let admin = desk.admin();
    let id = dead(&desk, "sla-events", b"{\"a\": 1}", 1);
    let path = format!("{DLQ}/{id}/replay");
    let asked = path.clone();
    for answer in race(vec![admin.clone(); 12], move |_, admin| admin.call("POST", &asked, None)) {
        assert_eq!(answer.expect(202).json(), json!({"id": id}));
    }
    assert_eq!(listed(&desk), 0, "it has left the list");
    eventually("it was put back", || state(&desk, id) == "REPLAYED");
    assert_eq!(admin.post(&path, &json!({})).expect(202).json(), json!({"id": id}), "the same replay");
    let main = desk.broker().name(Queue::Main);
    eventually("it is in its queue, once", || desk.broker().ready(&main) == Some(1));
    let message = desk.broker().take(&main);
    assert_eq!(message.delivery.data, b"{\"a\": 1}");
    // What was put back is not to be had again.
    admin.delete(&format!("{DLQ}/{id}")).expect_problem(404, "not-found");
    assert_eq!(desk.broker().ready(&main), Some(0));
}

#[test]
fn all_are_put_back_so_many_at_a_time_and_each_call_is_made_once() {
    let desk = Desk::with().set("DEAD_LETTERS__REPLAY_ALL_MAX", 2).start();
    desk.await_topology();
    let admin = desk.admin();
    let path = format!("{DLQ}/replay");
    let oldest = dead(&desk, "sla-events", b"oldest", 30);
    for age in [20, 10] {
        dead(&desk, "sla-events", b"{}", age);
    }
    let keyed = admin.with_header("idempotency-key", "tonight");
    let first = keyed.call("POST", &path, None).expect(202);
    assert_eq!(first.json(), json!({"queued": 2, "remaining": 1}));
    assert_ne!(state(&desk, oldest), "DEAD", "the oldest first");
    let again = keyed.post(&path, &json!({})).expect(202);
    assert_eq!((again.header("idempotency-replayed"), &again.body), (Some("true"), &first.body));
    assert_eq!(listed(&desk), 1, "the same call is not made again");
    let replay = |queued: u32, remaining: u32| {
        let answer = admin.call("POST", &path, None).expect(202).json();
        assert_eq!(answer, json!({"queued": queued, "remaining": remaining}));
    };
    replay(1, 0);
    replay(0, 0);
    let main = desk.broker().name(Queue::Main);
    eventually("all are in their queue", || desk.broker().ready(&main) == Some(3));
}

#[test]
fn one_that_is_discarded_is_gone_and_the_audit_log_says_who_did_it() {
    let desk = Desk::start();
    let admin = desk.admin();
    let id = dead(&desk, "webhook-events", b"a secret", 1);
    admin.delete(&format!("{DLQ}/{id}")).expect(204);
    assert_eq!(listed(&desk), 0);
    admin.delete(&format!("{DLQ}/{id}")).expect_problem(404, "not-found");
    admin.call("POST", &format!("{DLQ}/{id}/replay"), None).expect_problem(404, "not-found");
    let all = admin.call("POST", &format!("{DLQ}/replay"), None).expect(202).json();
    assert_eq!(all, json!({"queued": 0, "remaining": 0}));
    assert_eq!(desk.database().count("dead_letters WHERE state = 'DISCARDED' AND body IS NULL"), 1);

    let log = admin.get(&format!("/api/audit?action=DEAD_LETTER_DISCARDED&target={id}")).expect(200).json();
    let me = admin.get("/api/auth/me").expect(200).json();
    let entry = &log["data"][0];
    assert_eq!(log["total"], 1, "{log}");
    assert_eq!((&entry["actor"]["id"], &entry["outcome"]), (&me["id"], &json!("SUCCESS")));
    assert_eq!(entry["target"], json!({"kind": "DEAD_LETTER", "id": id}));
    assert_eq!(entry["detail"], json!({"queue": "webhook-events", "eventId": id}));
}

#[test]
fn the_audit_log_says_once_of_each_who_had_it_put_back() {
    let desk = Desk::with().set("DEAD_LETTERS__REPLAY", false).start();
    let admin = desk.admin();
    let one = dead(&desk, "ticket-imports", b"{}", 2);
    let path = format!("{DLQ}/{one}/replay");
    for answer in race(vec![admin.clone(); 8], move |_, admin| admin.call("POST", &path, None)) {
        answer.expect(202);
    }
    let others = "INSERT INTO dead_letters (id, queue, message_key, replay, digest, body, attempts, error, failed_at) \
                  SELECT gen_random_uuid(), 'webhook-events', n::text, 0, '\\x00', '', 1, 'no', now() \
                  FROM generate_series(1, 2500) AS n";
    desk.database().execute(others, &[]);
    for queued in [2_500, 0] {
        let all = admin.call("POST", &format!("{DLQ}/replay"), None).expect(202).json();
        assert_eq!(all, json!({"queued": queued, "remaining": 0}));
    }
    let told = "audit_log WHERE action = 'DEAD_LETTER_REPLAYED'";
    assert_eq!(desk.database().count(told), 2_501);
    let each = desk.database().count(
        "dead_letters d JOIN audit_log a ON a.target_id = d.id::text AND a.target_kind = 'DEAD_LETTER' \
         AND a.actor_id = d.settled_by AND a.detail ->> 'queue' = d.queue \
         AND (a.detail ->> 'eventId') IS NOT DISTINCT FROM d.event_id::text",
    );
    assert_eq!(each, 2_501, "each its own");

    let log = admin.get(&format!("/api/audit?action=DEAD_LETTER_REPLAYED&target={one}")).expect(200).json();
    let me = admin.get("/api/auth/me").expect(200).json();
    let entry = &log["data"][0];
    assert_eq!(log["total"], 1, "{log}");
    assert_eq!((&entry["actor"]["id"], &entry["outcome"]), (&me["id"], &json!("SUCCESS")));
    assert_eq!(entry["detail"], json!({"queue": "ticket-imports", "eventId": one}));
}

/// One discards it, and nobody finds it after that.
#[test]
fn of_those_who_discard_and_those_who_put_back_one_discards() {
    let desk = Desk::with().set("DEAD_LETTERS__REPLAY", false).start();
    let admin = desk.admin();
    for _ in 0..10 {
        let id = dead(&desk, "sla-events", b"{}", 1);
        let answers = race(vec![admin.clone(); 8], move |n, admin| {
            if n % 2 == 0 {
                admin.delete(&format!("{DLQ}/{id}"))
            } else {
                admin.call("POST", &format!("{DLQ}/{id}/replay"), None)
            }
        });
        let count = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
        assert_eq!((state(&desk, id).as_str(), count(204)), ("DISCARDED", 1));
        assert_eq!(count(202) + count(404), 7);
    }
    let discarded = desk.database().count("dead_letters WHERE state = 'DISCARDED'");
    assert_eq!(desk.database().count("audit_log WHERE action = 'DEAD_LETTER_DISCARDED'"), discarded);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let desk = Desk::start();
    let admin = desk.admin();
    let unknown = Uuid::nil();
    admin.delete(&format!("{DLQ}/{unknown}")).expect_problem(404, "not-found");
    let path = format!("{DLQ}/{unknown}/replay");
    admin.call("POST", &path, None).expect_problem(404, "not-found");
    let keyed = admin.with_header("idempotency-key", "k");
    for _ in 0..2 {
        let refused = keyed.call("POST", &path, None).expect_problem(404, "not-found");
        assert_eq!(refused.header("idempotency-replayed"), None, "it may be there the next time");
    }
    let named = |answer: Answer, place: &str, name: &str| {
        let problem = answer.expect_problem(400, "invalid-input").json();
        assert_eq!(problem["errors"][0][place], name, "{problem}");
    };
    named(admin.delete(&format!("{DLQ}/7")), "parameter", "id");
    named(admin.call("POST", &format!("{DLQ}/7/replay"), None), "parameter", "id");
    for path in [path, format!("{DLQ}/replay")] {
        named(admin.post(&path, &json!({"limit": 1})), "pointer", "/limit");
        named(admin.post(&path, &json!([])), "pointer", "");
        named(admin.call("POST", &format!("{path}?limit=1"), None), "parameter", "limit");
        admin.send("POST", &path, Some("{}"), "text/plain").expect_problem(415, "unsupported-media-type");
    }
}

#[test]
fn only_administrators_may() {
    let desk = Desk::start();
    let id = dead(&desk, "sla-events", b"{}", 1);
    let everybody = [
        (desk.anonymous(), 401, "unauthenticated"),
        (desk.agent(), 403, "forbidden"),
        (desk.supervisor(), 403, "forbidden"),
    ];
    for (caller, status, kind) in everybody {
        for (method, path) in [
            ("GET", "/api/queue/stats".to_owned()),
            ("GET", DLQ.to_owned()),
            ("POST", format!("{DLQ}/replay")),
            ("POST", format!("{DLQ}/{id}/replay")),
            ("DELETE", format!("{DLQ}/{id}")),
        ] {
            caller.call(method, &path, None).expect_problem(status, kind);
        }
    }
    assert_eq!(state(&desk, id), "DEAD");
}
