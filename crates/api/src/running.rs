//! The program while it runs, and its end.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use techsupport_bootstrap::shutdown;
use techsupport_persistence::DeadlineBell;
use tokio::{runtime::Runtime, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{StartError, background::Background};

/// How long tasks that were told to end may take to notice, once everything that matters is over.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// What runs, in the order of starting.
pub(crate) struct Stoppable {
    /// Ends the connection to the broker.
    pub(crate) publishing: CancellationToken,
    /// Ends the server.
    pub(crate) serving: CancellationToken,
    pub(crate) server: Option<JoinHandle<io::Result<()>>>,
    pub(crate) passes: Vec<Background>,
    pub(crate) bell: Option<DeadlineBell>,
    /// How long the passes have to come to their end.
    pub(crate) stop_wait: Duration,
}

/// A running API. Dropping it stops it.
pub struct RunningApi {
    address: SocketAddr,
    runtime: Option<Runtime>,
    stoppable: Stoppable,
}

impl RunningApi {
    pub(crate) fn new(address: SocketAddr, runtime: Runtime, stoppable: Stoppable) -> Self {
        Self { address, runtime: Some(runtime), stoppable }
    }

    pub(crate) fn stoppable(&mut self) -> &mut Stoppable {
        &mut self.stoppable
    }

    /// Where requests are accepted.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Runs until SIGTERM or SIGINT, then stops. An error when the server ended by itself.
    pub fn run_until_signal(mut self) -> Result<(), StartError> {
        let (Some(runtime), Some(server)) = (self.runtime.as_ref(), self.stoppable.server.as_mut()) else {
            return Ok(());
        };
        let ended_by_itself = runtime.block_on(async {
            let signal = shutdown::on_signal()?;
            tokio::select! {
                () = signal.cancelled() => Ok(None),
                outcome = server => Ok(Some(outcome)),
            }
        });
        match ended_by_itself.map_err(StartError::system("no handler for signals"))? {
            None => {
                self.stop();
                Ok(())
            }
            Some(outcome) => {
                self.stoppable.server = None;
                let why = outcome.unwrap_or_else(|panicked| Err(io::Error::other(panicked)));
                let why = why.err().unwrap_or_else(|| io::Error::other("nobody had told it to"));
                Err(StartError::system("the server ended")(why))
            }
        }
    }

    /// Takes no more requests and finishes those under way, ends the background passes, and lets go of the
    /// broker and the database. Everything has a limit in the settings; what takes longer is left behind,
    /// which does no harm.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        let passes_end_by = Instant::now() + self.stoppable.stop_wait;
        self.stoppable.passes.iter().for_each(Background::stop);
        self.stoppable.serving.cancel();
        drop(self.stoppable.bell.take());
        for pass in self.stoppable.passes.drain(..) {
            pass.wait_until(passes_end_by);
        }
        if let Some(server) = self.stoppable.server.take() {
            // The server has a limit of its own.
            match runtime.block_on(server) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "the server ended with an error"),
                Err(error) => tracing::error!(%error, "the server panicked"),
            }
        }
        self.stoppable.publishing.cancel();
        runtime.shutdown_timeout(LAST_MOMENT);
        tracing::info!("stopped");
    }
}

impl Drop for RunningApi {
    fn drop(&mut self) {
        self.end();
    }
}
