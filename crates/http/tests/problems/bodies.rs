//! What a body has to be, and what is said about one that is not.

use serde_json::{Value, json};

use crate::{
    ID,
    common::{Desk, token},
    places,
};

#[test]
fn only_json_in_utf_8_is_taken() {
    let desk = Desk::start();
    let bearer = format!("Bearer {}", token("ADMIN"));
    let post = |content_type: &str, more: (&str, &str)| {
        let headers = [("authorization", bearer.as_str()), ("content-type", content_type), more];
        desk.call("POST", "/api/clients", &headers, b"{}")
    };
    let nothing = ("x-nothing", "1");
    for good in ["application/json", "Application/JSON; charset=UTF-8", "application/json;charset=\"utf-8\""]
    {
        post(good, nothing).problem(400, "invalid-input");
    }
    for bad in ["text/plain", "application/json-patch+json", "application/x-www-form-urlencoded", "json", ""]
    {
        post(bad, nothing).problem(415, "unsupported-media-type");
    }
    post("application/json; charset=latin1", nothing).problem(415, "unsupported-media-type");
    post("application/json", ("content-encoding", "gzip")).problem(415, "unsupported-media-type");
    let no_type = desk.call("POST", "/api/clients", &[("authorization", &bearer)], b"{}");
    no_type.problem(415, "unsupported-media-type");
}

#[test]
fn bodies_that_are_no_json_are_refused_without_the_parsers_words() {
    let desk = Desk::start();
    let deep = "[".repeat(100_000);
    for body in ["", "{", "{\"title\": }", "nonsense", "{} {}", "{\"a\": \"\u{1}\"}", deep.as_str()] {
        let bearer = format!("Bearer {}", token("AGENT"));
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let problem =
            desk.call("POST", "/api/tickets", &headers, body.as_bytes()).problem(400, "malformed-body");
        let text = problem.to_string();
        assert!(!text.contains("EOF") && !text.contains("expected"), "{text}");
        let detail = problem["errors"][0]["detail"].as_str().unwrap();
        let is_place = detail.starts_with("is not valid JSON at line 1, column ");
        assert!(is_place || detail == "is nested deeper than 120 levels", "{text}");
        assert_eq!(problem["errors"][0]["pointer"], "");
        assert_eq!(problem["detail"], format!("the body {detail}"));
    }
    for body in ["[]", "\"x\"", "1", "null", "true"] {
        let bearer = format!("Bearer {}", token("AGENT"));
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        desk.call("POST", "/api/tickets", &headers, body.as_bytes()).problem(400, "invalid-input");
    }
}

#[test]
fn every_wrong_member_is_named() {
    let desk = Desk::start();
    let body = json!({"title": "ab", "clientId": "x", "priority": 9, "Title": "x", "colour": "red"});
    let problem = desk.post("/api/tickets", body).problem(400, "invalid-input");
    assert_eq!(places(&problem), ["/Title", "/colour", "/clientId", "/description", "/priority", "/title"]);

    let body = json!({"title": 1, "description": null, "clientId": ["x"], "priority": "1"});
    let problem = desk.post("/api/tickets", body).problem(400, "invalid-input");
    let details: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().map(|e| e["detail"].as_str().unwrap()).collect();
    assert_eq!(
        details,
        ["must be a string", "must be a string", "must be a whole number", "must be a string"]
    );

    let bearer = format!("Bearer {}", token("AGENT"));
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let twice = format!(
        r#"{{"title": "abc", "title": "abc", "description": "a\u0000b", "clientId": "{ID}", "priority": 2.5}}"#
    );
    let problem = desk.call("POST", "/api/tickets", &headers, twice.as_bytes()).problem(400, "invalid-input");
    assert_eq!(places(&problem), ["/title", "/description", "/priority"]);
}

#[test]
fn texts_are_counted_in_characters_and_blank_is_nothing() {
    let desk = Desk::start();
    let open = |title: &str| {
        let body = json!({"title": title, "description": "abc", "clientId": ID});
        desk.post("/api/tickets", body).status
    };
    // 503 is what gets as far as the database here.
    assert_eq!(open(&"\u{1f525}".repeat(200)), 503);
    assert_eq!(open(&"\u{1f525}".repeat(201)), 400);
    assert_eq!(open("ñññ"), 503);
    assert_eq!(open("ññ"), 400);
    assert_eq!(open(" \t\u{2003}\n "), 400);
}

#[test]
fn assigning_needs_an_agent_or_null_and_tolerates_a_level() {
    let desk = Desk::start();
    let assign =
        |body: Value| desk.as_role("AGENT", "PATCH", &format!("/api/tickets/{ID}/assign"), Some(body));
    assert_eq!(places(&assign(json!({})).problem(400, "invalid-input")), ["/agentId"]);
    assert_eq!(places(&assign(json!({"agentLevel": 3})).problem(400, "invalid-input")), ["/agentId"]);
    assert_eq!(places(&assign(json!({"agentId": 1})).problem(400, "invalid-input")), ["/agentId"]);
    for good in [
        json!({"agentId": null}),
        json!({"agentId": ID, "agentLevel": 3}),
        json!({"agentId": ID, "agentLevel": "x"}),
    ] {
        assign(good).problem(503, "unavailable");
    }
}

#[test]
fn passwords_and_roles_are_checked_when_somebody_registers() {
    let desk = Desk::start();
    let register = |password: &str, role: &str| {
        desk.post("/api/auth/register", json!({"email": "a@b.c", "password": password, "role": role}))
    };
    for weak in ["short", "password123", "        ", &"x".repeat(129)] {
        assert_eq!(places(&register(weak, "AGENT").problem(400, "invalid-input")), ["/password"], "{weak:?}");
    }
    assert_eq!(places(&register("correct horse", "ROOT").problem(400, "invalid-input")), ["/role"]);
    register("correct horse", "AGENTE").problem(503, "unavailable");
}
