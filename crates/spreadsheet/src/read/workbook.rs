//! Office Open XML: the first sheet, cell by cell.
//!
//! Never as a range: one cell at XFD1048576 would make a range of 17 thousand million.

use std::{borrow::Cow, fs::File, io::BufReader};

use calamine::{DataRef, Reader, SheetType, Xlsx, XlsxError};
use techsupport_application::imports::Cell;

use super::{Sink, Stop, archive, table::Table};
use crate::{ParserLimits, frame::LONGEST_TEXT};

/// Serial numbers are milliseconds at best; those of 1904 begin so many days later.
const DAY_MS: f64 = 86_400_000.0;
/// 1970-01-01 as a serial number. Serial 60 is a day that never was: what comes before does not matter here.
const UNIX_EPOCH: f64 = 25_569.0;
const DAYS_FROM_1900_TO_1904: f64 = 1_462.0;

pub(super) fn rows(file: &File, limits: &ParserLimits, sink: Sink<'_>) -> Result<(), Stop> {
    archive::inspect(file, limits)?;
    let mut workbook = Xlsx::new(BufReader::new(file)).map_err(|error| unreadable(&error))?;
    let first = workbook.sheets_metadata().iter().find(|sheet| sheet.typ == SheetType::WorkSheet);
    let Some(name) = first.map(|sheet| sheet.name.clone()) else {
        return Stop::fault("the file has no sheet");
    };
    let is_1904 = workbook.has_1904_epoch();
    let mut cells = workbook.worksheet_cells_reader(&name).map_err(|error| unreadable(&error))?;
    let mut table = Table::new(limits.rows, sink);
    let mut current: (u32, Vec<Cell>) = (0, Vec::new());
    while let Some(cell) = cells.next_cell().map_err(|error| unreadable(&error))? {
        let (row, column) = cell.get_position();
        let value = value(cell.get_value(), is_1904);
        if value.is_blank() {
            continue;
        }
        if column >= limits.columns {
            return Stop::fault(format!(
                "there is a cell in column {} of row {}; only {} columns are read",
                u64::from(column) + 1,
                u64::from(row) + 1,
                limits.columns
            ));
        }
        // Room for blank rows, titles and the header.
        if row > limits.rows.saturating_add(1_000) {
            return Stop::fault(format!(
                "there is a cell in row {}; at most {} rows are read",
                u64::from(row) + 1,
                limits.rows
            ));
        }
        if row < current.0 {
            return Stop::fault(format!(
                "row {} comes after row {}",
                u64::from(row) + 1,
                u64::from(current.0) + 1
            ));
        }
        if row > current.0 {
            let done = std::mem::replace(&mut current, (row, Vec::new()));
            table.row(done.0 + 1, done.1)?;
        }
        let index = usize::try_from(column).unwrap_or(usize::MAX);
        if current.1.len() <= index {
            current.1.resize(index + 1, Cell::Blank);
        }
        // Whichever of two counted, the other one would be lost without a word.
        if let Some(place) = current.1.get_mut(index)
            && !std::mem::replace(place, value).is_blank()
        {
            return Stop::fault(format!("row {} has two cells in column {}", u64::from(row) + 1, index + 1));
        }
    }
    table.row(current.0 + 1, current.1)?;
    table.end()
}

fn value(value: &DataRef<'_>, is_1904: bool) -> Cell {
    match value {
        DataRef::Empty => Cell::Blank,
        DataRef::String(text) => Cell::Text(cut(text)),
        DataRef::SharedString(text) => Cell::Text(cut(text)),
        DataRef::DateTimeIso(text) => Cell::Text(cut(&with_zone(text))),
        DataRef::Float(number) => finite(*number),
        #[expect(clippy::cast_precision_loss, reason = "spreadsheets have no other numbers")]
        DataRef::Int(number) => Cell::Number(*number as f64),
        DataRef::DateTime(at) if at.is_datetime() => moment(at.as_f64(), is_1904),
        DataRef::DateTime(span) => Cell::Other(span.as_f64().to_string()),
        DataRef::DurationIso(text) => Cell::Other(cut(text)),
        DataRef::Bool(value) => Cell::Other(if *value { "TRUE" } else { "FALSE" }.to_owned()),
        DataRef::Error(error) => Cell::Other(error.to_string()),
    }
}

fn moment(serial: f64, is_1904: bool) -> Cell {
    let serial = if is_1904 { serial + DAYS_FROM_1900_TO_1904 } else { serial };
    let millis = ((serial - UNIX_EPOCH) * DAY_MS).round();
    // Beyond the year 9999, where spreadsheets end; as a number it is refused with what stands there.
    if !millis.is_finite() || millis.abs() > 2.5e14 {
        return finite(serial);
    }
    #[expect(clippy::cast_possible_truncation, reason = "held within bounds above")]
    let millis = millis as i64;
    Cell::Moment(millis)
}

/// JSON, in which rows are handed on, has no other numbers, nor has a spreadsheet: `1e999` is a defect of whoever wrote it.
fn finite(number: f64) -> Cell {
    if number.is_finite() { Cell::Number(number) } else { Cell::Other(number.to_string()) }
}

/// Dates of the strict form of the format are texts of ISO 8601. Like those that are numbers they know no time zones and
/// are taken for UTC.
fn with_zone(text: &str) -> Cow<'_, str> {
    let made_of =
        |text: &str, signs: &[u8]| text.bytes().all(|byte| byte.is_ascii_digit() || signs.contains(&byte));
    match text.split_at_checked(10) {
        Some((day, "")) if made_of(day, b"-") => format!("{text}T00:00:00Z").into(),
        Some((_, rest)) if rest.strip_prefix('T').is_some_and(|time| made_of(time, b":.")) => {
            format!("{text}Z").into()
        }
        _ => text.into(),
    }
}

/// As much of a text as anybody will look at. What is too long stays so: the blanks around it, which no rule minds, go
/// first, and the mark at its end keeps a blank there from being trimmed, or `00…03` from being read as another number.
pub(super) fn cut(text: &str) -> String {
    if text.chars().nth(LONGEST_TEXT).is_none() {
        return text.to_owned();
    }
    let mut rest = text.trim().chars();
    let mut kept: String = rest.by_ref().take(LONGEST_TEXT).collect();
    if rest.next().is_some() {
        kept.push('…');
    }
    kept
}

/// What is wrong with the file, in words of ours: the library's speak of XML to people who have a table.
#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is the library's and may grow")]
fn unreadable(error: &XlsxError) -> Stop {
    tell(error);
    Stop::Fault(match error {
        XlsxError::Password => "the file is protected by a password".to_owned(),
        XlsxError::WorksheetNotFound(_) | XlsxError::FileNotFound(_) => {
            "the file is no workbook: a part of it is missing".to_owned()
        }
        _ => "the file is damaged or incomplete: its content cannot be read".to_owned(),
    })
}

/// For whoever looks for the cause; the worker writes it to its log.
fn tell(error: &XlsxError) {
    use std::io::Write;
    let told = writeln!(std::io::stderr(), "{error}");
    drop(told);
}
