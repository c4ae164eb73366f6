//! The header: which column stands where.

use super::Cell;

/// A column that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// The ticket's key.
    TicketId,
    /// For whom.
    ClientId,
    /// VIP or NORMAL.
    ClientType,
    /// When it was opened.
    CreatedAt,
    /// When it was solved.
    ResolvedAt,
    /// Who worked on it.
    AgentId,
    /// How often it was escalated.
    EscalationLevel,
    /// Where it stands.
    Status,
}

impl Column {
    /// Every column, in the order in which rows are handed on.
    pub const ALL: [Column; 8] = [
        Column::TicketId,
        Column::ClientId,
        Column::ClientType,
        Column::CreatedAt,
        Column::ResolvedAt,
        Column::AgentId,
        Column::EscalationLevel,
        Column::Status,
    ];

    /// The English name, and the original's.
    const fn names(self) -> [&'static str; 2] {
        match self {
            Column::TicketId => ["ticket_id", "ticket_id"],
            Column::ClientId => ["client_id", "client_id"],
            Column::ClientType => ["client_type", "tipo_cliente"],
            Column::CreatedAt => ["created_at", "fecha_creacion"],
            Column::ResolvedAt => ["resolved_at", "fecha_resolucion"],
            Column::AgentId => ["agent_id", "agente_id"],
            Column::EscalationLevel => ["escalation_level", "nivel_escalamiento"],
            Column::Status => ["status", "estado"],
        }
    }

    /// The English name.
    pub const fn name(self) -> &'static str {
        let [name, _] = self.names();
        name
    }

    /// Letter case, spaces, hyphens, underscores and accents make no difference.
    fn of(title: &str) -> Option<Self> {
        let title = folded(title);
        Self::ALL.into_iter().find(|column| column.names().iter().any(|name| folded(name) == title))
    }

    const fn index(self) -> usize {
        self as usize
    }
}

fn folded(title: &str) -> String {
    let plain = |c: char| match c {
        'á' => 'a',
        'é' => 'e',
        'í' => 'i',
        'ó' => 'o',
        'ú' => 'u',
        other => other,
    };
    title
        .chars()
        .flat_map(char::to_lowercase)
        .map(plain)
        // Accents may also stand behind their letter, as a character of their own.
        .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-' | '\u{feff}' | '\u{300}'..='\u{36f}'))
        .collect()
}

/// Where each column stands: the position in a row, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    positions: [usize; 8],
}

/// Why a row that looks like a header cannot be used as one. Completes a sentence that begins with "the header".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// Columns are not there.
    #[error("lacks {}", .0.join(", "))]
    Missing(Vec<&'static str>),
    /// Nobody could tell which one counts.
    #[error("has {0} twice")]
    Twice(&'static str),
}

impl Header {
    /// Below this many known titles a row is something else: a heading over the table, a note.
    const LEAST_TITLES: usize = 2;

    /// Reads a row as a header. `None` when it is none.
    pub fn read<'c>(cells: impl Iterator<Item = &'c Cell>) -> Option<Result<Self, HeaderFault>> {
        let mut positions = [None; 8];
        let mut twice = None;
        for (position, cell) in cells.enumerate() {
            let Cell::Text(title) = cell else { continue };
            let Some(column) = Column::of(title) else { continue };
            let Some(place) = positions.get_mut(column.index()) else { continue };
            if place.replace(position).is_some() {
                twice.get_or_insert(column.name());
            }
        }
        if positions.iter().flatten().count() < Self::LEAST_TITLES {
            return None;
        }
        if let Some(name) = twice {
            return Some(Err(HeaderFault::Twice(name)));
        }
        let missing = Column::ALL.into_iter().zip(positions).filter(|(_, position)| position.is_none());
        let missing: Vec<&'static str> = missing.map(|(column, _)| column.name()).collect();
        if !missing.is_empty() {
            return Some(Err(HeaderFault::Missing(missing)));
        }
        Some(Ok(Self { positions: positions.map(Option::unwrap_or_default) }))
    }

    /// Takes the cells that are read out of a row, in the order of [`Column::ALL`].
    pub fn pick(&self, row: &mut [Cell]) -> [Cell; 8] {
        self.positions.map(|position| row.get_mut(position).map(std::mem::take).unwrap_or_default())
    }
}

/// Whether a row below the header repeats it.
pub(super) fn repeats_header(cells: &[Cell; 8]) -> bool {
    Column::ALL
        .into_iter()
        .zip(cells)
        .all(|(column, cell)| matches!(cell, Cell::Text(title) if Column::of(title) == Some(column)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn row(titles: &[&str]) -> Vec<Cell> {
        titles.iter().map(|title| Cell::Text((*title).to_owned())).collect()
    }

    const SPANISH: [&str; 8] = [
        "estado",
        "Ticket ID",
        "client_id",
        "TIPO_CLIENTE",
        " fecha creación ",
        "fecha-resolucio\u{301}n",
        "agente_id",
        "nivelEscalamiento",
    ];

    #[test]
    fn names_are_english_or_spanish_in_any_order_and_case() {
        let mut header = row(&SPANISH);
        let found = Header::read(header.iter()).unwrap().unwrap();
        let picked = found.pick(&mut header);
        assert_eq!(picked[0], Cell::Text("Ticket ID".to_owned()));
        assert_eq!(picked[7], Cell::Text("estado".to_owned()));
        assert!(repeats_header(&picked));
        let mixed = row(&[
            "x",
            "TICKETID",
            "client_id",
            "client type",
            "created_at",
            "resolved_at",
            "agent_id",
            "escalation_level",
            "status",
            "notes",
        ]);
        assert!(Header::read(mixed.iter()).unwrap().is_ok());
    }

    #[test]
    fn what_is_wrong_with_a_header_is_said() {
        assert_eq!(Header::read(row(&["Tickets of 2025"]).iter()), None);
        assert_eq!(Header::read([Cell::Number(1.0), Cell::Blank].iter()), None);
        let short = Header::read(row(&["ticket_id", "estado"]).iter()).unwrap().unwrap_err().to_string();
        assert!(short.starts_with("lacks client_id, client_type, created_at"), "{short}");
        let mut double = SPANISH.to_vec();
        double.push("status");
        assert_eq!(Header::read(row(&double).iter()), Some(Err(HeaderFault::Twice("status"))));
    }

    #[test]
    fn short_rows_have_blank_ends() {
        let found = Header::read(row(&SPANISH).iter()).unwrap().unwrap();
        let picked = found.pick(&mut row(&["OPEN", "t-1"]));
        assert_eq!((&picked[0], &picked[1]), (&Cell::Text("t-1".to_owned()), &Cell::Blank));
    }
}
