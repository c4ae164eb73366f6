//! Every report over random tickets.

use rand::{RngExt, SeedableRng, rngs::ChaCha12Rng};
use serde_json::{Value, json};
use techsupport_tests::{Client, Desk};

use super::{
    ZONES,
    expected::Query,
    history::{History, boundaries},
};

/// Chosen from what matters: everything, or a part that begins and ends at a boundary.
fn queries(dice: &mut ChaCha12Rng, count: usize) -> Vec<Query> {
    let moments = boundaries();
    let mut queries: Vec<Query> =
        ZONES.map(|zone| Query { source: None, from: None, to: None, tier: None, zone }).into();
    while queries.len() < count {
        let mut moment = || moments[dice.random_range(0..moments.len())];
        let (from, to) = (moment(), moment());
        let (from, to) = (from.min(to), from.max(to));
        let mut any = |choices: [Option<&'static str>; 3]| choices[dice.random_range(0..3_usize)];
        let source = any([None, Some("live"), Some("imported")]);
        let tier = any([None, Some("VIP"), Some("NORMAL")]);
        let (has_from, has_to): (bool, bool) = dice.random();
        queries.push(Query {
            source,
            from: has_from.then_some(from),
            to: has_to.then_some(to),
            tier,
            zone: ZONES[dice.random_range(0..ZONES.len())],
        });
    }
    queries
}

/// A report in one piece.
fn report(caller: &Client, name: &str, query: Query) -> Vec<Value> {
    let text = query.text();
    let (more, is_list) = match name {
        "top-agents" => ("&limit=100", false),
        "sla-compliance" | "backlog" => ("&pageSize=100", true),
        _ => ("", false),
    };
    let answer = caller.get(&format!("/api/reports/{name}?{text}{more}")).expect(200).json();
    let rows = if is_list { &answer["data"] } else { &answer };
    let rows = rows.as_array().unwrap().clone();
    if is_list {
        let total = usize::try_from(answer["total"].as_u64().unwrap()).unwrap();
        assert!(total == rows.len() || total > 100 && rows.len() == 100, "{name} {text}");
    }
    rows
}

fn compare(caller: &Client, history: &History, now: i64, query: Query) {
    for (name, mut expected) in history.reports(query, now) {
        expected.truncate(if matches!(name, "sla-compliance" | "backlog" | "top-agents") {
            100
        } else {
            usize::MAX
        });
        let told = report(caller, name, query);
        let differs = told.iter().zip(&expected).find(|(told, expected)| told != expected);
        let lengths = (told.len(), expected.len());
        assert!(differs.is_none() && lengths.0 == lengths.1, "{name} {query:?}: {lengths:?} {differs:?}");
    }
}

#[test]
fn reports_say_what_the_tickets_come_to() {
    for seed in [1, 2] {
        let desk = Desk::with().without_sweep().start();
        let caller = desk.supervisor();
        let mut dice = ChaCha12Rng::seed_from_u64(seed);
        let mut history = History::begin(&desk);
        let now: f64 = desk.database().one("SELECT extract(epoch FROM now())::float8", &[]);
        #[expect(clippy::cast_possible_truncation, reason = "an hour away from where it matters")]
        let now = now as i64 * 1_000_000;
        history.open(&desk, &mut dice, 300);
        for query in queries(&mut dice, 12) {
            compare(&caller, &history, now, query);
        }
        history.import(&desk, &mut dice, 600);
        for query in queries(&mut dice, 40) {
            compare(&caller, &history, now, query);
        }
    }
}

#[test]
fn a_desk_without_tickets_has_nothing_to_report() {
    let desk = Desk::start();
    let supervisor = desk.supervisor();
    for name in ["avg-resolution", "escalated-per-month", "top-agents", "weekly-status", "last-processes"] {
        let answer = supervisor.get(&format!("/api/reports/{name}")).expect(200);
        assert_eq!(answer.json(), json!([]), "{name}");
    }
    for name in ["sla-compliance", "backlog"] {
        let answer = supervisor.get(&format!("/api/reports/{name}")).expect(200).json();
        let empty = json!({"data": [], "total": 0, "page": 1, "pageSize": 20, "nextCursor": null});
        assert_eq!(answer, empty, "{name}");
    }
}

/// Five unless somebody says how many.
#[test]
fn as_many_agents_are_told_of_as_are_asked_for() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let rows: Vec<String> = (1..=7)
        .map(|n| {
            format!(
                "('t-{n}', 'c', 'VIP', 'RESOLVED', 0, 'a-{n}', '2024-01-01T00:00Z', timestamptz '2024-01-01T00:00Z' + \
                 make_interval(mins => {n}), 1, {n})"
            )
        })
        .collect();
    desk.database().execute(
        &format!(
            "INSERT INTO imported_tickets (ticket_id, client_id, client_type, status, escalation_level, agent_id, \
             created_at, resolved_at, import_number, sheet_row) VALUES {}",
            rows.join(", ")
        ),
        &[],
    );
    let agents = |query: &str| -> Vec<String> {
        let rows = admin.get(&format!("/api/reports/top-agents{query}")).expect(200).json();
        rows.as_array().unwrap().iter().map(|row| row["agentId"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(agents(""), ["a-1", "a-2", "a-3", "a-4", "a-5"]);
    assert_eq!(agents("?limit=1"), ["a-1"]);
    assert_eq!(agents("?limit=100").len(), 7);
}

#[test]
fn the_ten_newest_imports_are_told_of_with_the_newest_first() {
    let desk = Desk::start();
    let supervisor = desk.supervisor();
    let ids: Vec<String> = (0..12)
        .map(|n| desk.request_import(&format!("{n}.csv"), b"ticket_id,status\nt-1,OPEN\n").to_string())
        .collect();
    let rows = supervisor.get("/api/reports/last-processes").expect(200).json();
    let told: Vec<&str> =
        rows.as_array().unwrap().iter().map(|row| row["processId"].as_str().unwrap()).collect();
    assert_eq!(told, ids.iter().rev().take(10).map(String::as_str).collect::<Vec<_>>());
    let newest = &rows[0];
    assert_eq!((&newest["_id"], &newest["fileName"]), (&json!(ids[11]), &json!("11.csv")));
    let mut as_status = supervisor.get(&format!("/api/files/status/{}", ids[11])).expect(200).json();
    as_status["_id"] = json!(ids[11]);
    assert_eq!(newest, &as_status);
}
