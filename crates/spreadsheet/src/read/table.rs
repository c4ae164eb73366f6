//! What is alike in all kinds of files: somewhere at the top there is a header, and rows follow.

use techsupport_application::imports::{Cell, Header, SheetRow};

use super::{Sink, Stop};

/// Rows that may stand over the header: a title, a date, a logo's caption.
const ROWS_ABOVE: usize = 10;

/// A table on its way to a sink.
pub(super) struct Table<'s> {
    sink: Sink<'s>,
    header: Option<Header>,
    above: usize,
    rows: u32,
    most_rows: u32,
}

impl<'s> Table<'s> {
    pub(super) fn new(most_rows: u32, sink: Sink<'s>) -> Self {
        Self { sink, header: None, above: 0, rows: 0, most_rows }
    }

    /// Takes a row as it stands in the sheet. Blank ones do not count.
    pub(super) fn row(&mut self, row: u32, mut cells: Vec<Cell>) -> Result<(), Stop> {
        if cells.iter().all(Cell::is_blank) {
            return Ok(());
        }
        let Some(header) = &self.header else { return self.find_header(row, &cells) };
        let cells = header.pick(&mut cells);
        if cells.iter().all(Cell::is_blank) {
            return Ok(());
        }
        if self.rows >= self.most_rows {
            return Stop::fault(format!("the sheet has more than {} rows", self.most_rows));
        }
        self.rows += 1;
        (self.sink)(SheetRow { row, cells })
    }

    fn find_header(&mut self, row: u32, cells: &[Cell]) -> Result<(), Stop> {
        match Header::read(cells.iter()) {
            Some(Ok(header)) => {
                self.header = Some(header);
                Ok(())
            }
            Some(Err(fault)) => Stop::fault(format!("the header in row {row} {fault}")),
            None if self.above >= ROWS_ABOVE => no_header(),
            None => {
                self.above += 1;
                Ok(())
            }
        }
    }

    /// The sheet has ended.
    pub(super) fn end(self) -> Result<(), Stop> {
        match (self.header, self.rows) {
            (None, _) => no_header(),
            (Some(_), 0) => Stop::fault("there are no rows below the header"),
            (Some(_), _) => Ok(()),
        }
    }
}

fn no_header() -> Result<(), Stop> {
    Stop::fault(
        "the first sheet has no header: a row with the names of the columns, ticket_id, client_id and so on",
    )
}
