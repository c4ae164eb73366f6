//! From a file to its rows.

mod archive;
mod table;
mod text;
mod workbook;

use std::fs::File;

use techsupport_application::imports::{FileKind, SheetRow};

use crate::ParserLimits;

/// Why reading came to an end before the file did.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The file cannot be read. The reason is for whoever uploaded it.
    Fault(String),
    /// Whoever takes the rows is gone.
    Gone,
}

impl Stop {
    fn fault<T>(reason: impl Into<String>) -> Result<T, Self> {
        Err(Stop::Fault(reason.into()))
    }
}

/// Takes rows, in the order of the sheet.
pub(crate) type Sink<'s> = &'s mut dyn FnMut(SheetRow) -> Result<(), Stop>;

/// Hands every row below the header that is not blank to `sink`. The same file gives the same rows each time.
pub(crate) fn rows(file: &File, kind: FileKind, limits: &ParserLimits, sink: Sink<'_>) -> Result<(), Stop> {
    match kind {
        FileKind::Xlsx => workbook::rows(file, limits, sink),
        FileKind::Csv => text::rows(file, limits, sink),
    }
}

#[cfg(test)]
mod tests;
