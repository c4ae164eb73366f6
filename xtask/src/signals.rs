//! Ctrl-C, SIGTERM and SIGHUP ask a command to stop; whoever waits looks here.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level;

use crate::error::{Error, Result};

/// Whoever ends a group of processes may send a signal to each and to the group, as `timeout` does: what follows so soon is no
/// impatience.
const SAME: Duration = Duration::from_secs(1);

static STOP: AtomicBool = AtomicBool::new(false);

/// Starts listening. The first signal only sets the flag; a second one ends the process at once, and what it leaves behind
/// is found and stopped by the next command.
pub(crate) fn listen() -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(Error::io("listening for signals"))?;
    let listening = move || {
        let mut first: Option<Instant> = None;
        for signal in signals.forever() {
            STOP.store(true, Ordering::Relaxed);
            if first.get_or_insert_with(Instant::now).elapsed() > SAME {
                low_level::exit(128 + signal);
            }
        }
    };
    thread::Builder::new()
        .name("signals".into())
        .spawn(listening)
        .map_err(Error::io("listening for signals"))?;
    Ok(())
}

/// Whether a signal has arrived. Always false in a process that does not listen, such as a test.
pub(crate) fn stop_requested() -> bool {
    STOP.load(Ordering::Relaxed)
}
