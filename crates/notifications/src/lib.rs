//! Channels: the ways a notification reaches a person.
//!
//! Today there is one, the log. Others are adapters of the same port,
//! [`Channel`](techsupport_application::ports::Channel).

mod bunyan;
mod log_channel;
mod settings;
mod sink;

pub use log_channel::{LogChannel, Source};
pub use settings::{LogTarget, LogTargetSettings, NotificationSettings};
pub use sink::{LineSink, SinkError, Written};
