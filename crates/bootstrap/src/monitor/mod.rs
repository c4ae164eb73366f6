//! Metrics and health of a process that has no HTTP API, for whoever watches over it.
//!
//! | path | answer |
//! |---|---|
//! | `/metrics` | everything that was measured, in Prometheus' text format |
//! | `/health/live` | 200: the process answers |
//! | `/health/ready` | 200 when it has what it needs, otherwise 503 and the part that is missing |
//!
//! This is no web server: it reads the first line of a request, answers it and hangs up. The number of
//! callers, what is read of them and the time they get have bounds.

mod ask;
mod settings;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::spawn_blocking,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

pub use ask::{AskError, ask};
pub use settings::MonitorSettings;

use crate::recorder;

/// Names what is missing, if anything is. May block.
pub type Missing = Arc<dyn Fn() -> Option<&'static str> + Send + Sync>;

/// The longest head of a request that is read.
const MAX_HEAD_BYTES: usize = 8 * 1_024;
/// The wait when the operating system has no socket to give.
const BREATHER: Duration = Duration::from_millis(100);

/// A monitor that is bound to its address. Callers wait until it runs.
pub struct Monitor {
    listener: TcpListener,
    address: SocketAddr,
    limit: Duration,
    places: Arc<Semaphore>,
}

impl Monitor {
    /// Binds the address and makes this process record metrics from now on. `None` when the settings want
    /// no monitor: then nothing is recorded either.
    pub async fn bind(settings: &MonitorSettings) -> io::Result<Option<Self>> {
        if !settings.enabled {
            return Ok(None);
        }
        recorder::install()?;
        let listener = TcpListener::bind((settings.bind, settings.port)).await?;
        let address = listener.local_addr()?;
        let limit = Duration::from_millis(settings.timeout_ms);
        let places = Arc::new(Semaphore::new(settings.max_connections));
        Ok(Some(Self { listener, address, limit, places }))
    }

    /// Where it listens: with port 0 in the settings, the port that was chosen.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` is cancelled. Whoever comes while every place is taken is turned away.
    pub async fn run(self, missing: Missing, stop: CancellationToken) {
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((socket, _)) => {
                    let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { continue };
                    let (missing, limit) = (Arc::clone(&missing), self.limit);
                    tokio::spawn(async move {
                        // A caller that is too slow or gone has nobody to tell.
                        drop(timeout(limit, answer(socket, missing)).await);
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the monitor cannot accept a connection");
                    tokio::time::sleep(BREATHER).await;
                }
            }
        }
    }
}

async fn answer(mut socket: TcpStream, missing: Missing) -> io::Result<()> {
    let (status, body) = match first_line(&mut socket).await? {
        Some(line) => respond(&line, missing).await,
        None => ("400 Bad Request", "this is no HTTP request\n".to_owned()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).await?;
    socket.write_all(body.as_bytes()).await?;
    socket.shutdown().await
}

/// Reads the whole head, so that the connection is not reset under the answer; only its first line counts.
async fn first_line(socket: &mut TcpStream) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    let mut part = [0; 1_024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = socket.read(&mut part).await?;
        head.extend(part.iter().take(read));
        if read == 0 || head.len() > MAX_HEAD_BYTES {
            return Ok(None);
        }
    }
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    Ok(String::from_utf8(line.to_vec()).ok())
}

async fn respond(line: &str, missing: Missing) -> (&'static str, String) {
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = target.split('?').next().unwrap_or_default();
    if !matches!(path, "/metrics" | "/health/live" | "/health/ready") {
        return ("404 Not Found", "there is nothing here\n".to_owned());
    }
    if method != "GET" {
        return ("405 Method Not Allowed", "this path knows GET\n".to_owned());
    }
    if path == "/metrics" {
        return ("200 OK", recorder::text());
    }
    let lacking = match path {
        "/health/ready" => spawn_blocking(move || missing()).await.unwrap_or(Some("an answer")),
        _ => None,
    };
    match lacking {
        None => ("200 OK", "ok\n".to_owned()),
        Some(part) => ("503 Service Unavailable", format!("{part} is missing\n")),
    }
}

#[cfg(test)]
mod tests;
