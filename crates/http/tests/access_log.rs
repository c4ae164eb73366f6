//! One line for every request, and never a secret in any line. One test: the subscriber is the process's.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use common::{Desk, eventually, token};
use serde_json::json;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

type Lines = Arc<Mutex<Vec<BTreeMap<String, String>>>>;

/// Keeps every event and every span with all its fields.
struct Recorder(Lines);

struct Fields<'a>(&'a mut BTreeMap<String, String>);

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

impl Recorder {
    fn keep(&self, record: impl FnOnce(&mut Fields<'_>)) {
        let mut line = BTreeMap::new();
        record(&mut Fields(&mut line));
        self.0.lock().unwrap().push(line);
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        self.keep(|fields| attributes.record(fields));
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        self.keep(|fields| values.record(fields));
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        self.keep(|fields| event.record(fields));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[test]
fn every_request_has_its_line_and_no_line_has_a_secret() {
    let lines = Lines::default();
    tracing::subscriber::set_global_default(Recorder(Arc::clone(&lines))).unwrap();
    let desk = Desk::with(|plan| {
        plan.work = common::stubs::StubWork::willing();
        plan.reader.ticket = Box::new(|_, _| panic!("planted-panic"));
    });
    // A server of its own, so that nothing else has to be done in so short a time.
    let answered = Arc::new(AtomicBool::new(false));
    let for_stub = Arc::clone(&answered);
    let slow = Desk::with(|plan| {
        plan.http.request_timeout_ms = 500;
        plan.reader.ticket = Box::new(move |_, _| {
            eventually("it was answered", || for_stub.load(Ordering::SeqCst));
            Ok(None)
        });
    });
    let line_of = |request_id: &str| {
        eventually("the line is written", || {
            lines.lock().unwrap().iter().any(|line| {
                line.get("type").is_some_and(|t| t == "http_request")
                    && line.get("requestId").is_some_and(|id| id == request_id)
            })
        });
        let all = lines.lock().unwrap();
        let mut own: Vec<_> = all
            .iter()
            .filter(|line| line.get("type").is_some_and(|t| t == "http_request"))
            .filter(|line| line.get("requestId").is_some_and(|id| id == request_id))
            .cloned()
            .collect();
        assert_eq!(own.len(), 1, "{own:?}");
        own.remove(0)
    };
    let bearer = format!("Bearer {}", token("SUPERVISOR"));
    let ask = |desk: &Desk, request_id: &str, method: &str, path: &str, body: &[u8]| {
        let headers =
            [("x-request-id", request_id), ("authorization", &bearer), ("content-type", "application/json")];
        desk.call(method, path, &headers, body)
    };
    let call =
        |request_id: &str, method: &str, path: &str, body: &[u8]| ask(&desk, request_id, method, path, body);

    call("r-list", "GET", "/api/tickets?agentId=none", b"");
    let line = line_of("r-list");
    let field = |name: &str| line.get(name).map(String::as_str);
    assert_eq!((field("method"), field("path")), (Some("GET"), Some("/api/tickets")));
    assert_eq!((field("rawPath"), field("status")), (Some("/api/tickets"), Some("200")));
    assert_eq!(field("userRole"), Some("SUPERVISOR"));
    assert_eq!(field("userId"), Some("00000000-0000-0000-0000-000000000009"));
    assert_eq!(field("traceId").map(str::len), Some(32));
    assert!(field("duration_ms").unwrap().parse::<f64>().unwrap() > 0.0);

    let of = |request_id: &str| {
        let line = line_of(request_id);
        (line["path"].clone(), line["status"].clone())
    };
    call("r-unknown", "GET", "/nowhere/at/all", b"");
    assert_eq!(of("r-unknown"), ("-".to_owned(), "404".to_owned()));
    ask(&slow, "r-slow", "GET", "/api/tickets/0190c0de-0000-7000-8000-000000000001", b"");
    answered.store(true, Ordering::SeqCst);
    assert_eq!(of("r-slow"), ("/api/tickets/{id}".to_owned(), "503".to_owned()));
    call("r-panic", "GET", "/api/tickets/0190c0de-0000-7000-8000-000000000002", b"");
    assert_eq!(of("r-panic"), ("/api/tickets/{id}".to_owned(), "500".to_owned()));
    let login = json!({"email": "planted@example.org", "password": "planted-password"}).to_string();
    call("r-login", "POST", "/api/auth/login?token=planted-query", login.as_bytes());
    assert_eq!(of("r-login"), ("/api/auth/login".to_owned(), "400".to_owned()));
    call("r-login-2", "POST", "/api/auth/login", login.as_bytes());
    assert_eq!(of("r-login-2"), ("/api/auth/login".to_owned(), "401".to_owned()));
    let refresh = json!({"refreshToken": "cafe".repeat(16)}).to_string();
    call("r-refresh", "POST", "/api/auth/refresh", refresh.as_bytes());
    assert_eq!(of("r-refresh"), ("/api/auth/refresh".to_owned(), "401".to_owned()));

    let refused = desk.raw("GET /health?planted-query HTTP/1.1\r\nno colon\r\n\r\n");
    let refused = common::client::answers(&refused, false).remove(0);
    assert_eq!(of(refused.header("x-request-id").unwrap()), ("-".to_owned(), "400".to_owned()));

    let everything = format!("{:?}", lines.lock().unwrap());
    for secret in ["planted-", "planted@", "cafecafe", bearer.as_str(), common::KEY, &bearer[7..60]] {
        assert!(!everything.contains(secret), "{secret} in {everything}");
    }
}
