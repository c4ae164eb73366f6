//! How far a promise has been used up.
//!
//! A clock counts working time: what it has used up until it last began to run, and since when it is
//! running. Every deadline follows from these two and the terms, so pausing, resuming and new terms need
//! no special cases.

use std::collections::BTreeSet;

use time::{Duration, OffsetDateTime};

use super::{Calendar, Metric, Step, StepAction, StepKey, Terms};
use crate::UnknownName;

/// Whether a clock is counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    /// Counting since then.
    Running {
        /// When it last began to count.
        since: OffsetDateTime,
    },
    /// Standing still since then; will go on.
    Paused {
        /// When it was paused.
        since: OffsetDateTime,
    },
    /// Answered. A reopened ticket's resolution clock goes on from here.
    Stopped {
        /// When it was answered.
        at: OffsetDateTime,
    },
}

/// What a person sees of a clock. A breach outranks everything, so that it stays visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ClockState {
    /// Counting, nothing has happened yet.
    Running,
    /// Standing still.
    Paused,
    /// Counting, the warning was given.
    Warned,
    /// The deadline passed in this cycle, whether it was answered later or not.
    Breached,
    /// Answered in time.
    Met,
}

impl ClockState {
    const NAMES: &'static [&'static str] = &["RUNNING", "PAUSED", "WARNED", "BREACHED", "MET"];

    /// Reads the canonical name.
    pub fn parse(name: &str) -> Result<Self, UnknownName> {
        match name {
            "RUNNING" => Ok(ClockState::Running),
            "PAUSED" => Ok(ClockState::Paused),
            "WARNED" => Ok(ClockState::Warned),
            "BREACHED" => Ok(ClockState::Breached),
            "MET" => Ok(ClockState::Met),
            _ => Err(UnknownName { expected: Self::NAMES }),
        }
    }

    /// The canonical name.
    pub const fn name(self) -> &'static str {
        match self {
            ClockState::Running => "RUNNING",
            ClockState::Paused => "PAUSED",
            ClockState::Warned => "WARNED",
            ClockState::Breached => "BREACHED",
            ClockState::Met => "MET",
        }
    }
}

/// A step whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueStep {
    /// Of which clock.
    pub metric: Metric,
    /// In which cycle of it.
    pub cycle: u16,
    /// The step.
    pub step: Step,
    /// When the step was due.
    pub step_due_at: OffsetDateTime,
    /// The deadline of the clock.
    pub due_at: OffsetDateTime,
    /// Working time used up when the step was run.
    pub elapsed: Duration,
}

/// One clock of a ticket.
///
/// The fields are open so that an adapter can store and restore a clock; only the methods keep them
/// consistent, and nothing but the ticket calls those.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// What it measures.
    pub metric: Metric,
    /// What was promised.
    pub terms: Terms,
    /// Counts from 1; a reopen after a breach begins the next.
    pub cycle: u16,
    /// When the clock was started.
    pub started_at: OffsetDateTime,
    /// Whether it is counting.
    pub run: Run,
    /// Working time used up before it last began to run.
    pub consumed: Duration,
    /// The deadline. While the clock stands still: what it was when it last ran.
    pub due_at: OffsetDateTime,
    /// The steps that have run in this cycle.
    pub steps_run: BTreeSet<StepKey>,
    /// When the warning of this cycle was given.
    pub warned_at: Option<OffsetDateTime>,
    /// When the breach of this cycle was noticed.
    pub breached_at: Option<OffsetDateTime>,
}

impl Clock {
    /// A clock that begins to count at `at`.
    pub fn start(metric: Metric, terms: Terms, at: OffsetDateTime) -> Self {
        let mut clock = Self {
            metric,
            terms,
            cycle: 1,
            started_at: at,
            run: Run::Running { since: at },
            consumed: Duration::ZERO,
            due_at: at,
            steps_run: BTreeSet::new(),
            warned_at: None,
            breached_at: None,
        };
        clock.due_at = clock.reaches(clock.terms.target.duration(), at);
        clock
    }

    /// What a person sees.
    pub fn state(&self) -> ClockState {
        if self.breached_at.is_some() {
            return ClockState::Breached;
        }
        match self.run {
            Run::Stopped { .. } => ClockState::Met,
            Run::Paused { .. } => ClockState::Paused,
            Run::Running { .. } if self.warned_at.is_some() => ClockState::Warned,
            Run::Running { .. } => ClockState::Running,
        }
    }

    /// When the clock was answered, if it was.
    pub fn stopped_at(&self) -> Option<OffsetDateTime> {
        match self.run {
            Run::Stopped { at } => Some(at),
            Run::Running { .. } | Run::Paused { .. } => None,
        }
    }

    /// Working time used up at `now`.
    pub fn elapsed(&self, now: OffsetDateTime) -> Duration {
        match self.run {
            Run::Running { since } => self.consumed + self.terms.calendar.between(since, now),
            Run::Paused { .. } | Run::Stopped { .. } => self.consumed,
        }
    }

    /// When the earliest step that has not run is due; `None` when the clock stands still or nothing is left.
    pub fn next_step_at(&self) -> Option<OffsetDateTime> {
        match self.run {
            Run::Running { since } => {
                let step = self.steps_left().next()?;
                Some(self.reaches(step.threshold(self.terms.target), since))
            }
            Run::Paused { .. } | Run::Stopped { .. } => None,
        }
    }

    /// The steps of this cycle that have not run, earliest first, each with its time; without one while the clock
    /// stands still. None are to come once it is answered.
    pub fn steps_to_come(&self) -> Vec<(Step, Option<OffsetDateTime>)> {
        let since = match self.run {
            Run::Running { since } => Some(since),
            Run::Paused { .. } => None,
            Run::Stopped { .. } => return Vec::new(),
        };
        let when = |step: &Step| since.map(|since| self.reaches(step.threshold(self.terms.target), since));
        self.steps_left().map(|step| (*step, when(step))).collect()
    }

    /// Stands still until [`Clock::resume`].
    pub(crate) fn pause(&mut self, at: OffsetDateTime) {
        if let Run::Running { since } = self.run {
            self.consumed += self.terms.calendar.between(since, at);
            self.run = Run::Paused { since: at };
        }
    }

    /// Goes on after a pause: the deadline moves by the time away.
    pub(crate) fn resume(&mut self, at: OffsetDateTime) {
        if let Run::Paused { .. } = self.run {
            self.run_from(at);
        }
    }

    /// Answered.
    pub(crate) fn stop(&mut self, at: OffsetDateTime) {
        match self.run {
            Run::Running { .. } | Run::Paused { .. } => {
                self.pause(at);
                self.run = Run::Stopped { at };
            }
            Run::Stopped { .. } => {}
        }
    }

    /// Goes on after it was answered. Time used up stays used up. When the deadline had passed before, it
    /// passes anew, in a new cycle, so that the second breach is noticed like the first.
    pub(crate) fn reopen(&mut self, at: OffsetDateTime) {
        if let Run::Stopped { .. } = self.run {
            if self.breached_at.is_some() {
                self.cycle += 1;
                self.steps_run.clear();
                self.warned_at = None;
                self.breached_at = None;
            }
            self.run_from(at);
        }
    }

    /// Goes on under other terms: the time counted stays counted, the steps that ran have run, and the
    /// deadline is where the new target is reached. It may have passed already, but never before the stretch
    /// that the clock is in: what lies before is only known as a sum. An answer given under the old terms was
    /// given under the old terms.
    pub(crate) fn come_under(&mut self, terms: Terms) {
        let since = match self.run {
            Run::Running { since } | Run::Paused { since } => since,
            Run::Stopped { .. } => return,
        };
        // Time counted by one calendar is time counted by any other, once it is settled; with two of them,
        // a stretch under way has to be settled here first.
        match (self.terms.calendar, terms.calendar) {
            (Calendar::AlwaysOpen, Calendar::AlwaysOpen) => {}
        }
        if terms != self.terms {
            self.terms = terms;
            self.due_at = self.reaches(self.terms.target.duration(), since);
        }
    }

    /// The steps that are due at `now`, earliest first, marked as run.
    pub(crate) fn take_due(&mut self, now: OffsetDateTime) -> Vec<DueStep> {
        let Run::Running { since } = self.run else { return Vec::new() };
        let elapsed = self.elapsed(now);
        let due: Vec<DueStep> = self
            .steps_left()
            .map(|step| (*step, self.reaches(step.threshold(self.terms.target), since)))
            .filter(|(_, at)| *at <= now)
            .map(|(step, step_due_at)| DueStep {
                metric: self.metric,
                cycle: self.cycle,
                step,
                step_due_at,
                due_at: self.due_at,
                elapsed,
            })
            .collect();
        for DueStep { step, .. } in &due {
            self.steps_run.insert(step.key);
            if step.key == StepKey::BREACH {
                self.breached_at = Some(now);
            } else if step.action == StepAction::Warn {
                self.warned_at = Some(now);
            }
        }
        due
    }

    fn run_from(&mut self, at: OffsetDateTime) {
        self.run = Run::Running { since: at };
        let target = self.terms.target.duration();
        // A deadline that has passed keeps its place: going on does not move the past.
        if self.consumed < target {
            self.due_at = self.reaches(target, at);
        }
    }

    /// When the working time used up reaches `threshold`, for a clock that runs since `since`.
    fn reaches(&self, threshold: Duration, since: OffsetDateTime) -> OffsetDateTime {
        self.terms.calendar.add(since, threshold - self.consumed)
    }

    fn steps_left(&self) -> impl Iterator<Item = &Step> {
        self.terms.steps.iter().filter(|step| !self.steps_run.contains(&step.key))
    }
}
