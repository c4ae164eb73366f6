//! What is counted.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_histogram, histogram};

const ROWS: &str = "techsupport_import_rows_total";
const ENDED: &str = "techsupport_imports_ended_total";
const SECONDS: &str = "techsupport_import_seconds";
const FORGOTTEN: &str = "techsupport_import_files_forgotten_total";

/// Says what each figure means, and begins to count at zero: what first appears as one never rose.
pub(crate) fn describe() {
    describe_counter!(ROWS, "Rows of imported files, by outcome: loaded or refused");
    describe_counter!(ENDED, "Imports that have ended, by outcome: done or failed");
    describe_histogram!(SECONDS, "How long the last worker of an import worked on it");
    describe_counter!(FORGOTTEN, "Files that were removed, by reason: orphan or given_up");
    rows(0, 0);
    for outcome in ["done", "failed"] {
        counter!(ENDED, "outcome" => outcome).increment(0);
    }
    forgotten(0, 0);
}

pub(crate) fn rows(loaded: u64, refused: u64) {
    counter!(ROWS, "outcome" => "loaded").increment(loaded);
    counter!(ROWS, "outcome" => "refused").increment(refused);
}

pub(crate) fn ended(outcome: &'static str, after: Duration) {
    counter!(ENDED, "outcome" => outcome).increment(1);
    histogram!(SECONDS).record(after);
}

pub(crate) fn forgotten(orphans: u32, given_up: u32) {
    counter!(FORGOTTEN, "reason" => "orphan").increment(orphans.into());
    counter!(FORGOTTEN, "reason" => "given_up").increment(given_up.into());
}
