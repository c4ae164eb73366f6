//! What is counted by month, by week, or by age.

use std::collections::BTreeMap;

use diesel::{prelude::*, sql_types::Timestamptz};
use techsupport_application::ports::{AgeBucket, BacklogCount, EscalatedInMonth, StatusInWeek};
use techsupport_domain::{Period, Stretch, ticket::Status};
use time::{Duration, OffsetDateTime};

use super::{
    counts::{Counts, Which, counts},
    window::Window,
};
use crate::rows::{Corrupt, tier_of};

/// The earliest first.
pub(super) fn escalated_per_month(
    conn: &mut PgConnection,
    window: &Window<'_>,
) -> QueryResult<Vec<EscalatedInMonth>> {
    let mut months: BTreeMap<(i32, u8), i64> = BTreeMap::new();
    for (month, counts) in by_period(conn, window, Period::Month)? {
        *months.entry((month.year, month.number)).or_default() += counts.ever_escalated;
    }
    let months = months.into_iter().filter(|(_, tickets)| *tickets != 0);
    Ok(months.map(|((year, month), tickets)| EscalatedInMonth { year, month, tickets }).collect())
}

/// The earliest first, then in the order of a ticket's life.
pub(super) fn weekly_status(conn: &mut PgConnection, window: &Window<'_>) -> QueryResult<Vec<StatusInWeek>> {
    let mut weeks: BTreeMap<(i32, u8, Status), i64> = BTreeMap::new();
    for (week, counts) in by_period(conn, window, Period::Week)? {
        for status in Status::ALL {
            *weeks.entry((week.year, week.number, status)).or_default() += counts.of(status);
        }
    }
    let weeks = weeks.into_iter().filter(|(_, tickets)| *tickets != 0);
    Ok(weeks.map(|((year, week, status), tickets)| StatusInWeek { year, week, status, tickets }).collect())
}

fn by_period(
    conn: &mut PgConnection,
    window: &Window<'_>,
    period: Period,
) -> QueryResult<Vec<(Stretch, Counts)>> {
    let stretches = window.stretches(conn, period)?;
    if stretches.is_empty() {
        return Ok(Vec::new());
    }
    let bounds = stretches.iter().skip(1).map(|stretch| stretch.from).collect();
    let counts = counts(conn, window, bounds, Which::All)?;
    let stretch_of = |counts: &Counts| {
        let stretch = usize::try_from(counts.stretch).ok()?;
        stretches.get(stretch).copied()
    };
    Ok(counts.into_iter().filter_map(|counts| Some((stretch_of(&counts)?, counts))).collect())
}

#[derive(QueryableByName)]
struct Now {
    #[diesel(sql_type = Timestamptz)]
    now: OffsetDateTime,
}

/// By status, tier and age, each in the order of its declaration.
pub(super) fn backlog(
    conn: &mut PgConnection,
    window: &Window<'_>,
) -> QueryResult<Result<Vec<BacklogCount>, Corrupt>> {
    let now: Now = diesel::sql_query("SELECT statement_timestamp() AS now").get_result(conn)?;
    // Who was created exactly so long ago is old enough.
    let youngest_of_older = |days: i32| now.now - Duration::days(days.into()) + Duration::microseconds(1);
    let bounds = AgeBucket::LIMITS_DAYS.into_iter().rev().map(youngest_of_older).collect();
    let mut rows = Vec::new();
    for counts in counts(conn, window, bounds, Which::Unresolved)? {
        let Some(age) = AgeBucket::ALL.into_iter().rev().zip(0..).find(|(_, n)| *n == counts.stretch) else {
            continue;
        };
        let tier = match tier_of(&counts.tier) {
            Ok(tier) => tier,
            Err(reason) => return Ok(Err(reason)),
        };
        let unresolved = Status::ALL.into_iter().filter(|status| !status.is_answered());
        let found =
            unresolved.map(|status| BacklogCount { status, tier, age: age.0, tickets: counts.of(status) });
        rows.extend(found.filter(|row| row.tickets != 0));
    }
    rows.sort_by_key(|row| (row.status, row.tier, row.age));
    Ok(Ok(rows))
}
