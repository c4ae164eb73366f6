//! The connection on which a process hears what others commit.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use postgres::Client;
use techsupport_persistence::{Bells, Listener, Topic, listen};
use techsupport_tests::{Desk, TestDatabase, eventually};

const NAME: &str = "tests-listener";

/// The topics, and the channels on which the statements that change something notify.
const TOPICS: [(Topic, &str); 3] = [
    (Topic::Deadlines, "techsupport_deadlines"),
    (Topic::EndedSessions, "techsupport_ended_sessions"),
    (Topic::Events, "techsupport_events"),
];

/// How often each topic's bell has rung.
#[derive(Clone, Default)]
struct Rings([Arc<AtomicU32>; 3]);

impl Rings {
    fn now(&self) -> [u32; 3] {
        self.0.each_ref().map(|count| count.load(Ordering::SeqCst))
    }
}

fn listen_to_all(database: &TestDatabase) -> (Listener, Rings) {
    let rings = Rings::default();
    let bells = TOPICS.iter().zip(&rings.0).fold(Bells::default(), |bells, ((topic, _), count)| {
        let count = Arc::clone(count);
        bells.on(*topic, move || {
            count.fetch_add(1, Ordering::SeqCst);
        })
    });
    (listen(&database.settings(), NAME, bells).unwrap(), rings)
}

/// How many connections of that name there are.
fn connections(other: &mut Client, name: &str) -> i64 {
    let sql =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1";
    other.query_one(sql, &[&name]).unwrap().get(0)
}

/// Ends these connections and waits until they have ended; how many there were.
fn cut_off(other: &mut Client, name: &str) -> u64 {
    let sql = "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity \
               WHERE datname = current_database() AND application_name = $1";
    other.execute(sql, &[&name]).unwrap()
}

#[test]
fn one_connection_hears_of_every_topic_and_rings_only_for_what_it_heard_of() {
    let database = TestDatabase::empty();
    let mut other = database.connect();
    let (listener, rings) = listen_to_all(&database);
    eventually("it listens", || rings.now() == [1, 1, 1]);
    assert_eq!(connections(&mut other, NAME), 1);
    for (n, (_, channel)) in TOPICS.iter().enumerate() {
        let before = rings.now();
        other.batch_execute(&format!("NOTIFY {channel}")).unwrap();
        eventually(channel, || rings.now()[n] == before[n] + 1);
    }
    // They were heard one after the other: had one rung for another, it would be seen by now.
    assert_eq!(rings.now(), [2, 2, 2]);
    other.batch_execute("NOTIFY techsupport_events; NOTIFY techsupport_deadlines").unwrap();
    eventually("two topics of one commit", || rings.now() == [3, 2, 3]);
    drop(listener);
    eventually("the connection is gone", || connections(&mut other, NAME) == 0);
}

/// What is committed while nobody listens is nobody's to hear: every bell rings once the connection is back.
#[test]
fn nothing_is_missed_while_the_connection_is_gone() {
    let database = TestDatabase::empty();
    let mut other = database.connect();
    let (_listener, rings) = listen_to_all(&database);
    eventually("it listens", || rings.now() == [1, 1, 1]);
    database.let_in(false);
    assert_eq!(cut_off(&mut other, NAME), 1);
    for (_, channel) in TOPICS {
        other.batch_execute(&format!("NOTIFY {channel}")).unwrap();
    }
    assert_eq!(rings.now(), [1, 1, 1]);
    database.let_in(true);
    eventually("it looks again", || rings.now() == [2, 2, 2]);
    assert_eq!(connections(&mut other, NAME), 1);
    for (_, channel) in TOPICS {
        other.batch_execute(&format!("NOTIFY {channel}")).unwrap();
    }
    eventually("it listens again", || rings.now() == [3, 3, 3]);
}

/// A look that the first ring asks for sees what was committed before it. What is committed from then on is heard.
#[test]
fn it_listens_before_it_rings() {
    let database = TestDatabase::empty();
    let (other, rings) = (Mutex::new(database.connect()), Arc::new(AtomicU32::new(0)));
    let count = Arc::clone(&rings);
    let bells = Bells::default().on(Topic::Events, move || {
        if count.fetch_add(1, Ordering::SeqCst) == 0 {
            other.lock().unwrap().batch_execute("NOTIFY techsupport_events").unwrap();
        }
    });
    let _listener = listen(&database.settings(), NAME, bells).unwrap();
    eventually("what came with the first ring is heard", || rings.load(Ordering::SeqCst) == 2);
}

#[test]
fn a_replica_listens_on_one_connection_and_comes_back_after_losing_it() {
    const LISTENER: &str = "techsupport-api-listener";
    let desk = Desk::with().replicas(2).start();
    let mut other = desk.database().connect();
    let listening = "pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'";
    for _ in 0..3 {
        eventually("both listen", || desk.database().count(listening) == 2);
        assert_eq!(connections(&mut other, LISTENER), 2);
        assert_eq!(cut_off(&mut other, LISTENER), 2);
    }
}
