//! The headers that travel with a message, apart from the broker's own.

use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable, LongString},
};

/// The trace (W3C Trace Context).
pub(crate) const TRACEPARENT: &str = "traceparent";
/// Why a message was given up.
pub(crate) const REASON: &str = "techsupport-reason";
/// How many attempts were made.
pub(crate) const ATTEMPTS: &str = "techsupport-attempts";
/// The queue it was given up in.
pub(crate) const QUEUE: &str = "techsupport-queue";
/// When (RFC 3339).
pub(crate) const FAILED_AT: &str = "techsupport-failed-at";
/// How often in a row the handler failed on it.
pub(crate) const FAILURES: &str = "techsupport-failures";
/// How often it was put back after it had been given up. Which dying a dead letter tells of goes by this number, so
/// it stays with the message on all its further ways. Without our prefix, as is the next one: workers of the release
/// before, too, leave out of their copies what has it, and keep the rest.
pub(crate) const REPLAY: &str = "replay-count";
/// How many attempts were made before the last time it was put back.
pub(crate) const ATTEMPTS_BEFORE: &str = "replay-attempts-before";

/// What each death adds to.
const DEATHS: &str = "x-death";

/// Whether a copy of the message has this header, too: not the broker's own (`x-death` grows with each round), nor
/// what we say of one round.
pub(crate) fn stays(name: &str) -> bool {
    !(name.starts_with("x-") || name.starts_with("techsupport-"))
}

/// A header that is text.
pub(crate) fn text_of(properties: &BasicProperties, name: &str) -> Option<String> {
    Some(value(properties, name)?.as_long_string()?.to_string())
}

/// A header that counts something; 0 without it.
pub(crate) fn count_of(properties: &BasicProperties, name: &str) -> u32 {
    counted(properties, name).unwrap_or(0)
}

/// A header that counts something.
pub(crate) fn counted(properties: &BasicProperties, name: &str) -> Option<u32> {
    u32::try_from(value(properties, name)?.as_long_int()?).ok()
}

/// Why the broker itself put the message where it is, if it did.
pub(crate) fn last_death(properties: &BasicProperties) -> Option<String> {
    Some(latest_death(properties)?.inner().get("reason")?.as_long_string()?.to_string())
}

/// When the broker did so, in seconds since 1970.
pub(crate) fn last_death_at(properties: &BasicProperties) -> Option<u64> {
    latest_death(properties)?.inner().get("time")?.as_timestamp()
}

fn latest_death(properties: &BasicProperties) -> Option<&FieldTable> {
    value(properties, DEATHS)?.as_array()?.as_slice().first()?.as_field_table()
}

fn value<'a>(properties: &'a BasicProperties, name: &str) -> Option<&'a AMQPValue> {
    properties.headers().as_ref()?.inner().get(name)
}

pub(crate) fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(value))
}

pub(crate) fn number(value: u32) -> AMQPValue {
    AMQPValue::LongInt(i32::try_from(value).unwrap_or(i32::MAX))
}

/// A table of these.
pub(crate) fn table(headers: impl IntoIterator<Item = (&'static str, AMQPValue)>) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in headers {
        table.insert(name.into(), value);
    }
    table
}
