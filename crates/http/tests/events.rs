//! The feed of events, as it is asked for, and waiting for something new.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use common::{
    Desk, Plan,
    client::{Answer, connect, request},
    eventually, token,
};
use serde_json::json;
use techsupport_application::{
    events::EventType,
    ports::{FeedEvent, FeedPosition, FeedQuery},
};

/// In a form that no serializer of ours would give it.
const BODY: &str = r#"{ "specversion":"1.0", "id":"0190c0de-0000-7000-8000-000000000007",  "source":"/techsupport-pro",
	"type":"pro.techsupport.ticket.created.v1","subject":"0190c0de-0000-7000-8000-000000000001",
	"time":"2026-02-12T20:45:23.123Z", "datacontenttype":"application/json",
	"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	"data": {"b":1.0,"a":"\u00e9"} }"#;

/// A feed whose only event appears when it is told to.
#[derive(Default)]
struct Feed {
    there: AtomicBool,
    looks: AtomicUsize,
}

impl Feed {
    fn looks(&self) -> usize {
        self.looks.load(Ordering::SeqCst)
    }
}

/// Requests have a minute, so that nothing but the waiting itself ends a wait; the client loses patience earlier.
fn desk(change: impl FnOnce(&mut Plan)) -> (Desk, Arc<Feed>) {
    let feed = Arc::new(Feed::default());
    let shown = Arc::clone(&feed);
    let desk = Desk::with(|plan| {
        plan.http.request_timeout_ms = 60_000;
        plan.reader.feed = Box::new(move |query| {
            shown.looks.fetch_add(1, Ordering::SeqCst);
            let event = FeedEvent { position: FeedPosition(7), body: BODY.to_owned() };
            let there = shown.there.load(Ordering::SeqCst) && query.after < event.position;
            Ok(Some(if there { vec![event] } else { Vec::new() }))
        });
        change(plan);
    });
    (desk, feed)
}

fn events(desk: &Desk, query: &str) -> Answer {
    desk.as_role("SUPERVISOR", "GET", &format!("/api/events{query}"), None)
}

/// Somebody who waits, on a thread. Returns once the feed was looked at for it.
fn waiting(desk: &Desk, feed: &Feed, query: &'static str) -> thread::JoinHandle<Answer> {
    let (address, before) = (desk.address, feed.looks());
    let bearer = format!("Bearer {}", token("SUPERVISOR"));
    let caller = thread::spawn(move || {
        common::client::send(
            address,
            "GET",
            &format!("/api/events{query}"),
            &[("authorization", &bearer)],
            b"",
        )
    });
    eventually("it waits", || feed.looks() > before);
    caller
}

fn assert_shows_the_event(answer: &Answer) {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.text().starts_with(&format!("{{\"data\":[{BODY}],\"nextCursor\":\"")), "{answer:?}");
}

#[test]
fn events_come_to_the_letter_and_the_walk_goes_on_behind_them() {
    let (desk, feed) = desk(|_| {});
    let nothing = events(&desk, "").json();
    assert_eq!(nothing["data"], json!([]));
    let from_here = nothing["nextCursor"].as_str().unwrap().to_owned();
    feed.there.store(true, Ordering::SeqCst);
    let answer = events(&desk, &format!("?after={from_here}"));
    assert_shows_the_event(&answer);
    let next = answer.json()["nextCursor"].as_str().unwrap().to_owned();
    let end = events(&desk, &format!("?after={next}")).json();
    assert_eq!((&end["data"], end["nextCursor"].as_str()), (&json!([]), Some(next.as_str())));
    assert_shows_the_event(&events(&desk, "?after=&wait=25"));
}

#[test]
fn what_is_asked_reaches_the_feed() {
    let asked: Arc<std::sync::Mutex<Option<FeedQuery>>> = Arc::default();
    let heard = Arc::clone(&asked);
    let desk = Desk::with(|plan| {
        plan.reader.feed = Box::new(move |query| {
            *heard.lock().unwrap() = Some(query.clone());
            Ok(Some(Vec::new()))
        });
    });
    let heard = || asked.lock().unwrap().clone().unwrap();
    events(&desk, "");
    assert_eq!(heard(), FeedQuery { after: FeedPosition(0), types: Vec::new(), limit: 20 });
    events(&desk, "?limit=100&type=pro.techsupport.ticket.created.v1&type=pro.techsupport.sla.breached.v1");
    let types = vec![EventType::TicketCreated, EventType::SlaBreached];
    assert_eq!(heard(), FeedQuery { after: FeedPosition(0), types, limit: 100 });
}

#[test]
fn wrong_questions_are_named() {
    let (desk, _) = desk(|_| {});
    for (query, parameter) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("limit=", "limit"),
        ("wait=26", "wait"),
        ("wait=-1", "wait"),
        ("wait=1.5", "wait"),
        ("wait=%2B1", "wait"),
        ("type=ticket.created.v1", "type"),
        ("type=pro.techsupport.ticket.created.v1&type=pro.techsupport.unheard.of.v1", "type"),
        ("type=", "type"),
        ("after=7", "after"),
        ("after=AAAAAAAAAAAA", "after"),
        ("after=%00", "after"),
        ("after=&after=", "after"),
        ("cursor=", "cursor"),
        ("page=1", "page"),
    ] {
        let problem = events(&desk, &format!("?{query}")).problem(400, "invalid-input");
        assert_eq!(problem["errors"][0]["parameter"], parameter, "{query}: {problem}");
    }
    desk.as_role("AGENT", "GET", "/api/events", None).problem(403, "forbidden");
}

#[test]
fn a_place_that_the_feed_has_not_reached_is_refused() {
    let desk = Desk::with(|plan| plan.reader.feed = Box::new(|_| Ok(None)));
    let problem = events(&desk, "?wait=25").problem(400, "invalid-input");
    assert_eq!(problem["errors"][0]["parameter"], "after");
}

#[test]
fn who_waits_is_woken_by_the_bell() {
    let (desk, feed) = desk(|_| {});
    let caller = waiting(&desk, &feed, "?wait=25");
    feed.there.store(true, Ordering::SeqCst);
    desk.events.ring();
    assert_shows_the_event(&caller.join().unwrap());
}

/// What rings for events of other types, or for those that others have read already, answers nobody.
#[test]
fn a_ring_for_nothing_is_slept_through() {
    let (desk, feed) = desk(|_| {});
    let caller = waiting(&desk, &feed, "?wait=25");
    desk.events.ring();
    eventually("it looks and waits on", || feed.looks() >= 2);
    feed.there.store(true, Ordering::SeqCst);
    desk.events.ring();
    assert_shows_the_event(&caller.join().unwrap());
}

#[test]
fn without_a_bell_the_feed_is_looked_at_now_and_then() {
    let (desk, feed) = desk(|plan| plan.http.feed.look_again_ms = 10);
    let caller = waiting(&desk, &feed, "?wait=25");
    feed.there.store(true, Ordering::SeqCst);
    assert_shows_the_event(&caller.join().unwrap());
}

#[test]
fn a_wait_ends_with_its_time_and_with_that_of_the_request() {
    let (patient, _) = desk(|_| {});
    assert_eq!(events(&patient, "?wait=1").json()["data"], json!([]));
    // A tenth of it is left for the way back, in which the machine may stand still.
    let (hurried, _) = desk(|plan| plan.http.request_timeout_ms = 2_000);
    eventually("a wait ends before the time of its request", || {
        let answer = events(&hurried, "?wait=25");
        answer.status == 200 && answer.json()["data"] == json!([])
    });
}

/// One thread for work and two who wait: others are served meanwhile.
#[test]
fn waiting_takes_no_thread_and_only_so_many_wait() {
    let (desk, feed) = desk(|plan| plan.http.max_in_flight = 1);
    let callers = [waiting(&desk, &feed, "?wait=25"), waiting(&desk, &feed, "?wait=25")];
    assert_eq!(desk.get("/api/tickets").status, 200);
    eventually("two wait, and no third may", || {
        let third = events(&desk, "?wait=1");
        third.status == 503 && third.problem(503, "overloaded").is_object()
    });
    assert_eq!(events(&desk, "").status, 200, "who does not wait needs no place");
    feed.there.store(true, Ordering::SeqCst);
    desk.events.ring();
    for caller in callers {
        assert_shows_the_event(&caller.join().unwrap());
    }
}

#[test]
fn who_goes_away_gives_the_place_back() {
    let (desk, feed) = desk(|plan| plan.http.feed.max_waiting = 1);
    let mut stream = connect(desk.address);
    let bearer = format!("Bearer {}", token("ADMIN"));
    let asked = request("GET", "/api/events?wait=25", &[("authorization", &bearer)], b"", false);
    stream.write_all(&asked).unwrap();
    // Whoever asks earlier takes the place itself.
    eventually("the feed is looked at for it", || feed.looks() > 0);
    eventually("the only place is taken", || events(&desk, "?wait=1").status == 503);
    drop(stream);
    eventually("it is free again", || events(&desk, "?wait=1").status == 200);
    assert!(feed.looks() > 1);
}

#[test]
fn a_server_that_stops_answers_those_who_wait() {
    let (mut desk, feed) = desk(|_| {});
    let caller = waiting(&desk, &feed, "?wait=25");
    desk.stop();
    let answer = caller.join().unwrap();
    assert_eq!((answer.status, &answer.json()["data"]), (200, &json!([])));
}
