//! The total of all tickets, which nobody counts.

use serde_json::json;
use techsupport_tests::{Desk, TestDatabase};

#[test]
fn the_total_follows_what_comes_and_goes() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let total = || admin.get("/api/tickets?pageSize=1").expect(200).json()["total"].clone();
    assert_eq!(total(), 0);
    // Over the number at which the tally is summed up.
    desk.database().one::<i64>("SELECT setval('ticket_numbers', 253)", &[]);
    let tickets: Vec<_> = (0..5).map(|_| desk.ticket(&admin, "VIP")).collect();
    assert_eq!(total(), 5);
    let path = format!("/api/tickets/{}", tickets[1]);
    admin.delete(&path).expect(204);
    assert_eq!(total(), 4);
    admin.post(&format!("{path}/restore"), &json!({})).expect(200);
    admin.patch(&format!("{path}/status"), &json!({"status": "IN_PROGRESS"})).expect(200);
    assert_eq!(total(), 5);
    assert_eq!(desk.database().count("tickets WHERE deleted_at IS NULL"), 5);
}

/// Eight enter tickets at once; some change their minds. None of them waits for another, and what they leave
/// behind stays short.
#[test]
fn the_tally_is_exact_when_many_enter_tickets_at_once() {
    const EACH: i64 = 160;
    let database = TestDatabase::migrated();
    database.execute(
        "INSERT INTO clients (id, name, email, email_folded, tier, company) \
         VALUES (gen_random_uuid(), 'Ana', 'a@example.org', 'a@example.org', 'VIP', 'Forja')",
        &[],
    );
    let insert = "INSERT INTO tickets (id, number, version, title, description, status, priority, client_id, \
                  escalation_level, created_at, updated_at) \
                  SELECT gen_random_uuid(), nextval('ticket_numbers'), 1, 'Broken', 'It is.', 'OPEN', 2, id, 0, now(), now() \
                  FROM clients";
    // What can fail comes before the barrier: one who does not arrive keeps the others waiting.
    let (connections, start) = ([(); 8].map(|()| database.connect()), &std::sync::Barrier::new(8));
    std::thread::scope(|scope| {
        for mut connection in connections {
            scope.spawn(move || {
                start.wait();
                for n in 0..EACH {
                    let mut transaction = connection.transaction().unwrap();
                    transaction.execute(insert, &[]).unwrap();
                    if n % 10 == 0 { transaction.rollback().unwrap() } else { transaction.commit().unwrap() }
                }
            });
        }
    });
    let tickets = database.count("tickets");
    assert_eq!(tickets, 8 * EACH * 9 / 10);
    assert_eq!(database.one::<i64>("SELECT sum(live)::bigint FROM ticket_tally", &[]), tickets);
    assert!(database.count("ticket_tally") < tickets, "nothing was summed up");
    database.execute("DELETE FROM tickets", &[]);
    assert_eq!(database.one::<i64>("SELECT sum(live)::bigint FROM ticket_tally", &[]), 0);
}

/// The indexes leave a change of status what it was: written into the page it is on, with no index touched.
#[test]
fn a_change_of_status_among_those_of_work_is_a_heap_only_update() {
    let mut desk = Desk::with().without_sweep().without_relay().start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "NORMAL");
    // The first one answers the client: there is no deadline any more.
    for status in ["IN_PROGRESS", "WAITING", "IN_PROGRESS", "ESCALATED", "IN_PROGRESS"] {
        admin.patch(&format!("/api/tickets/{ticket}/status"), &json!({"status": status})).expect(200);
    }
    // Statistics arrive when a connection ends.
    desk.stop_api();
    let updates = "SELECT ARRAY[n_tup_upd, n_tup_hot_upd] FROM pg_stat_user_tables WHERE relname = 'tickets'";
    techsupport_tests::eventually("four of five updates were heap-only", || {
        desk.database().one::<Vec<i64>>(updates, &[]) == [5, 4]
    });
}
