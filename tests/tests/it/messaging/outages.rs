//! The broker goes away and comes back.

use std::{
    collections::HashMap,
    sync::{Arc, Condvar, Mutex, MutexGuard},
};

use lapin::options::{BasicGetOptions, BasicRejectOptions, QueueDeleteOptions};
use techsupport_application::deliveries::Verdict;
use techsupport_messaging::Message;
use techsupport_tests::{LIMIT, Proxy, eventually, until};

use super::{Count, Post};

#[derive(Default)]
struct Handled {
    times: HashMap<String, u32>,
    at_once: u32,
    most_at_once: u32,
    /// Once so many have been handled, whoever comes next is held.
    allowed: usize,
}

/// What is handled, and how far.
#[derive(Default)]
struct Handling {
    handled: Mutex<Handled>,
    goes_on: Condvar,
}

impl Handling {
    fn look(&self) -> MutexGuard<'_, Handled> {
        self.handled.lock().unwrap()
    }

    /// Lets messages be handled until it is so many.
    fn allow(&self, messages: usize) {
        self.look().allowed = messages;
        self.goes_on.notify_all();
    }

    /// Waits until so many are handled, and five more held.
    fn await_held(&self, messages: usize) {
        eventually("so many are handled, and five are held", || {
            let handled = self.look();
            (handled.times.len(), handled.at_once) == (messages, 5)
        });
    }

    /// Handles a message as soon as it may be, and says how often that has been done.
    fn handle(&self, id: &str) -> u32 {
        let mut handled = self.look();
        handled.at_once += 1;
        handled.most_at_once = handled.most_at_once.max(handled.at_once);
        let is_held = |handled: &mut Handled| handled.times.len() >= handled.allowed;
        let mut handled = self.goes_on.wait_while(handled, is_held).unwrap();
        handled.at_once -= 1;
        let times = handled.times.entry(id.to_owned()).or_default();
        *times += 1;
        *times
    }
}

/// Deliveries of the lost connection still run when those of the next one begin. Every other cut meets copies and
/// acknowledgements on their way.
#[test]
fn cut_connections_lose_no_message_and_never_exceed_the_parallelism() {
    const MESSAGES: usize = 400;
    let way = Proxy::to_broker();
    let post = Post::open(None);
    post.breaches(MESSAGES);
    // lapin forgets some answers when their connection breaks: nobody has to wait long for those.
    let post = post.reopen(Some(&way), |settings| settings.confirm_timeout_ms = 2_000);
    let handling: Arc<Handling> = Arc::default();
    let handler = Arc::clone(&handling);
    // Every other message takes the way round once.
    let has_to_wait = |id: &str| id.ends_with(['1', '3', '5', '7', '9', 'b']);
    let mut consuming = post.consume(LIMIT, move |message: &Message| {
        let id = message.id.as_ref().unwrap();
        let waits = handler.handle(id) == 1 && has_to_wait(id);
        let wait = std::time::Duration::ZERO;
        Ok(if waits { Verdict::Later { wait, reason: "busy".into() } } else { Verdict::Done })
    });
    for part in 1..=6 {
        let mut messages = MESSAGES * part / 8;
        handling.allow(messages);
        handling.await_held(messages);
        if part % 2 == 0 {
            messages += 5;
            handling.allow(messages);
        }
        way.cut();
        eventually("the loss is noticed", || !post.publisher.is_connected());
        way.heal();
        // Without one of those that are held there is room for another, which only the next connection can bring.
        handling.allow(messages + 1);
        handling.await_held(messages + 1);
    }
    handling.allow(usize::MAX);
    eventually("all are handled, and again those that had to wait", || {
        let so_far = handling.look();
        let is_done = |(id, times): (&String, &u32)| *times > u32::from(has_to_wait(id));
        so_far.times.len() == MESSAGES && so_far.times.iter().all(is_done)
    });
    eventually("nothing waits", || {
        let queues = post.queues();
        post.waiting() == 0 && post.broker.ready(&queues.retries[0].name) == Some(0)
    });
    consuming.stop();
    assert_eq!(handling.look().most_at_once, 5);
    assert_eq!(post.waiting(), 0, "everything held was acknowledged");
    assert_eq!(post.broker.ready(&post.queues().dead_letters), Some(0));
}

/// Returns when the main queue's dead-letter worker is at work. Whoever deletes a queue sooner may stop those of all others
/// (`departed.rs` of the harness).
fn await_dead_lettering(post: &Post, main: &str) {
    post.breaches(1);
    until("a message", || {
        post.broker.run(async |channel| {
            let options = BasicGetOptions { no_ack: false };
            let message = channel.basic_get(main.into(), options).await.unwrap()?;
            assert!(message.acker.reject(BasicRejectOptions { requeue: false }).await.unwrap());
            Some(())
        })
    });
    post.broker.take(&post.queues().dead_letters);
}

#[test]
fn a_queue_that_vanishes_is_declared_and_consumed_again() {
    let post = Post::open(None);
    let main = post.queues().main;
    await_dead_lettering(&post, &main);
    let done = Count::default();
    let counter = done.clone();
    let mut consuming = post.consume(LIMIT, move |_: &Message| {
        counter.up();
        Ok(Verdict::Done)
    });
    post.breaches(1);
    eventually("the first is done", || done.get() == 1);
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
