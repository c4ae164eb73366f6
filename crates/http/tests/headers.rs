//! What every answer carries, who may call from a browser, and what a request says about itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::{Arc, Mutex};

use common::{Desk, auth_settings, http_settings};

#[test]
fn a_sane_request_id_is_kept_and_another_is_made_otherwise() {
    let desk = Desk::start();
    let id = |given: &str| {
        let answer = desk.call("GET", "/nowhere", &[("x-request-id", given)], b"");
        answer.problem(404, "unknown-route")["requestId"].as_str().unwrap().to_owned()
    };
    assert_eq!(id("a-B_c.d:9"), "a-B_c.d:9");
    for wrong in ["a b", "a/b", "<script>", &"x".repeat(129), "é"] {
        let made = id(wrong);
        assert!(made != *wrong && made.len() == 36, "{made}");
    }
    assert_ne!(id(""), id(""));
}

#[test]
fn a_trace_goes_on_in_a_span_of_its_own() {
    let desk = Desk::start();
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let trace = |given: &str| {
        desk.call("GET", "/health", &[("traceparent", given)], b"").header("traceparent").unwrap().to_owned()
    };
    let child = trace(parent);
    assert!(child.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && child != parent, "{child}");
    assert!(!trace("nonsense").contains("4bf92f35"));
}

#[test]
fn every_answer_tells_browsers_to_be_careful() {
    let desk = Desk::start();
    for path in ["/health", "/api/tickets", "/nowhere", "/metrics"] {
        let answer = desk.get(path);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{path}");
        assert!(answer.header("server").is_none(), "{path}");
    }
}

#[test]
fn only_known_origins_may_call_from_a_browser() {
    let desk = Desk::start();
    let preflight = |origin: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "PATCH"),
            ("access-control-request-headers", "authorization,content-type"),
        ];
        desk.call("OPTIONS", "/api/tickets", &headers, b"")
    };
    let good = preflight("https://desk.example.org");
    assert_eq!(good.status, 200, "{good:?}");
    assert_eq!(good.header("access-control-allow-origin"), Some("https://desk.example.org"));
    assert!(good.header("access-control-allow-credentials").is_none());
    let bad = preflight("https://evil.example.org");
    assert!(bad.header("access-control-allow-origin").is_none());
    bad.problem(400, "preflight-refused");

    let call = |origin: &str| desk.call("GET", "/nowhere", &[("origin", origin)], b"");
    let good = call("https://desk.example.org");
    good.problem(404, "unknown-route");
    assert_eq!(good.header("access-control-allow-origin"), Some("https://desk.example.org"));
    assert!(call("https://evil.example.org").header("access-control-allow-origin").is_none());

    let closed = Desk::with(|plan| plan.http.cors.allowed_origins.clear());
    let answer = closed.call("GET", "/health", &[("origin", "https://desk.example.org")], b"");
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, None));
}

#[test]
fn the_callers_address_is_the_proxys_word_only_when_the_proxy_is_trusted() {
    let body = serde_json::json!({"email": "a@b.c", "password": "wrong wrong"}).to_string();
    let attempts = |trusted: bool| {
        let desk = Desk::with(|plan| {
            plan.auth.throttle.address_burst = 2;
            if trusted {
                plan.http.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
            }
            plan.work = common::stubs::StubWork::willing();
        });
        let from = |n: u32| {
            let address = format!("203.0.113.{n}");
            let headers = [("content-type", "application/json"), ("x-forwarded-for", address.as_str())];
            desk.call("POST", "/api/auth/login", &headers, body.as_bytes()).status
        };
        (1..=4).map(from).collect::<Vec<_>>()
    };
    assert_eq!(attempts(true), [401, 401, 401, 401]);
    assert_eq!(attempts(false), [401, 401, 429, 429]);
}

#[test]
fn health_tells_what_is_missing() {
    use std::sync::atomic::Ordering;
    use techsupport_application::ports::Readiness;

    let state = Arc::new(Mutex::new(Some(Readiness::Ready)));
    let for_stub = Arc::clone(&state);
    let desk = Desk::with(|plan| {
        plan.reader.readiness = Box::new(move || {
            for_stub.lock().unwrap().ok_or_else(|| techsupport_application::AppError::internal("down"))
        });
    });
    let ready = || desk.call("GET", "/health/ready", &[], b"");
    assert_eq!(ready().status, 200);
    desk.broker.down.store(true, Ordering::SeqCst);
    assert_eq!(ready().problem(503, "not-ready")["failing"], "broker");
    *state.lock().unwrap() = Some(Readiness::SchemaBehind);
    assert_eq!(ready().problem(503, "not-ready")["failing"], "schema");
    *state.lock().unwrap() = None;
    assert_eq!(ready().problem(503, "not-ready")["failing"], "database");
    assert_eq!(desk.call("GET", "/health", &[], b"").json(), serde_json::json!({"status": "ok"}));
    assert_eq!(desk.call("GET", "/health/live?probe=1", &[], b"").status, 200);
    let process = desk.call("GET", "/health/metrics", &[], b"").json();
    assert!(process["uptimeSeconds"].is_u64() && process["memoryUsage"]["rss"].as_u64().unwrap() > 1_000_000);
}

#[test]
fn metrics_answer_without_a_database_and_label_only_what_is_known() {
    let desk = Desk::with(|plan| {
        plan.reader.backlog = Box::new(|| Err(techsupport_application::AppError::TimedOut));
    });
    desk.get("/api/tickets");
    desk.call("BREW", "/some/strange/path", &[], b"");
    desk.call("DELETE", "/api/clients", &[], b"").problem(405, "method-not-allowed");
    let answer = desk.call("GET", "/metrics", &[], b"");
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    let text = answer.text();
    assert!(
        text.contains("http_requests_total{method=\"GET\",route=\"/api/tickets\",status=\"200\"}"),
        "{text}"
    );
    assert!(text.contains("http_request_duration_seconds_bucket{"), "{text}");
    assert!(text.contains("\nbacklog_read_failures_total "), "{text}");
    assert!(!text.contains("\nbacklog_read_failures_total 0\n"), "{text}");
    assert!(text.contains("http_requests_total{method=\"DELETE\",route=\"-\",status=\"405\"}"), "{text}");
    let timed = |line: &&str| line.starts_with("http_request_duration_seconds");
    assert!(!text.lines().filter(timed).any(|line| line.contains("status=")), "{text}");
    assert!(
        text.contains("method=\"other\",route=\"-\",status=\"404\"") && !text.contains("strange"),
        "{text}"
    );
}

#[test]
fn settings_do_not_show_their_secrets() {
    let shown = format!("{:?} {:?}", auth_settings(), http_settings());
    assert!(!shown.contains(common::KEY) && !shown.contains(common::OLD_KEY), "{shown}");
}

#[test]
fn weak_and_missing_keys_are_refused() {
    use garde::Validate;

    let mut settings = auth_settings();
    assert!(settings.validate().is_ok());
    settings.keys.insert("short".to_owned(), "x".repeat(31).into());
    let said = settings.validate().unwrap_err().to_string();
    assert!(said.contains("32") && !said.contains("xxx"), "{said}");
    let mut settings = auth_settings();
    settings.current_key = "gone".to_owned();
    assert!(settings.validate().is_err());
    settings.keys.clear();
    assert!(settings.validate().is_err());
    for origin in ["*", "https://a.b/path", "desk.example.org", "https://"] {
        let mut settings = http_settings();
        settings.cors.allowed_origins = vec![origin.to_owned()];
        assert!(settings.validate().is_err(), "{origin}");
    }
}
