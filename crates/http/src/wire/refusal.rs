//! What is said about a request that nobody could read.

use std::time::Duration;

use time::OffsetDateTime;
use uuid::Uuid;

use super::{framing::MARK, request_line::RequestLine};
use crate::{
    edge::{milliseconds, security_headers},
    problem::{Kind, Problem, ProblemDocument},
};

/// The whole answer, after which the connection is closed. Logs its line and counts it, as for every other request.
pub(super) fn refusal(
    status: u16,
    line: &RequestLine,
    took: Duration,
    request_id: Uuid,
    now: OffsetDateTime,
) -> Vec<u8> {
    let problem = match status {
        400 => Problem::new(Kind::MalformedRequest, "the request is not proper HTTP"),
        408 => Problem::new(Kind::SlowRequest, "the head of the request took too long to arrive"),
        414 => Problem::new(Kind::UriTooLong, "the address is too long"),
        431 => {
            Problem::new(Kind::HeadTooLarge, "the head of the request is too large or has too many fields")
        }
        _ => Problem::internal(),
    };
    let status = problem.kind.status();
    let request_id = request_id.to_string();
    let document = ProblemDocument::new(&problem, &line.path, &request_id);
    let body = serde_json::to_string(&document).unwrap_or_default();
    let mut head =
        format!("HTTP/1.1 {} {}\r\n", status.as_u16(), status.canonical_reason().unwrap_or_default());
    let date = actix_web::http::header::HttpDate::from(std::time::SystemTime::from(now)).to_string();
    let length = body.len().to_string();
    let fields = [
        ("content-type", "application/problem+json"),
        ("content-length", length.as_str()),
        ("connection", "close"),
        ("date", date.as_str()),
        (MARK, request_id.as_str()),
    ];
    for (name, value) in fields.into_iter().chain(security_headers::ALL) {
        head.push_str(name);
        head.push_str(": ");
        head.push_str(value);
        head.push_str("\r\n");
    }
    metrics::counter!("http_requests_total", "method" => "-", "route" => "-", "status" => status.as_str().to_owned())
        .increment(1);
    tracing::info!(
        "type" = "http_request",
        method = line.method,
        path = "-",
        rawPath = line.path,
        status = status.as_u16(),
        duration_ms = milliseconds(took),
        requestId = request_id,
        "request refused"
    );
    (head + "\r\n" + &body).into_bytes()
}
