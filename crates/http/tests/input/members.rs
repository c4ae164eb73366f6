//! Members of bodies.

use serde_json::{Map, Value, json};

use crate::harness::{ID, Operation, Schema, Watched};

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
        values.push((0..count).map(|n| format!("tag {n}")).collect());
    }
    values
}

/// Where the members of a body are: in it, or in the items of the list that it is.
fn with_member(example: &Value, name: &str, value: &Value) -> (Value, String) {
    let mut body = example.clone();
    if let Some(items) = body.as_array_mut() {
        items[0][name] = value.clone();
        return (body, format!("/0/{name}"));
    }
    body[name] = value.clone();
    (body, format!("/{name}"))
}

fn members(schema: &Schema) -> Map<String, Value> {
    let of = schema.resolved();
    let of = if of["type"] == "array" { &of["items"] } else { of };
    let of = Schema::of(of);
    of.resolved()["properties"].as_object().cloned().unwrap_or_default()
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
