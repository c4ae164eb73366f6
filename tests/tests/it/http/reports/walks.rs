//! The two reports that are lists like every other.

use rand::{SeedableRng, rngs::ChaCha12Rng};
use serde_json::Value;
use techsupport_tests::Desk;

use super::{expected::Query, history::History};

#[test]
fn reports_that_are_lists_are_leafed_through_and_walked() {
    let desk = Desk::with().without_sweep().start();
    let admin = desk.admin();
    let mut history = History::begin(&desk);
    history.open(&desk, &mut ChaCha12Rng::seed_from_u64(3), 200);
    let now: f64 = desk.database().one("SELECT extract(epoch FROM now())::float8", &[]);
    let query = Query { source: None, from: None, to: None, tier: None, zone: "Asia/Kolkata" };
    #[expect(clippy::cast_possible_truncation, reason = "an hour away from where it matters")]
    let reports = history.reports(query, now as i64 * 1_000_000);
    for (name, expected) in
        reports.into_iter().filter(|(name, _)| matches!(*name, "sla-compliance" | "backlog"))
    {
        assert!(expected.len() > 6, "{name}");
        let path = format!("/api/reports/{name}?{}&pageSize=3", query.text());
        let second = admin.get(&format!("{path}&page=2")).expect(200).json();
        assert_eq!(second["data"].as_array().unwrap(), &expected[3..6], "{name}");
        assert_eq!(second["total"], expected.len());
        let (mut walked, mut cursor) = (Vec::new(), Some(String::new()));
        while let Some(place) = cursor {
            let part = admin.get(&format!("{path}&cursor={place}")).expect(200).json();
            assert_eq!(part["total"], Value::Null);
            walked.extend(part["data"].as_array().unwrap().iter().cloned());
            cursor = part["nextCursor"].as_str().map(str::to_owned);
        }
        assert_eq!(walked, expected, "{name}");
        // A place belongs to its list and its filters.
        let next = second["nextCursor"].as_str().unwrap();
        let others = ["backlog?source=live", "sla-compliance?source=live", "backlog", "sla-compliance"];
        for other in others {
            let path =
                format!("/api/reports/{other}{}cursor={next}", if other.contains('?') { "&" } else { "?" });
            admin.get(&path).expect_problem(400, "invalid-input");
        }
    }
}
