//! A child process in a group of its own.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use rustix::process::Signal;

use crate::error::{Error, Result};
use crate::process::Mark;
use crate::wait;

/// A child that we started. It leads its own process group, so that a Ctrl-C at the terminal reaches only us and we stop
/// everything in order. It is reaped whichever way it ends: an unreaped postmaster blocks its own restart.
#[derive(Debug)]
pub(crate) struct Managed {
    child: Child,
    mark: Mark,
}

impl Managed {
    /// Starts `command`; `name` appears in the error.
    pub(crate) fn spawn(command: &mut Command, name: &str) -> Result<Self> {
        let mut child = command.process_group(0).spawn().map_err(Error::io(format!("starting {name}")))?;
        let mark = i32::try_from(child.id()).ok().and_then(Mark::of);
        if let Some(mark) = mark {
            return Ok(Self { child, mark });
        }
        let status = child.wait().map_err(Error::io(format!("waiting for {name}")))?;
        Err(Error::Program { program: name.into(), status, output: String::new() })
    }

    pub(crate) fn mark(&self) -> &Mark {
        &self.mark
    }

    /// How it ended, if it has; reaps it.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Asks with `signal`, and kills what has not ended within `grace`.
    pub(crate) fn stop(&mut self, signal: Signal, grace: Duration) {
        if self.ended().is_some() {
            return;
        }
        self.mark.signal(signal);
        if !wait::until_done(grace, || self.ended().is_some()) {
            self.kill();
        }
    }

    /// `kill -9` for the whole group, then reaps the child.
    pub(crate) fn kill(&mut self) {
        self.mark.signal_group(Signal::KILL);
        // The only failure is "already reaped".
        self.child.wait().ok();
    }

    /// Passes a signal to the whole group.
    pub(crate) fn signal_group(&self, signal: Signal) {
        self.mark.signal_group(signal);
    }
}

impl Drop for Managed {
    fn drop(&mut self) {
        if self.ended().is_none() {
            self.kill();
        }
    }
}
