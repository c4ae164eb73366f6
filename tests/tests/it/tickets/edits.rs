//! Titles, descriptions, priorities, tags; and what a client's type means for deadlines.

use serde_json::{Value, json};
use techsupport_tests::Desk;

use super::{etag, path, shown, told};
use crate::{races::race, sweep::policies};

#[test]
fn what_is_edited_changes_and_the_rest_stays() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "NORMAL");
    let before = shown(&admin, ticket);
    let long = "ñ".repeat(10_000);
    let body = json!({"description": long, "tags": [" VPN ", "vpn", "Größe", "a, \"b\" \\ {c}"]});
    let answer = admin.patch(&path(ticket), &body).expect(200);
    assert_eq!(etag(&answer), "\"2\"");
    let mut expected = before;
    expected["description"] = json!(long);
    expected["tags"] = json!(["vpn", "größe", "a, \"b\" \\ {c}"]);
    expected["updatedAt"] = answer.json()["updatedAt"].clone();
    assert_eq!(answer.json(), expected);
    assert_eq!(shown(&admin, ticket), expected);
    // Moving it leaves alone what it says.
    admin.patch(&format!("{}/status", path(ticket)), &json!({"status": "IN_PROGRESS"})).expect(200);
    let moved = shown(&admin, ticket);
    assert_eq!((&moved["description"], &moved["tags"]), (&expected["description"], &expected["tags"]));
    admin.patch(&path(ticket), &json!({"tags": []})).expect(200);
    assert_eq!(shown(&admin, ticket)["tags"], json!([]));
}

#[test]
fn an_edit_that_changes_nothing_is_no_change() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let client = desk.client_of(&admin, "NORMAL");
    let body =
        json!({"title": "Broken", "description": "All of it.", "clientId": client, "tags": ["B", "a", "b"]});
    let opened = admin.post("/api/tickets", &body).expect(201);
    assert_eq!(opened.json()["tags"], json!(["b", "a"]));
    let same = json!({"title": "Broken", "description": "All of it.", "priority": 2, "tags": ["b", "A"]});
    let answer = admin.patch(&path(opened.id()), &same).expect(200);
    assert_eq!((etag(&answer), answer.json()), ("\"1\"".to_owned(), opened.json()));
    assert_eq!(told(&admin, opened.id()), ["USER CREATED"]);
}

#[test]
fn edits_that_make_no_sense_are_refused_and_name_the_place() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "NORMAL");
    let many: Vec<String> = (0..21).map(|n| n.to_string()).collect();
    let wrong = [
        (json!({}), ""),
        (json!({"title": null}), "/title"),
        (json!({"title": "ab"}), "/title"),
        (json!({"description": " \u{2003} "}), "/description"),
        (json!({"description": "a\u{0}b"}), "/description"),
        (json!({"priority": 0}), "/priority"),
        (json!({"priority": "1"}), "/priority"),
        (json!({"priority": 1.5}), "/priority"),
        (json!({"tags": null}), "/tags"),
        (json!({"tags": "vpn"}), "/tags"),
        (json!({"tags": [1]}), "/tags"),
        (json!({"tags": [""]}), "/tags"),
        (json!({"tags": ["x".repeat(41)]}), "/tags"),
        (json!({"tags": ["a\nb"]}), "/tags"),
        (json!({"tags": many}), "/tags"),
        (json!({"status": "CLOSED"}), "/status"),
        (json!({"clientId": ticket}), "/clientId"),
    ];
    for (body, place) in wrong {
        let problem = admin.patch(&path(ticket), &body).expect_problem(400, "invalid-input").json();
        assert_eq!(problem["errors"][0]["pointer"], place, "{body}");
    }
    assert_eq!(told(&admin, ticket), ["USER CREATED"]);
}

fn clock(ticket: &Value) -> (&Value, &Value, &Value) {
    let clock = &ticket["sla"][0];
    (&clock["metric"], &clock["targetMinutes"], &clock["state"])
}

#[test]
fn a_new_priority_brings_the_policy_for_it_and_what_has_passed_is_breached_at_once() {
    let desk = Desk::with().without_sweep().start();
    // Half an hour for urgent tickets of NORMAL clients.
    policies::install(&desk, &[("FIRST_RESPONSE", 30)], &[("FIRST_RESPONSE", 0, Some(0), None, "ESCALATE")]);
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "NORMAL");
    let urgent = admin.patch(&path(ticket), &json!({"priority": 1})).expect(200).json();
    assert_eq!(clock(&urgent), (&json!("FIRST_RESPONSE"), &json!(30), &json!("RUNNING")));
    let relaxed = admin.patch(&path(ticket), &json!({"priority": 4})).expect(200).json();
    assert_eq!(clock(&relaxed), (&json!("FIRST_RESPONSE"), &json!(1_440), &json!("RUNNING")));
    desk.age(ticket, 31);
    let late = admin.patch(&path(ticket), &json!({"priority": 1})).expect(200);
    assert_eq!(clock(&late.json()), (&json!("FIRST_RESPONSE"), &json!(30), &json!("BREACHED")));
    assert_eq!((etag(&late), &late.json()["status"]), ("\"5\"".to_owned(), &json!("ESCALATED")));
    // The deadline comes and goes; the breach was told of once.
    admin.patch(&path(ticket), &json!({"priority": 3})).expect(200);
    admin.patch(&path(ticket), &json!({"priority": 1})).expect(200);
    assert_eq!(crate::sweep::sweep(&desk.ports(), 10).unwrap().claimed, 0);
    assert_eq!(desk.database().count("sla_steps"), 1);
    assert_eq!(shown(&admin, ticket), admin.get(&path(ticket)).json());
}

/// A deadline that appears because a policy is stricter wakes the sweep, which sleeps for a minute otherwise.
#[test]
fn a_nearer_deadline_wakes_the_sweep() {
    let desk = Desk::with().set("SWEEP__POLL_MS", 60_000).start();
    policies::install(
        &desk,
        &[("RESOLUTION", 1)],
        // Two percent of a minute after it was promised.
        &[("RESOLUTION", -1, None, Some(2), "WARN"), ("RESOLUTION", 0, Some(0), None, "NOTIFY_SUPERVISOR")],
    );
    let admin = desk.admin();
    desk.await_topology();
    let ticket = desk.ticket(&admin, "NORMAL");
    admin.patch(&path(ticket), &json!({"priority": 1})).expect(200);
    techsupport_tests::eventually("the warning is given", || desk.database().count("sla_steps") == 1);
}

#[test]
fn a_new_type_of_a_client_moves_the_deadlines_of_its_unresolved_tickets() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let client = desk.client_of(&admin, "NORMAL");
    let tickets: Vec<_> = (0..4).map(|_| desk.ticket_for(&admin, client)).collect();
    let (fresh, late, resolved, deleted) = (tickets[0], tickets[1], tickets[2], tickets[3]);
    desk.age(late, 121);
    for status in ["IN_PROGRESS", "RESOLVED"] {
        admin.patch(&format!("{}/status", path(resolved)), &json!({"status": status})).expect(200);
    }
    admin.delete(&path(deleted)).expect(204);
    admin.patch(&format!("/api/clients/{client}"), &json!({"type": "VIP"})).expect(200);
    assert_eq!(clock(&shown(&admin, fresh)), (&json!("FIRST_RESPONSE"), &json!(120), &json!("RUNNING")));
    assert_eq!(clock(&shown(&admin, late)), (&json!("FIRST_RESPONSE"), &json!(120), &json!("BREACHED")));
    assert_eq!(clock(&shown(&admin, resolved)), (&json!("FIRST_RESPONSE"), &json!(1_440), &json!("MET")));
    assert_eq!(
        told(&admin, late),
        ["USER CREATED", "USER EDITED", "SYSTEM SLA_BREACHED", "SYSTEM STATUS_CHANGED"]
    );
    admin.post(&format!("{}/restore", path(deleted)), &json!({})).expect(200);
    assert_eq!(clock(&shown(&admin, deleted)), (&json!("FIRST_RESPONSE"), &json!(120), &json!("RUNNING")));
}

/// Tickets that are opened while their client's type changes have the deadlines of one type or the other, and in the
/// end all of them those of the last one.
#[test]
fn opening_does_not_race_with_a_change_of_type() {
    let desk = Desk::with().replicas(2).without_sweep().start();
    let admin = desk.admin();
    let client = desk.client_of(&admin, "NORMAL");
    let answers = race(vec![admin.clone(); 40], move |n, caller| {
        if n % 8 == 0 {
            let kind = if n % 16 == 0 { "VIP" } else { "NORMAL" };
            return caller.patch(&format!("/api/clients/{client}"), &json!({"type": kind}));
        }
        let body = json!({"title": "Broken", "description": "All of it.", "clientId": client});
        caller.post("/api/tickets", &body)
    });
    assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 201)));
    let tier: String = desk.database().one("SELECT tier FROM clients WHERE id = $1", &[&client]);
    let odd = "sla_clocks k JOIN sla_policy_versions v ON v.id = k.policy_version_id \
               JOIN sla_policies p ON p.id = v.policy_id JOIN tickets t ON t.id = k.ticket_id \
               JOIN clients c ON c.id = t.client_id WHERE p.client_tier <> c.tier";
    assert_eq!(desk.database().count(odd), 0, "{tier}");
    assert_eq!(desk.database().count("tickets"), 35);
}

/// A title that shows nothing was accepted once. It is refused now, but a ticket that has one is still a ticket.
#[test]
fn a_title_that_shows_nothing_is_refused_and_can_be_replaced() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "NORMAL");
    let unseen = "\u{200B}\u{200D}\u{3164}";
    let rename = |title: &str| admin.patch(&path(ticket), &json!({"title": title}));
    let problem = rename(unseen).expect_problem(400, "invalid-input").json();
    assert_eq!(problem["errors"][0]["pointer"], "/title");
    desk.database().execute("UPDATE tickets SET title = $1 WHERE id = $2", &[&unseen, &ticket]);
    assert_eq!(admin.get(&path(ticket)).expect(200).json()["title"], unseen);
    let family = "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}";
    assert_eq!(rename(family).expect(200).json()["title"], family);
}
