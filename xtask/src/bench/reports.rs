//! `cargo xtask bench --reports N`: how long each report takes beside N imported tickets of five years, and while more of
//! them come in than the sums know.

use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::desk::Desk;
use crate::error::{Error, Result};
use crate::import::Caller;
use crate::programs::Programs;
use crate::psql::Psql;
use crate::stage::Stage;
use crate::{outbox, progress, seed, signals};

use super::SETTINGS;

/// Requests for each row of the table.
const REQUESTS: usize = 40;
/// Before those.
const WARM_UP: usize = 3;
/// Tickets that are imported at once, and then moved into the sums.
const BATCH: u32 = 250_000;
/// How long moving them may take.
const BATCH_TIMEOUT: Duration = Duration::from_mins(10);

/// Where months do not begin with an hour of UTC; and the window cuts hours and months.
const PARTS: &str = "timeZone=Asia/Kolkata&from=2022-02-14T10:11:12Z&to=2025-10-20T21:22:23Z";

const REPORTS: [&str; 7] = [
    "avg-resolution",
    "escalated-per-month",
    "weekly-status",
    "top-agents",
    "last-processes",
    "sla-compliance",
    "backlog",
];

/// Fills a database of its own, measures, prints.
pub(super) fn run(programs: &Programs, live: u32, imported: u32) -> Result<()> {
    let stage = Stage::set("bench", programs, &SETTINGS)?;
    let outcome = measure(&stage, live, imported);
    match &outcome {
        Ok(()) | Err(Error::Interrupted) => stage.strike()?,
        Err(_) => eprintln!("xtask: the logs of this run are in {}", stage.keep_logs()?.display()),
    }
    outcome
}

fn measure(stage: &Stage, live: u32, imported: u32) -> Result<()> {
    let psql = Psql::new(stage.database_url())?;
    let desk = Desk::open(stage.database_url())?;
    seed::plant(&desk, live, seed::SEED)?;
    outbox::drain(&psql)?;
    let moving = import(&psql, &desk, imported)?;
    psql.run("VACUUM (ANALYZE)")?;
    psql.run("CHECKPOINT")?;
    let caller = Caller::sign_in(&stage.url(), "admin@techsupport.pro", "admin123")?;
    println!("{live} live and {imported} imported tickets; {REQUESTS} requests each, in ms");
    println!("moved into the sums: {:.0} tickets a second", f64::from(imported) / moving.as_secs_f64());
    let again = BATCH.min(imported);
    let moving = batch(&psql, &desk, 0, again)?;
    println!("moved into them again: {:.0} tickets a second\n", f64::from(again) / moving.as_secs_f64());
    println!("{:<22}{:<26}{:>8}{:>8}{:>8}", "", "", "p50", "p99", "max");
    rows(&caller, "all of it", "")?;
    rows(&caller, "part of it, half an hour off", PARTS)?;
    // What one import of the greatest size leaves to be looked at one by one, at most.
    psql.run(&tickets(imported, 1_000_000))?;
    let unknown: Count = psql.row("SELECT count(*) AS count FROM imported_changes")?;
    rows(&caller, &format!("with {} that are new", unknown.count), "")
}

#[derive(Deserialize)]
struct Count {
    count: u64,
}

/// How long it took to move them into the sums.
fn import(psql: &Psql, desk: &Desk, imported: u32) -> Result<Duration> {
    let bar = progress::bar("imported tickets", imported);
    let (mut done, mut moving) = (0, Duration::ZERO);
    while done < imported {
        let count = BATCH.min(imported - done);
        moving += batch(psql, desk, done, count)?;
        done += count;
        bar.set_position(done.into());
        if signals::stop_requested() {
            return Err(Error::Interrupted);
        }
    }
    bar.finish_and_clear();
    Ok(moving)
}

/// Imports so many tickets after the first ones, and says how long it took to move them into the sums.
fn batch(psql: &Psql, desk: &Desk, after: u32, count: u32) -> Result<Duration> {
    let sums = desk.imported_sums(BATCH_TIMEOUT);
    psql.run(&tickets(after, count))?;
    let began = Instant::now();
    loop {
        sums.catch_up(BATCH).map_err(Error::desk("summing up"))?;
        // The API may be at it, too.
        let left: Count = psql.row("SELECT count(*) AS count FROM imported_changes")?;
        if left.count == 0 {
            return Ok(began.elapsed());
        }
    }
}

/// So many more after the first ones, or in place of them, over five years: a fifth VIP, most of them closed, each of 200
/// agents with as many.
fn tickets(after: u32, count: u32) -> String {
    format!(
        "INSERT INTO imported_tickets (ticket_id, client_id, client_type, status, escalation_level, agent_id, created_at, \
             resolved_at, import_number, sheet_row) \
         SELECT md5(n::text), 'c' || n % 9973, CASE WHEN n % 5 = 0 THEN 'VIP' ELSE 'NORMAL' END, x.status, \
             CASE WHEN random() < 0.15 THEN 1 + n % 3 ELSE 0 END, md5('a' || n % 200), x.at, \
             CASE WHEN x.status IN ('RESOLVED', 'CLOSED') THEN x.at - ln(1 - random()) * interval '1 day' END, 1, 2 \
         FROM (SELECT n, timestamptz '2021-01-01' + random() * interval '1826 days' AS at, \
                 (ARRAY['OPEN', 'IN_PROGRESS', 'WAITING', 'ESCALATED', 'RESOLVED', 'RESOLVED', 'CLOSED', 'CLOSED', \
                     'CLOSED', 'CLOSED', 'CLOSED', 'CLOSED'])[1 + n % 12] AS status \
             FROM generate_series({after} + 1, {after} + {count}) AS n) AS x \
         ON CONFLICT (ticket_id) DO UPDATE SET client_type = excluded.client_type, status = excluded.status, \
             escalation_level = excluded.escalation_level, agent_id = excluded.agent_id, \
             created_at = excluded.created_at, resolved_at = excluded.resolved_at"
    )
}

fn rows(caller: &Caller, about: &str, query: &str) -> Result<()> {
    for report in REPORTS {
        if report == "last-processes" && !query.is_empty() {
            continue;
        }
        let mut took = Vec::new();
        for number in 0..WARM_UP + REQUESTS {
            let began = Instant::now();
            caller.get(&format!("/api/reports/{report}?{query}"))?;
            if number >= WARM_UP {
                took.push(began.elapsed().as_secs_f64() * 1_000.0);
            }
        }
        if signals::stop_requested() {
            return Err(Error::Interrupted);
        }
        took.sort_by(f64::total_cmp);
        let at = |hundredths: usize| took.get(took.len() * hundredths / 100).or(took.last());
        let [p50, p99] = [50, 99].map(|hundredths| at(hundredths).copied().unwrap_or_default());
        let max = took.last().copied().unwrap_or_default();
        println!("{report:<22}{about:<26}{p50:>8.1}{p99:>8.1}{max:>8.1}");
    }
    Ok(())
}
