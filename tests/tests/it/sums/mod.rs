//! Reports at the level of the database: over random tickets, against a computation that shares nothing with them, with
//! sums that know everything, something or nothing of what was imported.

mod by_hand;
mod clusters;
mod meanwhile;
mod model;
mod plans;
mod upgrade;

use std::time::Duration;

use model::{Desk, expected};
use rand::{RngExt, SeedableRng, rngs::ChaCha12Rng};
use techsupport_application::{
    Budget,
    ports::{ReportFilter, Reports, Source},
};
use techsupport_domain::{ClientTier, Zone};
use techsupport_persistence::Database;
use techsupport_tests::TestDatabase;
use time::OffsetDateTime;

const ZONES: [&str; 6] =
    ["UTC", "Europe/Madrid", "Asia/Kolkata", "America/St_Johns", "Pacific/Apia", "Asia/Kathmandu"];

fn budget() -> Budget {
    Budget::lasting(Duration::from_mins(1))
}

fn at(us: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(us) * 1_000).unwrap()
}

/// Moves so many changes into the sums; says how many there were.
fn catch_up(pool: &Database, limit: u32) -> u32 {
    pool.imported_sums(Duration::from_mins(1)).catch_up(limit).unwrap()
}

fn one_of<T: Copy>(chance: &mut ChaCha12Rng, from: &[T]) -> T {
    from[chance.random_range(0..from.len())]
}

/// Any combination of conditions; times are those of tickets as often as not, or a microsecond beside.
fn filter(chance: &mut ChaCha12Rng, desk: &Desk) -> ReportFilter {
    let mut time = || {
        let near = desk.some_time(chance) + chance.random_range(-1..=1);
        chance.random_bool(0.5).then(|| at(near))
    };
    let (from, to) = (time(), time());
    let (from, to) = if from > to && to.is_some() { (to, from) } else { (from, to) };
    ReportFilter {
        source: one_of(chance, &[None, None, Some(Source::Live), Some(Source::Imported)]),
        tier: one_of(chance, &[None, None, Some(ClientTier::Vip), Some(ClientTier::Normal)]),
        zone: Zone::parse(one_of(chance, &ZONES)).unwrap(),
        from,
        to,
    }
}

fn compare(reports: &dyn Reports, desk: &Desk, filter: &ReportFilter) {
    let budget = budget();
    let name = filter.zone.name();
    assert_eq!(
        reports.average_resolution(&budget, filter).unwrap(),
        expected::average_resolution(desk, filter),
        "{filter:?}"
    );
    assert_eq!(
        reports.escalated_per_month(&budget, filter).unwrap(),
        expected::escalated_per_month(desk, filter, name),
        "{filter:?}"
    );
    assert_eq!(
        reports.weekly_status(&budget, filter).unwrap(),
        expected::weekly_status(desk, filter, name),
        "{filter:?}"
    );
    for limit in [1, 5, 100] {
        assert_eq!(
            reports.top_agents(&budget, filter, limit).unwrap(),
            expected::top_agents(desk, filter, limit.into()),
            "{limit} {filter:?}"
        );
    }
    assert_eq!(
        reports.compliance(&budget, filter).unwrap(),
        expected::compliance(desk, filter, name),
        "{filter:?}"
    );
    assert_eq!(reports.backlog(&budget, filter).unwrap(), expected::backlog(desk, filter), "{filter:?}");
}

/// Whatever the sums know: nothing yet, a part, everything, or not the latest changes.
#[test]
fn reports_say_what_the_tickets_come_to_however_far_the_sums_are() {
    let database = TestDatabase::migrated();
    let pool = Database::connect(&database.settings(), "sums");
    let reports = pool.reports();
    let mut chance = ChaCha12Rng::seed_from_u64(4);
    let mut desk = Desk::new(&database);
    let compare_some = |desk: &Desk, chance: &mut ChaCha12Rng| {
        compare(reports.as_ref(), desk, &ReportFilter::default());
        for _ in 0..20 {
            compare(reports.as_ref(), desk, &filter(chance, desk));
        }
    };
    compare_some(&desk, &mut chance);
    desk.enter_live(&mut chance, 400);
    desk.import(&mut chance, 2_500);
    compare_some(&desk, &mut chance);
    let waiting = || pool.reader().backlog(&budget()).unwrap().unsummed_changes;
    assert_eq!(waiting(), 2_500);
    assert_eq!(catch_up(&pool, 700), 700);
    assert_eq!(waiting(), 1_800);
    compare_some(&desk, &mut chance);
    while catch_up(&pool, 700) > 0 {}
    assert_eq!((database.count("imported_changes"), waiting()), (0, 0));
    compare_some(&desk, &mut chance);
    // Again, with other facts, and some for the first time; more than once before anybody looks.
    desk.import_again(&mut chance, 600);
    desk.import_again(&mut chance, 600);
    desk.import(&mut chance, 300);
    compare_some(&desk, &mut chance);
    while catch_up(&pool, 131) > 0 {
        compare(reports.as_ref(), &desk, &filter(&mut chance, &desk));
    }
    compare_some(&desk, &mut chance);
    desk.remove_imported(&mut chance, 500);
    assert_eq!(catch_up(&pool, 250), 250);
    compare_some(&desk, &mut chance);
    while catch_up(&pool, 10_000) > 0 {}
    compare_some(&desk, &mut chance);
    let facts: i64 = database.one("SELECT sum(tickets)::bigint FROM imported_facts", &[]);
    assert_eq!(facts, database.count("imported_tickets"));
    let negative = "imported_facts WHERE tickets <= 0";
    assert_eq!(database.count(negative), 0);
    desk.forget_imported();
    compare_some(&desk, &mut chance);
    desk.import(&mut chance, 200);
    assert_eq!(catch_up(&pool, 10_000), 200);
    compare_some(&desk, &mut chance);
}

/// A change of a ticket may come to the sums before what it changes.
#[test]
fn the_order_in_which_changes_come_to_the_sums_does_not_matter() {
    let database = TestDatabase::migrated();
    let pool = Database::connect(&database.settings(), "sums");
    let mut chance = ChaCha12Rng::seed_from_u64(5);
    let mut desk = Desk::new(&database);
    desk.import(&mut chance, 300);
    for _ in 0..3 {
        desk.import_again(&mut chance, 200);
        database.connect().batch_execute(
            "CREATE TEMPORARY TABLE shuffled AS SELECT * FROM imported_changes ORDER BY md5(ctid::text || tickets); \
             TRUNCATE imported_changes; INSERT INTO imported_changes SELECT * FROM shuffled",
        ).unwrap();
        assert_eq!(catch_up(&pool, 97), 97);
        compare(pool.reports().as_ref(), &desk, &filter(&mut chance, &desk));
    }
    while catch_up(&pool, 97) > 0 {
        compare(pool.reports().as_ref(), &desk, &filter(&mut chance, &desk));
    }
    compare(pool.reports().as_ref(), &desk, &ReportFilter::default());
    assert_eq!(database.count("imported_facts WHERE tickets <= 0"), 0, "what came too early was taken back");
}
