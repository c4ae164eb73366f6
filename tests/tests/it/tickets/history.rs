//! The timeline is complete: who replays it has the ticket.

use serde_json::{Map, Value, json};
use techsupport_tests::Desk;
use uuid::Uuid;

use super::{path, shown};

/// What the entries say the ticket is, starting from nothing.
fn replayed(entries: &[Value]) -> Map<String, Value> {
    let mut ticket = Map::new();
    for entry in entries {
        let (before, after) = (entry["before"].as_object().unwrap(), entry["after"].as_object().unwrap());
        match entry["action"].as_str().unwrap() {
            "CREATED" | "EDITED" | "STATUS_CHANGED" | "ASSIGNED" | "DELETED" | "RESTORED" => {}
            "COMMENTED" | "SLA_WARNED" | "SLA_BREACHED" | "SLA_ESCALATED" => continue,
            other => panic!("{other}"),
        }
        for (member, was) in before {
            let absent = if member == "deleted" { json!(false) } else { Value::Null };
            assert_eq!(*ticket.get(member).unwrap_or(&absent), *was, "{entry}");
            // From ESCALATED to ESCALATED is a step of the path.
            assert!(*was != after[member] || member == "status", "only what changed: {entry}");
        }
        ticket.extend(after.clone());
    }
    ticket
}

#[test]
fn who_replays_the_timeline_has_the_ticket() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let client = desk.client_of(&admin, "VIP");
    let agents = [desk.agent_of(&admin, 1), desk.agent_of(&admin, 3)];
    let ticket = desk.ticket_for(&admin, client);
    let there = path(ticket);
    let (status, assign) = (format!("{there}/status"), format!("{there}/assign"));
    // A small generator of its own, so that a failure can be repeated.
    let mut seed: u64 = 20_260_212;
    let mut next = move |bound: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % bound
    };
    let statuses = ["IN_PROGRESS", "WAITING", "ESCALATED", "RESOLVED"];
    for n in 0..150 {
        match next(9) {
            0 => admin.patch(&there, &json!({"title": format!("Title {}", next(3))})),
            1 => admin.patch(&there, &json!({"tags": [format!("tag {}", next(3))], "priority": next(4) + 1})),
            2 => admin.patch(&there, &json!({"description": format!("Description {}", next(3))})),
            3 => admin.patch(&assign, &json!({"agentId": agents.get(next(3))})),
            4 => admin.post(&format!("{there}/comments"), &json!({"body": format!("Comment {n}")})),
            5 => {
                admin.delete(&there).expect(204);
                admin.post(&format!("{there}/restore"), &json!({}))
            }
            6 => {
                let kind = ["VIP", "NORMAL"][next(2)];
                admin.patch(&format!("/api/clients/{client}"), &json!({"type": kind}))
            }
            _ => admin.patch(&status, &json!({"status": statuses[next(4)], "comment": "So."})),
        };
        if n == 30 {
            desk.age(ticket, 3_000);
        }
        check(&desk, ticket, n % 30 == 29);
    }
}

fn check(desk: &Desk, ticket: Uuid, through_http: bool) {
    if !through_http {
        return;
    }
    let admin = desk.admin();
    let mut entries = Vec::new();
    let mut cursor = String::new();
    loop {
        let list = format!("{}/timeline?pageSize=50&cursor={cursor}", path(ticket));
        let list = admin.get(&list).expect(200).json();
        entries.extend(list["data"].as_array().unwrap().clone());
        match list["nextCursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    let (told, now) = (replayed(&entries), shown(&admin, ticket));
    for member in [
        "number",
        "title",
        "description",
        "status",
        "priority",
        "tags",
        "clientId",
        "agentId",
        "escalationLevel",
    ] {
        assert_eq!(told[member], now[member], "{member}");
    }
    // The client's, not the ticket's: entries tell of it where it moves deadlines, so while the ticket is worked on.
    if now["status"] != "RESOLVED" {
        let client = admin.get(&format!("/api/clients/{}", now["clientId"].as_str().unwrap()));
        assert_eq!(told["clientType"], client.expect(200).json()["type"]);
    }
    assert_eq!(told.get("resolvedAt").unwrap_or(&Value::Null), &now["resolvedAt"]);
    assert_eq!(told.get("deleted").unwrap_or(&json!(false)), &json!(false));
    let comments = entries.iter().filter(|entry| entry["action"] == "COMMENTED").count();
    assert_eq!(desk.database().count("ticket_comments"), i64::try_from(comments).unwrap());
    assert_eq!(
        desk.database().count("outbox WHERE type NOT LIKE '%warning%'"),
        i64::try_from(entries.len()).unwrap()
    );
}
