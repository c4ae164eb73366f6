//! What a cell holds, whatever kind of file it comes from.

use serde::{Deserialize, Serialize};

/// One cell.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub enum Cell {
    /// Nothing.
    #[default]
    #[serde(rename = "-")]
    Blank,
    /// Text.
    #[serde(rename = "t")]
    Text(String),
    /// A number.
    #[serde(rename = "n")]
    Number(f64),
    /// A date of the spreadsheet, in milliseconds since 1970. Spreadsheets know no time zones: it is taken for UTC.
    #[serde(rename = "d")]
    Moment(i64),
    /// Something that no column takes, as it is shown: `TRUE`, `#N/A`.
    #[serde(rename = "o")]
    Other(String),
}

impl Cell {
    /// Whether nothing can be seen in it.
    pub fn is_blank(&self) -> bool {
        match self {
            Cell::Blank => true,
            Cell::Text(text) => text.trim().is_empty(),
            Cell::Number(_) | Cell::Moment(_) | Cell::Other(_) => false,
        }
    }
}

/// A row of a sheet, with its cells in the order of [`super::Column::ALL`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SheetRow {
    /// The sheet's own number of the row, from 1.
    #[serde(rename = "r")]
    pub row: u32,
    /// One for each column.
    #[serde(rename = "c")]
    pub cells: [Cell; 8],
}
