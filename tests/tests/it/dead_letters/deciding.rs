//! What an administrator may decide, and how often.

use std::{sync::Barrier, thread, time::Duration};

use serde_json::Value;
use techsupport_application::{
    AppError,
    dead_letters::{forget_dead_letters, replay_all_dead_letters},
    ports::FoundDeadLetter,
};
use techsupport_tests::{Desk, DeskBuilder};
use time::macros::datetime;

use super::{Administrator, given_up, given_up_as, is_unknown, new_id, rows};

/// Nothing is collected, nothing put back, and nothing forgotten.
fn quiet() -> DeskBuilder {
    Desk::with().set("DEAD_LETTERS__REPLAY", false).set("DEAD_LETTERS__FORGET", false)
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
    desk.database().execute("UPDATE dead_letters SET state = 'REPLAYED', settled_at = now()", &[]);
    administrator.replay(id).unwrap();
    assert!(is_unknown(&administrator.discard(id)), "it is back");
    assert_eq!(rows(&desk, "REPLAYED"), 1, "it does not go back a second time");
    assert!(administrator.keep(&given_up_as("a", |message| message.replay = 1)), "the next death is another");
}

/// The broker lost its disk after the replay; somebody had the event published again, as new; and it died again.
#[test]
fn a_death_after_the_replay_is_not_taken_for_the_one_before_it() {
    let desk = quiet().start();
    let administrator = Administrator::of(&desk);
    let given_up_at = |at, why: &str| {
        let found = given_up_as("a", |message| message.attempts = 7);
        FoundDeadLetter { failed_at: Some(at), error: why.into(), ..found }
    };
    administrator.keep(&given_up_at(datetime!(2026-02-02 00:00 UTC), "at first"));
    let id = administrator.list(None)[0].id;
    let replayed = "UPDATE dead_letters SET state = 'REPLAYED', settled_at = '2026-02-03Z', settled_by = id";
    desk.database().execute(replayed, &[]);
    let before = given_up_at(datetime!(2026-02-02 12:00 UTC), "at first");
    assert!(!administrator.keep(&before), "a late copy of the same death is recognized");
    assert_eq!(rows(&desk, "REPLAYED"), 1);

    let after = given_up_at(datetime!(2026-02-04 00:00 UTC), "once more");
    assert!(administrator.keep(&after));
    assert!(!administrator.keep(&after));
    let listed = administrator.list(None);
    let [letter] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!(
        (letter.id, letter.error.as_str(), letter.failed_at),
        (id, "once more", after.failed_at.unwrap())
    );
    administrator.replay(id).unwrap();
    assert_eq!(rows(&desk, "QUEUED"), 1);
}

#[test]
fn one_on_its_way_can_be_discarded_unless_it_is_being_published_at_this_moment() {
    let desk = quiet().set("DATABASE__LOCK_TIMEOUT_MS", 60_000).start();
    let administrator = Administrator::of(&desk);
    administrator.keep(&given_up("a"));
    let id = administrator.list(None)[0].id;
    administrator.replay(id).unwrap();
    assert!(administrator.list(None).is_empty());

    // The pass holds what it is publishing. Nobody waits for it.
    let mut pass = desk.database().connect();
    let mut held = pass.transaction().unwrap();
    held.execute("SELECT FROM dead_letters FOR UPDATE", &[]).unwrap();
    administrator.replay(id).unwrap();
    assert!(is_unknown(&administrator.discard(id)));
    held.execute("UPDATE dead_letters SET replay_error = 'no queue took it'", &[]).unwrap();
    held.commit().unwrap();

    let listed = administrator.list(Some("sla-events"));
    let [letter] = &listed[..] else { panic!("{listed:?}") };
    let why = "it could not be put back yet: no queue took it; it was given up: on purpose";
    assert_eq!((letter.id, letter.error.as_str()), (id, why));
    administrator.discard(id).unwrap();
    assert_eq!((rows(&desk, "DISCARDED"), administrator.list(None).len()), (1, 0));
}

/// A delivery belongs to the subscription whose worker has channels.
#[test]
fn only_the_deliveries_of_its_own_subscription_are_tried_again() {
    let desk = quiet().start();
    let administrator = Administrator::of(&desk);
    let event = new_id();
    for queue in ["sla-events", "webhook-events"] {
        administrator.keep(&given_up_as("a", |message| {
            message.queue = queue.into();
            message.body = super::breach(event).into_bytes();
        }));
    }
    let delivery = "INSERT INTO deliveries (event_id, channel, state, attempts, last_error, settled_at) VALUES                     ($1, 'log', 'DEAD', 5, 'no', now()), ($1, 'other', 'PENDING', 3, 'no', NULL)";
    desk.database().execute(delivery, &[&event]);
    let told = || {
        desk.database().all::<String>(
            "SELECT concat_ws(' ', channel, state, attempts, forgiven) FROM deliveries ORDER BY channel",
            &[],
        )
    };
    let id_of = |queue| administrator.list(Some(queue))[0].id;
    let (webhook, sla) = (id_of("webhook-events"), id_of("sla-events"));
    administrator.replay(webhook).unwrap();
    assert_eq!(told(), ["log DEAD 5 0", "other PENDING 3 0"], "nobody replays what the log was not told");
    administrator.replay(sla).unwrap();
    assert_eq!(told(), ["log PENDING 5 5", "other PENDING 3 0"], "what is being tried goes on");
    administrator.discard(sla).unwrap();
    assert_eq!(told(), ["log DEAD 5 5", "other PENDING 3 0"], "nobody would try it");
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

/// Of those who decide about one row at once, none is in the way of another, and what is discarded stays so.
#[test]
fn of_replay_and_discard_at_once_the_discard_is_the_last() {
    let desk = quiet().start();
    let administrator = Administrator::of(&desk);
    for n in 0..30 {
        administrator.keep(&given_up(&n.to_string()));
    }
    let letters = administrator.list(None);
    let start = Barrier::new(3);
    let deciders = [0, 1, 2].map(|who| (who, Administrator::of(&desk)));
    let decided: Vec<Vec<Result<(), AppError>>> = thread::scope(|scope| {
        let deciders = deciders.map(|(who, administrator)| {
            let (letters, start) = (&letters, &start);
            scope.spawn(move || {
                let decide = |id| {
                    // Whoever panicked here would keep the others waiting for ever.
                    start.wait();
                    match who {
                        0 => administrator.discard(id),
                        1 => administrator.replay(id),
                        _ => administrator.call(|ctx| replay_all_dead_letters(ctx, 1)).map(drop),
                    }
                };
                letters.iter().map(|letter| decide(letter.id)).collect()
            })
        });
        deciders.map(|decider| decider.join().unwrap()).into()
    });
    for outcome in decided.iter().flatten() {
        assert!(outcome.is_ok() || is_unknown(outcome), "{outcome:?}");
    }
    let discarded = decided[0].iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(rows(&desk, "DISCARDED"), i64::try_from(discarded).unwrap());
    assert_eq!(rows(&desk, "QUEUED"), 30 - rows(&desk, "DISCARDED"));
    assert_eq!(
        desk.database().count("audit_log WHERE action = 'DEAD_LETTER_DISCARDED'"),
        rows(&desk, "DISCARDED")
    );
    assert_eq!(discarded, 30, "nothing was being published");
    let told =
        "SELECT count(*) = count(DISTINCT target_id) FROM audit_log WHERE action = 'DEAD_LETTER_REPLAYED'";
    assert!(
        desk.database().one::<bool>(told, &[]),
        "nobody has one put back that somebody else has put back"
    );
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
