//! Imports of historical tickets: from a file to rows, whatever the file and whoever dies.

mod crashes;
mod files;
mod hostile;
mod http;
mod parser;
mod uploads;

use techsupport_tests::Desk;
use xtask::sheets::{COLUMNS, Row};

const GOOD: [&str; 8] =
    ["t-1", "c-1", "VIP", "2026-02-12T20:45:23Z", "2026-02-12T21:45:23Z", "a-1", "2", "RESOLVED"];

/// A good row with this key.
fn row(ticket: &str) -> Row {
    let mut row = GOOD.map(str::to_owned);
    ticket.clone_into(&mut row[0]);
    row
}

/// A good row with this key and one cell that is different.
fn row_with(ticket: &str, column: usize, text: &str) -> Row {
    let mut row = row(ticket);
    text.clone_into(&mut row[column]);
    row
}

fn csv(rows: &[Row]) -> Vec<u8> {
    xtask::sheets::csv(rows.iter().cloned()).into_bytes()
}

/// Key and status of everything that is in.
fn imported(desk: &Desk) -> Vec<String> {
    desk.database().all("SELECT ticket_id || ' ' || status FROM imported_tickets ORDER BY ticket_id", &[])
}

fn header_xml() -> String {
    let cell = |(name, at): (&&str, char)| format!(r#"<c r="{at}1" t="str"><v>{name}</v></c>"#);
    let cells: Vec<String> = COLUMNS.iter().zip('A'..).map(cell).collect();
    let cells = cells.concat();
    format!(r#"<row r="1">{cells}</row>"#)
}
