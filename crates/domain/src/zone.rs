//! Time zones.

use std::sync::LazyLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};

/// What is not the name of a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a time zone of the IANA database, such as Europe/Madrid or UTC")]
pub struct ZoneError;

/// A time zone with a name in the IANA database. Its rules are in the program, so that nothing depends on the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Reads a name, whatever its letter case.
    pub fn parse(name: &str) -> Result<Self, ZoneError> {
        static KNOWN: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);
        KNOWN.get(name).ok().filter(|zone| !zone.is_unknown()).map(Self).ok_or(ZoneError)
    }

    /// The name as the database spells it.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    pub(crate) fn rules(&self) -> &TimeZone {
        &self.0
    }
}

/// UTC.
impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn names_are_read_in_any_letter_case_and_told_as_the_database_spells_them() {
        for (given, told) in [
            ("Europe/Madrid", "Europe/Madrid"),
            ("america/ST_JOHNS", "America/St_Johns"),
            ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
            ("Etc/GMT+5", "Etc/GMT+5"),
            ("utc", "UTC"),
            ("GMT", "GMT"),
            ("japan", "Japan"),
            ("CET", "CET"),
        ] {
            assert_eq!(Zone::parse(given).unwrap().name(), told);
        }
        assert_eq!(Zone::default(), Zone::parse("UTC").unwrap());
    }

    #[test]
    fn what_is_no_zone_of_the_database_is_refused() {
        let long = "Europe/".repeat(10_000);
        for name in [
            "",
            " ",
            "Madrid",
            "Europe/Atlantis",
            "Europe/Madrid ",
            "+01:00",
            "CEST",
            "EST5EDT,M3.2.0,M11.1.0",
            "Etc/Unknown",
            "a\0/b",
            &long,
        ] {
            assert_eq!(Zone::parse(name), Err(ZoneError), "{name:.40}");
        }
    }
}
