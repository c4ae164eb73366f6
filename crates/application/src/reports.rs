//! Reports over live and imported tickets together.

use uuid::Uuid;

use crate::{
    AppError, Ctx, Page, Paged, Position, SortKey, SortedBy,
    ports::{
        AgentSpeed, AverageResolution, BacklogCount, Compliance, EscalatedInMonth, ImportRow, ReportFilter,
        StatusInWeek,
    },
};

/// How many imports [`last_imports`] tells of.
const LAST_IMPORTS: u16 = 10;

/// How long it takes to resolve tickets, by the client's tier.
pub fn average_resolution(ctx: Ctx<'_>, filter: &ReportFilter) -> Result<Vec<AverageResolution>, AppError> {
    ctx.ports.reports.average_resolution(&ctx.call.budget, filter)
}

/// How many tickets were escalated, by month.
pub fn escalated_per_month(ctx: Ctx<'_>, filter: &ReportFilter) -> Result<Vec<EscalatedInMonth>, AppError> {
    ctx.ports.reports.escalated_per_month(&ctx.call.budget, filter)
}

/// Where tickets stand, by week.
pub fn weekly_status(ctx: Ctx<'_>, filter: &ReportFilter) -> Result<Vec<StatusInWeek>, AppError> {
    ctx.ports.reports.weekly_status(&ctx.call.budget, filter)
}

/// The `limit` agents who resolve tickets fastest.
pub fn top_agents(ctx: Ctx<'_>, filter: &ReportFilter, limit: u16) -> Result<Vec<AgentSpeed>, AppError> {
    ctx.ports.reports.top_agents(&ctx.call.budget, filter, limit)
}

/// The newest imports.
pub fn last_imports(ctx: Ctx<'_>) -> Result<Vec<ImportRow>, AppError> {
    ctx.ports.reports.last_imports(&ctx.call.budget, LAST_IMPORTS)
}

/// How well deadlines were kept, by month, tier and metric: all of it.
pub fn compliance(ctx: Ctx<'_>, filter: &ReportFilter) -> Result<Vec<Compliance>, AppError> {
    ctx.ports.reports.compliance(&ctx.call.budget, filter)
}

/// What waits to be resolved, by status, tier and age: all of it.
pub fn backlog(ctx: Ctx<'_>, filter: &ReportFilter) -> Result<Vec<BacklogCount>, AppError> {
    ctx.ports.reports.backlog(&ctx.call.budget, filter)
}

/// A row of a report that is read in pages: what it is grouped by, as a number that sorts like the report.
///
/// So a walk goes on behind a month or a status although every number beside it may have changed meanwhile.
pub trait Group {
    /// The greatest number there can be; the least is 1.
    const MOST: i64;

    /// Of all rows of a report no two have the same.
    fn number(&self) -> i64;

    /// What such a report is sorted by.
    const SORTED_BY: SortedBy = SortedBy::Number { most: Self::MOST };
}

/// Years there are in a report: the database's calendar begins with 4713 before Christ, and people's zones may differ
/// by a day from UTC.
const YEAR_ZERO: i32 = 5_000;

impl Group for Compliance {
    const MOST: i64 = 300_000 * 12 * 4;

    fn number(&self) -> i64 {
        let month = i64::from(self.year.saturating_add(YEAR_ZERO)) * 12 + i64::from(self.month) - 1;
        (month * 2 + self.tier as i64) * 2 + self.metric as i64 + 1
    }
}

impl Group for BacklogCount {
    const MOST: i64 = 6 * 2 * 5;

    fn number(&self) -> i64 {
        (self.status as i64 * 2 + self.tier as i64) * 5 + self.age as i64 + 1
    }
}

/// A page of a report. It has few rows and is made as a whole, so this is where it is cut.
pub fn page_of<R: Group>(rows: Vec<R>, page: Page) -> Paged<R> {
    let total = page.number().and_then(|_| i64::try_from(rows.len()).ok());
    let behind = match page.position() {
        Some(Position { key: SortKey::Number(number), .. }) => number,
        None | Some(_) => 0,
    };
    let size = usize::try_from(page.reach()).unwrap_or(usize::MAX);
    let offset = usize::try_from(page.offset()).unwrap_or(usize::MAX);
    let rows = rows.into_iter().filter(|row| row.number() > behind).skip(offset).take(size).collect();
    Paged::of(page, total, rows, |row| Position { key: SortKey::Number(row.number()), id: Uuid::nil() })
}

impl Compliance {
    /// How much of it was kept, in tenths of a percent, rounded half up.
    pub const fn tenths_of_percent(&self) -> i64 {
        let all = self.met + self.breached;
        // Half of the divisor in front of a division rounds half up.
        if all == 0 { 0 } else { (2_000 * self.met + all) / (2 * all) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use techsupport_domain::{ClientTier, sla::Metric, ticket::Status};

    use super::*;
    use crate::ports::AgeBucket;

    fn compliance(year: i32, month: u8, tier: ClientTier, metric: Metric) -> Compliance {
        Compliance { year, month, tier, metric, met: 1, breached: 0, median_minutes: None, p90_minutes: None }
    }

    fn years(year: i32) -> Vec<Compliance> {
        let mut rows = Vec::new();
        for month in [1, 2, 12] {
            for tier in ClientTier::ALL {
                for metric in [Metric::FirstResponse, Metric::Resolution] {
                    rows.push(compliance(year, month, tier, metric));
                }
            }
        }
        rows
    }

    #[test]
    fn numbers_grow_with_the_report_and_stay_within_their_bounds() {
        let rows: Vec<Compliance> = [-4_713, -1, 0, 1, 2026, 294_277].into_iter().flat_map(years).collect();
        assert!(rows.is_sorted_by(|a, b| a.number() < b.number()));
        assert!(rows.iter().all(|row| (1..=Compliance::MOST).contains(&row.number())));
        let mut rows = Vec::new();
        for status in Status::ALL {
            for tier in ClientTier::ALL {
                rows.extend(AgeBucket::ALL.map(|age| BacklogCount { status, tier, age, tickets: 1 }));
            }
        }
        let numbers: Vec<i64> = rows.iter().map(BacklogCount::number).collect();
        assert_eq!(numbers, (1..=BacklogCount::MOST).collect::<Vec<_>>());
    }

    #[test]
    fn a_walk_sees_each_row_once_whatever_comes_and_goes() {
        let all = years(2026);
        let first = page_of(all.clone(), Page::behind(None, 5).unwrap());
        assert_eq!((first.rows.as_slice(), first.total), (&all[..5], None));
        // An earlier month appears, and the row that the walk stands at is gone.
        let mut changed = years(2025);
        changed.extend(all.iter().enumerate().filter(|(n, _)| *n != 4).map(|(_, row)| row.clone()));
        let second = page_of(changed, Page::behind(first.next, 100).unwrap());
        assert_eq!((second.rows.as_slice(), second.next), (&all[5..], None));
    }

    #[test]
    fn pages_are_cut_and_counted() {
        let all = years(2026);
        let last = page_of(all.clone(), Page::new(3, 5).unwrap());
        assert_eq!((last.rows.as_slice(), last.total, last.next), (&all[10..], Some(12), None));
        let beyond = page_of(all, Page::new(u32::MAX, 100).unwrap());
        assert_eq!((beyond.rows.len(), beyond.total, beyond.next), (0, Some(12), None));
    }

    #[test]
    fn percent_are_rounded_half_up_to_a_tenth() {
        let of = |met, breached| Compliance { met, breached, ..years(2026)[0].clone() }.tenths_of_percent();
        assert_eq!([of(1, 0), of(0, 1), of(1, 2), of(2, 1), of(1, 1)], [1_000, 0, 333, 667, 500]);
        // 0.05 % and a little less.
        assert_eq!([of(1, 1_999), of(1, 2_000)], [1, 0]);
    }
}
