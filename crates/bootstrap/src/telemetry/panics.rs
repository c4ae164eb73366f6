//! Panics are log lines too.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    panic, thread,
};

/// Adds a log line to what happens on a panic. The usual message on standard error stays.
pub(super) fn log_panics() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let message = info.payload_as_str().unwrap_or("a panic without a message");
        let location = info.location().map(ToString::to_string).unwrap_or_default();
        let current = thread::current();
        let thread = current.name().unwrap_or("unnamed");
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            tracing::error!(panic = message, location, thread, %backtrace, "panicked");
        } else {
            tracing::error!(panic = message, location, thread, "panicked");
        }
        usual(info);
    }));
}
