//! What becomes of a message.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use lapin::options::{BasicGetOptions, BasicNackOptions};
use techsupport_application::{AppError, deliveries::Verdict};
use techsupport_messaging::Message;
use techsupport_tests::{LIMIT, TestBroker, eventually};

use super::{Count, Post, TRACEPARENT};

#[test]
fn a_message_that_has_to_wait_comes_back_with_its_id_and_trace() {
    let post = Post::open(None);
    let seen: Arc<Mutex<Vec<(Instant, Message)>>> = Arc::default();
    let log = Arc::clone(&seen);
    let mut consuming = post.consume(LIMIT, move |message: &Message| {
        let mut log = log.lock().unwrap();
        log.push((Instant::now(), message.clone()));
        let wait = Duration::from_millis(if log.len() == 1 { 50 } else { 300 });
        Ok(if log.len() < 3 { Verdict::Later { wait, reason: "busy".into() } } else { Verdict::Done })
    });
    let ids = post.breaches(1);
    eventually("it was seen three times", || seen.lock().unwrap().len() == 3);
    consuming.stop();
    let seen = seen.lock().unwrap();
    for (_, message) in seen.iter() {
        assert_eq!(message.id.as_ref(), Some(&ids[0]));
        assert_eq!(message.traceparent.as_deref(), Some(TRACEPARENT));
    }
    // The retry path offers 100 and 300 ms.
    assert!(seen[1].0 - seen[0].0 >= Duration::from_millis(95));
    assert!(seen[2].0 - seen[1].0 >= Duration::from_millis(295));
    assert_eq!(post.waiting(), 0);
}

#[test]
fn a_dead_letter_carries_its_reason() {
    let post = Post::open(None);
    let dead = |_: &Message| Ok(Verdict::Dead { reason: "nobody is there".into(), attempts: 4 });
    let mut consuming = post.consume(LIMIT, dead);
    let ids = post.breaches(1);
    let letter = post.broker.take(&post.queues().dead_letters);
    consuming.stop();
    assert_eq!(letter.properties.message_id().as_ref().unwrap().as_str(), ids[0]);
    let header = |name| TestBroker::header(&letter, name).unwrap();
    assert_eq!(header("techsupport-reason"), "nobody is there");
    assert_eq!(header("techsupport-attempts"), "LongInt(4)");
    assert_eq!(header("techsupport-queue"), post.queues().main);
    assert!(header("techsupport-failed-at").ends_with('Z'));
    assert_eq!(post.waiting(), 0);
}

#[test]
fn a_message_that_makes_the_handler_panic_ends_as_a_dead_letter_and_holds_up_nobody() {
    let post = Post::open(None);
    let (panics, done) = (Count::default(), Count::default());
    let (panicking, doing) = (panics.clone(), done.clone());
    let poison: Arc<Mutex<Option<String>>> = Arc::default();
    let id = Arc::clone(&poison);
    let mut consuming = post.consume(LIMIT, move |message: &Message| {
        let is_poison = message.id == *id.lock().unwrap();
        if is_poison {
            panicking.up();
            panic!("on purpose");
        }
        doing.up();
        Ok(Verdict::Done)
    });
    {
        let mut poison = poison.lock().unwrap();
        *poison = post.breaches(1).pop();
    }
    post.breaches(10);
    let letter = post.broker.take(&post.queues().dead_letters);
    assert_eq!(TestBroker::header(&letter, "techsupport-reason").unwrap(), "the handler panicked");
    eventually("the others are done", || done.get() == 10);
    consuming.stop();
    assert_eq!(panics.get(), 3);
}

#[test]
fn while_the_database_is_away_messages_are_held_and_not_bounced() {
    let post = Post::open(None);
    let away = Arc::new(AtomicBool::new(true));
    let (tries, repeats, done) = (Count::default(), Count::default(), Count::default());
    let mut consuming = {
        let (away, tries, repeats, done) = (Arc::clone(&away), tries.clone(), repeats.clone(), done.clone());
        post.consume(LIMIT, move |message: &Message| {
            tries.up();
            if message.redelivered {
                repeats.up();
            }
            if away.load(Ordering::SeqCst) {
                return Err(AppError::Unavailable { reason: "away".into(), retry_after: Duration::ZERO });
            }
            done.up();
            Ok(Verdict::Done)
        })
    };
    post.breaches(20);
    eventually("each is tried several times", || tries.get() > 20);
    eventually("five are held, the others wait in the queue", || post.waiting() == 15);
    away.store(false, Ordering::SeqCst);
    eventually("all are done", || done.get() == 20);
    assert_eq!(repeats.get(), 0, "the broker was not troubled");

    away.store(true, Ordering::SeqCst);
    let before = tries.get();
    post.breaches(1);
    eventually("it is tried", || tries.get() > before);
    consuming.stop();
    eventually("what could not be done is back", || post.waiting() == 1);
}

/// Blocks its thread until told to go on.
fn hold(go: &AtomicBool) {
    while !go.load(Ordering::SeqCst) {
        thread::yield_now();
    }
}

#[test]
fn stopping_finishes_what_is_held_and_takes_nothing_new() {
    let post = Post::open(None);
    let go = Arc::new(AtomicBool::new(false));
    let (started, finished) = (Count::default(), Count::default());
    let mut consuming = {
        let (go, started, finished) = (Arc::clone(&go), started.clone(), finished.clone());
        post.consume(LIMIT, move |_: &Message| {
            started.up();
            hold(&go);
            finished.up();
            Ok(Verdict::Done)
        })
    };
    post.breaches(12);
    eventually("five are held", || started.get() == 5);
    consuming.stop.cancel();
    // What the broker takes back, now that nobody wants more, it gives to others.
    let other = Count::default();
    let counter = other.clone();
    let mut successor = post.consume(LIMIT, move |_: &Message| {
        counter.up();
        Ok(Verdict::Done)
    });
    eventually("the others are handled by somebody else", || other.get() == 7);
    assert!(!consuming.is_over());
    go.store(true, Ordering::SeqCst);
    consuming.stop();
    successor.stop();
    assert_eq!((started.get(), finished.get(), other.get()), (5, 5, 7));
    assert_eq!(post.waiting(), 0);
}

#[test]
fn a_drain_has_an_end() {
    let post = Post::open(None);
    let go = Arc::new(AtomicBool::new(false));
    let started = Count::default();
    let mut consuming = {
        let (go, started) = (Arc::clone(&go), started.clone());
        post.consume(Duration::from_millis(200), move |_: &Message| {
            started.up();
            hold(&go);
            Ok(Verdict::Done)
        })
    };
    post.breaches(1);
    eventually("it is held", || started.get() == 1);
    consuming.stop();
    eventually("the broker has it back", || post.waiting() == 1);
    go.store(true, Ordering::SeqCst);
}

#[test]
fn the_broker_itself_dead_letters_what_kills_every_worker() {
    let post = Post::open(None);
    let ids = post.breaches(1);
    let queues = post.queues();
    eventually("the broker gives it up", || {
        refuse(&post, &queues.main);
        post.broker.ready(&queues.dead_letters) == Some(1)
    });
    let letter = post.broker.take(&queues.dead_letters);
    assert_eq!(letter.properties.message_id().as_ref().unwrap().as_str(), ids[0]);
}

/// RabbitMQ 4 drops a message after 20 deliveries, if nothing else is said.
#[test]
fn a_dead_letter_survives_being_looked_at() {
    let post = Post::open(None);
    let dead = |_: &Message| Ok(Verdict::Dead { reason: "x".into(), attempts: 1 });
    let mut consuming = post.consume(LIMIT, dead);
    post.breaches(1);
    let letters = post.queues().dead_letters;
    let mut looks = 0;
    eventually("somebody has looked 40 times", || {
        looks += u32::from(refuse(&post, &letters));
        looks == 40
    });
    eventually("it is still there", || post.broker.ready(&letters) == Some(1));
    consuming.stop();
}

/// Takes a message, if there is one, and gives it back.
fn refuse(post: &Post, queue: &str) -> bool {
    post.broker.run(async |channel| {
        let got = channel.basic_get(queue.into(), BasicGetOptions { no_ack: false }).await.unwrap();
        let Some(message) = got else { return false };
        message.acker.nack(BasicNackOptions { requeue: true, multiple: false }).await.unwrap()
    })
}
