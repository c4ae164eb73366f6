//! Parameters of queries.

use serde_json::{Value, json};

use crate::harness::{ID, Operation, Schema, Watched};

/// A text may have the right form and belong to nothing: no place, no zone.
const OPAQUE: &[&str] = &["cursor", "after", "timeZone"];

/// What a parameter of the query may be.
struct Rule {
    kind: String,
    validator: jsonschema::Validator,
}

impl Rule {
    fn of(parameter: &Value) -> Self {
        let schema = Schema::of(&parameter["schema"]);
        let kind = schema.resolved()["type"].as_str().unwrap_or_default().to_owned();
        Self { kind, validator: schema.validator() }
    }

    fn allows(&self, text: &str) -> bool {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let value = match self.kind.as_str() {
            "integer" if digits => text.parse::<u64>().map_or(json!(1e30), Value::from),
            "boolean" if text == "true" || text == "false" => json!(text == "true"),
            "array" => json!([text]),
            _ => json!(text),
        };
        self.validator.is_valid(&value)
    }
}

#[test]
fn every_parameter_takes_what_the_document_says_and_nothing_else() {
    let watched = Watched::start();
    let long = "x".repeat(300);
    let fires = "\u{1f525}".repeat(200);
    let texts = [
        "",
        " ",
        "\u{0}",
        "a\u{0}",
        "\u{2003}",
        "x",
        "-1",
        "0",
        "1",
        "+1",
        "01",
        "1.0",
        "1e0",
        "4",
        "5",
        "100",
        "101",
        "1 ",
        "4294967295",
        "4294967296",
        "9223372036854775808",
        "99999999999999999999",
        "true",
        "TRUE",
        "none",
        "NONE",
        ID,
        "%",
        "\\",
        "'",
        "\"",
        "2026-02-12",
        "2026-02-30",
        "2026-02-12T20:45:23Z",
        "2026-02-12T20:45:23.123+03:00",
        "2026-02-12T20:45:23",
        "2026-02-12 20:45:23Z",
        "0000-01-01T00:00:00+23:59",
        "10000-01-01",
        "1e400",
        "OPEN",
        "open",
        "VIP",
        "RUNNING",
        "createdAt",
        "-createdAt",
        "createdat",
        "\u{1f525}",
        &long,
        &fires,
    ];
    let (mut taken, mut refused) = (0, 0);
    for operation in Operation::all() {
        for parameter in operation.parameters("query") {
            let name = parameter["name"].as_str().unwrap();
            let rule = Rule::of(parameter);
            for text in texts {
                let query = form_urlencoded::Serializer::new(String::new()).append_pair(name, text).finish();
                let target = format!("{}?{query}", operation.target());
                let answer = watched.send(&operation, &target, &[], b"");
                let what = format!("{} {query:.80}", operation.name());
                if !rule.allows(text) {
                    watched.assert_refused(&answer, "parameter", name, &what);
                    refused += 1;
                } else if !OPAQUE.contains(&name) {
                    watched.assert_taken(&answer, &what);
                    taken += 1;
                }
            }
            for bytes in ["%ff", "%c0%80", "%ed%a0%80", "a%ffb", "%f0%9f"] {
                let target = format!("{}?{name}={bytes}", operation.target());
                let answer = watched.send(&operation, &target, &[], b"");
                watched.assert_refused(&answer, "parameter", name, &format!("{} {bytes}", operation.name()));
            }
            if parameter["schema"]["type"] != "array" {
                let target = format!("{}?{name}=1&{name}=1", operation.target());
                let answer = watched.send(&operation, &target, &[], b"");
                watched.assert_refused(
                    &answer,
                    "parameter",
                    name,
                    &format!("{} twice {name}", operation.name()),
                );
            }
        }
        if operation.described.get("requestBody").is_none() {
            for (query, name) in
                [("colour=red", "colour"), ("%ff=1", "\u{fffd}"), ("Page=1", "Page"), ("=", "")]
            {
                let answer = watched.send(&operation, &format!("{}?{query}", operation.target()), &[], b"");
                watched.assert_refused(&answer, "parameter", name, &format!("{} {query}", operation.name()));
            }
        }
    }
    assert!(taken > 50 && refused > 500, "{taken} taken, {refused} refused");
}

#[test]
fn a_span_that_ends_before_it_begins_is_named_by_its_beginning() {
    let watched = Watched::start();
    let mut seen = 0;
    for operation in Operation::all() {
        let names: Vec<&str> =
            operation.parameters("query").iter().filter_map(|parameter| parameter["name"].as_str()).collect();
        if !(names.contains(&"from") && names.contains(&"to")) {
            continue;
        }
        seen += 1;
        for (from, to) in [
            ("2026-02-13", "2026-02-12"),
            ("2026-02-12T20:45:23.124Z", "2026-02-12T20:45:23.123Z"),
            ("2026-02-12T20:00:00Z", "2026-02-12T20:30:00%2B01:00"),
        ] {
            let target = format!("{}?from={from}&to={to}", operation.target());
            let answer = watched.send(&operation, &target, &[], b"");
            watched.assert_refused(&answer, "parameter", "from", &operation.name());
        }
    }
    assert!(seen > 0);
}
