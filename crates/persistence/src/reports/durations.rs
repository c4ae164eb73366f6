//! How long it takes to resolve tickets: first how many took about as long, then, where a percentile lies, exactly.

use std::collections::BTreeMap;

use diesel::{
    prelude::*,
    sql_types::{Array, BigInt, Text},
};
use techsupport_application::ports::AverageResolution;

use super::{
    percentile::{Rank, mean_minutes},
    window::{CHANGED_RESOLVED, LIVE_RESOLVED, PARTLY_RESOLVED, WHOLE_MONTH, Window},
};
use crate::rows::{Corrupt, tier_of};

#[derive(QueryableByName)]
struct BucketRow {
    #[diesel(sql_type = Text)]
    tier: String,
    #[diesel(sql_type = BigInt)]
    bucket: i64,
    #[diesel(sql_type = BigInt)]
    tickets: i64,
    /// Microseconds of all of them together.
    #[diesel(sql_type = Text)]
    total: String,
}

#[derive(QueryableByName)]
struct DurationRow {
    #[diesel(sql_type = Text)]
    tier: String,
    #[diesel(sql_type = BigInt)]
    bucket: i64,
    #[diesel(sql_type = BigInt)]
    us: i64,
    #[diesel(sql_type = BigInt)]
    tickets: i64,
}

/// The buckets of a tier, in order.
#[derive(Default)]
struct Histogram {
    buckets: Vec<(i64, i64)>,
    tickets: i64,
    total: i128,
}

impl Histogram {
    /// The bucket that holds the ticket with this place, and its place there; both count from 0.
    fn bucket_of(&self, mut place: i64) -> Option<(i64, i64)> {
        for (bucket, tickets) in &self.buckets {
            if place < *tickets {
                return Some((*bucket, place));
            }
            place -= tickets;
        }
        None
    }
}

/// The durations within a bucket, in order, and how many tickets have each.
type Durations = BTreeMap<(String, i64), Vec<(i64, i64)>>;

/// By tier, in the order of their names.
pub(super) fn average_resolution(
    conn: &mut PgConnection,
    window: &Window<'_>,
) -> QueryResult<Result<Vec<AverageResolution>, Corrupt>> {
    let mut tiers: BTreeMap<String, Histogram> = BTreeMap::new();
    for row in buckets(conn, window)? {
        let histogram = tiers.entry(row.tier).or_default();
        histogram.buckets.push((row.bucket, row.tickets));
        histogram.tickets += row.tickets;
        match row.total.parse::<i128>() {
            Ok(total) => histogram.total += total,
            Err(error) => return Ok(Err(format!("a sum of durations {:?} {error}", row.total))),
        }
    }
    let places = |histogram: &Histogram| Rank::ALL.map(|rank| rank.places(histogram.tickets)).concat();
    let needed = tiers.iter().flat_map(|(tier, histogram)| {
        let buckets = places(histogram).into_iter().filter_map(|place| histogram.bucket_of(place));
        buckets.map(|(bucket, _)| (tier.clone(), bucket))
    });
    let durations = durations(conn, window, needed.collect())?;
    Ok(tiers.iter().map(|(tier, histogram)| average(tier, histogram, &durations)).collect())
}

fn average(tier: &str, histogram: &Histogram, durations: &Durations) -> Result<AverageResolution, Corrupt> {
    let duration_at = |place| {
        let (bucket, mut place) = histogram.bucket_of(place)?;
        let within = durations.get(&(tier.to_owned(), bucket))?;
        within.iter().find_map(|(us, tickets)| {
            place -= tickets;
            (place < 0).then_some(*us)
        })
    };
    let percentile = |rank: Rank| {
        let [below, above] = rank.places(histogram.tickets).map(duration_at);
        let durations = below.zip(above).ok_or("durations that do not add up")?;
        Ok::<_, Corrupt>(rank.minutes(histogram.tickets, durations))
    };
    Ok(AverageResolution {
        tier: tier_of(tier)?,
        mean_minutes: mean_minutes(histogram.total, histogram.tickets),
        p50_minutes: percentile(Rank::Median)?,
        p90_minutes: percentile(Rank::P90)?,
        tickets: histogram.tickets,
    })
}

fn buckets(conn: &mut PgConnection, window: &Window<'_>) -> QueryResult<Vec<BucketRow>> {
    let singly = window.union(&[LIVE_RESOLVED], &[PARTLY_RESOLVED, CHANGED_RESOLVED]);
    let by_month = format!(
        "SELECT m.client_type AS tier, m.bucket_us AS bucket, sum(m.tickets) AS tickets, sum(m.total_us) AS total \
         FROM imported_by_duration m WHERE {WHOLE_MONTH} GROUP BY 1, 2"
    );
    let one_by_one = format!(
        "SELECT s.tier, duration_bucket(s.us) AS bucket, sum(s.tickets) AS tickets, \
             sum(s.us::numeric * s.tickets) AS total \
         FROM ({singly}) AS s GROUP BY 1, 2"
    );
    let parts = [one_by_one, window.union(&[], &[&by_month])];
    let parts = parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>();
    let sql = format!(
        "SELECT p.tier, p.bucket, sum(p.tickets)::bigint AS tickets, trunc(sum(p.total))::text AS total \
         FROM ({}) AS p GROUP BY 1, 2 HAVING sum(p.tickets) <> 0 ORDER BY 1, 2",
        parts.join(" UNION ALL ")
    );
    window.query(&sql).load(conn)
}

fn durations(
    conn: &mut PgConnection,
    window: &Window<'_>,
    mut needed: Vec<(String, i64)>,
) -> QueryResult<Durations> {
    needed.sort_unstable();
    needed.dedup();
    // By duration, however short the time may seem that is asked for: hence a comparison that no index on it answers.
    let facts = "SELECT b.tier, b.bucket, f.duration_us AS us, f.tickets FROM b CROSS JOIN LATERAL ( \
             SELECT f.duration_us, f.tickets FROM imported_facts f WHERE f.client_type = b.tier \
                 AND f.duration_us >= b.bucket AND f.duration_us < b.bucket + duration_bucket_width(b.bucket) \
                 AND (f.created_at >= $1) IS NOT FALSE AND (f.created_at < $2) IS NOT FALSE OFFSET 0) AS f";
    let others = window.union(&[LIVE_RESOLVED], &[CHANGED_RESOLVED]);
    let others = format!(
        "SELECT b.tier, b.bucket, s.us, s.tickets FROM ({others}) AS s \
         JOIN b ON b.tier = s.tier AND b.bucket = duration_bucket(s.us)"
    );
    let parts = [others, window.union(&[], &[facts])];
    let parts = parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>();
    let sql = format!(
        "WITH b AS MATERIALIZED (SELECT * FROM unnest($4, $5) AS b (tier, bucket)) \
         SELECT p.tier, p.bucket, p.us, sum(p.tickets)::bigint AS tickets FROM ({}) AS p \
         GROUP BY 1, 2, 3 HAVING sum(p.tickets) <> 0 ORDER BY 1, 2, 3",
        parts.join(" UNION ALL ")
    );
    let (tiers, buckets): (Vec<String>, Vec<i64>) = needed.into_iter().unzip();
    let rows: Vec<DurationRow> =
        window.query(&sql).bind::<Array<Text>, _>(tiers).bind::<Array<BigInt>, _>(buckets).load(conn)?;
    let mut found = Durations::new();
    for row in rows {
        found.entry((row.tier, row.bucket)).or_default().push((row.us, row.tickets));
    }
    Ok(found)
}
