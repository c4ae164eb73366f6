//! A message on its way to the broker.

use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable, LongString, ShortString},
};
use techsupport_application::events::OutboxMessage;

/// Delivery mode 2: the message survives a restart of the broker.
const PERSISTENT: u8 = 2;

/// CloudEvents 1.0 in structured mode (CloudEvents AMQP binding, section 3.2).
const CONTENT_TYPE: &str = "application/cloudevents+json";

/// The header that carries the trace (W3C Trace Context).
pub(crate) const TRACEPARENT: &str = "traceparent";

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
        let mut headers = FieldTable::default();
        headers.insert(TRACEPARENT.into(), text(&message.traceparent));
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

    /// A copy of something received, for `queue`, with its headers replaced.
    pub(crate) fn copy(
        id: String,
        queue: &str,
        properties: &BasicProperties,
        headers: FieldTable,
        body: Vec<u8>,
    ) -> Self {
        let properties = properties
            .clone()
            .with_message_id(short(&id))
            .with_delivery_mode(PERSISTENT)
            .with_headers(headers);
        Self { id, exchange: String::new(), routing_key: queue.to_owned(), properties, body }
    }
}

pub(crate) fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(value))
}

/// AMQP's short strings hold 255 bytes; a longer id of somebody else's message is cut.
fn short(value: &str) -> ShortString {
    value.get(..255).unwrap_or(value).into()
}
