//! Lists: filters, orders, pages, walks.

mod directories;
mod filters;
mod orders;
mod plans;
mod tally;
mod walks;
mod words;

use serde_json::{Value, json};
use techsupport_tests::{Client, Desk};
use uuid::Uuid;

fn ids(caller: &Client, query: &str) -> Vec<Uuid> {
    let list = caller.get(&format!("/api/tickets?pageSize=100&{query}")).expect(200).json();
    assert_eq!(list["total"], json!(list["data"].as_array().unwrap().len()));
    ids_of(&list)
}

fn ids_of(list: &Value) -> Vec<Uuid> {
    let data = list["data"].as_array().unwrap();
    data.iter().map(|row| row["id"].as_str().unwrap().parse().unwrap()).collect()
}

/// Follows a walk from `path`, which has a query already, to its end.
fn walk(caller: &Client, path: &str, cursor: &str) -> Vec<Uuid> {
    let mut seen = Vec::new();
    let mut cursor = cursor.to_owned();
    loop {
        let list = caller.get(&format!("{path}&cursor={cursor}")).expect(200).json();
        assert_eq!((&list["total"], &list["page"]), (&Value::Null, &Value::Null));
        seen.extend(ids_of(&list));
        match list["nextCursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return seen,
        }
    }
}

/// Six tickets, oldest first: of two clients, in several states.
fn six(desk: &Desk, caller: &Client) -> (Vec<Uuid>, [Uuid; 2], Uuid) {
    let clients = [desk.client_of(caller, "VIP"), desk.client_of(caller, "NORMAL")];
    let agent = desk.agent_of(caller, 2);
    let tickets: Vec<Uuid> = (0..6_u8)
        .map(|n| {
            let client = clients[usize::from(n % 2)];
            let body = json!({"title": "Broken", "description": "It is.", "clientId": client, "priority": n % 4 + 1});
            caller.post("/api/tickets", &body).expect(201).id()
        })
        .collect();
    // One hour apart, so that times can be told from each other.
    for (hours, ticket) in (1..).zip(tickets.iter().rev()) {
        desk.age(*ticket, hours * 60);
    }
    for (ticket, status) in [(1, "IN_PROGRESS"), (2, "ESCALATED"), (3, "IN_PROGRESS")] {
        caller
            .patch(&format!("/api/tickets/{}/status", tickets[ticket]), &json!({"status": status}))
            .expect(200);
    }
    caller.patch(&format!("/api/tickets/{}/assign", tickets[5]), &json!({"agentId": agent})).expect(200);
    (tickets, clients, agent)
}
