//! A small HTTP/1.1 client: it has to cost little beside what it measures.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::error::{Error, Result};

const PATIENCE: Duration = Duration::from_secs(40);

/// One connection that is kept alive.
#[derive(Debug)]
pub(super) struct Client {
    port: u16,
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    pub(super) body: &'a [u8],
}

impl Answer<'_> {
    pub(super) fn is_good(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// A request as it goes over the wire.
pub(super) fn request(method: &str, path: &str, token: Option<&str>, body: &str) -> Vec<u8> {
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let content = if body.is_empty() {
        String::new()
    } else {
        format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len())
    };
    format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{authorization}{content}\r\n{body}").into_bytes()
}

impl Client {
    pub(super) fn connect(port: u16) -> Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let connected = TcpStream::connect_timeout(&address, PATIENCE).and_then(|stream| {
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            Ok(stream)
        });
        let stream = connected.map_err(Error::io("connecting to the API"))?;
        Ok(Self { port, stream, buffer: Vec::with_capacity(64 * 1024) })
    }

    /// Sends a request and reads the whole answer.
    pub(super) fn call(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).map_err(Error::io("sending a request"))?;
        self.buffer.clear();
        let mut chunk = [0; 16 * 1024];
        loop {
            let read = self.stream.read(&mut chunk).map_err(Error::io("reading an answer"))?;
            if read == 0 {
                return Err(Error::malformed("an answer of the API")("the connection was closed"));
            }
            self.buffer.extend_from_slice(chunk.get(..read).unwrap_or_default());
            if let Some((status, head, length)) = measure(&self.buffer)?
                && self.buffer.len() >= head + length
            {
                let body = self.buffer.get(head..head + length).unwrap_or_default();
                return Ok(Answer { status, body });
            }
        }
    }

    /// A fresh connection in place of one that failed.
    pub(super) fn reconnect(&mut self) -> Result<()> {
        *self = Self::connect(self.port)?;
        Ok(())
    }
}

/// Status, length of the head and length of the body, once the head is complete.
fn measure(buffer: &[u8]) -> Result<Option<(u16, usize, usize)>> {
    let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let wrong = || Error::malformed("an answer of the API")("no status or no length");
    let head = std::str::from_utf8(buffer.get(..end).unwrap_or_default()).map_err(|_| wrong())?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).ok_or_else(wrong)?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    match (status, length) {
        (204, None) => Ok(Some((status, end + 4, 0))),
        (_, Some(length)) => Ok(Some((status, end + 4, length))),
        (_, None) => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_answer_is_measured_once_its_head_is_there() {
        assert_eq!(measure(b"HTTP/1.1 200 OK\r\ncontent-le").unwrap(), None);
        let answer = b"HTTP/1.1 201 Created\r\nContent-Length: 3\r\n\r\nabc";
        assert_eq!(measure(answer).unwrap(), Some((201, 43, 3)));
        assert_eq!(measure(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap(), Some((204, 27, 0)));
        assert!(measure(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
        assert!(measure(b"nonsense\r\n\r\n").is_err());
    }

    #[test]
    fn a_request_says_how_long_its_body_is() {
        let with = String::from_utf8(request("POST", "/x", Some("t"), "{}")).unwrap();
        assert!(
            with.contains("Authorization: Bearer t\r\n") && with.ends_with("Content-Length: 2\r\n\r\n{}")
        );
        let without = String::from_utf8(request("GET", "/x", None, "")).unwrap();
        assert_eq!(without, "GET /x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    }
}
