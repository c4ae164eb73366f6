//! A client that writes what it is told and shows what it gets.

use std::{
    fmt::Write as _,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::Value;

use super::conformance;

/// One answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Checks that this is a whole problem document of that kind, and returns it.
    pub fn problem(&self, status: u16, kind: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let document = self.json();
        assert_eq!(document["type"], format!("urn:techsupport:problem:{kind}"), "{document}");
        assert_eq!(document["status"], status, "{document}");
        assert_eq!(document["message"], document["detail"], "{document}");
        assert_eq!(document["requestId"].as_str(), self.header("x-request-id"), "{self:?}");
        for member in ["title", "detail", "instance", "requestId"] {
            assert!(document[member].as_str().is_some_and(|text| !text.is_empty()), "{member} in {document}");
        }
        assert_eq!(self.header("x-content-type-options"), Some("nosniff"), "{self:?}");
        match status {
            401 => assert_eq!(self.header("www-authenticate"), Some("Bearer"), "{self:?}"),
            429 | 503 => assert!(self.header("retry-after").is_some(), "{self:?}"),
            405 => assert!(self.header("allow").is_some(), "{self:?}"),
            _ => {}
        }
        document
    }
}

/// A connection of somebody who waits for each answer for so long and no longer.
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// Writes the bytes, and reads until the server closes the connection.
pub fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(address);
    // A server that refuses early may close while the rest is still on its way.
    drop(stream.write_all(bytes));
    read_all(&mut stream)
}

pub fn read_all(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    all
}

pub fn send(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut stream = connect(address);
    // As above.
    drop(stream.write_all(&request(method, path, headers, body, true)));
    let mut answers = answers(&read_all(&mut stream), method == "HEAD");
    assert_eq!(answers.len(), 1, "{answers:?}");
    let answer = answers.remove(0);
    conformance::check(conformance::Seen {
        method,
        target: path,
        status: answer.status,
        content_type: answer.header("content-type"),
        headers: &answer.headers.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(),
        body: &answer.body,
    });
    answer
}

pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8], close: bool) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: test\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    if close {
        head.push_str("connection: close\r\n");
    }
    if !body.is_empty() {
        write!(head, "content-length: {}\r\n", body.len()).unwrap();
    }
    [head.as_bytes(), b"\r\n", body].concat()
}

/// Takes a whole conversation apart. Every byte has to belong to an answer.
pub fn answers(mut bytes: &[u8], to_head: bool) -> Vec<Answer> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or_else(|| {
            panic!("half a head: {}", String::from_utf8_lossy(bytes));
        });
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(':').unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut answer = Answer { status, headers, body: Vec::new() };
        bytes = &bytes[end + 4..];
        if !to_head && status >= 200 {
            let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
            answer.body = bytes[..length].to_vec();
            bytes = &bytes[length..];
        }
        all.push(answer);
    }
    all
}
