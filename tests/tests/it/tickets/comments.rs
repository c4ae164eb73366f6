//! What people say about tickets.

use serde_json::{Value, json};
use techsupport_tests::Desk;

use super::{etag, path, shown, told};

#[test]
fn a_comment_has_an_author_and_is_read_in_order() {
    let desk = Desk::with().without_sweep().start();
    let (admin, agent) = (desk.admin(), desk.agent());
    let ticket = desk.ticket(&admin, "NORMAL");
    let comments = format!("{}/comments", path(ticket));
    let me = agent.get("/api/auth/me").expect(200).json();
    let first = agent.post(&comments, &json!({"body": "  Which one?\nThe big one?  "})).expect(201);
    assert_eq!(first.header("location"), None, "a comment has no address of its own");
    let body = first.json();
    assert_eq!(body["body"], "  Which one?\nThe big one?  ");
    assert_eq!((&body["visibility"], &body["ticketId"]), (&json!("PUBLIC"), &json!(ticket)));
    assert_eq!(body["author"], json!({"id": me["id"], "email": me["email"]}));
    let internal = json!({"body": "He means the toaster.", "visibility": "INTERNAL"});
    let second = admin.post(&comments, &internal).expect(201).json();
    let list = agent.get(&comments).expect(200).json();
    assert_eq!((&list["data"], &list["total"]), (&json!([body, second]), &json!(2)), "staff see all");
    let page = agent.get(&format!("{comments}?cursor=&pageSize=1")).expect(200).json();
    assert_eq!(page["data"], json!([body]));
    let rest = format!("{comments}?pageSize=1&cursor={}", page["nextCursor"].as_str().unwrap());
    let rest = agent.get(&rest).expect(200).json();
    assert_eq!((&rest["data"], &rest["nextCursor"]), (&json!([second]), &Value::Null));
}

#[test]
fn a_public_comment_answers_and_an_internal_one_does_not() {
    let desk = Desk::with().without_sweep().without_relay().start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "VIP");
    let before = admin.get(&path(ticket)).expect(200);
    let comments = format!("{}/comments", path(ticket));
    admin.post(&comments, &json!({"body": "Secret.", "visibility": "INTERNAL"})).expect(201);
    assert_eq!(shown(&admin, ticket), before.json());
    let said = admin.post(&comments, &json!({"body": "On our way."})).expect(201).json();
    let after = admin.get(&path(ticket)).expect(200);
    assert_eq!((etag(&after), &after.json()["updatedAt"]), (etag(&before), &before.json()["updatedAt"]));
    let clock = &after.json()["sla"][0];
    assert_eq!((&clock["state"], &clock["stoppedAt"]), (&json!("MET"), &said["createdAt"]));
    desk.age(ticket, 100_000);
    assert_eq!(crate::sweep::sweep(&desk.ports(), 10).unwrap().claimed, 0);
    assert_eq!(told(&admin, ticket), ["USER CREATED", "USER COMMENTED", "USER COMMENTED"]);
    // What is said among the staff stays there.
    let events: Vec<Value> =
        desk.database().all("SELECT body FROM outbox WHERE type LIKE '%commented%' ORDER BY id", &[]);
    assert_eq!(events[0]["data"]["after"]["body"], Value::Null);
    assert_eq!(events[1]["data"]["after"]["body"], "On our way.");
    assert!(!events[0].to_string().contains("Secret"));
}

#[test]
fn comments_come_late_and_to_the_wrong_place() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "NORMAL");
    let comments = format!("{}/comments", path(ticket));
    for status in ["IN_PROGRESS", "RESOLVED", "CLOSED"] {
        admin.patch(&format!("{}/status", path(ticket)), &json!({"status": status})).expect(200);
    }
    admin.post(&comments, &json!({"body": "It burns again."})).expect(201);
    for (body, place) in [
        (json!({}), "/body"),
        (json!({"body": ""}), "/body"),
        (json!({"body": " \n "}), "/body"),
        (json!({"body": "\u{200B}\u{FEFF} \u{2060}"}), "/body"),
        (json!({"body": "x".repeat(10_001)}), "/body"),
        (json!({"body": "x", "visibility": "public"}), "/visibility"),
        (json!({"body": "x", "author": "me"}), "/author"),
    ] {
        let problem = admin.post(&comments, &body).expect_problem(400, "invalid-input").json();
        assert_eq!(problem["errors"][0]["pointer"], place, "{body}");
    }
    admin.delete(&path(ticket)).expect(204);
    admin.post(&comments, &json!({"body": "Hello?"})).expect_problem(404, "not-found");
    admin.get(&comments).expect_problem(404, "not-found");
    assert_eq!(desk.database().count("ticket_comments"), 1);
}

#[test]
fn a_move_and_its_comment_happen_together_or_not_at_all() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "NORMAL");
    let status = format!("{}/status", path(ticket));
    let illegal = json!({"status": "CLOSED", "comment": "Done."});
    admin.patch(&status, &illegal).expect_problem(409, "illegal-transition");
    let alone = json!({"status": "IN_PROGRESS", "visibility": "INTERNAL"});
    let problem = admin.patch(&status, &alone).expect_problem(400, "invalid-input").json();
    assert_eq!(problem["errors"][0]["pointer"], "/visibility");
    assert_eq!(desk.database().count("ticket_comments"), 0);
    admin.patch(&status, &json!({"status": "IN_PROGRESS", "comment": "On our way."})).expect(200);
    let body = json!({"status": "WAITING", "comment": "He is out.", "visibility": "INTERNAL"});
    admin.patch(&status, &body).expect(200);
    let list = admin.get(&format!("{}/comments", path(ticket))).expect(200).json();
    let said: Vec<(&Value, &Value)> =
        list["data"].as_array().unwrap().iter().map(|said| (&said["body"], &said["visibility"])).collect();
    assert_eq!(said, [(&json!("On our way."), &json!("PUBLIC")), (&json!("He is out."), &json!("INTERNAL"))]);
    let order =
        ["USER CREATED", "USER STATUS_CHANGED", "USER COMMENTED", "USER STATUS_CHANGED", "USER COMMENTED"];
    assert_eq!(told(&admin, ticket), order);
}
