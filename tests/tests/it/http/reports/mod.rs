//! Reports, held against a computation of their own over the same tickets.

mod expected;
mod figures;
mod history;
mod refusals;
mod sheets;
mod walks;

use jiff::tz::TimeZone;

/// Whole hours from UTC, half hours, daylight saving in both hemispheres, and a day that was left out.
const ZONES: [&str; 5] = ["UTC", "Europe/Madrid", "Asia/Kolkata", "America/St_Johns", "Pacific/Apia"];

const STATUSES: [&str; 6] = ["OPEN", "IN_PROGRESS", "WAITING", "ESCALATED", "RESOLVED", "CLOSED"];

fn zone(name: &str) -> TimeZone {
    jiff::tz::TimeZoneDatabase::bundled().get(name).unwrap()
}

/// A moment as microseconds since 1970, as it is written: without zeros at the end.
fn written(us: i64) -> String {
    jiff::Timestamp::from_microsecond(us).unwrap().to_string()
}
