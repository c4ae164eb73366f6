//! A clock as the list of stretches in which it ran.

use std::collections::BTreeSet;

use super::Us;

/// What is promised for one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Promise {
    /// Tells promises apart that come to the same.
    pub name: String,
    pub metric: &'static str,
    pub target: Us,
    pub steps: Vec<Promised>,
}

/// One step of a promise: due when this much time has been counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Promised {
    pub key: i16,
    pub counted: Us,
    pub action: &'static str,
}

#[derive(Debug, Clone)]
pub struct ClockModel {
    pub promise: Promise,
    pub cycle: u16,
    pub started: Us,
    pub answered: Option<Us>,
    /// What came before the stretch in which the promise was made is only known as a sum.
    earliest: Us,
    ran: BTreeSet<(u16, i16)>,
    /// The cycle in which a warning was given last, whoever promised it.
    warned: Option<u16>,
    stretches: Vec<(Us, Option<Us>)>,
}

impl ClockModel {
    pub fn start(promise: Promise, at: Us) -> Self {
        Self {
            promise,
            cycle: 1,
            started: at,
            answered: None,
            earliest: at,
            ran: BTreeSet::new(),
            warned: None,
            stretches: vec![(at, None)],
        }
    }

    /// Another promise takes the place of the old one, unless that was kept or broken for good.
    pub fn promise_instead(&mut self, promise: Promise) {
        if self.answered.is_none() && self.promise != promise {
            self.promise = promise;
            let (from, to) = *self.stretches.last().unwrap();
            self.earliest = to.unwrap_or(from);
        }
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
        self.moment(self.promise.target).max(self.earliest)
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
        if self.promise.steps.iter().any(|step| step.key == key && step.action == "WARN") {
            self.warned = Some(self.cycle);
        }
    }

    pub fn state(&self) -> &'static str {
        if self.has_run(0) {
            "BREACHED"
        } else if self.answered.is_some() {
            "MET"
        } else if !self.is_running() {
            "PAUSED"
        } else if self.warned == Some(self.cycle) {
            "WARNED"
        } else {
            "RUNNING"
        }
    }
}
