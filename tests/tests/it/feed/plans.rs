//! What the feed costs at 200,000 events, by what PostgreSQL counts: nothing reads a table from end to end, neither
//! before nor after there are statistics, and nothing looks at more than it shows.

use std::time::Duration;

use techsupport_application::{
    Budget,
    events::EventType,
    ports::{FeedPosition, FeedQuery, Reader},
};
use techsupport_persistence::Database;
use techsupport_tests::{TestDatabase, await_end_of_others};
use uuid::Uuid;

const FILL: &str = "INSERT INTO outbox (id, type, ticket_id, at, traceparent, body) \
    SELECT ('d0000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, \
        CASE WHEN n % 20000 = 0 THEN 'pro.techsupport.ticket.deleted.v1' \
             WHEN n % 3 = 0 THEN 'pro.techsupport.ticket.created.v1' \
             ELSE 'pro.techsupport.ticket.status_changed.v1' END, gen_random_uuid(), now(), '', '{}' \
    FROM generate_series(1, 200000) n";

/// How often the tables of the feed were read whole, and how many rows were found through an index. What a connection
/// has done is counted at the latest when it ends, so nobody else may keep one.
fn cost(database: &TestDatabase, act: impl FnOnce(&Database)) -> (i64, i64) {
    let mut connection = database.connect();
    let mut counted = || {
        await_end_of_others(&mut connection);
        let sql = "SELECT array[sum(seq_scan)::bigint, sum(coalesce(idx_tup_fetch, 0))::bigint] \
                   FROM pg_stat_user_tables WHERE relname IN ('outbox', 'event_feed')";
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

fn append(pool: &Database) -> u32 {
    pool.feed_keeper(Duration::from_mins(1)).append(1_000).unwrap()
}

/// An idle look, and a pass that finds something.
fn assert_passes_are_cheap(database: &TestDatabase) {
    let idle = cost(database, |pool| assert_eq!(append(pool), 0));
    assert_eq!(idle.0, 0, "an idle look reads no table");
    assert!(idle.1 <= 10, "{idle:?}");
    for _ in 0..3 {
        super::write(&mut database.connect(), Uuid::nil());
    }
    let busy = cost(database, |pool| assert_eq!(append(pool), 3));
    assert_eq!(busy.0, 0, "a pass reads no table");
    assert!(busy.1 <= 50, "{busy:?}");
}

fn read(reader: &dyn Reader, after: i64, types: &[EventType], expected: usize) {
    let query = FeedQuery { after: FeedPosition(after), types: types.to_vec(), limit: 100 };
    let found = reader.feed(&Budget::lasting(Duration::from_mins(1)), &query).unwrap().unwrap();
    assert_eq!(found.len(), expected, "{query:?}");
}

#[test]
fn neither_passes_nor_readers_go_through_the_past() {
    let database = TestDatabase::migrated();
    database.execute(FILL, &[]);
    let pool = Database::connect(&database.settings(), "filling");
    while append(&pool) > 0 {}
    drop(pool);
    assert_eq!(database.count("event_feed"), 200_000);
    assert_passes_are_cheap(&database);
    for table in ["outbox", "event_feed"] {
        database.execute(&format!("VACUUM ANALYZE {table}"), &[]);
    }
    assert_passes_are_cheap(&database);
    let (deleted, created) = (EventType::TicketDeleted, EventType::TicketCreated);
    for (after, types, expected) in [
        (0, vec![], 100),
        (150_000, vec![], 100),
        (200_006, vec![], 0),
        (0, vec![deleted], 10),
        (150_000, vec![deleted], 3),
        (0, vec![EventType::SlaBreached], 0),
        (100_000, vec![deleted, created, EventType::SlaWarning], 100),
        (199_000, EventType::ALL.to_vec(), 100),
    ] {
        let cost = cost(&database, |pool| read(pool.reader().as_ref(), after, &types, expected));
        assert_eq!(cost.0, 0, "{types:?} read a table whole");
        assert!(cost.1 <= 1_500, "{types:?}: {cost:?}");
    }
}
