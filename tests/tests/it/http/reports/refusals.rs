//! What reports cannot be asked.

use serde_json::json;
use techsupport_tests::Desk;

const FILTERED: [&str; 6] =
    ["avg-resolution", "escalated-per-month", "top-agents", "weekly-status", "sla-compliance", "backlog"];

#[test]
fn wrong_parameters_are_named() {
    let desk = Desk::start();
    let (supervisor, agent) = (desk.supervisor(), desk.agent());
    for name in FILTERED {
        let path = format!("/api/reports/{name}");
        for (query, parameter) in [
            ("source=both", "source"),
            ("clientType=GOLD", "clientType"),
            ("from=yesterday", "from"),
            ("from=2024-02-02&to=2024-02-01", "from"),
            ("timeZone=Europe/Atlantis", "timeZone"),
            ("timeZone=CEST", "timeZone"),
            ("timeZone=%2B02:00", "timeZone"),
            ("timezone=UTC", "timezone"),
        ] {
            let problem =
                supervisor.get(&format!("{path}?{query}")).expect_problem(400, "invalid-input").json();
            assert_eq!(problem["errors"][0]["parameter"], json!(parameter), "{name} {query}");
        }
        supervisor.get(&format!("{path}?timeZone=europe/madrid")).expect(200);
        agent.get(&path).expect_problem(403, "forbidden");
        desk.anonymous().get(&path).expect_problem(401, "unauthenticated");
    }
    supervisor.get("/api/reports/top-agents?limit=101").expect_problem(400, "invalid-input");
    supervisor.get("/api/reports/avg-resolution?limit=1").expect_problem(400, "invalid-input");
    supervisor.get("/api/reports/last-processes?source=live").expect_problem(400, "invalid-input");
}

/// Whatever the database's own copy of the zones looks like.
#[test]
fn every_zone_is_understood() {
    let desk = Desk::start();
    let supervisor = desk.supervisor();
    let zones = jiff::tz::TimeZoneDatabase::bundled();
    let names: Vec<String> = zones.available().map(|name| name.to_string()).collect();
    assert!(names.len() > 500);
    for name in names {
        let query = name.replace('+', "%2B");
        supervisor.get(&format!("/api/reports/weekly-status?timeZone={query}&to=2024-01-01")).expect(200);
    }
}
