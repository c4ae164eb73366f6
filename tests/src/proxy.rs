//! A connection that can be cut.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use crate::environment;

/// Forwards TCP connections to a server until it is told that the server is "down".
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    server: String,
    is_cut: AtomicBool,
    is_stalled: Mutex<bool>,
    flows: Condvar,
    open: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// A way to `server` (host and port).
    pub fn to(server: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            server: server.to_owned(),
            is_cut: AtomicBool::new(false),
            is_stalled: Mutex::new(false),
            flows: Condvar::new(),
            open: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming() {
                // Errors are those of one connection; its owner notices.
                drop(client.and_then(|client| accepting.forward(&client)));
            }
        });
        Self { address, shared }
    }

    /// Breaks every connection, and each new one at once, until [`Proxy::heal`].
    pub fn cut(&self) {
        self.shared.is_cut.store(true, Ordering::SeqCst);
        for stream in self.shared.streams().drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
    }

    /// Lets connections through again.
    pub fn heal(&self) {
        self.shared.is_cut.store(false, Ordering::SeqCst);
        self.shared.stall(false);
    }

    /// Keeps connections open and lets nothing through, until [`Proxy::heal`].
    pub fn stall(&self) {
        self.shared.stall(true);
    }

    /// The URL with this way in the place of the server.
    pub(crate) fn redirect(&self, url: &str) -> String {
        let (before, after) = split_at_server(url);
        format!("{before}{}{}", self.address, after.strip_prefix(server_of(url)).unwrap_or(after))
    }

    /// A way to the tests' broker.
    pub fn to_broker() -> Self {
        Self::to_server_of(&environment::amqp_url())
    }

    /// A way to the server that a URL names.
    pub(crate) fn to_server_of(url: &str) -> Self {
        Self::to(server_of(url))
    }
}

/// Everything up to and including `@` or `//`, and the rest.
fn split_at_server(url: &str) -> (&str, &str) {
    let start = url.find("://").expect("a URL") + 3;
    let end = url[start..].find('/').map_or(url.len(), |slash| start + slash);
    let host = url[start..end].rfind('@').map_or(start, |at| start + at + 1);
    url.split_at(host)
}

fn server_of(url: &str) -> &str {
    let (_, rest) = split_at_server(url);
    rest.split(['/', '?']).next().unwrap_or(rest)
}

impl Shared {
    fn streams(&self) -> std::sync::MutexGuard<'_, Vec<TcpStream>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forward(self: &Arc<Self>, client: &TcpStream) -> io::Result<()> {
        let server = TcpStream::connect(&self.server)?;
        {
            let mut open = self.streams();
            if self.is_cut.load(Ordering::SeqCst) {
                return client.shutdown(Shutdown::Both);
            }
            open.push(client.try_clone()?);
            open.push(server.try_clone()?);
        }
        pump(self, client.try_clone()?, server.try_clone()?);
        pump(self, server, client.try_clone()?);
        Ok(())
    }

    fn stall(&self, stall: bool) {
        *self.is_stalled.lock().unwrap_or_else(PoisonError::into_inner) = stall;
        self.flows.notify_all();
    }

    fn wait_while_stalled(&self) {
        let stalled = self.is_stalled.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.flows.wait_while(stalled, |stalled| *stalled));
    }
}

fn pump(shared: &Arc<Shared>, mut from: TcpStream, mut to: TcpStream) {
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            shared.wait_while_stalled();
            if to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        drop(to.shutdown(Shutdown::Both));
        drop(from.shutdown(Shutdown::Both));
    });
}
