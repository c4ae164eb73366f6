//! Working on tickets beyond moving and assigning them.

mod comments;
mod conditions;
mod edits;
mod history;
mod ledgers;
mod returns;

use serde_json::Value;
use techsupport_tests::{Answer, Client};
use uuid::Uuid;

fn path(ticket: Uuid) -> String {
    format!("/api/tickets/{ticket}")
}

fn shown(caller: &Client, ticket: Uuid) -> Value {
    caller.get(&path(ticket)).expect(200).json()
}

fn etag(answer: &Answer) -> String {
    answer.header("etag").expect("an ETag").to_owned()
}

/// What happened, and whether somebody did it or it happened by itself.
fn told(caller: &Client, ticket: Uuid) -> Vec<String> {
    let list = caller.get(&format!("{}/timeline?pageSize=100", path(ticket))).expect(200).json();
    let line = |entry: &Value| {
        format!("{} {}", entry["actor"]["kind"].as_str().unwrap(), entry["action"].as_str().unwrap())
    };
    list["data"].as_array().unwrap().iter().map(line).collect()
}
