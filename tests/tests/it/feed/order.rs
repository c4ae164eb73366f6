//! In which order events get into the feed.

use uuid::Uuid;

use super::{append, by_hand, page, stored, walk, write};

#[test]
fn who_commits_late_comes_late_and_is_not_missed() {
    let desk = by_hand();
    let supervisor = desk.supervisor();
    let (mut slow, mut quick) = (desk.database().connect(), desk.database().connect());
    let mut open = slow.transaction().unwrap();
    let mut part = open.savepoint("part").unwrap();
    let late = write(&mut part, Uuid::nil());
    part.commit().unwrap();
    let early = write(&mut quick, Uuid::nil());
    assert_eq!(append(&desk, 100), 1);
    let (read, cursor) = page(&supervisor, "", "");
    assert_eq!(read, [early], "the one with the later number is there first");
    assert_eq!(append(&desk, 100), 0);
    let unheard = write(&mut quick, Uuid::nil());
    assert_eq!(append(&desk, 100), 1);
    open.commit().unwrap();
    assert_eq!(append(&desk, 100), 1);
    let (rest, _) = page(&supervisor, &cursor, "");
    assert_eq!(rest, [unheard, late], "behind what was read already");
    assert_eq!(append(&desk, 100), 0);
}

#[test]
fn what_was_rolled_back_never_appears() {
    let desk = by_hand();
    let mut connection = desk.database().connect();
    let mut lost = connection.transaction().unwrap();
    write(&mut lost, Uuid::nil());
    assert_eq!(append(&desk, 100), 0);
    lost.rollback().unwrap();
    let kept = write(&mut connection, Uuid::nil());
    assert_eq!(append(&desk, 100), 1);
    assert_eq!(stored(&desk), [kept]);
}

/// A transaction that began first may write last, after it has waited for the ticket. Neither its number nor its
/// beginning tells, and no batch is so small that it would.
#[test]
fn what_one_change_saw_of_another_comes_after_it_however_many_at_a_time() {
    let desk = by_hand();
    let connect = || desk.database().connect();
    let (mut first, mut second) = (connect(), connect());
    let mut waited = first.transaction().unwrap();
    let number = "SELECT pg_current_xact_id()::text";
    let earlier: String = waited.query_one(number, &[]).unwrap().get(0);
    let mut expected = Vec::new();
    for _ in 0..5 {
        let mut change = second.transaction().unwrap();
        let later: String = change.query_one(number, &[]).unwrap().get(0);
        assert!(earlier.parse::<u64>().unwrap() < later.parse::<u64>().unwrap());
        expected.push(write(&mut change, Uuid::nil()));
        change.commit().unwrap();
    }
    expected.push(write(&mut waited, Uuid::nil()));
    waited.commit().unwrap();
    expected.push(write(&mut second, Uuid::nil()));
    let taken: Vec<u32> = (0..5).map(|_| append(&desk, 2)).collect();
    assert_eq!(taken, [2, 2, 2, 1, 0]);
    assert_eq!(stored(&desk), expected);
}

#[test]
fn one_transaction_stays_together_in_its_order() {
    let desk = by_hand();
    let supervisor = desk.supervisor();
    let mut connection = desk.database().connect();
    let mut change = connection.transaction().unwrap();
    let events: Vec<Uuid> = (0..30).map(|_| write(&mut change, Uuid::nil())).collect();
    change.commit().unwrap();
    while append(&desk, 7) > 0 {}
    assert_eq!(walk(&supervisor, ""), events);
    assert_eq!(walk(&supervisor, "&limit=1"), events);
}

/// The end of the feed is one row: whoever holds it has the others come back later, and keeps nobody waiting.
#[test]
fn passes_do_not_wait_for_each_other() {
    let desk = by_hand();
    let mut connection = desk.database().connect();
    let event = write(&mut connection, Uuid::nil());
    let mut holding = connection.transaction().unwrap();
    holding.execute("SELECT FROM event_feed_end FOR UPDATE", &[]).unwrap();
    assert_eq!(append(&desk, 100), 0);
    holding.rollback().unwrap();
    assert_eq!(append(&desk, 100), 1);
    assert_eq!(stored(&desk), [event]);
}
