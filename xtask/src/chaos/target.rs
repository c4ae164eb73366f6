//! What can be killed.

use std::fmt;

use crate::error::Result;
use crate::provision::{Recorder, Server};
use crate::service::Service;

/// One of the four processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Victim {
    /// `techsupport-api`, with its sweep and its relay.
    Api,
    /// `sla-worker`.
    Worker,
    /// RabbitMQ.
    Broker,
    /// PostgreSQL.
    Database,
}

impl Victim {
    /// All of them.
    pub const ALL: [Victim; 4] = [Victim::Api, Victim::Worker, Victim::Broker, Victim::Database];
}

impl fmt::Display for Victim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Api => "api",
            Self::Worker => "worker",
            Self::Broker => "broker",
            Self::Database => "database",
        })
    }
}

/// Something that is killed with -9 and started again.
pub(super) trait Target: Send {
    fn kill(&mut self) -> Result<()>;

    /// Does nothing when it runs.
    fn start(&mut self) -> Result<()>;

    /// False once it ended, by whatever cause.
    fn is_running(&mut self) -> bool;
}

/// One of our services.
pub(super) struct ServiceTarget<'a> {
    pub(super) service: &'a mut Service,
    pub(super) recorder: Recorder,
}

impl Target for ServiceTarget<'_> {
    fn kill(&mut self) -> Result<()> {
        self.service.kill();
        Ok(())
    }

    fn start(&mut self) -> Result<()> {
        if self.service.is_running() {
            return Ok(());
        }
        let mark = self.service.start()?;
        self.recorder.record(self.service.name(), mark)
    }

    fn is_running(&mut self) -> bool {
        self.service.is_running()
    }
}

impl Target for &mut dyn Server {
    fn kill(&mut self) -> Result<()> {
        (**self).kill()
    }

    fn start(&mut self) -> Result<()> {
        (**self).restart()
    }

    fn is_running(&mut self) -> bool {
        (**self).is_running()
    }
}
