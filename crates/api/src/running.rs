//! The program while it runs, and its end.

use std::{io, net::SocketAddr, time::Duration};

use techsupport_messaging::Publisher;
use techsupport_persistence::Listener;
use tokio::{runtime::Runtime, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{StartError, background::Background, collecting::Collecting};

/// How long tasks that were told to end may take to notice, once everything that matters is over. The
/// goodbye to the broker takes at most as long.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// How much longer than its own limit the server is waited for.
const SERVER_MARGIN: Duration = Duration::from_secs(5);

/// What runs, in the order of stopping: what comes later still works for what comes before.
pub(crate) struct Stoppable {
    /// Ends the server.
    pub(crate) serving: CancellationToken,
    pub(crate) server: Option<JoinHandle<io::Result<()>>>,
    /// How long the server has, by its own settings.
    pub(crate) server_wait: Duration,
    pub(crate) listener: Option<Listener>,
    pub(crate) ended_sessions: Option<Background>,
    pub(crate) sweep: Option<Background>,
    pub(crate) relay: Option<Background>,
    pub(crate) forget: Option<Background>,
    pub(crate) feed: Option<Background>,
    pub(crate) sums: Option<Background>,
    pub(crate) replay: Option<Background>,
    pub(crate) collecting: Option<Collecting>,
    /// How long each background pass, and what collects dead letters, has to come to its end.
    pub(crate) stop_wait: Duration,
    pub(crate) publisher: Publisher,
    /// Ends the connection to the broker.
    pub(crate) publishing: CancellationToken,
}

/// A running API. Dropping it stops it.
pub struct RunningApi {
    address: SocketAddr,
    parts: Parts,
}

impl RunningApi {
    pub(crate) fn new(address: SocketAddr, parts: Parts) -> Self {
        Self { address, parts }
    }

    /// Where requests are accepted.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Runs until `stop` is cancelled, then stops. An error when the server ended by itself.
    pub fn run_until(mut self, stop: &CancellationToken) -> Result<(), StartError> {
        let Parts { runtime: Some(runtime), stoppable: Stoppable { server: Some(server), .. } } =
            &mut self.parts
        else {
            return Ok(());
        };
        let ended_by_itself = runtime.block_on(async {
            tokio::select! {
                () = stop.cancelled() => None,
                outcome = server => Some(outcome),
            }
        });
        match ended_by_itself {
            None => {
                self.stop();
                Ok(())
            }
            Some(outcome) => {
                self.parts.stoppable.server = None;
                let why = outcome.unwrap_or_else(|panicked| Err(io::Error::other(panicked)));
                let why = why.err().unwrap_or_else(|| io::Error::other("nobody had told it to"));
                Err(StartError::system("the server ended")(why))
            }
        }
    }

    /// Takes no more connections and finishes the requests under way; then ends the sweep; then the relay, which looks
    /// at the outbox once more for what came of both; then lets go of the broker and the database. Every step
    /// has a limit; what takes longer is left behind, which does no harm.
    pub fn stop(mut self) {
        self.parts.end();
    }
}

/// What runs, complete or not. Dropping it stops it in order.
pub(crate) struct Parts {
    runtime: Option<Runtime>,
    pub(crate) stoppable: Stoppable,
}

impl Parts {
    pub(crate) fn new(runtime: Runtime, stoppable: Stoppable) -> Self {
        Self { runtime: Some(runtime), stoppable }
    }

    fn end(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        let Stoppable { server_wait, stop_wait, .. } = self.stoppable;
        self.stoppable.serving.cancel();
        if let Some(server) = self.stoppable.server.take() {
            match runtime.block_on(async { timeout(server_wait + SERVER_MARGIN, server).await }) {
                Ok(Ok(Ok(()))) => {}
                Ok(Ok(Err(error))) => tracing::error!(%error, "the server ended with an error"),
                Ok(Err(error)) => tracing::error!(%error, "the server panicked"),
                Err(_) => tracing::warn!("the server is still at work and is left behind"),
            }
        }
        drop(self.stoppable.listener.take());
        if let Some(collecting) = self.stoppable.collecting.take() {
            runtime.block_on(collecting.stop(stop_wait));
        }
        let Stoppable { ended_sessions, forget, feed, sums, replay, sweep, relay, .. } = &mut self.stoppable;
        let passes = [ended_sessions, forget, feed, sums, replay, sweep, relay];
        for pass in passes.map(Option::take).into_iter().flatten() {
            pass.stop(stop_wait);
        }
        self.stoppable.publishing.cancel();
        let goodbye = self.stoppable.publisher.ended();
        if runtime.block_on(async { timeout(LAST_MOMENT, goodbye).await }).is_err() {
            tracing::debug!("the broker was left without a goodbye");
        }
        runtime.shutdown_timeout(LAST_MOMENT);
        tracing::info!("stopped");
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        self.end();
    }
}
