//! Text with separators: whatever programs write that call it CSV.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
};

use csv::{ReaderBuilder, StringRecord};
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use techsupport_application::imports::{Cell, Header};

use super::{Sink, Stop, table::Table, workbook::cut};
use crate::ParserLimits;

/// Records that are tried to find out what separates their fields.
const TRIED: usize = 20;
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

pub(super) fn rows(file: &File, limits: &ParserLimits, sink: Sink<'_>) -> Result<(), Stop> {
    let mut bytes = Vec::new();
    let mut file = file;
    file.seek(SeekFrom::Start(0))
        .and_then(|_| file.read_to_end(&mut bytes))
        .map_err(|_| Stop::Fault("the file could not be read".to_owned()))?;
    let text = decoded(&bytes);
    let separator = separator(&text);
    let mut reader = reader(text.as_bytes(), separator);
    let mut table = Table::new(limits.rows, sink);
    let mut record = StringRecord::new();
    let (mut row, mut last): (u32, &[u8]) = (0, b"");
    loop {
        let rest = behind(&text, reader.position().byte());
        let more = reader.read_record(&mut record);
        if !more.map_err(|_| Stop::Fault("the file cannot be read as text with separators".to_owned()))? {
            if ends_in_quotes(last, separator) {
                return Stop::fault(format!(
                    "a quotation mark in row {row} is never closed: nobody can tell where its cell ends"
                ));
            }
            return table.end();
        }
        last = rest;
        row = row.saturating_add(blank_lines(rest)).saturating_add(1);
        let most = usize::try_from(limits.columns).unwrap_or(usize::MAX);
        if record.iter().skip(most).any(|field| !field.trim().is_empty()) {
            return Stop::fault(format!("row {row} has more than {} columns", limits.columns));
        }
        table.row(row, record.iter().map(cell).collect())?;
    }
}

/// What follows a record. The library stops at the first byte of a line's end, which may have two.
fn behind(text: &str, at: u64) -> &[u8] {
    let at = usize::try_from(at).unwrap_or(usize::MAX);
    let (before, rest) = text.as_bytes().split_at_checked(at).unwrap_or_default();
    let second = if before.ends_with(b"\r") { rest.strip_prefix(b"\n") } else { None };
    second.unwrap_or(rest)
}

/// Blank lines before the next record: the library passes over them, but they are rows of a sheet.
fn blank_lines(rest: &[u8]) -> u32 {
    let ends = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let ends = rest.get(..ends).unwrap_or_default();
    let twofold = ends.windows(2).filter(|pair| pair == b"\r\n").count();
    u32::try_from(ends.len() - twofold).unwrap_or(u32::MAX)
}

/// Whether a quotation mark in the last record is never closed. Then it took in every line below, silently.
fn ends_in_quotes(last: &[u8], separator: u8) -> bool {
    let with_another_line = reader(last.chain(&b"\nx"[..]), separator);
    !last.is_empty() && with_another_line.into_byte_records().take(2).count() == 1
}

/// By its mark; without one UTF-8 when it is that, and otherwise what Excel writes on Windows. Characters that cannot be
/// read are marked as such, so that whoever looks at a cell can tell.
fn decoded(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    let encoding = match Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding,
        None if is_utf_8(bytes) => UTF_8,
        None => WINDOWS_1252,
    };
    encoding.decode(bytes).0
}

/// Also with a few bytes in it that are not, as in files that were put together from others: taken for another encoding,
/// every name would turn into something else without a word. By chance hardly any text looks like UTF-8.
fn is_utf_8(bytes: &[u8]) -> bool {
    if std::str::from_utf8(bytes).is_ok() {
        return true;
    }
    let count = |(good, bad): (usize, usize), chunk: std::str::Utf8Chunk<'_>| {
        (good + chunk.valid().chars().filter(|c| !c.is_ascii()).count(), bad + chunk.invalid().len())
    };
    let (good, bad) = bytes.utf8_chunks().fold((0, 0), count);
    good >= bad
}

fn reader<R: Read>(text: R, separator: u8) -> csv::Reader<R> {
    ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(text)
}

/// The separator with which a header can be read, else the one that makes the most fields.
fn separator(text: &str) -> u8 {
    let score = |separator: &u8| {
        let records = reader(text.as_bytes(), *separator).into_records().take(TRIED).flatten();
        records
            .map(|record| {
                let cells: Vec<Cell> = record.iter().map(cell).collect();
                (Header::read(cells.iter()).is_some(), cells.len())
            })
            .max()
            .unwrap_or_default()
    };
    // Of equals the last one is taken: a comma when there is only one column.
    SEPARATORS.into_iter().rev().max_by_key(score).unwrap_or(b',')
}

fn cell(field: &str) -> Cell {
    if field.is_empty() { Cell::Blank } else { Cell::Text(cut(field)) }
}
