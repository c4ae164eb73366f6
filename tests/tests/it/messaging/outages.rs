//! The broker goes away and comes back.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    thread,
};

use lapin::options::QueueDeleteOptions;
use techsupport_application::deliveries::Verdict;
use techsupport_messaging::Message;
use techsupport_tests::{LIMIT, Proxy, eventually};

use super::{Count, Post};

#[derive(Default)]
struct Handled {
    times: HashMap<String, u32>,
    at_once: u32,
    most_at_once: u32,
}

/// Deliveries of the lost connection may still run when those of the next one begin.
#[test]
fn cut_connections_lose_no_message_and_never_exceed_the_parallelism() {
    const MESSAGES: usize = 400;
    let way = Proxy::to_broker();
    let post = Post::open(Some(&way));
    post.breaches(MESSAGES);
    let handled: Arc<Mutex<Handled>> = Arc::default();
    let log = Arc::clone(&handled);
    let mut consuming = post.consume(LIMIT, move |message: &Message| {
        {
            let mut log = log.lock().unwrap();
            log.at_once += 1;
            log.most_at_once = log.most_at_once.max(log.at_once);
        }
        (0..1_000).for_each(|_| thread::yield_now());
        let mut log = log.lock().unwrap();
        log.at_once -= 1;
        let times = log.times.entry(message.id.clone().unwrap()).or_default();
        *times += 1;
        // Every other message takes the way round once.
        let waits = *times == 1 && message.id.as_ref().unwrap().ends_with(['1', '3', '5', '7', '9', 'b']);
        let wait = std::time::Duration::ZERO;
        Ok(if waits { Verdict::Later { wait, reason: "busy".into() } } else { Verdict::Done })
    });
    for part in 1..=6 {
        eventually("the next part is handled", || handled.lock().unwrap().times.len() >= MESSAGES * part / 8);
        way.cut();
        eventually("the loss is noticed", || !post.publisher.is_connected());
        way.heal();
    }
    eventually("all are handled", || handled.lock().unwrap().times.len() == MESSAGES);
    eventually("nothing waits", || {
        let queues = post.queues();
        post.waiting() == 0 && post.broker.ready(&queues.retries[0].name) == Some(0)
    });
    consuming.stop();
    assert!(handled.lock().unwrap().most_at_once <= 5);
    assert_eq!(post.waiting(), 0, "everything held was acknowledged");
    assert_eq!(post.broker.ready(&post.queues().dead_letters), Some(0));
}

#[test]
fn a_queue_that_vanishes_is_declared_and_consumed_again() {
    let post = Post::open(None);
    let done = Count::default();
    let counter = done.clone();
    let mut consuming = post.consume(LIMIT, move |_: &Message| {
        counter.up();
        Ok(Verdict::Done)
    });
    post.breaches(1);
    eventually("the first is done", || done.get() == 1);
    let main = post.queues().main;
    post.broker.run(async |channel| {
        channel.queue_delete(main.as_str().into(), QueueDeleteOptions::default()).await.unwrap();
    });
    // Declared first, bound next: what is published in between only reaches the other queue.
    eventually("further ones are done", || {
        post.breaches(1);
        done.get() > 1
    });
    consuming.stop();
}
