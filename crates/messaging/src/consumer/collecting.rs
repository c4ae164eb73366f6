//! From a dead-letter queue to whoever keeps dead letters.
//!
//! Whatever goes wrong, the message stays: there is no way out of this queue but being kept.

use std::sync::Arc;

use lapin::BasicProperties;
use techsupport_application::{
    AppError,
    deliveries::Verdict,
    ports::{FoundDeadLetter, GivenUp},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Handler, Message};
use crate::headers::{
    ATTEMPTS, ATTEMPTS_BEFORE, FAILED_AT, REASON, REPLAY, count_of, counted, last_death, text_of,
};

/// Why the broker gives a message up that was delivered too often.
const TOO_OFTEN: &str = "delivery_limit";

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
        let failed_at = text_of(properties, FAILED_AT);
        let message = GivenUp {
            queue: self.queue.to_owned(),
            key: message.key.clone(),
            replay: count_of(properties, REPLAY),
            kind: properties.kind().as_ref().map(ToString::to_string),
            content_type: properties.content_type().as_ref().map(ToString::to_string),
            traceparent: message.traceparent.clone(),
            body: message.body.clone(),
            attempts,
        };
        let failed_at = failed_at.and_then(|at| OffsetDateTime::parse(&at, &Rfc3339).ok());
        FoundDeadLetter { message, error, failed_at }
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

#[cfg(test)]
mod tests {
    use lapin::types::{AMQPValue, FieldArray, FieldTable};
    use time::macros::datetime;

    use super::*;
    use crate::headers::{number, table, text};

    fn found(headers: FieldTable) -> FoundDeadLetter {
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
            traceparent: None,
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
        let death = table([("reason", text("delivery_limit"))]);
        let deaths = AMQPValue::FieldArray(FieldArray::from(vec![AMQPValue::FieldTable(death)]));
        let letter = found(table([("x-death", deaths), (ATTEMPTS_BEFORE, number(3))]));
        assert_eq!(letter.error, "the broker gave it up (delivery_limit)");
        assert_eq!((letter.message.attempts, letter.failed_at, letter.message.replay), (54, None, 0));
    }

    #[test]
    fn what_somebody_put_there_is_kept_as_well() {
        let letter = found(FieldTable::default());
        assert_eq!((letter.error.as_str(), letter.message.attempts), ("nobody said why", 0));
    }
}
