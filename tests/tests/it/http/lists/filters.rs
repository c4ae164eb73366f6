//! What narrows a list of tickets.

use serde_json::{Value, json};
use techsupport_tests::Desk;

use super::{ids, six};

#[test]
fn filters_narrow_and_combine() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let (t, clients, agent) = six(&desk, &admin);
    let newest_first = |numbers: &[usize]| numbers.iter().map(|n| t[*n]).collect::<Vec<_>>();
    for (query, expected) in [
        ("", &[5, 4, 3, 2, 1, 0][..]),
        ("status=IN_PROGRESS", &[3, 1]),
        ("status=IN_PROGRESS&status=ESCALATED", &[3, 2, 1]),
        ("priority=1", &[4, 0]),
        (&format!("clientId={}", clients[1]), &[5, 3, 1]),
        (&format!("agentId={agent}"), &[5]),
        ("agentId=none", &[4, 3, 2, 1, 0]),
        ("slaState=MET", &[3, 1]),
        (&format!("status=OPEN&clientId={}", clients[0]), &[4, 0]),
        ("status=CLOSED", &[]),
        ("status=OPEN&status=IN_PROGRESS&status=ESCALATED&status=WAITING", &[5, 4, 3, 2, 1, 0]),
        ("status=OPEN&status=CLOSED", &[5, 4, 0]),
        ("status=OPEN&priority=1&agentId=none&slaState=RUNNING&q=broken&sort=-createdAt", &[4, 0]),
    ] {
        assert_eq!(ids(&admin, query), newest_first(expected), "{query}");
    }
}

#[test]
fn a_deadline_that_has_passed_is_a_filter_too() {
    let desk = Desk::with().without_relay().start();
    let admin = desk.admin();
    let (late, _) = (desk.ticket(&admin, "VIP"), desk.ticket(&admin, "VIP"));
    desk.age(late, 121);
    techsupport_tests::eventually("it breaches", || ids(&admin, "slaState=BREACHED") == [late]);
    assert_eq!(ids(&admin, "slaState=RUNNING").len(), 1);
}

/// `from` and `to` include what they name; what an answer shows can be asked for.
#[test]
fn times_are_inclusive_to_the_millisecond() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let (t, _, _) = six(&desk, &admin);
    let created = |n: usize| -> String {
        let ticket = admin.get(&format!("/api/tickets/{}", t[n])).expect(200).json();
        ticket["createdAt"].as_str().unwrap().to_owned()
    };
    let (from, to) = (created(1), created(3));
    assert_eq!(ids(&admin, &format!("from={from}&to={to}")), [t[3], t[2], t[1]]);
    assert_eq!(ids(&admin, &format!("from={to}&to={to}")), [t[3]]);
    let with_offset = from.replace('Z', "%2B00:00");
    assert_eq!(ids(&admin, &format!("from={with_offset}")).len(), 5);
    admin.get(&format!("/api/tickets?from={to}&to={from}")).expect_problem(400, "invalid-input");
    assert_eq!(ids(&admin, "updatedSince=2000-01-01").len(), 6);
    assert_eq!(ids(&admin, "updatedSince=2999-01-01").len(), 0);
}

#[test]
fn what_is_no_filter_is_named() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    for (query, parameter) in [
        ("status=open", "status"),
        ("status=OPEN&status=LOST", "status"),
        ("priority=5", "priority"),
        ("clientId=7", "clientId"),
        ("agentId=nobody", "agentId"),
        ("from=yesterday", "from"),
        ("sort=title", "sort"),
        ("slaState=LATE", "slaState"),
        ("slaState=", "slaState"),
        ("tag=", "tag"),
        (&format!("tag={}", "x".repeat(41)), "tag"),
        (&format!("q={}", "x".repeat(201)), "q"),
        ("q=%00", "q"),
        ("sort=-tag", "sort"),
        ("from=2026-02-02&to=2026-02-01", "from"),
        ("colour=red", "colour"),
    ] {
        let problem = admin.get(&format!("/api/tickets?{query}")).expect_problem(400, "invalid-input").json();
        let named: Vec<&Value> =
            problem["errors"].as_array().unwrap().iter().map(|error| &error["parameter"]).collect();
        assert_eq!(named, [parameter], "{query}: {problem}");
    }
}

/// `updatedSince` is answered from the timeline, which therefore has to know of every change.
#[test]
fn every_change_is_found_by_its_time() {
    let desk = Desk::with().without_relay().start();
    let admin = desk.admin();
    let agent = desk.agent_of(&admin, 2);
    let t: Vec<_> = (0..5).map(|_| desk.ticket(&admin, "NORMAL")).collect();
    let breached = desk.ticket(&admin, "VIP");
    desk.age(breached, 121);
    techsupport_tests::eventually("it breaches", || {
        admin.get(&format!("/api/tickets/{breached}")).expect(200).json()["status"] == "ESCALATED"
    });
    let path = |n: usize| format!("/api/tickets/{}", t[n]);
    let since = || admin.get(&path(0)).expect(200).json()["updatedAt"].as_str().unwrap().to_owned();
    admin.patch(&path(0), &json!({"tags": ["vpn"]})).expect(200);
    let first = since();
    admin.patch(&path(1), &json!({"title": "Quite broken", "priority": 1})).expect(200);
    admin.patch(&format!("{}/assign", path(2)), &json!({"agentId": agent})).expect(200);
    admin.patch(&format!("{}/status", path(3)), &json!({"status": "IN_PROGRESS"})).expect(200);
    admin.delete(&path(4)).expect(204);
    admin.post(&format!("{}/restore", path(4)), &json!({})).expect(200);
    let mut found = ids(&admin, &format!("updatedSince={first}"));
    found.sort();
    assert_eq!(found, t);
    let untold = "tickets t WHERE NOT EXISTS \
                  (SELECT FROM ticket_timeline l WHERE l.ticket_id = t.id AND l.at = t.updated_at) AND version > 1";
    assert_eq!(desk.database().count(untold), 0);
}

#[test]
fn tags_are_looked_up_as_they_are_kept() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let (t, _, _) = six(&desk, &admin);
    for (n, tags) in [(0, json!(["VPN", "urgent"])), (3, json!(["vpn"])), (5, json!(["vp n", "100%"]))] {
        admin.patch(&format!("/api/tickets/{}", t[n]), &json!({"tags": tags})).expect(200);
    }
    for (query, expected) in [
        ("tag=vpn", &[3, 0][..]),
        ("tag=Vpn", &[3, 0]),
        ("tag=urgent", &[0]),
        ("tag=vp%20n", &[5]),
        ("tag=100%25", &[5]),
        ("tag=vp", &[]),
        ("tag=vpn&status=IN_PROGRESS", &[3]),
    ] {
        assert_eq!(ids(&admin, query), expected.iter().map(|n| t[*n]).collect::<Vec<_>>(), "{query}");
    }
}
