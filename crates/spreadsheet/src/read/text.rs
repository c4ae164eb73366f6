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
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

pub(super) fn rows(file: &File, limits: &ParserLimits, sink: Sink<'_>) -> Result<(), Stop> {
    let mut bytes = Vec::new();
    let mut file = file;
    file.seek(SeekFrom::Start(0))
        .and_then(|_| file.read_to_end(&mut bytes))
        .map_err(|_| Stop::Fault("the file could not be read".to_owned()))?;
    let text = decoded(&bytes);
    let mut reader = reader(&text, separator(&text));
    let mut table = Table::new(limits.rows, sink);
    let mut record = StringRecord::new();
    let mut row: u32 = 1;
    loop {
        let begins_at = reader.position().line();
        let more = reader.read_record(&mut record);
        if !more.map_err(|_| Stop::Fault("the file cannot be read as text with separators".to_owned()))? {
            return table.end();
        }
        // Blank lines are passed over by the library, but are rows of a sheet; lines within quotes are not.
        let lines = reader.position().line().saturating_sub(begins_at);
        let within: usize = record.iter().map(|field| field.matches('\n').count()).sum();
        let blank = lines.saturating_sub(1 + u64::try_from(within).unwrap_or(u64::MAX));
        row = row.saturating_add(u32::try_from(blank).unwrap_or(u32::MAX));
        let most = usize::try_from(limits.columns).unwrap_or(usize::MAX);
        if record.iter().skip(most).any(|field| !field.trim().is_empty()) {
            return Stop::fault(format!("row {row} has more than {} columns", limits.columns));
        }
        table.row(row, record.iter().map(cell).collect())?;
        row = row.saturating_add(1);
    }
}

/// By its mark; without one UTF-8 when it is that, and otherwise what Excel writes on Windows.
fn decoded(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    let encoding = match Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding,
        None if std::str::from_utf8(bytes).is_ok() => UTF_8,
        None => WINDOWS_1252,
    };
    encoding.decode(bytes).0
}

fn reader(text: &str, separator: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(text.as_bytes())
}

/// The separator with which a header can be read, else the one that makes the most fields.
fn separator(text: &str) -> u8 {
    let score = |separator: &u8| {
        let records = reader(text, *separator).into_records().take(TRIED).flatten();
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
