//! Waiting for something new.

use std::{sync::mpsc, thread, time::Duration};

use serde_json::json;
use techsupport_tests::{Answer, Client, Desk, eventually};

const LISTENING: &str = "pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'";

/// Nobody looks by himself while a test lasts: only the bell wakes. Nothing is left to wait for but events.
fn patient(replicas: usize) -> Desk {
    Desk::with().without_sweep().replicas(replicas).set("HTTP__FEED__LOOK_AGAIN_MS", 60_000).start()
}

/// Asks, on a thread, for what comes behind the present end of the feed.
fn wait_at_the_end(caller: &Client) -> mpsc::Receiver<Answer> {
    let end = caller.get("/api/events?limit=100").expect(200).json();
    let path = format!("/api/events?wait=25&after={}", end["nextCursor"].as_str().unwrap());
    let (sender, answer) = mpsc::channel();
    let caller = caller.clone();
    thread::spawn(move || drop(sender.send(caller.get(&path))));
    answer
}

/// The answer, if it comes before the time of the wait is over.
fn woken(answer: &mpsc::Receiver<Answer>) -> Answer {
    answer.recv_timeout(Duration::from_secs(20)).expect("it was not woken")
}

#[test]
fn an_event_wakes_those_who_wait_at_every_replica() {
    let desk = patient(2);
    let admin = desk.admin();
    desk.ticket(&admin, "NORMAL");
    eventually("the feed has an end", || desk.database().count("event_feed") == 1);
    eventually("both listen", || desk.database().count(LISTENING) == 2);
    let here = wait_at_the_end(&desk.supervisor());
    let there = wait_at_the_end(&admin.at(&desk.addresses()[1]));
    let ticket = desk.ticket(&admin, "NORMAL");
    for answer in [woken(&here), woken(&there)] {
        let events = answer.expect(200).json()["data"].clone();
        assert_eq!(events.as_array().map(Vec::len), Some(1), "{events}");
        assert_eq!(events[0]["subject"], json!(ticket));
    }
}

/// Between losing the connection that listens and having it back, nobody hears. Whatever is committed then wakes as well.
#[test]
fn who_waits_is_woken_although_the_connection_that_listens_is_lost() {
    let desk = patient(2);
    let admin = desk.admin();
    desk.ticket(&admin, "NORMAL");
    eventually("the feed has an end", || desk.database().count("event_feed") == 1);
    let (here, there) =
        (wait_at_the_end(&desk.supervisor()), wait_at_the_end(&admin.at(&desk.addresses()[1])));
    eventually("both listen", || desk.database().count(LISTENING) == 2);
    let cut_off = format!("SELECT pg_terminate_backend(pid, 30000) FROM {LISTENING}");
    assert_eq!(desk.database().all::<bool>(&cut_off, &[]), [true, true]);
    let ticket = desk.ticket(&admin, "NORMAL");
    for answer in [woken(&here), woken(&there)] {
        assert_eq!(answer.expect(200).json()["data"][0]["subject"], json!(ticket));
    }
}

/// A wait holds neither a connection nor a thread: with one of each, others are served while many wait.
#[test]
fn who_waits_is_in_nobodys_way() {
    let desk = Desk::with().set("DATABASE__POOL_SIZE", 2).set("HTTP__MAX_IN_FLIGHT", 1).start();
    let supervisor = desk.supervisor();
    let waiting: Vec<_> = (0..20).map(|_| wait_at_the_end(&supervisor)).collect();
    let ticket = desk.ticket(&desk.admin(), "NORMAL");
    for answer in waiting {
        assert_eq!(woken(&answer).expect(200).json()["data"][0]["subject"], json!(ticket));
    }
}

#[test]
fn rights_that_end_during_the_wait_have_ended() {
    let desk = patient(1);
    let admin = desk.admin();
    let supervisor = desk.supervisor();
    let answer = wait_at_the_end(&supervisor);
    let id = supervisor.get("/api/auth/me").expect(200).id();
    admin.patch(&format!("/api/auth/users/{id}"), &json!({"active": false})).expect(200);
    desk.ticket(&admin, "NORMAL");
    woken(&answer).expect_problem(401, "unauthenticated");
}
