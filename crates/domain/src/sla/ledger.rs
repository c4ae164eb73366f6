//! Why a deadline is where it is: the stretches in which a clock counted and stood still, told from what
//! happened to the ticket.
//!
//! A clock itself only keeps a sum. Here the same rules are applied once more to the ticket's history, so the
//! stretches in which it ran add up to that sum.

use time::OffsetDateTime;

use super::{Calendar, Clock, Metric};
use crate::ticket::Status;

/// Something that happened to a ticket and may mean something to a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Happening {
    /// When.
    pub at: OffsetDateTime,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The ticket moved.
    Moved {
        /// Where it stood.
        from: Status,
        /// Where it stands.
        to: Status,
        /// Whether a person moved it, and not a deadline.
        by_person: bool,
    },
    /// Somebody of the staff said something to the client.
    Answered,
    /// It was taken out of sight.
    Deleted,
    /// It was brought back.
    Restored,
    /// A deadline passed.
    Breached {
        /// Of this clock.
        metric: Metric,
    },
}

/// Whether a clock counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stretch {
    /// It did.
    Running,
    /// It stood still.
    Paused,
}

impl Stretch {
    /// The canonical name.
    pub const fn name(self) -> &'static str {
        match self {
            Stretch::Running => "RUNNING",
            Stretch::Paused => "PAUSED",
        }
    }
}

/// Why a stretch began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The promise was made.
    Promised,
    /// The client has to do something first.
    WaitingForClient,
    /// It is the desk's turn again.
    Resumed,
    /// An answered ticket was not done after all.
    Reopened,
    /// The ticket was taken out of sight.
    Deleted,
    /// It was brought back.
    Restored,
}

impl Why {
    /// Every reason.
    pub const ALL: [Why; 6] =
        [Why::Promised, Why::WaitingForClient, Why::Resumed, Why::Reopened, Why::Deleted, Why::Restored];

    /// The canonical name.
    pub const fn name(self) -> &'static str {
        match self {
            Why::Promised => "PROMISED",
            Why::WaitingForClient => "WAITING_FOR_CLIENT",
            Why::Resumed => "RESUMED",
            Why::Reopened => "REOPENED",
            Why::Deleted => "DELETED",
            Why::Restored => "RESTORED",
        }
    }
}

/// A stretch of a clock's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Whether it counted.
    pub stretch: Stretch,
    /// Since when.
    pub from: OffsetDateTime,
    /// Until when; `None` while it lasts.
    pub to: Option<OffsetDateTime>,
    /// Why it began.
    pub why: Why,
}

/// One cycle of a clock: until it is reopened after a breach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle {
    /// Counts from 1.
    pub number: u16,
    /// Its stretches, in order. Where there is a gap the ticket was answered; what took no time is left out.
    pub segments: Vec<Segment>,
}

impl Clock {
    /// The cycles of this clock, from the whole history of its ticket, oldest first.
    ///
    /// A promise that was made later than at `opened_at` counts as made after whatever else happened in the same
    /// microsecond.
    pub fn ledger(&self, opened_at: OffsetDateTime, history: &[Happening]) -> Vec<Cycle> {
        // Stretches are not divided by closing hours: the one calendar there is has none.
        match self.terms.calendar {
            Calendar::AlwaysOpen => {}
        }
        let mut book = Book::of(self.metric);
        for happening in history {
            if self.started_at == opened_at || happening.at > self.started_at {
                book.open(self.started_at);
            }
            book.enter(*happening);
        }
        book.open(self.started_at);
        book.close()
    }
}

/// What a clock does between two happenings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Now {
    NotPromised,
    In(Segment),
    Answered,
}

struct Book {
    metric: Metric,
    status: Status,
    now: Now,
    breached: bool,
    cycles: Vec<Cycle>,
    segments: Vec<Segment>,
}

impl Book {
    fn of(metric: Metric) -> Self {
        Self {
            metric,
            status: Status::Open,
            now: Now::NotPromised,
            breached: false,
            cycles: Vec::new(),
            segments: Vec::new(),
        }
    }

    /// The promise is made, if it was not before.
    fn open(&mut self, at: OffsetDateTime) {
        if self.now == Now::NotPromised {
            let waits = self.metric == Metric::Resolution && self.status == Status::Waiting;
            let (stretch, why) = if waits {
                (Stretch::Paused, Why::WaitingForClient)
            } else {
                (Stretch::Running, Why::Promised)
            };
            self.begin(stretch, why, at);
        }
    }

    fn enter(&mut self, Happening { at, what }: Happening) {
        match what {
            What::Moved { from, to, by_person } => {
                self.status = to;
                match self.metric {
                    Metric::FirstResponse if by_person => self.answer(at),
                    Metric::FirstResponse => {}
                    Metric::Resolution => self.moved(from, to, at),
                }
            }
            What::Answered if self.metric == Metric::FirstResponse => self.answer(at),
            What::Answered => {}
            What::Deleted => self.pause(Why::Deleted, at),
            What::Restored => {
                if let Now::In(Segment { why: Why::Deleted, .. }) = self.now {
                    self.begin(Stretch::Running, Why::Restored, at);
                }
            }
            What::Breached { metric } => self.breached |= metric == self.metric,
        }
    }

    fn moved(&mut self, from: Status, to: Status, at: OffsetDateTime) {
        match to {
            Status::Waiting => self.pause(Why::WaitingForClient, at),
            Status::Resolved | Status::Closed => self.answer(at),
            Status::Open | Status::InProgress | Status::Escalated if from.is_answered() => self.reopen(at),
            Status::Open | Status::InProgress | Status::Escalated => {
                if let Now::In(Segment { stretch: Stretch::Paused, .. }) = self.now {
                    self.begin(Stretch::Running, Why::Resumed, at);
                }
            }
        }
    }

    fn pause(&mut self, why: Why, at: OffsetDateTime) {
        if let Now::In(Segment { stretch: Stretch::Running, .. }) = self.now {
            self.begin(Stretch::Paused, why, at);
        }
    }

    fn answer(&mut self, at: OffsetDateTime) {
        if let Now::In(_) = self.now {
            self.end(at);
            self.now = Now::Answered;
        }
    }

    fn reopen(&mut self, at: OffsetDateTime) {
        if self.now == Now::Answered {
            if self.breached {
                self.turn_page();
            }
            self.begin(Stretch::Running, Why::Reopened, at);
        }
    }

    fn begin(&mut self, stretch: Stretch, why: Why, at: OffsetDateTime) {
        self.end(at);
        self.now = Now::In(Segment { stretch, from: at, to: None, why });
    }

    fn end(&mut self, at: OffsetDateTime) {
        if let Now::In(segment) = self.now
            && segment.from < at
        {
            self.segments.push(Segment { to: Some(at), ..segment });
        }
    }

    /// The next cycle begins.
    fn turn_page(&mut self) {
        let number = u16::try_from(self.cycles.len() + 1).unwrap_or(u16::MAX);
        self.cycles.push(Cycle { number, segments: std::mem::take(&mut self.segments) });
        self.breached = false;
    }

    fn close(mut self) -> Vec<Cycle> {
        if let Now::In(segment) = self.now {
            self.segments.push(segment);
        }
        self.turn_page();
        self.cycles
    }
}
