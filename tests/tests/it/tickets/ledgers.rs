//! The ledger that explains a ticket's deadlines.

use serde_json::{Value, json};
use techsupport_tests::{Client, Desk};
use uuid::Uuid;

use super::{path, shown};
use crate::sweep::{let_two_hours_pass, sweep};

fn ledger(caller: &Client, ticket: Uuid) -> Value {
    caller.get(&format!("{}/sla", path(ticket))).expect(200).json()
}

/// Each stretch with its reason.
fn told(page: &Value) -> Vec<String> {
    let segments =
        page["cycles"].as_array().unwrap().iter().flat_map(|cycle| cycle["segments"].as_array().unwrap());
    segments
        .map(|segment| {
            let open = if segment["to"].is_null() { " still" } else { "" };
            format!("{} {}{open}", segment["segment"].as_str().unwrap(), segment["why"].as_str().unwrap())
        })
        .collect()
}

#[test]
fn stretches_follow_one_another_from_the_promise_to_the_answer() {
    let desk = Desk::with().without_sweep().without_relay().start();
    let (admin, agent) = (desk.admin(), desk.agent());
    let ticket = desk.ticket(&admin, "VIP");
    let first = ledger(&agent, ticket);
    assert_eq!((&first["ticketId"], &first["complete"]), (&json!(ticket), &json!(true)));
    let page = &first["clocks"][0];
    assert_eq!(told(page), ["RUNNING PROMISED still"]);
    assert_eq!(page["stepsToCome"], json!([{"step": 0, "action": "ESCALATE", "at": page["dueAt"]}]));

    admin.delete(&path(ticket)).expect(204);
    agent.get(&format!("{}/sla", path(ticket))).expect_problem(404, "not-found");
    admin.post(&format!("{}/restore", path(ticket)), &json!({})).expect(200);
    agent.patch(&format!("{}/status", path(ticket)), &json!({"status": "IN_PROGRESS"})).expect(200);

    let page = ledger(&agent, ticket)["clocks"][0].clone();
    assert_eq!(told(&page), ["RUNNING PROMISED", "PAUSED DELETED", "RUNNING RESTORED"]);
    let segments = page["cycles"][0]["segments"].as_array().unwrap();
    assert_eq!(segments[0]["from"], page["startedAt"]);
    assert!(segments.windows(2).all(|pair| pair[0]["to"] == pair[1]["from"]), "{segments:#?}");
    assert_eq!(segments[2]["to"], page["stoppedAt"]);
    assert_eq!((&page["state"], &page["stepsToCome"]), (&json!("MET"), &json!([])));
    let shown = shown(&agent, ticket);
    for member in ["metric", "state", "dueAt", "startedAt", "stoppedAt", "targetMinutes"] {
        assert_eq!(page[member], shown["sla"][0][member], "{member}");
    }
}

#[test]
fn a_breach_that_escalates_is_a_step_and_no_answer() {
    let desk = Desk::with().without_sweep().without_relay().start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "VIP");
    let_two_hours_pass(&desk);
    assert_eq!(sweep(&desk.ports(), 10).unwrap().claimed, 1);
    let page = ledger(&admin, ticket)["clocks"][0].clone();
    assert_eq!(told(&page), ["RUNNING PROMISED still"], "the desk's own move answers nobody");
    let ran = page["cycles"][0]["stepsRun"].as_array().unwrap();
    assert_eq!(ran.len(), 1);
    assert_eq!((&ran[0]["step"], &ran[0]["action"]), (&json!(0), &json!("SLA_BREACHED")));
    assert_eq!(ran[0]["dueAt"], page["dueAt"]);
    let event: Uuid = serde_json::from_value(ran[0]["eventId"].clone()).unwrap();
    assert_eq!(desk.database().one::<i64>("SELECT count(*) FROM outbox WHERE id = $1", &[&event]), 1);
    admin.post(&format!("{}/comments", path(ticket)), &json!({"body": "We are on it."})).expect(201);
    let page = ledger(&admin, ticket)["clocks"][0].clone();
    assert_eq!(told(&page), ["RUNNING PROMISED"]);
    assert_eq!(page["state"], "BREACHED");
}

/// The breach is noticed under the person's lock, so both escalations have the same time.
#[test]
fn a_person_who_escalates_what_has_just_escalated_itself_has_answered() {
    let desk = Desk::with().without_sweep().without_relay().start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "VIP");
    let_two_hours_pass(&desk);
    let body = json!({"status": "ESCALATED"});
    let moved = admin.patch(&format!("{}/status", path(ticket)), &body).expect(200).json();
    assert_eq!(moved["escalationLevel"], 2);
    let page = ledger(&admin, ticket)["clocks"][0].clone();
    assert_eq!(told(&page), ["RUNNING PROMISED"]);
    assert_eq!(page["cycles"][0]["segments"][0]["to"], moved["sla"][0]["stoppedAt"]);
}
