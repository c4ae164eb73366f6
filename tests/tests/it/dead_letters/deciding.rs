//! What an administrator may decide, and how often.

use std::{sync::Barrier, thread, time::Duration};

use serde_json::Value;
use techsupport_application::{dead_letters::forget_dead_letters, ports::FoundDeadLetter};
use techsupport_tests::{Desk, DeskBuilder};
use time::macros::datetime;

use super::{Administrator, given_up, given_up_as, is_unknown, new_id, rows};

/// Nothing is collected, and nothing put back.
fn quiet() -> DeskBuilder {
    Desk::with().set("DEAD_LETTERS__REPLAY", false)
}

#[test]
fn a_replay_is_decided_once() {
    let desk = quiet().start();
    let administrator = Administrator::of(&desk);
    administrator.keep(&given_up("a"));
    let id = administrator.list(None)[0].id;
    assert!(is_unknown(&administrator.replay(new_id())));
    administrator.replay(id).unwrap();
    assert!(administrator.list(None).is_empty(), "nobody has to decide about it any more");
    administrator.replay(id).unwrap();
    assert!(is_unknown(&administrator.discard(id)), "it is on its way");
    desk.database().execute("UPDATE dead_letters SET state = 'REPLAYED', settled_at = now()", &[]);
    administrator.replay(id).unwrap();
    assert_eq!(rows(&desk, "REPLAYED"), 1, "it does not go back a second time");
    assert!(!administrator.keep(&given_up("a")), "a late copy of the same death is recognized");
    assert!(administrator.keep(&given_up_as("a", |message| message.replay = 1)), "the next death is another");
}

#[test]
fn what_is_discarded_is_gone_and_written_down() {
    let desk = quiet().start();
    let administrator = Administrator::of(&desk);
    let event = new_id();
    let found = given_up_as("a", |message| message.body = super::breach(event).into_bytes());
    administrator.keep(&found);
    let id = administrator.list(None)[0].id;
    administrator.discard(id).unwrap();
    for outcome in [administrator.discard(id), administrator.replay(id)] {
        assert!(is_unknown(&outcome), "{outcome:?}");
    }
    assert_eq!(desk.database().count("dead_letters WHERE state = 'DISCARDED' AND body IS NULL"), 1);
    let entry = "SELECT jsonb_build_object('kind', target_kind, 'id', target_id, 'detail', detail) \
                 FROM audit_log WHERE action = 'DEAD_LETTER_DISCARDED'";
    let entries = desk.database().all::<Value>(entry, &[]);
    let expected = serde_json::json!({
        "kind": "DEAD_LETTER", "id": id, "detail": {"queue": "sla-events", "eventId": event},
    });
    assert_eq!(entries, [expected]);
    assert!(!administrator.keep(&found));
}

/// Of those who decide about one row at once, one has it.
#[test]
fn replay_and_discard_at_once_do_not_both_happen() {
    let desk = quiet().start();
    let administrator = Administrator::of(&desk);
    for n in 0..30 {
        administrator.keep(&given_up(&n.to_string()));
    }
    let letters = administrator.list(None);
    let start = Barrier::new(3);
    let deciders = [0, 1, 2].map(|who| (who, Administrator::of(&desk)));
    let decided: Vec<Vec<bool>> = thread::scope(|scope| {
        let deciders = deciders.map(|(who, administrator)| {
            let (letters, start) = (&letters, &start);
            scope.spawn(move || {
                let decide = |id| {
                    start.wait();
                    let outcome = match who {
                        0 => administrator.discard(id),
                        1 => administrator.replay(id),
                        _ => {
                            administrator.replay_all(1);
                            Ok(())
                        }
                    };
                    assert!(outcome.is_ok() || is_unknown(&outcome), "{outcome:?}");
                    outcome.is_ok()
                };
                letters.iter().map(|letter| decide(letter.id)).collect()
            })
        });
        deciders.map(|decider| decider.join().unwrap()).into()
    });
    let discarded = decided[0].iter().filter(|done| **done).count();
    assert_eq!(rows(&desk, "DISCARDED"), i64::try_from(discarded).unwrap());
    assert_eq!(rows(&desk, "QUEUED"), 30 - rows(&desk, "DISCARDED"));
    assert_eq!(
        desk.database().count("audit_log WHERE action = 'DEAD_LETTER_DISCARDED'"),
        rows(&desk, "DISCARDED")
    );
    for (discarded, replayed) in decided[0].iter().zip(&decided[1]) {
        assert_ne!(discarded, replayed, "exactly one of the two");
    }
}

#[test]
fn all_go_back_within_the_limit_oldest_first() {
    let desk = quiet().start();
    let administrator = Administrator::of(&desk);
    for (key, at) in [
        ("middle", datetime!(2026-02-02 00:00 UTC)),
        ("newest", datetime!(2026-03-03 00:00 UTC)),
        ("oldest", datetime!(2026-01-01 00:00 UTC)),
    ] {
        administrator.keep(&FoundDeadLetter { failed_at: Some(at), ..given_up(key) });
    }
    let listed: Vec<String> =
        administrator.list(None).into_iter().map(|letter| String::from_utf8(letter.body).unwrap()).collect();
    assert_eq!(listed, ["newest", "middle", "oldest"]);
    let first = administrator.replay_all(2);
    assert_eq!((first.queued, first.remaining), (2, 1));
    assert_eq!(administrator.list(None)[0].body, b"newest");
    let second = administrator.replay_all(2);
    assert_eq!((second.queued, second.remaining), (1, 0));
    assert_eq!(administrator.replay_all(2).queued, 0);
}

#[test]
fn pages_of_many_miss_none_and_repeat_none() {
    let desk = quiet().start();
    let administrator = Administrator::of(&desk);
    let at = Some(datetime!(2026-02-02 00:00 UTC));
    for n in 0..40 {
        let queue = if n % 2 == 0 { "sla-events" } else { "ticket-imports" }.to_owned();
        let found = given_up_as(&n.to_string(), |message| message.queue = queue);
        administrator.keep(&FoundDeadLetter { failed_at: at, ..found });
    }
    let mut ids: Vec<_> = administrator.list(None).iter().map(|letter| letter.id).collect();
    assert_eq!(ids.len(), 40);
    assert!(ids.is_sorted_by(|one, next| one > next), "all at one time: by id, latest first");
    ids.dedup();
    assert_eq!(ids.len(), 40);
    assert_eq!(administrator.list(Some("ticket-imports")).len(), 20);
}

#[test]
fn only_what_was_settled_long_ago_is_forgotten() {
    let desk = quiet().start();
    let administrator = Administrator::of(&desk);
    for key in ["dead", "queued", "replayed", "discarded", "lately"] {
        administrator.keep(&given_up(key));
    }
    desk.database().execute(
        "UPDATE dead_letters SET state = upper(message_key), body = CASE WHEN message_key <> 'discarded' THEN body END, \
         settled_at = CASE WHEN message_key IN ('replayed', 'discarded') THEN now() - interval '8 days' END, \
         collected_at = now() - interval '1 year', failed_at = now() - interval '1 year' \
         WHERE message_key <> 'lately'",
        &[],
    );
    desk.database().execute(
        "UPDATE dead_letters SET state = 'REPLAYED', settled_at = now() WHERE message_key = 'lately'",
        &[],
    );
    let week = Duration::from_hours(168);
    let forgotten =
        [1, 10, 10].map(|most| administrator.call(|ctx| forget_dead_letters(ctx, week, most)).unwrap());
    assert_eq!(forgotten, [1, 1, 0]);
    let mut left = desk.database().all::<String>("SELECT message_key FROM dead_letters", &[]);
    left.sort();
    assert_eq!(left, ["dead", "lately", "queued"]);
}
