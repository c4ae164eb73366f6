//! One trace, from the request to the line that a person reads; one log line for each request.

use serde_json::{Value, json};
use techsupport_tests::{Desk, Worker, eventually, log_lines, until};

const TRACE: &str = "7c1b2f3a4d5e6f708192a3b4c5d6e7f8";

fn request_line(request_id: &str) -> Value {
    until("the request's line", || {
        let lines = log_lines();
        let mut lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.find(|line| line["type"] == "http_request" && line["requestId"] == request_id)
    })
}

#[test]
fn a_trace_leads_from_the_request_to_the_workers_line() {
    let desk = Desk::with().without_sweep().start();
    let worker = Worker::start(&desk);
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "VIP");
    desk.age(ticket, 150);
    // Whoever comes too late brings the breach to light, within the trace of the request.
    let caller = desk.agent().with_header("traceparent", &format!("00-{TRACE}-00f067aa0ba902b7-01"));
    let body = json!({"status": "IN_PROGRESS"});
    let answer = caller.patch(&format!("/api/tickets/{ticket}/status"), &body).expect(200);
    let line = request_line(answer.header("x-request-id").unwrap());
    assert_eq!(line["traceId"], TRACE);
    assert_eq!(
        desk.database().count(&format!("outbox WHERE traceparent LIKE '00-{TRACE}-%'")),
        3,
        "the breach, the escalation and the answer"
    );
    let told = worker.await_notifications(1);
    assert_eq!(told[0]["traceId"], TRACE);
    assert_eq!(told[0]["ticketId"], json!(ticket));
    let settled = "deliveries WHERE state = 'DELIVERED'";
    eventually("it is settled", || desk.database().count(settled) == 1);
}

#[test]
fn every_request_is_one_line() {
    let desk = Desk::with().without_sweep().start();
    let agent = desk.agent();
    let me = agent.get("/api/auth/me").expect(200).json();
    let id = techsupport_bootstrap::ids::new_id();
    let path = format!("/api/tickets/{id}");
    let request_id = format!("line-{id}");
    agent.with_header("x-request-id", &request_id).get(&format!("{path}?secret=1")).expect(400);
    let line = request_line(&request_id);
    assert_eq!((&line["method"], &line["path"]), (&json!("GET"), &json!("/api/tickets/{id}")));
    assert_eq!((&line["rawPath"], &line["status"]), (&json!(path), &json!(400)));
    assert_eq!((&line["userId"], &line["userRole"]), (&me["id"], &json!("AGENT")));
    assert!(line["duration_ms"].as_f64().is_some_and(|ms| ms > 0.0), "{line}");
    assert!(!line.to_string().contains("secret"), "{line}");
    let count = log_lines().iter().filter(|l| l.contains("http_request") && l.contains(&request_id)).count();
    assert_eq!(count, 1);
}

#[test]
fn a_trace_that_makes_no_sense_is_not_continued() {
    let desk = Desk::with().without_sweep().start();
    let caller = desk.anonymous().with_header("traceparent", "00-XYZ-1-01");
    let answer = caller.get("/health").expect(200);
    let line = request_line(answer.header("x-request-id").unwrap());
    assert_eq!(line["traceId"].as_str().map(str::len), Some(32));
}
