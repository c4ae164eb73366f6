//! The channel that is always on: one bunyan line for each notification.

use std::time::{Duration, Instant};

use techsupport_application::ports::{Channel, ChannelError, ChannelName, Notification, Parcel};
use time::OffsetDateTime;

use crate::{
    bunyan,
    settings::LogTargetSettings,
    sink::{LineSink, SinkError, Written},
};

/// Who writes.
#[derive(Debug, Clone)]
pub struct Source {
    /// The program, bunyan's `name`.
    pub name: &'static str,
    /// The machine.
    pub hostname: String,
    /// The process.
    pub pid: u32,
}

impl Source {
    /// This process on this machine.
    pub fn here(name: &'static str) -> Self {
        let hostname = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Self { name, hostname, pid: std::process::id() }
    }
}

/// Writes notifications as lines; see [`LineSink`] for how each is written once.
pub struct LogChannel {
    sink: LineSink,
    source: Source,
    timeout: Duration,
    now: fn() -> OffsetDateTime,
}

impl LogChannel {
    /// Opens the target.
    pub fn open(
        settings: &LogTargetSettings,
        source: Source,
        now: fn() -> OffsetDateTime,
    ) -> Result<Self, SinkError> {
        let sink = LineSink::open(&settings.target, settings.search_bytes())?;
        Ok(Self { sink, source, timeout: settings.timeout(), now })
    }

    /// Whether a repeated attempt can be told from a first one; see [`LineSink`].
    pub fn can_check(&self) -> bool {
        self.sink.can_check()
    }
}

impl Channel for LogChannel {
    fn name(&self) -> ChannelName {
        ChannelName("log")
    }

    fn wants(&self, notification: &Notification) -> bool {
        match notification {
            Notification::Warning(_) | Notification::Breach(_) => true,
        }
    }

    fn send_timeout(&self) -> Duration {
        self.timeout
    }

    fn send(&self, parcel: &Parcel, attempt: u32) -> Result<(), ChannelError> {
        let deadline = Instant::now() + self.timeout;
        let line = bunyan::line(parcel, attempt, &self.source, (self.now)())
            .map_err(|error| ChannelError::Permanent(format!("cannot be written as JSON: {error}")))?;
        match self.sink.write_once(parcel.event.uuid(), &line, attempt > 1, deadline) {
            Ok(Written::Now) => Ok(()),
            Ok(Written::Before) => {
                tracing::info!(attempt, "the line was there already");
                Ok(())
            }
            Err(error) => Err(ChannelError::Temporary(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests;
