//! The worker: from a message to a person, once.

mod crashes;
mod dead_letters;
mod deliveries;

use serde_json::{Value, json};
use techsupport_tests::Desk;
use uuid::Uuid;

/// A message as the relay would publish it.
pub(crate) fn breach(event: Uuid) -> String {
    json!({
        "specversion": "1.0", "id": event, "source": "/techsupport-pro",
        "type": "pro.techsupport.sla.breached.v1", "subject": event, "time": "2026-02-12T22:45:23.123Z",
        "datacontenttype": "application/json",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "data": {
            "ticketId": event, "number": "TS-1042", "clientType": "VIP", "metric": "FIRST_RESPONSE",
            "dueAt": "2026-02-12T22:45:23.123Z", "step": 0, "escalated": true,
            "needsSupervisorNotif": false, "escalationLevel": 1, "slaHoursElapsed": 2.0,
        },
    })
    .to_string()
}

fn new_id() -> Uuid {
    techsupport_bootstrap::ids::new_id()
}

/// The events that people were told of, sorted.
fn told(notifications: &[Value]) -> Vec<Uuid> {
    let id = |line: &Value| line["eventId"].as_str().unwrap().parse().unwrap();
    let mut events: Vec<Uuid> = notifications.iter().map(id).collect();
    events.sort();
    events
}

fn delivered(desk: &Desk) -> i64 {
    desk.database().count("deliveries WHERE state = 'DELIVERED'")
}
