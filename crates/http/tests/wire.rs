//! What happens on the socket before any middleware runs, and between requests.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::{
    io::{Read, Write},
    time::{Duration, Instant},
};

use common::{
    Desk,
    client::{Answer, answers, connect, read_all, request},
    token,
};

fn whole(bytes: &[u8]) -> Vec<Answer> {
    answers(bytes, false)
}

fn only(bytes: &[u8]) -> Answer {
    let mut all = whole(bytes);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[test]
fn what_is_no_http_gets_a_problem_document() {
    let desk = Desk::start();
    for garbage in [
        "nonsense\r\n\r\n",
        "GET /health\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET /health HTTP/1.1\r\nbad header\r\n\r\n",
        "GET /health HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\r\n\r\n",
    ] {
        let answer = only(&desk.raw(garbage));
        answer.problem(400, "malformed-request");
        assert_eq!(answer.header("connection"), Some("close"), "{garbage:?}");
        assert!(answer.header("date").is_some());
    }
    let answer = only(&desk.raw("GET /health HTTP/1.1\r\nbad header\r\n\r\n"));
    assert_eq!(answer.problem(400, "malformed-request")["instance"], "/health");
}

#[test]
fn two_lengths_are_no_request() {
    let desk = Desk::start();
    for smuggled in [
        "content-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
        "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
        "transfer-encoding: gzip, identity\r\n\r\nhello",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ] {
        let head = "POST /api/auth/login HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n";
        let inner = "GET /health HTTP/1.1\r\nhost: a\r\n\r\n";
        let all = whole(&desk.raw(format!("{head}{smuggled}{inner}")));
        assert!(all.iter().all(|answer| answer.status >= 400), "{smuggled}: {all:?}");
        assert_eq!(all.len(), 1, "{smuggled}: {all:?}");
    }
}

#[test]
fn heads_that_are_too_large_get_a_problem_document() {
    let desk = Desk::start();
    let many = "x-many: 1\r\n".repeat(120);
    let answer = only(&desk.raw(format!("GET /health HTTP/1.1\r\nhost: a\r\n{many}\r\n")));
    assert_eq!(answer.problem(431, "head-too-large")["instance"], "/health");
    let long = "y".repeat(300_000);
    let answer = only(&desk.raw(format!("GET /health HTTP/1.1\r\nhost: a\r\nx: {long}\r\n\r\n")));
    answer.problem(431, "head-too-large");
}

#[test]
fn an_address_that_is_too_long_gets_a_problem_document() {
    let desk = Desk::start();
    for length in [70_000, 300_000] {
        let path = "p".repeat(length);
        let answer = only(&desk.raw(format!("GET /{path} HTTP/1.1\r\nhost: a\r\n\r\n")));
        answer.problem(414, "uri-too-long");
    }
    let answer = only(
        &desk.raw(format!("GET /{} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", "p".repeat(60_000))),
    );
    answer.problem(404, "unknown-route");
    let answer = only(&desk.raw("CONNECT example.org:443 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"));
    assert_eq!(answer.problem(404, "unknown-route")["instance"], "/");
}

#[test]
fn slow_heads_get_a_problem_document_also_on_a_used_connection() {
    let (desk, mut stream) = Desk::with_early(
        |plan| plan.http.header_timeout_ms = 300,
        |address| {
            let mut stream = connect(address);
            stream.write_all(&request("GET", "/health", &[], b"", false)).unwrap();
            stream
        },
    );
    let started = Instant::now();
    only(&desk.raw("GET /health HTTP/1.1\r\nhost")).problem(408, "slow-request");
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(250), "{took:?}");

    let mut first = [0_u8; 2_048];
    let count = stream.read(&mut first).unwrap();
    assert_eq!(only(&first[..count]).status, 200);
    stream.write_all(b"GET /health HT").unwrap();
    only(&read_all(&mut stream)).problem(408, "slow-request");
}

#[test]
fn a_head_that_drips_in_is_not_given_more_time_by_each_drop() {
    let desk = Desk::with(|plan| plan.http.header_timeout_ms = 400);
    let mut stream = connect(desk.address);
    stream.write_all(b"GET /health HTTP/1.1\r\nx-slow: ").unwrap();
    let started = Instant::now();
    while stream.write_all(b"a").is_ok() {
        assert!(started.elapsed() < Duration::from_mins(1), "never closed");
        common::dawdle(Duration::from_millis(30));
    }
    only(&read_all(&mut stream)).problem(408, "slow-request");
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let desk = Desk::with(|plan| plan.http.keep_alive_s = 1);
    let mut stream = connect(desk.address);
    stream.write_all(&request("GET", "/health", &[], b"", false)).unwrap();
    assert_eq!(only(&read_all(&mut stream)).status, 200);
}

#[test]
fn answers_keep_their_order_and_their_bytes_on_one_connection() {
    let desk = Desk::start();
    let bearer = format!("Bearer {}", token("AGENT"));
    let good = [("authorization", bearer.as_str())];
    let ticket = "/api/tickets/0190c0de-0000-7000-8000-000000000001";
    let calls = [
        request("GET", ticket, &good, b"", false),
        request("GET", "/nowhere", &[], b"", false),
        request(
            "POST",
            "/api/auth/logout",
            &[("content-type", "application/json")],
            b"{\"refreshToken\": \"x\"}",
            false,
        ),
        request("GET", "/metrics", &[], b"", false),
        request("GET", "/health", &[], b"", false),
        b"what is this\r\n\r\n".to_vec(),
    ];
    let pipelined = desk.raw(calls.concat());
    let statuses: Vec<u16> = whole(&pipelined).iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 404, 204, 200, 200, 400]);
    whole(&pipelined)[5].problem(400, "malformed-request");
}

#[test]
fn head_and_what_follows_it_stay_apart() {
    let desk = Desk::start();
    let calls = [request("HEAD", "/health", &[], b"", false), b"garbage\r\n\r\n".to_vec()].concat();
    let bytes = desk.raw(calls);
    let text = String::from_utf8(bytes).unwrap();
    let (head, rest) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    only(rest.as_bytes()).problem(400, "malformed-request");
}

#[test]
fn a_slow_body_gets_a_problem_document_and_the_connection_ends() {
    let desk = Desk::with(|plan| plan.http.body_timeout_ms = 300);
    let head = "POST /api/auth/login HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{";
    let answer = only(&desk.raw(head));
    answer.problem(408, "slow-request");
    assert_eq!(answer.header("connection"), Some("close"));
}

#[test]
fn a_chunked_body_that_stalls_or_drips_does_not_keep_the_socket() {
    // Nobody reads the body of somebody who is not signed in, so the second answer does not close by itself.
    for (path, status, kind) in
        [("/api/auth/login", 408, "slow-request"), ("/api/tickets", 401, "unauthenticated")]
    {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        let (_desk, (mut dripping, stalled)) = Desk::with_early(
            |plan| {
                // The timer of the head has run out before the body is given up: it wakes nobody any more.
                plan.http.header_timeout_ms = 200;
                plan.http.body_timeout_ms = 800;
                plan.http.keep_alive_s = 1;
            },
            |address| {
                let begun = |body: &str| {
                    let mut stream = connect(address);
                    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
                    stream
                };
                (begun(""), ["", "5\r\n{\"e", "2\r\n{}\r\n"].map(begun))
            },
        );
        let started = Instant::now();
        while dripping.write_all(b"1\r\n \r\n").is_ok() {
            assert!(started.elapsed() < Duration::from_mins(1), "never closed");
            common::dawdle(Duration::from_millis(50));
        }
        for mut stream in stalled {
            only(&read_all(&mut stream)).problem(status, kind);
        }
    }
}

#[test]
fn a_broken_body_gets_exactly_one_answer() {
    let desk = Desk::start();
    let head = "POST /api/auth/login HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n";
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\nZZ\r\nnot a chunk\r\n");
    only(&desk.raw(&chunked)).problem(400, "malformed-request");
    let unauthenticated = chunked.replace("/api/auth/login", "/api/tickets");
    only(&desk.raw(unauthenticated)).problem(401, "unauthenticated");
}

#[test]
fn a_body_that_is_too_large_is_refused_at_once_and_counted_when_undeclared() {
    let desk = Desk::with(|plan| plan.http.max_body_bytes = 2_000);
    let head = "POST /api/auth/login HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n";
    let mut stream = connect(desk.address);
    stream.write_all(format!("{head}content-length: 99999999\r\n\r\n").as_bytes()).unwrap();
    only(&read_all(&mut stream)).problem(413, "body-too-large");
    let chunk = format!("400\r\n{}\r\n", "x".repeat(0x400));
    only(&desk.raw(format!("{head}transfer-encoding: chunked\r\n\r\n{chunk}{chunk}{chunk}0\r\n\r\n")))
        .problem(413, "body-too-large");
}

#[test]
fn expecting_a_go_ahead_gets_one() {
    let desk = Desk::start();
    let body = "{\"refreshToken\": \"x\"}";
    let head = format!(
        "POST /api/auth/logout HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\nexpect: 100-continue\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = connect(desk.address);
    stream.write_all(head.as_bytes()).unwrap();
    let mut go_on = [0_u8; 25];
    stream.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).unwrap();
    assert_eq!(only(&read_all(&mut stream)).status, 204);
}

#[test]
fn who_closes_one_half_after_sending_still_gets_an_answer() {
    let desk = Desk::start();
    let mut stream = connect(desk.address);
    stream.write_all(&request("GET", "/health", &[], b"", false)).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(only(&read_all(&mut stream)).status, 200);
}

#[test]
fn a_caller_who_takes_nothing_of_the_answer_is_given_up() {
    use techsupport_application::AppError;

    let desk = Desk::with(|plan| {
        plan.http.write_timeout_ms = 300;
        // Nothing else ends the connection before the caller does.
        plan.http.header_timeout_ms = 600_000;
        plan.http.keep_alive_s = 600;
        plan.reader.ticket = Box::new(|_, _| Err(AppError::TimedOut));
    });
    // More answers than fit into both sockets' buffers, none of which is read.
    let mut stream = connect(desk.address);
    stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
    let many = request("GET", "/metrics", &[], b"", false).repeat(1_000);
    let started = Instant::now();
    let error = loop {
        if let Err(error) = stream.write_all(&many) {
            break error;
        }
        assert!(started.elapsed() < Duration::from_mins(1), "never given up");
    };
    assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "given up by the caller");
}
