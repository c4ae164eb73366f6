//! The background passes: the deadline sweep, the relay, the replay of dead letters, and the forgetting of what is over.
//!
//! Each runs on a thread of its own. What a pass does is a use case of the application, which can be run
//! twice and killed at any moment; the loop around it only waits, counts and logs. Nothing but
//! [`Background::stop`] ends a loop: not an error, not a panic.

mod bell;
mod ended_sessions;
mod feed;
mod forget;
mod meters;
mod relay;
mod replay;
mod steadiness;
mod sums;
mod sweep;

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use techsupport_application::AppError;

pub(crate) use bell::Bell;
pub(crate) use ended_sessions::EndedSessions;
pub(crate) use feed::Feed;
pub(crate) use forget::Forget;
pub(crate) use meters::describe_metrics;
pub(crate) use relay::Relay;
pub(crate) use replay::Replay;
use steadiness::Steadiness;
pub(crate) use sums::Sums;
pub(crate) use sweep::Sweep;

/// When a pass wants to run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// At once.
    Now,
    /// When somebody rings, or after this time.
    Within(Duration),
    /// After this time, whoever rings.
    After(Duration),
}

/// Something to do again and again.
pub(crate) trait Pass: Send + 'static {
    /// For thread, log and metrics.
    fn name(&self) -> &'static str;

    /// The waits after a first and after many failures.
    fn backoff(&self) -> (Duration, Duration);

    /// Does it once.
    fn run(&mut self) -> Result<Next, AppError>;

    /// Whether to look once more at the end, for what came in while it slept.
    fn finishes(&self) -> bool {
        false
    }
}

/// A pass on its thread.
pub(crate) struct Background {
    name: &'static str,
    bell: Arc<Bell>,
    ended: mpsc::Receiver<()>,
}

impl Background {
    /// Starts a loop around the pass, which `bell` wakes.
    pub(crate) fn start(mut pass: impl Pass, bell: &Arc<Bell>) -> io::Result<Self> {
        let (name, bell) = (pass.name(), Arc::clone(bell));
        meters::pass_made(name);
        let (at_the_end, ended) = mpsc::channel::<()>();
        let waiting = Arc::clone(&bell);
        thread::Builder::new().name(name.to_owned()).spawn(move || {
            repeat(&mut pass, &waiting);
            drop(at_the_end);
        })?;
        Ok(Self { name, bell, ended })
    }

    /// Ends the loop with the pass that is under way, and a last one where there has to be one. What takes
    /// longer than `limit` is left behind: killing it does no harm.
    pub(crate) fn stop(self, limit: Duration) {
        self.bell.stop(Instant::now() + limit);
        if self.ended.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
            tracing::warn!(pass = self.name, "a background pass is still at work and is left behind");
        }
    }
}

fn repeat(pass: &mut impl Pass, bell: &Bell) {
    let (first_wait, longest_wait) = pass.backoff();
    let mut steadiness = Steadiness::new(pass.name(), first_wait, longest_wait);
    loop {
        let stopped = bell.stopped();
        if stopped.is_some_and(|finish_by| !pass.finishes() || Instant::now() >= finish_by) {
            return;
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| pass.run()));
        let next = match outcome {
            Ok(Ok(next)) => {
                steadiness.succeeded();
                next
            }
            Ok(Err(error)) => Next::After(steadiness.failed(&error.to_string())),
            Err(_) => Next::After(steadiness.failed("it panicked")),
        };
        // The pass that began after the stop has seen everything, unless it asks for another one.
        if stopped.is_some() && next != Next::Now {
            return;
        }
        match next {
            Next::Now => {}
            Next::Within(limit) => bell.wait(limit),
            Next::After(limit) => bell.rest(limit),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use std::sync::mpsc::Sender;

    use super::*;

    struct Stubborn(Sender<u32>, u32);

    impl Pass for Stubborn {
        fn name(&self) -> &'static str {
            "stubborn"
        }

        fn backoff(&self) -> (Duration, Duration) {
            (Duration::from_millis(1), Duration::from_millis(2))
        }

        fn run(&mut self) -> Result<Next, AppError> {
            self.1 += 1;
            self.0.send(self.1).unwrap();
            match self.1 {
                1 => Err(AppError::TimedOut),
                2 => panic!("no error ends a loop"),
                3 => Ok(Next::Now),
                _ => Ok(Next::Within(Duration::from_mins(1))),
            }
        }
    }

    /// Has something left to do at the end.
    struct Thorough(Sender<Instant>, u32);

    impl Pass for Thorough {
        fn name(&self) -> &'static str {
            "thorough"
        }

        fn backoff(&self) -> (Duration, Duration) {
            (Duration::from_mins(1), Duration::from_mins(1))
        }

        fn run(&mut self) -> Result<Next, AppError> {
            self.0.send(Instant::now()).unwrap();
            self.1 += 1;
            match self.1 {
                2 => Ok(Next::Now),
                1 | 3 => Ok(Next::Within(Duration::from_mins(1))),
                _ => panic!("it was over"),
            }
        }

        fn finishes(&self) -> bool {
            true
        }
    }

    #[test]
    fn a_loop_that_finishes_looks_once_more_after_the_stop_and_goes_on_while_there_is_more() {
        let (sender, runs) = mpsc::channel();
        let background = Background::start(Thorough(sender, 0), &Arc::default()).unwrap();
        runs.recv_timeout(Duration::from_secs(30)).unwrap();
        let stopped = Instant::now();
        background.stop(Duration::from_secs(30));
        let after: Vec<Instant> = runs.iter().collect();
        assert!(after.len() == 2 && after.iter().all(|at| *at >= stopped), "{after:?}");
    }

    #[test]
    fn a_loop_survives_errors_and_panics_and_ends_when_told() {
        let (sender, runs) = mpsc::channel();
        let bell = Arc::new(Bell::default());
        let background = Background::start(Stubborn(sender, 0), &bell).unwrap();
        let next = || runs.recv_timeout(Duration::from_secs(30)).unwrap();
        assert_eq!([next(), next(), next(), next()], [1, 2, 3, 4]);
        bell.ring();
        assert_eq!(next(), 5);
        background.stop(Duration::from_secs(30));
        assert!(runs.recv_timeout(Duration::from_secs(30)).is_err(), "the pass is gone");
    }
}
