//! Headers that belong to an operation.

use serde_json::json;

use crate::harness::{Operation, Schema, Watched};

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
