//! The feed of events on real servers.

mod order;
mod recovery;
mod walkers;
mod waiting;

use std::time::Duration;

use postgres::GenericClient;
use serde_json::Value;
use techsupport_tests::{Client, Desk};
use uuid::Uuid;

/// A feed that only grows when the test lets it.
fn by_hand() -> Desk {
    Desk::with().without_sweep().without_relay().set("FEED__ENABLED", false).start()
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
    connection.execute(sql, &[&id, &ticket, &format!("{{\"id\":\"{id}\"}}")]).unwrap();
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
