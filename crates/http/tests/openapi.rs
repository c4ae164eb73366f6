//! The OpenAPI document is complete, valid, and the one that was reviewed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::{collections::BTreeSet, path::PathBuf};

use common::Desk;
use serde_json::{Value, json};
use techsupport_http::{grid_rows, openapi, openapi_faults};

const STANDARD: &str = include_str!("standards/openapi-3.1.schema.json");

fn document() -> Value {
    serde_json::from_str(openapi()).unwrap()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Each operation as (method, path, operation).
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &Value)| {
        let methods = item.as_object().unwrap().iter();
        let row =
            |(method, operation): (&String, &Value)| (method.to_uppercase(), path.clone(), operation.clone());
        methods.map(row).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

/// The table of routes is what actix serves: nothing else can be mounted (`mount.rs`), and `role_grid.rs` asks the
/// running server for each row.
#[test]
fn every_route_is_in_the_document_and_nothing_else() {
    let documented: BTreeSet<(String, String)> =
        operations(&document()).into_iter().map(|(method, path, _)| (method, path)).collect();
    let served: BTreeSet<(String, String)> =
        grid_rows().into_iter().map(|row| (row.method, row.path.to_owned())).collect();
    assert_eq!(documented, served);
}

#[test]
fn the_documentation_finds_no_fault_with_itself() {
    assert_eq!(openapi_faults(), Vec::<String>::new());
}

#[test]
fn the_document_is_what_was_reviewed() {
    let file = root().join("docs/openapi.json");
    let current = serde_json::to_string_pretty(&document()).unwrap() + "\n";
    #[expect(clippy::disallowed_methods, reason = "says whether to write the file")]
    if std::env::var("UPDATE_OPENAPI").is_ok() {
        std::fs::write(&file, &current).unwrap();
    }
    let reviewed = std::fs::read_to_string(&file).unwrap();
    assert!(
        reviewed == current,
        "the contract differs from docs/openapi.json: `UPDATE_OPENAPI=1 cargo test -p techsupport-http --test openapi` \
         writes it anew; look at the difference"
    );
}

/// By the schema that the `OpenAPI` Initiative publishes (2022-10-07), and each schema in it by that of JSON Schema.
#[test]
fn the_document_is_valid_openapi_3_1() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let standard = jsonschema::validator_for(&serde_json::from_str(STANDARD).unwrap()).unwrap();
    let errors: Vec<String> =
        standard.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(errors, Vec::<String>::new());
    for (place, schema) in schemas(&document) {
        assert!(jsonschema::draft202012::meta::is_valid(schema), "{place}: {schema}");
    }
    for (place, reference) in references(&document, "") {
        let target = reference.strip_prefix('#').expect("a reference within the document");
        assert!(document.pointer(target).is_some(), "{place} refers to {reference}");
    }
}

/// Every schema of the document with its place.
fn schemas(document: &Value) -> Vec<(String, &Value)> {
    fn gather<'a>(value: &'a Value, place: &str, found: &mut Vec<(String, &'a Value)>) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    let place = format!("{place}/{name}");
                    if name == "schema" {
                        found.push((place.clone(), member));
                    }
                    if name != "example" && name != "examples" {
                        gather(member, &place, found);
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| gather(item, place, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut found = Vec::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        found.push((name.clone(), schema));
    }
    gather(document, "", &mut found);
    found
}

fn references(value: &Value, place: &str) -> Vec<(String, String)> {
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, member)| match member.as_str() {
                Some(target) if name == "$ref" => vec![(place.to_owned(), target.to_owned())],
                _ => references(member, &format!("{place}/{name}")),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(|item| references(item, place)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// Whoever reads an example may rely on it: each is what its schema says.
#[test]
fn every_example_keeps_to_its_schema() {
    let document = document();
    let mut seen = 0;
    for (place, content) in contents(&document, "") {
        let Some(schema) = content.get("schema") else { continue };
        let mut whole = document.clone();
        whole.as_object_mut().unwrap().insert("allOf".to_owned(), json!([schema]));
        let validator = jsonschema::options().should_validate_formats(true).build(&whole).unwrap();
        let named = content.get("examples").and_then(Value::as_object);
        let named = named.into_iter().flat_map(|named| named.values()).map(|example| &example["value"]);
        for example in content.get("example").into_iter().chain(named) {
            let errors: Vec<String> = validator.iter_errors(example).map(|error| error.to_string()).collect();
            assert_eq!(errors, Vec::<String>::new(), "{place}: {example}");
            seen += 1;
        }
    }
    assert!(seen > 100, "only {seen} examples");
}

/// Everything that describes a body, with its place.
fn contents<'v>(value: &'v Value, place: &str) -> Vec<(String, &'v Value)> {
    let Value::Object(members) = value else { return Vec::new() };
    let below = members.iter().filter(|(name, _)| *name != "example" && *name != "examples");
    let below = below.flat_map(|(name, member)| contents(member, &format!("{place}/{name}")));
    let own = members.get("content").and_then(Value::as_object);
    let own = own.into_iter().flat_map(|content| content.values()).map(|content| (place.to_owned(), content));
    own.chain(below.collect::<Vec<_>>()).collect()
}

#[test]
fn every_operation_tells_what_it_owes() {
    let document = document();
    for (method, path, operation) in operations(&document) {
        let who = format!("{method} {path}");
        for member in ["operationId", "summary", "description"] {
            assert!(operation[member].as_str().is_some_and(|text| !text.is_empty()), "{who} lacks {member}");
        }
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{who}");
        let responses = operation["responses"].as_object().unwrap();
        let good = responses.keys().filter(|status| status.starts_with('2')).count();
        assert!(good == 1 && responses.contains_key("500"), "{who}: {:?}", responses.keys());
        let row = grid_rows().into_iter().find(|row| row.method == method && row.path == path).unwrap();
        let refused = |status: u16| row.cells.iter().any(|cell| cell.refusal == Some(status));
        for status in [401, 403] {
            let said = responses.contains_key(&status.to_string());
            assert!(!refused(status) || said, "{who} lacks {status}");
        }
        let is_public = !refused(401);
        assert_eq!(operation["security"].as_array().unwrap().is_empty(), is_public, "{who}");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["schema"].is_object(), "{who}: {parameter}");
        }
        for name in path.split(['{', '}']).skip(1).step_by(2) {
            let declared = operation["parameters"].as_array().into_iter().flatten();
            let count = declared.filter(|p| p["in"] == "path" && p["name"] == name).count();
            assert_eq!(count, 1, "{who}: {name}");
        }
    }
}

/// Of the answers to a request with an `Idempotency-Key`, those that are kept come back marked, and the one that says
/// that the first request is still under way says when to come back.
#[test]
fn what_can_be_repeated_tells_of_the_headers_that_come_with_it() {
    let document = document();
    let mut seen = 0;
    for (method, path, operation) in operations(&document) {
        let declared = operation["parameters"].as_array().into_iter().flatten();
        let is_repeatable = declared.filter(|parameter| parameter["name"] == "Idempotency-Key").count() == 1;
        for (status, response) in operation["responses"].as_object().unwrap() {
            let who = format!("{method} {path}: {status}");
            let kinds = response["content"]["application/problem+json"]["examples"].as_object();
            let kinds = kinds.into_iter().flat_map(|kinds| kinds.keys());
            let kept = kinds.filter(|kind| !kind.starts_with("idempotency-key-")).count() > 0;
            let is_replayed = is_repeatable
                && (status.starts_with('2') || (kept && ["409", "422"].contains(&status.as_str())));
            assert_eq!(response["headers"]["Idempotency-Replayed"].is_object(), is_replayed, "{who}");
            if is_repeatable && status == "409" {
                let header = &response["headers"]["Retry-After"];
                assert!(header.is_object(), "{who}");
                assert_eq!(header["required"] == true, !kept, "{who}: {header}");
                seen += 1;
            }
        }
    }
    assert!(seen > 5, "only {seen} operations");
}

/// `docs/problems.md` explains each kind, and the document names each: in the type of `Problem`, and as a response of an
/// operation or of the server.
#[test]
fn every_kind_of_problem_is_explained_and_in_the_document() {
    let document = document();
    let explained = std::fs::read_to_string(root().join("docs/problems.md")).unwrap();
    let kinds =
        document["components"]["schemas"]["Problem"]["properties"]["type"]["enum"].as_array().unwrap();
    let shown = document.to_string();
    for kind in kinds {
        let slug = kind.as_str().unwrap().strip_prefix("urn:techsupport:problem:").unwrap();
        assert!(
            explained.contains(&format!("`{slug}`")) || explained.contains(slug),
            "{slug} is not explained"
        );
        assert!(shown.contains(&format!("\"type\":{kind}")), "{slug} has no example");
    }
}

#[test]
fn links_lead_to_operations_that_are_there() {
    let document = document();
    let all = operations(&document);
    let ids: BTreeSet<&str> =
        all.iter().map(|(_, _, operation)| operation["operationId"].as_str().unwrap()).collect();
    let mut seen = 0;
    for (method, path, operation) in &all {
        for response in operation["responses"].as_object().unwrap().values() {
            for (name, link) in response["links"].as_object().into_iter().flatten() {
                let target = link["operationId"].as_str().unwrap();
                assert!(ids.contains(target), "{method} {path}: {name} leads to {target}");
                seen += 1;
            }
        }
    }
    assert!(seen > 5, "only {seen} links");
}

#[test]
fn the_document_and_its_explorer_are_served_to_everybody() {
    let desk = Desk::start();
    let answer = desk.call("GET", "/api/openapi.json", &[], b"");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert_eq!(answer.text(), openapi());
    assert_eq!(answer.json()["info"]["version"], env!("CARGO_PKG_VERSION"));
    for path in ["/docs", "/docs/"] {
        let answer = desk.call("GET", path, &[], b"");
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/html; charset=utf-8")));
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("script-src 'self';") && policy.contains("connect-src 'self'"), "{policy}");
        let page = answer.text();
        assert!(!page.contains("http://") && !page.contains("https://"), "{page}");
        let base = if path == "/docs" { "docs/" } else { "./" };
        assert!(page.contains(&format!("<base href=\"{base}\">")), "{page}");
        for (file, kind) in loaded(&page) {
            let answer = desk.call("GET", &format!("/docs/{file}"), &[], b"");
            assert_eq!((answer.status, answer.header("content-type")), (200, Some(kind)), "{file}");
            assert!(answer.body.len() > 100, "{file}");
        }
    }
    desk.call("GET", "/docs/nothing.js", &[], b"").problem(404, "not-found");
    desk.call("GET", "/docs/..%2fapi", &[], b"").problem(404, "not-found");
}

/// What the page asks for, and what it should be.
fn loaded(page: &str) -> Vec<(&str, &'static str)> {
    let quoted = page.split('"').filter(|text| !text.contains(['/', '<', '>', ' ']));
    let kind = |file: &str| match file.rsplit_once('.')?.1 {
        "js" => Some("text/javascript; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "png" => Some("image/png"),
        _ => None,
    };
    let files: Vec<_> = quoted.filter_map(|file| Some((file, kind(file)?))).collect();
    assert_eq!(files.len(), 4, "{files:?}");
    files
}
