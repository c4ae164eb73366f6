//! Files that are made to hurt whoever reads them. Each ends as failed with a reason, and the same worker goes on.

use techsupport_application::ports::ImportStatus;
use techsupport_tests::{Desk, ImportWorker, until};
use xtask::sheets::{archive, tickets, workbook, workbook_with_strings, xlsx};

use super::{csv, header_xml, row};

/// A part that says how much it unpacks to, and one that unpacks to it.
fn zeros(mib: usize) -> Vec<u8> {
    vec![b'0'; mib * 1_024 * 1_024]
}

fn good() -> Vec<u8> {
    xlsx(tickets(50, 1)).unwrap()
}

/// Makes the directory of an archive claim that parts are small.
fn lie_about_sizes(mut zip: Vec<u8>) -> Vec<u8> {
    let entries: Vec<usize> =
        zip.windows(4).enumerate().filter(|(_, at)| *at == b"PK\x01\x02").map(|(at, _)| at).collect();
    for at in entries {
        zip[at + 24..at + 28].copy_from_slice(&100_u32.to_le_bytes());
    }
    zip
}

#[test]
fn hostile_files_fail_with_a_reason_and_harm_nothing() {
    let desk = Desk::start();
    let worker = ImportWorker::start_with(
        &desk,
        &[
            ("IMPORTS__PARSER_MEMORY_MIB", "192"),
            ("IMPORTS__PARSER_CPU_S", "5"),
            ("IMPORTS__PARALLELISM", "1"),
        ],
    );
    let far = format!("{}<row r=\"1048576\"><c r=\"XFD1048576\" t=\"str\"><v>x</v></c></row>", header_xml());
    let strings = r#"<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="4000000000" uniqueCount="4000000000"><si><t>a</t></si></sst>"#;
    let bomb_xml = r#"<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><sst><si><t>&c;</t></si></sst>"#;
    let many: Vec<String> = (0..20_000).map(|n| n.to_string()).collect();
    let shared = format!("{}<row r=\"2\"><c r=\"A2\" t=\"s\"><v>0</v></c></row>", header_xml());
    // 512 MiB of one text, half a MiB packed, in a sheet that claims to be small.
    let huge =
        [header_xml().as_bytes(), b"<row r=\"2\"><c r=\"A2\" t=\"str\"><v>", &zeros(512), b"</v></c></row>"]
            .concat();
    let huge = workbook(&String::from_utf8(huge).unwrap()).unwrap();
    assert!(huge.len() < 1_024 * 1_024, "{}", huge.len());
    let files: Vec<(&str, Vec<u8>, &str)> = vec![
        ("a cell at XFD1048576", workbook(&far).unwrap(), "column 16384"),
        ("four thousand million strings", workbook_with_strings(&shared, strings).unwrap(), "memory"),
        ("0.5 MB that unpack to 512 MB", huge.clone(), "unpacks to more than 256 MiB"),
        ("the same, denied", lie_about_sizes(huge), ""),
        ("many parts", archive(many.iter().map(|name| (name.as_str(), &b""[..]))).unwrap(), "parts"),
        ("entities", workbook_with_strings(&shared, bomb_xml).unwrap(), ""),
        ("protected", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1EncryptedPackage".to_vec(), "password"),
        ("truncated", good()[..good().len() * 2 / 3].to_vec(), "damaged or incomplete"),
        (
            "paths",
            archive([("../../../etc/passwd", &b"x"[..]), ("/etc/cron.d/x", b"x")].into_iter()).unwrap(),
            "no workbook",
        ),
        ("a quote that never ends", [csv(&[row("t-1")]), b"\"".to_vec(), zeros(15)].concat(), "never closed"),
    ];
    let asked: Vec<_> = files
        .iter()
        .map(|(what, bytes, reason)| {
            let name =
                if bytes.starts_with(b"PK") || bytes.starts_with(b"\xd0") { "a.xlsx" } else { "a.csv" };
            (what, desk.request_import(name, bytes), reason)
        })
        .collect();
    for (what, id, reason) in asked {
        let import = desk.await_import(id);
        assert_eq!(import.status, ImportStatus::Failed, "{what}: {import:?}");
        let said = import.error.unwrap();
        assert!(said.contains(reason), "{what}: {said}");
        assert!(!said.contains("calamine") && !said.contains("panic"), "{what}: {said}");
    }
    // The same worker still works.
    let import = desk.await_import(desk.request_import("good.xlsx", &good()));
    assert_eq!((import.status, import.processed), (ImportStatus::Completed, 50));
    let peak = memory_kib(worker.pid(), "VmHWM:") - memory_kib(worker.pid(), "RssFile:");
    assert!(peak < 80 * 1_024, "the worker itself stays small: {peak} KiB");
}

/// Every cell as wide as one can be and wrong, in as many files at once as are taken: what waits to be written is bounded in
/// bytes, too.
#[test]
fn wide_cells_do_not_fill_the_worker() {
    let desk = Desk::start();
    let worker = ImportWorker::start_with(&desk, &[("IMPORTS__PARALLELISM", "2")]);
    desk.await_import(desk.request_import("first.csv", &csv(&[row("t-1")])));
    let before = memory_kib(worker.pid(), "RssAnon:");
    let cell = |at: char| format!(r#"<c r="{at}@" t="str"><v>{}</v></c>"#, "😀".repeat(600));
    let cells: String = ('A'..='H').map(cell).collect();
    let row = |n: u32| format!(r#"<row r="{n}">{}</row>"#, cells.replace('@', &n.to_string()));
    let rows: Vec<String> = (2..2_002).map(row).collect();
    let file = workbook(&format!("{}{}", header_xml(), rows.concat())).unwrap();
    let ids = [desk.request_import("a.xlsx", &file), desk.request_import("b.xlsx", &file)];
    for id in ids {
        let import = desk.await_import(id);
        assert_eq!((import.status, import.failed), (ImportStatus::CompletedWithErrors, 2_000));
    }
    let peak = memory_kib(worker.pid(), "VmHWM:") - memory_kib(worker.pid(), "RssFile:");
    assert!(peak < before + 50 * 1_024, "grew from {before} to {peak} KiB");
}

fn memory_kib(pid: u32, figure: &str) -> u64 {
    let status =
        until("figures of the worker", || std::fs::read_to_string(format!("/proc/{pid}/status")).ok());
    let line = status.lines().find(|line| line.starts_with(figure)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
