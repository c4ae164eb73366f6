//! Times as they leave the process: RFC 3339, UTC, milliseconds.

use time::{OffsetDateTime, UtcOffset, format_description::BorrowedFormatItem, macros::format_description};

const FORMAT: &[BorrowedFormatItem<'static>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// For example `2026-02-12T20:45:23.123Z`. Finer digits are cut off.
pub fn format(at: OffsetDateTime) -> String {
    // The format names only components every date has, so it cannot fail; were it to, Rust's own
    // rendering is still a time.
    at.to_offset(UtcOffset::UTC).format(FORMAT).unwrap_or_else(|_| at.to_string())
}

/// For `#[serde(serialize_with = …)]`.
pub fn serialize<S: serde::Serializer>(at: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*at))
}

/// The same for a time that may be missing.
pub mod option {
    use time::OffsetDateTime;

    /// For `#[serde(serialize_with = …)]`.
    pub fn serialize<S: serde::Serializer>(
        at: &Option<OffsetDateTime>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => super::serialize(at, serializer),
            None => serializer.serialize_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    #[test]
    fn times_are_utc_with_milliseconds() {
        assert_eq!(super::format(datetime!(2026-02-12 23:45:23.123_999 +03:00)), "2026-02-12T20:45:23.123Z");
        assert_eq!(super::format(datetime!(0999-01-02 03:04:05 UTC)), "0999-01-02T03:04:05.000Z");
    }
}
