//! An exclusive lock on a file, for a while.

use std::{
    fs::File,
    io,
    time::{Duration, Instant},
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

use super::SinkError;

/// `flock` itself can only wait for ever or not at all.
const ASK_EVERY: Duration = Duration::from_millis(1);

/// Held until dropped. The kernel releases it when the process dies.
pub(super) struct Locked<'a> {
    file: &'a File,
}

impl<'a> Locked<'a> {
    /// Waits until `deadline` at most.
    pub(super) fn acquire(file: &'a File, deadline: Instant) -> Result<Self, SinkError> {
        loop {
            match flock(file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Self { file }),
                Err(Errno::WOULDBLOCK) => {
                    if Instant::now() >= deadline {
                        return Err(SinkError::Timeout("locked"));
                    }
                    // Waking early does no harm, so a stray unpark does none either.
                    std::thread::park_timeout(ASK_EVERY);
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(io::Error::from(error).into()),
            }
        }
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        if let Err(error) = flock(self.file, FlockOperation::Unlock) {
            tracing::error!(%error, "the log cannot be unlocked");
        }
    }
}
