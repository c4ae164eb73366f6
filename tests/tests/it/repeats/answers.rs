//! What is kept, and what is not.

use serde_json::{Value, json};
use techsupport_tests::Desk;

use super::{assert_replays, is_replay, ticket_body, with_key};

#[test]
fn every_post_is_answered_the_same_to_the_byte_and_done_once() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let client = desk.client_of(&admin, "VIP");
    let ticket = desk.ticket_for(&admin, client);
    let new_client = json!({"name": "Ana", "email": "a@example.org", "type": "VIP", "company": "Forja SL"});
    let new_agent = json!({"name": "Luis", "email": "l@example.org", "level": 2});
    let cases: [(String, Value, &str, i64); 5] = [
        ("/api/tickets".to_owned(), ticket_body(client), "tickets", 2),
        ("/api/clients".to_owned(), new_client, "clients", 2),
        ("/api/agents".to_owned(), new_agent, "agents", 1),
        (
            "/api/tickets/bulk".to_owned(),
            json!([{"id": ticket, "status": "ESCALATED"}]),
            "ticket_timeline WHERE action = 'STATUS_CHANGED'",
            1,
        ),
        (
            format!("/api/tickets/{ticket}/comments"),
            json!({"body": "On its way.", "visibility": "INTERNAL"}),
            "ticket_timeline WHERE action = 'COMMENTED'",
            1,
        ),
    ];
    for (path, body, rows, expected) in cases {
        let caller = with_key(&admin, &path);
        let first = caller.post(&path, &body);
        assert!(matches!(first.status, 200 | 201), "{path}: {}", first.body);
        assert_replays(&first, &caller.post(&path, &body));
        assert_eq!(desk.database().count(rows), expected, "{path}");
    }
}

#[test]
fn a_request_without_a_body_can_be_repeated_too() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "NORMAL");
    admin.delete(&format!("/api/tickets/{ticket}")).expect(204);
    let (path, caller) = (format!("/api/tickets/{ticket}/restore"), with_key(&admin, "back"));
    let first = caller.call("POST", &path, None).expect(200);
    admin.delete(&format!("/api/tickets/{ticket}")).expect(204);
    assert_replays(&first, &caller.call("POST", &path, None));
    admin.get(&format!("/api/tickets/{ticket}")).expect_problem(404, "not-found");
}

#[test]
fn the_same_value_is_the_same_body_and_another_one_is_refused() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let client = desk.client_of(&admin, "VIP");
    let caller = with_key(&admin, "one");
    let first = caller.post("/api/tickets", &ticket_body(client)).expect(201);
    let spelt = format!(
        "{{ \"clientId\":\"{client}\",\n\"description\": \"Smoke since nine.\", \
         \"title\": \"\\u0054he printer is on fire\"}}"
    );
    let again = caller.send("POST", "/api/tickets", Some(&spelt), "application/json");
    assert_replays(&first, &again);
    let mut other = ticket_body(client);
    other["priority"] = json!(1);
    caller.post("/api/tickets", &other).expect_problem(422, "idempotency-key-reused");
    assert_eq!(desk.database().count("tickets"), 1);
    // The first answer is still there.
    assert_replays(&first, &caller.post("/api/tickets", &ticket_body(client)));
}

#[test]
fn a_verdict_is_kept_and_told_again() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let nobody = techsupport_bootstrap::ids::new_id();
    let caller = with_key(&admin, "nobody");
    let first = caller.post("/api/tickets", &ticket_body(nobody)).expect_problem(422, "unusable-reference");
    assert_replays(&first, &caller.post("/api/tickets", &ticket_body(nobody)));
    let body = json!({"name": "Luis", "email": "l@example.org", "level": 2});
    let agent = admin.post("/api/agents", &body).expect(201).id();
    let caller = with_key(&admin, "taken");
    let first = caller.post("/api/agents", &body).expect_problem(409, "email-taken");
    admin.patch(&format!("/api/agents/{agent}"), &json!({"email": "other@example.org"})).expect(200);
    // The address is free by now: the answer is that of the first time.
    assert_replays(&first, &caller.post("/api/agents", &body));
    assert_eq!(desk.database().count("agents"), 1);
}

#[test]
fn what_may_go_better_the_next_time_is_not_kept() {
    let mut desk = Desk::with().without_sweep().without_relay().start();
    let hasty = desk.start_api_with(&[("HTTP__REQUEST_TIMEOUT_MS", "500")]);
    let admin = desk.admin();
    let client = desk.client_of(&admin, "VIP");
    let caller = with_key(&admin, "later");
    let mut other = desk.database().connect();
    let mut holding = other.transaction().unwrap();
    holding.batch_execute("LOCK TABLE outbox IN EXCLUSIVE MODE").unwrap();
    caller.at(&hasty).post("/api/tickets", &ticket_body(client)).expect_problem(503, "timed-out");
    holding.rollback().unwrap();
    assert_eq!(desk.database().count("idempotency_keys"), 0);
    let answer = techsupport_tests::until("the first request is really over", || {
        let answer = caller.post("/api/tickets", &ticket_body(client));
        (answer.status != 409).then_some(answer)
    });
    assert!(!is_replay(&answer.expect(201)));
    assert_eq!(desk.database().count("tickets"), 1);
}

#[test]
fn what_is_wrong_with_a_request_comes_before_what_is_known_of_it() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let client = desk.client_of(&admin, "VIP");
    let caller = with_key(&admin, "one");
    let first = caller.post("/api/tickets", &ticket_body(client)).expect(201);
    caller.post("/api/tickets", &json!({"title": "no"})).expect_problem(400, "invalid-input");
    caller.send("POST", "/api/tickets", Some("{"), "application/json").expect_problem(400, "malformed-body");
    caller
        .send("POST", "/api/tickets", Some("{}"), "text/plain")
        .expect_problem(415, "unsupported-media-type");
    let large = format!("{{\"title\": \"{}\"}}", "x".repeat(1 << 20));
    caller
        .send("POST", "/api/tickets", Some(&large), "application/json")
        .expect_problem(413, "body-too-large");
    with_key(&desk.anonymous(), "one")
        .post("/api/tickets", &ticket_body(client))
        .expect_problem(401, "unauthenticated");
    with_key(&desk.agent(), "one").post("/api/clients", &json!({})).expect_problem(403, "forbidden");
    assert_replays(&first, &caller.post("/api/tickets", &ticket_body(client)));
    assert_eq!(desk.database().count("idempotency_keys"), 1);
}
