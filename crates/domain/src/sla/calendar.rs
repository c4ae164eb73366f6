//! In which minutes a clock counts.

use time::{Duration, OffsetDateTime};

use crate::UnknownName;

/// In which minutes a clock counts.
///
/// [`Calendar::add`] and [`Calendar::between`] are inverse for every calendar:
/// `between(a, add(a, d)) == d` for any `d` that is not negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calendar {
    /// Every minute of every day counts.
    AlwaysOpen,
}

impl Calendar {
    const NAMES: &'static [&'static str] = &["24X7"];

    /// Reads the canonical name.
    pub fn parse(name: &str) -> Result<Self, UnknownName> {
        match name {
            "24X7" => Ok(Calendar::AlwaysOpen),
            _ => Err(UnknownName { expected: Self::NAMES }),
        }
    }

    /// The canonical name.
    pub const fn name(self) -> &'static str {
        match self {
            Calendar::AlwaysOpen => "24X7",
        }
    }

    /// The instant at which `working` time has passed since `from`. What is not positive is `from` itself.
    pub fn add(self, from: OffsetDateTime, working: Duration) -> OffsetDateTime {
        match self {
            Calendar::AlwaysOpen => from.saturating_add(working.max(Duration::ZERO)),
        }
    }

    /// The working time between two instants; zero when `to` is not after `from`.
    pub fn between(self, from: OffsetDateTime, to: OffsetDateTime) -> Duration {
        match self {
            Calendar::AlwaysOpen => (to - from).max(Duration::ZERO),
        }
    }
}
