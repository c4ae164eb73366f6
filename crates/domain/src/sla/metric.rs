//! What a clock measures.

use crate::UnknownName;

/// What a clock measures. A ticket has at most one clock for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Metric {
    /// From creation until a person first acts. Never pauses.
    FirstResponse,
    /// From creation until the ticket is resolved. Pauses while waiting for the client.
    Resolution,
}

impl Metric {
    const NAMES: &'static [&'static str] = &["FIRST_RESPONSE", "RESOLUTION"];

    /// Reads the canonical name.
    pub fn parse(name: &str) -> Result<Self, UnknownName> {
        match name {
            "FIRST_RESPONSE" => Ok(Metric::FirstResponse),
            "RESOLUTION" => Ok(Metric::Resolution),
            _ => Err(UnknownName { expected: Self::NAMES }),
        }
    }

    /// The canonical name.
    pub const fn name(self) -> &'static str {
        match self {
            Metric::FirstResponse => "FIRST_RESPONSE",
            Metric::Resolution => "RESOLUTION",
        }
    }
}
