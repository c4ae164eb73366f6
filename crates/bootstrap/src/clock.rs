//! The one true source of the time of day.
//!
//! It serves logs and tokens only: whether a deadline has passed is decided by the database's clock.

use time::OffsetDateTime;

/// The time of this machine, in UTC.
#[expect(clippy::disallowed_methods, reason = "the one true source of the time")]
pub fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}
