//! A message on its way to the broker.

use lapin::{
    BasicProperties,
    types::{FieldTable, ShortString},
};
use techsupport_application::{events::OutboxMessage, ports::GivenUp};

use crate::headers::{ATTEMPTS_BEFORE, REPLAY, TRACEPARENT, number, table, text};

/// Delivery mode 2: the message survives a restart of the broker.
const PERSISTENT: u8 = 2;

/// CloudEvents 1.0 in structured mode (CloudEvents AMQP binding, section 3.2).
const CONTENT_TYPE: &str = "application/cloudevents+json";

/// Where a message goes, and what it is.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    /// Tells it apart from the others of its batch; also the AMQP message id.
    pub(crate) id: String,
    pub(crate) exchange: String,
    pub(crate) routing_key: String,
    pub(crate) properties: BasicProperties,
    pub(crate) body: Vec<u8>,
}

impl Outgoing {
    /// An event from the outbox.
    pub(crate) fn event(exchange: &str, message: &OutboxMessage) -> Self {
        let id = message.id.to_string();
        let headers = table([(TRACEPARENT, text(&message.traceparent))]);
        // AMQP counts whole seconds since 1970.
        let at = u64::try_from(message.at.unix_timestamp()).unwrap_or(0);
        let properties = BasicProperties::default()
            .with_message_id(short(&id))
            .with_type(short(message.event_type.name()))
            .with_content_type(CONTENT_TYPE.into())
            .with_delivery_mode(PERSISTENT)
            .with_timestamp(at)
            .with_headers(headers);
        Self {
            id,
            exchange: exchange.to_owned(),
            routing_key: message.event_type.routing_key().to_owned(),
            properties,
            body: message.body.clone().into_bytes(),
        }
    }

    /// A dead letter, back to `queue` and nobody else.
    pub(crate) fn replay(queue: &str, message: &GivenUp) -> Self {
        let trace = message.traceparent.as_deref().map(|trace| (TRACEPARENT, text(trace)));
        let counts = [(REPLAY, number(message.replay)), (ATTEMPTS_BEFORE, number(message.attempts))];
        let mut properties = BasicProperties::default();
        if let Some(kind) = &message.kind {
            properties = properties.with_type(short(kind));
        }
        if let Some(content_type) = &message.content_type {
            properties = properties.with_content_type(short(content_type));
        }
        let headers = table(trace.into_iter().chain(counts));
        Self::copy(&message.key, queue, &properties, headers, message.body.clone())
    }

    /// A copy of something received, for `queue`, with its headers replaced.
    pub(crate) fn copy(
        id: &str,
        queue: &str,
        properties: &BasicProperties,
        headers: FieldTable,
        body: Vec<u8>,
    ) -> Self {
        let id = short(id);
        let properties = properties
            .clone()
            .with_message_id(id.clone())
            .with_delivery_mode(PERSISTENT)
            .with_headers(headers);
        let id = id.to_string();
        Self { id, exchange: String::new(), routing_key: queue.to_owned(), properties, body }
    }
}

/// AMQP's short strings hold 255 bytes; a longer id of somebody else's message is cut.
fn short(value: &str) -> ShortString {
    value.get(..value.floor_char_boundary(255)).unwrap_or_default().into()
}
