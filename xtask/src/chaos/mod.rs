//! `cargo xtask chaos`: kills everything while deadlines pass, and looks whether every breach was told of exactly once.
//!
//! The run owns its servers and services. The checker then reads the database through `psql` and the worker's log as text; it
//! shares no code with what it checks.

mod deadlines;
mod drain;
mod evidence;
mod imports;
mod mayhem;
mod report;
mod target;
mod verdict;

use std::path::PathBuf;
use std::time::{Duration, Instant};

pub use mayhem::Tally;
pub use report::{Lag, Report};
pub use target::Victim;
pub use verdict::Verdict;

use crate::desk::Desk;
use crate::error::{Error, Result};
use crate::programs::Programs;
use crate::psql::Psql;
use crate::stage::{Parts, Stage};
use crate::{outbox, progress, wait};

use deadlines::Deadlines;
use drain::Progress;
use evidence::{Evidence, Log, Records};
use mayhem::Orders;
use target::{ServiceTarget, Target};

/// The killing begins so long before the first deadline.
const PRELUDE: Duration = Duration::from_secs(1);

/// What a run is to do.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// VIP tickets that breach, within ten seconds.
    #[arg(long, default_value_t = Options::default().breaches)]
    pub breaches: u32,
    /// How often somebody is killed with -9, at least. With 0 the detection lag is measured, and has to keep its promise.
    #[arg(long, default_value_t = Options::default().kills)]
    pub kills: u32,
    /// Other open tickets, whose deadlines do not pass.
    #[arg(long, default_value_t = Options::default().open_tickets)]
    pub open_tickets: u32,
    /// Decides who is killed when.
    #[arg(long, default_value_t = Options::default().seed)]
    pub seed: u64,
    /// Who is killed.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Options::default().victims)]
    pub victims: Vec<Victim>,
    /// Kills import-worker while it imports a file with so many rows, and nobody else; every row has to be there once.
    #[arg(long, num_args = 0..=1, default_missing_value = "100000", conflicts_with = "sabotage")]
    pub imports: Option<u32>,
    /// Builds a worker that is broken on purpose: the checker has to find out, and the command has to fail.
    #[arg(long, value_enum)]
    pub sabotage: Option<Sabotage>,
    /// Build with optimisation.
    #[arg(long)]
    pub release: bool,
    /// Take techsupport-api and sla-worker from this folder instead of building them.
    #[arg(long, conflicts_with_all = ["sabotage", "release"])]
    pub programs: Option<PathBuf>,
}

impl Default for Options {
    /// What the command line gives when nothing is said.
    fn default() -> Self {
        Self {
            breaches: 1_000,
            kills: 30,
            open_tickets: 0,
            seed: 1,
            victims: Victim::ALL.to_vec(),
            imports: None,
            sabotage: None,
            release: false,
            programs: None,
        }
    }
}

/// Ways to break the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Sabotage {
    /// Acknowledges a message before its effect is committed, so that a crash in between loses it.
    AckBeforeCommit,
}

impl Sabotage {
    fn feature(self) -> &'static str {
        match self {
            Self::AckBeforeCommit => "techsupport-sla-worker/sabotage-ack-first",
        }
    }
}

/// Runs, prints the report, and fails when something was lost, doubled or otherwise not as promised.
pub(crate) fn command(options: &Options) -> Result<()> {
    if let Some(rows) = options.imports {
        return imports::run(options, &programs(options)?, rows);
    }
    let report = run(options)?;
    eprintln!("\n{report}\n");
    if report.is_good() {
        return Ok(());
    }
    Err(Error::Refused(format!("{} differences from what was promised", report.verdict.differences.len())))
}

/// A whole run, on servers of its own. A report with differences is no error here; its logs are kept, and it is said where.
///
/// # Errors
/// When the run itself is not possible; [`Error::Interrupted`] after Ctrl-C. Nothing is left running either way.
pub fn run(options: &Options) -> Result<Report> {
    let programs = programs(options)?;
    let mut stage = Stage::set("chaos", &programs, &[])?;
    if options.sabotage.is_some() && options.programs.is_none() {
        // The broken worker must not stay where `up` and the tests look for a sound one.
        Programs::build(options.release)?;
    }
    let outcome = perform(&mut stage, options);
    match &outcome {
        Ok(report) if report.is_good() => stage.strike()?,
        Err(Error::Interrupted) => stage.strike()?,
        Ok(_) | Err(_) => eprintln!("xtask: the logs of this run are in {}", stage.keep_logs()?.display()),
    }
    outcome
}

fn perform(stage: &mut Stage, options: &Options) -> Result<Report> {
    let desk = Desk::open(stage.database_url())?;
    let psql = Psql::new(stage.database_url())?;
    if options.open_tickets > 0 {
        let bystander = deadlines::client(&desk, "bystander")?;
        deadlines::fill(&desk, &bystander, options.open_tickets)?;
        outbox::drain(&psql)?;
    }
    let client = deadlines::client(&desk, "victim")?;
    let Deadlines { tickets, first, last } = deadlines::spread(&desk, &client, options.breaches)?;
    let begin = first.checked_sub(PRELUDE).unwrap_or(first);
    let quiet = begin.saturating_duration_since(Instant::now()) + PRELUDE;
    wait::until(quiet, || Ok((Instant::now() >= begin).then_some(())))?;

    let bar = progress::bar("kills", options.kills);
    let progress = Progress::new(&psql, report::under_fire_at_least(tickets.len()));
    let is_mostly_done = || progress.is_mostly_done();
    let orders = Orders {
        kills: options.kills,
        victims: &options.victims,
        until: last,
        seed: options.seed,
        is_mostly_done: &is_mostly_done,
    };
    let (tally, settled) = mayhem::rage(targets(stage)?, &orders, &bar, || {
        bar.finish_and_clear();
        let settled = drain::delivered(&psql)?;
        drain::records(&psql, options.breaches)?;
        Ok(settled)
    })?;

    let left = drain::queues(stage)?;
    let records = Records::read(&psql, &client.id.to_string())?;
    let log = Log::read(stage.worker_log())?;
    let evidence = Evidence { expected: tickets, records, log, left };
    Ok(Report::new(&evidence, tally, options.open_tickets, settled))
}

/// What the options ask for, or what is already there.
fn programs(options: &Options) -> Result<Programs> {
    match (&options.programs, options.sabotage) {
        (Some(folder), _) => Ok(Programs::in_folder(folder)),
        (None, None) => Programs::build(options.release),
        (None, Some(sabotage)) => Programs::build_with(options.release, &[sabotage.feature()]),
    }
}

/// The four processes, each to be killed and started again by itself.
fn targets(stage: &mut Stage) -> Result<Vec<(Victim, Box<dyn Target + '_>)>> {
    let Parts { api, worker, database, broker, recorder } = stage.parts()?;
    let api: Box<dyn Target> = Box::new(ServiceTarget { service: api, recorder: recorder.clone() });
    Ok(vec![
        (Victim::Api, api),
        (Victim::Worker, Box::new(ServiceTarget { service: worker, recorder })),
        (Victim::Broker, Box::new(broker)),
        (Victim::Database, Box::new(database)),
    ])
}
