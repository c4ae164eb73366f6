//! Dead letters: from the broker into the database, and back.

mod collecting;
mod crashes;
mod deciding;
mod poisoned;
mod replaying;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use techsupport_application::{
    AppError, Budget, Ctx, Entity, Page, Ports,
    dead_letters::{
        collect_dead_letter, discard_dead_letter, list_dead_letters, replay_all_dead_letters,
        replay_dead_letter,
    },
    deliveries::{RetryPolicy, deliver_event},
    ports::{
        Channel, ChannelError, ChannelName, DeadLetterFilter, DeadLetterRow, FoundDeadLetter, GivenUp,
        Notification, Parcel, ReplayedAll,
    },
};
use techsupport_bootstrap::{clock, ids};
use techsupport_messaging::{Consumer, ConsumerOptions, Message, Publisher, Subscription};
use techsupport_tests::{Desk, LIMIT, Queue, eventually, system_call};
use tokio::{runtime::Runtime, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::worker::breach;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

const SLA_EVENTS: &str = "sla-events";

/// A receiver that refuses some for as long as it is broken, and counts what it gets.
#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<Received>>);

#[derive(Default)]
struct Received {
    refused: BTreeSet<Uuid>,
    told: BTreeMap<Uuid, u32>,
}

impl Receiver {
    fn refuse(&self, events: impl IntoIterator<Item = Uuid>) {
        self.0.lock().unwrap().refused.extend(events);
    }

    fn mend(&self) {
        self.0.lock().unwrap().refused.clear();
    }

    /// Every event it was told of, with how often.
    fn told(&self) -> BTreeMap<Uuid, u32> {
        self.0.lock().unwrap().told.clone()
    }
}

impl Channel for Receiver {
    fn name(&self) -> ChannelName {
        ChannelName("log")
    }

    fn wants(&self, _: &Notification) -> bool {
        true
    }

    fn send_timeout(&self) -> Duration {
        Duration::from_secs(10)
    }

    fn send(&self, parcel: &Parcel, _: u32) -> Result<(), ChannelError> {
        let mut received = self.0.lock().unwrap();
        let event = parcel.event.uuid();
        if received.refused.contains(&event) {
            return Err(ChannelError::Temporary("the receiver is broken".into()));
        }
        *received.told.entry(event).or_default() += 1;
        Ok(())
    }
}

/// A worker in this process that tells a receiver, twice at most.
struct Telling {
    stop: CancellationToken,
    running: Option<JoinHandle<()>>,
}

impl Telling {
    fn start(desk: &Desk, receiver: &Receiver) -> Self {
        let stop = CancellationToken::new();
        let settings = desk.settings();
        let pool = techsupport_persistence::DatabaseSettings { pool_size: 16, ..settings.database };
        let work = techsupport_persistence::Database::connect(&pool, "tests-worker").unit_of_work();
        let channels: Vec<Box<dyn Channel>> = vec![Box::new(receiver.clone())];
        let retry = RetryPolicy {
            max_attempts: 2,
            delays: vec![Duration::from_millis(100)],
            lease_margin: Duration::from_millis(100),
        };
        let handler = move |message: &Message| {
            deliver_event(
                work.as_ref(),
                &Budget::lasting(LIMIT),
                SLA_EVENTS,
                &channels,
                &retry,
                &message.body,
            )
        };
        let _inside = RUNTIME.enter();
        let publisher = Publisher::start(&settings.broker, "tests", CancellationToken::new());
        let options =
            ConsumerOptions { parallelism: 16, drain_timeout: LIMIT, max_failures: 3, now: clock::now };
        let consumer = Consumer::new(
            &settings.broker,
            Subscription::SlaEvents,
            "tests",
            options,
            publisher,
            Arc::new(handler),
            stop.clone(),
        );
        Self { stop, running: Some(RUNTIME.spawn(consumer.run())) }
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(running) = self.running.take() {
            drop(RUNTIME.block_on(running));
        }
    }
}

/// A desk that collects, and a worker whose receiver refuses an event, which is on its way there.
fn refused() -> (Desk, Telling, Receiver, Uuid) {
    let desk = Desk::with().collecting().start();
    desk.await_topology();
    let (event, receiver) = (new_id(), Receiver::default());
    receiver.refuse([event]);
    let worker = Telling::start(&desk, &receiver);
    desk.broker().put(&desk.broker().name(Queue::Main), &breach(event), 1);
    (desk, worker, receiver, event)
}

/// An administrator, as the use cases see one.
struct Administrator {
    ports: Ports,
}

impl Administrator {
    fn of(desk: &Desk) -> Self {
        Self { ports: desk.ports() }
    }

    fn call<T>(&self, work: impl FnOnce(Ctx<'_>) -> T) -> T {
        work(Ctx::new(&self.ports, &system_call()))
    }

    fn replay(&self, id: Uuid) -> Result<(), AppError> {
        self.call(|ctx| replay_dead_letter(ctx, id))
    }

    fn replay_all(&self, most: u32) -> ReplayedAll {
        self.call(|ctx| replay_all_dead_letters(ctx, most)).unwrap()
    }

    fn discard(&self, id: Uuid) -> Result<(), AppError> {
        self.call(|ctx| discard_dead_letter(ctx, id))
    }

    /// Everything there is, page by page.
    fn list(&self, queue: Option<&str>) -> Vec<DeadLetterRow> {
        let filter = DeadLetterFilter { queue: queue.map(str::to_owned) };
        let (mut rows, mut position) = (Vec::new(), None);
        loop {
            let page = Page::behind(position, 7).unwrap();
            let found = self.call(|ctx| list_dead_letters(ctx, &filter, page)).unwrap();
            rows.extend(found.rows);
            position = found.next;
            if position.is_none() {
                return rows;
            }
        }
    }

    /// Stores one as if it had been collected.
    fn keep(&self, found: &FoundDeadLetter) -> bool {
        let budget = Budget::lasting(LIMIT);
        collect_dead_letter(self.ports.work.as_ref(), &budget, ids::new_id, found).unwrap()
    }
}

/// What a consumer gave up, for the first time.
fn given_up(key: &str) -> FoundDeadLetter {
    let message = GivenUp {
        queue: SLA_EVENTS.into(),
        key: key.into(),
        replay: 0,
        kind: None,
        content_type: None,
        traceparent: None,
        body: key.as_bytes().to_vec(),
        attempts: 1,
    };
    FoundDeadLetter { message, error: "on purpose".into(), failed_at: None, distinct: false }
}

/// The same, but for something.
fn given_up_as(key: &str, change: impl FnOnce(&mut GivenUp)) -> FoundDeadLetter {
    let mut found = given_up(key);
    change(&mut found.message);
    found
}

fn is_unknown(outcome: &Result<(), AppError>) -> bool {
    matches!(outcome, Err(AppError::NotFound(Entity::DeadLetter)))
}

fn new_id() -> Uuid {
    ids::new_id()
}

/// The rows in each state, or of any with `%`.
fn rows(desk: &Desk, state: &str) -> i64 {
    desk.database().count(&format!("dead_letters WHERE state LIKE '{state}'"))
}

fn await_rows(desk: &Desk, state: &str, count: i64) {
    eventually(&format!("{count} rows are {state}"), || rows(desk, state) == count);
}

/// Nothing waits at the broker.
fn await_empty_queues(desk: &Desk) {
    for queue in [Queue::Main, Queue::DeadLetters] {
        eventually("the queues are empty", || desk.broker().ready(&desk.broker().name(queue)) == Some(0));
    }
}
