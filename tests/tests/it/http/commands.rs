//! Opening, moving, assigning: what is allowed, and what the answers look like.

use serde_json::{Value, json};
use techsupport_tests::{Client, Desk};
use uuid::Uuid;

fn to(caller: &Client, ticket: Uuid, status: &str) -> techsupport_tests::Answer {
    caller.patch(&format!("/api/tickets/{ticket}/status"), &json!({"status": status}))
}

fn assign(caller: &Client, ticket: Uuid, agent: impl Into<Value>) -> techsupport_tests::Answer {
    caller.patch(&format!("/api/tickets/{ticket}/assign"), &json!({"agentId": agent.into()}))
}

#[test]
fn a_new_ticket_has_a_location_an_etag_and_a_running_clock() {
    let desk = Desk::with().without_sweep().start();
    let caller = desk.agent();
    let client = desk.client_of(&desk.admin(), "VIP");
    let body = json!({"title": "  ñandú  ", "description": "three\nlines\nof it", "clientId": client});
    let answer = caller.post("/api/tickets", &body).expect(201);
    let ticket = answer.json();
    let path = format!("/api/tickets/{}", answer.id());
    assert_eq!(answer.header("location"), Some(&*path));
    assert_eq!(answer.header("etag"), Some("\"1\""));
    for (member, expected) in [
        ("title", json!("  ñandú  ")),
        ("description", json!("three\nlines\nof it")),
        ("status", json!("OPEN")),
        ("priority", json!(2)),
        ("clientId", json!(client)),
        ("agentId", json!(null)),
        ("escalationLevel", json!(0)),
        ("resolvedAt", json!(null)),
        ("resolutionTimeMin", json!(null)),
    ] {
        assert_eq!(ticket[member], expected, "{member}");
    }
    let clock = &ticket["sla"][0];
    assert_eq!((&clock["metric"], &clock["state"]), (&json!("FIRST_RESPONSE"), &json!("RUNNING")));
    assert_eq!((&clock["startedAt"], &clock["targetMinutes"]), (&ticket["createdAt"], &json!(120)));
    assert_eq!(caller.get(&path).expect(200).json(), ticket);
    assert_eq!(answer.id().get_version_num(), 7);
    assert!(ticket["createdAt"].as_str().unwrap().len() == "2026-02-12T20:45:23.123Z".len());
}

#[test]
fn a_life_from_open_to_closed() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "NORMAL");
    for (version, status) in (2..).zip(["IN_PROGRESS", "WAITING", "IN_PROGRESS", "RESOLVED"]) {
        let answer = to(&admin, ticket, status).expect(200);
        assert_eq!(answer.json()["status"], status);
        assert_eq!(answer.header("etag"), Some(&*format!("\"{version}\"")));
    }
    let resolved = admin.get(&format!("/api/tickets/{ticket}")).expect(200).json();
    assert!(resolved["resolvedAt"].is_string() && resolved["resolutionTimeMin"] == 0, "{resolved}");
    let reopened = to(&admin, ticket, "IN_PROGRESS").expect(200).json();
    assert_eq!((&reopened["resolvedAt"], &reopened["resolutionTimeMin"]), (&json!(null), &json!(null)));
    to(&admin, ticket, "RESOLVED").expect(200);
    to(&admin, ticket, "CLOSED").expect(200);
    let problem = to(&admin, ticket, "IN_PROGRESS").expect_problem(409, "illegal-transition").json();
    assert_eq!(
        (&problem["from"], &problem["to"], &problem["allowed"]),
        (&json!("CLOSED"), &json!("IN_PROGRESS"), &json!([]))
    );
}

#[test]
fn three_escalations_and_no_more() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "NORMAL");
    for level in 1..=3 {
        assert_eq!(to(&admin, ticket, "ESCALATED").expect(200).json()["escalationLevel"], level);
    }
    let problem = to(&admin, ticket, "ESCALATED").expect_problem(409, "illegal-transition").json();
    assert_eq!(problem["allowed"], json!(["IN_PROGRESS", "RESOLVED"]));
}

#[test]
fn who_can_be_assigned() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "NORMAL");
    let (low, high) = (desk.agent_of(&admin, 1), desk.agent_of(&admin, 2));
    let body = json!({"name": "Gone", "email": "gone@example.org", "level": 3, "active": false});
    let inactive = admin.post("/api/agents", &body).expect(201).id();
    for unusable in [inactive, techsupport_bootstrap::ids::new_id()] {
        let problem =
            assign(&admin, ticket, unusable.to_string()).expect_problem(422, "unusable-reference").json();
        assert_eq!(problem["errors"][0]["pointer"], "/agentId");
    }
    assert_eq!(assign(&admin, ticket, low.to_string()).expect(200).json()["agentId"], json!(low));
    let again = assign(&admin, ticket, low.to_string()).expect(200);
    assert_eq!(again.header("etag"), Some("\"2\""), "nothing changed");
    assert_eq!(assign(&admin, ticket, Value::Null).expect(200).json()["agentId"], json!(null));
    to(&admin, ticket, "ESCALATED").expect(200);
    // What the caller says about the level is never believed.
    let path = format!("/api/tickets/{ticket}/assign");
    let lie = json!({"agentId": low, "agentLevel": 3});
    admin.patch(&path, &lie).expect_problem(403, "agent-level-too-low");
    admin.patch(&path, &json!({"agentId": high, "agentLevel": 1})).expect(200);
    to(&admin, ticket, "RESOLVED").expect(200);
    assign(&admin, ticket, high.to_string()).expect_problem(409, "not-assignable");
}

/// The agent's row is kept from changing while the ticket is assigned, and read under the same lock.
#[test]
fn an_agent_stays_when_the_ticket_escalates_beyond_the_agents_level() {
    let desk = Desk::start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "VIP");
    let low = desk.agent_of(&admin, 1);
    assign(&admin, ticket, low.to_string()).expect(200);
    desk.age(ticket, 121);
    let path = format!("/api/tickets/{ticket}");
    techsupport_tests::eventually("it escalates", || admin.get(&path).json()["status"] == "ESCALATED");
    assert_eq!(admin.get(&path).json()["agentId"], json!(low));
}

#[test]
fn clients_and_agents_are_unique_by_address() {
    let desk = Desk::with().without_sweep().start();
    let caller = desk.supervisor();
    let client = |email: &str| json!({"name": "Ana", "email": email, "type": "VIP", "company": "Forja SL"});
    let made = caller.post("/api/clients", &client("Ana@Example.org")).expect(201);
    let path = made.header("location").unwrap().to_owned();
    assert_eq!(caller.get(&path).expect(200).json(), made.json());
    caller.post("/api/clients", &client("ANA@example.ORG")).expect_problem(409, "email-taken");
    let agent = |email: &str| json!({"name": "Luis", "email": email, "level": 2});
    let made = caller.post("/api/agents", &agent("Ana@Example.org")).expect(201);
    assert_eq!(made.json()["active"], true);
    assert_eq!(caller.get(made.header("location").unwrap()).expect(200).json(), made.json());
    caller.post("/api/agents", &agent("ana@EXAMPLE.org")).expect_problem(409, "email-taken");
}
