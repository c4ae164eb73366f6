//! `cargo xtask bench`: how fast the API is beside a bare client of the same database that makes the same statements.
//!
//! Absolute figures depend on the machine, and on the hour. So both sides run in turns, in the same minute, against the same
//! tables, and what counts is the ratio.

mod client;
mod imports;
mod load;
mod operation;
mod pgbench;
mod reports;
mod round;
mod table;

use std::path::PathBuf;
use std::time::Duration;

use crate::desk::Desk;
use crate::error::{Error, Result};
use crate::programs::Programs;
use crate::psql::Psql;
use crate::stage::Stage;
use crate::{outbox, progress, seed, signals};

use load::Load;
use operation::{Operation, Stock};
use pgbench::PgBench;
use round::{Round, Summary};
use table::{Row, Table};

/// Rounds of each side, of which the median counts.
const ROUNDS: usize = 3;
/// Before the first round of each.
const WARM_UP_S: u64 = 2;

/// As somebody would set a server of this size; the durability is PostgreSQL's default, that is, full.
const SETTINGS: [(&str, &str); 2] = [("shared_buffers", "512MB"), ("max_wal_size", "4GB")];

/// Options of `bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Tickets in the database.
    #[arg(long, default_value_t = 200_000)]
    tickets: u32,
    /// Connections of either side.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=256))]
    connections: u32,
    /// Seconds that each side is measured for each route, in three rounds.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Also writes the figures to this file, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Measure the import of a file with so many rows instead.
    #[arg(long, num_args = 0..=1, default_missing_value = "100000")]
    imports: Option<u32>,
    /// Measure the reports beside so many imported tickets instead.
    #[arg(long, num_args = 0..=1, default_missing_value = "5000000", conflicts_with = "imports")]
    reports: Option<u32>,
    /// Take techsupport-api, sla-worker and import-worker from this folder instead of building them with optimisation.
    #[arg(long)]
    programs: Option<PathBuf>,
}

/// Measures on servers of its own, prints the table, and fails when a request failed.
pub(crate) fn run(options: &Options) -> Result<()> {
    let programs = match &options.programs {
        Some(folder) => Programs::in_folder(folder),
        None => Programs::build(true)?,
    };
    if let Some(rows) = options.imports {
        return imports::run(&programs, rows);
    }
    if let Some(imported) = options.reports {
        return reports::run(&programs, options.tickets, imported);
    }
    let stage = Stage::set("bench", &programs, &SETTINGS)?;
    let outcome = measure(&stage, options);
    match &outcome {
        Ok(_) | Err(Error::Interrupted) => stage.strike()?,
        Err(_) => eprintln!("xtask: the logs of this run are in {}", stage.keep_logs()?.display()),
    }
    let table = outcome?;
    println!("\n{table}");
    if let Some(path) = &options.json {
        let text = serde_json::to_vec_pretty(&table).map_err(Error::malformed("the figures"))?;
        std::fs::write(path, text).map_err(Error::io(format!("writing {}", path.display())))?;
    }
    match table.failures() {
        0 => Ok(()),
        failures => Err(Error::Refused(format!("{failures} requests or transactions failed"))),
    }
}

fn measure(stage: &Stage, options: &Options) -> Result<Table> {
    let psql = Psql::new(stage.database_url())?;
    seed::plant(&Desk::open(stage.database_url())?, options.tickets, seed::SEED)?;
    outbox::drain(&psql)?;
    let stock = Stock::take(&psql)?;
    psql.run("VACUUM (ANALYZE)")?;
    if stock.span(options.connections) == 0 {
        return Err(Error::Refused("there are too few tickets for so many connections".into()));
    }

    let pgbench = PgBench::new(stage.database_url(), stage.folder().join("pgbench"), options.connections)?;
    let mut load = Load::new(stage.port(), &stock, options.connections);
    let seconds = options.seconds.div_ceil(ROUNDS as u64).max(1);
    let bar = progress::bar("rounds", 8 * (1 + u32::try_from(ROUNDS).unwrap_or(0)));
    let mut rows = Vec::new();
    for operation in Operation::ALL {
        let script = pgbench.write(
            &format!("{operation:?}").to_lowercase(),
            &operation.script(&stock, options.connections),
        )?;
        let mut sides: [Vec<Round>; 2] = [Vec::new(), Vec::new()];
        for number in 0..=ROUNDS {
            let length = if number == 0 { WARM_UP_S } else { seconds };
            // One side must not work while the other's events are still being published.
            let turn = [
                load.round(operation, Duration::from_secs(length))?,
                outbox::drain(&psql).and_then(|()| pgbench.round(&script, length))?,
            ];
            outbox::drain(&psql)?;
            bar.inc(2);
            if number > 0 {
                for (side, round) in sides.iter_mut().zip(turn) {
                    side.push(round);
                }
            }
            if signals::stop_requested() {
                return Err(Error::Interrupted);
            }
        }
        let [http, pgbench] = sides.map(|rounds| Summary::of(&rounds));
        let ratio = if pgbench.per_second > 0.0 { http.per_second / pgbench.per_second } else { 0.0 };
        rows.push(Row { route: operation.name(), http, pgbench, ratio });
    }
    bar.finish_and_clear();
    let (tickets, connections) = (options.tickets, options.connections);
    Ok(Table { tickets, connections, seconds, rounds: ROUNDS, rows })
}
