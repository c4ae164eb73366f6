//! How often one caller may call.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::time::Duration;

use common::{Desk, KEY, claims, client::Answer, sign};
use serde_json::json;
use techsupport_application::AppError;
use uuid::Uuid;

const TICKET: &str = "/api/tickets/00000000-0000-0000-0000-000000000001";

/// Whoever may call three times within an hour.
fn strict() -> Desk {
    Desk::with(|plan| {
        plan.http.rate_limit.requests = 3;
        plan.http.rate_limit.window_s = 3_600;
    })
}

fn bearer(user: u128, role: &str) -> String {
    let mut claims = claims(role);
    claims["sub"] = json!(Uuid::from_u128(user));
    format!("Bearer {}", sign(&claims, "new", KEY))
}

fn by(desk: &Desk, bearer: &str, method: &str, path: &str) -> Answer {
    desk.call(method, path, &[("authorization", bearer)], b"")
}

fn standing(answer: &Answer) -> (Option<&str>, Option<&str>) {
    (answer.header("ratelimit-policy"), answer.header("ratelimit"))
}

/// Checks that the caller is turned away, and is told everything about it.
fn assert_turned_away(answer: &Answer) {
    answer.problem(429, "rate-limited");
    assert_eq!(answer.header("ratelimit-policy"), Some("\"default\";q=3;w=3600"));
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=1_200).contains(&wait), "{wait}");
    assert_eq!(answer.header("ratelimit"), Some(format!("\"default\";r=0;t={wait}").as_str()));
}

#[test]
fn a_user_may_call_so_often_and_hears_each_time_what_is_left() {
    let desk = strict();
    let ana = bearer(1, "AGENT");
    for limit in ["\"default\";r=2;t=1200", "\"default\";r=1;t=2400", "\"default\";r=0;t=1200"] {
        let answer = by(&desk, &ana, "GET", TICKET);
        assert_eq!(answer.status, 200);
        assert_eq!(standing(&answer), (Some("\"default\";q=3;w=3600"), Some(limit)));
    }
    assert_turned_away(&by(&desk, &ana, "GET", TICKET));
    assert_eq!(by(&desk, &bearer(2, "AGENT"), "GET", TICKET).status, 200, "somebody else, same address");
    desk.call("GET", TICKET, &[], b"").problem(401, "unauthenticated");
}

/// One user, whatever comes of the call: it is the calls that count.
#[test]
fn problems_count_too_and_carry_the_fields() {
    let desk = strict();
    let ana = bearer(1, "AGENT");
    let answers = [
        by(&desk, &ana, "DELETE", TICKET),
        by(&desk, &ana, "GET", "/api/tickets/7"),
        by(&desk, &ana, "GET", "/api/tickets?page=0"),
    ];
    assert_eq!(answers.each_ref().map(|answer| answer.status), [403, 400, 400]);
    assert!(answers.iter().all(|answer| standing(answer).1.is_some()), "{answers:?}");
    assert_turned_away(&by(&desk, &ana, "DELETE", TICKET));
}

#[test]
fn who_is_not_known_counts_by_address() {
    type Call = fn(&Desk) -> Answer;
    let calls: [(&str, Call); 6] = [
        ("no token", |desk| desk.call("GET", TICKET, &[], b"")),
        ("a bad token", |desk| by(desk, "Bearer nonsense", "GET", TICKET)),
        ("an unknown route", |desk| by(desk, &bearer(1, "ADMIN"), "GET", "/nowhere")),
        ("a wrong method", |desk| by(desk, &bearer(1, "ADMIN"), "PUT", TICKET)),
        ("a public route", |desk| desk.call("POST", "/api/auth/refresh", &[], b"")),
        ("another public one", |desk| desk.call("GET", "/api/openapi.json", &[], b"")),
    ];
    for (what, call) in calls {
        let desk = strict();
        for _ in 0..3 {
            let answer = call(&desk);
            assert!(answer.status != 429 && standing(&answer).1.is_some(), "{what}: {answer:?}");
        }
        assert_turned_away(&call(&desk));
        assert_eq!(
            by(&desk, &bearer(1, "AGENT"), "GET", TICKET).status,
            200,
            "{what}: a user does not suffer"
        );
    }
}

#[test]
fn those_who_watch_the_service_are_never_limited() {
    let desk = strict();
    for _ in 0..3 {
        desk.call("GET", "/nowhere", &[], b"");
    }
    assert_turned_away(&desk.call("GET", "/nowhere", &[], b""));
    for path in ["/health", "/health/live", "/health/ready", "/health/metrics", "/metrics"] {
        for _ in 0..5 {
            let answer = desk.call("GET", path, &[], b"");
            assert_eq!((answer.status, standing(&answer)), (200, (None, None)), "{path}");
        }
        desk.call("POST", path, &[], b"").problem(405, "method-not-allowed");
    }
}

#[test]
fn addresses_are_those_that_trusted_proxies_tell_of() {
    let calls = |trusted: bool, forwarded: [&str; 5]| {
        let desk = Desk::with(|plan| {
            plan.http.rate_limit.requests = 3;
            plan.http.rate_limit.window_s = 3_600;
            if trusted {
                plan.http.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
            }
        });
        forwarded.map(|from| desk.call("GET", "/nowhere", &[("x-forwarded-for", from)], b"").status)
    };
    let five = ["203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4", "203.0.113.5"];
    assert_eq!(calls(true, five), [404; 5]);
    assert_eq!(calls(false, five), [404, 404, 404, 429, 429]);
    let spoofed = [
        "1.1.1.1, 203.0.113.1",
        "2.2.2.2, 203.0.113.1",
        "x, 203.0.113.1",
        ", 203.0.113.1",
        "3.3.3.3,203.0.113.1",
    ];
    assert_eq!(
        calls(true, spoofed),
        [404, 404, 404, 429, 429],
        "what the caller wrote itself is not believed"
    );
    let one_network =
        ["2001:db8::1", "2001:db8::2", "[2001:db8::3]:443", "2001:db8::ffff:0:1", "2001:db8:0:0:1::"];
    assert_eq!(calls(true, one_network), [404, 404, 404, 429, 429]);
}

#[test]
fn the_limit_can_be_switched_off() {
    let desk = Desk::with(|plan| {
        plan.http.rate_limit.requests = 1;
        plan.http.rate_limit.enabled = false;
    });
    for _ in 0..5 {
        let answer = desk.get(TICKET);
        assert_eq!((answer.status, standing(&answer)), (200, (None, None)));
    }
}

#[test]
fn other_answers_that_ask_to_wait_keep_their_own_time() {
    let desk = Desk::with(|plan| {
        plan.http.rate_limit.window_s = 3_600;
        plan.reader.ticket = Box::new(|_, _| {
            let retry_after = Duration::from_secs(3);
            Err(AppError::Unavailable { reason: String::new(), retry_after })
        });
    });
    let answer = desk.get(TICKET);
    answer.problem(503, "unavailable");
    assert_eq!(answer.header("retry-after"), Some("3"));
    assert!(standing(&answer).1.is_some());
}

#[test]
fn pages_of_allowed_origins_may_see_and_send_what_they_need() {
    let desk = strict();
    let origin = ("origin", "https://desk.example.org");
    let answer = desk.call("GET", "/nowhere", &[origin], b"");
    let exposed = answer.header("access-control-expose-headers").unwrap().to_ascii_lowercase();
    for name in [
        "etag",
        "idempotency-replayed",
        "link",
        "location",
        "ratelimit",
        "ratelimit-policy",
        "retry-after",
        "x-request-id",
    ] {
        assert!(exposed.split(',').any(|exposed| exposed.trim() == name), "{name}: {exposed}");
    }
    let asked = [
        origin,
        ("access-control-request-method", "PATCH"),
        ("access-control-request-headers", "authorization,content-type,if-match,idempotency-key"),
    ];
    for _ in 0..5 {
        assert_eq!(
            desk.call("OPTIONS", TICKET, &asked, b"").status,
            200,
            "browsers ask for nobody's account"
        );
    }
}
