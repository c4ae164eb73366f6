//! Ids in paths.

use crate::harness::{ID, Operation, Watched};

#[test]
fn ids_that_are_none() {
    let watched = Watched::start();
    let compact = ID.replace('-', "");
    let (braced, urn) = (format!("%7B{ID}%7D"), format!("urn:uuid:{ID}"));
    let (slash, tail, nul) = (format!("{ID}%2F"), format!("{ID}%2f..%2fx"), format!("{ID}%00"));
    let long = "0".repeat(5_000);
    for operation in Operation::all().into_iter().filter(Operation::takes_id) {
        let example = operation.body().map(|body| body["example"].to_string()).unwrap_or_default();
        for wrong in [
            "x",
            "0",
            "-1",
            "null",
            "%00",
            "%0d%0a",
            "%20",
            "%2F",
            "%2e%2e%2f",
            "%5c",
            "..%2f..%2fetc",
            "%ff",
            "%c0%af",
            "%ed%a0%80",
            "%",
            "%zz",
            "%F0%9F%94%A5",
            "*",
            "'",
            "%22",
            "%3Cscript%3E",
            &compact,
            &braced,
            &urn,
            &slash,
            &tail,
            &nul,
            &long,
        ] {
            // A route of its own with this name.
            let target = operation.path.replace("{id}", wrong);
            let answer = watched.send(
                &operation,
                &target,
                &[("content-type", "application/json")],
                example.as_bytes(),
            );
            let what = format!("{} with {wrong:.60}", operation.name());
            assert!(matches!(answer.status, 400 | 404), "{what}: {}", answer.text());
            if answer.status == 400 {
                let problem = answer.json();
                let named = problem["type"] == "urn:techsupport:problem:malformed-request"
                    || problem["errors"][0]["parameter"] == "id";
                assert!(named, "{what}: {problem}");
            } else {
                answer.problem(404, "unknown-route");
            }
            watched.assert_unchanged(&what);
        }
        for odd in ["..", ".", "", "%2e%2e", "%2E"] {
            let target = operation.path.replace("{id}", odd);
            let answer = watched.send(
                &operation,
                &target,
                &[("content-type", "application/json")],
                example.as_bytes(),
            );
            let what = format!("{} with {odd:?}", operation.name());
            assert!(matches!(answer.status, 400 | 404 | 405), "{what}: {}", answer.text());
            watched.assert_unchanged(&what);
        }
    }
}
