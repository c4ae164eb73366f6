//! Many tickets in one request.

use serde_json::{Value, json};
use techsupport_tests::{Client, Desk};
use uuid::Uuid;

use crate::races::race;

const PATH: &str = "/api/tickets/bulk";

fn results(caller: &Client, items: &Value) -> Vec<Value> {
    let answer = caller.post(PATH, items).expect(200).json();
    answer["results"].as_array().unwrap().clone()
}

fn statuses(results: &[Value]) -> Vec<u64> {
    results.iter().map(|result| result["status"].as_u64().unwrap()).collect()
}

fn go(caller: &Client, ticket: Uuid, statuses: &[&str]) {
    for status in statuses {
        caller.patch(&format!("/api/tickets/{ticket}/status"), &json!({"status": status})).expect(200);
    }
}

#[test]
fn each_item_succeeds_or_fails_on_its_own_in_the_order_asked() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let [open, closed, escalated] = [(); 3].map(|()| desk.ticket(&admin, "NORMAL"));
    go(&admin, closed, &["IN_PROGRESS", "RESOLVED", "CLOSED"]);
    go(&admin, escalated, &["ESCALATED"]);
    let (low, high) = (desk.agent_of(&admin, 1), desk.agent_of(&admin, 2));
    let nobody = techsupport_bootstrap::ids::new_id();
    let items = json!([
        {"id": open, "status": "IN_PROGRESS"},
        {"id": closed, "status": "IN_PROGRESS"},
        {"id": nobody, "status": "IN_PROGRESS"},
        {"id": escalated, "agentId": low},
        {"id": open, "agentId": nobody},
        {"id": escalated, "agentId": high},
        {"id": open, "agentId": low},
        {"id": open, "agentId": null},
    ]);
    let results = results(&desk.agent(), &items);
    assert_eq!(statuses(&results), [200, 409, 404, 403, 422, 200, 200, 200]);
    for (item, result) in items.as_array().unwrap().iter().zip(&results) {
        assert_eq!(item["id"], result["id"]);
        assert_eq!(result["ticket"].is_object(), result["status"] == 200, "{result}");
        assert_eq!(result["problem"].is_object(), result["status"] != 200, "{result}");
    }
    let kinds: Vec<&str> = results
        .iter()
        .filter_map(|result| result["problem"]["type"].as_str()?.strip_prefix("urn:techsupport:problem:"))
        .collect();
    assert_eq!(kinds, ["illegal-transition", "not-found", "agent-level-too-low", "unusable-reference"]);
    assert_eq!(results[1]["problem"]["allowed"], json!([]));
    assert_eq!(results[4]["problem"]["errors"][0]["pointer"], "/4/agentId");
    assert_eq!(results[4]["problem"]["instance"], PATH);
    assert_eq!(results[6]["ticket"]["agentId"], json!(low));
    // What the last item left is what there is.
    assert_eq!(admin.get(&format!("/api/tickets/{open}")).expect(200).json(), results[7]["ticket"]);
    let versions: i64 = desk.database().one("SELECT sum(version)::int8 FROM tickets", &[]);
    assert_eq!(desk.database().count("ticket_timeline"), versions);
    assert_eq!(desk.database().count("outbox"), versions);
}

#[test]
fn an_item_with_both_is_done_as_a_whole_and_in_the_order_that_makes_sense() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let (low, high) = (desk.agent_of(&admin, 1), desk.agent_of(&admin, 3));
    let [resolving, reopened, calmed, raised, refused] = [(); 5].map(|()| desk.ticket(&admin, "NORMAL"));
    go(&admin, resolving, &["IN_PROGRESS"]);
    go(&admin, reopened, &["IN_PROGRESS", "RESOLVED"]);
    go(&admin, calmed, &["ESCALATED"]);
    let items = json!([
        {"id": resolving, "status": "RESOLVED", "agentId": low},
        {"id": reopened, "status": "IN_PROGRESS", "agentId": low},
        {"id": calmed, "status": "IN_PROGRESS", "agentId": low},
        {"id": raised, "status": "ESCALATED", "agentId": high},
        {"id": refused, "status": "ESCALATED", "agentId": low},
    ]);
    let results = results(&admin, &items);
    assert_eq!(statuses(&results), [200, 200, 200, 200, 403]);
    for (item, result) in items.as_array().unwrap().iter().zip(&results).take(4) {
        assert_eq!(result["ticket"]["status"], item["status"]);
        assert_eq!(result["ticket"]["agentId"], item["agentId"]);
    }
    // Of the last one not even the move that was possible.
    let untouched = admin.get(&format!("/api/tickets/{refused}")).expect(200);
    assert_eq!((&untouched.json()["status"], untouched.header("etag")), (&json!("OPEN"), Some("\"1\"")));
}

/// A failure of ours is no outcome: with a key it would be kept, and the item never done.
#[test]
fn a_ticket_that_cannot_be_read_fails_the_whole_and_leaves_the_key_free() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let [sound, corrupt] = [(); 2].map(|()| desk.ticket(&admin, "NORMAL"));
    let title = |title: &str| {
        desk.database().execute("UPDATE tickets SET title = $2 WHERE id = $1", &[&corrupt, &title]);
    };
    title("x");
    let items = json!([{"id": sound, "status": "IN_PROGRESS"}, {"id": corrupt, "status": "IN_PROGRESS"}]);
    let caller = admin.with_header("idempotency-key", "monday");
    let failed = caller.post(PATH, &items).expect_problem(500, "internal");
    let failed = failed.json();
    assert!(failed["detail"].as_str().unwrap().contains(&corrupt.to_string()), "{failed}");
    assert_eq!(desk.database().count("tickets WHERE status = 'OPEN'"), 2);
    title("The printer");
    assert_eq!(statuses(&results(&caller, &items)), [200, 200]);
}

#[test]
fn what_is_malformed_refuses_the_whole_request_and_is_named() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "NORMAL");
    let good = json!({"id": ticket, "status": "IN_PROGRESS"});
    let many = Value::from(vec![good.clone(); 101]);
    let cases = [
        (json!([good, {"id": "1", "status": "OPEN"}]), vec!["/1/id"]),
        (json!([good, {"status": "DONE", "colour": 1}]), vec!["/1/colour", "/1/id", "/1/status"]),
        (json!([{"id": ticket}]), vec!["/0"]),
        (json!([{"id": ticket, "status": null}]), vec!["/0/status"]),
        (json!([{"id": ticket, "agentId": 7}]), vec!["/0/agentId"]),
        (json!([{"id": ticket, "agentId": null, "agentLevel": 2}]), vec!["/0/agentLevel"]),
        (json!([good, null, [], 1]), vec!["/1", "/2", "/3"]),
        (json!([]), vec![""]),
        (json!({}), vec![""]),
        (json!({"items": [good]}), vec![""]),
        (json!("x"), vec![""]),
        (many, vec![""]),
    ];
    for (items, expected) in cases {
        let problem = admin.post(PATH, &items).expect_problem(400, "invalid-input").json();
        let errors = problem["errors"].as_array().unwrap();
        let mut pointers: Vec<&str> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
        pointers.sort_unstable();
        assert_eq!(pointers, expected, "{items}");
    }
    let twice = format!("[{{\"id\": \"{ticket}\", \"status\": \"OPEN\", \"status\": \"OPEN\"}}]");
    let problem =
        admin.send("POST", PATH, Some(&twice), "application/json").expect_problem(400, "invalid-input");
    assert_eq!(problem.json()["errors"][0]["pointer"], "/0/status");
    assert_eq!(admin.get(&format!("/api/tickets/{ticket}")).header("etag"), Some("\"1\""));
    assert_eq!(statuses(&results(&admin, &Value::from(vec![good; 100]))).len(), 100);
    for method in ["GET", "PATCH", "DELETE"] {
        admin.call(method, PATH, None).expect_problem(405, "method-not-allowed");
    }
}

/// Each takes the tickets in another order; without one order of locking they would kill each other.
#[test]
fn requests_that_share_tickets_wait_for_each_other_and_do_not_deadlock() {
    let desk =
        Desk::with().replicas(2).without_sweep().without_relay().set("DATABASE__MAX_RETRIES", 0).start();
    let admin = desk.admin();
    let client = desk.client_of(&admin, "NORMAL");
    let tickets: Vec<Uuid> = (0..30).map(|_| desk.ticket_for(&admin, client)).collect();
    let agents = [desk.agent_of(&admin, 1), desk.agent_of(&admin, 2)];
    let asked = tickets.clone();
    let answers = race(vec![admin; 8], move |n, caller| {
        let mut order = asked.clone();
        if n % 2 == 0 {
            order.reverse();
        }
        order.rotate_left(n * 3);
        let items: Vec<Value> =
            order.iter().map(|ticket| json!({"id": ticket, "agentId": agents[n % 2]})).collect();
        caller.post(PATH, &Value::from(items))
    });
    for answer in answers {
        let answer = answer.expect(200).json();
        assert_eq!(statuses(answer["results"].as_array().unwrap()), [200; 30]);
    }
    let versions: i64 = desk.database().one("SELECT sum(version)::int8 FROM tickets", &[]);
    assert_eq!(desk.database().count("ticket_timeline"), versions);
}
