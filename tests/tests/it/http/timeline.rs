//! Everything that ever happened to a ticket.

use serde_json::{Value, json};
use techsupport_tests::{Desk, eventually};

#[test]
fn the_timeline_is_complete_and_its_status_entries_are_the_path() {
    let desk = Desk::start();
    let admin = desk.admin();
    let agent = desk.agent();
    let ticket = desk.ticket(&admin, "VIP");
    let path = format!("/api/tickets/{ticket}");
    let person = desk.agent_of(&admin, 2);
    agent.patch(&format!("{path}/assign"), &json!({"agentId": person})).expect(200);
    desk.age(ticket, 121);
    eventually("it escalates by itself", || admin.get(&path).json()["status"] == "ESCALATED");
    for status in ["IN_PROGRESS", "RESOLVED", "IN_PROGRESS", "RESOLVED", "CLOSED"] {
        agent.patch(&format!("{path}/status"), &json!({"status": status})).expect(200);
    }
    let me = agent.get("/api/auth/me").expect(200).json();
    let list = admin.get(&format!("{path}/timeline?pageSize=100")).expect(200).json();
    let entries = list["data"].as_array().unwrap();
    assert_eq!(list["total"], json!(entries.len()));

    let actions: Vec<&str> = entries.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(
        actions,
        [
            "CREATED",
            "ASSIGNED",
            "SLA_BREACHED",
            "STATUS_CHANGED",
            "STATUS_CHANGED",
            "STATUS_CHANGED",
            "STATUS_CHANGED",
            "STATUS_CHANGED",
            "STATUS_CHANGED",
        ]
    );
    let mut status = json!("OPEN");
    for entry in entries.iter().filter(|entry| entry["action"] == "STATUS_CHANGED") {
        assert_eq!(entry["before"]["status"], status);
        status = entry["after"]["status"].clone();
    }
    assert_eq!(status, "CLOSED");
    assert_eq!(entries[1]["before"], json!({"agentId": null}));
    assert_eq!(entries[1]["after"], json!({"agentId": person}));
    assert_eq!(entries[1]["actor"], json!({"kind": "USER", "id": me["id"], "email": me["email"]}));
    assert_eq!(entries[2]["actor"]["kind"], "SYSTEM");
    assert_eq!(entries[3]["actor"]["kind"], "SYSTEM");
    assert_eq!(entries[3]["after"], json!({"status": "ESCALATED", "escalationLevel": 1}));
    // Each has an event, and each event was published once.
    let mut events: Vec<&Value> = entries.iter().map(|entry| &entry["eventId"]).collect();
    events.dedup();
    assert_eq!(events.len(), entries.len());
    assert_eq!(desk.database().count("outbox"), i64::try_from(entries.len()).unwrap());
    let times: Vec<&str> = entries.iter().map(|entry| entry["at"].as_str().unwrap()).collect();
    assert!(times[1..].is_sorted(), "{times:?}");
}

#[test]
fn a_timeline_has_pages() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "NORMAL");
    let path = format!("/api/tickets/{ticket}");
    for n in 0..6 {
        let status = if n % 2 == 0 { "IN_PROGRESS" } else { "WAITING" };
        admin.patch(&format!("{path}/status"), &json!({"status": status})).expect(200);
    }
    let page = |n: usize| {
        let list = admin.get(&format!("{path}/timeline?page={n}&pageSize=3")).expect(200).json();
        assert_eq!(list["total"], 7);
        list["data"].as_array().unwrap().clone()
    };
    let whole = admin.get(&format!("{path}/timeline")).expect(200).json();
    assert_eq!([page(1), page(2), page(3)].concat(), *whole["data"].as_array().unwrap());
    admin.get("/api/tickets/0199aaaa-0000-7000-8000-000000000000/timeline").expect_problem(404, "not-found");
    admin.get(&format!("{path}/timeline?from=2026-01-01")).expect_problem(400, "invalid-input");
}
