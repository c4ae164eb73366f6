//! Files as people have them.

use techsupport_application::ports::ImportStatus;
use techsupport_tests::{Desk, ImportWorker, eventually};
use time::macros::datetime;

use super::{csv, imported, row, row_with};

/// A file of the original service; see `fixtures/README.md`.
const ORIGINAL: &[u8] = include_bytes!("../../../fixtures/tickets_5000.xlsx");

#[test]
fn a_file_of_the_original_is_imported_completely() {
    let desk = Desk::start();
    let _worker = ImportWorker::start(&desk);
    let id = desk.request_import("tickets_5000.xlsx", ORIGINAL);
    let import = desk.await_import(id);
    assert_eq!(import.status, ImportStatus::Completed, "{import:?}");
    assert_eq!((import.total, import.processed, import.failed), (5_000, 5_000, 0));
    assert_eq!(desk.database().count("imported_tickets"), 5_000);
    assert_eq!(desk.database().count("import_files"), 0, "the file has gone with the import");
    assert_eq!(desk.database().count("import_file_parts"), 0);
    let row: String = desk.database().one(
        "SELECT concat_ws(' ', client_type, status, escalation_level, agent_id, sheet_row) FROM imported_tickets \
         WHERE ticket_id = 'cbf9aa38-cadc-4d0d-baf7-69751119c487'",
        &[],
    );
    assert_eq!(row, "VIP RESOLVED 2 00e6a9b9-62b7-4b7b-8cd3-7bb0a91fa80d 2");
    let times: Vec<time::OffsetDateTime> = desk
        .database()
        .all("SELECT unnest(ARRAY[created_at, resolved_at]) FROM imported_tickets WHERE sheet_row = 2", &[]);
    assert_eq!(times, [datetime!(2026-02-12 23:15:23.058 UTC), datetime!(2026-02-12 23:17:56.579 UTC)]);
    assert_eq!(desk.database().count("tickets"), 0, "history is no ticket of the desk");
    // The event reached its queue and was acknowledged.
    eventually("the queue is empty", || {
        desk.broker().ready(&format!("{}.ticket-imports", desk.broker().prefix())) == Some(0)
    });
}

#[test]
fn wrong_rows_are_told_of_and_right_ones_are_in() {
    let desk = Desk::start();
    let _worker = ImportWorker::start_with(&desk, &[("IMPORTS__CHUNK_ROWS", "2")]);
    let mut two_faults = row_with("t-4", 7, "DONE");
    two_faults[3] = "yesterday".to_owned();
    let rows =
        [row("t-1"), row_with("t-2", 2, "GOLD"), row("t-3"), two_faults, row_with(" ", 4, ""), row("t-6")];
    let id = desk.request_import("mixed.csv", &csv(&rows));
    let import = desk.await_import(id);
    assert_eq!(import.status, ImportStatus::CompletedWithErrors);
    assert_eq!((import.total, import.processed, import.failed), (6, 3, 3));
    assert_eq!(imported(&desk), ["t-1 RESOLVED", "t-3 RESOLVED", "t-6 RESOLVED"]);
    let said: Vec<String> = desk
        .import_errors(id)
        .iter()
        .map(|error| {
            format!(
                "{} {} {:?} {}",
                error.row,
                error.column.as_deref().unwrap_or("-"),
                error.value,
                error.detail
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            "3 client_type \"GOLD\" is not one of VIP, NORMAL",
            "5 created_at \"yesterday\" must be a date cell, or RFC 3339 such as 2026-02-12T20:45:23Z",
            "5 status \"DONE\" is not one of OPEN, IN_PROGRESS, WAITING, ESCALATED, RESOLVED, CLOSED",
            "6 ticket_id \" \" is required",
            "6 resolved_at \"\" is required where the status is RESOLVED",
        ]
    );
}

#[test]
fn a_file_with_only_wrong_rows_is_looked_at_to_its_end() {
    let desk = Desk::start();
    let _worker = ImportWorker::start_with(
        &desk,
        &[("IMPORTS__CHUNK_ROWS", "10"), ("IMPORTS__MAX_LISTED_ERRORS", "20")],
    );
    let rows: Vec<_> = (0..55).map(|n| row_with(&format!("t-{n}"), 6, "9")).collect();
    let id = desk.request_import("wrong.csv", &csv(&rows));
    let import = desk.await_import(id);
    assert_eq!(import.status, ImportStatus::CompletedWithErrors);
    assert_eq!((import.total, import.processed, import.failed), (55, 0, 55));
    assert_eq!(desk.database().count("import_errors"), 20, "the others are counted, not listed");
}

#[test]
fn the_same_ticket_again_updates_its_row() {
    let desk = Desk::start();
    let _worker = ImportWorker::start_with(&desk, &[("IMPORTS__CHUNK_ROWS", "2")]);
    let with = |ticket: &str, status: &str| row_with(ticket, 7, status);
    let first = [with("t-1", "OPEN"), with("t-1", "WAITING"), with("t-2", "OPEN"), with("t-1", "CLOSED")];
    let import = desk.await_import(desk.request_import("first.csv", &csv(&first)));
    assert_eq!((import.total, import.processed), (4, 4), "rows are counted, not tickets");
    assert_eq!(imported(&desk), ["t-1 CLOSED", "t-2 OPEN"], "the later row counts");
    let again = [with("t-2", "RESOLVED"), with("t-3", "OPEN")];
    desk.await_import(desk.request_import("second.csv", &csv(&again)));
    assert_eq!(imported(&desk), ["t-1 CLOSED", "t-2 RESOLVED", "t-3 OPEN"]);
}

/// Whoever is slow does not overwrite what a later file has said.
#[test]
fn an_earlier_file_that_is_read_later_does_not_win() {
    let desk = Desk::start();
    let earlier = desk.request_import("earlier.csv", &csv(&[row_with("t-1", 7, "OPEN")]));
    // As if a worker had taken it and died.
    let taken = "UPDATE import_processes SET status = 'PROCESSING', lease_until = 'infinity' WHERE id = $1";
    assert_eq!(desk.database().execute(taken, &[&earlier.uuid()]), 1);
    let _worker = ImportWorker::start(&desk);
    let later = desk.request_import("later.csv", &csv(&[row_with("t-1", 7, "CLOSED")]));
    desk.await_import(later);
    let free = "UPDATE import_processes SET lease_until = now() WHERE id = $1";
    assert_eq!(desk.database().execute(free, &[&earlier.uuid()]), 1);
    desk.broker().put(
        &format!("{}.ticket-imports", desk.broker().prefix()),
        &desk
            .database()
            .one::<String>("SELECT body::text FROM outbox WHERE subject = $1", &[&earlier.to_string()]),
        1,
    );
    assert_eq!(desk.await_import(earlier).processed, 1);
    assert_eq!(imported(&desk), ["t-1 CLOSED"]);
}

#[test]
fn a_file_without_a_table_has_failed_and_says_why() {
    let desk = Desk::start();
    let _worker = ImportWorker::start(&desk);
    let no_rows = csv(&[]);
    let short = b"ticket_id,estado\nt-1,OPEN\n".to_vec();
    let header = String::from_utf8(csv(&[])).unwrap();
    let twice = format!("status,{header}OPEN,{}\n", super::GOOD.join(",")).into_bytes();
    for (bytes, reason) in [
        (b"hello\n".to_vec(), "no header"),
        (no_rows, "no rows below the header"),
        (short, "lacks client_id"),
        (twice, "has status twice"),
    ] {
        let import = desk.await_import(desk.request_import("a.csv", &bytes));
        assert_eq!(import.status, ImportStatus::Failed);
        assert_eq!((import.total, import.processed, import.failed), (0, 0, 0));
        assert!(import.error.as_deref().is_some_and(|error| error.contains(reason)), "{import:?}");
    }
    assert_eq!(desk.database().count("import_files"), 0);
}

#[test]
fn files_that_nobody_needs_are_removed() {
    let desk = Desk::start();
    let (ports, call) = (desk.ports(), techsupport_tests::system_call());
    let ctx = techsupport_application::Ctx::new(&ports, &call);
    let orphan = techsupport_bootstrap::ids::new_id();
    techsupport_application::imports::store_file_part(ctx, orphan, 0, b"x").unwrap();
    let waiting = desk.request_import("a.csv", &csv(&[row("t-1")]));
    let late = desk.request_import("b.csv", &csv(&[row("t-2")]));
    let aged = "UPDATE import_files SET created_at = now() - interval '2 hours'";
    assert_eq!(desk.database().execute(aged, &[]), 3);
    let aged = "UPDATE import_processes SET created_at = now() - interval '8 days' WHERE id = $1";
    assert_eq!(desk.database().execute(aged, &[&late.uuid()]), 1);
    let jobs = desk.pool().import_jobs();
    let hours = |hours: u64| std::time::Duration::from_secs(hours * 3_600);
    let forgotten = jobs.forget(hours(1), hours(168), 100).unwrap();
    assert_eq!((forgotten.orphans, forgotten.given_up), (1, 1));
    assert_eq!(desk.await_import(late).error.as_deref(), Some("the import did not end in time"));
    let left: Vec<uuid::Uuid> =
        desk.database().all("SELECT file_id FROM import_processes WHERE file_id IS NOT NULL", &[]);
    assert_eq!((left.len(), desk.database().count("import_files")), (1, 1));
    assert_eq!(desk.import(waiting).status, ImportStatus::Pending);
}
