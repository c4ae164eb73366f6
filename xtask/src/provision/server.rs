//! A server as its user sees it.

use crate::error::{Error, Result};

/// PostgreSQL or RabbitMQ, started by us or given by the environment.
pub trait Server: Send {
    /// "PostgreSQL" or "RabbitMQ".
    fn name(&self) -> &'static str;

    /// Where it is: `postgres://…` with a database, or `amqp://…`. It stays the same over [`Server::kill`] and
    /// [`Server::restart`].
    fn url(&self) -> &str;

    /// Whether its process runs. A server given by the environment is taken to run.
    fn is_running(&mut self) -> bool;

    /// `kill -9`, and does not return before the process is gone and reaped.
    ///
    /// # Errors
    /// [`Error::NotOurs`] for a server that was given by the environment.
    fn kill(&mut self) -> Result<()>;

    /// Starts it again, on the same port with the same data, and waits until it accepts connections. A server that still
    /// runs is left alone.
    ///
    /// # Errors
    /// [`Error::NotOurs`] as above; [`Error::NotReady`] with the end of its log when it does not come up.
    fn restart(&mut self) -> Result<()>;

    /// Runs one of RabbitMQ's commands, and gives what it wrote.
    ///
    /// # Errors
    /// [`Error::NotOurs`] for a server that was given by the environment, [`Error::Refused`] for one that is no RabbitMQ.
    fn rabbitmqctl(&self, arguments: &[&str]) -> Result<String>;

    /// Stops it in good order. Stopping twice, or a server that was given, does nothing.
    fn stop(&mut self) -> Result<()>;
}

/// A server that the environment named. It is used and never touched.
#[derive(Debug)]
pub(crate) struct Given {
    name: &'static str,
    url: String,
}

impl Given {
    pub(crate) fn boxed(name: &'static str, url: String) -> Box<dyn Server> {
        Box::new(Self { name, url })
    }
}

impl Server for Given {
    fn name(&self) -> &'static str {
        self.name
    }

    fn url(&self) -> &str {
        &self.url
    }

    fn is_running(&mut self) -> bool {
        true
    }

    fn kill(&mut self) -> Result<()> {
        Err(Error::NotOurs(self.name))
    }

    fn restart(&mut self) -> Result<()> {
        Err(Error::NotOurs(self.name))
    }

    fn rabbitmqctl(&self, _arguments: &[&str]) -> Result<String> {
        Err(Error::NotOurs(self.name))
    }

    fn stop(&mut self) -> Result<()> {
        Ok(())
    }
}
