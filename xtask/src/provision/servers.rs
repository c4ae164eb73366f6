//! A set of servers, got as the plan says.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::instance::Instance;
use super::local::{SharedInstance, lock};
use super::plan::Plan;
use super::server::{Given, Server};
use super::{docker, obtain};
use crate::environment;
use crate::error::{Error, Result};
use crate::process::Mark;

/// PostgreSQL and RabbitMQ, as far as the plan asked for them. Dropping it stops what it started.
pub struct Servers {
    database: Option<Box<dyn Server>>,
    broker: Option<Box<dyn Server>>,
    instance: SharedInstance,
    released: bool,
}

impl Servers {
    /// Gets everything the plan asks for, ready for connections.
    ///
    /// # Errors
    /// [`Error::Refused`] with what to do when there is no way to get a server, or when a kept instance is in use.
    pub fn start(plan: &Plan) -> Result<Self> {
        let instance = Arc::new(Mutex::new(hold(plan)?));
        let mut servers = Self { database: None, broker: None, instance, released: false };
        let given = |name: &str| plan.environment.then(|| environment::text(name)).flatten();
        if plan.database {
            servers.database = given("DATABASE_URL").map(|url| Given::boxed("PostgreSQL", url));
        }
        if plan.broker {
            servers.broker = given("AMQP_URL").map(|url| Given::boxed("RabbitMQ", url));
        }
        let need_database = plan.database && servers.database.is_none();
        let need_broker = plan.broker && servers.broker.is_none();
        obtain::install_missing(need_database, need_broker);
        if need_database {
            servers.database = Some(obtain::database(plan, &servers.instance)?);
        }
        if need_broker {
            servers.broker = Some(obtain::broker(plan, &servers.instance)?);
        }
        let urls = [servers.database_url(), servers.amqp_url()].map(|url| url.map(str::to_owned));
        let [database_url, amqp_url] = urls;
        lock(&servers.instance).write(|ledger| {
            ledger.database_url = database_url;
            ledger.amqp_url = amqp_url;
        })?;
        if !plan.quiet {
            for server in [&servers.database, &servers.broker].into_iter().flatten() {
                eprintln!("xtask: {} at {}", server.name(), without_password(server.url()));
            }
        }
        Ok(servers)
    }

    /// `postgres://…`; `None` when the plan was without a database.
    pub fn database_url(&self) -> Option<&str> {
        self.database.as_ref().map(|server| server.url())
    }

    /// `amqp://…`; `None` when the plan was without a broker.
    pub fn amqp_url(&self) -> Option<&str> {
        self.broker.as_ref().map(|server| server.url())
    }

    /// PostgreSQL, to be killed and started again.
    ///
    /// # Errors
    /// [`Error::Refused`] when the plan was without one.
    pub fn database(&mut self) -> Result<&mut dyn Server> {
        present(&mut self.database)
    }

    /// RabbitMQ, to be killed and started again.
    ///
    /// # Errors
    /// [`Error::Refused`] when the plan was without one.
    pub fn broker(&mut self) -> Result<&mut dyn Server> {
        present(&mut self.broker)
    }

    /// PostgreSQL and RabbitMQ at once, for a caller that kills both.
    pub(crate) fn both(&mut self) -> Result<(&mut dyn Server, &mut dyn Server)> {
        Ok((present(&mut self.database)?, present(&mut self.broker)?))
    }

    /// The folder of the instance, for logs and other files of the command that holds it.
    pub fn folder(&self) -> PathBuf {
        lock(&self.instance).folder().to_path_buf()
    }

    /// Where the servers keep their own files.
    pub(crate) fn storage(&self) -> PathBuf {
        let instance = lock(&self.instance);
        instance.ledger().storage.clone().unwrap_or_else(|| instance.folder().to_path_buf())
    }

    /// For further processes: if we crash, the next holder stops them.
    pub(crate) fn recorder(&self) -> Recorder {
        Recorder(Arc::clone(&self.instance))
    }

    /// Stops what was started, broker first, and removes the data of a fresh instance.
    ///
    /// # Errors
    /// What stopping a container or removing the data fails with.
    pub fn stop(mut self) -> Result<()> {
        self.release()
    }

    /// As [`Servers::stop`], for holders that cannot give it away.
    pub(crate) fn release(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.released, true) {
            return Ok(());
        }
        for server in [&mut self.broker, &mut self.database].into_iter().flatten() {
            server.stop()?;
        }
        let mut instance = lock(&self.instance);
        if let Some(project) = &instance.ledger().compose_project {
            docker::stop_project(project, instance.ledger().keep);
        }
        instance.release()
    }
}

/// Writes processes into the ledger of an instance.
#[derive(Clone)]
pub(crate) struct Recorder(SharedInstance);

impl Recorder {
    /// In place of an earlier process of the same name.
    pub(crate) fn record(&self, name: &str, mark: Mark) -> Result<()> {
        lock(&self.0).record(name, mark)
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        if let Err(error) = self.release() {
            eprintln!("xtask: {error}");
        }
    }
}

fn present(server: &mut Option<Box<dyn Server>>) -> Result<&mut dyn Server> {
    match server {
        Some(server) => Ok(server.as_mut()),
        None => Err(Error::Refused("this server was not part of the plan".into())),
    }
}

/// Takes the named instance, or for a fresh one the first free number of it.
fn hold(plan: &Plan) -> Result<Instance> {
    if let Some(instance) = Instance::acquire(&plan.name, plan.keep)? {
        return Ok(instance);
    }
    if plan.keep {
        let name = &plan.name;
        return Err(Error::Refused(format!("`{name}` is already running; `cargo xtask down` stops it")));
    }
    for number in 2..100 {
        if let Some(instance) = Instance::acquire(&format!("{}-{number}", plan.name), false)? {
            return Ok(instance);
        }
    }
    Err(Error::Refused(format!("a hundred instances of `{}` are running", plan.name)))
}

/// The URL with its password masked: it goes to a terminal.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    match rest.split_once('@') {
        Some((user, place)) => {
            let user = user.split_once(':').map_or(user.to_owned(), |(name, _)| format!("{name}:***"));
            format!("{scheme}://{user}@{place}")
        }
        None => url.to_owned(),
    }
}
