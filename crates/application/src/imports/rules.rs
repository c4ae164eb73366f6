//! What a row has to be like.

use techsupport_domain::{
    ClientTier,
    ticket::{EscalationLevel, Status},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::datetime};

use super::{Cell, Column, SheetRow, columns::repeats_header};

/// The longest id.
const LONGEST_ID: usize = 100;
/// How much of a wrong value is shown.
const SHOWN: usize = 100;
/// Times outside of these are typing errors. Fixed, and not held against a clock: the same file is judged alike
/// whenever it is imported.
const EARLIEST: OffsetDateTime = datetime!(1970-01-01 0:00 UTC);
const LATEST: OffsetDateTime = datetime!(2100-01-01 0:00 UTC);

/// A ticket of the past. Its ids are the file's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedTicket {
    /// The key: the same one again is the same ticket.
    pub ticket: String,
    /// For whom.
    pub client: String,
    /// The client's tier.
    pub tier: ClientTier,
    /// When it was opened.
    pub created_at: OffsetDateTime,
    /// When it was solved. Always there when it is resolved or closed, never before it was opened.
    pub resolved_at: Option<OffsetDateTime>,
    /// Who worked on it.
    pub agent: Option<String>,
    /// How often it was escalated.
    pub level: EscalationLevel,
    /// Where it stands.
    pub status: Status,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// In which column; `None` when it is the row as a whole.
    pub column: Option<Column>,
    /// What stands there, cut.
    pub value: String,
    /// Completes a sentence that begins with the column's name.
    pub detail: String,
}

/// Reads a row, or says everything that is wrong with it.
pub fn judge(row: &SheetRow) -> Result<ImportedTicket, Vec<RowFault>> {
    if repeats_header(&row.cells) {
        let detail = "this row repeats the header".to_owned();
        return Err(vec![RowFault { column: None, value: String::new(), detail }]);
    }
    let [ticket, client, tier, created, resolved, agent, level, status] = &row.cells;
    let mut faults = Vec::new();
    let mut read = Reader { faults: &mut faults };
    let ticket = read.required(Column::TicketId, ticket, id);
    let client = read.required(Column::ClientId, client, id);
    let tier = read.required(Column::ClientType, tier, |cell| {
        ClientTier::parse(&name(cell)?).map_err(|error| error.to_string())
    });
    let created_at = read.required(Column::CreatedAt, created, moment);
    let resolved_at = read.optional(Column::ResolvedAt, resolved, moment);
    let agent = read.optional(Column::AgentId, agent, id);
    let level = read.required(Column::EscalationLevel, level, escalation_level);
    let status = read.required(Column::Status, status, |cell| {
        Status::parse(&name(cell)?).map_err(|error| error.to_string())
    });
    if let Some(status) = status.filter(|status| status.is_answered() && resolved.is_blank()) {
        read.fault(
            Column::ResolvedAt,
            resolved,
            format!("is required where the status is {}", status.name()),
        );
    }
    if let (Some(created), Some(solved)) = (created_at, resolved_at)
        && solved < created
    {
        read.fault(Column::ResolvedAt, resolved, "must not be before created_at".to_owned());
    }
    match (ticket, client, tier, created_at, level, status) {
        (Some(ticket), Some(client), Some(tier), Some(created_at), Some(level), Some(status))
            if faults.is_empty() =>
        {
            Ok(ImportedTicket { ticket, client, tier, created_at, resolved_at, agent, level, status })
        }
        _ => Err(faults),
    }
}

struct Reader<'f> {
    faults: &'f mut Vec<RowFault>,
}

impl Reader<'_> {
    fn required<T>(
        &mut self,
        column: Column,
        cell: &Cell,
        parse: impl FnOnce(&Cell) -> Result<T, String>,
    ) -> Option<T> {
        if cell.is_blank() {
            self.fault(column, cell, "is required".to_owned());
            return None;
        }
        parse(cell).map_err(|detail| self.fault(column, cell, detail)).ok()
    }

    /// `None` also when there is something wrong.
    fn optional<T>(
        &mut self,
        column: Column,
        cell: &Cell,
        parse: impl FnOnce(&Cell) -> Result<T, String>,
    ) -> Option<T> {
        if cell.is_blank() { None } else { self.required(column, cell, parse) }
    }

    fn fault(&mut self, column: Column, cell: &Cell, detail: String) {
        self.faults.push(RowFault { column: Some(column), value: shown(cell), detail });
    }
}

/// Text, or a number as it would be typed. An id may be one.
fn text(cell: &Cell) -> Result<String, String> {
    match cell {
        Cell::Text(text) => Ok(text.trim().to_owned()),
        Cell::Number(number) => Ok(number.to_string()),
        Cell::Blank | Cell::Moment(_) | Cell::Other(_) => Err("must be text".to_owned()),
    }
}

fn id(cell: &Cell) -> Result<String, String> {
    let id = text(cell)?;
    if id.chars().count() > LONGEST_ID {
        return Err(format!("must not have more than {LONGEST_ID} characters"));
    }
    if id.chars().any(char::is_control) {
        return Err("must not have control characters".to_owned());
    }
    // What stood there is not known any more: two ids could have become one.
    if id.contains(char::REPLACEMENT_CHARACTER) {
        return Err("has characters that cannot be read".to_owned());
    }
    Ok(id)
}

/// A name of ours, in any letter case: `vip`, `In Progress`.
fn name(cell: &Cell) -> Result<String, String> {
    Ok(text(cell)?.to_uppercase().replace([' ', '-'], "_"))
}

fn moment(cell: &Cell) -> Result<OffsetDateTime, String> {
    let at = match cell {
        Cell::Moment(millis) => {
            OffsetDateTime::from_unix_timestamp_nanos(i128::from(*millis) * 1_000_000).ok()
        }
        Cell::Text(text) => rfc3339(text.trim()),
        Cell::Blank | Cell::Number(_) | Cell::Other(_) => None,
    };
    let at = at.ok_or("must be a date cell, or RFC 3339 such as 2026-02-12T20:45:23Z")?;
    if (EARLIEST..LATEST).contains(&at) { Ok(at) } else { Err("must be between 1970 and 2100".to_owned()) }
}

/// A blank instead of the T is allowed by the standard (section 5.6).
fn rfc3339(text: &str) -> Option<OffsetDateTime> {
    let with_blank = text.as_bytes().get(10) == Some(&b' ');
    let joined = with_blank.then(|| text.replacen(' ', "T", 1));
    OffsetDateTime::parse(joined.as_deref().unwrap_or(text), &Rfc3339).ok()
}

fn escalation_level(cell: &Cell) -> Result<EscalationLevel, String> {
    let level = text(cell)?.parse::<i64>().ok().and_then(EscalationLevel::parse);
    level.ok_or_else(|| format!("must be a whole number from 0 to {}", EscalationLevel::MAX.get()))
}

/// What stands in a cell, for whoever has to find it again.
fn shown(cell: &Cell) -> String {
    let text = match cell {
        Cell::Blank => String::new(),
        Cell::Text(text) | Cell::Other(text) => text.clone(),
        Cell::Number(number) => number.to_string(),
        Cell::Moment(millis) => OffsetDateTime::from_unix_timestamp_nanos(i128::from(*millis) * 1_000_000)
            .map(crate::wire_time::format)
            .unwrap_or_default(),
    };
    // PostgreSQL's texts hold no NUL.
    let mut cut: String = text.chars().map(|c| if c == '\0' { '\u{fffd}' } else { c }).take(SHOWN).collect();
    if text.chars().nth(SHOWN).is_some() {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn good() -> SheetRow {
        let cells = [
            "t-1",
            "c-1",
            "vip",
            "2026-02-12T20:45:23.123Z",
            "2026-02-12 22:45:23+01:00",
            "a-1",
            "2",
            "Resolved",
        ];
        SheetRow { row: 2, cells: cells.map(|text| Cell::Text(text.to_owned())) }
    }

    fn with(index: usize, cell: Cell) -> Result<ImportedTicket, Vec<String>> {
        let mut row = good();
        row.cells[index] = cell;
        judge(&row).map_err(|faults| {
            let line =
                |fault: &RowFault| format!("{} {}", fault.column.map_or("-", Column::name), fault.detail);
            faults.iter().map(line).collect()
        })
    }

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    #[test]
    fn a_good_row_becomes_a_ticket() {
        let ticket = judge(&good()).unwrap();
        assert_eq!(ticket.ticket, "t-1");
        assert_eq!(ticket.tier, ClientTier::Vip);
        assert_eq!(ticket.created_at, datetime!(2026-02-12 20:45:23.123 UTC));
        assert_eq!(ticket.resolved_at, Some(datetime!(2026-02-12 21:45:23 UTC)));
        assert_eq!((ticket.level.get(), ticket.status), (2, Status::Resolved));
        assert_eq!(with(0, Cell::Number(1_001.0)).unwrap().ticket, "1001");
        assert_eq!(with(6, Cell::Number(3.0)).unwrap().level.get(), 3);
        assert_eq!(with(5, Cell::Blank).unwrap().agent, None);
        assert_eq!(with(7, text("in progress")).unwrap().status, Status::InProgress);
        let noon = with(3, Cell::Moment(1_770_000_000_000)).unwrap().created_at;
        assert_eq!(noon, datetime!(2026-02-02 2:40 UTC));
    }

    #[test]
    fn everything_that_is_wrong_is_named() {
        for (index, cell, said) in [
            (0, text("  "), "ticket_id is required"),
            (0, text("a\u{0}b"), "ticket_id must not have control characters"),
            (0, text("t-\u{fffd}"), "ticket_id has characters that cannot be read"),
            (0, text(&"x".repeat(101)), "ticket_id must not have more than 100 characters"),
            (1, Cell::Other("#N/A".to_owned()), "client_id must be text"),
            (2, text("GOLD"), "client_type is not one of VIP, NORMAL"),
            (
                3,
                text("12/02/2026"),
                "created_at must be a date cell, or RFC 3339 such as 2026-02-12T20:45:23Z",
            ),
            (
                3,
                Cell::Number(45_000.0),
                "created_at must be a date cell, or RFC 3339 such as 2026-02-12T20:45:23Z",
            ),
            (3, text("2126-02-12T20:45:23Z"), "created_at must be between 1970 and 2100"),
            (4, Cell::Blank, "resolved_at is required where the status is RESOLVED"),
            (4, text("2026-02-12T20:45:23.122Z"), "resolved_at must not be before created_at"),
            (6, text("4"), "escalation_level must be a whole number from 0 to 3"),
            (6, Cell::Number(1.5), "escalation_level must be a whole number from 0 to 3"),
            (7, text("DONE"), "status is not one of OPEN, IN_PROGRESS, WAITING, ESCALATED, RESOLVED, CLOSED"),
        ] {
            let faults = with(index, cell.clone()).unwrap_err();
            assert_eq!(faults, [said], "{cell:?}");
        }
        let blank = SheetRow { row: 3, cells: Default::default() };
        assert_eq!(judge(&blank).unwrap_err().len(), 6, "resolved_at and agent_id may be blank");
    }

    #[test]
    fn an_open_ticket_needs_no_resolution() {
        let mut row = good();
        row.cells[7] = text("OPEN");
        row.cells[4] = Cell::Blank;
        assert_eq!(judge(&row).unwrap().resolved_at, None);
    }

    #[test]
    fn values_are_shown_cut() {
        let mut row = good();
        row.cells[7] = text(&"é".repeat(300));
        let faults = judge(&row).unwrap_err();
        assert_eq!(faults[0].value, format!("{}…", "é".repeat(100)));
    }
}
