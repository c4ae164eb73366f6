//! `cargo xtask down`: stops an `up` from another terminal.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::process::Signal;
use crate::provision::{self, Instance, Ledger};
use crate::up::INSTANCE;
use crate::wait;

/// Longer than all the graces that `up` gives its processes together.
const LIMIT: Duration = Duration::from_mins(2);

/// Options of `down`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Remove the data as well: the next `up` starts from nothing.
    #[arg(long)]
    purge: bool,
}

/// Asks the running `up` to stop and waits until it has; then cleans up after a crashed one.
pub(crate) fn run(options: &Options) -> Result<()> {
    if provision::is_locked(INSTANCE)? {
        let owner = Ledger::read(INSTANCE).and_then(|ledger| ledger.owner);
        let owner = owner.ok_or_else(|| Error::Refused("`up` is just starting; try again".into()))?;
        eprintln!("xtask: stopping `up` (process {})", owner.pid());
        owner.signal(Signal::TERM);
        let free = wait::until(LIMIT, || Ok((!provision::is_locked(INSTANCE)?).then_some(())))?;
        if free.is_none() {
            return Err(Error::Refused(format!("`up` (process {}) does not stop", owner.pid())));
        }
    } else if Ledger::read(INSTANCE).is_some() {
        // Taking the instance stops what a crashed holder left running.
        if let Some(mut instance) = Instance::acquire(INSTANCE, true)? {
            instance.release()?;
        }
        eprintln!("xtask: no `up` is running");
    } else {
        eprintln!("xtask: there is no `up` here");
    }
    if options.purge && provision::purge(INSTANCE)? {
        eprintln!("xtask: its data is removed");
    }
    Ok(())
}
