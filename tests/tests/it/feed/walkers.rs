//! Many who write, many who read, and the pass killed in between.

use std::{
    collections::HashMap,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use serde_json::{Value, json};
use techsupport_tests::{Client, Desk, eventually, program};
use uuid::Uuid;

use super::{page, stored, write};

const WRITERS: usize = 6;
const CHANGES: usize = 15;

/// Commits one change after the other, of a few tickets that everybody fights for.
fn change_tickets(
    desk: &Desk,
    admin: &Client,
    tickets: &Arc<Vec<Uuid>>,
    start: &Arc<Barrier>,
) -> thread::JoinHandle<()> {
    let (admin, tickets, start) = (admin.clone(), Arc::clone(tickets), Arc::clone(start));
    let client = desk.client_of(&admin, "NORMAL");
    thread::spawn(move || {
        start.wait();
        for n in 0..CHANGES {
            let body = json!({"title": "Printer", "description": "Smoke.", "clientId": client});
            admin.post("/api/tickets", &body).expect(201);
            let status = if n % 2 == 0 { "IN_PROGRESS" } else { "WAITING" };
            let path = format!("/api/tickets/{}/status", tickets[n % tickets.len()]);
            let answer = admin.patch(&path, &json!({"status": status}));
            assert!(matches!(answer.status, 200 | 409), "{}", answer.body);
        }
    })
}

/// Holds transactions open while others commit; every third comes to nothing.
fn dawdle(desk: &Desk, done: &Arc<AtomicBool>) -> thread::JoinHandle<()> {
    let (mut slow, mut quick, done) =
        (desk.database().connect(), desk.database().connect(), Arc::clone(done));
    thread::spawn(move || {
        for n in 0.. {
            let mut open = slow.transaction().unwrap();
            write(&mut open, Uuid::nil());
            for _ in 0..20 {
                write(&mut quick, Uuid::nil());
            }
            write(&mut open, Uuid::nil());
            if n % 3 == 0 {
                open.rollback().unwrap();
            } else {
                open.commit().unwrap();
            }
            if done.load(Ordering::SeqCst) {
                return;
            }
        }
    })
}

/// Walks along until everything was written and nothing is left.
fn read_along(caller: Client, limit: usize, written: Arc<AtomicBool>) -> thread::JoinHandle<Vec<Uuid>> {
    thread::spawn(move || {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let complete = written.load(Ordering::SeqCst);
            let (ids, next) = page(&caller, &after, &format!("&limit={limit}&wait=1"));
            if ids.is_empty() && complete {
                return all;
            }
            all.extend(ids);
            after = next;
        }
    })
}

/// What every ticket's timeline tells, in the order in which it tells it.
fn assert_tickets_are_in_the_order_of_their_timelines(desk: &Desk, feed: &[Uuid]) {
    let place: HashMap<Uuid, usize> = feed.iter().enumerate().map(|(n, event)| (*event, n)).collect();
    let sql = "SELECT ticket_id, array_agg(event_id ORDER BY at, id) FROM ticket_timeline GROUP BY ticket_id";
    for row in desk.database().connect().query(sql, &[]).unwrap() {
        let places: Vec<usize> = row.get::<_, Vec<Uuid>>(1).iter().map(|event| place[event]).collect();
        assert!(places.is_sorted(), "{}: {places:?}", row.get::<_, Uuid>(0));
    }
}

/// Everything was read, by everybody, once and in one order.
fn assert_all_read_the_same(desk: &Desk, readings: &[Vec<Uuid>]) {
    let mut written: Vec<Uuid> = desk.database().all("SELECT id FROM outbox", &[]);
    let mut feed = stored(desk);
    for reading in readings {
        assert_eq!(reading, &feed);
    }
    assert_tickets_are_in_the_order_of_their_timelines(desk, &feed);
    feed.sort();
    written.sort();
    assert!(written.len() > WRITERS * CHANGES);
    assert_eq!(feed, written);
}

/// Lets everybody loose; `meanwhile` happens before the writers are waited for.
fn everybody_at_once(desk: &Desk, meanwhile: impl FnOnce()) -> Vec<Vec<Uuid>> {
    let admin = desk.admin();
    let tickets = Arc::new((0..3).map(|_| desk.ticket(&admin, "NORMAL")).collect::<Vec<_>>());
    let (done, written, start) =
        (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)), Arc::new(Barrier::new(WRITERS)));
    let readers: Vec<_> =
        [1, 7, 100].map(|limit| read_along(desk.supervisor(), limit, Arc::clone(&written))).into();
    let dawdler = dawdle(desk, &done);
    let writers: Vec<_> = (0..WRITERS).map(|_| change_tickets(desk, &admin, &tickets, &start)).collect();
    meanwhile();
    for writer in writers {
        writer.join().unwrap();
    }
    done.store(true, Ordering::SeqCst);
    dawdler.join().unwrap();
    eventually("all is in the feed", || {
        desk.database().count("event_feed") == desk.database().count("outbox")
    });
    written.store(true, Ordering::SeqCst);
    readers.into_iter().map(|reader| reader.join().unwrap()).collect()
}

#[test]
fn readers_miss_nothing_and_see_nothing_twice_while_many_write() {
    let desk = Desk::with().replicas(2).set("FEED__BATCH", 5).set("FEED__POLL_MS", 5).start();
    let readings = everybody_at_once(&desk, || {});
    assert_all_read_the_same(&desk, &readings);
}

/// A further program that does nothing but feed.
fn feeder(desk: &Desk) -> Child {
    let mut command = Command::new(program("techsupport-api"));
    command.arg("serve").env_clear().envs(desk.variables().iter().map(|(name, value)| (name, value)));
    for (name, value) in [("FEED__ENABLED", "true"), ("SWEEP__ENABLED", "false"), ("RELAY__ENABLED", "false")]
    {
        command.env(format!("TECHSUPPORT__{name}"), value);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn killing_the_pass_costs_nothing_but_time() {
    let desk = Desk::with().set("FEED__ENABLED", false).set("FEED__BATCH", 3).set("FEED__POLL_MS", 1).start();
    let last = std::cell::RefCell::new(None);
    let readings = everybody_at_once(&desk, || {
        for _ in 0..3 {
            let before = desk.database().count("event_feed");
            let mut child = feeder(&desk);
            eventually("it feeds", || desk.database().count("event_feed") > before);
            child.kill().unwrap();
            child.wait().unwrap();
        }
        *last.borrow_mut() = Some(feeder(&desk));
    });
    let mut last = last.into_inner().unwrap();
    last.kill().unwrap();
    last.wait().unwrap();
    assert_all_read_the_same(&desk, &readings);
}

#[test]
fn a_walk_through_some_types_sees_all_of_those() {
    let desk = Desk::start();
    let (admin, supervisor) = (desk.admin(), desk.supervisor());
    let client = desk.client_of(&admin, "NORMAL");
    for n in 0..12 {
        let ticket = desk.ticket_for(&admin, client);
        if n % 4 == 0 {
            admin.delete(&format!("/api/tickets/{ticket}")).expect(204);
        } else {
            let path = format!("/api/tickets/{ticket}/status");
            admin.patch(&path, &json!({"status": "IN_PROGRESS"})).expect(200);
        }
    }
    eventually("all is in the feed", || desk.database().count("event_feed") == 24);
    let of = |types: &str| -> Vec<Uuid> {
        let sql = "SELECT f.event_id FROM event_feed f WHERE f.type ~ $1 ORDER BY f.position";
        desk.database().all(sql, &[&types])
    };
    let (deleted, created) = ("pro.techsupport.ticket.deleted.v1", "pro.techsupport.ticket.created.v1");
    let one = super::walk(&supervisor, &format!("&limit=2&type={deleted}"));
    assert_eq!((one.len(), one), (3, of("deleted")));
    let both = super::walk(&supervisor, &format!("&limit=5&type={deleted}&type={created}&type={deleted}"));
    assert_eq!((both.len(), both), (15, of("deleted|created")));
    let none: Vec<Uuid> = super::walk(&supervisor, "&type=pro.techsupport.sla.warning.v1");
    assert!(none.is_empty());
}

/// What is read is what was published, to the letter, whether or not the broker has it already.
#[test]
fn events_are_read_as_they_lie_in_the_outbox_also_while_the_broker_is_down() {
    let desk = Desk::with().cuttable_broker().start();
    desk.await_topology();
    desk.broker_way().cut();
    let admin = desk.admin();
    desk.ticket(&admin, "VIP");
    eventually("it is in the feed", || desk.database().count("event_feed") == 1);
    let answer = admin.get("/api/events").expect(200);
    let body: String = desk.database().one("SELECT body::text FROM outbox WHERE published_at IS NULL", &[]);
    let next = answer.json()["nextCursor"].clone();
    assert_eq!(answer.body, format!("{{\"data\":[{body}],\"nextCursor\":{next}}}"));
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["specversion"], "1.0");
}
