//! A number on every wait: what happens when it is reached.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::{
    io::{Read, Write},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use common::{
    Desk,
    client::{connect, request},
    eventually,
    stubs::StubWork,
    token,
};
use serde_json::json;
use techsupport_application::AppError;

const TICKET: &str = "/api/tickets/0190c0de-0000-7000-8000-000000000001";

fn client() -> serde_json::Value {
    json!({"name": "A", "email": "a@b.c", "type": "VIP", "company": "C"})
}

/// When the time for a request is to be over. Long enough for the work to have begun before that, also on a machine
/// that stalls.
const SHORT_MS: u64 = 8_000;
/// For what has to happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// Blocks until it is opened; says how many are inside.
#[derive(Clone, Default)]
struct Door {
    open: Arc<AtomicBool>,
    inside: Arc<AtomicUsize>,
}

impl Door {
    fn pass(&self) {
        self.inside.fetch_add(1, Ordering::SeqCst);
        eventually("the door opens", || self.open.load(Ordering::SeqCst));
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.open.store(true, Ordering::SeqCst);
    }
}

#[test]
fn work_that_takes_too_long_is_given_up_and_cannot_commit_any_more() {
    let (commit, committed) = mpsc::channel();
    let commit = Mutex::new(commit);
    let door = Door::default();
    let for_stub = door.clone();
    let desk = Desk::with(|plan| {
        plan.http.request_timeout_ms = SHORT_MS;
        plan.work = StubWork(Box::new(move |budget| {
            for_stub.pass();
            commit.lock().unwrap().send(budget.enter_commit().is_ok()).unwrap();
            Err(AppError::TimedOut)
        }));
    });
    // The work ends only after its answer.
    let answer = desk.post("/api/clients", client());
    answer.problem(503, "timed-out");
    assert_eq!(answer.header("retry-after"), Some("7"));
    door.open.store(true, Ordering::SeqCst);
    assert!(!committed.recv_timeout(PATIENCE).unwrap(), "committed after the 503");
}

#[test]
fn a_commit_that_has_begun_is_waited_for() {
    let door = Door::default();
    let (for_work, for_reader) = (door.clone(), door.clone());
    let desk = Desk::with(|plan| {
        plan.http.request_timeout_ms = SHORT_MS;
        plan.work = StubWork(Box::new(move |budget| {
            budget.enter_commit().unwrap();
            for_work.pass();
            Err(AppError::Conflict(techsupport_application::Conflict::EmailTaken(
                techsupport_application::Entity::Client,
            )))
        }));
        plan.reader.ticket = Box::new(move |_, _| {
            for_reader.pass();
            Ok(None)
        });
    });
    std::thread::scope(|scope| {
        let committing = scope.spawn(|| desk.post("/api/clients", client()));
        eventually("the commit has begun", || door.inside.load(Ordering::SeqCst) == 1);
        // Who came later is given up, so the time of the one who commits is over as well.
        desk.get(TICKET).problem(503, "timed-out");
        door.open.store(true, Ordering::SeqCst);
        committing.join().unwrap().problem(409, "email-taken");
    });
}

#[test]
fn a_full_queue_is_said_at_once_and_probes_get_past_it() {
    let door = Door::default();
    let for_stub = door.clone();
    let desk = Desk::with(|plan| {
        plan.http.max_in_flight = 2;
        plan.http.max_waiting = 1;
        plan.reader.ticket = Box::new(move |_, _| {
            for_stub.pass();
            Ok(None)
        });
    });
    std::thread::scope(|scope| {
        let blocked: Vec<_> = (0..2).map(|_| scope.spawn(|| desk.get(TICKET).status)).collect();
        eventually("two are inside", || door.inside.load(Ordering::SeqCst) == 2);
        // Of two more, one waits and the other one is told so.
        let (said, told) = mpsc::channel();
        for _ in 0..2 {
            let (said, desk) = (said.clone(), &desk);
            scope.spawn(move || said.send(desk.get(TICKET)).unwrap());
        }
        told.recv_timeout(PATIENCE).unwrap().problem(503, "overloaded");
        assert_eq!(desk.call("GET", "/health/ready", &[], b"").status, 200);
        let metrics = desk.call("GET", "/metrics", &[], b"").text();
        assert!(metrics.contains("http_work_rejected_total{queue=\"common\"} "));
        assert!(!metrics.contains("http_work_rejected_total{queue=\"common\"} 0\n"), "{metrics}");
        door.open.store(true, Ordering::SeqCst);
        for blocked in blocked {
            assert_eq!(blocked.join().unwrap(), 404);
        }
        assert_eq!(told.recv_timeout(PATIENCE).unwrap().status, 404);
    });
}

#[test]
fn work_keeps_its_place_until_it_has_really_ended() {
    let door = Door::default();
    let for_stub = door.clone();
    let desk = Desk::with(|plan| {
        plan.http.max_in_flight = 1;
        plan.http.max_waiting = 1;
        plan.http.request_timeout_ms = SHORT_MS;
        plan.reader.ticket = Box::new(move |_, _| {
            for_stub.pass();
            Ok(None)
        });
    });
    desk.get(TICKET).problem(503, "timed-out");
    // The first one still blocks its thread, so the second never gets its turn.
    desk.get(TICKET).problem(503, "timed-out");
    assert_eq!(door.inside.load(Ordering::SeqCst), 1);
    door.open.store(true, Ordering::SeqCst);
    eventually("the place is free again", || desk.get(TICKET).status == 404);
}

#[test]
fn a_flood_of_logins_holds_up_nothing_but_logins() {
    let door = Door::default();
    let for_stub = door.clone();
    let desk = Desk::with(|plan| {
        plan.http.bcrypt_parallelism = 1;
        plan.work = StubWork(Box::new(move |_| {
            for_stub.pass();
            Err(AppError::TimedOut)
        }));
    });
    std::thread::scope(|scope| {
        let register = || {
            let body = json!({"email": "a@b.c", "password": "correct horse", "role": "AGENT"});
            desk.post("/api/auth/register", body).status
        };
        let all: Vec<_> = (0..5).map(|_| scope.spawn(register)).collect();
        eventually("one is inside", || door.inside.load(Ordering::SeqCst) == 1);
        assert_eq!(desk.get(TICKET).status, 200);
        assert_eq!(door.inside.load(Ordering::SeqCst), 1);
        door.open.store(true, Ordering::SeqCst);
        for one in all {
            assert_eq!(one.join().unwrap(), 503);
        }
    });
}

#[test]
fn a_caller_who_goes_away_is_not_worked_for() {
    let given_up = Arc::new(AtomicBool::new(false));
    let (for_stub, inside) = (Arc::clone(&given_up), Door::default());
    let entered = Arc::clone(&inside.inside);
    let desk = Desk::with(|plan| {
        plan.work = StubWork(Box::new(move |budget| {
            entered.fetch_add(1, Ordering::SeqCst);
            eventually("the budget is abandoned", || budget.is_over());
            for_stub.store(budget.enter_commit().is_err(), Ordering::SeqCst);
            Err(AppError::TimedOut)
        }));
    });
    let bearer = format!("Bearer {}", token("ADMIN"));
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let mut stream = connect(desk.address);
    let body = client().to_string();
    stream.write_all(&request("POST", "/api/clients", &headers, body.as_bytes(), false)).unwrap();
    eventually("the work has begun", || inside.inside.load(Ordering::SeqCst) == 1);
    drop(stream);
    eventually("the work is given up", || given_up.load(Ordering::SeqCst));
}

#[test]
fn a_panic_is_an_internal_error_and_the_server_lives_on() {
    let desk = Desk::with(|plan| {
        plan.reader.ticket = Box::new(|_, _| panic!("the secret is 42"));
        plan.reader.tickets = Box::new(|_| {});
    });
    let text = desk.get(TICKET).problem(500, "internal").to_string();
    assert!(!text.contains("42"), "{text}");
    assert_eq!(desk.get("/api/tickets").status, 200);
}

#[test]
fn stopping_finishes_what_is_under_way_and_takes_nothing_new() {
    let door = Door::default();
    let for_stub = door.clone();
    let mut desk = Desk::with(|plan| {
        plan.reader.ticket = Box::new(move |_, _| {
            for_stub.pass();
            Ok(None)
        });
    });
    let address = desk.address;
    let bearer = format!("Bearer {}", token("AGENT"));
    let under_way = std::thread::spawn(move || {
        common::client::send(address, "GET", TICKET, &[("authorization", &bearer)], b"").status
    });
    eventually("it is under way", || door.inside.load(Ordering::SeqCst) == 1);
    let stopping = std::thread::spawn(move || desk.stop());
    eventually("nobody is let in", || std::net::TcpStream::connect(address).is_err());
    door.open.store(true, Ordering::SeqCst);
    assert_eq!(under_way.join().unwrap(), 404);
    stopping.join().unwrap();
}

/// A request over a connection that is closed without notice would be answered by nobody.
#[test]
fn who_keeps_a_connection_is_told_to_go_before_it_is_closed() {
    let mut desk = Desk::with(|plan| plan.http.leave_ms = 60_000);
    let address = desk.address;
    let mut kept = connect(address);
    let mut answer = move || {
        kept.write_all(&request("HEAD", "/health", &[], b"", false)).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0_u8];
            kept.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        (head.contains("connection: close"), kept.try_clone().unwrap())
    };
    assert!(!answer().0);
    // Nobody waits for its end, which would take a minute.
    std::thread::spawn(move || desk.stop());
    let mut closed = None;
    eventually("the last answer says so", || {
        let (last, connection) = answer();
        closed = last.then_some(connection);
        last
    });
    assert_eq!(common::client::read_all(&mut closed.unwrap()), b"");
    eventually("nobody new is let in", || std::net::TcpStream::connect(address).is_err());
}

#[test]
fn idle_connections_do_not_hold_up_the_end() {
    let mut desk = Desk::start();
    let mut stream = connect(desk.address);
    stream.write_all(&request("GET", "/health", &[], b"", false)).unwrap();
    let mut first = [0_u8; 64];
    stream.read_exact(&mut first).unwrap();
    let untouched = connect(desk.address);
    let started = Instant::now();
    desk.stop();
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    drop(untouched);
}
