//! What a worker does with an import.

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;
use techsupport_domain::ImportId;

use super::{SheetRow, judge};
use crate::{
    AppError,
    deliveries::Verdict,
    events::{EventType, ImportRequestedV1},
    ports::{
        Chunk, FileIntake, Hold, ImportClaim, ImportEnd, ImportJob, ImportJobs, Parsed, ParsedRows,
        SheetParser,
    },
};

/// After how long an import that was interrupted goes on.
const BREATHER: Duration = Duration::from_millis(500);
/// Of a lease, how much may pass before it is renewed.
const RENEWALS_PER_LEASE: u32 = 3;
/// How often a worker that waits for the parser looks whether it has to stop.
const LOOK_AROUND: Duration = Duration::from_secs(1);
const STOPS: &str = "this worker stops";

/// Bounds of an import.
#[derive(Debug, Clone)]
pub struct ImportTerms {
    /// How long a worker that says nothing is believed to be at it.
    pub lease: Duration,
    /// Rows that are written together, or things that are wrong with them.
    pub chunk_rows: usize,
    /// How often an import is begun without coming any further.
    pub most_idle_claims: u32,
    /// How long a worker works on one import before it puts it back into the queue, behind the others.
    pub slice: Duration,
    /// How long the parser may say nothing.
    pub silence: Duration,
    /// With more rows than this failed, further ones are counted but not listed.
    pub most_listed: u32,
}

/// What became of an import this time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportReport {
    /// What is to become of the message.
    pub verdict: Verdict,
    /// Rows that were written.
    pub loaded: u64,
    /// Rows that were refused.
    pub refused: u64,
    /// How the import ended, if it did.
    pub end: Option<ImportEnd>,
}

impl ImportReport {
    fn nothing_but(verdict: Verdict) -> Self {
        Self { verdict, loaded: 0, refused: 0, end: None }
    }
}

/// The members of a CloudEvents document that matter here.
#[derive(Deserialize)]
struct Received {
    #[serde(rename = "type")]
    event_type: String,
    data: Value,
}

/// Does the import that the event in `body` asks for, or goes on with it. `stopping` is asked between chunks.
///
/// An error means that the database could not be used: nothing is known, the message has to stay.
pub fn import_file(
    jobs: &dyn ImportJobs,
    parser: &dyn SheetParser,
    terms: &ImportTerms,
    stopping: &dyn Fn() -> bool,
    body: &[u8],
) -> Result<ImportReport, AppError> {
    let import = match requested(body) {
        Ok(import) => import,
        Err(reason) => return Ok(ImportReport::nothing_but(Verdict::Dead { reason, attempts: 0 })),
    };
    let job = match jobs.claim(import, terms.lease)? {
        ImportClaim::Granted(job) => job,
        ImportClaim::Ended => return Ok(ImportReport::nothing_but(Verdict::Done)),
        ImportClaim::NotYet { wait } => {
            let reason = "another worker has this import".to_owned();
            return Ok(ImportReport::nothing_but(Verdict::Later { wait, reason }));
        }
        ImportClaim::Unknown => {
            let reason = format!("there is no import {import}");
            return Ok(ImportReport::nothing_but(Verdict::Dead { reason, attempts: 0 }));
        }
    };
    let work = Work {
        jobs,
        terms,
        stopping,
        hold: job.hold,
        chunk: Chunk::default(),
        gathered: 0,
        began: Instant::now(),
        renewed: Instant::now(),
        report: ImportReport::nothing_but(Verdict::Done),
    };
    work.run(&job, parser)
}

fn requested(body: &[u8]) -> Result<ImportId, String> {
    let received: Received =
        serde_json::from_slice(body).map_err(|error| format!("not a CloudEvents document: {error}"))?;
    if EventType::parse(&received.event_type) != Some(EventType::ImportRequested) {
        return Err(format!("no request for an import: {}", received.event_type));
    }
    let data: ImportRequestedV1 =
        serde_json::from_value(received.data).map_err(|error| format!("malformed data: {error}"))?;
    Ok(ImportId::new(data.process_id))
}

struct Work<'a> {
    jobs: &'a dyn ImportJobs,
    terms: &'a ImportTerms,
    stopping: &'a dyn Fn() -> bool,
    hold: Hold,
    chunk: Chunk,
    /// Rows and faults in it.
    gathered: usize,
    began: Instant,
    renewed: Instant,
    report: ImportReport,
}

/// Why a worker leaves an import.
enum Leave {
    /// It has ended, this way.
    Ended(ImportEnd),
    /// Somebody goes on with it later.
    Pause(String),
    /// Somebody else has it now.
    Lost,
}

impl Work<'_> {
    fn run(mut self, job: &ImportJob, parser: &dyn SheetParser) -> Result<ImportReport, AppError> {
        let leave = match self.read(job, parser)? {
            Leave::Ended(end) if self.jobs.finish(&self.hold, &end)? => {
                self.report.end = Some(end);
                return Ok(self.report);
            }
            Leave::Ended(_) => Leave::Lost,
            leave @ (Leave::Pause(_) | Leave::Lost) => leave,
        };
        let (wait, reason) = match leave {
            Leave::Pause(reason) => {
                self.jobs.release(&self.hold)?;
                (BREATHER, reason)
            }
            Leave::Ended(_) | Leave::Lost => {
                (self.terms.lease, "another worker has taken this import over".to_owned())
            }
        };
        self.report.verdict = Verdict::Later { wait, reason };
        Ok(self.report)
    }

    fn read(&mut self, job: &ImportJob, parser: &dyn SheetParser) -> Result<Leave, AppError> {
        let failed = |reason: &str| Ok(Leave::Ended(ImportEnd::Failed(reason.to_owned())));
        if job.idle_claims > self.terms.most_idle_claims {
            return failed("the import was begun too often without coming any further");
        }
        let Some(file) = job.file else { return failed("the uploaded file is gone") };
        let mut intake = parser.open()?;
        for number in 0.. {
            let Some(part) = self.jobs.file_part(file, number)? else { break };
            intake.take(&part)?;
            if !self.keep()? {
                return Ok(Leave::Lost);
            }
        }
        self.take_rows(intake, job)
    }

    fn take_rows(&mut self, intake: Box<dyn FileIntake>, job: &ImportJob) -> Result<Leave, AppError> {
        let mut rows = intake.parse(job.kind, job.reached)?;
        loop {
            if (self.stopping)() {
                return Ok(Leave::Pause(STOPS.to_owned()));
            }
            if self.began.elapsed() > self.terms.slice {
                return Ok(Leave::Pause("others wait".to_owned()));
            }
            let Some(parsed) = self.next(rows.as_mut())? else { return Ok(Leave::Lost) };
            match parsed {
                Parsed::Counted(total) => {
                    if !self.jobs.counted(&self.hold, total)? {
                        return Ok(Leave::Lost);
                    }
                }
                Parsed::Rows(rows) => {
                    for row in rows {
                        self.gather(&row);
                        if self.gathered >= self.terms.chunk_rows && !self.load()? {
                            return Ok(Leave::Lost);
                        }
                    }
                }
                Parsed::End => {
                    let done = if self.load()? { Leave::Ended(ImportEnd::Done) } else { Leave::Lost };
                    return Ok(done);
                }
                Parsed::Unreadable(reason) => return Ok(Leave::Ended(ImportEnd::Failed(reason))),
                Parsed::Interrupted(reason) => return Ok(Leave::Pause(reason)),
            }
        }
    }

    /// A row that is wrong weighs as much as what is wrong with it: each fault is written, and held until then.
    fn gather(&mut self, row: &SheetRow) {
        self.chunk.reached = row.row;
        match judge(row) {
            Ok(ticket) => {
                self.gathered += 1;
                self.chunk.tickets.push((row.row, ticket));
            }
            Err(faults) => {
                self.gathered += faults.len();
                self.chunk.faults.push((row.row, faults));
            }
        }
    }

    /// What comes next, keeping the lease alive meanwhile. `None` when it was lost.
    fn next(&mut self, rows: &mut dyn ParsedRows) -> Result<Option<Parsed>, AppError> {
        let since = Instant::now();
        let turn = LOOK_AROUND.min(self.terms.lease / RENEWALS_PER_LEASE);
        loop {
            if let Some(parsed) = rows.next(turn) {
                return Ok(Some(parsed));
            }
            if !self.keep()? {
                return Ok(None);
            }
            if (self.stopping)() {
                return Ok(Some(Parsed::Interrupted(STOPS.to_owned())));
            }
            if since.elapsed() > self.terms.silence {
                let limit = self.terms.silence.as_secs();
                return Ok(Some(Parsed::Unreadable(format!(
                    "reading the file takes more than {limit} seconds"
                ))));
            }
        }
    }

    /// Renews the lease when it is time to.
    fn keep(&mut self) -> Result<bool, AppError> {
        if self.renewed.elapsed() < self.terms.lease / RENEWALS_PER_LEASE {
            return Ok(true);
        }
        self.renewed = Instant::now();
        self.jobs.renew(&self.hold, self.terms.lease)
    }

    /// Writes what has gathered, with the checkpoint behind it.
    fn load(&mut self) -> Result<bool, AppError> {
        let chunk = std::mem::take(&mut self.chunk);
        self.gathered = 0;
        if chunk.tickets.is_empty() && chunk.faults.is_empty() {
            return Ok(true);
        }
        let ours = self.jobs.load(&self.hold, &chunk, self.terms.lease, self.terms.most_listed)?;
        if ours {
            self.renewed = Instant::now();
            self.report.loaded += u64::try_from(chunk.tickets.len()).unwrap_or(u64::MAX);
            self.report.refused += u64::try_from(chunk.faults.len()).unwrap_or(u64::MAX);
        }
        Ok(ours)
    }
}
