//! Bodies as a whole.

use crate::harness::{Operation, Schema, Watched};

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
        for wrong in malformed.iter().filter(|wrong| operation.needs_body() || !wrong.is_empty()) {
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
fn a_change_that_changes_nothing_is_refused_everywhere() {
    let watched = Watched::start();
    let changes: Vec<Operation> =
        Operation::all().into_iter().filter(|operation| operation.method == "PATCH").collect();
    assert!(changes.len() > 4, "only {} operations", changes.len());
    for operation in changes {
        let answer = watched.send_json(&operation, b"{}");
        let schema = Schema::of(&operation.body().unwrap()["schema"]);
        assert!(!schema.validator().is_valid(&serde_json::json!({})), "{}", operation.name());
        if schema.resolved()["minProperties"] == 1 {
            watched.assert_refused(&answer, "pointer", "", &operation.name());
        }
        answer.problem(400, "invalid-input");
    }
}

#[test]
fn where_no_body_is_needed_one_may_come_that_says_nothing() {
    let watched = Watched::start();
    let json = [("content-type", "application/json")];
    let mut seen = 0;
    for operation in Operation::all().iter().filter(|it| it.method == "POST" && !it.needs_body()) {
        seen += 1;
        let (name, target) = (operation.name(), operation.target());
        let send =
            |headers: &[(&str, &str)], body: &str| watched.send(operation, &target, headers, body.as_bytes());
        watched.assert_taken(&send(&[], ""), &name);
        watched.assert_taken(&send(&[("content-type", "text/plain")], ""), &name);
        watched.assert_taken(&send(&json, ""), &name);
        watched.assert_taken(&send(&json, " { } "), &name);
        watched.assert_refused(&send(&json, "{\"colour\": \"red\"}"), "pointer", "/colour", &name);
        watched.assert_refused(&send(&json, "[]"), "pointer", "", &name);
        send(&json, " ").problem(400, "malformed-body");
        send(&json, &"x".repeat((1 << 20) + 1)).problem(413, "body-too-large");
        send(&[], "{}").problem(415, "unsupported-media-type");
        send(&[], &"x".repeat((1 << 20) + 1)).problem(415, "unsupported-media-type");
        watched.assert_unchanged(&name);
    }
    assert_eq!(seen, 3);
}
