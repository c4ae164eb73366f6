//! What reports cost beside 200,000 imported tickets, by what PostgreSQL counts: nothing reads the tickets or their facts
//! from end to end, neither before nor after there are statistics, and of the facts only a few are looked at.

use techsupport_application::ports::{ReportFilter, Reports, Source};
use techsupport_domain::{ClientTier, Zone};
use techsupport_persistence::Database;
use techsupport_tests::{TestDatabase, await_end_of_others};
use time::{OffsetDateTime, macros::datetime};

use super::{budget, catch_up};

const FILL: &str = "INSERT INTO imported_tickets (ticket_id, client_id, client_type, status, escalation_level, agent_id, \
        created_at, resolved_at, import_number, sheet_row) \
    SELECT md5(n::text), 'c', CASE WHEN n % 5 = 0 THEN 'VIP' ELSE 'NORMAL' END, x.status, n % 4, 'a' || n % 50, x.at, \
        CASE WHEN x.status IN ('RESOLVED', 'CLOSED') THEN x.at + (n * 7919 % 900000) * interval '1 second' END, 1, 2 \
    FROM (SELECT n, timestamptz '2021-01-01' + (n::bigint * 7717 % 200000) * interval '789 seconds' AS at, \
            (ARRAY['OPEN', 'RESOLVED', 'CLOSED', 'CLOSED'])[1 + n % 4] AS status \
        FROM generate_series(1, 200000) AS n) AS x";

/// How often tickets and facts were read whole, and how many of either were looked at. What a connection has done is
/// counted at the latest when it ends, so nobody else may keep one.
pub(super) fn cost(database: &TestDatabase, act: impl FnOnce(&Database)) -> (i64, i64) {
    let mut connection = database.connect();
    let mut counted = || {
        await_end_of_others(&mut connection);
        let sql = "SELECT array[sum(t.seq_scan)::bigint, \
                       (SELECT sum(i.idx_tup_read)::bigint FROM pg_stat_user_indexes i \
                        WHERE i.relname IN ('imported_tickets', 'imported_facts'))] \
                   FROM pg_stat_user_tables t WHERE t.relname IN ('imported_tickets', 'imported_facts')";
        let counts: Vec<i64> = connection.query_one(sql, &[]).unwrap().get(0);
        (counts[0], counts[1])
    };
    let before = counted();
    let pool = Database::connect(&database.settings(), "plans");
    act(&pool);
    drop(pool);
    let after = counted();
    (after.0 - before.0, after.1 - before.1)
}

fn look_at_all(reports: &dyn Reports, filter: &ReportFilter) {
    let budget = budget();
    assert_eq!(
        reports.average_resolution(&budget, filter).unwrap().len(),
        2 - usize::from(filter.tier.is_some())
    );
    assert!(!reports.escalated_per_month(&budget, filter).unwrap().is_empty());
    assert!(!reports.weekly_status(&budget, filter).unwrap().is_empty());
    assert_eq!(reports.top_agents(&budget, filter, 5).unwrap().len(), 5);
    assert!(reports.compliance(&budget, filter).unwrap().is_empty());
    assert!(!reports.backlog(&budget, filter).unwrap().is_empty());
}

fn assert_reports_are_cheap(database: &TestDatabase) {
    let zone = |name| Zone::parse(name).unwrap();
    let (from, to): (OffsetDateTime, OffsetDateTime) =
        (datetime!(2022-03-05 04:05:06 UTC), datetime!(2025-02-27 01:02:03 UTC));
    for (filter, most) in [
        (ReportFilter::default(), 8_000),
        (ReportFilter { source: Some(Source::Imported), ..ReportFilter::default() }, 8_000),
        // Each turn of a week or month is within an hour, which has some five tickets.
        (ReportFilter { zone: zone("Asia/Kolkata"), ..ReportFilter::default() }, 12_000),
        // Two parts of months, of 3,400 tickets each, for two reports.
        (ReportFilter { from: Some(from), to: Some(to), ..ReportFilter::default() }, 25_000),
        (
            ReportFilter {
                from: Some(from),
                to: Some(to),
                tier: Some(ClientTier::Vip),
                zone: zone("America/St_Johns"),
                source: None,
            },
            25_000,
        ),
    ] {
        let (whole, looked_at) = cost(database, |pool| look_at_all(pool.reports().as_ref(), &filter));
        assert_eq!(whole, 0, "{filter:?} read a table whole");
        assert!(looked_at <= most, "{looked_at} for {filter:?}");
    }
}

#[test]
fn reports_do_not_go_through_the_past() {
    let database = TestDatabase::migrated();
    database.execute(FILL, &[]);
    let pool = Database::connect(&database.settings(), "filling");
    while catch_up(&pool, 100_000) > 0 {}
    drop(pool);
    assert_reports_are_cheap(&database);
    for table in ["imported_tickets", "imported_facts", "imported_by_hour", "imported_changes"] {
        database.execute(&format!("VACUUM ANALYZE {table}"), &[]);
    }
    assert_reports_are_cheap(&database);
}

/// As files are that know no more of a time than the day.
#[test]
fn tickets_of_one_time_are_found_without_looking_at_the_others() {
    let database = TestDatabase::migrated();
    let tickets = 8_000;
    database.execute(
        "INSERT INTO imported_tickets (ticket_id, client_id, client_type, status, escalation_level, agent_id, created_at, \
             resolved_at, import_number, sheet_row) \
         SELECT n::text, 'c', 'VIP', 'CLOSED', 0, 'a' || n % 7, timestamptz '2024-02-03', \
             timestamptz '2024-02-04' + n / 5 * interval '1 second', 1, 2 FROM generate_series(1, $1::int) AS n",
        &[&tickets],
    );
    let (_, looked_at) = cost(&database, |pool| while catch_up(pool, 3_000) > 0 {});
    assert!(looked_at <= i64::from(tickets), "{looked_at} for tickets that are new");
    database.execute("UPDATE imported_tickets SET resolved_at = resolved_at + interval '1 hour'", &[]);
    let (whole, looked_at) = cost(&database, |pool| while catch_up(pool, 3_000) > 0 {});
    assert_eq!(whole, 0);
    assert!(looked_at <= 4 * i64::from(tickets), "{looked_at} for {tickets} that were replaced");
    assert_eq!(database.count("imported_facts WHERE tickets = 1"), i64::from(tickets));
}
