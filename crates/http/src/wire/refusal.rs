//! What is said about a request that nobody could read.

use std::time::Duration;

use time::OffsetDateTime;
use uuid::Uuid;

use super::framing::MARK;
use crate::{
    edge::{milliseconds, security_headers},
    problem::{Kind, Problem, ProblemDocument},
};

/// The first line of a request, as far as it can be trusted to be one.
pub(super) struct RequestLine {
    pub(super) method: String,
    pub(super) path: String,
}

impl RequestLine {
    /// Reads the bytes that arrived first. What is no request line is "-" and "/".
    pub(super) fn of(bytes: &[u8]) -> Self {
        let line: Vec<u8> =
            bytes.iter().copied().take_while(|byte| *byte != b'\r' && *byte != b'\n').collect();
        let text = String::from_utf8(line).unwrap_or_default();
        let mut words = text.split(' ');
        let method = words
            .next()
            .filter(|m| !m.is_empty() && m.len() <= 20 && m.bytes().all(|b| b.is_ascii_uppercase()));
        let path = words
            .next()
            .and_then(|target| target.split(['?', '#']).next())
            .filter(|path| path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic()));
        Self { method: method.unwrap_or("-").to_owned(), path: path.unwrap_or("/").to_owned() }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn line(bytes: &[u8]) -> (String, String) {
        let RequestLine { method, path } = RequestLine::of(bytes);
        (method, path)
    }

    #[test]
    fn what_is_readable_of_the_first_line_is_kept_without_its_query() {
        assert_eq!(line(b"GET /a/b?token=x HTTP/1.1\r\nx: y"), ("GET".into(), "/a/b".into()));
        assert_eq!(line(b"\x16\x03\x01"), ("-".into(), "/".into()));
        assert_eq!(line(b"get a\r\n"), ("-".into(), "/".into()));
        assert_eq!(line(b""), ("-".into(), "/".into()));
    }
}
