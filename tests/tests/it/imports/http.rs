//! Uploading, asking how far it is, and what was wrong.

use serde_json::json;
use techsupport_tests::{Answer, Client, Desk, ImportWorker, until};
use uuid::Uuid;

use super::{csv, row, row_with};

const TYPE: &str = "multipart/form-data; boundary=XX";

/// A form with these members: name, file name, content.
fn form(members: &[(&str, &str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file, content) in members {
        let file = if file.is_empty() { String::new() } else { format!("; filename=\"{file}\"") };
        body.extend(format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").bytes());
        body.extend(*content);
        body.extend(b"\r\n");
    }
    body.extend(b"--XX--\r\n");
    body
}

fn upload(caller: &Client, name: &str, content: &[u8]) -> Answer {
    caller.send_bytes("POST", "/api/files/upload", &form(&[("file", name, content)]), TYPE)
}

fn process(answer: &Answer) -> Uuid {
    answer.json()["processId"].as_str().unwrap().parse().unwrap()
}

fn await_end(caller: &Client, id: Uuid) -> serde_json::Value {
    until("the import ends", || {
        let status = caller.get(&format!("/api/files/status/{id}")).expect(200).json();
        let ends = !matches!(status["status"].as_str(), Some("pending" | "processing"));
        ends.then_some(status)
    })
}

#[test]
fn a_file_is_uploaded_and_its_import_followed() {
    let desk = Desk::start();
    let supervisor = desk.supervisor();
    // Larger than a part.
    let mut rows: Vec<_> = (0..8_000).map(|n| row(&format!("t-{n}"))).collect();
    rows[7] = row_with("=cmd|'/c calc'!A0", 7, "+DONE");
    rows[9] = row_with("t-9", 2, "@GOLD");
    let content = csv(&rows);
    assert!(content.len() > 2 * 262_144);
    let answer = upload(&supervisor, "../../history.csv", &content).expect(202);
    let id = process(&answer);
    assert_eq!(answer.header("location"), Some(format!("/api/files/status/{id}").as_str()));
    let waiting = desk.agent().get(&format!("/api/files/status/{id}")).expect(200).json();
    assert_eq!((&waiting["status"], &waiting["fileName"]), (&json!("pending"), &json!("history.csv")));
    assert_eq!((&waiting["total"], &waiting["error"]), (&json!(0), &json!(null)));

    let told =
        supervisor.get("/api/events?type=pro.techsupport.import.requested.v1&wait=20").expect(200).json();
    assert_eq!(told["data"][0]["subject"], json!(id), "the feed knows events without a ticket: {told}");
    assert_eq!(told["data"][0]["data"], json!({"processId": id}));
    let read_by_earlier_relays: String =
        desk.database().one("SELECT ticket_id::text FROM outbox WHERE subject = $1", &[&id.to_string()]);
    assert_eq!(read_by_earlier_relays, id.to_string());

    let _worker = ImportWorker::start(&desk);
    let ended = await_end(&supervisor, id);
    assert_eq!(ended["status"], "completed_with_errors", "{ended}");
    assert_eq!(
        [&ended["total"], &ended["processed"], &ended["failed"]],
        [&json!(8_000), &json!(7_998), &json!(2)]
    );

    let path = format!("/api/files/{id}/errors");
    let list = supervisor.get(&format!("{path}?pageSize=1")).expect(200).json();
    assert_eq!((&list["total"], list["data"].as_array().unwrap().len()), (&json!(2), 1));
    assert_eq!(
        list["data"][0],
        json!({
            "row": 9, "column": "status", "value": "+DONE",
            "detail": "is not one of OPEN, IN_PROGRESS, WAITING, ESCALATED, RESOLVED, CLOSED",
        })
    );
    let next = list["nextCursor"].as_str().unwrap();
    assert_eq!(supervisor.get(&path).expect(200).header("vary"), Some("accept"));
    let rest = supervisor.get(&format!("{path}?cursor={next}")).expect(200).json();
    assert_eq!((&rest["data"][0]["row"], &rest["nextCursor"]), (&json!(11), &json!(null)));

    let file = supervisor.with_header("accept", "text/csv").get(&path).expect(200);
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(file.header("content-disposition").unwrap().starts_with("attachment; filename="));
    assert_eq!(
        file.body,
        "\u{feff}row,column,value,detail\r\n\
         9,status,'+DONE,\"is not one of OPEN, IN_PROGRESS, WAITING, ESCALATED, RESOLVED, CLOSED\"\r\n\
         11,client_type,'@GOLD,\"is not one of VIP, NORMAL\"\r\n"
    );
    desk.agent().get(&path).expect_problem(403, "forbidden");
    supervisor.get(&format!("/api/files/{}/errors", Uuid::nil())).expect_problem(404, "not-found");
    supervisor.get(&format!("/api/files/status/{}", Uuid::nil())).expect_problem(404, "not-found");
}

#[test]
fn a_long_report_is_downloaded_whole() {
    let desk = Desk::start();
    let _worker = ImportWorker::start(&desk);
    let rows: Vec<_> = (0..450).map(|n| row_with(&format!("t-{n}"), 6, "9")).collect();
    let admin = desk.admin();
    let id = process(&upload(&admin, "a.csv", &csv(&rows)).expect(202));
    await_end(&admin, id);
    let file = admin.with_header("accept", "text/csv").get(&format!("/api/files/{id}/errors")).expect(200);
    let numbers: Vec<u32> =
        file.body.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
    assert_eq!(numbers, (2..452).collect::<Vec<_>>());
}

#[test]
fn what_is_no_spreadsheet_is_refused_at_once_and_leaves_nothing() {
    let desk = Desk::start();
    let admin = desk.admin();
    let send =
        |members: &[(&str, &str, &[u8])]| admin.send_bytes("POST", "/api/files/upload", &form(members), TYPE);
    let picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    for (name, content) in [
        ("a.xlsx", &picture[..]),
        ("a.csv", picture),
        ("a.png", picture),
        ("a.exe", b"MZ"),
        ("a.xlsx", b"a,b"),
    ] {
        send(&[("file", name, content)]).expect_problem(415, "unsupported-media-type");
    }
    admin.post("/api/files/upload", &json!({})).expect_problem(415, "unsupported-media-type");
    let good = csv(&[row("t-1")]);
    let pointer = |answer: Answer| {
        let problem = answer.expect_problem(400, "invalid-input").json();
        problem["errors"][0]["pointer"].as_str().unwrap().to_owned()
    };
    assert_eq!(pointer(send(&[])), "/file");
    assert_eq!(pointer(send(&[("file", "", b"x")])), "/file");
    assert_eq!(pointer(send(&[("file", "a.csv", b"")])), "/file");
    assert_eq!(pointer(send(&[("other", "a.csv", &good)])), "/other");
    assert_eq!(pointer(send(&[("file", "a.csv", &good), ("file", "b.csv", &good)])), "/file");
    assert_eq!(pointer(send(&[("file", "a.csv", &good), ("colour", "", b"red")])), "/colour");
    let cut = &form(&[("file", "a.csv", &good)])[..60];
    admin.send_bytes("POST", "/api/files/upload", cut, TYPE).expect_problem(400, "malformed-body");
    upload(&desk.agent(), "a.csv", &good).expect_problem(403, "forbidden");
    upload(&desk.anonymous(), "a.csv", &good).expect_problem(401, "unauthenticated");
    for table in ["import_processes", "import_files", "import_file_parts"] {
        assert_eq!(desk.database().count(table), 0, "{table}");
    }
    desk.assert_no_events();
}

#[test]
fn a_file_that_is_too_large_is_refused() {
    let desk = Desk::with().set("HTTP__UPLOADS__MAX_FILE_BYTES", 300_000).start();
    let admin = desk.admin();
    let fits = [csv(&[row("t-1")]), vec![b'\n'; 290_000]].concat();
    upload(&admin, "a.csv", &fits).expect(202);
    // Within what a body may have, but not a file; and beyond both, where its length is enough to know.
    upload(&admin, "a.csv", &vec![b'x'; 300_001]).expect_problem(413, "body-too-large");
    upload(&admin, "a.csv", &vec![b'x'; 400_000]).expect_problem(413, "body-too-large");
    assert_eq!(desk.database().count("import_files"), 1);
}

#[test]
fn the_same_upload_again_is_one_import() {
    let desk = Desk::start();
    let admin = desk.admin().with_header("idempotency-key", "monday");
    let content = csv(&[row("t-1")]);
    let first = upload(&admin, "a.csv", &content).expect(202);
    let again = upload(&admin, "a.csv", &content).expect(202);
    assert_eq!(process(&first), process(&again));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    upload(&admin, "a.csv", &csv(&[row("t-2")])).expect_problem(422, "idempotency-key-reused");
    upload(&admin, "b.csv", &content).expect_problem(422, "idempotency-key-reused");
    assert_eq!(desk.database().count("import_processes"), 1);
    assert_eq!(desk.events(), ["pro.techsupport.import.requested.v1"]);
    let asked = "import_files f JOIN import_processes p ON p.file_id = f.id";
    assert_eq!(desk.database().count(asked), 1);
}

#[test]
fn too_many_imports_at_once_have_to_wait() {
    let desk = Desk::with().set("HTTP__UPLOADS__MAX_UNFINISHED", 2).start();
    let admin = desk.admin();
    let content = csv(&[row("t-1")]);
    upload(&admin, "a.csv", &content).expect(202);
    upload(&admin, "b.csv", &content).expect(202);
    let refused = upload(&admin, "c.csv", &content).expect_problem(503, "unavailable");
    assert_eq!(refused.header("retry-after"), Some("10"));
    let _worker = ImportWorker::start(&desk);
    until("there is room again", || (upload(&admin, "c.csv", &content).status == 202).then_some(()));
}
