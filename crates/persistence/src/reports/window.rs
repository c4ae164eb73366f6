//! What a report is about, as its statements take it.
//!
//! Imported tickets are counted from sums of whole hours or months, from the facts of the hours and months that are
//! not asked for as a whole, and from the changes that neither knows yet. All statements of a report see one snapshot,
//! and in every snapshot these together are what the imported tickets come to (docs/adr/018).

use diesel::{
    pg::Pg,
    prelude::*,
    query_builder::{BoxedSqlQuery, SqlQuery},
    sql_types::{Nullable, Text, Timestamptz},
};
use techsupport_application::ports::{ReportFilter, Source};
use techsupport_domain::{ClientTier, Period, Stretch};
use time::{Duration, OffsetDateTime};

/// A statement with values.
pub(super) type Query = BoxedSqlQuery<'static, Pg, SqlQuery>;

/// The filter of a report.
pub(super) struct Window<'f> {
    filter: &'f ReportFilter,
    /// Created before that: what may be written down is a microsecond apart.
    until: Option<OffsetDateTime>,
}

impl<'f> Window<'f> {
    pub(super) fn of(filter: &'f ReportFilter) -> Self {
        // At the very end of the calendar there is nothing behind it to be left out.
        let until = filter.to.and_then(|to| to.checked_add(Duration::microseconds(1)));
        Self { filter, until }
    }

    /// A statement whose $1 to $3 are the window.
    pub(super) fn query(&self, sql: &str) -> Query {
        diesel::sql_query(sql)
            .into_boxed()
            .bind::<Nullable<Timestamptz>, _>(self.filter.from)
            .bind::<Nullable<Timestamptz>, _>(self.until)
            .bind::<Nullable<Text>, _>(self.filter.tier.map(ClientTier::name))
    }

    /// The parts that the window is about, as one set of rows; of the wrong kind and without any when there is none.
    pub(super) fn union(&self, live: &[&str], imported: &[&str]) -> String {
        let asked = |source| self.filter.source.is_none_or(|only| only == source);
        let live = live.iter().filter(|_| asked(Source::Live));
        let imported = imported.iter().filter(|_| asked(Source::Imported));
        live.chain(imported).copied().collect::<Vec<_>>().join(" UNION ALL ")
    }

    /// Whether no whole month fits in. Then what was created in it is so little that it is looked at ticket by ticket.
    pub(super) fn is_short(&self) -> bool {
        const SHORTEST_MONTH: Duration = Duration::days(28);
        self.filter.from.zip(self.until).is_some_and(|(from, until)| until - from < SHORTEST_MONTH)
    }

    /// The months or weeks in which there may be tickets of the window. None when there is no ticket.
    pub(super) fn stretches(&self, conn: &mut PgConnection, period: Period) -> QueryResult<Vec<Stretch>> {
        let parts = self.union(&[LIVE_EXTENT], &[SUMS_EXTENT, CHANGES_EXTENT]);
        let extent = format!("SELECT min(x.first) AS first, max(x.last) AS last FROM ({parts}) AS x");
        let found: Extent = diesel::sql_query(extent).get_result(conn)?;
        let (Some(first), Some(last)) = (found.first, found.last) else { return Ok(Vec::new()) };
        let from = self.filter.from.map_or(first, |from| from.max(first));
        let last = self.filter.to.map_or(last, |to| to.min(last));
        if last < from {
            return Ok(Vec::new());
        }
        let until = last.checked_add(Duration::microseconds(1)).unwrap_or(last);
        Ok(self.filter.zone.stretches(period, from, until))
    }
}

#[derive(QueryableByName)]
struct Extent {
    #[diesel(sql_type = Nullable<Timestamptz>)]
    first: Option<OffsetDateTime>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    last: Option<OffsetDateTime>,
}

/// Between which times there are tickets, or none any more: live ones.
const LIVE_EXTENT: &str = "SELECT min(t.created_at) AS first, max(t.created_at) AS last FROM tickets t \
    WHERE t.deleted_at IS NULL";
/// The same: what the sums know of imported ones.
const SUMS_EXTENT: &str =
    "SELECT min(h.hour) AS first, max(h.hour) + interval '59:59.999999' AS last FROM imported_by_hour h";
/// The same: changes of imported ones.
const CHANGES_EXTENT: &str =
    "SELECT min(c.created_at) AS first, max(c.created_at) AS last FROM imported_changes c";

/// Whether a time lies within the window.
macro_rules! within {
    ($column:literal) => {
        concat!("($1 IS NULL OR ", $column, " >= $1) AND ($2 IS NULL OR ", $column, " < $2)")
    };
}

/// Whether a tier is asked for.
macro_rules! tier_is {
    ($column:literal) => {
        concat!("($3 IS NULL OR ", $column, " = $3)")
    };
}

pub(super) use {tier_is, within};

/// The facts of the parts of months at both ends of the window, which may be the same month.
macro_rules! facts_of_parts {
    () => {
        "SELECT f.* FROM imported_facts f WHERE f.created_at >= $1 AND f.created_at < least( \
             date_trunc('month', $1 + interval '1 month' - interval '1 microsecond', 'UTC'), $2) \
         UNION ALL \
         SELECT f.* FROM imported_facts f WHERE f.created_at < $2 AND f.created_at >= greatest( \
             date_trunc('month', $1 + interval '1 month' - interval '1 microsecond', 'UTC'), \
             date_trunc('month', $2, 'UTC'))"
    };
}

/// Whether a sum is about a month that is asked for as a whole.
macro_rules! whole_month {
    () => {
        "($1 IS NULL OR m.month >= $1) AND ($2 IS NULL OR m.month + interval '1 month' <= $2) \
         AND ($3 IS NULL OR m.client_type = $3)"
    };
}

/// Resolved tickets one by one, with their durations: live ones.
pub(super) const LIVE_RESOLVED: &str = concat!(
    "(SELECT c.tier, t.agent_id::text AS agent, duration_us(t.resolved_at - t.created_at) AS us, \
         1::bigint AS tickets \
     FROM tickets t JOIN clients c ON c.id = t.client_id \
     WHERE t.resolved_at IS NOT NULL AND t.deleted_at IS NULL AND ",
    within!("t.created_at"),
    " AND ",
    tier_is!("c.tier"),
    // So that the duration is not worked out anew wherever it is used.
    " OFFSET 0)"
);

/// The same: changes of imported ones.
pub(super) const CHANGED_RESOLVED: &str = concat!(
    "SELECT c.client_type AS tier, c.agent_id AS agent, c.duration_us AS us, c.tickets::bigint AS tickets \
     FROM imported_changes c WHERE c.duration_us IS NOT NULL AND ",
    within!("c.created_at"),
    " AND ",
    tier_is!("c.client_type")
);

/// The same: imported ones of the parts of months at both ends.
pub(super) const PARTLY_RESOLVED: &str = concat!(
    "SELECT f.client_type AS tier, f.agent_id AS agent, f.duration_us AS us, f.tickets AS tickets FROM (",
    facts_of_parts!(),
    ") AS f WHERE f.duration_us IS NOT NULL AND ",
    tier_is!("f.client_type")
);

pub(super) const WHOLE_MONTH: &str = whole_month!();
