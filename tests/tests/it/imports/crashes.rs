//! Whoever dies, every row is there once.

use std::time::Duration;

use techsupport_application::ports::{Chunk, ImportClaim, ImportEnd, ImportStatus};
use techsupport_tests::{Desk, ImportWorker, eventually, until};
use xtask::sheets::{csv, tickets};

use super::row;

const ROWS: u32 = 3_000;

/// Killed between two chunks each time, it has always come further.
#[test]
fn a_worker_that_is_killed_again_and_again_loads_every_row_once() {
    let desk = Desk::start();
    let settings = [("IMPORTS__CHUNK_ROWS", "100"), ("IMPORTS__LEASE_MS", "500")];
    let mut worker = ImportWorker::start_with(&desk, &settings);
    let mut rows: Vec<_> = tickets(ROWS, 3).collect();
    // Every tenth row is wrong, so that faults are counted once, too.
    rows.iter_mut().step_by(10).for_each(|row| "?".clone_into(&mut row[7]));
    let id = desk.request_import("a.csv", csv(rows.into_iter()).as_bytes());
    for kill in 1..=4 {
        until("it comes further", || (desk.import(id).processed >= kill * 300).then_some(()));
        worker.kill();
        worker.restart();
    }
    let import = desk.await_import(id);
    assert_eq!(import.status, ImportStatus::CompletedWithErrors);
    assert_eq!((import.total, import.processed, import.failed), (ROWS, ROWS * 9 / 10, ROWS / 10));
    assert_eq!(desk.database().count("imported_tickets"), i64::from(ROWS * 9 / 10));
    assert_eq!(desk.database().count("import_errors"), i64::from(ROWS / 10));
    let queue = format!("{}.ticket-imports", desk.broker().prefix());
    assert_eq!(desk.broker().ready(&format!("{queue}.dlq")), Some(0));
}

#[test]
fn several_workers_share_the_files_and_never_one() {
    let desk = Desk::start();
    desk.await_topology();
    let workers: Vec<ImportWorker> =
        (0..3).map(|_| ImportWorker::start_with(&desk, &[("IMPORTS__CHUNK_ROWS", "50")])).collect();
    // The same tickets in all of them, in other orders: the loads meet.
    let ids: Vec<_> = (0..6)
        .map(|n: usize| {
            let mut rows: Vec<_> = tickets(500, 4).collect();
            rows.rotate_left(n * 83);
            desk.request_import("a.csv", csv(rows.into_iter()).as_bytes())
        })
        .collect();
    // And every request comes three times.
    let queue = format!("{}.ticket-imports", desk.broker().prefix());
    for id in &ids {
        let body: String =
            desk.database().one("SELECT body::text FROM outbox WHERE subject = $1", &[&id.to_string()]);
        desk.broker().put(&queue, &body, 2);
    }
    for id in ids {
        let import = desk.await_import(id);
        assert_eq!((import.status, import.processed), (ImportStatus::Completed, 500), "{import:?}");
    }
    assert_eq!(desk.database().count("imported_tickets"), 500);
    drop(workers);
}

#[test]
fn a_worker_that_is_stopped_leaves_the_rest_to_others() {
    let desk = Desk::start();
    let settings = [("IMPORTS__CHUNK_ROWS", "20"), ("IMPORTS__LEASE_MS", "30000")];
    let mut worker = ImportWorker::start_with(&desk, &settings);
    let id = desk.request_import("a.csv", csv(tickets(ROWS, 5)).as_bytes());
    until("it has begun", || (desk.import(id).processed > 0).then_some(()));
    worker.stop();
    assert_eq!(worker.errors(), [""; 0]);
    // Its lease was given back: nobody waits half a minute for it.
    worker.restart();
    let import = desk.await_import(id);
    assert_eq!((import.status, import.processed), (ImportStatus::Completed, ROWS));
}

/// Somebody who was thought dead comes back: nothing of what it still holds gets in.
#[test]
fn who_lost_an_import_can_write_nothing() {
    let desk = Desk::start();
    let id = desk.request_import("a.csv", csv(tickets(3, 6)).as_bytes());
    let jobs = desk.pool().import_jobs();
    let claim = |lease| match jobs.claim(id, lease).unwrap() {
        ImportClaim::Granted(job) => job,
        other @ (ImportClaim::Unknown | ImportClaim::Ended | ImportClaim::NotYet { .. }) => {
            panic!("{other:?}")
        }
    };
    let slow = claim(Duration::ZERO);
    let quick = claim(Duration::from_mins(1));
    assert!(
        matches!(jobs.claim(id, Duration::ZERO).unwrap(), ImportClaim::NotYet { wait } if wait > Duration::from_secs(50))
    );
    let ticket = techsupport_application::imports::judge(&sheet_row(2)).unwrap();
    let chunk = Chunk { reached: 2, tickets: vec![(2, ticket)], faults: Vec::new() };
    let minute = Duration::from_mins(1);
    assert!(!jobs.load(&slow.hold, &chunk, minute, 10).unwrap());
    assert!(!jobs.renew(&slow.hold, minute).unwrap());
    assert!(!jobs.counted(&slow.hold, 7).unwrap());
    assert!(!jobs.release(&slow.hold).unwrap());
    assert!(!jobs.finish(&slow.hold, &ImportEnd::Done).unwrap());
    assert_eq!(desk.database().count("imported_tickets"), 0);
    assert!(jobs.load(&quick.hold, &chunk, minute, 10).unwrap());
    assert!(!jobs.load(&quick.hold, &chunk, minute, 10).unwrap(), "the same rows once more");
    assert!(jobs.counted(&quick.hold, 3).unwrap());
    assert!(jobs.finish(&quick.hold, &ImportEnd::Failed("enough".to_owned())).unwrap());
    let import = desk.import(id);
    assert_eq!((import.total, import.processed, import.failed), (3, 1, 2), "what is not in has failed");
    assert_eq!(jobs.claim(id, minute).unwrap(), ImportClaim::Ended);
}

#[test]
fn an_import_that_nobody_survives_is_given_up() {
    let desk = Desk::start();
    let id = desk.request_import("a.csv", csv(tickets(3, 7)).as_bytes());
    let tried = "UPDATE import_processes SET idle_claims = 10 WHERE id = $1";
    assert_eq!(desk.database().execute(tried, &[&id.uuid()]), 1);
    let _worker = ImportWorker::start(&desk);
    let import = desk.await_import(id);
    assert_eq!(import.status, ImportStatus::Failed);
    assert!(import.error.is_some_and(|error| error.contains("too often")));
}

#[test]
fn what_is_no_request_is_dead_at_once() {
    let desk = Desk::start();
    desk.await_topology();
    let _worker = ImportWorker::start(&desk);
    let queue = format!("{}.ticket-imports", desk.broker().prefix());
    eventually("the queue is there", || desk.broker().ready(&queue).is_some());
    desk.broker().put(&queue, "no JSON", 1);
    let dead = desk.broker().take(&format!("{queue}.dlq"));
    let reason = techsupport_tests::TestBroker::header(&dead, "techsupport-reason").unwrap();
    assert!(reason.contains("not a CloudEvents document"), "{reason}");
}

fn sheet_row(number: u32) -> techsupport_application::imports::SheetRow {
    use techsupport_application::imports::{Cell, SheetRow};
    SheetRow { row: number, cells: row("t-1").map(Cell::Text) }
}
