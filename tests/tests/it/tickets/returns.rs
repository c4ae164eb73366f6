//! Deleting a ticket and bringing it back.

use serde_json::json;
use techsupport_tests::Desk;

use super::{etag, path, shown, told};
use crate::{races::race, sweep::sweep};

#[test]
fn a_ticket_comes_back_as_it_was_and_its_clock_goes_on() {
    let desk = Desk::with().without_sweep().without_relay().start();
    let (admin, supervisor, agent) = (desk.admin(), desk.supervisor(), desk.agent());
    let ticket = desk.ticket(&admin, "VIP");
    desk.age(ticket, 60);
    let before = shown(&admin, ticket);
    admin.delete(&path(ticket)).expect(204);
    // Three hours pass while it is away, two of which would have been too many.
    desk.age(ticket, 180);
    assert_eq!(sweep(&desk.ports(), 10).unwrap().claimed, 0);
    let restore = format!("{}/restore", path(ticket));
    agent.post(&restore, &json!({})).expect_problem(403, "forbidden");
    let back = supervisor.post(&restore, &json!({})).expect(200);
    assert_eq!(etag(&back), "\"3\"");
    assert_eq!(shown(&agent, ticket), back.json());
    for member in ["id", "number", "title", "description", "status", "priority", "tags", "agentId"] {
        assert_eq!(back.json()[member], before[member], "{member}");
    }
    assert_eq!(back.json()["sla"][0]["state"], "RUNNING");
    let left: f64 = desk
        .database()
        .one("SELECT extract(epoch FROM due_at - clock_timestamp())::float8 / 60 FROM sla_clocks", &[]);
    assert!((59.0..=60.0).contains(&left), "{left} of 120 minutes are left");
    assert_eq!(admin.get("/api/tickets").expect(200).json()["total"], 1);
    assert_eq!(told(&admin, ticket), ["USER CREATED", "USER DELETED", "USER RESTORED"]);
    assert_eq!(desk.events().last().unwrap(), "pro.techsupport.ticket.restored.v1");
}

#[test]
fn asking_twice_does_no_harm_and_nothing_comes_from_nothing() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "NORMAL");
    let restore = format!("{}/restore", path(ticket));
    let untouched = admin.post(&restore, &json!({})).expect(200);
    assert_eq!((etag(&untouched), untouched.json()), ("\"1\"".to_owned(), shown(&admin, ticket)));
    admin.delete(&path(ticket)).expect(204);
    let there = restore.clone();
    let answers = race(vec![admin.clone(); 20], move |_, caller| caller.post(&there, &json!({})));
    for answer in answers {
        assert_eq!(etag(&answer.expect(200)), "\"3\"");
    }
    assert_eq!(told(&admin, ticket), ["USER CREATED", "USER DELETED", "USER RESTORED"]);
    let gone = "/api/tickets/0199aaaa-0000-7000-8000-000000000000/restore";
    admin.post(gone, &json!({})).expect_problem(404, "not-found");
    admin.post("/api/tickets/nonsense/restore", &json!({})).expect_problem(400, "invalid-input");
}
