//! `cargo xtask chaos --imports N`: kills import-worker while it imports a file, and counts its rows.

use std::time::Duration;

use rand::rngs::ChaCha12Rng;
use rand::{RngExt, SeedableRng};
use serde::Deserialize;

use super::Options;
use crate::error::{Error, Result};
use crate::import::Caller;
use crate::programs::Programs;
use crate::psql::Psql;
use crate::stage::Stage;
use crate::{progress, sheets, signals, wait};

/// How long a worker may do nothing before the run is given up.
const PATIENCE: Duration = Duration::from_mins(1);
/// A worker that was killed is missed after so long.
const LEASE_MS: &str = "1000";

#[derive(Debug, Deserialize)]
struct Counts {
    rows: u32,
    distinct_rows: u32,
    wrong: u32,
    processed: u32,
    failed: u32,
    total: u32,
    files: u32,
}

/// Imports `rows` rows while the worker is killed `options.kills` times, and fails unless each is there once, as it was in
/// the file.
pub(super) fn run(options: &Options, programs: &Programs, rows: u32) -> Result<()> {
    let mut stage = Stage::set("chaos", programs, &[])?;
    let outcome = perform(&mut stage, options, rows);
    match &outcome {
        Ok(()) | Err(Error::Interrupted) => stage.strike()?,
        Err(_) => eprintln!("xtask: the logs of this run are in {}", stage.keep_logs()?.display()),
    }
    outcome
}

fn perform(stage: &mut Stage, options: &Options, rows: u32) -> Result<()> {
    let psql = Psql::new(stage.database_url())?;
    let file = stage.folder().join("history.xlsx");
    let content = sheets::xlsx(sheets::tickets(rows, options.seed))?;
    std::fs::write(&file, &content).map_err(Error::io(format!("writing {}", file.display())))?;
    stage.start_importer(&[("TECHSUPPORT__IMPORTS__LEASE_MS", LEASE_MS)])?;
    let mut caller = Caller::sign_in(&stage.url(), "admin@techsupport.pro", "admin123")?;
    let import = caller.upload(&file, &indicatif::ProgressBar::hidden())?;
    let bar = progress::bar("kills", options.kills);
    let mut chance = ChaCha12Rng::seed_from_u64(options.seed);
    for kill in 0..options.kills {
        // Somewhere in the part of the file that this kill belongs to, so that all of them come before the end.
        let share = f64::from(rows) / f64::from(options.kills + 1);
        let at = (f64::from(kill) + chance.random_range(0.0..1.0)) * share;
        let reached = wait::until(PATIENCE, || {
            let status = caller.status(&import)?;
            let done = f64::from(status.processed) + f64::from(status.failed);
            Ok((done >= at && status.status != "pending" || status.has_ended()).then_some(status))
        })?;
        let status =
            reached.ok_or_else(|| Error::Refused(format!("the import stands still before kill {kill}")))?;
        if status.has_ended() {
            return Err(Error::Refused(format!("the import ended before kill {kill}; take more rows")));
        }
        // Not always right after a commit.
        wait::pause(Duration::from_millis(chance.random_range(0..60)));
        stage.kill_importer();
        stage.start_importer(&[("TECHSUPPORT__IMPORTS__LEASE_MS", LEASE_MS)])?;
        bar.inc(1);
        if signals::stop_requested() {
            return Err(Error::Interrupted);
        }
    }
    bar.finish_and_clear();
    let status = caller.await_end(&import, |_| {})?;
    let counts = count(&psql, rows, options.seed)?;
    println!(
        "{rows} rows, {} kills: {}, {} processed, {} failed; {} rows in the table",
        options.kills, status.status, counts.processed, counts.failed, counts.rows
    );
    let is_good = status.status == "completed"
        && [counts.rows, counts.distinct_rows, counts.processed, counts.total] == [rows; 4]
        && (counts.failed, counts.wrong, counts.files) == (0, 0, 0);
    if is_good { Ok(()) } else { Err(Error::Refused(format!("not every row is there once: {counts:?}"))) }
}

/// Reads what there is, through a way that shares no code with the worker, and holds it against the file.
fn count(psql: &Psql, rows: u32, seed: u64) -> Result<Counts> {
    let mut expected = String::from(
        "CREATE TABLE expected (ticket_id text, created_at timestamptz); INSERT INTO expected VALUES ",
    );
    let values: Vec<String> =
        sheets::tickets(rows, seed).map(|row| format!("('{}','{}')", row[0], row[3])).collect();
    for part in values.chunks(1_000) {
        psql.run(&format!("{expected}{}", part.join(",")))?;
        "INSERT INTO expected VALUES ".clone_into(&mut expected);
    }
    psql.row(
        "SELECT (SELECT count(*) FROM imported_tickets) AS rows, \
             (SELECT count(DISTINCT sheet_row) FROM imported_tickets) AS distinct_rows, \
             (SELECT count(*) FROM expected e FULL JOIN imported_tickets t USING (ticket_id) \
                 WHERE e.created_at IS DISTINCT FROM t.created_at) AS wrong, \
             (SELECT count(*) FROM import_files) AS files, p.processed, p.failed, p.total FROM import_processes p",
    )
}
