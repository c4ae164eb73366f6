//! Plans are kept, because planning takes longer than the work; but not for ever, because tables grow.

use std::time::Duration;

use techsupport_application::{Budget, ports::UnitOfWorkExt};
use techsupport_domain::TicketId;
use techsupport_persistence::{Database, DatabaseSettings};
use techsupport_tests::{TestDatabase, await_end_of_others};
use uuid::Uuid;

const MANY: i64 = 20_000;

/// Many tickets at once.
const FILL: &str = "
INSERT INTO clients (id, name, email, email_folded, tier, company)
VALUES ('c0000000-0000-7000-8000-000000000000', 'Ana', 'ana@example.org', 'ana@example.org', 'VIP', 'Forja SL');
INSERT INTO tickets (id, number, version, title, description, status, priority, client_id, escalation_level, created_at,
    updated_at)
SELECT gen_random_uuid(), 1000000 + n, 1, 'Printer', 'Offline', 'OPEN', 2, 'c0000000-0000-7000-8000-000000000000', 0,
    now(), now()
FROM generate_series(1, 20000) n";

#[test]
fn a_plan_from_when_a_table_was_empty_does_not_read_all_of_it_later() {
    let database = TestDatabase::migrated();
    // Whoever counts rows also has plans thrown away, sooner or later.
    database.execute("ALTER TABLE tickets SET (autovacuum_enabled = false)", &[]);
    let settings = DatabaseSettings { pool_size: 1, plan_lifetime_ms: 0, ..database.settings() };
    let pool = Database::connect(&settings, "plans");
    let work = pool.unit_of_work();
    let look_for_a_ticket = || {
        let budget = Budget::lasting(Duration::from_secs(30));
        let nobody = TicketId::new(Uuid::from_u128(7));
        assert!(work.run_for(&budget, |tx| tx.lock_ticket(nobody)).unwrap().is_none());
    };
    look_for_a_ticket();
    database.connect().batch_execute(FILL).unwrap();
    let looked_at = || -> i64 {
        database.one(
            "SELECT (coalesce(idx_tup_fetch, 0) + seq_tup_read)::bigint FROM pg_stat_user_tables WHERE relname = 'tickets'",
            &[],
        )
    };
    look_for_a_ticket();
    drop((work, pool));
    // What a connection has done is counted at the latest when it ends.
    await_end_of_others(&mut database.connect());
    let rows = looked_at();
    assert!(rows < MANY / 10, "{rows} rows were looked at to find none");
}
