//! Many tickets that took about as long, as when a job closes what nobody has answered for two weeks.

use techsupport_application::ports::{AverageResolution, ReportFilter};
use techsupport_domain::ClientTier;
use techsupport_tests::TestDatabase;
use time::macros::datetime;

use super::{budget, catch_up, plans::cost};

/// Four of five are closed by the job, within four hours, to the millisecond.
const FILL: &str = "INSERT INTO imported_tickets (ticket_id, client_id, client_type, status, escalation_level, agent_id, \
        created_at, resolved_at, import_number, sheet_row) \
    SELECT n::text, 'c', CASE WHEN n % 3 = 0 THEN 'VIP' ELSE 'NORMAL' END, 'CLOSED', 0, 'a', x.at, \
        x.at + CASE WHEN n % 5 = 0 THEN n % 997 * interval '1 minute' \
            ELSE interval '14 days' + n::bigint * 7919 % 14400000 * interval '1 millisecond' END, 1, 2 \
    FROM (SELECT n, timestamptz '2024-01-01' + n * interval '10 minutes' AS at \
        FROM generate_series(1, $1::int) AS n) AS x";

/// By PostgreSQL's own reckoning.
fn expected(database: &TestDatabase, filter: &ReportFilter) -> Vec<AverageResolution> {
    let sql = "SELECT t.client_type, avg(x.us), percentile_cont(0.5) WITHIN GROUP (ORDER BY x.us), \
            percentile_cont(0.9) WITHIN GROUP (ORDER BY x.us), count(*) \
        FROM imported_tickets t CROSS JOIN LATERAL ( \
            SELECT (extract(epoch FROM t.resolved_at - t.created_at) * 1000000)::float8 AS us) AS x \
        WHERE ($1::timestamptz IS NULL OR t.created_at >= $1) AND ($2::timestamptz IS NULL OR t.created_at <= $2) \
        GROUP BY 1 ORDER BY 1";
    let rows = database.connect().query(sql, &[&filter.from, &filter.to]).unwrap();
    #[expect(clippy::cast_possible_truncation, reason = "a few weeks")]
    let minutes = |us: f64| (us / 60_000_000.0 + 0.5).floor() as i64;
    let row = |row: &postgres::Row| AverageResolution {
        tier: ClientTier::parse(row.get(0)).unwrap(),
        mean_minutes: minutes(row.get(1)),
        p50_minutes: minutes(row.get(2)),
        p90_minutes: minutes(row.get(3)),
        tickets: row.get(4),
    };
    rows.iter().map(row).collect()
}

/// As many looks at tickets as there are in the bucket, or in a short time in which the tickets were created.
#[test]
fn a_bucket_that_most_tickets_are_in_is_read_once() {
    let database = TestDatabase::migrated();
    let tickets = 60_000;
    database.execute(FILL, &[&tickets]);
    let all = i64::from(tickets);
    cost(&database, |pool| while catch_up(pool, 50_000) > 0 {});
    let compare = |filter: &ReportFilter, most: i64| {
        let expected = expected(&database, filter);
        let (whole, looked_at) = cost(&database, |pool| {
            let found = pool.reports().average_resolution(&budget(), filter).unwrap();
            assert_eq!(found, expected, "{filter:?}");
        });
        assert_eq!(whole, 0, "{filter:?}");
        assert!(looked_at <= most, "{looked_at} for {filter:?}");
    };
    let compare_some = || {
        compare(&ReportFilter::default(), all);
        let month = datetime!(2024-02-01 00:00 UTC);
        // 144 a day; the parts of months at both ends, and the bucket.
        let from = Some(datetime!(2024-01-20 06:07:08 UTC));
        compare(&ReportFilter { from, ..ReportFilter::default() }, all + 12 * 144);
        let to = Some(month + time::Duration::days(10));
        compare(&ReportFilter { from, to, ..ReportFilter::default() }, 2 * 22 * 144);
        let to = Some(month);
        compare(&ReportFilter { from: to, to, ..ReportFilter::default() }, 2);
        // February, as a whole and but for its last microsecond.
        for us in [1, 2] {
            let to = Some(datetime!(2024-03-01 00:00 UTC) - time::Duration::microseconds(us));
            compare(&ReportFilter { from: Some(month), to, ..ReportFilter::default() }, all + 29 * 144);
        }
    };
    compare_some();
    database.execute("VACUUM ANALYZE imported_facts", &[]);
    compare_some();
    // With changes that the sums do not know: other durations, and tickets that are gone.
    database
        .connect()
        .batch_execute(
            "UPDATE imported_tickets SET resolved_at = resolved_at + interval '3 ms' WHERE ticket_id LIKE '%7'; \
             DELETE FROM imported_tickets WHERE ticket_id LIKE '%1'",
        )
        .unwrap();
    compare_some();
    cost(&database, |pool| assert_eq!(catch_up(pool, 2_500), 2_500));
    compare_some();
}
