//! `Idempotency-Key`: a request that is sent again is not done again.

mod answers;
mod crashes;
mod forgetting;
mod races;
mod scope;

use serde_json::{Value, json};
use techsupport_tests::{Answer, Client};
use uuid::Uuid;

/// The same caller, whose requests carry this key from now on.
fn with_key(caller: &Client, key: &str) -> Client {
    caller.with_header("Idempotency-Key", key)
}

fn ticket_body(client: Uuid) -> Value {
    json!({"title": "The printer is on fire", "description": "Smoke since nine.", "clientId": client})
}

/// Whether it is the answer of an earlier time.
fn is_replay(answer: &Answer) -> bool {
    match answer.header("idempotency-replayed") {
        None => false,
        Some(said) => {
            assert_eq!(said, "true");
            true
        }
    }
}

/// What belongs to the answer, and not to the single request.
fn essence(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    const OF_THE_REQUEST: [&str; 4] = ["date", "x-request-id", "traceparent", "idempotency-replayed"];
    let mut headers: Vec<(String, String)> = answer
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .filter(|(name, _)| !OF_THE_REQUEST.contains(&name.as_str()) && !name.starts_with("ratelimit"))
        .collect();
    headers.sort();
    (answer.status, headers, answer.body.clone())
}

/// The second is the first again.
#[track_caller]
fn assert_replays(first: &Answer, second: &Answer) {
    assert!(!is_replay(first), "{}", first.body);
    assert!(is_replay(second), "{}", second.body);
    assert_eq!(essence(first), essence(second));
}
