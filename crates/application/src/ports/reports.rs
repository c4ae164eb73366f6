//! Reports over live and imported tickets together.
//!
//! What they count is the same everywhere: tickets that are not deleted, by when they were created. A ticket is
//! resolved when it has a time of resolution, and escalated when it was escalated at least once or is ESCALATED now.
//! Durations are exact until they are answered: then they are rounded to whole minutes, half up. Percentiles lie
//! between two durations where need be, as PostgreSQL's `percentile_cont` has it.

use techsupport_domain::{ClientTier, UnknownName, Zone, sla::Metric, ticket::Status};
use time::OffsetDateTime;

use super::ImportRow;
use crate::{AppError, Budget};

/// Where tickets come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The desk.
    Live,
    /// Files.
    Imported,
}

impl Source {
    /// Both.
    pub const ALL: [Source; 2] = [Source::Live, Source::Imported];

    const NAMES: &'static [&'static str] = &["live", "imported"];

    /// Reads the name.
    pub fn parse(name: &str) -> Result<Self, UnknownName> {
        let known = Self::ALL.into_iter().find(|source| source.name() == name);
        known.ok_or(UnknownName { expected: Self::NAMES })
    }

    /// The name callers use.
    pub const fn name(self) -> &'static str {
        match self {
            Source::Live => "live",
            Source::Imported => "imported",
        }
    }
}

/// Which tickets a report is about. Every condition that is given has to hold.
#[derive(Debug, Clone, Default)]
pub struct ReportFilter {
    /// From there alone.
    pub source: Option<Source>,
    /// Created then or later.
    pub from: Option<OffsetDateTime>,
    /// Created then or earlier.
    pub to: Option<OffsetDateTime>,
    /// Of clients of this tier.
    pub tier: Option<ClientTier>,
    /// Where months and weeks begin and end.
    pub zone: Zone,
}

/// How long it takes to resolve tickets of a tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AverageResolution {
    /// Whose.
    pub tier: ClientTier,
    /// The mean, in whole minutes.
    pub mean_minutes: i64,
    /// The 50th percentile, in whole minutes.
    pub p50_minutes: i64,
    /// The 90th percentile, in whole minutes.
    pub p90_minutes: i64,
    /// How many were resolved; never 0.
    pub tickets: i64,
}

/// How many tickets of a month were escalated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EscalatedInMonth {
    /// The year.
    pub year: i32,
    /// The month, from 1.
    pub month: u8,
    /// How many; never 0.
    pub tickets: i64,
}

/// How many tickets of a week are in a status now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusInWeek {
    /// The year of the week (ISO 8601), which around the turn of the year is not always that of the day.
    pub year: i32,
    /// The week (ISO 8601), from 1.
    pub week: u8,
    /// Where they stand.
    pub status: Status,
    /// How many; never 0.
    pub tickets: i64,
}

/// How fast somebody resolves tickets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentSpeed {
    /// Who: the id of an agent of the desk, in lower case, or what a file calls somebody. Where a file has the id of an
    /// agent of the desk, in whatever letter case, it is that agent.
    pub agent: String,
    /// The name, where the desk has such an agent.
    pub name: Option<String>,
    /// The mean, in whole minutes.
    pub mean_minutes: i64,
    /// How many were resolved; never 0.
    pub tickets: i64,
}

/// How well a metric was kept for a tier's tickets of a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compliance {
    /// The year.
    pub year: i32,
    /// The month, from 1.
    pub month: u8,
    /// Whose.
    pub tier: ClientTier,
    /// Which deadline.
    pub metric: Metric,
    /// Clocks that were stopped and never breached.
    pub met: i64,
    /// Clocks that were breached. Not both are 0.
    pub breached: i64,
    /// The 50th percentile of the time that stopped clocks counted, in whole minutes; `None` without one.
    pub median_minutes: Option<i64>,
    /// The 90th percentile of it.
    pub p90_minutes: Option<i64>,
}

/// How long ago a ticket was created, by the database's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AgeBucket {
    /// Less than a day of 24 hours.
    Under1Day,
    /// A day or more, and less than three.
    Under3Days,
    /// Three days or more, and less than seven.
    Under7Days,
    /// Seven days or more, and less than thirty.
    Under30Days,
    /// Thirty days or more.
    From30Days,
}

impl AgeBucket {
    /// Every bucket, the youngest first.
    pub const ALL: [AgeBucket; 5] = [
        AgeBucket::Under1Day,
        AgeBucket::Under3Days,
        AgeBucket::Under7Days,
        AgeBucket::Under30Days,
        AgeBucket::From30Days,
    ];

    /// Where one bucket ends and the next begins, in days of 24 hours: in the order of [`AgeBucket::ALL`].
    pub const LIMITS_DAYS: [i32; 4] = [1, 3, 7, 30];

    /// The name callers see.
    pub const fn name(self) -> &'static str {
        match self {
            AgeBucket::Under1Day => "UNDER_1_DAY",
            AgeBucket::Under3Days => "UNDER_3_DAYS",
            AgeBucket::Under7Days => "UNDER_7_DAYS",
            AgeBucket::Under30Days => "UNDER_30_DAYS",
            AgeBucket::From30Days => "FROM_30_DAYS",
        }
    }
}

/// How many tickets wait to be resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BacklogCount {
    /// Where they stand; never RESOLVED or CLOSED.
    pub status: Status,
    /// Whose they are.
    pub tier: ClientTier,
    /// Since when.
    pub age: AgeBucket,
    /// How many; never 0.
    pub tickets: i64,
}

/// Reads of reports. Each sees one consistent snapshot, and answers all rows there are: their number is bounded by
/// what they are grouped by.
pub trait Reports: Send + Sync {
    /// By tier, ordered by the tier's name.
    fn average_resolution(
        &self,
        budget: &Budget,
        filter: &ReportFilter,
    ) -> Result<Vec<AverageResolution>, AppError>;

    /// By month of creation, the earliest first.
    fn escalated_per_month(
        &self,
        budget: &Budget,
        filter: &ReportFilter,
    ) -> Result<Vec<EscalatedInMonth>, AppError>;

    /// By week of creation, the earliest first, then by status in the order of a ticket's life.
    fn weekly_status(&self, budget: &Budget, filter: &ReportFilter) -> Result<Vec<StatusInWeek>, AppError>;

    /// The first `limit` by exact mean, the fastest first; then who has more tickets, then by id, compared byte by
    /// byte. Tickets of nobody count for nobody.
    fn top_agents(
        &self,
        budget: &Budget,
        filter: &ReportFilter,
        limit: u16,
    ) -> Result<Vec<AgentSpeed>, AppError>;

    /// The newest imports, the newest first.
    fn last_imports(&self, budget: &Budget, limit: u16) -> Result<Vec<ImportRow>, AppError>;

    /// By month of the ticket's creation, the earliest first, then by tier and metric, each in the order of its
    /// declaration. Imported tickets have no clocks.
    fn compliance(&self, budget: &Budget, filter: &ReportFilter) -> Result<Vec<Compliance>, AppError>;

    /// By status in the order of a ticket's life, then by tier in the order of its declaration, then by age, the
    /// youngest first.
    fn backlog(&self, budget: &Budget, filter: &ReportFilter) -> Result<Vec<BacklogCount>, AppError>;
}

/// Keeps the sums of imported tickets that reports read up to date. How far it has come changes nothing in what they
/// say: what it has not come to yet they look at one by one, which takes longer the more there is.
pub trait ImportedSums: Send + Sync {
    /// Takes in up to `limit` changes. Returns how many; none also when somebody else is at it.
    fn catch_up(&self, limit: u32) -> Result<u32, AppError>;
}
