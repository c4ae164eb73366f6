//! Everything that says no says it in a problem document, in the right order, and without anything internal.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Desk, stubs::StubWork, token};
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
fn ids_in_the_path_are_uuids() {
    let desk = Desk::start();
    for wrong in
        ["x", "1", "0190c0de000070008000000000000001", "%7B0190c0de-0000-7000-8000-000000000001%7D", "%00"]
    {
        let problem = desk.get(&format!("/api/tickets/{wrong}")).problem(400, "invalid-input");
        assert_eq!(places(&problem), ["id"]);
    }
    assert_eq!(desk.get(&format!("/api/tickets/{}", ID.to_uppercase())).status, 200);
}

#[test]
fn unknown_and_wrong_parameters_are_named() {
    let desk = Desk::start();
    let query = "status=NOPE&priority=5&clientId=x&agentId=nobody&from=yesterday&slaState=x&sort=colour&page=0\
                 &pageSize=101&q=%00";
    let problem = desk.get(&format!("/api/tickets?{query}")).problem(400, "invalid-input");
    let mut named = places(&problem);
    named.sort();
    assert_eq!(
        named,
        ["agentId", "clientId", "from", "page", "pageSize", "priority", "q", "slaState", "sort", "status"]
    );
    let from_to = desk.get("/api/tickets?from=2026-02-12&to=2026-02-11").problem(400, "invalid-input");
    assert_eq!(places(&from_to), ["from"]);
    assert_eq!(desk.get("/api/tickets?from=2026-02-12&to=2026-02-12").status, 200);
    for path in [
        "/api/auth/me?x=1".to_owned(),
        format!("/api/tickets/{ID}?x"),
        "/api/agents?page=1&page=2".to_owned(),
    ] {
        desk.get(&path).problem(400, "invalid-input");
    }
    desk.get("/api/agents?search=%00").problem(400, "invalid-input");
}

#[test]
fn filters_arrive_as_they_were_meant() {
    use std::sync::{Arc, Mutex};
    use techsupport_application::ports::{AgentIs, TicketOrder};
    use techsupport_domain::ticket::Status;

    let seen = Arc::new(Mutex::new(None));
    let for_stub = Arc::clone(&seen);
    let desk = Desk::with(|plan| {
        plan.reader.tickets = Box::new(move |filter| *for_stub.lock().unwrap() = Some(filter.clone()));
    });
    let answer =
        desk.get("/api/tickets?status=OPEN&status=IN_PROGRESS&agentId=none&sort=-priority&page=2&pageSize=1");
    assert_eq!(answer.status, 200, "{answer:?}");
    let list = answer.json();
    assert_eq!((&list["page"], &list["pageSize"], &list["total"]), (&json!(2), &json!(1), &json!(1)));
    assert!(list.as_object().unwrap().contains_key("nextCursor") && list["nextCursor"].is_null());
    let filter = seen.lock().unwrap().take().unwrap();
    assert_eq!(filter.statuses, [Status::Open, Status::InProgress]);
    assert_eq!(filter.agent, Some(AgentIs::Nobody));
    assert_eq!(filter.order, TicketOrder::PriorityDesc);
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

#[test]
fn tokens_that_are_not_good_are_refused() {
    use common::{KEY, OLD_KEY, claims, sign};

    let desk = Desk::start();
    let me = |token: &str| {
        let bearer = format!("Bearer {token}");
        desk.call("GET", "/api/auth/me", &[("authorization", &bearer)], b"")
    };
    assert_eq!(me(&token("AGENT")).status, 200);
    assert_eq!(me(&sign(&claims("AGENT"), "old", OLD_KEY)).status, 200, "rotation overlaps");
    let good = claims("ADMIN");
    for (what, token) in [
        ("wrong key", sign(&good, "new", OLD_KEY)),
        ("unknown kid", sign(&good, "none", KEY)),
        ("nothing", String::new()),
        ("nonsense", "a.b.c".to_owned()),
        ("cut", token("ADMIN")[..40].to_owned()),
    ] {
        let answer = me(&token);
        assert_eq!(answer.status, 401, "{what}");
        answer.problem(401, "unauthenticated");
    }
    for claim in ["sub", "role", "email", "iss", "aud", "iat", "exp", "jti", "sid"] {
        let mut lacking = good.clone();
        lacking.as_object_mut().unwrap().remove(claim);
        assert_eq!(me(&sign(&lacking, "new", KEY)).status, 401, "without {claim}");
    }
    for (claim, value) in [
        ("iss", json!("other")),
        ("aud", json!("other")),
        ("exp", json!(common::now().unix_timestamp() - 6)),
        ("iat", json!(common::now().unix_timestamp() + 60)),
        ("nbf", json!(common::now().unix_timestamp() + 60)),
        ("role", json!("ROOT")),
        ("role", json!("AGENTE")),
    ] {
        let mut wrong = good.clone();
        wrong[claim] = value;
        assert_eq!(me(&sign(&wrong, "new", KEY)).status, 401, "{claim}");
    }
    let two = format!("Bearer {}", token("AGENT"));
    desk.call("GET", "/api/auth/me", &[("authorization", &two), ("authorization", &two)], b"")
        .problem(401, "unauthenticated");
    desk.call("GET", "/api/auth/me", &[("authorization", "Basic YTpi")], b"").problem(401, "unauthenticated");
}

#[test]
fn signing_in_is_throttled_and_bad_credentials_are_one_answer() {
    let desk = Desk::with(|plan| plan.work = StubWork::willing());
    let login = |email: &str, password: &str| {
        let body = json!({"email": email, "password": password}).to_string();
        desk.call("POST", "/api/auth/login", &[("content-type", "application/json")], body.as_bytes())
    };
    let wrong = login("ana@example.org", "wrong").problem(401, "bad-credentials");
    let unknown = login("nobody@example.org", "wrong").problem(401, "bad-credentials");
    let malformed = login("nonsense", "wrong").problem(401, "bad-credentials");
    assert_eq!((&wrong["detail"], &wrong["title"]), (&unknown["detail"], &unknown["title"]));
    assert_eq!(wrong["detail"], malformed["detail"]);
    login("ANA@example.org", "wrong").problem(401, "bad-credentials");
    login("ana@Example.org", "wrong").problem(401, "bad-credentials");
    login("ana@example.org", "correct horse").problem(429, "too-many-attempts");
    login("other@example.org", "wrong").problem(401, "bad-credentials");
    for _ in 0..30 {
        login(&common::new_id().to_string(), "wrong");
    }
    login("fresh@example.org", "wrong").problem(429, "too-many-attempts");
}

#[test]
fn refreshing_ignores_any_authorization_and_malformed_tokens_are_unusable_ones() {
    let desk = Desk::start();
    let refresh = |body: Value| {
        let headers = [("content-type", "application/json"), ("authorization", "Bearer expired")];
        desk.call("POST", "/api/auth/refresh", &headers, body.to_string().as_bytes())
    };
    refresh(json!({"refreshToken": "x"})).problem(401, "unusable-refresh-token");
    refresh(json!({"refreshToken": ""})).problem(401, "unusable-refresh-token");
    refresh(json!({"refreshToken": "0".repeat(64)})).problem(401, "unusable-refresh-token");
    refresh(json!({"refreshToken": 1})).problem(400, "invalid-input");
    refresh(json!({})).problem(400, "invalid-input");
    let headers = [("content-type", "application/json")];
    let out = desk.call("POST", "/api/auth/logout", &headers, b"{\"refreshToken\": \"nonsense\"}");
    assert_eq!((out.status, out.body.len()), (204, 0));
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
