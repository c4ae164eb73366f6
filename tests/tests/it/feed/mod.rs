//! The feed of events on real servers.

mod order;
mod plans;
mod recovery;
mod waiting;
mod walkers;

use std::time::Duration;

use postgres::GenericClient;
use serde_json::{Value, json};
use techsupport_tests::{Client, Desk};
use uuid::Uuid;

/// A feed that only grows when the test lets it, past its first comparison with the outbox.
fn by_hand() -> Desk {
    let desk = Desk::with().without_sweep().without_relay().set("FEED__ENABLED", false).start();
    assert_eq!(append(&desk, 1), 0);
    desk
}

/// One pass that may take so many events; how many it took.
fn append(desk: &Desk, limit: u32) -> u32 {
    desk.pool().feed_keeper(Duration::from_mins(1)).append(limit).unwrap()
}

/// Writes an event, as a change would.
fn write(connection: &mut impl GenericClient, ticket: Uuid) -> Uuid {
    let id = techsupport_bootstrap::ids::new_id();
    let sql = "INSERT INTO outbox (id, type, ticket_id, at, traceparent, body) \
               VALUES ($1, 'pro.techsupport.ticket.created.v1', $2, now(), '', $3::text::json)";
    let document = json!({
        "specversion": "1.0",
        "id": id,
        "source": "/techsupport-pro",
        "type": "pro.techsupport.ticket.created.v1",
        "subject": ticket,
        "time": "2026-02-12T20:45:23.123Z",
        "datacontenttype": "application/json",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "data": {},
    });
    connection.execute(sql, &[&id, &ticket, &document.to_string()]).unwrap();
    id
}

/// The feed as it is stored.
fn stored(desk: &Desk) -> Vec<Uuid> {
    desk.database().all("SELECT event_id FROM event_feed ORDER BY position", &[])
}

/// One answer: the events' ids, and where to go on.
fn page(caller: &Client, after: &str, query: &str) -> (Vec<Uuid>, String) {
    let answer = caller.get(&format!("/api/events?after={after}{query}")).expect(200).json();
    let ids = answer["data"].as_array().unwrap().iter().map(id_of).collect();
    (ids, answer["nextCursor"].as_str().unwrap().to_owned())
}

fn id_of(event: &Value) -> Uuid {
    event["id"].as_str().unwrap().parse().unwrap()
}

/// All there is, from the beginning.
fn walk(caller: &Client, query: &str) -> Vec<Uuid> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let (ids, next) = page(caller, &after, query);
        if ids.is_empty() {
            return all;
        }
        all.extend(ids);
        after = next;
    }
}
