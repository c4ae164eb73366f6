//! Many callers, one ticket.

use std::{
    sync::{Arc, Barrier},
    thread,
};

use serde_json::json;
use techsupport_tests::{Answer, Client, Desk};

/// Calls at the same moment from as many threads.
pub(crate) fn race(
    callers: Vec<Client>,
    call: impl Fn(usize, &Client) -> Answer + Send + Sync + 'static,
) -> Vec<Answer> {
    let (barrier, call) = (Arc::new(Barrier::new(callers.len())), Arc::new(call));
    let racers: Vec<_> = callers
        .into_iter()
        .enumerate()
        .map(|(n, caller)| {
            let (barrier, call) = (Arc::clone(&barrier), Arc::clone(&call));
            thread::spawn(move || {
                barrier.wait();
                call(n, &caller)
            })
        })
        .collect();
    racers.into_iter().map(|racer| racer.join().unwrap()).collect()
}

#[test]
fn of_fifty_who_race_for_one_transition_one_wins_and_49_are_refused() {
    let desk = Desk::with().replicas(2).start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "NORMAL");
    let path = format!("/api/tickets/{ticket}/status");
    let answers =
        race(vec![admin; 50], move |_, caller| caller.patch(&path, &json!({"status": "IN_PROGRESS"})));
    let mut winners = 0;
    for answer in answers {
        if answer.status == 200 {
            winners += 1;
        } else {
            let problem = answer.expect_problem(409, "illegal-transition").json();
            assert_eq!((&problem["from"], &problem["to"]), (&json!("IN_PROGRESS"), &json!("IN_PROGRESS")));
            assert_eq!(problem["allowed"], json!(["WAITING", "RESOLVED", "ESCALATED"]));
        }
    }
    assert_eq!(winners, 1);
    let version: i64 = desk.database().one("SELECT version FROM tickets WHERE id = $1", &[&ticket]);
    assert_eq!(version, 2);
    assert_eq!(desk.database().count("ticket_timeline"), version);
    assert_eq!(desk.database().count("outbox"), version);
}

/// Different commands at once: whatever the order, the history is a legal path and nothing is lost.
#[test]
fn racing_commands_leave_one_legal_history() {
    let desk = Desk::start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "NORMAL");
    let agents = [desk.agent_of(&admin, 1), desk.agent_of(&admin, 3)];
    let calls = move |n: usize, caller: &Client| match n % 5 {
        0 => caller.patch(&format!("/api/tickets/{ticket}/status"), &json!({"status": "IN_PROGRESS"})),
        1 => caller.patch(&format!("/api/tickets/{ticket}/status"), &json!({"status": "ESCALATED"})),
        2 => caller.patch(&format!("/api/tickets/{ticket}/status"), &json!({"status": "WAITING"})),
        3 => caller.patch(&format!("/api/tickets/{ticket}/assign"), &json!({"agentId": agents[0]})),
        _ => caller.patch(&format!("/api/tickets/{ticket}/assign"), &json!({"agentId": agents[1]})),
    };
    let answers = race(vec![admin.clone(); 50], calls);
    for answer in &answers {
        assert!(matches!(answer.status, 200 | 403 | 409), "{} {}", answer.status, answer.body);
    }
    let timeline = admin.get(&format!("/api/tickets/{ticket}/timeline?pageSize=100")).expect(200).json();
    let entries = timeline["data"].as_array().unwrap();
    let version: i64 = desk.database().one("SELECT version FROM tickets WHERE id = $1", &[&ticket]);
    assert_eq!(i64::try_from(entries.len()).unwrap(), version);
    assert_eq!(desk.database().count("outbox"), version);
    let (mut status, mut agent) = (json!("OPEN"), json!(null));
    for entry in entries {
        match entry["action"].as_str().unwrap() {
            "STATUS_CHANGED" => {
                assert_eq!(entry["before"]["status"], status);
                status = entry["after"]["status"].clone();
            }
            "ASSIGNED" => {
                assert_eq!(entry["before"]["agentId"], agent);
                agent = entry["after"]["agentId"].clone();
            }
            other => assert_eq!(other, "CREATED"),
        }
    }
    let now = admin.get(&format!("/api/tickets/{ticket}")).expect(200).json();
    assert_eq!((&now["status"], &now["agentId"]), (&status, &agent));
}

#[test]
fn numbers_never_repeat() {
    let desk = Desk::with().replicas(2).start();
    let admin = desk.admin();
    let client = desk.client_of(&admin, "NORMAL");
    let body = json!({"title": "Broken", "description": "It is broken.", "clientId": client});
    let answers = race(vec![admin; 30], move |_, caller| caller.post("/api/tickets", &body));
    let mut numbers: Vec<String> =
        answers.into_iter().map(|answer| answer.expect(201).json()["number"].to_string()).collect();
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), 30);
}
