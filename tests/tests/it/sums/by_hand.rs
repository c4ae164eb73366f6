//! What an operator does about the sums, as docs/operations.md says it.

use rand::{SeedableRng, rngs::ChaCha12Rng};
use techsupport_application::ports::ReportFilter;
use techsupport_persistence::Database;
use techsupport_tests::TestDatabase;

use super::{catch_up, compare, model::Desk};

/// The indented blocks of the section, in order.
fn blocks() -> Vec<String> {
    let manual = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operations.md");
    let manual = std::fs::read_to_string(manual).unwrap();
    let (_, section) = manual.split_once("\n## Sums of imported tickets\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let paragraphs = section.split("\n\n").filter(|paragraph| paragraph.starts_with("    "));
    paragraphs.map(str::to_owned).collect()
}

/// Each statement by itself, as psql does it.
fn run(database: &TestDatabase, block: &str) {
    let mut connection = database.connect();
    for statement in block.split_inclusive(';') {
        connection.batch_execute(statement).unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    }
}

/// Whether tickets and sums come to the same.
fn agree(database: &TestDatabase, question: &str) -> bool {
    let question = question.trim().trim_end_matches(';');
    let numbers: Vec<i64> = database.one(
        &format!("SELECT array[tickets, in_facts, in_hours, resolved, in_durations]::bigint[] FROM ({question}) AS q"),
        &[],
    );
    numbers[0] == numbers[1] && numbers[0] == numbers[2] && numbers[3] == numbers[4]
}

#[test]
fn sums_can_be_held_against_the_tickets_and_made_anew() {
    let [question, anew, all_anew]: [String; 3] = blocks().try_into().unwrap();
    let database = TestDatabase::migrated();
    let pool = Database::connect(&database.settings(), "sums");
    let mut chance = ChaCha12Rng::seed_from_u64(7);
    let mut desk = Desk::new(&database);
    assert!(agree(&database, &question), "nothing is nothing");
    desk.import(&mut chance, 400);
    assert_eq!(catch_up(&pool, 300), 300);
    desk.import_again(&mut chance, 100);
    assert!(agree(&database, &question));
    let spoil = |statement: &str| {
        database.execute(statement, &[]);
        assert!(!agree(&database, &question), "after {statement}");
    };
    for statement in [
        "DELETE FROM imported_facts WHERE ctid IN (SELECT ctid FROM imported_facts LIMIT 7)",
        "UPDATE imported_by_hour SET open = open + 1",
        "DELETE FROM imported_by_duration",
    ] {
        spoil(statement);
        run(&database, &anew);
        assert!(agree(&database, &question), "{statement}");
        compare(pool.reports().as_ref(), &desk, &ReportFilter::default());
    }
    assert!(database.count("imported_changes") > 0, "what waits is still to be moved");
    spoil(
        "DELETE FROM imported_changes WHERE ctid IN (SELECT ctid FROM imported_changes WHERE tickets = 1 LIMIT 9)",
    );
    run(&database, &all_anew);
    assert!(agree(&database, &question));
    compare(pool.reports().as_ref(), &desk, &ReportFilter::default());
    assert_eq!(catch_up(&pool, 1_000), 0);
    desk.import_again(&mut chance, 100);
    while catch_up(&pool, 1_000) > 0 {}
    compare(pool.reports().as_ref(), &desk, &ReportFilter::default());
}
