//! What a run came to, for people.

use std::collections::BTreeMap;
use std::fmt;

use super::evidence::Evidence;
use super::mayhem::Tally;
use super::verdict::Verdict;
use crate::figures::percentile;

/// The 99th percentile of the detection lag that is promised, in seconds, when nobody is killed.
const PROMISED_LAG: f64 = 1.0;

/// Seconds from a deadline to what was done about it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lag {
    /// Half were no later.
    pub p50: f64,
    /// 99 of 100 were no later.
    pub p99: f64,
    /// The latest.
    pub max: f64,
}

/// What a run came to.
#[derive(Debug, Clone)]
pub struct Report {
    /// How many tickets had to breach.
    pub breaches: usize,
    /// How many other tickets were open.
    pub open_tickets: u32,
    /// Who was killed, and who ended.
    pub tally: Tally,
    /// Deliveries that were settled before the killing ended.
    pub settled_under_fire: u32,
    /// `SLA_ESCALATED` lines in the worker's log.
    pub effects: usize,
    /// Events about deadlines in the outbox.
    pub events: usize,
    /// Lines that are no complete JSON object, for example because the writer was killed.
    pub fragments: Vec<String>,
    /// From the deadline to the row of the outbox.
    pub detection: Option<Lag>,
    /// From the deadline to the line in the log.
    pub notification: Option<Lag>,
    /// What the checker found.
    pub verdict: Verdict,
}

impl Report {
    pub(super) fn new(evidence: &Evidence, tally: Tally, open_tickets: u32, settled_under_fire: u32) -> Self {
        let due: BTreeMap<&str, i64> =
            evidence.records.steps.iter().map(|step| (step.event.as_str(), step.due_us)).collect();
        let since = |event: &str, at_us: i64| due.get(event).map(|due_us| seconds(at_us - due_us));
        let detection = evidence.records.events.iter().filter_map(|event| since(&event.id, event.created_us));
        let notification =
            evidence.log.effects.iter().filter_map(|effect| since(&effect.event, effect.at_us));
        let (detection, notification) = (lag(detection), lag(notification));
        let mut verdict = Verdict::of(evidence);
        let undisturbed = tally.kills.values().all(|kills| *kills == 0);
        if let Some(late) = detection.filter(|lag| undisturbed && lag.p99 >= PROMISED_LAG) {
            let promised =
                format!("the detection lag's p99 is {:.3} s, not below {PROMISED_LAG} s", late.p99);
            verdict.differences.push(promised);
        }
        if !undisturbed && settled_under_fire < under_fire_at_least(evidence.expected.len()) {
            let little = format!(
                "only {settled_under_fire} breaches were told of under fire: the run proves too little"
            );
            verdict.differences.push(little);
        }
        Self {
            breaches: evidence.expected.len(),
            open_tickets,
            tally,
            settled_under_fire,
            effects: evidence.log.effects.len(),
            events: evidence.records.events.len(),
            fragments: evidence.log.fragments.clone(),
            detection,
            notification,
            verdict,
        }
    }

    /// Whether every breach was told of exactly once and everything else was as promised.
    pub fn is_good(&self) -> bool {
        self.verdict.differences.is_empty()
    }
}

/// How many of the breaches have to be told of while somebody is still being killed.
pub(super) fn under_fire_at_least(breaches: usize) -> u32 {
    u32::try_from(breaches / 4 * 3).unwrap_or(u32::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "differences of times are far below 2^52 microseconds")]
fn seconds(microseconds: i64) -> f64 {
    microseconds as f64 / 1e6
}

fn lag(values: impl Iterator<Item = f64>) -> Option<Lag> {
    let values: Vec<f64> = values.collect();
    let at = |percent| percentile(&values, percent);
    Some(Lag { p50: at(50.0)?, p99: at(99.0)?, max: at(100.0)? })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kills: u32 = self.tally.kills.values().sum();
        writeln!(
            f,
            "breaches            {} of VIP tickets, beside {} open ones",
            self.breaches, self.open_tickets
        )?;
        writeln!(f, "kills (-9)          {kills}: {}", listed(&self.tally.kills))?;
        writeln!(f, "ended by themselves {}", listed(&self.tally.ended))?;
        if kills > 0 {
            writeln!(f, "settled under fire  {}", self.settled_under_fire)?;
        }
        writeln!(f, "events              {}", self.events)?;
        writeln!(f, "effects             {}", self.effects)?;
        writeln!(f, "lost                {}", self.verdict.lost)?;
        writeln!(f, "doubled             {}", self.verdict.doubled)?;
        show_lag(f, "deadline to outbox ", self.detection)?;
        show_lag(f, "deadline to line   ", self.notification)?;
        if !self.fragments.is_empty() {
            writeln!(f, "fragments in the log {} (no effects), for example:", self.fragments.len())?;
            for fragment in self.fragments.iter().take(3) {
                writeln!(f, "  {}", fragment.chars().take(160).collect::<String>())?;
            }
        }
        if self.is_good() {
            return write!(f, "every breach was told of exactly once");
        }
        write!(f, "{} differences from what was promised:", self.verdict.differences.len())?;
        let shown = self.verdict.differences.iter().take(20);
        shown.into_iter().try_for_each(|difference| write!(f, "\n  {difference}"))
    }
}

fn show_lag(f: &mut fmt::Formatter<'_>, what: &str, lag: Option<Lag>) -> fmt::Result {
    match lag {
        Some(Lag { p50, p99, max }) => writeln!(f, "{what} p50 {p50:.3} s, p99 {p99:.3} s, max {max:.3} s"),
        None => writeln!(f, "{what} nothing to measure"),
    }
}

fn listed(counts: &BTreeMap<String, u32>) -> String {
    let listed: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    listed.join(", ")
}
