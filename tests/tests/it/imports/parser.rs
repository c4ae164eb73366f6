//! The process that reads a file, and the worker it reads for.

use std::{
    fs,
    os::unix::{fs::symlink, process::parent_id},
    process::{Command, Output, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use techsupport_application::ports::ImportStatus;
use techsupport_domain::ImportId;
use techsupport_tests::{Desk, ImportWorker, eventually, program, until};
use xtask::sheets::workbook;

use super::header_xml;

/// A row with an id and nothing else, which is too little.
const ROW: &str = r#"<row r="2"><c r="A2" t="str"><v>t-1</v></c></row>"#;

/// One row, and so much that means nothing that reading it takes several hundred looks at the parser.
fn long_file() -> Vec<u8> {
    workbook(&format!("{}{ROW}{}", header_xml(), "<a/>".repeat(3_000_000))).unwrap()
}

/// The parser of a worker, halted while it counts: now it cannot end by itself.
fn halted_parser(worker: &ImportWorker) -> Pid {
    let parser = until("a parser", || child_of(worker.pid()).filter(|parser| is_confined(*parser)));
    kill_process(parser, Signal::STOP).unwrap();
    parser
}

/// The last of the bounds that it gives itself is in force.
fn is_confined(parser: Pid) -> bool {
    let limits = fs::read_to_string(format!("/proc/{}/limits", parser.as_raw_nonzero()));
    let of_files = |line: &str| {
        line.strip_prefix("Max file size").is_some_and(|rest| rest.split_whitespace().next() == Some("0"))
    };
    limits.is_ok_and(|limits| limits.lines().any(of_files))
}

fn child_of(parent: u32) -> Option<Pid> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let mut ids = processes.filter_map(|process| process.file_name().to_str()?.parse::<i32>().ok());
    ids.find(|id| parent_of(*id) == Some(parent)).and_then(Pid::from_raw)
}

fn parent_of(id: i32) -> Option<u32> {
    status_of(id, "PPid:")?.parse().ok()
}

fn status_of(id: i32, field: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix(field)).map(|value| value.trim().to_owned())
}

/// Where nobody reaps orphans, as in a container without an init, a zombie is left of it for ever.
fn has_ended(id: i32) -> bool {
    status_of(id, "State:").is_none_or(|state| state.starts_with(['Z', 'X']))
}

fn await_end_of(parser: Pid) {
    eventually("the parser has ended", || has_ended(parser.as_raw_nonzero().get()));
}

fn completes(desk: &Desk, id: ImportId) {
    let import = desk.await_import(id);
    assert_eq!((import.status, import.total), (ImportStatus::CompletedWithErrors, 1), "{import:?}");
}

#[test]
fn a_parser_dies_with_its_worker() {
    let desk = Desk::start();
    let mut worker = ImportWorker::start_with(&desk, &[("IMPORTS__LEASE_MS", "1000")]);
    let id = desk.request_import("a.xlsx", &long_file());
    let parser = halted_parser(&worker);
    worker.kill();
    await_end_of(parser);
    worker.restart();
    completes(&desk, id);
}

/// Nobody has to wait for the end of a lease of ten minutes.
#[test]
fn a_worker_that_is_stopped_while_rows_are_counted_leaves_the_file_to_others() {
    let desk = Desk::start();
    let mut worker = ImportWorker::start_with(&desk, &[("IMPORTS__LEASE_MS", "600000")]);
    let id = desk.request_import("a.xlsx", &long_file());
    let parser = halted_parser(&worker);
    worker.stop();
    await_end_of(parser);
    worker.restart();
    completes(&desk, id);
}

/// A parser of somebody's, with a file in which there is nothing.
fn parser_of(worker: u32) -> Output {
    Command::new(program("import-worker"))
        .args(["parse", "CSV", "0", &worker.to_string(), "512", "60", "512", "1000", "1000", "100"])
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// The signal that ends a parser with its worker comes only to those who asked for it before.
#[test]
fn a_parser_whose_worker_is_gone_does_not_begin() {
    assert!(parser_of(std::process::id()).status.success());
    let orphan = parser_of(parent_id());
    assert_eq!(orphan.status.code(), Some(1), "{orphan:?}");
    assert_eq!(String::from_utf8_lossy(&orphan.stderr), "the worker is gone already\n");
    assert!(orphan.stdout.is_empty(), "{orphan:?}");
}

/// An upgrade replaces the program before it restarts it.
#[test]
fn a_worker_reads_with_its_own_release_whatever_lies_at_its_path() {
    let desk = Desk::start();
    let original = program("import-worker");
    let folder = tempfile::tempdir_in(original.parent().unwrap()).unwrap();
    let path = folder.path().join("import-worker");
    fs::hard_link(&original, &path).unwrap();
    let worker = ImportWorker::start_program(&desk, path.clone(), &[]);
    eventually("it consumes", || worker.lines().iter().any(|line| line.contains("\"consuming\"")));
    fs::remove_file(&path).unwrap();
    symlink("/bin/false", &path).unwrap();
    completes(&desk, desk.request_import("a.xlsx", &workbook(&format!("{}{ROW}", header_xml())).unwrap()));
}
