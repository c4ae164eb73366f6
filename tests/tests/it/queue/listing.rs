//! Looking at dead letters.

use serde_json::{Value, json};
use techsupport_tests::{Answer, Client, Desk, Queue, until};
use uuid::Uuid;

use super::{DLQ, dead};

fn ids(answer: &Answer) -> Vec<Uuid> {
    let rows = answer.json();
    rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().parse().unwrap()).collect()
}

/// The target that `Link` leads to.
fn next(answer: &Answer) -> Option<String> {
    let link = answer.header("link")?;
    let target = link.strip_prefix('<').and_then(|rest| rest.strip_suffix(">; rel=\"next\""));
    Some(target.unwrap_or_else(|| panic!("{link}")).to_owned())
}

/// Every page from this one on.
fn walk(caller: &Client, from: &str) -> Vec<Vec<Uuid>> {
    let mut pages = Vec::new();
    let mut target = Some(from.to_owned());
    while let Some(path) = target {
        let answer = caller.get(&path).expect(200);
        pages.push(ids(&answer));
        target = next(&answer);
    }
    pages
}

#[test]
fn they_are_listed_latest_first_each_as_it_is() {
    let desk = Desk::start();
    let admin = desk.admin();
    let none = admin.get(DLQ).expect(200);
    assert_eq!((none.json(), none.header("link")), (json!([]), None));

    let bytes = dead(&desk, "ticket-imports", b"caf\xe9 \"", 30);
    let text = dead(&desk, "sla-events", b"no JSON", 20);
    let event = dead(&desk, "sla-events", br#" {"id": "7", "data": {"n": 12345678901234567890123}} "#, 10);
    let answer = admin.get(DLQ).expect(200);
    assert_eq!(ids(&answer), [event, text, bytes]);
    assert_eq!((answer.header("link"), answer.header("content-type")), (None, Some("application/json")));
    assert!(answer.body.contains(r#""data": {"n": 12345678901234567890123}"#), "{}", answer.body);
    let rows = answer.json();
    let mut members: Vec<&String> = rows[0].as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(members, ["attempts", "data", "error", "failedAt", "id", "queue"]);
    assert_eq!((&rows[1]["data"], &rows[2]["data"]), (&json!("no JSON"), &json!("caf\u{fffd} \"")));
    let said = |row: &Value| (row["queue"].clone(), row["attempts"].clone(), row["error"].clone());
    assert_eq!(said(&rows[2]), (json!("ticket-imports"), json!(3), json!("log: no space left")));
    let at: String = desk.database().one(
        r#"SELECT to_char(failed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') FROM dead_letters WHERE id = $1"#,
        &[&text],
    );
    assert_eq!(rows[1]["failedAt"], json!(at));

    let of_one = |queue: &str| ids(&admin.get(&format!("{DLQ}?queue={queue}")).expect(200));
    assert_eq!(of_one("sla-events"), [event, text]);
    assert_eq!(of_one("webhook-events"), Vec::<Uuid>::new());
}

#[test]
fn a_message_that_nobody_could_read_is_found_there_with_its_reason() {
    let desk = Desk::with().collecting().start();
    desk.await_topology();
    let _worker = techsupport_tests::Worker::start(&desk);
    desk.broker().put(&desk.broker().name(Queue::Main), "{\"colour\": \"red\"}", 1);
    let admin = desk.admin();
    let letter = until("the dead letter is listed", || {
        admin.get(DLQ).expect(200).json().as_array().unwrap().first().cloned()
    });
    assert_eq!((&letter["queue"], &letter["data"]), (&json!("sla-events"), &json!({"colour": "red"})));
    let error = letter["error"].as_str().unwrap();
    assert!(error.starts_with("not a CloudEvents document"), "{error}");
}

#[test]
fn link_leads_through_all_of_them_whatever_happens_meanwhile() {
    let desk = Desk::start();
    let admin = desk.admin();
    // Two of the same moment, too.
    let mut all: Vec<Uuid> = (0..7)
        .map(|n| dead(&desk, if n % 2 == 0 { "sla-events" } else { "webhook-events" }, b"{}", n / 2))
        .collect();
    let pages = walk(&admin, &format!("{DLQ}?limit=3"));
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
    let mut walked = pages.concat();
    walked.sort();
    all.sort();
    assert_eq!(walked, all);

    let of_one = walk(&admin, &format!("{DLQ}?queue=sla-events&limit=1")).concat();
    assert_eq!(of_one.len(), 4, "the link keeps to what was asked for");

    let first = admin.get(&format!("{DLQ}?limit=3")).expect(200);
    let (seen, rest) = (ids(&first), next(&first).unwrap());
    let newer = dead(&desk, "sla-events", b"{}", -1);
    admin.delete(&format!("{DLQ}/{}", seen[2])).expect(204);
    let others = walk(&admin, &rest).concat();
    assert_eq!(others.len(), 4);
    assert!(others.iter().all(|id| !seen.contains(id) && *id != newer), "{others:?}");

    // As large as it likes, but only with the filter it was made with.
    let cursor = rest.split("cursor=").nth(1).unwrap();
    assert_eq!(ids(&admin.get(&format!("{DLQ}?limit=50&cursor={cursor}")).expect(200)), others);
    let wrong = admin.get(&format!("{DLQ}?queue=sla-events&cursor={cursor}"));
    assert_eq!(wrong.expect_problem(400, "invalid-input").json()["errors"][0]["parameter"], "cursor");
}

/// What one answer holds is bounded, whatever somebody has put into the queues.
#[test]
fn large_messages_come_few_at_a_time_and_the_largest_alone() {
    let desk = Desk::start();
    let admin = desk.admin();
    let large = vec![b'x'; 1_500_000];
    let mut all: Vec<Uuid> = (0..5).map(|n| dead(&desk, "sla-events", &large, n)).collect();
    all.push(dead(&desk, "sla-events", &vec![b'y'; 5_000_000], 5));
    all.push(dead(&desk, "sla-events", b"small", 6));
    let pages = walk(&admin, &format!("{DLQ}?limit=100"));
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1, 1, 1]);
    assert_eq!(pages.concat(), all);
}

#[test]
fn wrong_questions_are_named() {
    let desk = Desk::start();
    let admin = desk.admin();
    for (query, parameter) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("queue=", "queue"),
        ("queue=SLA-EVENTS", "queue"),
        ("queue=sla-events.dlq", "queue"),
        ("cursor=x", "cursor"),
        ("page=1", "page"),
        ("pageSize=1", "pageSize"),
    ] {
        let problem = admin.get(&format!("{DLQ}?{query}")).expect_problem(400, "invalid-input").json();
        assert_eq!(problem["errors"][0]["parameter"], parameter, "{problem}");
    }
    admin.get("/api/queue/stats?limit=1").expect_problem(400, "invalid-input");
    admin.get("/api/queue").expect_problem(404, "unknown-route");
    admin.get(&format!("{DLQ}/{}", Uuid::nil())).expect_problem(405, "method-not-allowed");
    admin.delete(&format!("{DLQ}/replay")).expect_problem(405, "method-not-allowed");
}
