//! How long a piece of work may take, and who has the last word about it.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

const RUNNING: u8 = 0;
const COMMITTING: u8 = 1;
const ABANDONED: u8 = 2;

/// The commit came too late: the caller has been told that nothing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the work was abandoned before its commit")]
pub struct CommitRefused;

/// The time a piece of work has left, shared between the one who works and the one who waits.
///
/// Exactly one of the two wins: either the worker enters its commit, and the waiter has to wait for the
/// outcome, or the waiter abandons the work, and no commit can begin any more. So an answer "timed out"
/// is never followed by the change it denied.
#[derive(Debug)]
pub struct Budget {
    deadline: Instant,
    phase: AtomicU8,
}

impl Budget {
    /// Work that has to be done within `limit` from now.
    pub fn lasting(limit: Duration) -> Self {
        Self { deadline: Instant::now() + limit, phase: AtomicU8::new(RUNNING) }
    }

    /// What is left; zero when the time is over.
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Whether going on is pointless.
    pub fn is_over(&self) -> bool {
        self.phase.load(Ordering::SeqCst) == ABANDONED || self.left().is_zero()
    }

    /// The worker is about to commit. May be called again for a further transaction of the same work.
    pub fn enter_commit(&self) -> Result<(), CommitRefused> {
        match self.phase.compare_exchange(RUNNING, COMMITTING, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) | Err(COMMITTING) => Ok(()),
            Err(_) => Err(CommitRefused),
        }
    }

    /// The waiter gives up. `false` when a commit has begun: then the outcome has to be waited for.
    pub fn abandon(&self) -> bool {
        match self.phase.compare_exchange(RUNNING, ABANDONED, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) | Err(ABANDONED) => true,
            Err(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abandoned_work_cannot_commit() {
        let budget = Budget::lasting(Duration::from_mins(1));
        assert!(budget.abandon());
        assert_eq!(budget.enter_commit(), Err(CommitRefused));
        assert!(budget.is_over());
    }

    #[test]
    fn work_that_commits_cannot_be_abandoned() {
        let budget = Budget::lasting(Duration::from_mins(1));
        assert_eq!(budget.enter_commit(), Ok(()));
        assert!(!budget.abandon());
        assert_eq!(budget.enter_commit(), Ok(()), "a second transaction of the same work");
    }

    #[test]
    fn nothing_is_left_of_a_limit_that_has_passed() {
        let budget = Budget::lasting(Duration::ZERO);
        assert!(budget.is_over());
        assert_eq!(budget.left(), Duration::ZERO);
    }
}
