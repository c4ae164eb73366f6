//! Asking a process of ours how it is. For health checks in containers that have no other program in them.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::{Duration, Instant},
};

/// The longest answer that is read.
const MAX_ANSWER_BYTES: u64 = 1_024 * 1_024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody listens there, or not in time.
    #[error("{address} does not answer: {source}")]
    Silent {
        /// Where it was looked for.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// Whoever listens there is none of ours.
    #[error("{0} answers something else than HTTP")]
    Foreign(SocketAddr),
}

/// The status and the body that a process on this machine answers, which listens on `bound`.
pub fn ask(bound: SocketAddr, path: &str, limit: Duration) -> Result<(u16, String), AskError> {
    let address = reachable(bound);
    let text = exchange(address, path, limit).map_err(|source| AskError::Silent { address, source })?;
    let status = text.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    let (_, body) = text.split_once("\r\n\r\n").unwrap_or_default();
    status.map(|status| (status, body.to_owned())).ok_or(AskError::Foreign(address))
}

/// Who listens everywhere also does so on the loopback interface.
fn reachable(bound: SocketAddr) -> SocketAddr {
    let loopback: IpAddr = match bound.ip() {
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(if bound.ip().is_unspecified() { loopback } else { bound.ip() }, bound.port())
}

fn exchange(address: SocketAddr, path: &str, limit: Duration) -> io::Result<String> {
    let until = Instant::now() + limit;
    let left = || until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
    let mut socket = TcpStream::connect_timeout(&address, left())?;
    socket.set_write_timeout(Some(left()))?;
    write!(socket, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    socket.set_read_timeout(Some(left()))?;
    let mut text = String::new();
    socket.take(MAX_ANSWER_BYTES).read_to_string(&mut text)?;
    Ok(text)
}
