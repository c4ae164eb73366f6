//! Uploads of which nothing comes, and names of files.

use serde_json::json;
use techsupport_tests::{Answer, Client, Desk};

use super::{csv, row};

const TYPE: &str = "multipart/form-data; boundary=XX";

fn upload(caller: &Client, parameters: &str, content: &[u8]) -> Answer {
    let head = format!("--XX\r\nContent-Disposition: form-data; name=\"file\"; {parameters}\r\n\r\n");
    let body = [head.as_bytes(), content, b"\r\n--XX--\r\n"].concat();
    caller.send_bytes("POST", "/api/files/upload", &body, TYPE)
}

/// By then the file is stored. It may be 20 MiB large, and whoever is refused tries again.
#[test]
fn an_upload_that_is_refused_at_the_end_leaves_no_file() {
    let desk = Desk::with().set("HTTP__UPLOADS__MAX_UNFINISHED", 1).start();
    let admin = desk.admin();
    let name = r#"filename="a.csv""#;
    let content = csv(&[row("t-1")]);
    let keyed = |key: &str| desk.admin().with_header("idempotency-key", key);
    upload(&keyed("not a key"), name, &content).expect_problem(400, "invalid-input");
    assert_eq!(desk.database().count("import_files"), 0);
    upload(&keyed("monday"), name, &content).expect(202);
    upload(&keyed("monday"), name, &content).expect(202);
    upload(&keyed("monday"), name, &csv(&[row("t-2")])).expect_problem(422, "idempotency-key-reused");
    upload(&admin, name, &content).expect_problem(503, "unavailable");
    assert_eq!(desk.database().count("import_files"), 1, "that of the one import there is");
}

/// The caller has sent everything in time and can do nothing about it.
#[test]
fn a_database_that_keeps_an_upload_waiting_is_no_slow_caller() {
    // The database takes all the time of the request, which is more than the caller may take.
    let desk = Desk::with()
        .without_relay()
        .set("HTTP__UPLOADS__TIMEOUT_MS", 10_000)
        .set("HTTP__REQUEST_TIMEOUT_MS", 20_000)
        .set("DATABASE__LOCK_TIMEOUT_MS", 60_000)
        .set("DATABASE__STATEMENT_TIMEOUT_MS", 60_000)
        .start();
    let mut other = desk.database().connect();
    let mut holding = other.transaction().unwrap();
    holding.batch_execute("LOCK TABLE import_files IN EXCLUSIVE MODE").unwrap();
    let content = csv(&[row("t-1")]);
    let answer = upload(&desk.admin(), "filename=\"a.csv\"", &content).expect_problem(503, "timed-out");
    assert!(answer.header("retry-after").is_some());
    holding.rollback().unwrap();
}

/// Whoever tidies up after an answer that was lost may be wrong about what became of it.
#[test]
fn a_file_whose_import_was_asked_for_is_not_dropped() {
    let desk = Desk::start();
    let id = desk.request_import("a.csv", &csv(&[row("t-1")]));
    let file = desk.database().one("SELECT file_id FROM import_processes WHERE id = $1", &[&id.uuid()]);
    let (ports, call) = (desk.ports(), techsupport_tests::system_call());
    let ctx = techsupport_application::Ctx::new(&ports, &call);
    techsupport_application::imports::drop_file(ctx, file).unwrap();
    assert_eq!(desk.database().count("import_files"), 1);
}

/// What some clients send for a name that is not ASCII.
#[test]
fn a_name_may_say_its_encoding() {
    let desk = Desk::start();
    let admin = desk.admin();
    for parameters in [
        "filename*=utf-8''hist%C3%B3rico.csv",
        "filename=\"=?utf-8?B?aGlzdMOzcmljby5jc3Y=?=\"; filename*=utf-8''hist%C3%B3rico.csv",
        "filename=\"histórico.csv\"",
    ] {
        let answer = upload(&admin, parameters, &csv(&[row("t-1")])).expect(202).json();
        let path = format!("/api/files/status/{}", answer["processId"].as_str().unwrap());
        assert_eq!(admin.get(&path).expect(200).json()["fileName"], json!("histórico.csv"), "{parameters}");
    }
}
