//! An upgrade while tickets are there, and more come in.

use rand::{SeedableRng, rngs::ChaCha12Rng};
use techsupport_application::ports::ReportFilter;
use techsupport_persistence::{Database, migrate};
use techsupport_tests::TestDatabase;

use super::{catch_up, compare, model::Desk};

/// Between the step that notes changes and the one that makes the sums somebody imports; a down and an up again find
/// sums that knew more than the changes that are left.
#[test]
fn what_was_imported_before_there_were_sums_is_in_them() {
    let database = TestDatabase::migrated();
    let settings = database.settings();
    let mut chance = ChaCha12Rng::seed_from_u64(6);
    let mut desk = Desk::new(&database);
    let down_to = |step: &str| {
        let steps = migrate::status(&settings).unwrap();
        for _ in steps.iter().skip_while(|taken| !taken.name.contains(step)) {
            migrate::down_one(&settings).unwrap();
        }
    };
    down_to("000017");
    desk.import(&mut chance, 300);
    migrate::up(&settings).unwrap();
    let pool = Database::connect(&settings, "sums");
    compare(pool.reports().as_ref(), &desk, &ReportFilter::default());
    assert_eq!(catch_up(&pool, 100), 0, "the sums know it");
    desk.import_again(&mut chance, 100);
    catch_up(&pool, 120);
    drop(pool);
    down_to("000018");
    desk.import_again(&mut chance, 100);
    desk.import(&mut chance, 100);
    migrate::up(&settings).unwrap();
    let pool = Database::connect(&settings, "sums");
    compare(pool.reports().as_ref(), &desk, &ReportFilter::default());
    while catch_up(&pool, 100) > 0 {}
    compare(pool.reports().as_ref(), &desk, &ReportFilter::default());
    drop(pool);
    down_to("000018");
    desk.forget_imported();
    desk.import(&mut chance, 50);
    migrate::up(&settings).unwrap();
    let pool = Database::connect(&settings, "sums");
    compare(pool.reports().as_ref(), &desk, &ReportFilter::default());
}
