//! How a notification reaches a person.

use std::time::Duration;

use techsupport_domain::EventId;
use time::OffsetDateTime;

use crate::events::{EventType, SlaBreachedV1, SlaWarningV1};

/// The name of a channel; part of the key of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelName(pub &'static str);

/// What there is to say.
#[derive(Debug, Clone, PartialEq)]
pub enum Notification {
    /// A deadline is near.
    Warning(SlaWarningV1),
    /// A deadline passed.
    Breach(SlaBreachedV1),
}

impl Notification {
    /// The type of the event it came from.
    pub const fn event_type(&self) -> EventType {
        match self {
            Notification::Warning(_) => EventType::SlaWarning,
            Notification::Breach(_) => EventType::SlaBreached,
        }
    }
}

/// A notification on its way through a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Parcel {
    /// The event's id. What is sent outside carries it, so that a receiver can drop a repeat.
    pub event: EventId,
    /// When it happened.
    pub at: OffsetDateTime,
    /// The trace that caused it.
    pub traceparent: String,
    /// What there is to say.
    pub notification: Notification,
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// Another attempt may succeed.
    #[error("{0}")]
    Temporary(String),
    /// No attempt ever will.
    #[error("{0}")]
    Permanent(String),
}

/// A way to reach a person. Blocks; must give up within [`Channel::send_timeout`].
pub trait Channel: Send + Sync {
    /// Its name.
    fn name(&self) -> ChannelName;

    /// Whether it wants to hear of this.
    fn wants(&self, notification: &Notification) -> bool;

    /// The longest an attempt takes. The lease on a delivery outlasts it.
    fn send_timeout(&self) -> Duration;

    /// Brings the parcel to its receiver. `attempt` counts from 1: with a later one the channel should
    /// find out, where it can, whether an earlier one that was cut short had arrived.
    fn send(&self, parcel: &Parcel, attempt: u32) -> Result<(), ChannelError>;
}
