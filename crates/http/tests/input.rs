//! Whatever comes in: for every operation of the document, every member of its body, every parameter and every id, a table of
//! values that nobody should send. What the document forbids is refused with a 4xx problem that names the place, never with a 500,
//! and nothing is changed; what it allows is not refused for its form.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use common::{Desk, client::Answer, stubs::StubWork, token};
use serde_json::{Map, Value, json};
use techsupport_application::AppError;
use techsupport_http::openapi;

const ID: &str = "0190c0de-0000-7000-8000-000000000001";
/// Opaque: a text may have the right form and belong to nothing.
const OPAQUE: &[&str] = &["cursor", "after"];

/// One operation of the document.
struct Operation {
    method: String,
    path: String,
    described: Value,
}

impl Operation {
    fn all() -> Vec<Self> {
        let document: Value = serde_json::from_str(openapi()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let of_path = |(path, item): (&String, &Value)| {
            let methods = item.as_object().unwrap().iter();
            let row = |(method, described): (&String, &Value)| Self {
                method: method.to_uppercase(),
                path: path.clone(),
                described: described.clone(),
            };
            methods.map(row).collect::<Vec<_>>()
        };
        paths.iter().flat_map(of_path).filter(|operation| operation.path.starts_with("/api/")).collect()
    }

    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    fn target(&self) -> String {
        self.path.replace("{id}", ID)
    }

    fn takes_id(&self) -> bool {
        self.path.contains("{id}")
    }

    fn body(&self) -> Option<&Value> {
        self.described.pointer("/requestBody/content/application~1json")
    }

    fn parameters(&self, place: &str) -> Vec<&Value> {
        let all = self.described["parameters"].as_array().into_iter().flatten();
        all.filter(|parameter| parameter["in"] == place).collect()
    }
}

/// A server that counts how often somebody wants to change something, and changes nothing.
struct Watched {
    desk: Desk,
    changes: Arc<AtomicUsize>,
    bearer: String,
}

impl Watched {
    fn start() -> Self {
        let changes = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&changes);
        let desk = Desk::with(|plan| {
            plan.http.rate_limit.enabled = false;
            plan.work = StubWork(Box::new(move |_| {
                counted.fetch_add(1, Ordering::SeqCst);
                Err(AppError::TimedOut)
            }));
        });
        Self { desk, changes, bearer: format!("Bearer {}", token("ADMIN")) }
    }

    fn send(&self, operation: &Operation, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut all = vec![("authorization", self.bearer.as_str())];
        all.extend(headers);
        self.desk.call(&operation.method, target, &all, body)
    }

    fn send_json(&self, operation: &Operation, body: &[u8]) -> Answer {
        self.send(operation, &operation.target(), &[("content-type", "application/json")], body)
    }

    /// The answer is a 400 that names this place, and nobody tried to change anything.
    #[track_caller]
    fn assert_refused(&self, answer: &Answer, member: &str, place: &str, what: &str) {
        assert_eq!(answer.status, 400, "{what}: {}", answer.text());
        let problem = answer.problem(400, "invalid-input");
        let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("{what}: {problem}"));
        assert!(errors.iter().any(|error| error[member] == place), "{what} does not name {place}: {problem}");
        self.assert_unchanged(what);
    }

    #[track_caller]
    fn assert_unchanged(&self, what: &str) {
        assert_eq!(self.changes.load(Ordering::SeqCst), 0, "{what} got as far as a change");
    }

    /// Whatever it came to, it was not refused for its form.
    #[track_caller]
    fn assert_taken(&self, answer: &Answer, what: &str) {
        assert!(!matches!(answer.status, 400 | 413 | 415 | 500), "{what}: {}", answer.text());
        self.changes.store(0, Ordering::SeqCst);
    }
}

/// A schema of the document, with everything it may refer to.
struct Schema(Value);

impl Schema {
    fn of(schema: &Value) -> Self {
        let document: Value = serde_json::from_str(openapi()).unwrap();
        let mut whole = json!({"allOf": [schema]});
        whole["components"] = document["components"].clone();
        Self(whole)
    }

    fn validator(&self) -> jsonschema::Validator {
        jsonschema::options().should_validate_formats(true).build(&self.0).unwrap()
    }

    /// The schema itself, after following references.
    fn resolved(&self) -> &Value {
        let mut schema = &self.0["allOf"][0];
        while let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            schema = self.0.pointer(target.trim_start_matches('#')).unwrap();
        }
        schema
    }
}

/// Values for any member. The document says which of them are wrong for which.
fn values() -> Vec<Value> {
    let mut values = vec![
        Value::Null,
        json!(true),
        json!(false),
        json!([]),
        json!([[]]),
        json!([null]),
        json!([1]),
        json!([""]),
        json!(["\u{0}"]),
        json!(["a", "a"]),
        json!({}),
        json!({"a": 1}),
        json!(""),
        json!(" \t\n\r\u{2003}\u{85}"),
        json!("\u{feff}"),
        json!("a\u{0}b"),
        json!("\u{0}"),
        json!("ab"),
        json!("abc"),
        json!("VIP"),
        json!("vip"),
        json!("OPEN"),
        json!("IN_PROGRESS"),
        json!("AGENTE"),
        json!("a@b"),
        json!("a@b@c"),
        json!("a b@c.d"),
        json!("@"),
        json!("a@b..c"),
        json!("a\u{85}@b"),
        json!(ID),
        json!(ID.to_uppercase()),
        json!(ID.replace('-', "")),
        json!(format!("{{{ID}}}")),
        json!(format!("urn:uuid:{ID}")),
        json!(format!(" {ID}")),
        json!("2026-02-30"),
        json!(-1),
        json!(0),
        json!(-0.0),
        json!(1),
        json!(2.0),
        json!(1.5),
        json!(4),
        json!(5),
        json!(1e30),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(i64::MIN),
    ];
    for length in [7, 8, 40, 41, 128, 129, 200, 201, 253, 254, 255, 256, 10_000, 10_001] {
        values.push(json!("x".repeat(length)));
        // Characters are counted as Unicode scalar values: neither bytes nor UTF-16.
        values.push(json!("\u{1f525}".repeat(length)));
    }
    for count in [20, 21] {
        values.push(Value::from_iter((0..count).map(|n| format!("tag {n}"))));
    }
    values
}

/// Where the members of a body are: in it, or in the items of the list that it is.
fn with_member(example: &Value, name: &str, value: &Value) -> (Value, String) {
    let mut body = example.clone();
    match &mut body {
        Value::Array(items) => {
            items[0][name] = value.clone();
            (body, format!("/0/{name}"))
        }
        _ => {
            body[name] = value.clone();
            (body, format!("/{name}"))
        }
    }
}

fn members(schema: &Schema) -> Map<String, Value> {
    let of = schema.resolved();
    let of = if of["type"] == "array" { &of["items"] } else { of };
    let of = Schema::of(of);
    of.resolved()["properties"].as_object().unwrap().clone()
}

#[test]
fn every_member_takes_what_the_document_says_and_nothing_else() {
    let watched = Watched::start();
    let (mut taken, mut refused) = (0, 0);
    for operation in Operation::all() {
        let Some(body) = operation.body() else { continue };
        let schema = Schema::of(&body["schema"]);
        let validator = schema.validator();
        for name in members(&schema).keys() {
            for value in values() {
                let (sent, place) = with_member(&body["example"], name, &value);
                let what = format!("{} {name} = {:.80}", operation.name(), value.to_string());
                let answer = watched.send_json(&operation, sent.to_string().as_bytes());
                let wrong: Vec<String> =
                    validator.iter_errors(&sent).map(|error| error.instance_path().to_string()).collect();
                if wrong.is_empty() {
                    // No pattern knows the most common passwords.
                    if !answer.text().contains("common") {
                        watched.assert_taken(&answer, &what);
                    }
                    taken += 1;
                } else {
                    watched.assert_refused(&answer, "pointer", &place, &what);
                    refused += 1;
                }
            }
        }
    }
    assert!(taken > 100 && refused > 1_000, "{taken} taken, {refused} refused");
}

#[test]
fn what_is_missing_too_much_or_there_twice_is_named() {
    let watched = Watched::start();
    for operation in Operation::all() {
        let Some(body) = operation.body() else { continue };
        let schema = Schema::of(&body["schema"]);
        let (sent, place) = with_member(&body["example"], "colour", &json!("red"));
        let answer = watched.send_json(&operation, sent.to_string().as_bytes());
        watched.assert_refused(&answer, "pointer", &place, &operation.name());
        let list = body["example"].is_array();
        let item = if list { &body["example"][0] } else { &body["example"] };
        let in_list = |object: String| if list { format!("[{object}]") } else { object };
        for (name, value) in item.as_object().unwrap() {
            let place = if list { format!("/0/{name}") } else { format!("/{name}") };
            let mut without = item.clone();
            without.as_object_mut().unwrap().remove(name);
            let sent = in_list(without.to_string());
            let answer = watched.send_json(&operation, sent.as_bytes());
            if schema.validator().is_valid(&serde_json::from_str(&sent).unwrap()) {
                watched.assert_taken(&answer, &operation.name());
            } else {
                // What makes the whole too little is not the fault of one member.
                let whole = if list { "/0" } else { "" };
                let place = if answer.text().contains(&format!("\"{place}\"")) { &place } else { whole };
                watched.assert_refused(&answer, "pointer", place, &operation.name());
            }
            let inner = item.to_string();
            let twice = in_list(format!("{},\"{name}\":{value}}}", inner.trim_end_matches('}')));
            let answer = watched.send_json(&operation, twice.as_bytes());
            watched.assert_refused(&answer, "pointer", &place, &format!("{} {twice}", operation.name()));
        }
    }
}

#[test]
fn bodies_that_are_no_json_or_not_the_right_kind() {
    let watched = Watched::start();
    let deep = |open: &str, close: &str| open.repeat(10_000) + &close.repeat(10_000);
    let malformed: Vec<Vec<u8>> = [
        "",
        " ",
        "{",
        "{}{}",
        "{} x",
        "nul",
        "NaN",
        "{'a': 1}",
        "{a: 1}",
        "{\"a\": 01}",
        "{\"a\": +1}",
        "{\"a\": .5}",
        "{\"a\": 1e400}",
        "{\"a\": -1e400}",
        "{\"a\": 1,}",
        "[1,]",
        "{\"a\": \"\u{1}\"}",
        "{\"a\": \"\\ud800\"}",
        "{\"a\": \"\\udc00\\ud800\"}",
        "{\"\\ud800\": 1}",
        "{\"a\": \"\\x41\"}",
        "{/**/}",
        "\u{feff}{}",
        "{\"a\": \"\0\"}",
    ]
    .into_iter()
    .map(|text| text.as_bytes().to_vec())
    .chain([
        deep("[", "]").into_bytes(),
        deep("{\"a\":", "}").into_bytes(),
        ("[".repeat(10_000)).into_bytes(),
        b"{\"a\": \"\xff\"}".to_vec(),
        b"{\"a\": \"\xed\xa0\x80\"}".to_vec(),
        b"{\"\xc0\x80\": 1}".to_vec(),
        "{\"a\": 1}".encode_utf16().flat_map(u16::to_le_bytes).collect(),
    ])
    .collect();
    for operation in Operation::all() {
        let Some(body) = operation.body() else { continue };
        for wrong in &malformed {
            let answer = watched.send_json(&operation, wrong);
            let what = format!("{} {:.60}", operation.name(), String::from_utf8_lossy(wrong));
            assert_eq!(answer.status, 400, "{what}: {}", answer.text());
            answer.problem(400, "malformed-body");
            watched.assert_unchanged(&what);
        }
        let takes_list = body["example"].is_array();
        for wrong in ["[]", "{}", "\"x\"", "1", "-0", "1e3", "null", "true", "[{}]", "[[]]", "[null]"] {
            if takes_list == wrong.starts_with('[') && wrong != "[[]]" && wrong != "[null]" {
                continue;
            }
            let schema = Schema::of(&body["schema"]);
            if schema.validator().is_valid(&serde_json::from_str(wrong).unwrap()) {
                continue;
            }
            let answer = watched.send_json(&operation, wrong.as_bytes());
            let what = format!("{} {wrong}", operation.name());
            answer.problem(400, "invalid-input");
            let errors = answer.json()["errors"].as_array().map_or(0, Vec::len);
            assert!(errors > 0, "{what}: {}", answer.text());
            watched.assert_unchanged(&what);
        }
        let example = body["example"].to_string();
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/xml",
            "application/json; charset=utf-16",
            "application/jsonp",
            "*/*",
            "json",
            "",
        ] {
            let answer =
                watched.send(&operation, &operation.target(), &[("content-type", kind)], example.as_bytes());
            answer.problem(415, "unsupported-media-type");
        }
        watched
            .send(&operation, &operation.target(), &[], example.as_bytes())
            .problem(415, "unsupported-media-type");
        let target = format!("{}?colour=red", operation.target());
        let answer =
            watched.send(&operation, &target, &[("content-type", "application/json")], example.as_bytes());
        watched.assert_refused(&answer, "parameter", "colour", &operation.name());
    }
}

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

#[test]
fn headers_are_held_to_the_document_too() {
    let watched = Watched::start();
    let long = "k".repeat(256);
    for operation in Operation::all() {
        if operation.body().is_none() && operation.described.get("requestBody").is_some() {
            // Its body is no JSON, which would be the first thing to be said about this one.
            continue;
        }
        let example = operation.body().map(|body| body["example"].to_string()).unwrap_or_default();
        for parameter in operation.parameters("header") {
            let name = parameter["name"].as_str().unwrap();
            let validator = Schema::of(&parameter["schema"]).validator();
            for value in [
                "",
                "k",
                "a b",
                "\u{e9}",
                "\"1\"",
                "W/\"1\"",
                "*",
                "\"1\", \"2\"",
                "\"1",
                "1",
                "\"1\" \"2\"",
                ",",
                &long,
            ] {
                let headers = [("content-type", "application/json"), (name, value)];
                let answer = watched.send(&operation, &operation.target(), &headers, example.as_bytes());
                let what = format!("{} {name}: {value:.40}", operation.name());
                if validator.is_valid(&json!(value)) {
                    watched.assert_taken(&answer, &what);
                } else {
                    watched.assert_refused(&answer, "header", name, &what);
                }
            }
        }
    }
}
