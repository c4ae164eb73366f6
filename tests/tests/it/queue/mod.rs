//! What administrators see of the queues, and what they do about what was given up.

mod deciding;
mod figures;
mod listing;

use techsupport_tests::Desk;
use uuid::Uuid;

/// Where they are.
const DLQ: &str = "/api/queue/dlq";

/// A dead letter as the collector stores it, given up so many minutes ago.
fn dead(desk: &Desk, queue: &str, body: &[u8], minutes_ago: i32) -> Uuid {
    let id = techsupport_bootstrap::ids::new_id();
    let stored = "INSERT INTO dead_letters (id, queue, message_key, replay, digest, event_id, body, attempts, error, \
                  failed_at) VALUES ($1, $2, $5, 0, '\\x00', $1, $3, 3, 'log: no space left', \
                  date_trunc('milliseconds', now()) - make_interval(mins => $4))";
    assert_eq!(desk.database().execute(stored, &[&id, &queue, &body, &minutes_ago, &id.to_string()]), 1);
    id
}

fn state(desk: &Desk, id: Uuid) -> String {
    desk.database().one("SELECT state FROM dead_letters WHERE id = $1", &[&id])
}
