//! The log of the programs that run inside of the test process.

use std::sync::OnceLock;

use techsupport_bootstrap::telemetry::{Captured, LogSettings, capture};

/// More than any operator would log, so that a secret that shows up anywhere is found.
fn settings() -> LogSettings {
    LogSettings { level: "debug".to_owned(), filter: "lapin::returned_messages=off".to_owned() }
}

pub(crate) fn captured() -> &'static Captured {
    static CAPTURED: OnceLock<Captured> = OnceLock::new();
    CAPTURED.get_or_init(|| capture("techsupport-tests", &settings()).expect("nobody else logs here"))
}

/// Every line so far, of all tests of this process. Filter by what only one's own lines have: a request id,
/// a trace, a ticket.
pub fn log_lines() -> Vec<String> {
    captured().lines()
}

/// The latest lines of level WARN and above.
pub(crate) fn last_complaints() -> String {
    let lines = captured().lines();
    let loud = |line: &&String| line.contains("\"level\":40") || line.contains("\"level\":50");
    let mut last: Vec<&str> = lines.iter().filter(loud).rev().take(12).map(String::as_str).collect();
    last.reverse();
    last.join("\n")
}
