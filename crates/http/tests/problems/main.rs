//! Everything that says no says it in a problem document, in the right order, and without anything internal.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;

mod bodies;
mod credentials;
mod parameters;

use common::{Desk, token};
use serde_json::{Value, json};

const ID: &str = "0190c0de-0000-7000-8000-000000000001";

fn places(problem: &Value) -> Vec<String> {
    let errors = problem["errors"].as_array().expect("errors");
    errors.iter().map(|e| e["pointer"].as_str().or(e["parameter"].as_str()).unwrap().to_owned()).collect()
}

#[test]
fn an_unknown_route_is_404_for_everybody_before_anything_else() {
    let desk = Desk::start();
    for path in
        ["/", "/api", "/nowhere", "/api/tickets/", "/API/tickets", "/api/tickets/1/2/3", "//api/tickets"]
    {
        let problem = desk.call("POST", path, &[], b"x").problem(404, "unknown-route");
        assert_eq!(problem["instance"], path);
    }
}

#[test]
fn a_known_path_names_the_methods_it_knows() {
    let desk = Desk::start();
    let answer = desk.call("PUT", "/api/tickets", &[], b"");
    answer.problem(405, "method-not-allowed");
    assert_eq!(answer.header("allow"), Some("GET, POST, HEAD, OPTIONS"));
    let answer = desk.call("OPTIONS", "/api/tickets", &[], b"");
    assert_eq!((answer.status, answer.header("allow")), (204, Some("GET, POST, HEAD, OPTIONS")));
}

#[test]
fn an_earlier_problem_hides_the_later_ones() {
    let desk = Desk::start();
    let agent = format!("Bearer {}", token("AGENT"));
    let supervisor = format!("Bearer {}", token("SUPERVISOR"));
    let (json, huge) = (("content-type", "application/json"), vec![b'x'; (1 << 20) + 1]);
    let call = |headers: &[(&str, &str)], body: &[u8]| desk.call("POST", "/api/clients?x=1", headers, body);

    call(&[], &huge).problem(401, "unauthenticated");
    call(&[("authorization", &agent)], &huge).problem(403, "forbidden");
    call(&[("authorization", &supervisor)], &huge).problem(415, "unsupported-media-type");
    call(&[("authorization", &supervisor), json], &huge).problem(413, "body-too-large");
    call(&[("authorization", &supervisor), json], b"{").problem(400, "invalid-input");
    let problem = desk.call("POST", "/api/clients", &[("authorization", &supervisor), json], b"{");
    problem.problem(400, "malformed-body");
    desk.as_role("AGENT", "PATCH", "/api/tickets/x/status", Some(json!({"status": 1})))
        .problem(400, "invalid-input");
    desk.as_role("AGENT", "PATCH", "/api/tickets/x/status", Some(json!({"status": "OPEN"})))
        .problem(400, "invalid-input");
}

#[test]
fn every_error_names_a_member_of_the_wire_form() {
    let desk = Desk::start();
    let (status, assign) = (format!("/api/tickets/{ID}/status"), format!("/api/tickets/{ID}/assign"));
    let bodies = [
        ("POST", "/api/auth/login", "email password"),
        ("POST", "/api/auth/refresh", "refreshToken"),
        ("POST", "/api/auth/logout", "refreshToken"),
        ("POST", "/api/auth/register", "active email password role"),
        ("POST", "/api/clients", "company email name type"),
        ("POST", "/api/agents", "active email level name userId"),
        ("POST", "/api/tickets", "clientId description priority title"),
        ("PATCH", status.as_str(), "status"),
        ("PATCH", assign.as_str(), "agentId"),
    ];
    let sorted = |problem: &Value| {
        let mut named = places(problem);
        named.sort();
        named
    };
    for (method, path, members) in bodies {
        let wrong: Value = members.split(' ').map(|name| (name.to_owned(), json!({}))).collect();
        let problem = desk.as_role("ADMIN", method, path, Some(wrong)).problem(400, "invalid-input");
        let pointers: Vec<String> = members.split(' ').map(|name| format!("/{name}")).collect();
        assert_eq!(sorted(&problem), pointers, "{path}");
        for error in
            places(&desk.as_role("ADMIN", method, path, Some(json!({}))).problem(400, "invalid-input"))
        {
            assert!(pointers.contains(&error), "{error} of {path}");
        }
    }
    let problem =
        desk.post("/api/clients", json!({"name": "A", "email": "a@b.c", "type": "x", "company": "C"}));
    assert_eq!(problem.problem(400, "invalid-input")["detail"], "type is not one of VIP, NORMAL");
    let timeline = format!("/api/tickets/{ID}/timeline");
    for (path, parameters) in [
        ("/api/clients", "page pageSize search type"),
        ("/api/agents", "active page pageSize search"),
        ("/api/tickets", "agentId clientId from page pageSize priority slaState sort status to updatedSince"),
        (timeline.as_str(), "page pageSize"),
    ] {
        let query: Vec<String> = parameters.split(' ').map(|name| format!("{name}=%00")).collect();
        let problem = desk.get(&format!("{path}?{}", query.join("&"))).problem(400, "invalid-input");
        assert_eq!(sorted(&problem).join(" "), parameters, "{path}");
    }
}

#[test]
fn a_ticket_carries_its_version() {
    let desk = Desk::start();
    let answer = desk.get(&format!("/api/tickets/{ID}"));
    assert_eq!((answer.status, answer.header("etag")), (200, Some("\"1\"")));
    assert_eq!(answer.json()["id"], ID);
}

#[test]
fn head_is_get_without_a_body() {
    let desk = Desk::start();
    let head = desk.as_role("AGENT", "HEAD", &format!("/api/tickets/{ID}"), None);
    let get = desk.get(&format!("/api/tickets/{ID}"));
    assert_eq!((head.status, head.header("content-length")), (200, get.header("content-length")));
    assert_eq!(desk.call("HEAD", &format!("/api/tickets/{ID}"), &[], b"").status, 401);
}

#[test]
fn nothing_internal_gets_out() {
    use techsupport_application::AppError;

    let desk = Desk::with(|plan| {
        plan.reader.ticket = Box::new(|_, id| match id.uuid().as_u128() & 1 {
            0 => Err(AppError::internal("relation \"tickets\" does not exist at /srv/x.rs:1")),
            _ => Err(AppError::Corrupt { ticket: id, reason: "status = 'HACKED'".to_owned() }),
        });
    });
    for last in [2, 3] {
        let answer = desk.get(&format!("/api/tickets/0190c0de-0000-7000-8000-00000000000{last}"));
        let text = answer.problem(500, "internal").to_string();
        assert!(!text.contains("relation") && !text.contains("srv") && !text.contains("HACKED"), "{text}");
    }
    let answer =
        desk.post("/api/clients", json!({"name": "A", "email": "a@b.c", "type": "VIP", "company": "C"}));
    let text = answer.problem(503, "unavailable").to_string();
    assert!(!text.contains("postgres"), "{text}");
    assert_eq!(answer.header("retry-after"), Some("3"), "2.5 s, rounded up");
}
