//! Which requests are the same one.

use serde_json::json;
use techsupport_tests::{Desk, PASSWORD};

use super::{is_replay, ticket_body, with_key};

#[test]
fn a_key_belongs_to_a_caller_and_a_path() {
    let desk = Desk::with().without_sweep().start();
    let (admin, supervisor) = (desk.admin(), desk.supervisor());
    let client = desk.client_of(&admin, "VIP");
    let body = ticket_body(client);
    let first = with_key(&admin, "k").post("/api/tickets", &body).expect(201);
    let other = with_key(&supervisor, "k").post("/api/tickets", &body).expect(201);
    assert!(!is_replay(&other));
    assert_ne!(first.id(), other.id());
    // The same user, signed in once more, is the same caller.
    let again = desk.signed_in("admin@techsupport.pro", "tests-only-administrator");
    assert_eq!(with_key(&again, "k").post("/api/tickets", &body).expect(201).id(), first.id());
    let agent = json!({"name": "Luis", "email": "l@example.org", "level": 2});
    assert!(!is_replay(&with_key(&admin, "k").post("/api/agents", &agent).expect(201)));
    for ticket in [first.id(), other.id()] {
        let path = format!("/api/tickets/{ticket}/comments");
        let said = with_key(&admin, "k").post(&path, &json!({"body": "Seen."})).expect(201);
        assert!(!is_replay(&said), "another ticket is another path");
    }
    // Letter case counts, as in every other character.
    assert!(!is_replay(&with_key(&admin, "K").post("/api/tickets", &body).expect(201)));
    assert_eq!(desk.database().count("tickets"), 3);
}

#[test]
fn a_malformed_key_is_refused_and_named() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let body = ticket_body(desk.client_of(&admin, "VIP"));
    for wrong in ["a b", &"x".repeat(256), "caf\u{e9}"] {
        let problem =
            with_key(&admin, wrong).post("/api/tickets", &body).expect_problem(400, "invalid-input").json();
        assert_eq!(problem["errors"][0]["header"], "Idempotency-Key", "{problem}");
    }
    with_key(&with_key(&admin, "a"), "b").post("/api/tickets", &body).expect_problem(400, "invalid-input");
    assert_eq!(desk.database().count("tickets"), 0);
    with_key(&admin, &"~".repeat(255)).post("/api/tickets", &body).expect(201);
}

#[test]
fn where_there_are_secrets_and_where_nothing_is_made_the_key_is_ignored() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    for key in ["k", "not a key"] {
        let login = json!({"email": "admin@techsupport.pro", "password": "tests-only-administrator"});
        with_key(&desk.anonymous(), key).post("/api/auth/login", &login).expect(200);
        let email = format!("{}@example.org", key.len());
        let user = json!({"email": email, "password": PASSWORD, "role": "AGENT"});
        with_key(&admin, key).post("/api/auth/register", &user).expect(201);
        with_key(&admin, key).post("/api/auth/register", &user).expect_problem(409, "email-taken");
        let ticket = desk.ticket(&admin, "NORMAL");
        let path = format!("/api/tickets/{ticket}/status");
        with_key(&admin, key).patch(&path, &json!({"status": "ESCALATED"})).expect(200);
        assert_eq!(
            with_key(&admin, key).patch(&path, &json!({"status": "ESCALATED"})).expect(200).json()["escalationLevel"],
            2
        );
    }
    assert_eq!(desk.database().count("idempotency_keys"), 0);
}
