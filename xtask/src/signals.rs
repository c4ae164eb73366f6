//! Ctrl-C, SIGTERM and SIGHUP ask a command to stop; whoever waits looks here.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use crate::error::{Error, Result};

static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Starts listening. The first signal only sets the flag; a second one ends the process at once, and what it leaves behind
/// is found and stopped by the next command.
pub(crate) fn listen() -> Result<()> {
    let stop = Arc::clone(STOP.get_or_init(Arc::default));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stop))
            .and_then(|_| flag::register(signal, Arc::clone(&stop)))
            .map_err(Error::io("listening for signals"))?;
    }
    Ok(())
}

/// Whether a signal has arrived. Always false in a process that does not listen, such as a test.
pub(crate) fn stop_requested() -> bool {
    STOP.get().is_some_and(|stop| stop.load(Ordering::Relaxed))
}
