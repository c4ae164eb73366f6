//! When to stop.

use std::{io, thread};

use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};
use tokio_util::sync::CancellationToken;

/// Hears SIGTERM and SIGINT from the first moment on. The first process of a container has to: a signal that it does
/// not handle is not delivered to it, and it would only end once it is killed.
pub struct Signals {
    runtime: Runtime,
    stop: CancellationToken,
}

impl Signals {
    /// From here on the signals only have the effect that they are given here.
    pub fn hear() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_io().build()?;
        let stop = runtime.block_on(async { on_signal() })?;
        Ok(Self { runtime, stop })
    }

    /// What comes of `work`, which may block. `None` when a signal came before it had ended, or when it panicked: then
    /// the process is to end, whatever `work` is doing.
    pub fn unless_one_comes<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (tell, told) = oneshot::channel();
        thread::spawn(move || drop(tell.send(work())));
        self.runtime.block_on(async {
            tokio::select! {
                () = self.stop.cancelled() => None,
                outcome = told => outcome.ok(),
            }
        })
    }

    /// Is cancelled by the first of them.
    pub fn stop(&self) -> &CancellationToken {
        &self.stop
    }
}

/// A token that is cancelled by the first SIGTERM or SIGINT. From then on both signals are ignored: a
/// shutdown is bounded, and who cannot wait has SIGKILL.
///
/// Needs a tokio runtime. An error means that the operating system refused the handler.
pub fn on_signal() -> io::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let token = CancellationToken::new();
    let stop = token.clone();
    tokio::spawn(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        tracing::info!(signal = name, "stopping");
        stop.cancel();
    });
    Ok(token)
}
