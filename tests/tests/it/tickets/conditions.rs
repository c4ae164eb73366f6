//! `If-Match` and `If-None-Match`.

use serde_json::json;
use techsupport_tests::{Client, Desk};

use super::{etag, path, told};
use crate::{
    races::race,
    sweep::{let_two_hours_pass, sweep},
};

fn only_if(caller: &Client, tags: &str) -> Client {
    caller.with_header("if-match", tags)
}

#[test]
fn of_fifty_edits_of_one_version_one_wins_and_49_come_too_late() {
    let desk = Desk::with().replicas(2).start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "NORMAL");
    let seen = etag(&admin.get(&path(ticket)));
    let there = path(ticket);
    let answers = race(vec![only_if(&admin, &seen); 50], move |n, caller| {
        caller.patch(&there, &json!({"title": format!("Title of caller {n}")}))
    });
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((won.len(), lost.len()), (1, 49));
    for answer in lost {
        answer.expect_problem(412, "precondition-failed");
    }
    let now = admin.get(&path(ticket)).expect(200);
    assert_eq!(etag(&now), "\"2\"");
    assert_eq!(now.json(), won[0].json());
    assert_eq!(told(&admin, ticket), ["USER CREATED", "USER EDITED"]);
}

#[test]
fn every_change_is_made_only_to_the_version_it_is_meant_for() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "NORMAL");
    let stale = only_if(&admin, "\"7\"");
    let status = format!("{}/status", path(ticket));
    let assign = format!("{}/assign", path(ticket));
    stale.patch(&path(ticket), &json!({"title": "Other"})).expect_problem(412, "precondition-failed");
    // The version is looked at before the rules are.
    stale.patch(&status, &json!({"status": "CLOSED"})).expect_problem(412, "precondition-failed");
    stale.patch(&assign, &json!({"agentId": ticket})).expect_problem(412, "precondition-failed");
    stale.delete(&path(ticket)).expect_problem(412, "precondition-failed");
    assert_eq!(told(&admin, ticket), ["USER CREATED"]);
    let agent = desk.agent_of(&admin, 1);
    let edited = only_if(&admin, "\"1\"").patch(&path(ticket), &json!({"title": "Other"})).expect(200);
    let moved = only_if(&admin, &etag(&edited)).patch(&status, &json!({"status": "IN_PROGRESS"})).expect(200);
    let assigned = only_if(&admin, &etag(&moved)).patch(&assign, &json!({"agentId": agent})).expect(200);
    only_if(&admin, &etag(&assigned)).delete(&path(ticket)).expect(204);
    stale.post(&format!("{}/restore", path(ticket)), &json!({})).expect_problem(412, "precondition-failed");
    only_if(&admin, "\"5\"").post(&format!("{}/restore", path(ticket)), &json!({})).expect(200);
}

/// A comment makes no version; but who says that it is about one does not want to have said it about another.
#[test]
fn a_comment_is_made_only_about_the_version_it_is_meant_for() {
    let desk = Desk::with().without_sweep().without_relay().start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "VIP");
    let comments = format!("{}/comments", path(ticket));
    let say = |tags: &str| {
        let caller = only_if(&admin, tags).with_header("idempotency-key", "one-and-the-same");
        caller.post(&comments, &json!({"body": "As you say."}))
    };
    say("\"7\"").expect_problem(412, "precondition-failed");
    say("W/\"1\"").expect_problem(412, "precondition-failed");
    assert_eq!(say("1").expect_problem(400, "invalid-input").json()["errors"][0]["header"], "If-Match");
    assert_eq!(told(&admin, ticket), ["USER CREATED"]);
    // What was refused was not kept as the answer to its key.
    say("\"1\"").expect(201);
    let again = say("\"1\"").expect(201);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(told(&admin, ticket), ["USER CREATED", "USER COMMENTED"]);
    only_if(&admin, "\"1\"").post(&comments, &json!({"body": "Still the same one."})).expect(201);
    only_if(&admin, "*").post(&comments, &json!({"body": "Whatever there is."})).expect(201);
}

/// What was noticed under the lock is kept although nothing is said: the version that comes next is the one that is
/// there already.
#[test]
fn a_comment_about_the_version_before_a_breach_is_refused_and_the_breach_stays() {
    let desk = Desk::with().without_sweep().without_relay().start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "VIP");
    let seen = etag(&admin.get(&path(ticket)));
    let_two_hours_pass(&desk);
    let comments = format!("{}/comments", path(ticket));
    let body = json!({"body": "On our way."});
    only_if(&admin, &seen).post(&comments, &body).expect_problem(412, "precondition-failed");
    assert_eq!(desk.database().count("sla_steps"), 1);
    only_if(&admin, &etag(&admin.get(&path(ticket)))).post(&comments, &body).expect(201);
}

#[test]
fn tags_are_compared_as_the_standard_says() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "NORMAL");
    let rename =
        |tags: &str, title: &str| only_if(&admin, tags).patch(&path(ticket), &json!({"title": title}));
    rename("*", "Whatever there is").expect(200);
    rename("\"9\", W/\"x\" ,\"2\"", "One of a list").expect(200);
    for nobodys in ["W/\"3\"", "\"03\"", "\"+3\"", "\"\"", "\"3a\"", "\"99999999999999999999\""] {
        rename(nobodys, "Never").expect_problem(412, "precondition-failed");
    }
    for malformed in ["3", "\"3", "*, \"3\"", "\"3\" \"3\"", "\"3\";q=1"] {
        let problem = rename(malformed, "Never").expect_problem(400, "invalid-input").json();
        assert_eq!(problem["errors"][0]["header"], "If-Match", "{malformed}");
    }
    // 400 and 404 come first.
    only_if(&admin, "\"7\"")
        .patch(&path(ticket), &json!({"colour": "red"}))
        .expect_problem(400, "invalid-input");
    let gone = "/api/tickets/0199aaaa-0000-7000-8000-000000000000";
    only_if(&admin, "*").patch(gone, &json!({"title": "Gone"})).expect_problem(404, "not-found");
    rename("\"3\"", "The third").expect(200);
}

/// Whether a sweep has come by or not: the version from before a breach is no longer the ticket's, and who asks again
/// gets the one that is.
#[test]
fn a_version_from_before_a_breach_is_stale_whether_it_was_noticed_or_not() {
    for noticed in [true, false] {
        let desk = Desk::with().without_sweep().without_relay().start();
        let admin = desk.admin();
        let ticket = desk.ticket(&admin, "VIP");
        let seen = etag(&admin.get(&path(ticket)));
        let_two_hours_pass(&desk);
        if noticed {
            assert_eq!(sweep(&desk.ports(), 10).unwrap().claimed, 1);
        }
        let status = format!("{}/status", path(ticket));
        let move_on = |tag: &str| only_if(&admin, tag).patch(&status, &json!({"status": "IN_PROGRESS"}));
        move_on(&seen).expect_problem(412, "precondition-failed");
        let now = admin.get(&path(ticket)).expect(200);
        assert_eq!(now.json()["status"], "ESCALATED");
        move_on(&etag(&now)).expect(200);
        assert_eq!(desk.database().count("sla_steps"), 1);
    }
}

#[test]
fn who_has_the_ticket_already_is_not_sent_it_again() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "VIP");
    let unless = |tags: &str| admin.with_header("if-none-match", tags).get(&path(ticket));
    for known in ["\"1\"", "W/\"1\"", "\"7\", \"1\"", "*"] {
        let answer = unless(known).expect(304);
        assert_eq!((answer.body.as_str(), etag(&answer)), ("", "\"1\"".to_owned()), "{known}");
    }
    for unknown in ["\"2\"", "\"\"", "nonsense"] {
        unless(unknown).expect(200);
    }
    // The comment answers the ticket without making a version of it: who has that version has not seen the answer.
    let comments = format!("{}/comments", path(ticket));
    admin.post(&comments, &json!({"body": "On our way."})).expect(201);
    let answered = unless("\"1\"").expect(200);
    assert_eq!((etag(&answered), &answered.json()["sla"][0]["state"]), ("\"1\"".to_owned(), &json!("MET")));
    admin.patch(&path(ticket), &json!({"tags": ["fire"]})).expect(200);
    unless("\"1\"").expect(200);
    unless("\"2\"").expect(304);
    admin.post(&comments, &json!({"body": "Still on our way."})).expect(201);
    unless("\"2\"").expect(304);
}
