//! Runs a program to its end, and ends it when we are asked to stop.

use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::process::{Managed, Signal};
use crate::{signals, wait};

const GRACE: Duration = Duration::from_secs(10);

/// Runs `command` with the terminal as its output. It and all it starts form a group of their own, to which a signal to us is
/// passed on: a `cargo test` that merely lost its parent would leave test programs behind.
pub(crate) fn run(command: &mut Command, name: &str) -> Result<()> {
    let status = status(command, name)?;
    if status.success() {
        Ok(())
    } else {
        Err(Error::Program { program: name.into(), status, output: String::new() })
    }
}

fn status(command: &mut Command, name: &str) -> Result<ExitStatus> {
    let mut process = Managed::spawn(command.stdin(Stdio::null()), name)?;
    loop {
        if let Some(status) = process.ended() {
            return Ok(status);
        }
        if signals::stop_requested() {
            process.signal_group(Signal::INT);
            wait::until_done(GRACE, || process.ended().is_some());
            process.kill();
            return Err(Error::Interrupted);
        }
        wait::pause(Duration::from_millis(20));
    }
}
