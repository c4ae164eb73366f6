//! What becomes of each kind of file. That a process which dies of one harms nobody is shown with the whole program.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{Seek, SeekFrom, Write};

use techsupport_application::imports::Cell;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;

const LIMITS: ParserLimits =
    ParserLimits { memory_mib: 512, cpu_s: 60, unpacked_mib: 64, parts: 1_000, rows: 100, columns: 256 };

const TYPES: &str = r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>"#;
const ROOT: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/><Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>"#;
/// Style 1 is a date with a time.
const STYLES: &str = r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs></styleSheet>"#;
const NS: &str = r#"xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships""#;

const NAMES: [&str; 8] = [
    "ticket_id",
    "client_id",
    "tipo_cliente",
    "fecha_creacion",
    "fecha_resolucion",
    "agente_id",
    "nivel_escalamiento",
    "estado",
];

fn stored(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    file
}

fn packed(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn workbook_with(properties: &str, strings: &str, rows: &str) -> Vec<u8> {
    let workbook = format!(
        r#"<workbook {NS}><workbookPr {properties}/><sheets><sheet name="A" sheetId="1" r:id="rId1"/></sheets></workbook>"#
    );
    let sheet = format!("<worksheet {NS}><sheetData>{rows}</sheetData></worksheet>");
    packed(&[
        ("[Content_Types].xml", TYPES),
        ("_rels/.rels", ROOT),
        ("xl/workbook.xml", &workbook),
        ("xl/_rels/workbook.xml.rels", RELATIONS),
        ("xl/styles.xml", STYLES),
        ("xl/sharedStrings.xml", strings),
        ("xl/worksheets/sheet1.xml", &sheet),
    ])
}

fn workbook(rows: &str) -> Vec<u8> {
    workbook_with("", &format!("<sst {NS} count=\"0\" uniqueCount=\"0\"></sst>"), rows)
}

fn text_cell(at: &str, text: &str) -> String {
    format!(r#"<c r="{at}" t="str"><v>{text}</v></c>"#)
}

fn row(number: u32, texts: &[&str]) -> String {
    let cells: String =
        ('A'..).zip(texts).map(|(column, text)| text_cell(&format!("{column}{number}"), text)).collect();
    format!(r#"<row r="{number}">{cells}</row>"#)
}

const GOOD: [&str; 8] =
    ["t-1", "c-1", "VIP", "2026-02-12T20:45:23Z", "2026-02-12T21:45:23Z", "a-1", "2", "RESOLVED"];

fn read(bytes: &[u8], kind: FileKind) -> Result<Vec<SheetRow>, String> {
    let mut found = Vec::new();
    let outcome = rows(&stored(bytes), kind, &LIMITS, &mut |row| {
        found.push(row);
        Ok(())
    });
    match outcome {
        Ok(()) => Ok(found),
        Err(Stop::Fault(reason)) => Err(reason),
        Err(Stop::Gone) => panic!("nobody is gone"),
    }
}

fn xlsx(rows: &str) -> Result<Vec<SheetRow>, String> {
    read(&workbook(rows), FileKind::Xlsx)
}

fn csv(text: &str) -> Result<Vec<SheetRow>, String> {
    read(text.as_bytes(), FileKind::Csv)
}

fn texts(row: &SheetRow) -> Vec<&str> {
    row.cells.iter().map(|cell| if let Cell::Text(text) = cell { text.as_str() } else { "" }).collect()
}

#[test]
fn rows_keep_the_numbers_of_the_sheet() {
    let rows = xlsx(&[row(1, &NAMES), row(2, &GOOD), row(5, &GOOD)].concat()).unwrap();
    assert_eq!(rows.iter().map(|row| row.row).collect::<Vec<_>>(), [2, 5]);
    assert_eq!(texts(&rows[0]), GOOD);
}

#[test]
fn columns_may_stand_anywhere_and_others_beside_them() {
    let mut names = NAMES.to_vec();
    names.reverse();
    names.insert(3, "notes");
    let mut values = GOOD.to_vec();
    values.reverse();
    values.insert(3, "x");
    let rows = xlsx(&[row(1, &names), row(2, &values)].concat()).unwrap();
    assert_eq!(texts(&rows[0]), GOOD);
}

/// A title over the table, merged across it, and cells merged below: only the first of them holds the value.
#[test]
fn merged_cells_hold_their_value_once() {
    let title = format!(r#"<row r="1">{}</row>"#, text_cell("A1", "Tickets of 2025"));
    let merged = format!(r#"<row r="5">{}<c r="B5"/></row>"#, text_cell("A5", "t-2"));
    let rows = xlsx(&[title, row(3, &NAMES), row(4, &GOOD), merged].concat()).unwrap();
    assert_eq!((rows[0].row, rows[1].row), (4, 5));
    assert_eq!(rows[1].cells[1], Cell::Blank);
}

#[test]
fn dates_are_dates_in_both_calendars_of_excel() {
    let cells = |serial: f64| {
        let names = row(1, &NAMES);
        let date = format!(r#"<c r="D2" s="1"><v>{serial}</v></c><c r="E2"><v>{serial}</v></c>"#);
        format!(r#"{names}<row r="2">{}{date}</row>"#, text_cell("A2", "t-1"))
    };
    // 2026-02-12 20:45:23.123 UTC
    let at = 1_770_929_123_123_i64;
    let strings = format!("<sst {NS}></sst>");
    let since_1900 =
        read(&workbook_with("", &strings, &cells(46_065.864_850_960_65)), FileKind::Xlsx).unwrap();
    assert_eq!(since_1900[0].cells[3], Cell::Moment(at));
    assert_eq!(
        since_1900[0].cells[4],
        Cell::Number(46_065.864_850_960_65),
        "a number that no style calls a date"
    );
    let since_1904 =
        read(&workbook_with("date1904=\"1\"", &strings, &cells(44_603.864_850_960_65)), FileKind::Xlsx)
            .unwrap();
    assert_eq!(since_1904[0].cells[3], Cell::Moment(at));
}

/// As the strict form of the format writes them, and as nobody should.
#[test]
fn dates_that_are_texts_know_no_zone() {
    let read = |text: &str| {
        let date = format!(r#"<row r="2"><c r="D2" t="d"><v>{text}</v></c></row>"#);
        let [.., date, _, _, _, _] = &xlsx(&[row(1, &NAMES), date].concat()).unwrap()[0].cells;
        date.clone()
    };
    for (text, taken) in [
        ("2026-02-12T20:45:23.5", "2026-02-12T20:45:23.5Z"),
        ("2026-02-12", "2026-02-12T00:00:00Z"),
        ("2026-02-12T20:45:23+01:00", "2026-02-12T20:45:23+01:00"),
        ("2026-02-12T20:45:23Z", "2026-02-12T20:45:23Z"),
        ("20:45:23", "20:45:23"),
        ("P1DT2H3M4S", "P1DT2H3M4S"),
    ] {
        assert_eq!(read(text), Cell::Text(taken.to_owned()));
    }
}

/// They cannot be handed on as numbers; the row is refused for them, not the file.
#[test]
fn numbers_that_are_none_are_shown_as_they_are() {
    let cells = r#"<c r="A2"><v>NaN</v></c><c r="D2" s="1"><v>-1e999</v></c><c r="E2" s="1"><v>5e6</v></c>"#;
    let sheet = [row(1, &NAMES), format!(r#"<row r="2">{cells}</row>"#)].concat();
    let [id, _, _, created, resolved, ..] = &xlsx(&sheet).unwrap()[0].cells;
    assert_eq!(id, &Cell::Other("NaN".to_owned()));
    assert_eq!(created, &Cell::Other("-inf".to_owned()));
    assert_eq!(resolved, &Cell::Number(5e6), "no calendar has such a day");
}

#[test]
fn shared_strings_and_other_values_are_read() {
    let names: String = NAMES.map(|name| format!("<si><t>{name}</t></si>")).concat();
    let strings = format!("<sst {NS} count=\"8\" uniqueCount=\"8\">{names}</sst>");
    let header: Vec<String> =
        ('A'..='H').enumerate().map(|(n, at)| format!(r#"<c r="{at}1" t="s"><v>{n}</v></c>"#)).collect();
    let header = header.concat();
    let others = r#"<c r="A2"><v>17</v></c><c r="B2" t="b"><v>1</v></c><c r="C2" t="e"><v>#N/A</v></c>"#;
    let sheet = format!(r#"<row r="1">{header}</row><row r="2">{others}</row>"#);
    let rows = read(&workbook_with("", &strings, &sheet), FileKind::Xlsx).unwrap();
    let [first, second, third, ..] = &rows[0].cells;
    assert_eq!((first, second), (&Cell::Number(17.0), &Cell::Other("TRUE".to_owned())));
    assert_eq!(third, &Cell::Other("#N/A".to_owned()));
}

#[test]
fn a_table_without_a_sound_header_or_rows_is_refused() {
    let fault = |rows: &str| xlsx(rows).unwrap_err();
    assert!(fault("").contains("no header"));
    assert!(fault(&row(1, &GOOD)).contains("no header"));
    assert!(fault(&row(1, &NAMES)).contains("no rows below the header"));
    assert!(fault(&row(2, &NAMES[..6])).contains("row 2 lacks escalation_level, status"));
    let mut twice = NAMES.to_vec();
    twice.push("client_type");
    assert!(fault(&row(1, &twice)).contains("client_type twice"));
}

/// A second header further down is a row like any other here; the rules refuse it.
#[test]
fn a_header_that_is_repeated_is_handed_on() {
    let rows = xlsx(&[row(1, &NAMES), row(2, &GOOD), row(3, &NAMES)].concat()).unwrap();
    assert!(techsupport_application::imports::judge(&rows[1]).is_err());
}

#[test]
fn cells_far_out_and_too_many_rows_are_refused() {
    let table = [row(1, &NAMES), row(2, &GOOD)].concat();
    let far = format!(r#"{table}<row r="1048576">{}</row>"#, text_cell("XFD1048576", "x"));
    assert!(xlsx(&far).unwrap_err().contains("column 16384 of row 1048576"));
    let deep = format!(r#"{table}<row r="1048576">{}</row>"#, text_cell("A1048576", "x"));
    assert!(xlsx(&deep).unwrap_err().contains("row 1048576"));
    let blank = format!(r#"{table}<row r="1048576"><c r="XFD1048576"/></row>"#);
    assert_eq!(xlsx(&blank).unwrap().len(), 1, "where there is nothing to see there is nothing to refuse");
    let many: String = (2..=102).map(|number| row(number, &GOOD)).collect();
    assert!(xlsx(&[row(1, &NAMES), many].concat()).unwrap_err().contains("more than 100 rows"));
    assert!(
        xlsx(&[row(1, &NAMES), row(9, &GOOD), row(8, &GOOD)].concat())
            .unwrap_err()
            .contains("row 8 comes after row 9")
    );
    let double = [row(1, &NAMES), row(2, &GOOD), row(2, &GOOD)].concat();
    assert!(xlsx(&double).unwrap_err().contains("row 2 has two cells in column 1"));
}

#[test]
fn what_is_no_workbook_is_refused() {
    let fault = |bytes: &[u8]| read(bytes, FileKind::Xlsx).unwrap_err();
    let good = workbook(&[row(1, &NAMES), row(2, &GOOD)].concat());
    assert!(fault(&good[..good.len() / 2]).contains("damaged or incomplete"));
    assert!(fault(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and so on").contains("password"));
    assert!(fault(b"PK\x03\x04").contains("damaged"));
    assert!(fault(&packed(&[("../../etc/passwd", "x"), ("/root", "x")])).contains("no workbook"));
    let bomb = r#"<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>"#;
    let sheet = format!(
        "{bomb}<worksheet {NS}><sheetData><row r=\"1\">{}</row></sheetData></worksheet>",
        text_cell("A1", "&b;")
    );
    let bytes = packed(&[("xl/workbook.xml", &sheet), ("xl/_rels/workbook.xml.rels", RELATIONS)]);
    assert!(read(&bytes, FileKind::Xlsx).is_err());
}

#[test]
fn archives_that_would_cost_too_much_are_refused_unopened() {
    let fault = |bytes: &[u8]| read(bytes, FileKind::Xlsx).unwrap_err();
    let zeros = "0".repeat(65 * 1_024 * 1_024);
    let bomb = packed(&[("xl/workbook.xml", &zeros)]);
    assert!(bomb.len() < 200_000);
    assert!(fault(&bomb).contains("unpacks to more than 64 MiB"));
    let names: Vec<String> = (0..1_001).map(|n| n.to_string()).collect();
    let parts: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    assert!(fault(&packed(&parts)).contains("more than 1000 parts"));
}

fn joined(separator: &str, fields: &[&str]) -> String {
    fields.join(separator)
}

#[test]
fn text_may_be_separated_by_commas_semicolons_tabs_or_bars() {
    for separator in [",", ";", "\t", "|"] {
        let text = format!("\u{feff}{}\r\n{}\r\n", joined(separator, &NAMES), joined(separator, &GOOD));
        let rows = csv(&text).unwrap();
        assert_eq!((rows.len(), rows[0].row), (1, 2));
        assert_eq!(texts(&rows[0]), GOOD, "{separator:?}");
    }
}

#[test]
fn quotes_may_hold_separators_and_lines_and_rows_are_counted_as_a_sheet_does() {
    let quoted = GOOD.map(|field| format!("\"{field}\""));
    let second = format!("\"t;\"\"2\"\"\nx\";{}", quoted[1..].join(";"));
    let text = format!("{}\n\n{second}\n\n\n{}\n", joined(";", &NAMES), quoted.join(";"));
    let rows = csv(&text).unwrap();
    assert_eq!(rows[0].cells[0], Cell::Text("t;\"2\"\nx".to_owned()));
    assert_eq!(rows.iter().map(|row| row.row).collect::<Vec<_>>(), [3, 6]);
}

/// Blank lines over the header, between rows and before one that no line's end follows.
#[test]
fn rows_are_counted_alike_whatever_ends_a_line() {
    for end in ["\n", "\r\n", "\r"] {
        let (header, good) = (joined(",", &NAMES), joined(",", &GOOD));
        let text = ["", "", &header, &good, "", "", &good, &good, "", &good].join(end);
        for text in [format!("{text}{end}"), text] {
            let rows = csv(&text).unwrap();
            assert_eq!(rows.iter().map(|row| row.row).collect::<Vec<_>>(), [4, 7, 8, 10], "{text:?}");
        }
    }
}

/// Otherwise all rows below would silently be part of one cell, which may be in a column that nobody reads.
#[test]
fn a_quote_that_is_never_closed_is_refused() {
    let (header, good) = (joined(",", &NAMES), joined(",", &GOOD));
    let with = |note: &str, end: &str| csv(&format!("{header},notes\n{good},a\n{good},{note}{end}"));
    for end in ["", "\n", "\r\n", &format!("\n{good},b\n{good},b\n")] {
        for note in ["\"", "\"is not", "\"is not\"\"", "\"is, not"] {
            let said = with(note, end).unwrap_err();
            assert!(said.contains("a quotation mark in row 3 is never closed"), "{note}{end:?}: {said}");
        }
        for note in ["\"\"", "\"is\"", "24\" wide", "\"is\" and\"", "\"\"\"is\"\"\"", "\"a\nb\""] {
            assert!(with(note, end).is_ok(), "{note}{end:?}");
        }
    }
}

#[test]
fn text_is_utf_8_or_what_windows_writes() {
    let line = "t-ñ;c-€;VIP;;;;;OPEN\n";
    let text = format!("{}\n{line}", joined(";", &NAMES));
    let (windows, ..) = encoding_rs::WINDOWS_1252.encode(&text);
    let utf16: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for bytes in [text.as_bytes(), &windows, &utf16] {
        let rows = read(bytes, FileKind::Csv).unwrap();
        assert_eq!(texts(&rows[0])[..2], ["t-ñ", "c-€"]);
    }
}

/// Nothing turns into something else: what can be read is right, and what cannot be read can be told.
#[test]
fn text_in_two_encodings_keeps_what_can_be_read() {
    let text = format!("{}\nt-ñ;c-1\n", joined(";", &NAMES));
    let rows = read(&[text.as_bytes(), b"t-\xf1;c-1\n"].concat(), FileKind::Csv).unwrap();
    assert_eq!((texts(&rows[0])[0], texts(&rows[1])[0]), ("t-ñ", "t-\u{fffd}"));
}

/// Otherwise two ids that begin alike would become one, without a word.
#[test]
fn what_is_too_long_is_not_shortened_to_something_else() {
    let blanks = |count| " ".repeat(count);
    let id = "x".repeat(60);
    let both = |given: &str| {
        let sheet = [row(1, &NAMES), format!(r#"<row r="2">{}</row>"#, text_cell("A2", given))].concat();
        let text = format!("{}\n{given},c-1\n", joined(",", &NAMES));
        [xlsx(&sheet), csv(&text)].map(|rows| rows.unwrap()[0].cells[0].clone())
    };
    assert_eq!(both(" x "), [" x ", " x "].map(|text| Cell::Text(text.to_owned())), "as it stands there");
    for padded in
        [format!("{}{id}", blanks(150)), format!("{}{id}", blanks(300)), format!("\u{a0}{id}{}", blanks(300))]
    {
        for cell in both(&padded) {
            assert_eq!(cell, Cell::Text(id.clone()), "{padded:?}");
        }
    }
    let long = "x".repeat(201);
    for long in [long, format!("{id}{}{id}", blanks(150)), format!("{}3", "0".repeat(250))] {
        for cell in both(&long) {
            let Cell::Text(text) = cell else { panic!("{cell:?} is no text") };
            assert_eq!(text.trim().chars().count(), 201, "{long:?}");
        }
    }
}

#[test]
fn text_without_a_table_is_refused() {
    assert!(csv("hello\nworld\n").unwrap_err().contains("no header"));
    assert!(csv("").unwrap_err().contains("no header"));
    assert!(csv(&joined(",", &NAMES)).unwrap_err().contains("no rows"));
    let wide = ",".repeat(300);
    assert!(
        csv(&format!("{}\n{}{wide}x\n", joined(",", &NAMES), joined(",", &GOOD)))
            .unwrap_err()
            .contains("more than 256 columns")
    );
}
