//! Changing clients and agents, and what a client's new type means for its tickets.

use serde_json::{Value, json};
use techsupport_tests::{Client, Desk};
use uuid::Uuid;

use crate::races::race;

fn audited(desk: &Desk, action: &str) -> Vec<Value> {
    desk.database().all("SELECT detail FROM audit_log WHERE action = $1 ORDER BY at, id", &[&action])
}

fn client_path(id: Uuid) -> String {
    format!("/api/clients/{id}")
}

#[test]
fn a_client_is_changed_member_by_member() {
    let desk = Desk::with().without_sweep().start();
    let supervisor = desk.supervisor();
    let path = client_path(desk.client_of(&supervisor, "NORMAL"));
    let mut expected = supervisor.get(&path).expect(200).json();
    for (member, value) in [
        ("name", json!("Ana María")),
        ("email", json!("New@Example.org")),
        ("email", json!("new@example.org")),
        ("company", json!("Other SL")),
        ("type", json!("VIP")),
    ] {
        expected[member] = value.clone();
        assert_eq!(supervisor.patch(&path, &json!({member: value})).expect(200).json(), expected);
    }
    assert_eq!(supervisor.get(&path).expect(200).json(), expected);
    let members: Vec<Value> =
        audited(&desk, "CLIENT_CHANGED").into_iter().map(|d| d["members"].clone()).collect();
    assert_eq!(members, ["name", "email", "email", "company", "type"].map(|member| json!([member])));
    // What is there already changes nothing, and nothing is written down about it.
    let unchanged = json!({"name": "Ana María", "type": "VIP", "email": "new@example.org"});
    assert_eq!(supervisor.patch(&path, &unchanged).expect(200).json(), expected);
    assert_eq!(audited(&desk, "CLIENT_CHANGED").len(), 5);
    let log = desk.database().all::<String>("SELECT detail::text FROM audit_log", &[]).join("\n");
    assert!(!log.to_lowercase().contains("example.org") && !log.contains("María"), "{log}");
}

#[test]
fn an_agent_is_changed_member_by_member() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let path = format!("/api/agents/{}", desk.agent_of(&admin, 1));
    let user: Uuid = desk.database().one("SELECT id FROM users LIMIT 1", &[]);
    let mut expected = admin.get(&path).expect(200).json();
    for (member, value) in [
        ("name", json!("Luisa")),
        ("email", json!("luisa@example.org")),
        ("level", json!(3)),
        ("active", json!(false)),
        ("userId", json!(user)),
        ("userId", json!(null)),
    ] {
        expected[member] = value.clone();
        assert_eq!(admin.patch(&path, &json!({member: value})).expect(200).json(), expected);
    }
    assert_eq!(admin.patch(&path, &json!({"userId": null, "level": 3})).expect(200).json(), expected);
    assert_eq!(audited(&desk, "AGENT_CHANGED").len(), 6);
    let other = format!("/api/agents/{}", desk.agent_of(&admin, 1));
    admin.patch(&other, &json!({"userId": user})).expect(200);
    for taken in [user, techsupport_bootstrap::ids::new_id()] {
        let problem = admin.patch(&path, &json!({"userId": taken})).expect_problem(422, "unusable-reference");
        assert_eq!(problem.json()["errors"][0]["pointer"], "/userId");
    }
    admin.patch(&other, &json!({"email": "LUISA@example.org"})).expect_problem(409, "email-taken");
    assert_eq!(admin.get(&path).expect(200).json(), expected);
}

#[test]
fn what_cannot_be_changed_is_named() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let client = client_path(desk.client_of(&admin, "NORMAL"));
    let agent = format!("/api/agents/{}", desk.agent_of(&admin, 1));
    for (path, body, pointers) in [
        (&client, json!({}), vec![""]),
        (&agent, json!({}), vec![""]),
        (&client, json!({"name": null, "type": "GOLD", "id": 1}), vec!["/id", "/name", "/type"]),
        (&agent, json!({"level": 4, "active": "yes", "email": "x"}), vec!["/active", "/email", "/level"]),
        (&agent, json!({"active": null, "userId": "me"}), vec!["/active", "/userId"]),
    ] {
        let problem = admin.patch(path, &body).expect_problem(400, "invalid-input").json();
        let errors = problem["errors"].as_array().unwrap();
        let mut named: Vec<&str> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
        named.sort_unstable();
        assert_eq!(named, pointers, "{body}");
    }
    let nobody = techsupport_bootstrap::ids::new_id();
    for kind in ["clients", "agents"] {
        admin
            .patch(&format!("/api/{kind}/{nobody}"), &json!({"name": "Nobody"}))
            .expect_problem(404, "not-found");
        admin
            .patch(&format!("/api/{kind}/1"), &json!({"name": "Nobody"}))
            .expect_problem(400, "invalid-input");
    }
    let taken = json!({"name": "Bo", "email": "bo@example.org", "type": "VIP", "company": "Forja SL"});
    admin.post("/api/clients", &taken).expect(201);
    admin.patch(&client, &json!({"email": "BO@example.org"})).expect_problem(409, "email-taken");
}

#[test]
fn an_agent_who_is_no_longer_active_keeps_the_tickets_at_hand() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let (ticket, agent) = (desk.ticket(&admin, "NORMAL"), desk.agent_of(&admin, 2));
    let path = format!("/api/tickets/{ticket}/assign");
    admin.patch(&path, &json!({"agentId": agent})).expect(200);
    admin.patch(&format!("/api/agents/{agent}"), &json!({"active": false})).expect(200);
    assert_eq!(admin.get(&format!("/api/tickets/{ticket}")).expect(200).json()["agentId"], json!(agent));
    let other = desk.ticket(&admin, "NORMAL");
    admin
        .patch(&format!("/api/tickets/{other}/assign"), &json!({"agentId": agent}))
        .expect_problem(422, "unusable-reference");
}

fn clock(caller: &Client, ticket: Uuid) -> Value {
    caller.get(&format!("/api/tickets/{ticket}")).expect(200).json()["sla"][0].clone()
}

#[test]
fn another_type_brings_other_deadlines_to_what_is_unresolved() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let client = desk.client_of(&admin, "NORMAL");
    let [fresh, old, resolved, gone] = [(); 4].map(|()| desk.ticket_for(&admin, client));
    let other = desk.ticket(&admin, "NORMAL");
    desk.age(fresh, 60);
    desk.age(old, 180);
    for status in ["IN_PROGRESS", "RESOLVED"] {
        admin.patch(&format!("/api/tickets/{resolved}/status"), &json!({"status": status})).expect(200);
    }
    admin.delete(&format!("/api/tickets/{gone}")).expect(204);
    let before = admin.get(&format!("/api/tickets/{resolved}")).expect(200).json();
    admin.patch(&client_path(client), &json!({"type": "VIP"})).expect(200);

    let started = clock(&admin, fresh);
    assert_eq!((&started["state"], &started["targetMinutes"]), (&json!("RUNNING"), &json!(120)));
    let due: f64 = desk.database().one(
        "SELECT extract(epoch FROM due_at - started_at)::float8 FROM sla_clocks WHERE ticket_id = $1",
        &[&fresh],
    );
    assert!((due - 7_200.0).abs() < 0.001, "{due}");
    // Two hours have passed already: it is late under what is promised now.
    assert_eq!(clock(&admin, old)["state"], "BREACHED");
    assert_eq!(admin.get(&format!("/api/tickets/{old}")).json()["status"], "ESCALATED");
    assert_eq!(admin.get(&format!("/api/tickets/{resolved}")).expect(200).json(), before);
    assert_eq!(clock(&admin, other)["targetMinutes"], 1_440);
    let timeline = admin.get(&format!("/api/tickets/{fresh}/timeline")).expect(200).json();
    let last = timeline["data"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["action"], "EDITED", "{last}");
    // Who comes back later comes back to what is promised then.
    admin.call("POST", &format!("/api/tickets/{gone}/restore"), None).expect(200);
    assert_eq!(clock(&admin, gone)["targetMinutes"], 120);
    admin.patch(&client_path(client), &json!({"type": "NORMAL"})).expect(200);
    assert_eq!(clock(&admin, fresh)["targetMinutes"], 1_440);
}

#[test]
fn a_client_with_five_thousand_tickets_can_be_changed() {
    const TICKETS: i64 = 5_000;
    let desk = Desk::with().without_sweep().without_relay().start();
    let admin = desk.admin();
    let client = desk.client_of(&admin, "NORMAL");
    let like = desk.ticket_for(&admin, client);
    let mut database = desk.database().connect();
    let mut copying = database.transaction().unwrap();
    copying
        .execute(
            "INSERT INTO tickets (id, number, version, title, description, status, priority, client_id, agent_id, \
             escalation_level, created_at, updated_at) \
             SELECT gen_random_uuid(), nextval('ticket_numbers'), 1, title, description, status, 1 + n % 4, client_id, \
             agent_id, escalation_level, created_at, updated_at FROM tickets, generate_series(2, $2::int8) n WHERE id = $1",
            &[&like, &TICKETS],
        )
        .unwrap();
    copying
        .execute(
            "INSERT INTO sla_clocks (ticket_id, metric, policy_version_id, cycle, started_at, running_since, consumed_us, \
             due_at, steps_run, next_step_at) \
             SELECT t.id, k.metric, k.policy_version_id, k.cycle, k.started_at, k.running_since, k.consumed_us, k.due_at, \
             k.steps_run, k.next_step_at FROM sla_clocks k, tickets t WHERE k.ticket_id = $1 AND t.id <> $1",
            &[&like],
        )
        .unwrap();
    copying.commit().unwrap();
    admin.patch(&client_path(client), &json!({"type": "VIP"})).expect(200);
    assert_eq!(on_policy(&desk, client, "VIP"), TICKETS);
    assert_eq!(desk.database().count("ticket_timeline WHERE action = 'EDITED'"), TICKETS);
    assert_eq!(desk.database().count("tickets WHERE version = 2"), TICKETS);
}

/// How many tickets of the client run on the policy of this name.
fn on_policy(desk: &Desk, client: Uuid, policy: &str) -> i64 {
    desk.database().one(
        "SELECT count(*) FROM sla_clocks k JOIN tickets t ON t.id = k.ticket_id \
         JOIN sla_policy_versions v ON v.id = k.policy_version_id JOIN sla_policies p ON p.id = v.policy_id \
         WHERE t.client_id = $1 AND p.name = $2",
        &[&client, &policy],
    )
}

#[test]
fn tickets_that_are_opened_meanwhile_end_on_the_right_deadlines() {
    let desk = Desk::with().replicas(2).without_sweep().without_relay().start();
    let admin = desk.admin();
    let client = desk.client_of(&admin, "NORMAL");
    let gone: Vec<Uuid> = (0..8).map(|_| desk.ticket_for(&admin, client)).collect();
    for ticket in &gone {
        admin.delete(&format!("/api/tickets/{ticket}")).expect(204);
    }
    let calls = move |n: usize, caller: &Client| {
        match n % 8 {
        0 => caller.patch(&client_path(client), &json!({"type": if n.is_multiple_of(16) { "VIP" } else { "NORMAL" }})),
        1 => caller.call("POST", &format!("/api/tickets/{}/restore", gone[n / 8]), None),
        _ => caller.post(
            "/api/tickets",
            &json!({"title": "Broken", "description": "It is broken.", "clientId": client, "priority": 1 + n % 4}),
        ),
    }
    };
    for answer in race(vec![admin.clone(); 64], calls) {
        assert!(matches!(answer.status, 200 | 201), "{} {}", answer.status, answer.body);
    }
    let tier = admin.get(&client_path(client)).expect(200).json()["type"].as_str().unwrap().to_owned();
    assert_eq!(on_policy(&desk, client, &tier), desk.database().count("tickets"));
}
