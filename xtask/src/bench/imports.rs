//! `cargo xtask bench --imports N`: rows a second beside `psql \copy` of the same rows, and what it takes of memory.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::import::Caller;
use crate::process;
use crate::programs::Programs;
use crate::provision;
use crate::psql::Psql;
use crate::stage::Stage;
use crate::{progress, sheets, wait, workspace};

use super::{ROUNDS, SETTINGS};

const LIMIT: Duration = Duration::from_mins(10);

#[derive(Debug, Deserialize)]
struct Took {
    seconds: f64,
}

/// Both sides in turns; medians are shown.
pub(super) fn run(programs: &Programs, rows: u32) -> Result<()> {
    let mut stage = Stage::set("bench", programs, &SETTINGS)?;
    let outcome = measure(&mut stage, rows);
    match &outcome {
        Ok(()) | Err(Error::Interrupted) => stage.strike()?,
        Err(_) => eprintln!("xtask: the logs of this run are in {}", stage.keep_logs()?.display()),
    }
    outcome
}

fn measure(stage: &mut Stage, rows: u32) -> Result<()> {
    let psql = Psql::new(stage.database_url())?;
    stage.start_importer(&[])?;
    let caller = Caller::sign_in(&stage.url(), "admin@techsupport.pro", "admin123")?;
    let (xlsx, csv) = (stage.folder().join("history.xlsx"), stage.folder().join("history.csv"));
    let write = |path: &Path, content: &[u8]| {
        fs::write(path, content).map_err(Error::io(format!("writing {}", path.display())))
    };
    write(&xlsx, &sheets::xlsx(sheets::tickets(rows, 1))?)?;
    write(&csv, sheets::csv(sheets::tickets(rows, 1)).as_bytes())?;
    let worker = stage.importer_pid().unwrap_or_default();
    let before = memory_kib(worker, "RssAnon:");
    let bar = progress::bar("rounds", u32::try_from(ROUNDS * 2).unwrap_or(0));
    let (mut ours, mut copies, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    let (mut worker_peak, mut parser_peak) = (0, 0);
    for _ in 0..ROUNDS {
        psql.run("TRUNCATE imported_tickets")?;
        let asked = Instant::now();
        let import = caller.upload(&xlsx, &indicatif::ProgressBar::hidden())?;
        let ended = wait::until(LIMIT, || {
            worker_peak = worker_peak.max(memory_kib(worker, "RssAnon:"));
            for child in process::children(worker) {
                parser_peak = parser_peak.max(memory_kib(child.pid(), "VmHWM:"));
            }
            let status = caller.status(&import)?;
            Ok(status.has_ended().then_some(status))
        })?;
        let status = ended.ok_or_else(|| Error::Refused("the import has not ended".to_owned()))?;
        if status.status != "completed" || status.processed != rows {
            return Err(Error::Refused(format!("an import came to {status:?}")));
        }
        whole.push(asked.elapsed().as_secs_f64());
        let took: Took = psql.row(&format!(
            "SELECT extract(epoch FROM finished_at - created_at)::float8 AS seconds FROM import_processes \
             WHERE id = '{import}'"
        ))?;
        ours.push(took.seconds);
        bar.inc(1);
        copies.push(copy(stage.database_url(), &psql, &csv)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let (ours, theirs, whole) = (median(ours), median(copies), median(whole));
    let per_second = |seconds: f64| f64::from(rows) / seconds;
    println!("{rows} rows of 8 columns, medians of {ROUNDS} rounds");
    println!("  .xlsx, stored to imported   {ours:8.2} s  {:10.0} rows/s", per_second(ours));
    println!("  the same with its upload    {whole:8.2} s  {:10.0} rows/s", per_second(whole));
    println!("  psql \\copy of the same rows {theirs:8.2} s  {:10.0} rows/s", per_second(theirs));
    println!("  ratio to \\copy              {:8.2}", theirs / ours);
    println!(
        "  worker: {} MiB more at its peak than before the first file",
        worker_peak.saturating_sub(before) / 1_024
    );
    println!("  parser: {} MiB at its peak", parser_peak / 1_024);
    Ok(())
}

/// The same rows through `psql`, into a table with the same columns and the same key.
fn copy(url: &str, psql: &Psql, csv: &Path) -> Result<f64> {
    psql.run(
        "DROP TABLE IF EXISTS copied; CREATE TABLE copied (ticket_id text COLLATE \"C\" PRIMARY KEY, client_id text, \
         client_type text, created_at timestamptz, resolved_at timestamptz, agent_id text, escalation_level smallint, \
         status text)",
    )?;
    let program =
        provision::postgres_client("psql").ok_or_else(|| Error::Refused("psql is needed".to_owned()))?;
    let mut command = Command::new(program);
    command.args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", url, "--command"]);
    command.arg(format!("\\copy copied FROM '{}' WITH (FORMAT csv, HEADER)", csv.display()));
    let began = Instant::now();
    workspace::output(&mut command, "psql")?;
    Ok(began.elapsed().as_secs_f64())
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

/// A figure of a process; 0 when it is gone.
fn memory_kib(pid: i32, figure: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(figure));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
