//! What the feed makes of databases with a past.

use uuid::Uuid;

use super::{append, by_hand, stored, write};

/// Events from before there was a feed have neither number nor transaction.
#[test]
fn events_of_an_earlier_release_come_first_by_their_time() {
    let desk = by_hand();
    let mut connection = desk.database().connect();
    let old: Vec<Uuid> = (0..10).map(|_| write(&mut connection, Uuid::nil())).collect();
    for (n, event) in old.iter().enumerate() {
        let sql = "UPDATE outbox SET tx = NULL, seq = NULL, created_at = now() - make_interval(hours => $2) \
                   WHERE id = $1";
        connection.execute(sql, &[event, &i32::try_from(n).unwrap()]).unwrap();
    }
    let new = write(&mut connection, Uuid::nil());
    connection.execute("UPDATE event_feed_end SET seen = NULL, cluster = NULL", &[]).unwrap();
    while append(&desk, 4) > 0 {}
    let expected: Vec<Uuid> = old.into_iter().rev().chain([new]).collect();
    assert_eq!(stored(&desk), expected);
}

/// After a restore into another cluster the numbers of transactions mean nothing any more, whether they are higher
/// than those the cluster counts, or in their midst.
#[test]
fn a_restored_database_loses_and_repeats_nothing() {
    for numbers in ["(pg_current_xact_id()::text::bigint + 1000000)::text::xid8", "'3'::xid8"] {
        let desk = by_hand();
        let mut connection = desk.database().connect();
        let mut expected: Vec<Uuid> = (0..10).map(|_| write(&mut connection, Uuid::nil())).collect();
        while append(&desk, 4) > 0 {}
        expected.extend((0..10).map(|_| write(&mut connection, Uuid::nil())));
        connection.execute(&format!("UPDATE outbox SET tx = {numbers}"), &[]).unwrap();
        connection.execute("UPDATE event_feed_end SET cluster = 1, seen = '900:900:'", &[]).unwrap();
        expected.push(write(&mut connection, Uuid::nil()));
        while append(&desk, 4) > 0 {}
        assert_eq!(stored(&desk), expected, "{numbers}");
        expected.push(write(&mut connection, Uuid::nil()));
        assert_eq!((append(&desk, 4), append(&desk, 4)), (1, 0), "{numbers}");
        assert_eq!(stored(&desk), expected, "{numbers}");
    }
}

#[test]
fn a_cursor_from_before_the_database_was_set_back_is_refused() {
    let desk = by_hand();
    let supervisor = desk.supervisor();
    let mut connection = desk.database().connect();
    for _ in 0..3 {
        write(&mut connection, Uuid::nil());
    }
    append(&desk, 100);
    let (_, cursor) = super::page(&supervisor, "", "");
    connection.batch_execute("DELETE FROM event_feed; UPDATE event_feed_end SET last_position = 0").unwrap();
    let problem = supervisor.get(&format!("/api/events?after={cursor}")).expect_problem(400, "invalid-input");
    assert_eq!(problem.json()["errors"][0]["parameter"], "after");
}
