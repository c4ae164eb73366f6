//! From a dead-letter queue to whoever keeps dead letters.
//!
//! Whatever goes wrong, the message stays: there is no way out of this queue but being kept.

use std::sync::Arc;

use lapin::BasicProperties;
use techsupport_application::{
    AppError, TraceContext,
    deliveries::Verdict,
    ports::{FoundDeadLetter, GivenUp},
};
use time::{Duration, OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

use super::{Handler, Message, shortened};
use crate::headers::{
    ATTEMPTS, ATTEMPTS_BEFORE, FAILED_AT, REASON, REPLAY, count_of, counted, last_death, last_death_at,
    text_of,
};

/// Why the broker gives a message up that was delivered too often.
const TOO_OFTEN: &str = "delivery_limit";

/// Nobody has put a message back more often. A number that cannot grow would make all its deaths one.
const MOST_REPLAYS: u32 = 1_000_000;

/// Keeps dead letters.
pub trait Collector: Send + Sync + 'static {
    /// Called on a blocking thread, several at once. After it the message is forgotten at the broker. May be called
    /// again with the same one.
    fn collect(&self, found: &FoundDeadLetter) -> Result<(), AppError>;
}

/// Hands what is consumed to the collector.
pub(super) struct Collect {
    pub(super) collector: Arc<dyn Collector>,
    /// The subscription by its name.
    pub(super) queue: &'static str,
    /// How often the broker delivers a message again before it gives it up.
    pub(super) delivery_limit: u32,
}

impl Handler for Collect {
    fn handle(&self, message: &Message) -> Result<Verdict, AppError> {
        self.collector.collect(&self.found(message))?;
        Ok(Verdict::Done)
    }
}

impl Collect {
    fn found(&self, message: &Message) -> FoundDeadLetter {
        let properties = &message.properties;
        let death = last_death(properties);
        let told = counted(properties, ATTEMPTS);
        let attempts = told.unwrap_or_else(|| self.attempts(death.as_deref(), properties));
        let error = text_of(properties, REASON).unwrap_or_else(|| match death {
            Some(reason) => format!("the broker gave it up ({reason})"),
            None => "nobody said why".to_owned(),
        });
        let traceparent = message.traceparent.as_deref();
        let distinct = message.id.is_none() && !message.redelivered;
        let message = GivenUp {
            queue: self.queue.to_owned(),
            key: message.key.clone(),
            replay: Some(count_of(properties, REPLAY)).filter(|replay| *replay <= MOST_REPLAYS).unwrap_or(0),
            kind: properties.kind().as_ref().map(ToString::to_string),
            content_type: properties.content_type().as_ref().map(ToString::to_string),
            // Somebody else's may be longer than a frame, and could not be published again.
            traceparent: traceparent.filter(|trace| TraceContext::parse(trace).is_some()).map(str::to_owned),
            body: message.body.clone(),
            attempts,
        };
        let error = shortened(&error).to_owned();
        FoundDeadLetter { message, error, failed_at: died_at(properties), distinct }
    }

    /// What nobody counted: the broker delivered it once, and then again as often as it may.
    fn attempts(&self, death: Option<&str>, properties: &BasicProperties) -> u32 {
        let before = count_of(properties, ATTEMPTS_BEFORE);
        if death == Some(TOO_OFTEN) {
            before.saturating_add(self.delivery_limit).saturating_add(1)
        } else {
            before
        }
    }
}

/// When it was given up, as the worker says, or the broker.
fn died_at(properties: &BasicProperties) -> Option<OffsetDateTime> {
    if let Some(told) = text_of(properties, FAILED_AT) {
        // Anybody may write anything there, such as a year that is the next one in UTC.
        let at = OffsetDateTime::parse(&told, &Rfc3339).ok()?;
        return at.checked_to_offset(UtcOffset::UTC).filter(|at| (1..=9_999).contains(&at.year()));
    }
    // Whole seconds, so the end of that one: never before it happened.
    let at = i64::try_from(last_death_at(properties)?).ok()?;
    OffsetDateTime::from_unix_timestamp(at).ok()?.checked_add(Duration::SECOND)
}

#[cfg(test)]
mod tests {
    use lapin::types::{AMQPValue, FieldArray, FieldTable};
    use time::macros::datetime;

    use super::*;
    use crate::headers::{number, table, text};

    fn found(headers: FieldTable) -> FoundDeadLetter {
        found_with(headers, None)
    }

    fn found_with(headers: FieldTable, traceparent: Option<&str>) -> FoundDeadLetter {
        struct Nobody;
        impl Collector for Nobody {
            fn collect(&self, _: &FoundDeadLetter) -> Result<(), AppError> {
                Ok(())
            }
        }
        let collect = Collect { collector: Arc::new(Nobody), queue: "sla-events", delivery_limit: 50 };
        collect.found(&Message {
            id: None,
            key: "key".into(),
            traceparent: traceparent.map(str::to_owned),
            redelivered: false,
            body: b"{}".to_vec(),
            properties: BasicProperties::default().with_type("some.event".into()).with_headers(headers),
        })
    }

    #[test]
    fn what_the_consumer_wrote_down_is_read_again() {
        let letter = found(table([
            (REASON, text("nobody is there")),
            (ATTEMPTS, number(7)),
            (FAILED_AT, text("2026-02-12T20:45:23.123Z")),
            (REPLAY, number(2)),
        ]));
        let message = &letter.message;
        assert_eq!((message.queue.as_str(), message.key.as_str(), message.replay), ("sla-events", "key", 2));
        assert_eq!((letter.error.as_str(), message.attempts), ("nobody is there", 7));
        assert_eq!(letter.failed_at, Some(datetime!(2026-02-12 20:45:23.123 UTC)));
        assert_eq!(letter.message.kind.as_deref(), Some("some.event"));
    }

    #[test]
    fn what_the_broker_gave_up_was_delivered_as_often_as_it_may_be() {
        let death =
            table([("reason", text("delivery_limit")), ("time", AMQPValue::Timestamp(1_770_000_000))]);
        let deaths = AMQPValue::FieldArray(FieldArray::from(vec![AMQPValue::FieldTable(death)]));
        let letter = found(table([("x-death", deaths), (ATTEMPTS_BEFORE, number(3))]));
        assert_eq!(letter.error, "the broker gave it up (delivery_limit)");
        assert_eq!((letter.message.attempts, letter.message.replay), (54, 0));
        assert_eq!(letter.failed_at, Some(datetime!(2026-02-02 02:40:01 UTC)));
    }

    #[test]
    fn replays_that_cannot_have_been_are_not_believed() {
        let replay = |told: u32| found(table([(REPLAY, number(told))])).message.replay;
        assert_eq!([1, MOST_REPLAYS, MOST_REPLAYS + 1, u32::MAX].map(replay), [1, MOST_REPLAYS, 0, 0]);
    }

    #[test]
    fn times_that_cannot_be_are_not_believed() {
        for at in [
            "9999-12-31T23:59:59-23:59",
            "0001-01-01T00:00:00+00:01",
            "0000-06-01T00:00:00Z",
            "yesterday",
            "",
        ] {
            assert_eq!(found(table([(FAILED_AT, text(at))])).failed_at, None, "{at}");
        }
        let last = found(table([(FAILED_AT, text("9999-12-31T23:59:59Z"))])).failed_at;
        assert_eq!(last, Some(datetime!(9999-12-31 23:59:59 UTC)));
    }

    #[test]
    fn what_cannot_be_published_again_or_listed_is_left_out() {
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let kept = |trace| found_with(FieldTable::default(), Some(trace)).message.traceparent;
        assert_eq!(kept(trace).as_deref(), Some(trace));
        assert_eq!(kept(&"x".repeat(200_000)), None);
        assert_eq!(found(table([(REASON, text(&"é".repeat(2_000)))])).error, "é".repeat(1_000));
    }

    #[test]
    fn what_somebody_put_there_is_kept_as_well() {
        let letter = found(FieldTable::default());
        assert_eq!((letter.error.as_str(), letter.message.attempts), ("nobody said why", 0));
    }
}
