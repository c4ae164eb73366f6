//! Reports while others import and move changes into the sums.

use std::sync::{
    Barrier,
    atomic::{AtomicBool, Ordering},
};

use rand::{RngExt, SeedableRng, rngs::ChaCha12Rng};
use techsupport_application::ports::{ReportFilter, Reports, Source};
use techsupport_domain::Zone;
use techsupport_persistence::Database;
use techsupport_tests::TestDatabase;

use super::{ZONES, at, budget, catch_up, one_of};

/// 2024, in microseconds.
const BEGIN: i64 = 1_704_067_200_000_000;
const YEAR: i64 = 366 * 86_400_000_000;

/// Of each ticket there are two that differ in tier and agent alone, and both change in one statement. So every report
/// shows an even number, or two rows that are alike: unless it saw one half, or took from the sums what was still
/// among the changes, or the other way round.
const PAIRS: &str = "INSERT INTO imported_tickets AS t (ticket_id, client_id, client_type, status, escalation_level, \
        agent_id, created_at, resolved_at, import_number, sheet_row) \
    SELECT x.key || side.tier, 'c', side.tier, \
        (ARRAY['OPEN', 'IN_PROGRESS', 'WAITING', 'ESCALATED', 'RESOLVED', 'CLOSED'])[x.state], x.level, \
        x.agent || side.tier, timestamptz 'epoch' + x.us * interval '1 microsecond', \
        CASE WHEN x.state >= 5 THEN timestamptz 'epoch' + (x.us + x.took) * interval '1 microsecond' END, $6, 2 \
    FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::int[], $5::int[]) AS raw (key, us, took, state, level) \
    CROSS JOIN LATERAL (SELECT raw.*, 'agent' || raw.level || raw.state AS agent) AS x \
    CROSS JOIN (VALUES ('VIP'), ('NORMAL')) AS side (tier) \
    ON CONFLICT (ticket_id) DO UPDATE SET status = excluded.status, escalation_level = excluded.escalation_level, \
        agent_id = excluded.agent_id, created_at = excluded.created_at, resolved_at = excluded.resolved_at, \
        import_number = excluded.import_number";

fn write(connection: &mut postgres::Client, chance: &mut ChaCha12Rng, number: i64) {
    let mut keys: Vec<i64> = (0..40).map(|_| chance.random_range(0..1_500)).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut column = |to: i64| keys.iter().map(|_| chance.random_range(0..to)).collect::<Vec<i64>>();
    let us: Vec<i64> = column(YEAR).into_iter().map(|us| BEGIN + us).collect();
    let took = column(9 * 86_400_000_000);
    let small =
        |values: Vec<i64>| values.into_iter().map(|n| i32::try_from(n).unwrap()).collect::<Vec<i32>>();
    let state: Vec<i32> = small(column(6)).into_iter().map(|n| n + 1).collect();
    let level = small(column(3));
    let keys: Vec<String> = keys.iter().map(|key| format!("{key:04}")).collect();
    connection.execute(PAIRS, &[&keys, &us, &took, &state, &level, &number]).unwrap();
}

fn assert_pairs(reports: &dyn Reports, filter: &ReportFilter) {
    let budget = budget();
    let averages = reports.average_resolution(&budget, filter).unwrap();
    let about = |row: &techsupport_application::ports::AverageResolution| {
        (row.mean_minutes, row.p50_minutes, row.p90_minutes, row.tickets)
    };
    match averages.as_slice() {
        [] => {}
        [one, other] => assert_eq!(about(one), about(other), "{filter:?}"),
        odd => panic!("{odd:?} {filter:?}"),
    }
    let months = reports.escalated_per_month(&budget, filter).unwrap();
    assert!(months.iter().all(|row| row.tickets > 0 && row.tickets % 2 == 0), "{months:?} {filter:?}");
    let weeks = reports.weekly_status(&budget, filter).unwrap();
    assert!(weeks.iter().all(|row| row.tickets > 0 && row.tickets % 2 == 0), "{weeks:?} {filter:?}");
    let agents = reports.top_agents(&budget, filter, 100).unwrap();
    assert_eq!(agents.len() % 2, 0, "{agents:?}");
    for pair in agents.chunks(2) {
        // Alike, so the id decides: NORMAL comes before VIP. Two pairs may be alike, too.
        assert_eq!(
            (pair[0].mean_minutes, pair[0].tickets),
            (pair[1].mean_minutes, pair[1].tickets),
            "{agents:?} {filter:?}"
        );
    }
    let backlog = reports.backlog(&budget, filter).unwrap();
    let of = |tier| {
        backlog.iter().filter(move |row| row.tier == tier).map(|row| (row.status, row.age, row.tickets))
    };
    let [vip, normal] = techsupport_domain::ClientTier::ALL.map(|tier| of(tier).collect::<Vec<_>>());
    assert_eq!(vip, normal, "{filter:?}");
}

#[test]
fn reports_are_exact_while_others_import_and_move_changes() {
    let database = TestDatabase::migrated();
    // Whoever failed to connect in a thread would keep the others waiting at the barrier for ever.
    let connections = [0, 1].map(|writer| (writer, database.connect()));
    let barrier = Barrier::new(5);
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = connections
            .into_iter()
            .map(|(writer, mut connection)| {
                let barrier = &barrier;
                scope.spawn(move || {
                    let mut chance = ChaCha12Rng::seed_from_u64(writer);
                    barrier.wait();
                    for number in 0..150 {
                        write(&mut connection, &mut chance, number);
                    }
                })
            })
            .collect();
        for limit in [53, 211] {
            let (database, barrier, ended) = (&database, &barrier, &ended);
            scope.spawn(move || {
                let pool = Database::connect(&database.settings(), "moving");
                barrier.wait();
                while !ended.load(Ordering::Relaxed) {
                    catch_up(&pool, limit);
                }
            });
        }
        let reader = scope.spawn(|| {
            let pool = Database::connect(&database.settings(), "reading");
            let reports = pool.reports();
            let mut chance = ChaCha12Rng::seed_from_u64(9);
            barrier.wait();
            let mut looks = 0;
            while !ended.load(Ordering::Relaxed) || looks < 20 {
                let mut time = || chance.random_bool(0.5).then(|| at(BEGIN + chance.random_range(0..YEAR)));
                let (from, to) = (time(), time());
                let filter = ReportFilter {
                    source: Some(Source::Imported),
                    from: from.filter(|from| to.is_none_or(|to| *from <= to)),
                    to,
                    tier: None,
                    zone: Zone::parse(one_of(&mut chance, &ZONES)).unwrap(),
                };
                assert_pairs(reports.as_ref(), &filter);
                looks += 1;
            }
        });
        let written: Vec<_> = writers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        ended.store(true, Ordering::Relaxed);
        reader.join().unwrap();
        assert!(written.iter().all(Result::is_ok));
    });
    let pool = Database::connect(&database.settings(), "moving");
    while catch_up(&pool, 10_000) > 0 {}
    assert_pairs(pool.reports().as_ref(), &ReportFilter::default());
    let facts: i64 = database.one("SELECT sum(tickets)::bigint FROM imported_facts", &[]);
    assert_eq!(facts, database.count("imported_tickets"));
    let hours: i64 = database.one(
        "SELECT sum(open + in_progress + waiting + escalated + resolved + closed)::bigint FROM imported_by_hour",
        &[],
    );
    assert_eq!(hours, facts);
}
