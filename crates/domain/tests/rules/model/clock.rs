//! A clock as the list of stretches in which it ran.

use std::collections::BTreeSet;

use super::Us;

/// What is promised for one metric.
#[derive(Debug, Clone)]
pub struct Promise {
    pub metric: &'static str,
    pub target: Us,
    pub steps: Vec<Promised>,
}

/// One step of a promise: due when this much time has been counted.
#[derive(Debug, Clone, Copy)]
pub struct Promised {
    pub key: i16,
    pub counted: Us,
    pub action: &'static str,
}

#[derive(Debug, Clone)]
pub struct ClockModel {
    pub promise: Promise,
    pub cycle: u16,
    pub answered: Option<Us>,
    ran: BTreeSet<(u16, i16)>,
    stretches: Vec<(Us, Option<Us>)>,
}

impl ClockModel {
    pub fn start(promise: Promise) -> Self {
        Self { promise, cycle: 1, answered: None, ran: BTreeSet::new(), stretches: vec![(0, None)] }
    }

    pub fn is_running(&self) -> bool {
        self.stretches.last().is_some_and(|(_, end)| end.is_none())
    }

    pub fn halt(&mut self, at: Us) {
        if let Some((_, end @ None)) = self.stretches.last_mut() {
            *end = Some(at);
        }
    }

    pub fn go_on(&mut self, at: Us) {
        if !self.is_running() {
            self.stretches.push((at, None));
        }
    }

    pub fn answer(&mut self, at: Us) {
        self.halt(at);
        self.answered.get_or_insert(at);
    }

    /// A reopened ticket: after a breach a new cycle begins.
    pub fn reopen(&mut self, at: Us) {
        self.cycle += u16::from(self.has_run(0));
        self.answered = None;
        self.go_on(at);
    }

    pub fn has_run(&self, key: i16) -> bool {
        self.ran.contains(&(self.cycle, key))
    }

    /// Time counted until `now`.
    pub fn counted(&self, now: Us) -> Us {
        self.stretches.iter().map(|(from, to)| to.unwrap_or(now) - from).sum()
    }

    /// The moment at which so much time has been counted, if the clock goes on running.
    fn moment(&self, counted: Us) -> Us {
        let mut left = counted;
        for (from, to) in &self.stretches {
            match to {
                Some(to) if to - from < left => left -= to - from,
                Some(_) | None => return from + left,
            }
        }
        // Halted before the moment came: the deadline stays what it was while the clock last ran.
        let (from, to) = *self.stretches.last().unwrap();
        from + left + (to.unwrap() - from)
    }

    pub fn deadline(&self) -> Us {
        self.moment(self.promise.target)
    }

    /// The steps still to come, each with the moment at which it is due, earliest first.
    pub fn to_come(&self) -> Vec<(Us, Promised)> {
        let Some((since, None)) = self.stretches.last() else { return Vec::new() };
        let mut left: Vec<Promised> =
            self.promise.steps.iter().copied().filter(|step| !self.has_run(step.key)).collect();
        left.sort_by_key(|step| (step.counted, step.key));
        left.into_iter().map(|step| (self.moment(step.counted).max(*since), step)).collect()
    }

    /// Marks a step as run. That it never ran before in this cycle is checked here, once for all tests.
    pub fn run(&mut self, key: i16) {
        assert!(self.ran.insert((self.cycle, key)), "step {key} ran twice in cycle {}", self.cycle);
    }

    pub fn state(&self) -> &'static str {
        let warned = self.promise.steps.iter().any(|s| s.action == "WARN" && self.has_run(s.key));
        if self.has_run(0) {
            "BREACHED"
        } else if self.answered.is_some() {
            "MET"
        } else if !self.is_running() {
            "PAUSED"
        } else if warned {
            "WARNED"
        } else {
            "RUNNING"
        }
    }
}
