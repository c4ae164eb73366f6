//! A hundred poisoned messages among ten thousand.

use std::{collections::BTreeSet, sync::Barrier, thread};

use lapin::{BasicProperties, options::BasicPublishOptions};
use techsupport_application::{AppError, ports::DeadLetterRow};
use techsupport_tests::{Desk, Queue, eventually};
use uuid::Uuid;

use super::{Administrator, Receiver, Telling, await_empty_queues, await_rows, breach, new_id, rows};

const MESSAGES: usize = 10_000;
const POISONED: usize = 100;

/// All in one go: one after the other would take too long.
fn publish(desk: &Desk, events: &[Uuid]) {
    let main = desk.broker().name(Queue::Main);
    desk.broker().run(async |channel| {
        for batch in events.chunks(500) {
            let mut confirms = Vec::new();
            for event in batch {
                let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
                let properties = BasicProperties::default()
                    .with_delivery_mode(2)
                    .with_message_id(event.to_string().into());
                let body = breach(*event);
                let publishing = channel.basic_publish(
                    "".into(),
                    main.as_str().into(),
                    options,
                    body.as_bytes(),
                    properties,
                );
                confirms.push(publishing.await.unwrap());
            }
            for confirm in confirms {
                assert!(confirm.await.unwrap().is_ack());
            }
        }
    });
}

#[test]
fn each_is_seen_replayed_three_times_at_once_and_has_its_effect_once() {
    let desk = Desk::with().collecting().replicas(2).start();
    desk.await_topology();
    let events: Vec<Uuid> = (0..MESSAGES).map(|_| new_id()).collect();
    let poisoned: BTreeSet<Uuid> = events.iter().step_by(MESSAGES / POISONED).copied().collect();
    assert_eq!(poisoned.len(), POISONED);
    let receiver = Receiver::default();
    receiver.refuse(poisoned.iter().copied());
    publish(&desk, &events);
    let _worker = Telling::start(&desk, &receiver);
    for so_many in (1_000..=MESSAGES - POISONED).step_by(1_000).chain([MESSAGES - POISONED]) {
        eventually(&format!("{so_many} are told"), || receiver.told().len() >= so_many);
    }
    await_rows(&desk, "DEAD", 100);

    let letters = Administrator::of(&desk).list(Some("sla-events"));
    let seen: BTreeSet<Uuid> =
        desk.database().all::<Uuid>("SELECT event_id FROM dead_letters", &[]).into_iter().collect();
    assert_eq!((letters.len(), &seen), (POISONED, &poisoned), "all are visible");
    assert!(letters.iter().all(|letter| letter.attempts == 2 && letter.error.contains("broken")));

    receiver.mend();
    let start = Barrier::new(3);
    let administrators = [(); 3].map(|()| Administrator::of(&desk));
    let outcomes: Vec<Result<(), AppError>> = thread::scope(|scope| {
        let replaying = administrators.each_ref().map(|administrator| {
            let (letters, start) = (&letters, &start);
            let replay = |letter: &DeadLetterRow| {
                // Whoever panicked here would keep the others waiting for ever.
                start.wait();
                administrator.replay(letter.id)
            };
            scope.spawn(move || letters.iter().map(replay).collect::<Vec<_>>())
        });
        replaying.into_iter().flat_map(|replaying| replaying.join().unwrap()).collect()
    });
    for outcome in outcomes {
        outcome.unwrap();
    }
    eventually("all are told", || receiver.told().len() == MESSAGES);
    await_rows(&desk, "REPLAYED", 100);
    eventually("all are settled", || desk.database().count("inbox") == 10_000);
    await_empty_queues(&desk);
    let told = receiver.told();
    assert!(told.values().all(|times| *times == 1), "one effect each");
    assert_eq!(told.keys().copied().collect::<BTreeSet<_>>(), events.into_iter().collect::<BTreeSet<_>>());
    assert_eq!(rows(&desk, "%"), 100, "no second death");
    assert_eq!(desk.database().count("deliveries WHERE state = 'DELIVERED'"), 10_000);
}
