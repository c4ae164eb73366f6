//! Lists: filters, orders, pages.

use serde_json::{Value, json};
use techsupport_tests::{Client, Desk};
use uuid::Uuid;

fn ids(caller: &Client, query: &str) -> Vec<Uuid> {
    let list = caller.get(&format!("/api/tickets?pageSize=100&{query}")).expect(200).json();
    let data = list["data"].as_array().unwrap();
    assert_eq!(list["total"], json!(data.len()));
    data.iter().map(|ticket| ticket["id"].as_str().unwrap().parse().unwrap()).collect()
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
fn orders_and_their_ties() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let (t, _, _) = six(&desk, &admin);
    let order = |sort: &str| ids(&admin, &format!("sort={sort}"));
    assert_eq!(order("createdAt"), t);
    assert_eq!(order("-createdAt"), t.iter().rev().copied().collect::<Vec<_>>());
    // Priorities 1, 2, 3, 4, 1, 2; ids grow with time.
    assert_eq!(order("priority"), [t[0], t[4], t[1], t[5], t[2], t[3]]);
    assert_eq!(order("-priority"), [t[3], t[2], t[5], t[1], t[4], t[0]]);
}

#[test]
fn pages_cover_everything_once() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let (t, _, _) = six(&desk, &admin);
    let mut seen = Vec::new();
    for (page, rows) in [(1, 4), (2, 2), (3, 0)] {
        let list =
            admin.get(&format!("/api/tickets?sort=createdAt&page={page}&pageSize=4")).expect(200).json();
        let data = list["data"].as_array().unwrap();
        assert_eq!(
            (data.len(), &list["total"], &list["page"], &list["pageSize"]),
            (rows, &json!(6), &json!(page), &json!(4))
        );
        seen.extend(data.iter().map(|ticket| ticket["id"].clone()));
    }
    assert_eq!(seen, t.iter().map(|id| json!(id)).collect::<Vec<_>>());
    assert_eq!(admin.get("/api/tickets").expect(200).json()["pageSize"], 20);
    for wrong in
        ["page=0", "page=-1", "page=x", "pageSize=0", "pageSize=101", "page=1&page=2", "page=99999999999"]
    {
        let problem = admin.get(&format!("/api/tickets?{wrong}")).expect_problem(400, "invalid-input").json();
        let parameter = wrong.split('=').next().unwrap();
        assert_eq!(problem["errors"][0]["parameter"], parameter, "{wrong}: {problem}");
    }
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
        ("colour=red", "colour"),
    ] {
        let problem = admin.get(&format!("/api/tickets?{query}")).expect_problem(400, "invalid-input").json();
        let named: Vec<&Value> =
            problem["errors"].as_array().unwrap().iter().map(|error| &error["parameter"]).collect();
        assert_eq!(named, [parameter], "{query}: {problem}");
    }
}

#[test]
fn directories_are_searched_literally() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    for (n, name) in ["100% Wool", "100 Wool", "Under_score", "Underscore", "Ñandú"].iter().enumerate() {
        let body = json!({"name": name, "email": format!("c{n}@example.org"), "type": if n < 2 { "VIP" } else { "NORMAL" }, "company": "Forja"});
        admin.post("/api/clients", &body).expect(201);
    }
    let names = |query: &str| {
        let list = admin.get(&format!("/api/clients?{query}")).expect(200).json();
        let mut names: Vec<String> =
            list["data"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names("search=0%25"), ["100% Wool"]);
    assert_eq!(names("search=r_s"), ["Under_score"]);
    assert_eq!(names("search=WOOL&type=VIP"), ["100 Wool", "100% Wool"]);
    assert_eq!(names("search=%C3%B1and%C3%BA"), ["Ñandú"], "whatever the letter case");
    assert_eq!(names("search=c4@example"), ["Ñandú"]);
    assert_eq!(names("search=").len(), 5);
    let agent =
        |email: &str, active: bool| json!({"name": "Luis", "email": email, "level": 1, "active": active});
    admin.post("/api/agents", &agent("a@example.org", true)).expect(201);
    admin.post("/api/agents", &agent("b@example.org", false)).expect(201);
    for (query, total) in [("", 2), ("active=true", 1), ("active=false", 1), ("search=b@", 1)] {
        assert_eq!(admin.get(&format!("/api/agents?{query}")).expect(200).json()["total"], total, "{query}");
    }
}
