//! Whatever goes wrong is a problem document.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use serde_json::{Value, json};
use techsupport_tests::Desk;

#[test]
fn whoever_asks_wrongly_is_told_what_is_wrong() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let client = desk.client_of(&admin, "NORMAL");
    let body = |change: Value| {
        let mut body = json!({"title": "Broken", "description": "It is.", "clientId": client});
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        body
    };
    for (wrong, pointer) in [
        (body(json!({"title": "ab"})), "/title"),
        (body(json!({"title": "x".repeat(201)})), "/title"),
        (body(json!({"title": " \t\n "})), "/title"),
        (body(json!({"title": "a\u{0}bc"})), "/title"),
        (body(json!({"title": 7})), "/title"),
        (body(json!({"title": null})), "/title"),
        (body(json!({"description": "x".repeat(10_001)})), "/description"),
        (body(json!({"priority": 0})), "/priority"),
        (body(json!({"priority": 5})), "/priority"),
        (body(json!({"priority": "2"})), "/priority"),
        (body(json!({"clientId": "7"})), "/clientId"),
        (body(json!({"colour": "red"})), "/colour"),
        (body(json!({"status": "CLOSED"})), "/status"),
        (json!({"title": "Broken", "description": "It is."}), "/clientId"),
    ] {
        let problem = admin.post("/api/tickets", &wrong).expect_problem(400, "invalid-input").json();
        let pointers: Vec<&Value> =
            problem["errors"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
        assert_eq!(pointers, [pointer], "{problem}");
    }
    let unknown = body(json!({"clientId": "0199aaaa-0000-7000-8000-000000000000"}));
    let problem = admin.post("/api/tickets", &unknown).expect_problem(422, "unusable-reference").json();
    assert_eq!(problem["errors"][0]["pointer"], "/clientId");
    assert_eq!(desk.database().count("tickets"), 0);
    // A title at its limits, counted in characters.
    admin.post("/api/tickets", &body(json!({"title": "ñ".repeat(200)}))).expect(201);
    admin.post("/api/tickets", &body(json!({"title": "🐧🐧🐧"}))).expect(201);
}

#[test]
fn what_is_no_request_of_ours() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let post = |body: &str, kind: &str| admin.send("POST", "/api/tickets", Some(body), kind);
    post("{\"title\": ", "application/json").expect_problem(400, "malformed-body");
    post("[]", "application/json").expect_problem(400, "invalid-input");
    post("{\"title\": \"abc\", \"title\": \"def\"}", "application/json").expect_problem(400, "invalid-input");
    post("title=Broken", "application/x-www-form-urlencoded").expect_problem(415, "unsupported-media-type");
    post(&format!("{{\"title\": \"{}\"}}", "x".repeat(2_000_000)), "application/json")
        .expect_problem(413, "body-too-large");
    admin.get("/api/nothing").expect_problem(404, "unknown-route");
    desk.anonymous().get("/api/nothing").expect_problem(404, "unknown-route");
    admin.get("/api/tickets/7").expect_problem(400, "invalid-input");
    admin.get("/api/tickets/0199aaaa-0000-7000-8000-000000000000").expect_problem(404, "not-found");
    let answer = admin.call("PUT", "/api/tickets", None).expect_problem(405, "method-not-allowed");
    let allow = answer.header("allow").unwrap();
    assert!(allow.contains("GET") && allow.contains("POST") && !allow.contains("PUT"), "{allow}");
}

/// A request id that is sane is kept, another one is replaced; security headers are on every answer.
#[test]
fn every_answer_says_which_request_it_is_of() {
    let desk = Desk::with().without_sweep().start();
    let kept = desk.anonymous().with_header("x-request-id", "my-Request_1.0:7").get("/api/nothing");
    assert_eq!(kept.expect_problem(404, "unknown-route").header("x-request-id"), Some("my-Request_1.0:7"));
    for wrong in ["a b", "ñ", &"x".repeat(129)] {
        let answer = desk.anonymous().with_header("x-request-id", wrong).get("/health").expect(200);
        let id = answer.header("x-request-id").unwrap();
        assert!(id != wrong && !id.is_empty());
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
}

#[test]
fn what_is_no_http_gets_a_problem_too() {
    let desk = Desk::with().without_sweep().start();
    let ask = |request: &str| {
        let mut stream = TcpStream::connect(desk.address()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let many = "X-Many: 1\r\n".repeat(200);
    for (request, status, kind) in [
        ("GARBAGE\r\n\r\n".to_owned(), 400, "malformed-request"),
        (
            format!("GET /health HTTP/1.1\r\nHost: x\r\n{many}Connection: close\r\n\r\n"),
            431,
            "head-too-large",
        ),
    ] {
        let answer = ask(&request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        assert!(answer.to_lowercase().contains("content-type: application/problem+json"), "{answer}");
        assert!(answer.contains(kind), "{answer}");
    }
}

/// Nothing of the inside is in an answer, whatever breaks.
#[test]
fn internal_errors_tell_nothing() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    desk.database().execute("ALTER TABLE clients RENAME COLUMN company TO firm", &[]);
    let answer = admin.get("/api/clients").expect_problem(500, "internal");
    for inside in ["company", "column", "diesel", "SELECT", "clients.", "/src/"] {
        assert!(!answer.json()["detail"].as_str().unwrap().contains(inside), "{}", answer.body);
    }
    let id = answer.header("x-request-id").unwrap();
    let log = techsupport_tests::log_lines();
    let line = log.iter().find(|line| line.contains(id) && line.contains("internal error"));
    assert!(line.is_some_and(|line| line.contains("company")), "the log knows: {line:?}");
}
