//! When to stop.

use std::{io, thread};

use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};
use tokio_util::sync::CancellationToken;

/// Why nothing came of a work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfinished {
    /// A signal came before it had ended.
    #[error("interrupted before it was done")]
    Interrupted,
    /// A defect. The panic has been reported where it happened.
    #[error("it panicked before it was done")]
    Panicked,
}

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

    /// What comes of `work`, which may block. An error when a signal came before it had ended, or when it panicked: then
    /// the process is to end, whatever `work` is doing. What is done already is returned although a signal came, too: a
    /// step that was taken must not be called interrupted.
    pub fn unless_one_comes<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unfinished> {
        let (tell, told) = oneshot::channel();
        thread::spawn(move || drop(tell.send(work())));
        self.outcome(told)
    }

    fn outcome<T>(&self, mut told: oneshot::Receiver<T>) -> Result<T, Unfinished> {
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                outcome = &mut told => outcome.map_err(|_| Unfinished::Panicked),
                // It may have been done between the two looks.
                () = self.stop.cancelled() => told.try_recv().map_err(|nothing| match nothing {
                    oneshot::error::TryRecvError::Empty => Unfinished::Interrupted,
                    oneshot::error::TryRecvError::Closed => Unfinished::Panicked,
                }),
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn signals(came: bool) -> Signals {
        let stop = CancellationToken::new();
        if came {
            stop.cancel();
        }
        Signals { runtime: Builder::new_multi_thread().worker_threads(1).build().unwrap(), stop }
    }

    /// Which of both is looked at first must not be a matter of luck: hence often.
    #[test]
    fn what_came_of_it_is_returned_although_a_signal_came() {
        let signals = signals(true);
        for _ in 0..100 {
            let (tell, told) = oneshot::channel();
            tell.send("done").unwrap();
            assert_eq!(signals.outcome(told), Ok("done"));
        }
    }

    #[test]
    fn a_signal_interrupts() {
        let (_tell, told) = oneshot::channel::<()>();
        assert_eq!(signals(true).outcome(told), Err(Unfinished::Interrupted));
    }

    #[test]
    fn a_panic_is_no_interruption() {
        let work = || assert!(std::hint::black_box(false), "on purpose");
        for came in [false, true] {
            let (tell, told) = oneshot::channel();
            let panicked = thread::spawn(move || {
                work();
                tell.send(())
            });
            assert!(panicked.join().is_err());
            assert_eq!(signals(came).outcome(told), Err(Unfinished::Panicked));
        }
        assert_eq!(signals(false).unless_one_comes(work), Err(Unfinished::Panicked));
    }
}
