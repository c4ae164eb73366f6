//! How long it takes to resolve tickets: first how many took about as long, then, where a percentile lies, exactly.

use std::collections::{BTreeMap, BTreeSet};

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

/// How long those took that have this place within a bucket, or one of the places asked for that are before it.
#[derive(QueryableByName)]
struct DurationRow {
    #[diesel(sql_type = Text)]
    tier: String,
    #[diesel(sql_type = BigInt)]
    bucket: i64,
    #[diesel(sql_type = BigInt)]
    place: i64,
    #[diesel(sql_type = BigInt)]
    us: i64,
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

/// Tickets by tier, bucket, and place within the bucket.
type Place = (String, i64, i64);

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
    let needed = tiers.iter().flat_map(|(tier, histogram)| {
        let places = Rank::ALL.map(|rank| rank.places(histogram.tickets)).concat();
        places.into_iter().filter_map(|place| place_of(tier, histogram, place))
    });
    let durations = durations(conn, window, needed.collect())?;
    Ok(tiers.iter().map(|(tier, histogram)| average(tier, histogram, &durations)).collect())
}

fn place_of(tier: &str, histogram: &Histogram, place: i64) -> Option<Place> {
    histogram.bucket_of(place).map(|(bucket, place)| (tier.to_owned(), bucket, place))
}

fn average(
    tier: &str,
    histogram: &Histogram,
    durations: &BTreeMap<Place, i64>,
) -> Result<AverageResolution, Corrupt> {
    let duration_at = |place| {
        let (_, us) = durations.range(place_of(tier, histogram, place)?..).next()?;
        Some(*us)
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

/// There may be millions in a bucket. Hence they are added up in the order of an index, once for all places, and
/// nothing is sorted or kept. Tickets that took exactly as long count together, so one that a change takes away is none.
fn durations(
    conn: &mut PgConnection,
    window: &Window<'_>,
    needed: BTreeSet<Place>,
) -> QueryResult<BTreeMap<Place, i64>> {
    // By duration, however short the time may seem that is asked for: hence a comparison that no index on it answers.
    // The order is said where it is plain to the planner that all are of one tier.
    const FACTS: &str = "(SELECT f.duration_us AS us, f.tickets FROM imported_facts f WHERE f.client_type = b.tier \
             AND f.duration_us >= b.bucket AND f.duration_us < b.bucket + duration_bucket_width(b.bucket) \
             AND (f.created_at >= $1) IS NOT FALSE AND (f.created_at < $2) IS NOT FALSE ORDER BY f.duration_us)";
    const OTHERS: &str = "SELECT o.us, o.tickets FROM o WHERE o.tier = b.tier AND o.bucket = b.bucket";
    let (others, facts) = if window.is_short() {
        (window.union(&[LIVE_RESOLVED], &[CHANGED_RESOLVED, PARTLY_RESOLVED]), String::new())
    } else {
        (window.union(&[LIVE_RESOLVED], &[CHANGED_RESOLVED]), window.union(&[], &[FACTS]))
    };
    let parts = [OTHERS, &facts].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    let sql = format!(
        "WITH b AS MATERIALIZED ( \
             SELECT n.tier, n.bucket, array_agg(n.place ORDER BY n.place) AS places \
             FROM unnest($4, $5, $6) AS n (tier, bucket, place) GROUP BY 1, 2), \
         o AS MATERIALIZED ( \
             SELECT s.tier, duration_bucket(s.us) AS bucket, s.us, s.tickets FROM ({others}) AS s \
             WHERE (s.tier, duration_bucket(s.us)) IN (SELECT b.tier, b.bucket FROM b)) \
         SELECT b.tier, b.bucket, b.places[v.reached] AS place, v.us FROM b CROSS JOIN LATERAL ( \
             SELECT width_bucket(w.up_to_here::bigint - 1, b.places) AS reached, min(w.us) AS us FROM ( \
                 SELECT d.us, sum(d.tickets) OVER (ORDER BY d.us) AS up_to_here FROM ({}) AS d) AS w \
             GROUP BY 1) AS v WHERE v.reached > 0",
        parts.join(" UNION ALL ")
    );
    let (mut tiers, mut buckets, mut places) = (Vec::new(), Vec::new(), Vec::new());
    for (tier, bucket, place) in needed {
        tiers.push(tier);
        buckets.push(bucket);
        places.push(place);
    }
    let query = window.query(&sql).bind::<Array<Text>, _>(tiers).bind::<Array<BigInt>, _>(buckets);
    let rows: Vec<DurationRow> = query.bind::<Array<BigInt>, _>(places).load(conn)?;
    Ok(rows.into_iter().map(|row| ((row.tier, row.bucket, row.place), row.us)).collect())
}
