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

/// Its deadlines are those of the other type from then on, so the history has to say so, and of which one it was.
#[test]
fn a_ticket_that_returns_tells_of_which_type_its_client_is_by_then() {
    let desk = Desk::with().without_sweep().without_relay().start();
    let admin = desk.admin();
    let client = desk.client_of(&admin, "VIP");
    let becomes = |kind: &str| {
        admin.patch(&format!("/api/clients/{client}"), &json!({"type": kind})).expect(200);
    };
    let [resolved, deleted] = [(); 2].map(|()| desk.ticket_for(&admin, client));
    let go = |to: &str| {
        let moved = admin.patch(&format!("{}/status", path(resolved)), &json!({"status": to}));
        etag(&moved.expect(200))
    };
    let restore = || {
        let back = admin.post(&format!("{}/restore", path(deleted)), &json!({})).expect(200);
        etag(&back)
    };
    go("IN_PROGRESS");
    go("RESOLVED");
    admin.delete(&path(deleted)).expect(204);
    becomes("NORMAL");
    assert_eq!((go("IN_PROGRESS"), restore()), ("\"4\"".to_owned(), "\"3\"".to_owned()));
    // Away again, the type changes to and fro, and there is nothing to tell.
    go("RESOLVED");
    admin.delete(&path(deleted)).expect(204);
    becomes("VIP");
    becomes("NORMAL");
    assert_eq!((go("IN_PROGRESS"), restore()), ("\"6\"".to_owned(), "\"5\"".to_owned()));
    becomes("VIP");
    for (ticket, returns) in [(resolved, "STATUS_CHANGED"), (deleted, "RESTORED")] {
        let list = admin.get(&format!("{}/timeline?pageSize=50", path(ticket))).expect(200).json();
        let entries = list["data"].as_array().unwrap();
        let edits: Vec<usize> = (0..entries.len()).filter(|n| entries[*n]["action"] == "EDITED").collect();
        let told = edits.iter().map(|n| json!([entries[*n]["before"], entries[*n]["after"]]));
        let (vip, normal) = (json!({"clientType": "VIP"}), json!({"clientType": "NORMAL"}));
        assert_eq!(told.collect::<Vec<_>>(), [json!([vip, normal]), json!([normal, vip])], "{list}");
        assert_eq!(entries[edits[0] - 1]["action"], returns);
        assert_eq!(entries[edits[0] - 1]["at"], entries[edits[0]]["at"]);
        assert_eq!(entries[edits[0]]["actor"], entries[edits[0] - 1]["actor"]);
        let clocks = admin.get(&format!("{}/sla", path(ticket)));
        assert_eq!(clocks.expect(200).json()["clocks"].as_array().unwrap().len(), 1);
    }
    let edited = desk.events().iter().filter(|kind| *kind == "pro.techsupport.ticket.edited.v1").count();
    assert_eq!(edited, 4);
}
