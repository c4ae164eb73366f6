//! How well deadlines were kept. Only live tickets have any, so this is read from the clocks themselves.

use diesel::{
    prelude::*,
    sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz},
};
use techsupport_application::ports::Compliance;
use techsupport_domain::{Period, sla::Metric};

use super::{
    percentile::Rank,
    window::{Window, tier_is, within},
};
use crate::rows::{Corrupt, tier_of};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Integer)]
    month: i32,
    #[diesel(sql_type = Text)]
    tier: String,
    #[diesel(sql_type = Text)]
    metric: String,
    #[diesel(sql_type = BigInt)]
    met: i64,
    #[diesel(sql_type = BigInt)]
    breached: i64,
    #[diesel(sql_type = BigInt)]
    stopped: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    below_median: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    above_median: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    below_p90: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    above_p90: Option<i64>,
}

/// In no order. A month may have several stretches, so $5 says which month the clocks of each belong to.
const COMPLIANCE: &str = concat!(
    "WITH c AS ( \
         SELECT $5[width_bucket(t.created_at, $4) + 1] AS month, cl.tier, s.metric, s.breached_at, s.stopped_at, \
             CASE WHEN s.stopped_at IS NOT NULL THEN s.consumed_us END AS us \
         FROM sla_clocks s JOIN tickets t ON t.id = s.ticket_id JOIN clients cl ON cl.id = t.client_id \
         WHERE t.deleted_at IS NULL AND ",
    within!("t.created_at"),
    " AND ",
    tier_is!("cl.tier"),
    "), g AS ( \
         SELECT c.month, c.tier, c.metric, \
             count(*) FILTER (WHERE c.stopped_at IS NOT NULL AND c.breached_at IS NULL) AS met, \
             count(c.breached_at) AS breached, count(c.us) AS stopped, \
             array_agg(c.us ORDER BY c.us) FILTER (WHERE c.us IS NOT NULL) AS us \
         FROM c GROUP BY 1, 2, 3 \
     ) SELECT g.month, g.tier, g.metric, g.met, g.breached, g.stopped, \
         g.us[1 + 5 * (g.stopped - 1) / 10] AS below_median, \
         g.us[1 + (5 * (g.stopped - 1) + 9) / 10] AS above_median, \
         g.us[1 + 9 * (g.stopped - 1) / 10] AS below_p90, \
         g.us[1 + (9 * (g.stopped - 1) + 9) / 10] AS above_p90 \
     FROM g WHERE g.met + g.breached > 0"
);

/// By month, then tier and metric, each in the order of its declaration.
pub(super) fn compliance(
    conn: &mut PgConnection,
    window: &Window<'_>,
) -> QueryResult<Result<Vec<Compliance>, Corrupt>> {
    let stretches = window.stretches(conn, Period::Month)?;
    let bounds: Vec<_> = stretches.iter().skip(1).map(|stretch| stretch.from).collect();
    let number = |year: i32, month: u8| year * 12 + i32::from(month) - 1;
    let months: Vec<i32> = stretches.iter().map(|stretch| number(stretch.year, stretch.number)).collect();
    if months.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let query = window.query(COMPLIANCE).bind::<Array<Timestamptz>, _>(bounds);
    let rows: Vec<Row> = query.bind::<Array<Integer>, _>(months).load(conn)?;
    let compliance: Result<Vec<Compliance>, Corrupt> = rows.iter().map(row).collect();
    Ok(compliance.map(|mut rows| {
        rows.sort_by_key(|row| (row.year, row.month, row.tier, row.metric));
        rows
    }))
}

fn row(row: &Row) -> Result<Compliance, Corrupt> {
    let minutes = |rank: Rank, below: Option<i64>, above: Option<i64>| {
        below.zip(above).map(|durations| rank.minutes(row.stopped, durations))
    };
    Ok(Compliance {
        year: row.month.div_euclid(12),
        month: u8::try_from(row.month.rem_euclid(12) + 1).map_err(|error| error.to_string())?,
        median_minutes: minutes(Rank::Median, row.below_median, row.above_median),
        p90_minutes: minutes(Rank::P90, row.below_p90, row.above_p90),
        tier: tier_of(&row.tier)?,
        metric: Metric::parse(&row.metric).map_err(|error| format!("metric {:?} {error}", row.metric))?,
        met: row.met,
        breached: row.breached,
    })
}
